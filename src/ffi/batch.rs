//! Events as handed out: one allocation for the structs, one for their strings.

use super::guard;
use super::handle::lambda_executor_t;
use super::names;
use super::out::Out;
use super::types::{lambda_executor_event_t, lambda_executor_str_t};
use crate::executor::{Executor, HandedOut};
use crate::runtime::fork;
use std::sync::Weak;

/// An event as it lies in the batch. With the tests' feature it has grown at its end, as it may in a later version, by
/// something that no caller of today knows.
#[repr(C)]
struct LaidOut {
    event: lambda_executor_event_t,
    #[cfg(feature = "panic-injection")]
    of_a_later_version: [u64; 3],
}

/// Some events with their strings. Belongs to whoever got it; lives until it is freed, whatever becomes of the executor.
pub struct lambda_executor_batch_t {
    events: Vec<LaidOut>,
    /// What the strings of `events` point into; never touched after that.
    _strings: Vec<u8>,
    acknowledges: Option<Weak<Executor>>,
    born: fork::ForkGeneration,
}

impl lambda_executor_batch_t {
    pub(super) fn new(events: Vec<HandedOut>, handle: &lambda_executor_t) -> Self {
        let acknowledges = handle.auto_ack.then(|| std::sync::Arc::downgrade(&handle.executor));
        let (events, strings) = lay_out(&events);
        Self { events, _strings: strings, acknowledges, born: handle.born }
    }
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

fn lay_out(events: &[HandedOut]) -> (Vec<LaidOut>, Vec<u8>) {
    let mut strings = Strings { block: Vec::with_capacity(events.iter().map(room).sum()) };
    let capacity = strings.block.capacity();
    let laid_out = events
        .iter()
        .map(|HandedOut { seq, event }| lambda_executor_event_t {
            seq: *seq,
            tag: event.tag,
            key: strings.add(event.key.as_bytes()),
            state: names::state_number(event.state),
            reason: names::reason_number(event.reason),
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
            attempt_id: strings.add(event.attempt_id.map(|id| id.to_string()).unwrap_or_default().as_bytes()),
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

/// Number of events in a batch. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_batch_len(batch: *const lambda_executor_batch_t) -> usize {
    guard::plain(0, || {
        // SAFETY: NULL or a batch that has not been freed, by the header's rules.
        unsafe { batch.as_ref() }.map_or(0, |batch| batch.events.len())
    })
}

/// The event at an index, valid as long as the batch. NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_batch_event(
    batch: *const lambda_executor_batch_t,
    index: usize,
) -> *const lambda_executor_event_t {
    guard::plain(std::ptr::null(), || {
        // SAFETY: as above.
        let event = unsafe { batch.as_ref() }.and_then(|batch| batch.events.get(index));
        event.map_or(std::ptr::null(), |laid_out| std::ptr::from_ref(&laid_out.event))
    })
}

/// All events of a batch as an array, for language bindings: the first one, their number, and the distance from one to
/// the next in bytes, which is more than sizeof(lambda_executor_event_t) where the library is newer than the header.
/// n and stride may be NULL. Valid as long as the batch; NULL for a batch of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_batch_events(
    batch: *const lambda_executor_batch_t,
    n: *mut usize,
    stride: *mut usize,
) -> *const lambda_executor_event_t {
    // SAFETY: `n` and `stride` are NULL or writable, by the header's rules.
    let (n, stride) = unsafe { (Out::optional(n, 0), Out::optional(stride, 0)) };
    guard::plain(std::ptr::null(), || {
        // SAFETY: as above.
        let Some(batch) = (unsafe { batch.as_ref() }) else { return std::ptr::null() };
        n.set(batch.events.len());
        stride.set(size_of::<LaidOut>());
        // The event is its first member.
        batch.events.as_ptr().cast()
    })
}

/// Frees a batch with its events and strings; NULL is fine. With option ack "auto", the default, this also acknowledges
/// its events: freeing a batch says "I am done with these", and their results leave the queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_batch_free(batch: *mut lambda_executor_batch_t) {
    guard::plain((), || {
        if batch.is_null() {
            return;
        }
        // SAFETY: handed out by Box::into_raw only, and freed once by the header's rules.
        let batch = unsafe { Box::from_raw(batch) };
        // In a forked child the locks of the executor may be held by threads that are not there.
        if !batch.born.is_current() {
            return;
        }
        if let Some(executor) = batch.acknowledges.as_ref().and_then(Weak::upgrade) {
            let seqs: Vec<u64> = batch.events.iter().map(|laid_out| laid_out.event.seq).collect();
            executor.acknowledge(&seqs);
        }
    });
}
