//! The same requests, and the same understanding of answers, on both transports.

use super::fake_server::Seen;
use super::*;
use crate::executor::ports::{Queues, ReceiveRequest};
use std::collections::BTreeMap;

const RECEIVE: ReceiveRequest = ReceiveRequest { queue: 1, max_messages: 7, wait_s: 3, visibility_s: 60 };

/// What one server sees of every call on a transport.
async fn requests(change: impl Fn(&mut Settings), transport: Transport) -> Vec<Seen> {
    let server = FakeServer::start(|_, seen| match seen.header("x-amz-target") {
        Some(_) => Answer::Reply(200, vec![], "{}".into()),
        None if seen.header("x-amz-invocation-type") == Some("DryRun") => Answer::Reply(204, vec![], String::new()),
        None => accepted(),
    })
    .await;
    let mut settings = settings(&server, transport);
    change(&mut settings);
    let aws = Aws::new(settings);
    invoke(&aws).await.unwrap();
    invoke_qualified(&aws, Some("v 7")).await.unwrap();
    aws.probe(0).await.unwrap();
    aws.receive(RECEIVE).await.unwrap();
    aws.delete(0, vec!["a\"b".into(), "é\n".into()]).await.unwrap();
    aws.change_visibility(1, vec![("a\\b".into(), 0), ("c".into(), 77)]).await.unwrap();
    server.seen()
}

/// Headers by name, but for those of one call, and the names that are signed.
fn headers(seen: &Seen) -> (BTreeMap<&str, &str>, Vec<&str>) {
    let of_one_call = |name: &str| {
        name.starts_with("amz-sdk-") || ["authorization", "x-amz-date", "host", "content-length"].contains(&name)
    };
    let headers = seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let authorization = seen.header("authorization").unwrap();
    let signed = authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    let signed = signed.split(';').filter(|name| !name.starts_with("amz-sdk-") && *name != "content-length");
    (headers.filter(|(name, _)| !of_one_call(name)).collect(), signed.collect())
}

#[tokio::test]
async fn requests_are_the_same() {
    type Change = fn(&mut Settings);
    let changes: [Change; 5] = [
        |_| {},
        |settings| settings.functions[0].qualifier = Some("live".into()),
        |settings| settings.functions[0].name = "arn:aws:lambda:us-east-2:123456789012:function:run:live".into(),
        |settings| {
            let keys = settings.identity.keys.as_mut().unwrap();
            keys.session_token = Some("a/token+with=signs".into());
        },
        |settings| {
            // The path of an endpoint is in front of the calls' own.
            let url = format!("{}/a%20b/c", settings.endpoints.lambda.as_ref().unwrap());
            settings.endpoints.lambda = Some(url);
            settings.environment =
                Environment::of([("AWS_LAMBDA_FUNCTION_NAME", "f"), ("_X_AMZN_TRACE_ID", "Root=1-2")]);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let (direct, sdk) = (requests(change, Transport::Direct).await, requests(change, Transport::Sdk).await);
        assert_eq!(direct.len(), sdk.len());
        for (ours, theirs) in direct.iter().zip(&sdk) {
            assert_eq!(ours.line, theirs.line, "{number}");
            assert_eq!(headers(ours), headers(theirs), "{number}: {}", ours.line);
            let json = |seen: &Seen| serde_json::from_str::<serde_json::Value>(&seen.body).ok();
            assert_eq!(json(ours), json(theirs), "{number}");
        }
    }
}

/// A signature is right if the SDK's signer makes the same one of the request that was received.
#[tokio::test]
async fn every_signature_is_right() {
    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign};
    use aws_sigv4::sign::v4;
    use aws_smithy_runtime_api::client::identity::Identity;

    let token = |settings: &mut Settings| settings.identity.keys.as_mut().unwrap().session_token = Some("t=/+".into());
    let seen = [requests(|_| {}, Transport::Direct).await, requests(token, Transport::Direct).await].concat();
    for seen in seen {
        let authorization = seen.header("authorization").unwrap();
        let part = |name: &str| authorization.split(name).nth(1).unwrap().split(", ").next().unwrap();
        let scope: Vec<&str> = part("Credential=").split('/').collect();
        let signed: Vec<&str> = part("SignedHeaders=").split(';').collect();
        let token = seen.header("x-amz-security-token").map(str::to_owned);
        let identity: Identity = Credentials::new("AKIDEXAMPLE", "not-a-real-key", token, None, "test").into();
        let date = seen.header("x-amz-date").unwrap();
        let parameters: SigningParams<'_> = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope[2])
            .name(scope[3])
            .time(time(date))
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let added = ["x-amz-date", "x-amz-security-token"];
        let headers =
            signed.iter().filter(|name| !added.contains(name)).map(|name| (*name, seen.header(name).unwrap()));
        let url = format!("http://{}{}", seen.header("host").unwrap(), seen.line.split(' ').nth(1).unwrap());
        let request = SignableRequest::new("POST", url, headers, SignableBody::Bytes(seen.body.as_bytes())).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let expected = instructions.headers().find(|(name, _)| *name == "authorization").unwrap();
        assert_eq!(authorization, expected.1, "{}", seen.line);
    }
}

