//! The C API as the benchmarks call it: through the exported functions, with nothing in between that a C program would
//! not have.

// SAFETY of every call here: pointers are valid for the call, structs are filled as the header says.
#![allow(unsafe_code)]
// Each benchmark uses its part.
#![allow(dead_code, unreachable_pub)]

use lambda_executor::ffi::ack::*;
use lambda_executor::ffi::batch::*;
use lambda_executor::ffi::cancel::*;
use lambda_executor::ffi::drain::*;
use lambda_executor::ffi::error::*;
use lambda_executor::ffi::event::*;
use lambda_executor::ffi::handle::*;
use lambda_executor::ffi::queue::*;
use lambda_executor::ffi::state::*;
use lambda_executor::ffi::stats::*;
use lambda_executor::ffi::strings::*;
use lambda_executor::ffi::sync::*;
use lambda_executor::ffi::task::*;
use std::ffi::c_char;
use std::ptr::{null, null_mut};

pub const NO_STRING: lambda_executor_str_t = lambda_executor_str_t { ptr: null(), len: 0 };

pub fn borrow(text: &str) -> lambda_executor_str_t {
    lambda_executor_str_t { ptr: text.as_ptr().cast(), len: text.len() }
}

/// A handle that is freed at the end.
pub struct Handle(pub *mut lambda_executor_t);

impl Handle {
    pub fn create(config: &str) -> Self {
        let (mut ex, mut err) = (null_mut(), null_mut());
        // SAFETY: see the top.
        let status =
            unsafe { lambda_executor_create(config.as_ptr().cast::<c_char>(), config.len(), &mut ex, &mut err) };
        assert_eq!(status, 0, "{}", message(err));
        Self(ex)
    }

    pub fn queue(&self, key: &str, command: &str) -> i32 {
        let task = lambda_executor_task_t {
            struct_size: u32::try_from(size_of::<lambda_executor_task_t>()).expect("small"),
            flags: 0,
            tag: 0,
            key: borrow(key),
            argv: null(),
            argc: 0,
            command_json: borrow(command),
            executor_config_json: NO_STRING,
            queue: NO_STRING,
            timeout_ms: 0,
            max_wait_ms: 0,
            result_timeout_ms: 0,
            attempt_id: NO_STRING,
        };
        // SAFETY: see the top.
        unsafe { lambda_executor_queue(self.0, &task, null_mut()) }
    }

    /// Takes a batch, passes each event to `each`, acknowledges and frees it.
    pub fn sync(&self, timeout_ms: i64, each: impl FnMut(&lambda_executor_event_t)) -> usize {
        let Some(batch) = self.take_batch(timeout_ms, each) else { return 0 };
        // SAFETY: see the top.
        unsafe {
            let len = lambda_executor_batch_len(batch);
            assert_eq!(lambda_executor_batch_ack(batch, null_mut()), 0);
            lambda_executor_batch_free(batch);
            len
        }
    }

    /// As [`Self::sync`], but keeps the batch: its events are unacknowledged, and are not handed out again.
    pub fn sync_unacknowledged(&self, timeout_ms: i64, each: impl FnMut(&lambda_executor_event_t)) -> Option<Batch> {
        self.take_batch(timeout_ms, each).map(Batch)
    }

    fn take_batch(
        &self,
        timeout_ms: i64,
        mut each: impl FnMut(&lambda_executor_event_t),
    ) -> Option<*mut lambda_executor_batch_t> {
        let mut batch = null_mut();
        // SAFETY: see the top.
        unsafe {
            if lambda_executor_sync(self.0, timeout_ms, 0, &mut batch, null_mut()) != 0 {
                return None;
            }
            for at in 0..lambda_executor_batch_len(batch) {
                each(&*lambda_executor_batch_event(batch, at));
            }
        }
        Some(batch)
    }

    /// Acknowledges these events.
    pub fn acknowledge(&self, seqs: &[u64]) {
        // SAFETY: see the top.
        let status = unsafe { lambda_executor_ack(self.0, seqs.as_ptr(), seqs.len(), null_mut()) };
        assert_eq!(status, 0);
    }

    pub fn cancel(&self, keys: &[String]) {
        let keys: Vec<_> = keys.iter().map(|key| borrow(key)).collect();
        let mut results = vec![0; keys.len()];
        // SAFETY: see the top.
        let status = unsafe {
            let (first_error, err) = (null_mut(), null_mut());
            lambda_executor_cancel(self.0, keys.as_ptr(), keys.len(), results.as_mut_ptr(), first_error, err)
        };
        assert_eq!(status, 0);
    }

    pub fn state(&self, key: &str) -> i32 {
        let mut state = 0;
        // SAFETY: see the top.
        unsafe { lambda_executor_state(self.0, key.as_ptr().cast(), key.len(), &mut state, null_mut()) };
        state
    }

    pub fn stats(&self) -> serde_json::Value {
        let mut needed = 0;
        // SAFETY: see the top.
        unsafe {
            lambda_executor_stats(self.0, null_mut(), 0, &mut needed, null_mut());
            let mut buffer = vec![0u8; needed + 4096];
            let status =
                lambda_executor_stats(self.0, buffer.as_mut_ptr().cast(), buffer.len(), &mut needed, null_mut());
            assert_eq!(status, 0);
            let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
            serde_json::from_slice(&buffer[..end]).expect("stats are JSON")
        }
    }

    pub fn drain_nothing(&self) {
        let mut remaining = 0;
        // SAFETY: see the top.
        let status = unsafe { lambda_executor_drain(self.0, 1, 0, &mut remaining, null_mut()) };
        assert!(status >= 0, "{status}");
    }
}

// SAFETY: every call that the benchmarks make from two threads may be made from any thread.
unsafe impl Sync for Handle {}

/// Events that the host has.
pub struct Batch(*mut lambda_executor_batch_t);

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: see the top.
        unsafe { lambda_executor_batch_free(self.0) };
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: see the top; no other thread uses the handle.
        unsafe { lambda_executor_free(self.0, null_mut()) };
    }
}

fn message(err: *const lambda_executor_error_t) -> String {
    // SAFETY: see the top; the text lives as long as the error.
    unsafe {
        let text = lambda_executor_error_message(err);
        String::from_utf8_lossy(std::slice::from_raw_parts(text.ptr.cast(), text.len)).into_owned()
    }
}
