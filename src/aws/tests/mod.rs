//! The ports on both transports, against a server on the loopback that answers as AWS does, or fails.

mod agreement;
mod certificate;
mod fake_server;
mod only_direct;
mod proxy;

/// The same tests on each transport.
macro_rules! on_transport {
    ($module:ident, $transport:expr) => {
        #[allow(clippy::duplicate_mod)]
        #[path = "."]
        mod $module {
            mod answers;
            mod connections;
            mod error_codes;
            mod health;
            mod hosts;
            mod identity;
            mod messages;
            mod tls;

            pub(super) use super::*;

            fn settings(server: &FakeServer) -> Settings {
                super::settings(server, $transport)
            }

            fn aws(server: &FakeServer) -> Aws {
                Aws::new(settings(server))
            }
        }
    };
}

on_transport!(direct, Transport::Direct);
on_transport!(sdk, Transport::Sdk);

use super::*;
use crate::executor::ports::{Accepted, Health, InvokeRequest, Lambda, Sent};
use fake_server::{Answer, FakeServer};

pub(super) const RESULTS: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
pub(super) const DEAD: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead";

/// One function, two queues, given keys.
fn settings(server: &FakeServer, transport: Transport) -> Settings {
    Settings {
        functions: vec![Function { name: "run".into(), qualifier: None, gets_batches: false }],
        queue_urls: vec![RESULTS.into(), DEAD.into()],
        queue_needs: QueueNeeds::default(),
        region: Some("eu-west-1".into()),
        endpoints: Endpoints::all(&server.url),
        identity: Identity::of_keys(Keys {
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "not-a-real-key".into(),
            session_token: None,
        }),
        isolated: true,
        environment: Environment::default(),
        ca_bundle: None,
        transport,
        connect_timeout: Duration::from_secs(3),
        invoke_timeout: Duration::from_secs(10),
    }
}

async fn invoke(aws: &Aws) -> Result<Accepted, CallError> {
    invoke_qualified(aws, None).await
}

/// With a version or alias for this call alone.
async fn invoke_qualified(aws: &Aws, qualifier: Option<&str>) -> Result<Accepted, CallError> {
    let payload = br#"{"task_key":"k"}"#.as_slice().into();
    aws.invoke(InvokeRequest { route: 0, qualifier: qualifier.map(Into::into), payload }).await
}

/// The whole check: the function of the first route, then the queues. Warnings of both.
async fn check(aws: &Aws) -> Result<Vec<String>, CallError> {
    let mut warnings = aws.check_function(0).await?;
    warnings.extend(aws.check_queues().await?);
    Ok(warnings)
}

fn accepted() -> Answer {
    Answer::Reply(202, vec![("x-amzn-requestid", "0001".into())], String::new())
}

/// An error as Lambda writes it.
fn lambda_error(status: u16, code: &str) -> Answer {
    Answer::Reply(
        status,
        vec![("x-amzn-errortype", code.to_owned()), ("x-amzn-requestid", "0002".into())],
        r#"{"Type":"User","message":"the message of AWS"}"#.into(),
    )
}

/// An error as SQS writes it.
fn sqs_error(status: u16, code: &str) -> Answer {
    Answer::Reply(
        status,
        vec![("content-type", "application/x-amz-json-1.0".into())],
        format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"the message of AWS"}}"#),
    )
}