/// `20261130T110000Z`
fn time(text: &str) -> std::time::SystemTime {
    use aws_smithy_types::{DateTime, date_time::Format};
    let (date, time) = text.split_once('T').unwrap();
    let form =
        |text: &str, sign: &str, at: [usize; 2]| [&text[..at[0]], &text[at[0]..at[1]], &text[at[1]..]].join(sign);
    let text = format!("{}T{}", form(date, "-", [4, 6]), form(time, ":", [2, 4]));
    DateTime::from_str(&text, Format::DateTime).unwrap().try_into().unwrap()
}

/// Every combination of a status, a code wherever it may stand, and a body.
fn error_answers() -> Vec<Answer> {
    let mut answers = Vec::new();
    for status in [400, 403, 404, 413, 429, 500, 502, 503, 504, 301] {
        for header in [
            None,
            Some(("x-amzn-errortype", "TooManyRequestsException:http://internal.example/")),
            Some(("x-amzn-errortype", "com.amazon#ServiceException")),
            Some(("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")),
            Some(("retry-after", "7")),
        ] {
            for body in [
                "",
                "{}",
                r#"{"message":"m"}"#,
                r#"{"Message":"first\nsecond","Type":"User","Reason":"CallerRateLimitExceeded"}"#,
                r#"{"__type":"com.amazonaws.sqs#OverLimit","message":"m"}"#,
                r#"{"code":"ExpiredToken","__type":"x","errorMessage":"gone"}"#,
            ] {
                let mut headers: Vec<(&'static str, String)> = vec![("x-amzn-requestid", "id".into())];
                headers.extend(header.map(|(name, value)| (name, value.to_owned())));
                answers.push(Answer::Reply(status, headers, body.into()));
            }
        }
    }
    answers
}

#[tokio::test]
async fn errors_are_the_same() {
    let answers = error_answers();
    let mut all = Vec::new();
    for transport in [Transport::Direct, Transport::Sdk] {
        let given = answers.clone();
        let server = FakeServer::start(move |n, _| given[n / 2].clone()).await;
        let aws = Aws::new(settings(&server, transport));
        let mut errors = Vec::new();
        for _ in &answers {
            for error in [invoke(&aws).await.unwrap_err(), aws.receive(RECEIVE).await.unwrap_err()] {
                let CallError { fault, sent, code, message, request_id, retry_after_ms } = error;
                errors.push((fault, sent, code, message, request_id, retry_after_ms));
            }
        }
        all.push(errors);
    }
    let [direct, sdk] = <[_; 2]>::try_from(all).unwrap();
    for (number, (mut direct, sdk)) in direct.into_iter().zip(sdk).enumerate() {
        // The SDK drops the message of an error without a code.
        if direct.2.starts_with("Http") {
            direct.3.clone_from(&sdk.3);
        }
        assert_eq!(direct, sdk, "{:?}", answers[number / 2]);
    }
}
