//! Statuses. The numbers are written by hand, part of the ABI, and never reused.

/// What a call came to: 0 done, positive nothing wrong but not done either, negative a failure.
pub type lambda_executor_status_t = i32;

/// Done.
pub const LAMBDA_EXECUTOR_OK: lambda_executor_status_t = 0;
/// The timeout was over first. Call again to wait on.
pub const LAMBDA_EXECUTOR_TIMED_OUT: lambda_executor_status_t = 1;
/// The wait was ended by a signal or by lambda_executor_wake. May also come for no reason: call again.
pub const LAMBDA_EXECUTOR_INTERRUPTED: lambda_executor_status_t = 2;
/// As many tasks wait as option max_queued_tasks allows. Not accepted; try again after a `sync`.
pub const LAMBDA_EXECUTOR_QUEUE_FULL: lambda_executor_status_t = 3;
/// The key belongs to a task that has not finished, or whose final event has not been handed out. Not accepted.
pub const LAMBDA_EXECUTOR_DUPLICATE: lambda_executor_status_t = 4;
/// There is no such task, or it has finished.
pub const LAMBDA_EXECUTOR_NOT_FOUND: lambda_executor_status_t = 5;
/// The buffer is too small; nothing was written to it, and `needed` tells the size that would do.
pub const LAMBDA_EXECUTOR_BUFFER_TOO_SMALL: lambda_executor_status_t = 6;

/// An argument is wrong; the message says which and how.
pub const LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT: lambda_executor_status_t = -1;
/// The configuration is wrong; the message says everything that is, one line each.
pub const LAMBDA_EXECUTOR_ERR_INVALID_CONFIG: lambda_executor_status_t = -2;
/// The executor is closed, or draining and so accepts no more tasks, or drained and has no more events.
pub const LAMBDA_EXECUTOR_ERR_CLOSED: lambda_executor_status_t = -3;
/// The executor belongs to the parent of this process. Create one here.
pub const LAMBDA_EXECUTOR_ERR_FORKED: lambda_executor_status_t = -4;
/// A bug in the library. The executor can only be freed; running invocations go on and can be adopted by another.
pub const LAMBDA_EXECUTOR_ERR_PANIC: lambda_executor_status_t = -5;
/// AWS did not accept the credentials, or there are none.
pub const LAMBDA_EXECUTOR_ERR_CREDENTIALS: lambda_executor_status_t = -6;
/// AWS could not be reached or refused a call.
pub const LAMBDA_EXECUTOR_ERR_AWS: lambda_executor_status_t = -7;
/// The operating system refused something: threads, descriptors, sockets, memory.
pub const LAMBDA_EXECUTOR_ERR_IO: lambda_executor_status_t = -8;
/// The journal cannot be read or written.
pub const LAMBDA_EXECUTOR_ERR_JOURNAL: lambda_executor_status_t = -9;
/// This version of the library cannot do that.
pub const LAMBDA_EXECUTOR_ERR_UNSUPPORTED: lambda_executor_status_t = -10;
/// The task's event is larger than option max_payload_bytes allows.
pub const LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE: lambda_executor_status_t = -11;
