//! Events, as C structs.

use super::state::{lambda_executor_reason_t, lambda_executor_task_state_t, reason_number, state_number};
use super::strings::lambda_executor_str_t;
use crate::executor::HandedOut;

/// One change of a task. Valid as long as its batch. Times are Unix time in ms, 0 where not known.
///
/// Which fields go together, by reason:
///
///   reason            state      return_code   signal  times of the run  output, value
///   NONE              RUNNING    no            0       no                no
///   EXIT              SUCCEEDED  0             0       yes               yes
///   EXIT              FAILED     1 to 255      0       yes               yes
///   SIGNAL            FAILED     -signal       n       yes               yes
///   TIMEOUT           FAILED     124           n or 0  yes               yes
///   SETUP_FAILED      FAILED     126 or 127    0       perhaps           perhaps
///   VALUE_TOO_LARGE   FAILED     1             0       yes               output only
///   BAD_EVENT         FAILED     perhaps       0       no                no
///   REPLY_TO_REFUSED  FAILED     no            0       no                no
///   BAD_RESULT        FAILED     no            0       no                no
///   DEAD_LETTER       FAILED     no            0       no                no
///   INVOKE_FAILED     FAILED     no            0       no                no
///   EXPIRED           FAILED     no            0       no                no
///   NEVER_INVOKED     CANCELLED  no            0       no                no
///   ABANDONED         CANCELLED  no            0       no                no
///   LOST              LOST       no            0       no                no
///
/// A function other than this library's reports a return code and at most a message.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_event_t {
    /// Number of the event: starts at 1 in each executor and increases without gaps in the order of
    /// the first hand-out. An event that is handed out again keeps it.
    pub seq: u64,
    /// The tag of the task.
    pub tag: u64,
    /// The key of the task.
    pub key: lambda_executor_str_t,
    /// RUNNING or a final state.
    pub state: lambda_executor_task_state_t,
    /// Why the task ended; NONE with RUNNING.
    pub reason: lambda_executor_reason_t,
    /// 1 if return_code is known.
    pub has_return_code: i32,
    /// Exit status of the command; -n if signal n ended it, 126 or 127 if it could not be started,
    /// 124 after its time limit.
    pub return_code: i32,
    /// Signal that ended the command, also after its time limit; else 0.
    pub signal: i32,
    /// Attempts to invoke that counted: accepted or failed. Throttling and outages use none.
    pub attempts: u32,
    /// When `queue` accepted the task.
    pub queued_at_ms: i64,
    /// When Lambda accepted it; 0 if the result arrived before that answer, or the answer was lost.
    pub submitted_at_ms: i64,
    /// When the command started, by the clock of the function, which may differ from this machine's.
    pub started_at_ms: i64,
    /// When the command ended, by the clock of the function; if it did not run, when the executor
    /// ended the task.
    pub finished_at_ms: i64,
    /// What happened, for people. May be empty. Shorter than LAMBDA_EXECUTOR_MAX_TEXT_BYTES.
    pub message: lambda_executor_str_t,
    /// Last part of the command's output, UTF-8, as much as the function's variable
    /// LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES allows (4096 by default).
    pub output_tail: lambda_executor_str_t,
    /// What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE: at most
    /// LAMBDA_EXECUTOR_MAX_VALUE_BYTES bytes, not always UTF-8.
    pub value: lambda_executor_str_t,
    /// Lambda's id of the request, if known.
    pub request_id: lambda_executor_str_t,
    /// CloudWatch log stream of the run, if known.
    pub log_stream: lambda_executor_str_t,
    /// Which submission of the key this is, a UUID: the same in all events of a task, another one
    /// when its key is queued again. Empty for a task adopted without one.
    pub attempt_id: lambda_executor_str_t,
    /// Length in bytes of all that the command wrote; 0 if not known.
    pub output_length: u64,
    /// 1 if output_tail is less than all of the output.
    pub output_truncated: i32,
    /// 1 if the command wrote a result file that could not be sent: more than
    /// LAMBDA_EXECUTOR_MAX_VALUE_BYTES, or not readable. Such a task is never SUCCEEDED.
    pub value_dropped: i32,
}

