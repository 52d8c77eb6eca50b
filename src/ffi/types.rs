//! The structs and numbers that cross the boundary.

use std::ffi::c_char;

/// State of a task, one of LAMBDA_EXECUTOR_TASK_...
pub type lambda_executor_task_state_t = i32;

/// There is no such task.
pub const LAMBDA_EXECUTOR_TASK_UNKNOWN: lambda_executor_task_state_t = 0;
/// Accepted; waits for a slot, for the service, or for its next attempt.
pub const LAMBDA_EXECUTOR_TASK_QUEUED: lambda_executor_task_state_t = 1;
/// An Invoke is under way.
pub const LAMBDA_EXECUTOR_TASK_SUBMITTING: lambda_executor_task_state_t = 2;
/// Lambda has accepted the event. The command may start much later.
pub const LAMBDA_EXECUTOR_TASK_RUNNING: lambda_executor_task_state_t = 3;
/// Final: the command ended with return code 0.
pub const LAMBDA_EXECUTOR_TASK_SUCCEEDED: lambda_executor_task_state_t = 4;
/// Final: it ended otherwise, or could not be run.
pub const LAMBDA_EXECUTOR_TASK_FAILED: lambda_executor_task_state_t = 5;
/// Final: cancelled by the host, or handed back by a drain.
pub const LAMBDA_EXECUTOR_TASK_CANCELLED: lambda_executor_task_state_t = 6;
/// Final: neither a result nor a dead letter arrived before the deadline (option result_timeout_ms).
pub const LAMBDA_EXECUTOR_TASK_LOST: lambda_executor_task_state_t = 7;

/// Why a task ended as it did, one of LAMBDA_EXECUTOR_REASON_...
pub type lambda_executor_reason_t = i32;

/// The state is not a final one.
pub const LAMBDA_EXECUTOR_REASON_NONE: lambda_executor_reason_t = 0;
/// The command ended by itself; the return code tells how.
pub const LAMBDA_EXECUTOR_REASON_EXIT: lambda_executor_reason_t = 1;
/// A signal ended the command.
pub const LAMBDA_EXECUTOR_REASON_SIGNAL: lambda_executor_reason_t = 2;
/// The command ran over its time limit.
pub const LAMBDA_EXECUTOR_REASON_TIMEOUT: lambda_executor_reason_t = 3;
/// The task waited longer than its max_wait_ms to be submitted.
pub const LAMBDA_EXECUTOR_REASON_EXPIRED: lambda_executor_reason_t = 4;
/// Lambda gave up on the event and put it into the dead letter queue.
pub const LAMBDA_EXECUTOR_REASON_DEAD_LETTER: lambda_executor_reason_t = 5;
/// Invoke failed for good.
pub const LAMBDA_EXECUTOR_REASON_INVOKE_FAILED: lambda_executor_reason_t = 6;
/// Nothing was heard of the task before its deadline.
pub const LAMBDA_EXECUTOR_REASON_LOST: lambda_executor_reason_t = 7;
/// Cancelled before Lambda had accepted it: it never ran, and will not.
pub const LAMBDA_EXECUTOR_REASON_NEVER_INVOKED: lambda_executor_reason_t = 8;
/// Cancelled when Lambda had, or may have, accepted it: it may run or have run.
pub const LAMBDA_EXECUTOR_REASON_ABANDONED: lambda_executor_reason_t = 9;
/// The function could not prepare the command.
pub const LAMBDA_EXECUTOR_REASON_SETUP_FAILED: lambda_executor_reason_t = 10;
/// The function refused the event as malformed.
pub const LAMBDA_EXECUTOR_REASON_BAD_EVENT: lambda_executor_reason_t = 11;
/// The function may not report to the queue that the event named.
pub const LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED: lambda_executor_reason_t = 12;
/// A result of the task arrived whose return code cannot be read; the message says what it was.
pub const LAMBDA_EXECUTOR_REASON_BAD_RESULT: lambda_executor_reason_t = 13;
/// The command succeeded, but its result file was too large to send.
pub const LAMBDA_EXECUTOR_REASON_VALUE_TOO_LARGE: lambda_executor_reason_t = 14;

/// A piece of text: `len` bytes at `ptr`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_str_t {
    /// First byte. In strings handed in, NULL is an empty string; in strings handed out it is never NULL.
    pub ptr: *const c_char,
    /// Number of bytes, or in strings handed in also LAMBDA_EXECUTOR_NUL. Strings handed out have a NUL after them that
    /// is not counted here.
    pub len: usize,
}

