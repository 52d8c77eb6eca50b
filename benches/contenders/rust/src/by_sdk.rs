//! AWS's own SDK, with its defaults.

use crate::Job;
use crate::client::{Client, Message, Result};
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;

pub struct Sdk {
    lambda: aws_sdk_lambda::Client,
    sqs: aws_sdk_sqs::Client,
    function_name: String,
    queue_url: String,
}

impl Sdk {
    pub fn new(job: &Job) -> Self {
        let credentials = Credentials::new(&job.access_key_id, &job.secret_access_key, None, None, "bench");
        let http = aws_smithy_http_client::Builder::new().build_http();
        let lambda = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(job.region.clone()))
            .endpoint_url(&job.endpoint_url)
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .build();
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(job.region.clone()))
            .endpoint_url(&job.endpoint_url)
            .credentials_provider(credentials)
            .http_client(http)
            .build();
        Self {
            lambda: aws_sdk_lambda::Client::from_conf(lambda),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            function_name: job.function_name.clone(),
            queue_url: job.queue_url.clone(),
        }
    }
}

impl Client for Sdk {
    /// The SDK has a pool.
    type Lane = ();

    fn lane(&self) {}

    async fn invoke(&self, (): &mut (), event: Vec<u8>) -> Result<()> {
        let call = self.lambda.invoke().function_name(&self.function_name).invocation_type(InvocationType::Event);
        call.payload(Blob::new(event)).send().await?;
        Ok(())
    }

    async fn receive(&self, (): &mut ()) -> Result<Vec<Message>> {
        let call = self.sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
        let answer = call.wait_time_seconds(20).send().await?;
        let message = |one: aws_sdk_sqs::types::Message| Message {
            body: one.body.unwrap_or_default(),
            receipt: one.receipt_handle.unwrap_or_default(),
        };
        Ok(answer.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    async fn delete(&self, (): &mut (), receipts: &[String]) -> Result<()> {
        let mut call = self.sqs.delete_message_batch().queue_url(&self.queue_url);
        for (at, receipt) in receipts.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(receipt);
            call = call.entries(entry.build()?);
        }
        call.send().await?;
        Ok(())
    }
}
