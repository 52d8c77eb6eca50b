//! The executor as the host holds it: create, close, free.

use super::drain::EndWait;
use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard;
use super::health::Checks;
use super::out::Out;
use super::status::*;
use super::{strings, wiring};
use crate::aws::Aws;
use crate::executor::Executor;
use crate::observe::log::Log;
use crate::runtime::fork;
use crate::runtime::waits::{End, Waits};
use std::ffi::c_char;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An executor: configuration, threads, connections and the tasks it was given.
pub struct lambda_executor_t {
    pub(super) executor: Arc<Executor>,
    pub(super) aws: Arc<Aws>,
    pub(super) waits: Arc<Waits>,
    pub(super) log: Log,
    pub(super) health: Checks,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) local: Option<lambda_executor_local::Running>,
    pub(super) auto_ack: bool,
    pub(super) shutdown_grace: Duration,
    pub(super) end_wait: EndWait,
    pub(super) born: fork::Birth,
}

/// Any thread may use a handle.
const _: fn() = || {
    fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<lambda_executor_t>();
};

impl lambda_executor_t {
    /// Whether calls may do anything here.
    pub(super) fn usable(&self) -> Result<(), Failure> {
        self.of_this_process()?;
        if self.waits.end().is_some() { Err(self.ended()) } else { Ok(()) }
    }

    /// Why no call works any more, once none does.
    pub(super) fn ended(&self) -> Failure {
        match self.waits.end() {
            Some(End::Broken(story)) => Failure::Panic(story.clone()),
            Some(End::Closed) | None => Failure::Closed("the executor is closed"),
        }
    }

    /// Whether its threads are here.
    pub(super) fn of_this_process(&self) -> Result<(), Failure> {
        if self.born.in_this_process() { Ok(()) } else { Err(Failure::Forked { parent: self.born.pid() }) }
    }
}

/// Creates an executor from a JSON object of options (see lambda_executor_config_schema) and starts its threads. Never
/// waits on the network: the check of functions and queues runs in the background, tasks wait until it has passed, and
/// lambda_executor_stats tells why they do.
///
/// config_json, len: the options; NULL reads them from where Airflow has them, as `{"airflow": true}` does. Then the
/// environment is read, once: no other thread may change it (setenv) during this call.
/// ex: set to the executor, which you free with lambda_executor_free; NULL on failure.
///
/// OK, ERR_INVALID_CONFIG (everything that is wrong, one line each), ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED, ERR_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_create(
    config_json: *const c_char,
    len: usize,
    ex: *mut *mut lambda_executor_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` and `err` are NULL or writable, `config_json` is readable, by the header's rules.
    unsafe {
        let ex = Out::optional(ex, std::ptr::null_mut());
        guard::call(err, || {
            ex.required("ex")?;
            let config = strings::text(config_json, len, "config_json")?;
            let handle = wiring::start(config)?;
            ex.set(Box::into_raw(Box::new(handle)));
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Makes every call on the executor return ERR_CLOSED from now on, those that wait at this moment too. Join your threads
/// after it, then call lambda_executor_free. Never waits. A second call is fine.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_close(ex: *mut lambda_executor_t) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, by the header's rules.
    unsafe {
        guard::on_any_handle(ex, std::ptr::null_mut(), |handle| {
            handle.waits.close();
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Frees an executor; NULL is fine. No other call on it may be running or still to come, but its batches and errors may
/// be freed later. Takes at most about option shutdown_grace_ms: pending deletes are done, results that were not
/// acknowledged are given back to their queue. Tasks that were not submitted are dropped, and the log says how many
/// (lambda_executor_drain first, to keep them). Invocations that run go on, and a later executor can adopt them. In a
/// child after fork it returns at once. The log callback gets what waits for it, and has half a second at least to return.
/// Not to be called from the log callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_free(ex: *mut lambda_executor_t) {
    guard::plain((), || {
        // SAFETY: NULL or a handle that lives until this call frees it.
        let Some(handle) = (unsafe { ex.as_ref() }) else { return };
        // The child has a copy of the memory but none of the threads: whatever waits for one would wait for ever.
        if handle.born.in_this_process() {
            // SAFETY: made by Box::into_raw in `create`, freed once by the header's rules.
            end(unsafe { Box::from_raw(ex) });
        }
    });
}

/// Ends the parts in the order in which they use each other. Each step is caught by itself, so that a bug in one does
/// not leave threads of the next.
fn end(handle: Box<lambda_executor_t>) {
    /// What a step gets at least, so that a grace of 0 does not leave threads behind.
    const LEAST: Duration = Duration::from_millis(500);
    let lambda_executor_t { executor, waits, log, runtime, local, shutdown_grace, .. } = *handle;
    let until = Instant::now() + shutdown_grace;
    let rest = || until.saturating_duration_since(Instant::now()).max(LEAST);

    waits.close();
    log.on_this_thread(|| {
        guard::plain((), || _ = executor.shutdown(shutdown_grace));
        guard::plain((), || runtime.shutdown_timeout(rest()));
        guard::plain((), || drop(executor));
        guard::plain((), || {
            if let Some(local) = local {
                local.stop(rest());
            }
        });
    });
    log.stop(rest());
}
