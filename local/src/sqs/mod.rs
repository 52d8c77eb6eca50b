//! A local SQS: queues in memory behind the AWS JSON protocol, with SQS's rules, limits and errors.
//!
//! The parts, from the inside out: `queue` is one queue without clock or I/O (with `lineup`, `fifo` and `dedup`
//! for the order of its messages); `live` puts it behind a lock and lets long polls wait; `protocol` reads requests
//! and writes answers; this file holds the queues by name.
//!
//! Not supported: permissions, tags, message move tasks, encryption (its attributes are stored and returned), and
//! `ReceiveRequestAttemptId` (accepted, without effect). A deleted queue's name can be used again at once.

mod attribute;
mod attributes;
mod dedup;
mod digest;
mod errors;
mod faults;
mod fifo;
mod lineup;
mod live;
mod message;
mod protocol;
mod queue;
mod receipt;
mod redrive;

pub use attribute::{AttributeValue, MessageAttribute};
pub use errors::{ErrorKind, SqsError};
pub use faults::MessageFaults;

use crate::clock::Clock;
use crate::random::Random;
use attributes::QueueAttributes;
use bytes::Bytes;
use faults::Fates;
use live::LiveQueue;
use message::Message;
use queue::Queue;
use redrive::RedrivePolicy;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The location of the queues.
#[derive(Clone, Debug)]
pub struct SqsSettings {
    /// Start of each queue's URL: `http://127.0.0.1:PORT`.
    pub base_url: String,
    /// Twelve digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
    /// Faults at start.
    pub message_faults: MessageFaults,
}

/// URL and ARN of one queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueAddress {
    /// Used in requests.
    pub url: String,
    /// Used in policies and destinations.
    pub arn: String,
}

/// An answer of the AWS JSON protocol, for the HTTP server to send.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Without `Content-Length` and the request id.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Bytes,
}

/// The service. Clones share it.
#[derive(Clone, Debug)]
pub struct Sqs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: SqsSettings,
    clock: Arc<Clock>,
    random: Random,
    fates: RwLock<Fates>,
    /// By name, in the order of `ListQueues`. This lock and the lock of a queue are never held together.
    queues: RwLock<BTreeMap<String, Arc<LiveQueue>>>,
}

impl Sqs {
    /// A service without queues.
    pub fn new(settings: SqsSettings) -> Self {
        let clock = Arc::new(Clock::new());
        Self(Arc::new(Inner {
            // Ids must be unique, but not secret.
            random: Random::from_kernel().unwrap_or_else(|_| Random::seeded(clock.now())),
            clock,
            fates: RwLock::new(Fates::new(settings.message_faults)),
            queues: RwLock::default(),
            settings,
        }))
    }

    /// Answers one request, errors included. `operation` is the text after `AmazonSQS.` in `X-Amz-Target`. Dropping the
    /// future while it waits for messages ends the poll and takes none. On AWS a poll continues without its client, so
    /// the HTTP server does not drop it then.
    pub async fn call(&self, operation: &str, body: &[u8]) -> Reply {
        protocol::answer(self, operation, body).await
    }

    /// Sets the faults of all messages sent from now on.
    pub fn set_message_faults(&self, faults: MessageFaults) {
        *self.0.fates.write().unwrap_or_else(PoisonError::into_inner) = Fates::new(faults);
    }

    /// Creates a queue. For FIFO the name ends in `.fifo` and the attribute `FifoQueue` is `true`. An existing queue
    /// remains unchanged, and must have these attributes.
    pub fn create_queue(&self, name: &str, attributes: &[(&str, &str)]) -> Result<QueueAddress, SqsError> {
        let queue = self.create(name, attributes)?;
        Ok(QueueAddress { url: queue.url.clone(), arn: queue.arn.to_string() })
    }

    /// Sends a message from inside this process to a queue, named by URL or ARN. The same rules apply.
    pub fn deliver(&self, arn_or_url: &str, body: String, attributes: Vec<MessageAttribute>) -> Result<(), SqsError> {
        let queue = match arn_or_url.strip_prefix("arn:") {
            Some(_) => self.by_arn(arn_or_url).ok_or_else(SqsError::no_such_queue)?,
            None => self.by_url(arn_or_url)?,
        };
        let letter = protocol::Letter::new(body, attributes);
        protocol::send(self, &queue, letter).map(|_| ())
    }