/// A task to run. Zero it, set struct_size, fill in `key` and a command; it is copied before the call returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_task_t {
    /// sizeof(lambda_executor_task_t). In an array of tasks, the same in all of them.
    pub struct_size: u32,
    /// Must be 0.
    pub flags: u32,
    /// A number of yours; it comes back in every event of the task.
    pub tag: u64,
    /// Name of the task: 1 to 8192 bytes, unique among unfinished tasks.
    pub key: lambda_executor_str_t,
    /// The command as a program and its arguments, each NUL-terminated. Either this or command_json.
    pub argv: *const *const c_char,
    /// Number of strings in argv.
    pub argc: usize,
    /// The command as JSON: a list of strings (program and arguments), or one string (for the shell).
    pub command_json: lambda_executor_str_t,
    /// A JSON object that is passed to the function as `executor_config`. Empty: {}. With option allow_task_overrides, its
    /// members function_qualifier and timeout_ms are for this task's own invocation, and checked.
    pub executor_config_json: lambda_executor_str_t,
    /// Name of the route (option queues) that the task takes. Empty: the default one. Without option queues the name is
    /// ignored, and every task goes to option function_name.
    pub queue: lambda_executor_str_t,
    /// Time limit of the command in ms. 0: only the function's own limit. With option allow_task_overrides, a timeout_ms
    /// in executor_config_json wins.
    pub timeout_ms: i64,
    /// Fail the task (reason EXPIRED) when it has waited so many ms to be submitted. 0: wait for ever.
    pub max_wait_ms: i64,
    /// Read by lambda_executor_adopt alone, empty for lambda_executor_queue: which submission of the key it is, as its
    /// RUNNING event told. Not in the first version of the struct.
    pub attempt_id: lambda_executor_str_t,
}

/// One change of a task. Lives as long as its batch. Times are Unix time in ms, 0 where not known.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_event_t {
    /// Number of the event: starts at 1 in each executor and rises without gaps.
    pub seq: u64,
    /// The number given with the task.
    pub tag: u64,
    /// The key given with the task.
    pub key: lambda_executor_str_t,
    /// RUNNING or a final state.
    pub state: lambda_executor_task_state_t,
    /// Why the task ended; NONE with RUNNING.
    pub reason: lambda_executor_reason_t,
    /// 1 if return_code is known.
    pub has_return_code: i32,
    /// Exit status of the command; -n when signal n ended it, 126 or 127 when it could not be started, 124 on timeout.
    pub return_code: i32,
    /// Signal that ended the command, also after its time limit (reason TIMEOUT, return_code 124); else 0.
    pub signal: i32,
    /// Attempts to invoke that counted: accepted or failed. Throttling and outages use none.
    pub attempts: u32,
    /// When the task was accepted by `queue`.
    pub queued_at_ms: i64,
    /// When Lambda accepted it. Not known where the result came before that answer, or the answer was lost.
    pub submitted_at_ms: i64,
    /// When the command started, by the function's clock: may differ from the times above by the clocks' distance.
    pub started_at_ms: i64,
    /// When the command ended, by the function's clock; where it did not run, when the executor knew.
    pub finished_at_ms: i64,
    /// For people: what happened. May be empty.
    pub message: lambda_executor_str_t,
    /// Last part of the command's output.
    pub output_tail: lambda_executor_str_t,
    /// What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE: bytes, not always UTF-8.
    pub value: lambda_executor_str_t,
    /// Lambda's id of the request, if known.
    pub request_id: lambda_executor_str_t,
    /// CloudWatch log stream of the run, if known.
    pub log_stream: lambda_executor_str_t,
    /// Which submission of the key this is, a UUID: the same in all events of a task, another when its key is queued
    /// again. Keep it to adopt the task after a restart. Empty for a task adopted without one. Not in the first version
    /// of the struct.
    pub attempt_id: lambda_executor_str_t,
}

/// How many tasks and events are where. Zero it and set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lambda_executor_counts_t {
    /// sizeof(lambda_executor_counts_t).
    pub struct_size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Tasks waiting to be submitted.
    pub queued: u64,
    /// Tasks whose Invoke is under way.
    pub submitting: u64,
    /// Tasks that Lambda has accepted, adopted ones included.
    pub running: u64,
    /// Events that `sync` would hand out now.
    pub waiting_events: u64,
    /// Final events handed out and not yet acknowledged.
    pub unacknowledged: u64,
}
