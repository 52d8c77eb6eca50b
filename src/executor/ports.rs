//! What the executor needs from the world: a Lambda, queues and a clock. `aws/` implements the first two with the
//! SDK, tests with scripts.

pub use super::machine::{AcceptedTask, Lsn, Record, TaskName};
use std::future::Future;
use std::sync::Arc;

/// A reading of both clocks: `mono_ms` for durations (never goes back), `unix_ms` for people and for comparing with
/// the times in messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Now {
    /// Milliseconds since some start.
    pub mono_ms: u64,
    /// Milliseconds since 1970.
    pub unix_ms: i64,
}

/// Index of a route (function and qualifier) in [`super::Settings::routes`].
pub type RouteId = usize;

/// Index of a queue in [`super::Settings::queues`].
pub type QueueId = usize;

/// One asynchronous invocation.
#[derive(Clone, Debug)]
pub struct InvokeRequest {
    /// Which function.
    pub route: RouteId,
    /// Version or alias for this call alone; `None` is the route's.
    pub qualifier: Option<Arc<str>>,
    /// The event.
    pub payload: Arc<[u8]>,
}

/// Lambda's 202.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// Lambda's id of the event; empty if the answer had none.
    pub request_id: String,
}

/// Whose fault a failed call is; `aws/error_codes.rs` assigns it by error code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// This event (or batch entry): another one would be accepted. The task fails at once.
    Event,
    /// The function or queue: missing, not ready, or not permitted. Every other event would fail the same way.
    Route,
    /// The service, or the way to it: a 5xx, a connection that failed, no answer in time.
    Service,
    /// The account's limits: slow down.
    Account,
    /// Our credentials: missing, expired, or rejected.
    Identity,
}

/// Whether AWS may have seen a call that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// Never sent: no connection could be made.
    No,
    /// Sent and answered with an error, so it was not carried out.
    Rejected,
    /// Sent, and the answer was lost: AWS may have carried it out.
    Maybe,
}

/// A failed call.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CallError {
    /// Whose fault it is.
    pub fault: Fault,
    /// Whether AWS may have carried the call out all the same.
    pub sent: Sent,
    /// AWS's error code, or a short name of our own for what never reached AWS, such as `ConnectionFailed`.
    pub code: String,
    /// AWS's message, or what happened.
    pub message: String,
    /// AWS's id of the failed request, empty where there was no answer.
    pub request_id: String,
    /// `Retry-After`, in ms.
    pub retry_after_ms: Option<u64>,
}

impl CallError {
    /// One error of many: the kind of what is least likely to pass by itself, and every sentence.
    pub fn worst_of(mut failures: Vec<Self>) -> Option<Self> {
        let messages: Vec<String> = failures.iter().map(|failure| failure.message.clone()).collect();
        failures.sort_by_key(|failure| match failure.fault {
            Fault::Identity => 0,
            Fault::Event | Fault::Route => 1,
            Fault::Service => 2,
            Fault::Account => 3,
        });
        let worst = failures.into_iter().next()?;
        Some(Self { message: messages.join("; "), ..worst })
    }
}

/// One message, as received.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Stays the same when the message comes back.
    pub message_id: String,
    /// Another one each time.
    pub receipt: String,
    /// The text.
    pub body: String,
    /// `ApproximateReceiveCount`, this receive included.
    pub receive_count: u32,
    /// `SentTimestamp`, by the queue's clock; 0 if missing.
    pub sent_at_ms: i64,
    /// `ApproximateFirstReceiveTimestamp`, by the queue's clock; 0 if missing.
    pub first_received_at_ms: i64,
    /// Message attribute `RequestID` of a dead letter.
    pub dead_request_id: Option<String>,
    /// Message attribute `ErrorCode` of a dead letter.
    pub dead_error_code: Option<String>,
    /// Message attribute `ErrorMessage` of a dead letter.
    pub dead_error_message: Option<String>,
}

/// Receive from one queue.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveRequest {
    /// Which queue.
    pub queue: QueueId,
    /// 1 to 10.
    pub max_messages: u32,
    /// Long poll, 0 to 20 s.
    pub wait_s: u32,
    /// How long the messages stay hidden from others.
    pub visibility_s: u32,
}

/// What became of one entry of a batch call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EntryOutcome {
    /// Done.
    Done,
    /// Not done, worth another try.
    Retry {
        /// Why, for the log.
        code: String,
    },
    /// Cannot be done any more (the receipt is too old, the message is not in flight): forget it.
    Gone {
        /// Why, for the log.
        code: String,
    },
}

/// Asynchronous invocation of functions.
pub trait Lambda: Send + Sync + 'static {
    /// Invokes with `InvocationType: Event`, once. A connection that the peer closed while it was idle is no answer:
    /// then the event is sent again on a new connection before this returns.
    fn invoke(&self, request: InvokeRequest) -> impl Future<Output = Result<Accepted, CallError>> + Send;
    /// Invokes with `InvocationType: DryRun`, which checks that the function exists and may be invoked, and runs nothing.
    fn probe(&self, route: RouteId) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// SQS, as far as results and dead letters need it. Batches have at most 10 entries; answers are in the order asked.
pub trait Queues: Send + Sync + 'static {
    /// Receives up to ten messages.
    fn receive(&self, request: ReceiveRequest) -> impl Future<Output = Result<Vec<Message>, CallError>> + Send;
    /// Deletes by receipt.
    fn delete(
        &self,
        queue: QueueId,
        receipts: Vec<String>,
    ) -> impl Future<Output = Result<Vec<EntryOutcome>, CallError>> + Send;
    /// Hides messages for so many seconds from now (0 releases them), by receipt.
    fn change_visibility(
        &self,
        queue: QueueId,
        entries: Vec<(String, u32)>,
    ) -> impl Future<Output = Result<Vec<EntryOutcome>, CallError>> + Send;
}

/// The checks of what the configuration names. Each success returns warnings: a sentence for everything that works and
/// still does not fit.
pub trait Health: Send + Sync + 'static {
    /// Whether the function of a route exists, is ready, and is the one that was meant. Without permission for
    /// GetFunction it asks with a dry run, so that a missing permission to look does not stop what may run.
    fn check_function(&self, route: RouteId) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
    /// Whether all queues exist and may be read. The error names every queue that cannot.
    fn check_queues(&self) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
}

/// Time.
pub trait Clock: Send + Sync + 'static {
    /// Both clocks, now.
    fn now(&self) -> Now;
    /// Returns when `mono_ms` has been reached.
    fn sleep_until(&self, mono_ms: u64) -> impl Future<Output = ()> + Send;
}

/// Where records are made durable. Called under the executor's lock: it must not wait.
pub trait Storage: Send + Sync + 'static {
    /// Takes records. Returns the position of the last.
    fn append(&self, records: Vec<Record>) -> Lsn;
    /// Everything up to this position survives a crash.
    fn durable(&self) -> Lsn;
}

/// Called under the executor's lock when what the host waits for begins or ends.
pub trait Readiness: Send + Sync + 'static {
    /// Events that have not been handed out are waiting, or none are any more.
    fn events_waiting(&self, yes: bool);
    /// A task that was watched ([`super::Executor::watch`]) has ended.
    fn watched_task_ended(&self);
    /// A drain has nothing left to wait for.
    fn drained(&self);
    /// A drain cannot go on before the host takes and acknowledges events, or it can again.
    fn drain_blocked(&self, yes: bool);
    /// The driver has panicked: every wait must end.
    fn broken(&self);
}