    /// Checks that dead letters can be sent to the queue with this ARN. The error says why not.
    pub(crate) fn check_target(&self, arn: &str) -> Result<(), &'static str> {
        match self.by_arn(arn) {
            None => Err("there is no such queue in this server"),
            Some(queue) if queue.fifo => Err("it is a FIFO queue"),
            Some(_) => Ok(()),
        }
    }

    fn create(&self, name: &str, attributes: &[(&str, &str)]) -> Result<Arc<LiveQueue>, SqsError> {
        let fifo_wanted = attributes.iter().any(|(name, value)| *name == "FifoQueue" && *value == "true");
        check_name(name, fifo_wanted)?;
        let plain = QueueAttributes::new(name.ends_with(".fifo"));
        let wanted = plain.with(attributes.iter().copied(), true)?;
        if let Some(policy) = &wanted.redrive {
            self.check_redrive(policy, wanted.fifo)?;
        }
        if let Some(existing) = self.by_name(name) {
            let same = existing.with(|queue, _| {
                let current = queue.attributes();
                attributes
                    .iter()
                    .find(|change| current.with([**change], true).as_ref() != Ok(current))
                    .map_or(Ok(()), |(attribute, _)| Err((*attribute).to_owned()))
            });
            return match same {
                Ok(()) => Ok(existing),
                Err(attribute) => Err(SqsError::new(
                    ErrorKind::QueueNameExists,
                    format!(
                        "A queue already exists with the same name and a different value for attribute {attribute}"
                    ),
                )),
            };
        }
        let settings = &self.0.settings;
        let arn: Arc<str> = format!("arn:aws:sqs:{}:{}:{name}", settings.region, settings.account).into();
        let url = format!("{}/{}/{name}", settings.base_url, settings.account);
        let (clock, random) = (Arc::clone(&self.0.clock), &self.0.random);
        let queue = Queue::new(clock.now(), random.next(), Arc::clone(&arn), wanted);
        let live = Arc::new(LiveQueue::new(name.to_owned(), url, arn, clock, random.next(), queue));
        let mut queues = self.0.queues.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(queues.entry(name.to_owned()).or_insert(live)))
    }

    fn remove(&self, name: &str) {
        self.0.queues.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn by_name(&self, name: &str) -> Option<Arc<LiveQueue>> {
        self.0.queues.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The queues whose names begin with `prefix`, from `after` (exclusive) on.
    fn by_prefix(&self, prefix: &str, after: &str, max: usize) -> Vec<Arc<LiveQueue>> {
        let queues = self.0.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues
            .range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, queue)| Arc::clone(queue))
            .take(max)
            .collect()
    }

    fn by_arn(&self, arn: &str) -> Option<Arc<LiveQueue>> {
        self.by_name(arn.rsplit(':').next()?).filter(|queue| &*queue.arn == arn)
    }

    /// Uses only account and name of a URL: clients may reach a server under many host names.
    fn by_url(&self, url: &str) -> Result<Arc<LiveQueue>, SqsError> {
        let invalid =
            || SqsError::new(ErrorKind::InvalidAddress, format!("The address {url} is not valid for this endpoint."));
        let (_, rest) = url.split_once("://").ok_or_else(invalid)?;
        let mut parts = rest.trim_end_matches('/').rsplitn(3, '/');
        let (Some(name), Some(account), Some(_host)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(invalid());
        };
        if account != self.0.settings.account {
            return Err(SqsError::no_such_queue());
        }
        self.by_name(name).ok_or_else(SqsError::no_such_queue)
    }

    /// The dead letter queue of a policy, if it exists.
    fn dead_letter_queue(&self, policy: &RedrivePolicy) -> Option<Arc<LiveQueue>> {
        self.by_arn(&policy.target_arn)
    }

    fn check_redrive(&self, policy: &RedrivePolicy, fifo: bool) -> Result<(), SqsError> {
        let refuse = |reason| Err(SqsError::value(policy.render(), "RedrivePolicy", reason));
        match self.dead_letter_queue(policy) {
            None => refuse("Dead letter target does not exist."),
            Some(target) if target.fifo != fifo => {
                refuse("Dead-letter queue must be same type of queue as the source.")
            }
            Some(_) => Ok(()),
        }
    }

    /// Puts a checked message into a queue, subject to the faults.
    fn put(
        &self,
        queue: &LiveQueue,
        message: Message,
        delay_ms: Option<u64>,
    ) -> (Arc<Message>, Option<dedup::Original>) {
        let message = Arc::new(message);
        let fate = if queue.fifo {
            faults::Fate { copies: 1, delay_ms: 0 }
        } else {
            self.0.fates.read().unwrap_or_else(PoisonError::into_inner).draw()
        };
        let original = queue.with(|queue, now| {
            let delay_ms = delay_ms.unwrap_or_else(|| u64::from(queue.attributes().delay) * 1_000) + fate.delay_ms;
            (0..fate.copies).filter_map(|_| queue.send(now, Arc::clone(&message), delay_ms)).last()
        });
        (message, original)
    }
}

fn check_name(name: &str, fifo_wanted: bool) -> Result<(), SqsError> {
    let stem = if fifo_wanted { name.strip_suffix(".fifo") } else { Some(name) };
    let plain = |stem: &str| {
        !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() <= 80 && stem.is_some_and(plain) {
        return Ok(());
    }
    Err(SqsError::parameter(if fifo_wanted {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo \
         suffix and be 1 to 80 in length."
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    }))
}
