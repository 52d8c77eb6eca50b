//! Checks of URLs, each with the sentence that says what is wrong. Not a URL parser: what passes is used as given.

/// What a queue's URL looks like.
const QUEUE_URL: &str = "https://sqs.<region>.amazonaws.com/<account>/<name>";

/// The parts that the checks look at.
struct Parts<'a> {
    path: &'a str,
    host: &'a str,
}

/// Checks the URL of a queue. The error has no name of an option and never the secret in a URL.
pub(crate) fn check_queue_url(url: &str) -> Result<(), String> {
    if url.starts_with("arn:") {
        return Err(format!("`{url}` is an ARN, not a URL (expected {QUEUE_URL})"));
    }
    if !url.contains("://") && !url.contains('/') {
        return Err(format!("`{url}` is a name, not a URL (expected {QUEUE_URL})"));
    }
    let parts = split(url).map_err(|problem| format!("{problem} (expected {QUEUE_URL})"))?;
    let segments: Vec<&str> = parts.path.trim_start_matches('/').split('/').collect();
    let named = segments.iter().all(|segment| !segment.is_empty());
    // Other servers may name their queues otherwise; AWS always has account and name.
    let aws = parts.host.ends_with(".amazonaws.com") || parts.host.ends_with(".amazonaws.com.cn");
    if !named || (aws && segments.len() != 2) {
        return Err(format!("`{url}` does not name account and queue (expected {QUEUE_URL})"));
    }
    Ok(())
}

/// Checks an endpoint.
pub(crate) fn check_endpoint(url: &str) -> Result<(), String> {
    split(url).map(|_| ()).map_err(|problem| format!("{problem} (expected http://host:port or https://host)"))
}

fn split(url: &str) -> Result<Parts<'_>, String> {
    let rest = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) | (_, Some(rest)) => rest,
        _ => return Err(format!("`{url}` does not start with https:// or http://")),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    // Said without the URL: what stands before the @ may be a password.
    if authority.contains('@') {
        return Err("the URL has a user name or password in it".into());
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("`{}` has white space in it", url.escape_debug()));
    }
    if url.contains(['?', '#']) {
        return Err(format!("`{url}` has a `?` or `#` in it"));
    }
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => (&authority[..at], Some(&authority[at + 1..])),
        _ => (authority, None),
    };
    if host.is_empty() {
        return Err(format!("`{url}` has no host"));
    }
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(format!("`{url}`: its port is not a number from 0 to 65535"));
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
    fn what_is_no_queue_url_is_told() {
        for (url, expected) in [
            (
                "my-queue",
                "`my-queue` is a name, not a URL (expected https://sqs.<region>.amazonaws.com/<account>/<name>)",
            ),
            ("arn:aws:sqs:eu-west-1:123456789012:q", "`arn:aws:sqs:eu-west-1:123456789012:q` is an ARN, not a URL"),
            ("sqs.eu-west-1.amazonaws.com/1/q", "does not start with https://"),
            ("ftp://sqs.eu-west-1.amazonaws.com/1/q", "does not start with https://"),
            ("https://sqs.eu-west-1.amazonaws.com/", "does not name account and queue"),
            ("https://sqs.eu-west-1.amazonaws.com/q", "does not name account and queue"),
            ("https://sqs.eu-west-1.amazonaws.com/1/q/", "does not name account and queue"),
            ("https:///1/q", "has no host"),
            ("https://h:port/1/q", "its port is not a number"),
            ("https://h/1/q?x=1", "has a `?` or `#` in it"),
            ("https://h/1/q ", "has white space in it"),
        ] {
            let error = check_queue_url(url).unwrap_err();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }

    #[test]
    fn passwords_in_urls_are_not_repeated() {
        for error in [check_queue_url("https://me:secret@h/1/q"), check_endpoint("https://me:secret@h")] {
            let error = error.unwrap_err();
            assert!(error.starts_with("the URL has a user name or password in it"), "{error}");
            assert!(!error.contains("secret"));
        }
    }

    #[test]
    fn endpoints_are_checked() {
        for url in ["http://127.0.0.1:4566", "https://lambda.eu-west-1.amazonaws.com", "http://h:1/", "http://[::1]"] {
            assert_eq!(check_endpoint(url), Ok(()), "{url}");
        }
        assert!(check_endpoint("localhost:4566").unwrap_err().contains("does not start with https:// or http://"));
    }
}
