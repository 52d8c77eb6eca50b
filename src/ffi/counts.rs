//! How many tasks and events are where.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard;
use super::handle::lambda_executor_t;
use super::status::*;
use super::task::{MOST_SIZE, struct_size};
use crate::executor::Counts;
use std::mem::offset_of;

/// How many tasks and events are where. Initialise with LAMBDA_EXECUTOR_COUNTS_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_counts_t {
    /// sizeof(lambda_executor_counts_t).
    pub struct_size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Tasks that wait to be submitted.
    pub queued: u64,
    /// Tasks whose Invoke is in flight, or whose answer was lost.
    pub submitting: u64,
    /// Tasks that Lambda has accepted, adopted ones included.
    pub running: u64,
    /// Events that have not been handed out.
    pub waiting_events: u64,
    /// Events that have been handed out and not acknowledged.
    pub unacknowledged: u64,
}

//: /** Initialiser of a lambda_executor_counts_t. */
//: #define LAMBDA_EXECUTOR_COUNTS_INIT {sizeof(lambda_executor_counts_t), 0, 0, 0, 0, 0, 0}
//:
/// Counts tasks and events. Cheap enough for every heartbeat. Works until the executor is freed,
/// also after lambda_executor_close.
///
/// counts: set struct_size before the call. The other fields are 0 on failure.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_counts(
    ex: *const lambda_executor_t,
    counts: *mut lambda_executor_counts_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed; `counts` is NULL or has struct_size bytes, by the header's rules.
    unsafe {
        let writable = write_counts(counts, Counts::default());
        guard::until_free(ex, err, |handle| {
            writable?;
            write_counts(counts, handle.executor.counts())?;
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Writes as much of the struct as both sides have. Fields of a newer caller keep their value: it
/// has zeroed them, or its struct_size is wrong and the memory there is not part of the struct.
///
/// # Safety `to` is NULL or starts with its size in bytes, and may be written for so many.
unsafe fn write_counts(to: *mut lambda_executor_counts_t, counts: Counts) -> Result<(), Failure> {
    const FIRST_SIZE: usize = offset_of!(lambda_executor_counts_t, unacknowledged) + size_of::<u64>();
    if to.is_null() {
        return Err(Failure::argument("counts is NULL"));
    }
    // SAFETY: not NULL, and every version of the struct starts with struct_size.
    let callers = unsafe { to.cast::<u32>().read_unaligned() };
    let size = struct_size(callers);
    if !(FIRST_SIZE..=MOST_SIZE).contains(&size) {
        return Err(Failure::argument(format!(
            "struct_size of counts is {size}: set it to sizeof(lambda_executor_counts_t) (here {})",
            size_of::<lambda_executor_counts_t>()
        )));
    }
    let Counts { queued, submitting, running, waiting_events, unacknowledged } = counts;
    let ours = lambda_executor_counts_t {
        struct_size: callers,
        reserved: 0,
        queued,
        submitting,
        running,
        waiting_events,
        unacknowledged,
    };
    let known = size.min(size_of::<lambda_executor_counts_t>());
    // SAFETY: both structs have at least so many bytes.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping(std::ptr::from_ref(&ours).cast(), known) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_our_struct_is_not_written() {
        const OURS: usize = size_of::<lambda_executor_counts_t>();
        let mut memory = [0xAA_u8; OURS + 64];
        memory[..4].copy_from_slice(&u32::try_from(OURS + 64).unwrap().to_ne_bytes());
        let counts = Counts { queued: 1, submitting: 2, running: 3, waiting_events: 4, unacknowledged: 5 };
        // SAFETY: as large as its struct_size says.
        unsafe { write_counts(memory.as_mut_ptr().cast(), counts) }.unwrap();
        assert_eq!(memory[8..16], 1_u64.to_ne_bytes());
        assert!(memory[OURS..].iter().all(|byte| *byte == 0xAA), "{memory:?}");
    }
}
