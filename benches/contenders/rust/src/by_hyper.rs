//! hyper with `aws-sigv4`: nothing between the loop and a connection.

use crate::Job;
use crate::client::{Client, Message, Result};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::borrow::Cow;
use std::time::SystemTime;
use tokio::net::TcpStream;

pub struct Hyper {
    host: String,
    region: String,
    identity: Identity,
    invoke: String,
    receive: Bytes,
    queue_url: String,
}

/// A connection, once there is one.
pub struct Lane(Option<SendRequest<Full<Bytes>>>);

#[derive(Deserialize)]
struct Received<'a> {
    #[serde(rename = "Messages", borrow, default)]
    messages: Vec<ReceivedMessage<'a>>,
}

#[derive(Deserialize)]
struct ReceivedMessage<'a> {
    #[serde(rename = "Body", borrow)]
    body: Cow<'a, str>,
    #[serde(rename = "ReceiptHandle", borrow)]
    receipt: Cow<'a, str>,
}

impl Hyper {
    pub fn new(job: &Job) -> Result<Self> {
        let receive = serde_json::json!({
            "QueueUrl": job.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20,
        });
        Ok(Self {
            host: job.endpoint_url.strip_prefix("http://").ok_or("the endpoint is not http")?.to_owned(),
            region: job.region.clone(),
            identity: Credentials::new(&job.access_key_id, &job.secret_access_key, None, None, "bench").into(),
            invoke: format!("/2015-03-31/functions/{}/invocations", job.function_name),
            receive: receive.to_string().into(),
            queue_url: job.queue_url.clone(),
        })
    }

    async fn call(
        &self,
        lane: &mut Lane,
        service: &str,
        path: &str,
        headers: [(&'static str, &str); 2],
        body: Bytes,
    ) -> Result<Bytes> {
        let mut request = Request::post(path).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Full::new(body.clone()))?;
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let url = format!("http://{}{path}", self.host);
        let signed = headers.into_iter().chain([("host", self.host.as_str())]);
        let signable = SignableRequest::new("POST", &url, signed, SignableBody::Bytes(&body))?;
        sign(signable, &params)?.into_parts().0.apply_to_request_http1x(&mut request);
        // What is signed is the whole URL; what is sent is its path.
        *request.uri_mut() = path.parse()?;
        let sender = match lane.0.take() {
            Some(sender) => lane.0.insert(sender),
            None => lane.0.insert(self.connect().await?),
        };
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        match status.is_success() {
            true => Ok(body),
            false => Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into()),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::task::spawn_local(connection);
        Ok(sender)
    }

    async fn sqs(&self, lane: &mut Lane, target: &str, body: Bytes) -> Result<Bytes> {
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
        self.call(lane, "sqs", "/", headers, body).await
    }
}

impl Client for Hyper {
    type Lane = Lane;

    fn lane(&self) -> Lane {
        Lane(None)
    }

    async fn invoke(&self, lane: &mut Lane, event: Vec<u8>) -> Result<()> {
        let headers = [("content-type", "application/octet-stream"), ("x-amz-invocation-type", "Event")];
        self.call(lane, "lambda", &self.invoke, headers, event.into()).await.map(|_| ())
    }

    async fn receive(&self, lane: &mut Lane) -> Result<Vec<Message>> {
        let answer = self.sqs(lane, "AmazonSQS.ReceiveMessage", self.receive.clone()).await?;
        let received: Received<'_> = serde_json::from_slice(&answer)?;
        let message = |one: ReceivedMessage<'_>| Message { body: one.body.into(), receipt: one.receipt.into() };
        Ok(received.messages.into_iter().map(message).collect())
    }

    async fn delete(&self, lane: &mut Lane, receipts: &[String]) -> Result<()> {
        let entry = |(at, receipt)| serde_json::json!({"Id": usize::to_string(&at), "ReceiptHandle": receipt});
        let entries: Vec<_> = receipts.iter().enumerate().map(entry).collect();
        let body = serde_json::json!({"QueueUrl": self.queue_url, "Entries": entries}).to_string();
        self.sqs(lane, "AmazonSQS.DeleteMessageBatch", body.into()).await.map(|_| ())
    }
}
