//! The region in a queue's URL, so that it need not be configured as well.

/// Region in the URL of a queue at AWS; `None` for every other server.
///
/// The forms are `sqs.<region>.amazonaws.com`, the same with `sqs-fips`, `.cn` or a VPC endpoint in front,
/// `sqs.<region>.api.aws`, and the old `<region>.queue.amazonaws.com` (without a region: us-east-1).
pub(super) fn of_queue_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split('/').next()?;
    let host = authority.split(':').next()?.to_ascii_lowercase();
    let name = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))
        .or_else(|| host.strip_suffix(".api.aws"))
        .or_else(|| host.strip_suffix(".api.amazonwebservices.com.cn"))?;
    let labels: Vec<&str> = name.strip_suffix(".vpce").unwrap_or(name).split('.').collect();
    let region = match labels.as_slice() {
        ["queue"] => "us-east-1",
        [region, "queue"] | [.., "sqs" | "sqs-fips", region] => region,
        _ => return None,
    };
    (!region.is_empty()).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_aws_contains_its_region() {
        for (url, region) in [
            ("https://sqs.eu-central-1.amazonaws.com/1/q", "eu-central-1"),
            ("https://sqs-fips.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1"),
            ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
            ("https://sqs.eu-west-1.api.aws/1/q", "eu-west-1"),
            ("https://vpce-0a-1b.sqs.eu-west-1.vpce.amazonaws.com/1/q", "eu-west-1"),
            ("https://eu-west-1.queue.amazonaws.com/1/q", "eu-west-1"),
            ("https://queue.amazonaws.com/1/q", "us-east-1"),
            ("https://SQS.eu-west-1.amazonaws.com:443/1/q", "eu-west-1"),
        ] {
            assert_eq!(of_queue_url(url).as_deref(), Some(region), "{url}");
        }
    }

    #[test]
    fn urls_of_other_servers_have_no_region() {
        for url in ["http://127.0.0.1:4566/0/q", "https://sqs.example.com/1/q", "https://amazonaws.com/1/q", "q", ""] {
            assert_eq!(of_queue_url(url), None, "{url}");
        }
    }
}
