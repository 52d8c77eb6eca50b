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
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// An executor: configuration, threads, connections, and the tasks that it tracks.
pub struct lambda_executor_t {
    pub(super) executor: Executor,
    pub(super) aws: Arc<Aws>,
    pub(super) waits: Arc<Waits>,
    pub(super) log: Log,
    pub(super) health: Checks,
    /// `None` once the handle is being freed; so is `local`.
    /// Of the calls, and of those to the queues.
    pub(super) runtimes: Mutex<Option<[tokio::runtime::Runtime; 2]>>,
    pub(super) local: Mutex<Option<lambda_executor_local::Running>>,
    pub(super) shutdown_grace: Duration,
    pub(super) end_wait: EndWait,
    pub(super) born: fork::ForkGeneration,
    /// For batches, which may outlive the handle. The host holds the only other count.
    pub(super) this: Weak<lambda_executor_t>,
}

/// Any thread may use a handle.
const _: fn() = || {
    fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<lambda_executor_t>();
};

impl lambda_executor_t {
    /// Whether calls that submit or wait are allowed.
    pub(super) fn open(&self) -> Result<(), Failure> {
        self.of_this_process()?;
        if self.waits.end().is_some() { Err(self.ended()) } else { Ok(()) }
    }

    /// Whether calls that are allowed until `free` are.
    pub(super) fn not_broken(&self) -> Result<(), Failure> {
        self.of_this_process()?;
        match self.waits.end() {
            Some(End::Broken(_) | End::DescriptorsClosed) => Err(self.ended()),
            Some(End::Closed) | None => Ok(()),
        }
    }

    /// Why no call works any more, once none does.
    pub(super) fn ended(&self) -> Failure {
        match self.waits.end() {
            Some(End::Broken(story)) => Failure::Panic(story.clone()),
            Some(End::DescriptorsClosed) => Failure::DescriptorsClosed,
            Some(End::Closed) | None => Failure::Closed("the executor is closed"),
        }
    }

    /// Whether its threads are in this process.
    pub(super) fn of_this_process(&self) -> Result<(), Failure> {
        if self.born.is_current() { Ok(()) } else { Err(Failure::Forked { parent: self.born.pid() }) }
    }
}

/// Creates an executor from a JSON object of options (see lambda_executor_config_schema) and starts
/// its threads. Never waits on the network: the check of functions and queues runs in the
/// background, tasks wait until it has passed, and lambda_executor_stats reports why they wait.
///
/// The environment is read once, during this call. No other thread may change it (setenv)
/// meanwhile, nor while the AWS SDK may read it later, on a thread of the executor.
///
/// The SDK looks for credentials if none are given (by option credentials or by a connection's
/// login) and AWS_ACCESS_KEY_ID is not set, or if a connection names a profile: at the first call
/// to AWS and whenever they are renewed, until lambda_executor_set_credentials or
/// lambda_executor_free. It reads HOME, AWS_PROFILE, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE,
/// and the variables of keys, roles, web identities, containers and EC2 metadata; the program of a
/// credential_process inherits all variables.
///
/// The SDK asks EC2 for the region if neither option region_name, AWS_REGION, AWS_DEFAULT_REGION
/// nor the profile names one: at the first call to AWS, and again after credentials were rejected.
/// It reads the variables of EC2 metadata. With option local nothing is read later.
///
/// Create it after daemonising: the executor uses descriptors and threads of this process. Once the
/// host has closed the descriptors, calls that wait fail with ERR_IO, and free leaves threads and
/// memory behind. Of descriptors 0, 1 and 2, those that are closed are opened as /dev/null and stay
/// so.
///
/// ERR_IO includes limits of the process: RLIMIT_NPROC or the cgroup's pids.max too low for the
/// threads, RLIMIT_NOFILE for the descriptors, RLIMIT_AS for the threads' stacks. An allocation that
/// fails aborts the process.
///
/// config_json, len: the options. NULL reads Airflow's configuration, as `{"airflow": true}` does.
/// ex: set to the executor, to be freed with lambda_executor_free. NULL on failure.
///
/// OK, ERR_INVALID_CONFIG (every mistake, one line each), ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED,
/// ERR_IO, ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
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
            ex.set(Arc::into_raw(handle).cast_mut());
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// Closes an executor: calls that submit or wait return ERR_CLOSED from now on, also those that
/// wait at this moment. Join your threads after it, then call lambda_executor_free. Acknowledging
/// events and all questions (`ack`, `batch_ack`, `state`, `describe`, `counts`, `stats`) work until
/// then, so that a thread can finish its batch. Never waits. A second call does nothing.
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

/// Frees an executor. NULL is allowed. No other call on it may be running or follow, but its
/// batches and errors may be freed later.
///
/// Takes about option shutdown_grace_ms at most: acknowledged results are deleted from their queue,
/// all others are released. Tasks that were not submitted are dropped (to keep them, call
/// lambda_executor_drain before). Invocations that run continue, and a later executor can adopt
/// them. In a forked child it does nothing and returns at once.
///
/// The log callback receives the records that wait for it, and has half a second at least to
/// return. It may use the executor until then; calls that submit or wait return ERR_CLOSED. It must
/// not call lambda_executor_free.
///
/// dropped: set to the number of tasks that were dropped. May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_free(ex: *mut lambda_executor_t, dropped: *mut u64) {
    // SAFETY: NULL or writable, by the header's rules.
    let dropped = unsafe { Out::optional(dropped, 0) };
    guard::plain((), || {
        // SAFETY: NULL or a handle that lives until this call frees it.
        let Some(handle) = (unsafe { ex.as_ref() }) else { return };
        // The child has a copy of the memory but no threads: a wait for one would never end.
        if !handle.born.is_current() {
            return;
        }
        if end(handle, &dropped) {
            // SAFETY: from Arc::into_raw in `create`, released once by the header's rules.
            drop(unsafe { Arc::from_raw(ex.cast_const()) });
        }
        // Otherwise the log callback still runs and may use the handle, which is then left to it.
    });
}

/// Ends the parts in the order in which they use each other. Each step is caught separately, so
/// that a bug in one does not leave threads of the next. True if nothing of the host is left
/// running.
fn end(handle: &lambda_executor_t, dropped: &Out<u64>) -> bool {
    /// Time for a step after the grace has passed, so that a grace of 0 does not leave threads
    /// behind.
    const LEAST: Duration = Duration::from_millis(500);
    let until = Instant::now() + handle.shutdown_grace;
    let rest = || until.saturating_duration_since(Instant::now()).max(LEAST);

    handle.waits.close();
    handle.log.on_this_thread(|| {
        guard::plain((), || dropped.set(handle.executor.shutdown(handle.shutdown_grace)));
        if !handle.waits.descriptors_are_ours() {
            // The runtimes would close descriptors by numbers that may be files of the host.
            std::mem::forget(take(&handle.runtimes));
            std::mem::forget(take(&handle.local));
        }
        guard::plain((), || {
            for runtime in take(&handle.runtimes).into_iter().flatten() {
                runtime.shutdown_timeout(rest());
            }
        });
        guard::plain((), || {
            if let Some(local) = take(&handle.local) {
                local.stop(rest());
            }
        });
    });
    guard::plain(false, || handle.log.stop(rest()))
}

fn take<T>(part: &Mutex<Option<T>>) -> Option<T> {
    part.lock().unwrap_or_else(PoisonError::into_inner).take()
}
