//! Log records to the host.

use super::error::lambda_executor_error_t;
use super::failure::Failure;
use super::guard;
use super::handle::lambda_executor_t;
use super::status::*;
use super::strings::lambda_executor_str_t;
use crate::observe::log::{Level, Record, Sink};
use std::ffi::c_void;

/// Level of a log record, one of LAMBDA_EXECUTOR_LOG_...
pub type lambda_executor_log_level_t = i32;

/// No records.
pub const LAMBDA_EXECUTOR_LOG_OFF: lambda_executor_log_level_t = 0;
/// The operator should act.
pub const LAMBDA_EXECUTOR_LOG_ERROR: lambda_executor_log_level_t = 1;
/// Something failed, and the library handles it.
pub const LAMBDA_EXECUTOR_LOG_WARN: lambda_executor_log_level_t = 2;
/// Rare events of normal operation.
pub const LAMBDA_EXECUTOR_LOG_INFO: lambda_executor_log_level_t = 3;
/// Every change of a task.
pub const LAMBDA_EXECUTOR_LOG_DEBUG: lambda_executor_log_level_t = 4;
/// Everything.
pub const LAMBDA_EXECUTOR_LOG_TRACE: lambda_executor_log_level_t = 5;

/// One log record. May grow at its end; valid during the callback only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_log_record_t {
    /// Size of the struct in the library that made it.
    pub struct_size: u32,
    /// LAMBDA_EXECUTOR_LOG_ERROR to LAMBDA_EXECUTOR_LOG_TRACE.
    pub level: lambda_executor_log_level_t,
    /// Unix time in ms.
    pub time_ms: i64,
    /// Part of the library that made it.
    pub target: lambda_executor_str_t,
    /// What happened, for people. Never contains secrets.
    pub message: lambda_executor_str_t,
}

/// Receives log records, one at a time, on a thread of the library. May call any function of the
/// library except lambda_executor_free, also while another thread frees the executor. While it
/// runs, up to 1024 records wait; beyond that they are dropped and counted. Nothing else waits for
/// it.
pub type lambda_executor_log_callback_t =
    Option<unsafe extern "C" fn(user_data: *mut c_void, record: *const lambda_executor_log_record_t)>;

/// Sends log records to the host instead of stderr. When this returns, the previous callback has
/// returned and is not called again (if the callback itself calls this: once it returns).
///
/// lambda_executor_free does not wait without limit for a callback that does not return: the
/// callback and its user_data must stay valid until it does. To wait for it, call this with NULL
/// before.
///
/// callback: NULL selects stderr again; allowed on closed and broken executors too.
/// user_data: passed to each call.
/// level: LAMBDA_EXECUTOR_LOG_...; without a callback the level is option log. Records of the AWS
///   SDK pass only at level ERROR: at lower levels they contain requests with tokens.
///
/// OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lambda_executor_set_log_callback(
    ex: *mut lambda_executor_t,
    callback: lambda_executor_log_callback_t,
    user_data: *mut c_void,
    level: lambda_executor_log_level_t,
    err: *mut *mut lambda_executor_error_t,
) -> lambda_executor_status_t {
    // SAFETY: `ex` is NULL or not yet freed, `err` is NULL or writable, by the header's rules.
    unsafe {
        guard::on_any_handle(ex, err, |handle| {
            if callback.is_some() {
                handle.open()?;
            }
            let level = level_of(level)?;
            let sink = callback.map_or(Sink::Stderr, |function| {
                let host = Host { function, user_data };
                Sink::Host(Box::new(move |record| host.take(record)))
            });
            handle.log.send_to(sink, level);
            Ok(LAMBDA_EXECUTOR_OK)
        })
    }
}

/// The host's function and its argument.
struct Host {
    function: unsafe extern "C" fn(*mut c_void, *const lambda_executor_log_record_t),
    user_data: *mut c_void,
}

// SAFETY: the header says that the function runs on another thread, so `user_data` is made for it.
unsafe impl Send for Host {}

impl Host {
    fn take(&self, record: &Record) {
        // Strings out are NUL-terminated.
        let (target, message) = (format!("{}\0", record.target), format!("{}\0", record.message));
        let text =
            |text: &String| lambda_executor_str_t { ptr: text.as_ptr().cast(), len: text.len().saturating_sub(1) };
        let record = lambda_executor_log_record_t {
            struct_size: u32::try_from(size_of::<lambda_executor_log_record_t>()).unwrap_or_default(),
            level: level_number(record.level),
            time_ms: record.time_ms,
            target: text(&target),
            message: text(&message),
        };
        // SAFETY: the host's function, called as the header says.
        unsafe { (self.function)(self.user_data, &raw const record) };
    }
}

fn level_of(number: lambda_executor_log_level_t) -> Result<Option<Level>, Failure> {
    match number {
        LAMBDA_EXECUTOR_LOG_OFF => Ok(None),
        LAMBDA_EXECUTOR_LOG_ERROR => Ok(Some(Level::ERROR)),
        LAMBDA_EXECUTOR_LOG_WARN => Ok(Some(Level::WARN)),
        LAMBDA_EXECUTOR_LOG_INFO => Ok(Some(Level::INFO)),
        LAMBDA_EXECUTOR_LOG_DEBUG => Ok(Some(Level::DEBUG)),
        LAMBDA_EXECUTOR_LOG_TRACE => Ok(Some(Level::TRACE)),
        _ => Err(Failure::argument(format!(
            "level is {number} (allowed: LAMBDA_EXECUTOR_LOG_OFF, 0, to LAMBDA_EXECUTOR_LOG_TRACE, 5)"
        ))),
    }
}

fn level_number(level: Level) -> lambda_executor_log_level_t {
    match level {
        Level::ERROR => LAMBDA_EXECUTOR_LOG_ERROR,
        Level::WARN => LAMBDA_EXECUTOR_LOG_WARN,
        Level::INFO => LAMBDA_EXECUTOR_LOG_INFO,
        Level::DEBUG => LAMBDA_EXECUTOR_LOG_DEBUG,
        Level::TRACE => LAMBDA_EXECUTOR_LOG_TRACE,
    }
}
