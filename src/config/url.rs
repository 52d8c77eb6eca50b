//! Checks of URLs, with an error for each fault. Not a URL parser: a valid URL is used as given.

use super::wrong::Wrong;

/// The parts that the checks use.
struct Parts<'a> {
    path: &'a str,
    host: &'a str,
}

/// Checks the URL of a queue.
pub(crate) fn check_queue_url(url: &str) -> Result<(), Wrong> {
    if url.starts_with("arn:") {
        return Err(Wrong::value("is an ARN, not a URL"));
    }
    if !url.contains("://") && !url.contains('/') {
        return Err(Wrong::value("is a name, not a URL"));
    }
    let parts = split(url)?;
    let segments: Vec<&str> = parts.path.trim_start_matches('/').split('/').collect();
    let named = segments.iter().all(|segment| !segment.is_empty());
    // Other servers may have other paths; AWS's always have account and name.
    let aws = parts.host.ends_with(".amazonaws.com") || parts.host.ends_with(".amazonaws.com.cn");
    if !named || (aws && segments.len() != 2) {
        return Err(Wrong::value("does not name account and queue"));
    }
    Ok(())
}

/// Checks an endpoint.
pub(crate) fn check_endpoint(url: &str) -> Result<(), Wrong> {
    split(url).map(|_| ())
}

fn split(url: &str) -> Result<Parts<'_>, Wrong> {
    let rest = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) | (_, Some(rest)) => rest,
        _ => return Err(Wrong::value("does not start with https:// or http://")),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    // The error does not show the URL: there may be a password before the @.
    if authority.contains('@') {
        return Err(Wrong::hidden("the URL has a user name or password in it"));
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Wrong::value("has white space in it"));
    }
    if url.contains(['?', '#']) {
        return Err(Wrong::value("has a `?` or `#` in it"));
    }
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => (&authority[..at], Some(&authority[at + 1..])),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(Wrong::value("has no host"));
    }
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(Wrong::value("has a port that is not a number from 0 to 65535"));
    }
    Ok(Parts { path, host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_urls_of_aws_and_of_others_pass() {
        for url in [
            "https://sqs.eu-central-1.amazonaws.com/123456789012/results",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/results.fifo",
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/results",
            "https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/results",
            "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/results",
            "http://127.0.0.1:4566/000000000000/results",
            "http://[::1]:4566/000000000000/results",
            "http://elasticmq/queue/results",
            "http://localhost:9324/results",
        ] {
            assert_eq!(check_queue_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn errors_of_queue_urls() {
        for (url, expected) in [
            ("my-queue", "is a name, not a URL"),
            ("arn:aws:sqs:eu-west-1:123456789012:q", "is an ARN, not a URL"),
            ("sqs.eu-west-1.amazonaws.com/1/q", "does not start with https:// or http://"),
            ("ftp://sqs.eu-west-1.amazonaws.com/1/q", "does not start with https:// or http://"),
            ("https://sqs.eu-west-1.amazonaws.com/", "does not name account and queue"),
            ("https://sqs.eu-west-1.amazonaws.com/q", "does not name account and queue"),
            ("https://sqs.eu-west-1.amazonaws.com/1/q/", "does not name account and queue"),
            ("https:///1/q", "has no host"),
            ("https://h:port/1/q", "has a port that is not a number from 0 to 65535"),
            ("https://h/1/q?x=1", "has a `?` or `#` in it"),
            ("https://h/1/q ", "has white space in it"),
        ] {
            assert_eq!(check_queue_url(url), Err(Wrong::value(expected)), "{url}");
        }
    }

    #[test]
    fn passwords_in_urls_are_not_repeated() {
        for result in [check_queue_url("https://me:secret@h/1/q"), check_endpoint("https://me:secret@h")] {
            assert_eq!(result, Err(Wrong::hidden("the URL has a user name or password in it")));
        }
    }

    #[test]
    fn endpoints_are_checked() {
        for url in ["http://127.0.0.1:4566", "https://lambda.eu-west-1.amazonaws.com", "http://h:1/", "http://[::1]"] {
            assert_eq!(check_endpoint(url), Ok(()), "{url}");
        }
        assert_eq!(check_endpoint("localhost:4566"), Err(Wrong::value("does not start with https:// or http://")));
    }
}
