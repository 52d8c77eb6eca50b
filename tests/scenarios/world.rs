//! The local AWS for the executors, with a record of deliveries.

use lambda_executor::aws::{Aws, Settings};
use lambda_executor::config::{self, Config};
use lambda_executor::executor::ports::{
    Accepted, CallError, EntryOutcome, Fault, Health, InvokeRequest, Lambda, Message, QueueId, Queues, ReceiveRequest,
    RouteId, Sent,
};
use lambda_executor::runtime::environment::Environment;
use lambda_executor_local::{Options, Running};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Prefix of the keys of a scheduler that has ended.
pub(crate) const ORPHAN: &str = "orphan/";

/// Age of the orphans: longer than any task may run.
const LONG_AGO_MS: i64 = 7 * 3_600_000;

/// The local AWS.
pub(crate) struct World {
    pub(crate) local: Running,
    pub(crate) book: Arc<Book>,
    dead_letters_away: Arc<AtomicBool>,
}

/// Number of receives of each message, by any scheduler.
#[derive(Default)]
pub(crate) struct Book(Mutex<HashMap<String, Entry>>);

struct Entry {
    deliveries: u32,
    orphan: bool,
}

/// Deliveries of one kind of message.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    pub(crate) messages: usize,
    pub(crate) total: u64,
    pub(crate) worst: u32,
}

impl Deliveries {
    pub(crate) fn average(&self) -> f64 {
        self.total as f64 / self.messages.max(1) as f64
    }
}

impl Book {
    fn note(&self, message: &mut Message) {
        let orphan = message.body.contains(ORPHAN);
        if orphan {
            message.sent_at_ms -= LONG_AGO_MS;
        }
        let mut book = self.0.lock().unwrap();
        let entry = book.entry(message.message_id.clone()).or_insert(Entry { deliveries: 0, orphan });
        entry.deliveries += 1;
    }

    /// Deliveries so far, of results or of orphans.
    pub(crate) fn deliveries(&self, orphans: bool) -> Deliveries {
        let mut sum = Deliveries::default();
        for entry in self.0.lock().unwrap().values().filter(|entry| entry.orphan == orphans) {
            sum.messages += 1;
            sum.total += u64::from(entry.deliveries);
            sum.worst = sum.worst.max(entry.deliveries);
        }
        sum
    }
}

impl World {
    pub(crate) fn start(options: &Value) -> Self {
        let options = Options::from_json(&options.to_string()).unwrap();
        let local = lambda_executor_local::start(options).unwrap();
        Self { local, book: Arc::default(), dead_letters_away: Arc::default() }
    }

    /// The configuration for it, with `more` options.
    pub(crate) fn config(&self, more: &Value) -> Config {
        let local = &self.local;
        let mut options = json!({
            "function_name": local.function_name(),
            "queue_url": local.queue_url(),
            "dead_letter_queue_url": local.dead_letter_queue_url(),
            "endpoint_url": local.endpoint_url(),
            "region_name": local.region(),
            "credentials": {"access_key_id": local.access_key_id(), "secret_access_key": local.secret_access_key()},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            options[name] = value.clone();
        }
        config::read(Some(&options.to_string()), Environment::default()).unwrap()
    }

    /// The library's AWS, with a record of deliveries.
    pub(crate) fn aws(&self, settings: Settings) -> Watched {
        Watched {
            dead_letters: settings.queue_urls.len() - 1,
            aws: Aws::new(settings),
            book: Arc::clone(&self.book),
            dead_letters_away: Arc::clone(&self.dead_letters_away),
        }
    }

    /// Replaces the faults.
    pub(crate) fn set_faults(&self, faults: &Value) {
        self.admin("POST /_local/faults", &faults.to_string());
    }

    /// Counters of the local AWS.
    pub(crate) fn stats(&self) -> Value {
        serde_json::from_str(&self.admin("GET /_local/stats", "")).unwrap()
    }

    fn admin(&self, request: &str, body: &str) -> String {
        let address = self.local.endpoint_url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let (key, length) = (self.local.secret_access_key(), body.len());
        write!(
            stream,
            "{request} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Makes receives of the dead letter queue fail, or not.
    pub(crate) fn set_dead_letters_away(&self, away: bool) {
        self.dead_letters_away.store(away, Relaxed);
    }

    /// Creates another queue.
    pub(crate) async fn make_queue(&self, name: &str) -> String {
        use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
        use aws_smithy_http_client::Builder;
        use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
        let local = &self.local;
        let keys = Credentials::new(local.access_key_id(), local.secret_access_key(), None, None, "given");
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(local.region().to_owned()))
            .endpoint_url(local.endpoint_url())
            .credentials_provider(keys)
            .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https());
        let client = aws_sdk_sqs::Client::from_conf(config.build());
        client.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
    }
}

/// AWS with a record of deliveries.
pub(crate) struct Watched {
    pub(crate) aws: Aws,
    book: Arc<Book>,
    dead_letters: QueueId,
    dead_letters_away: Arc<AtomicBool>,
}

impl Lambda for Watched {
    async fn invoke(&self, request: InvokeRequest) -> Result<Accepted, CallError> {
        self.aws.invoke(request).await
    }

    async fn probe(&self, route: RouteId) -> Result<(), CallError> {
        self.aws.probe(route).await
    }
}

impl Queues for Watched {
    async fn receive(&self, request: ReceiveRequest) -> Result<Vec<Message>, CallError> {
        let call = self.aws.receive(request);
        tokio::pin!(call);
        let mut messages = loop {
            // Also ends a long poll in flight when its queue becomes unavailable.
            if request.queue == self.dead_letters && self.dead_letters_away.load(Relaxed) {
                let (code, message) = ("ServiceUnavailable".into(), "fault injected by the test".into());
                return Err(CallError {
                    fault: Fault::Service,
                    sent: Sent::No,
                    code,
                    message,
                    request_id: String::new(),
                    retry_after_ms: None,
                });
            }
            tokio::select! {
                answer = &mut call => break answer?,
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        };
        messages.iter_mut().for_each(|message| self.book.note(message));
        Ok(messages)
    }

    async fn delete(&self, queue: QueueId, receipts: Vec<String>) -> Result<Vec<EntryOutcome>, CallError> {
        self.aws.delete(queue, receipts).await
    }

    async fn change_visibility(
        &self,
        queue: QueueId,
        entries: Vec<(String, u32)>,
    ) -> Result<Vec<EntryOutcome>, CallError> {
        self.aws.change_visibility(queue, entries).await
    }
}

impl Health for Watched {
    async fn check_function(&self, route: RouteId) -> Result<Vec<String>, CallError> {
        self.aws.check_function(route).await
    }

    async fn check_queues(&self) -> Result<Vec<String>, CallError> {
        self.aws.check_queues().await
    }
}