/// Longest value, by our function.
pub const LAMBDA_EXECUTOR_MAX_VALUE_BYTES: u32 = 180_000;
/// Longest output_tail, by our function.
pub const LAMBDA_EXECUTOR_MAX_OUTPUT_TAIL_BYTES: u32 = 65_536;
/// All texts together: a message of SQS.
pub const LAMBDA_EXECUTOR_MAX_TEXT_BYTES: u32 = 1_048_576;

/// An event as it lies in a batch. With the feature of the tests it has grown at its end, as it may
/// in a later version, by bytes that no caller of today knows.
#[repr(C)]
pub(super) struct LaidOut {
    pub(super) event: lambda_executor_event_t,
    #[cfg(feature = "panic-injection")]
    of_a_later_version: [u64; 3],
}

/// Strings in C's form: in one block, each with a NUL after it.
struct Strings {
    block: Vec<u8>,
}

impl Strings {
    fn add(&mut self, bytes: &[u8]) -> lambda_executor_str_t {
        // SAFETY: the block has room for all strings from the start, so it never moves, and the end of what is in it
        // is within the allocation.
        let ptr = unsafe { self.block.as_ptr().add(self.block.len()) };
        self.block.extend_from_slice(bytes);
        self.block.push(0);
        lambda_executor_str_t { ptr: ptr.cast(), len: bytes.len() }
    }
}

/// The structs, and the block that their strings point into.
pub(super) fn lay_out(events: &[HandedOut]) -> (Vec<LaidOut>, Vec<u8>) {
    let mut strings = Strings { block: Vec::with_capacity(events.iter().map(room).sum()) };
    let capacity = strings.block.capacity();
    let laid_out = events
        .iter()
        .map(|HandedOut { seq, event }| lambda_executor_event_t {
            seq: *seq,
            tag: event.tag,
            key: strings.add(event.key.as_bytes()),
            state: state_number(event.state),
            reason: reason_number(event.reason),
            has_return_code: i32::from(event.return_code.is_some()),
            return_code: event.return_code.unwrap_or_default(),
            signal: event.signal,
            attempts: event.attempts,
            queued_at_ms: event.queued_at_ms,
            submitted_at_ms: event.submitted_at_ms,
            started_at_ms: event.started_at_ms,
            finished_at_ms: event.finished_at_ms,
            message: strings.add(event.message.as_bytes()),
            output_tail: strings.add(event.output_tail.as_bytes()),
            value: strings.add(&event.value),
            request_id: strings.add(event.request_id.as_bytes()),
            log_stream: strings.add(event.log_stream.as_bytes()),
            attempt_id: match event.attempt_id {
                Some(id) => strings.add(id.text().as_str().as_bytes()),
                None => strings.add(b""),
            },
            output_length: event.output_length,
            output_truncated: i32::from(event.output_truncated),
            value_dropped: i32::from(event.value_dropped),
        })
        .map(|event| LaidOut {
            event,
            #[cfg(feature = "panic-injection")]
            of_a_later_version: [u64::MAX; 3],
        })
        .collect();
    assert_eq!(capacity, strings.block.capacity(), "the block of strings moved");
    (laid_out, strings.block)
}

/// Bytes of all strings of an event, NULs included.
fn room(event: &HandedOut) -> usize {
    const STRINGS: usize = 7;
    /// Of a UUID as text.
    const UUID: usize = 36;
    let event = &event.event;
    event.key.len()
        + event.message.len()
        + event.output_tail.len()
        + event.value.len()
        + event.request_id.len()
        + event.log_stream.len()
        + event.attempt_id.map_or(0, |_| UUID)
        + STRINGS
}
