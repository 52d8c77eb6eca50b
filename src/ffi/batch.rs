//! Batches of events: one allocation for the structs, one for their strings.

use super::event::{LaidOut, lambda_executor_event_t, lay_out};
use super::failure::Failure;
use super::guard;
use super::handle::lambda_executor_t;
use super::out::Out;
use crate::executor::HandedOut;
use crate::runtime::fork;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};

/// Events with their strings. Belongs to the caller that received it, valid until it is freed, also
/// after its executor. Several threads may read it at once.
pub struct lambda_executor_batch_t {
    events: Vec<LaidOut>,
    /// What the strings of `events` point into; never changed.
    _strings: Vec<u8>,
    /// For the executor, which hands them out again if the batch is freed unacknowledged.
    handed_out: Vec<HandedOut>,
    acknowledged: AtomicBool,
    handle: Weak<lambda_executor_t>,
    born: fork::ForkGeneration,
}

impl lambda_executor_batch_t {
    pub(super) fn new(handed_out: Vec<HandedOut>, handle: &lambda_executor_t) -> Self {
        let (events, strings) = lay_out(&handed_out);
        Self {
            events,
            _strings: strings,
            handed_out,
            acknowledged: AtomicBool::new(false),
            handle: handle.this.clone(),
            born: handle.born,
        }
    }

    /// Acknowledges all events; the second time does nothing.
    pub(super) fn acknowledge(&self) -> Result<(), Failure> {
        // In a forked child the locks of the executor may be held by threads that do not exist there.
        if !self.born.is_current() {
            return Err(Failure::Forked { parent: self.born.pid() });
        }
        let Some(handle) = self.handle.upgrade() else {
            return Err(Failure::Closed("the executor has been freed, and has released the results of these events"));
        };
        guard::breaking(&handle, || {
            handle.not_broken()?;
            #[cfg(feature = "panic-injection")]
            super::panic_injection::panic_if_armed();
            if !self.acknowledged.swap(true, Ordering::AcqRel) {
                let seqs: Vec<u64> = self.handed_out.iter().map(|event| event.seq).collect();
                handle.executor.acknowledge(&seqs);
            }
            Ok(())
        })
    }

    /// Returns events that were not acknowledged to the executor, if it still is one.
    fn hand_back(self) {
        if self.acknowledged.load(Ordering::Acquire) || !self.born.is_current() {
            return;
        }
        let Some(handle) = self.handle.upgrade() else { return };
        // A panic breaks the handle, and its status is that of the next call.
        let _ = guard::breaking(&handle, || {
            handle.not_broken()?;
            #[cfg(feature = "panic-injection")]
            super::panic_injection::panic_if_armed();
            handle.executor.hand_out_again(self.handed_out);
            Ok(())
        });
    }
}

/// Returns the number of events in a batch. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_batch_len(batch: *const lambda_executor_batch_t) -> usize {
    guard::plain(0, || {
        // SAFETY: NULL or a batch that has not been freed, by the header's rules.
        unsafe { batch.as_ref() }.map_or(0, |batch| batch.events.len())
    })
}

/// Returns the event at an index, valid as long as the batch. NULL if there is none.
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

/// Returns all events of a batch as an array, for language bindings: the first event, with their
/// number and the distance from one to the next in bytes, which is more than
/// sizeof(lambda_executor_event_t) if the library is newer than the header. Valid as long as the
/// batch. NULL for a batch of NULL.
///
/// n, stride: set to the number and the distance. May be NULL.
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

/// Frees a batch with its events and strings. NULL is allowed. Does not acknowledge: the next
/// lambda_executor_sync hands out again, with the same seq, those of its events that have not been
/// acknowledged. If the executor has been freed or closed, their results return to their queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_batch_free(batch: *mut lambda_executor_batch_t) {
    guard::plain((), || {
        if !batch.is_null() {
            // SAFETY: handed out by Box::into_raw only, and freed once by the header's rules.
            unsafe { Box::from_raw(batch) }.hand_back();
        }
    });
}
