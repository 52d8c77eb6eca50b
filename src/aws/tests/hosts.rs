//! The hosts of a region: partitions, FIPS and dual-stack. A proxy refuses every tunnel: its requests show the hosts, and
//! no call leaves the machine.

use super::*;
use crate::aws::tests::proxy::FakeProxy;
use crate::executor::ports::{Queues, ReceiveRequest};
use std::collections::BTreeSet;

/// Where Invoke and ReceiveMessage lead to.
async fn hosts(region: &str, queue_host: &str, variables: &[(&str, &str)]) -> BTreeSet<String> {
    let proxy = FakeProxy::start(502).await;
    let url = format!("http://{}", proxy.address);
    let server = FakeServer::start(|_, _| Answer::Hang).await;
    let mut settings = settings(&server);
    settings.endpoints = Endpoints::default();
    settings.region = Some(region.into());
    settings.queue_urls = vec![format!("https://{queue_host}/123456789012/results")];
    settings.isolated = false;
    let variables = [&[("HTTPS_PROXY", url.as_str()), ("NO_PROXY", "")], variables].concat();
    settings.environment = Environment::of(variables);
    let aws = Aws::new(settings);
    assert_eq!(invoke(&aws).await.unwrap_err().code, "ConnectionFailed");
    let request = ReceiveRequest { queue: 0, max_messages: 10, wait_s: 0, visibility_s: 30 };
    assert_eq!(aws.receive(request).await.unwrap_err().code, "ConnectionFailed");
    let target = |head: &String| head.split(' ').nth(1).unwrap().to_owned();
    proxy.heads().iter().map(target).collect()
}

#[tokio::test]
async fn hosts_are_those_of_the_region_and_its_partition() {
    const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    const DUAL: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "true");
    // https://docs.aws.amazon.com/general/latest/gr/lambda-service.html and sqs-service.html
    for (region, variables, lambda, sqs) in [
        ("eu-west-1", &[][..], "lambda.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"),
        ("us-east-1", &[FIPS], "lambda-fips.us-east-1.amazonaws.com", "sqs-fips.us-east-1.amazonaws.com"),
        ("eu-west-1", &[DUAL], "lambda.eu-west-1.api.aws", "sqs.eu-west-1.api.aws"),
        ("us-east-1", &[FIPS, DUAL], "lambda-fips.us-east-1.api.aws", "sqs-fips.us-east-1.api.aws"),
        ("cn-north-1", &[], "lambda.cn-north-1.amazonaws.com.cn", "sqs.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", &[FIPS], "lambda-fips.us-gov-west-1.amazonaws.com", "sqs.us-gov-west-1.amazonaws.com"),
    ] {
        let expected = BTreeSet::from([format!("{lambda}:443"), format!("{sqs}:443")]);
        assert_eq!(hosts(region, sqs, variables).await, expected, "{region}, {variables:?}");
    }
}
