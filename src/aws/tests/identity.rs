//! The keys that sign: new ones from the host, and those of roles, against a server that answers as Lambda and STS.

use super::fake_server::Seen;
use super::*;
use std::time::{SystemTime, UNIX_EPOCH};

/// The key that signed a request.
fn signer(seen: &Seen) -> String {
    let header = seen.header("authorization").unwrap_or_default();
    header.split("Credential=").nth(1).unwrap_or_default().split('/').next().unwrap_or_default().to_owned()
}

fn is_sts(seen: &Seen) -> bool {
    seen.body.contains("Action=AssumeRole")
}

/// STS's answer: the key `ASSUMED<n>`, valid for `seconds`.
fn assumed(n: usize, seconds: u64) -> Answer {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = aws_sdk_sts::primitives::DateTime::from_secs(i64::try_from(now + seconds).unwrap());
    let expires = at.fmt(aws_sdk_sts::primitives::DateTimeFormat::DateTime).unwrap();
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASSUMED{n}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t{n}</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    Answer::Reply(200, vec![("content-type", "text/xml".into())], body)
}

fn with_role(server: &FakeServer) -> Settings {
    let mut settings = settings(server);
    settings.identity.role = Some(Role {
        arn: "arn:aws:iam::123456789012:role/r".into(),
        session_name: Some("me".into()),
        external_id: Some("x".into()),
        duration_s: Some(900),
        ..Role::default()
    });
    settings
}

#[tokio::test]
async fn new_keys_sign_from_the_next_call_on() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let aws = aws(&server);
    invoke(&aws).await.unwrap();
    aws.set_credentials(Keys {
        access_key_id: "AKIDNEW".into(),
        secret_access_key: "s".into(),
        session_token: Some("token".into()),
    });
    invoke(&aws).await.unwrap();
    let seen = server.seen();
    assert_eq!((signer(&seen[0]), signer(&seen[1])), ("AKIDEXAMPLE".into(), "AKIDNEW".into()));
    assert_eq!(seen[1].header("x-amz-security-token"), Some("token"));
}

#[tokio::test]
async fn a_role_is_assumed_once_and_its_keys_sign() {
    let server = FakeServer::start(|n, seen| if is_sts(seen) { assumed(n, 3_600) } else { accepted() }).await;
    let aws = Aws::new(with_role(&server));
    invoke(&aws).await.unwrap();
    invoke(&aws).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.iter().map(signer).collect::<Vec<_>>(), ["AKIDEXAMPLE", "ASSUMED0", "ASSUMED0"]);
    assert_eq!(seen[1].header("x-amz-security-token"), Some("t0"));
    for part in ["RoleSessionName=me", "ExternalId=x", "DurationSeconds=900", "role%2Fr"] {
        assert!(seen[0].body.contains(part), "{part}: {}", seen[0].body);
    }
}

/// The request for the role was sent, the call itself was not.
#[tokio::test]
async fn a_call_that_waits_for_its_role_was_not_sent() {
    let server = FakeServer::start(|_, seen| if is_sts(seen) { Answer::Hang } else { accepted() }).await;
    let mut settings = with_role(&server);
    settings.invoke_timeout = Duration::from_millis(300);
    let error = invoke(&Aws::new(settings)).await.unwrap_err();
    assert_eq!((error.sent, error.code.as_str()), (Sent::No, "TimedOut"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_role_is_assumed_again_before_its_keys_expire() {
    // Five seconds are left, which is too close.
    let server = FakeServer::start(|n, seen| if is_sts(seen) { assumed(n, 5) } else { accepted() }).await;
    let aws = Aws::new(with_role(&server));
    invoke(&aws).await.unwrap();
    invoke(&aws).await.unwrap();
    let signers: Vec<String> = server.seen().iter().map(signer).collect();
    assert_eq!(signers, ["AKIDEXAMPLE", "ASSUMED0", "AKIDEXAMPLE", "ASSUMED2"]);
}

#[tokio::test]
async fn a_role_whose_keys_are_rejected_is_assumed_again() {
    let server = FakeServer::start(|n, seen| match n {
        _ if is_sts(seen) => assumed(n, 3_600),
        1 => lambda_error(403, "ExpiredTokenException"),
        _ => accepted(),
    })
    .await;
    let aws = Aws::new(with_role(&server));
    assert_eq!(invoke(&aws).await.unwrap_err().fault, Fault::Identity);
    invoke(&aws).await.unwrap();
    let signers: Vec<String> = server.seen().iter().map(signer).collect();
    assert_eq!(signers, ["AKIDEXAMPLE", "ASSUMED0", "AKIDEXAMPLE", "ASSUMED2"]);
}

#[tokio::test]
async fn an_error_of_sts_is_reported_with_the_role() {
    let server = FakeServer::start(|_, _| {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you\nand more</Message></Error></ErrorResponse>";
        Answer::Reply(403, vec![("content-type", "text/xml".into())], body.into())
    })
    .await;
    let error = invoke(&Aws::new(with_role(&server))).await.unwrap_err();
    assert_eq!((error.fault, error.code.as_str()), (Fault::Identity, "CredentialsFailed"));
    assert!(
        error
            .message
            .starts_with("no credentials from role `arn:aws:iam::123456789012:role/r`, assumed with the given keys: "),
        "{error}"
    );
    assert!(error.message.ends_with("STS: AccessDenied: not you"), "{error}");
}

#[tokio::test]
async fn keys_from_the_host_replace_the_role() {
    let server = FakeServer::start(|_, _| accepted()).await;
    let aws = Aws::new(with_role(&server));
    aws.set_credentials(Keys { access_key_id: "AKIDNEW".into(), secret_access_key: "s".into(), session_token: None });
    invoke(&aws).await.unwrap();
    assert_eq!(server.seen().iter().map(signer).collect::<Vec<_>>(), ["AKIDNEW"]);
}
