//! The ports through the real SDK, against a server on the loopback that answers as AWS does, or worse.

mod connections;
mod fake_server;
mod health;
mod identity;
mod messages;
mod sorting;

use super::*;
use crate::executor::ports::{Accepted, InvokeRequest, Lambda};
use fake_server::{Answer, FakeServer};

pub(super) const RESULTS: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/results";
pub(super) const DEAD: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead";

/// One function, two queues, given keys.
fn settings(server: &FakeServer) -> Settings {
    Settings {
        functions: vec![Function { name: "run".into(), qualifier: None }],
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
        ca_bundle: None,
        connect_timeout: Duration::from_secs(3),
        invoke_timeout: Duration::from_secs(10),
    }
}

fn aws(server: &FakeServer) -> Aws {
    Aws::new(settings(server))
}

async fn invoke(aws: &Aws) -> Result<Accepted, CallError> {
    aws.invoke(InvokeRequest { route: 0, qualifier: None, payload: br#"{"task_key":"k"}"#.as_slice().into() }).await
}

fn accepted() -> Answer {
    Answer::Reply(202, vec![("x-amzn-requestid", "0001".into())], String::new())
}

/// An error as Lambda writes it.
fn lambda_error(status: u16, code: &str) -> Answer {
    Answer::Reply(
        status,
        vec![("x-amzn-errortype", code.to_owned())],
        r#"{"Type":"User","message":"as told by AWS"}"#.into(),
    )
}

/// An error as SQS writes it.
fn sqs_error(status: u16, code: &str) -> Answer {
    Answer::Reply(
        status,
        vec![("content-type", "application/x-amz-json-1.0".into())],
        format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"as told by AWS"}}"#),
    )
}
