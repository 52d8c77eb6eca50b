/*
 * lambda_executor.h - runs tasks on AWS Lambda and tells what became of each.
 *
 * Generated from the Rust sources by cbindgen: do not edit.
 *
 * In short
 *   create an executor, `queue` tasks, call `sync` in a loop to get events, `batch_free` each batch, `free` at the end.
 *
 * Rules that hold everywhere
 *   - A status is 0 (done), positive (nothing wrong: flow control; no error object) or negative (a failure).
 *   - The last parameter `err` is optional: with NULL no error object is made. It is set to NULL unless there is an
 *     error to tell of, and what it is set to is yours: free it with lambda_executor_error_free.
 *   - Other out parameters are set to NULL or 0 when a call fails.
 *   - Strings in are a pointer and a length in bytes; LAMBDA_EXECUTOR_NUL as the length means "up to the NUL". They are
 *     UTF-8 and copied before the call returns. A NULL pointer is accepted as an empty string, with length 0.
 *   - Strings out belong to the batch, error or library that handed them out, and are NUL-terminated too.
 *   - Structs that you fill start with `struct_size`: zero the struct, set it to sizeof. Structs that you are handed may
 *     grow at their end in a later version: step through arrays of them by the stride you are told.
 *   - Timeouts are in milliseconds: 0 does not wait, -1 waits for ever. Truth values are 0 and 1.
 *   - Every function may be called from any thread at any time, but lambda_executor_free only when no other call on the
 *     same executor is running or still to come. Executors, batches and errors may be freed in any order.
 *   - After fork, calls in the child on an executor of the parent return LAMBDA_EXECUTOR_ERR_FORKED and do nothing;
 *     the child may create executors of its own.
 *   - The library starts threads with all signals blocked, installs no signal handler and no atexit function, changes
 *     no environment variable, and prints nothing but its log.
 *
 * The library needs Linux. Licence: Apache-2.0.
 */


#ifndef LAMBDA_EXECUTOR_H
#define LAMBDA_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

/**
 * As the length of a string: it ends at its NUL.
 */
#define LAMBDA_EXECUTOR_NUL ((size_t)-1)


/**
 * Version that this header belongs to: major * 1000000 + minor * 1000 + patch.
 * Compare with lambda_executor_version(), which tells the version of the library that was loaded.
 */
#define LAMBDA_EXECUTOR_VERSION 1000

/**
 * ABI that this header belongs to, the number in the SONAME. Programs built for one ABI run with every later library
 * of the same ABI.
 */
#define LAMBDA_EXECUTOR_ABI_VERSION 0

/**
 * Flag of lambda_executor_drain: what waits is submitted, and everything is waited for.
 */
#define LAMBDA_EXECUTOR_DRAIN_FINISH 0

/**
 * Flag of lambda_executor_drain: what waits is cancelled, and what runs is waited for. The reason is NEVER_INVOKED, or
 * ABANDONED where the answer to a try was lost, so that the command may run.
 */
#define LAMBDA_EXECUTOR_DRAIN_RUNNING 1

/**
 * As timeout_ms of lambda_executor_drain: option end_wait_timeout, which is in seconds and counts from the first call of
 * lambda_executor_drain on the executor, so that calls after an interruption wait no longer; 0, its default, is for ever.
 */
#define LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED -2

/**
 * Some events with their strings. Belongs to whoever got it; lives until it is freed, whatever becomes of the executor.
 */
typedef struct lambda_executor_batch lambda_executor_batch_t;

/**
 * What went wrong, for people. Made by a call that failed, lives until it is freed, whatever becomes of the executor.
 */
typedef struct lambda_executor_error lambda_executor_error_t;

/**
 * An executor: configuration, threads, connections and the tasks it was given.
 */
typedef struct lambda_executor lambda_executor_t;

/**
 * What a call came to: 0 done, positive nothing wrong but not done either, negative a failure.
 */
typedef int32_t lambda_executor_status_t;

/**
 * A piece of text: `len` bytes at `ptr`.
 */
typedef struct lambda_executor_str {
  /**
   * First byte. In strings handed in, NULL is an empty string; in strings handed out it is never NULL.
   */
  const char *ptr;
  /**
   * Number of bytes, or in strings handed in also LAMBDA_EXECUTOR_NUL. Strings handed out have a NUL after them that
   * is not counted here.
   */
  size_t len;
} lambda_executor_str_t;

/**
 * A task to run. Zero it, set struct_size, fill in `key` and a command; it is copied before the call returns.
 */
typedef struct lambda_executor_task {
  /**
   * sizeof(lambda_executor_task_t). In an array of tasks, the same in all of them.
   */
  uint32_t struct_size;
  /**
   * Must be 0.
   */
  uint32_t flags;
  /**
   * A number of yours; it comes back in every event of the task.
   */
  uint64_t tag;
  /**
   * Name of the task: 1 to 8192 bytes, unique among unfinished tasks.
   */
  lambda_executor_str_t key;
  /**
   * The command as a program and its arguments, each NUL-terminated. Either this or command_json.
   */
  const char *const *argv;
  /**
   * Number of strings in argv.
   */
  size_t argc;
  /**
   * The command as JSON: a list of strings (program and arguments), or one string (for the shell).
   */
  lambda_executor_str_t command_json;
  /**
   * A JSON object that is passed to the function as `executor_config`. Empty: {}. With option allow_task_overrides, its
   * members function_qualifier and timeout_ms are for this task's own invocation, and checked.
   */
  lambda_executor_str_t executor_config_json;
  /**
   * Name of the route (option queues) that the task takes. Empty: the default one. Without option queues the name is
   * ignored, and every task goes to option function_name.
   */
  lambda_executor_str_t queue;
  /**
   * Time limit of the command in ms. 0: only the function's own limit. With option allow_task_overrides, a timeout_ms
   * in executor_config_json wins.
   */
  int64_t timeout_ms;
  /**
   * Fail the task (reason EXPIRED) when it has waited so many ms to be submitted. 0: wait for ever.
   */
  int64_t max_wait_ms;
  /**
   * Read by lambda_executor_adopt alone, empty for lambda_executor_queue: which submission of the key it is, as its
   * RUNNING event told. Not in the first version of the struct.
   */
  lambda_executor_str_t attempt_id;
} lambda_executor_task_t;

/**
 * State of a task, one of LAMBDA_EXECUTOR_TASK_...
 */
typedef int32_t lambda_executor_task_state_t;

/**
 * Why a task ended as it did, one of LAMBDA_EXECUTOR_REASON_...
 */
typedef int32_t lambda_executor_reason_t;

/**
 * One change of a task. Lives as long as its batch. Times are Unix time in ms, 0 where not known.
 */
typedef struct lambda_executor_event {
  /**
   * Number of the event: starts at 1 in each executor and rises without gaps.
   */
  uint64_t seq;
  /**
   * The number given with the task.
   */
  uint64_t tag;
  /**
   * The key given with the task.
   */
  lambda_executor_str_t key;
  /**
   * RUNNING or a final state.
   */
  lambda_executor_task_state_t state;
  /**
   * Why the task ended; NONE with RUNNING.
   */
  lambda_executor_reason_t reason;
  /**
   * 1 if return_code is known.
   */
  int32_t has_return_code;
  /**
   * Exit status of the command; -n when signal n ended it, 126 or 127 when it could not be started, 124 on timeout.
   */
  int32_t return_code;
  /**
   * Signal that ended the command, also after its time limit (reason TIMEOUT, return_code 124); else 0.
   */
  int32_t signal;
  /**
   * Attempts to invoke that counted: accepted or failed. Throttling and outages use none.
   */
  uint32_t attempts;
  /**
   * When the task was accepted by `queue`.
   */
  int64_t queued_at_ms;
  /**
   * When Lambda accepted it. Not known where the result came before that answer, or the answer was lost.
   */
  int64_t submitted_at_ms;
  /**
   * When the command started, by the function's clock: may differ from the times above by the clocks' distance.
   */
  int64_t started_at_ms;
  /**
   * When the command ended, by the function's clock; where it did not run, when the executor knew.
   */
  int64_t finished_at_ms;
  /**
   * For people: what happened. May be empty.
   */
  lambda_executor_str_t message;
  /**
   * Last part of the command's output.
   */
  lambda_executor_str_t output_tail;
  /**
   * What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE: bytes, not always UTF-8.
   */
  lambda_executor_str_t value;
  /**
   * Lambda's id of the request, if known.
   */
  lambda_executor_str_t request_id;
  /**
   * CloudWatch log stream of the run, if known.
   */
  lambda_executor_str_t log_stream;
  /**
   * Which submission of the key this is, a UUID: the same in all events of a task, another when its key is queued
   * again. Keep it to adopt the task after a restart. Empty for a task adopted without one. Not in the first version
   * of the struct.
   */
  lambda_executor_str_t attempt_id;
} lambda_executor_event_t;

/**
 * How many tasks and events are where. Zero it and set struct_size before the call.
 */
typedef struct lambda_executor_counts {
  /**
   * sizeof(lambda_executor_counts_t).
   */
  uint32_t struct_size;
  /**
   * Always 0.
   */
  uint32_t reserved;
  /**
   * Tasks waiting to be submitted.
   */
  uint64_t queued;
  /**
   * Tasks whose Invoke is under way.
   */
  uint64_t submitting;
  /**
   * Tasks that Lambda has accepted, adopted ones included.
   */
  uint64_t running;
  /**
   * Events that `sync` would hand out now.
   */
  uint64_t waiting_events;
  /**
   * Final events handed out and not yet acknowledged.
   */
  uint64_t unacknowledged;
} lambda_executor_counts_t;

/**
 * How much a log record matters, one of LAMBDA_EXECUTOR_LOG_...
 */
typedef int32_t lambda_executor_log_level_t;

/**
 * One log record. May grow at its end; valid during the callback only.
 */
typedef struct lambda_executor_log_record {
  /**
   * Size of the struct in the library that made it.
   */
  uint32_t struct_size;
  /**
   * LAMBDA_EXECUTOR_LOG_ERROR to LAMBDA_EXECUTOR_LOG_TRACE.
   */
  lambda_executor_log_level_t level;
  /**
   * When, in Unix time in ms.
   */
  int64_t time_ms;
  /**
   * Part of the library that it comes from.
   */
  lambda_executor_str_t target;
  /**
   * What happened, for people. Never holds secrets.
   */
  lambda_executor_str_t message;
} lambda_executor_log_record_t;

/**
 * Gets log records, one at a time, in a thread of the library's own. May call functions of the library, but not
 * lambda_executor_free. While it does not return, records are dropped and counted; nothing else waits for it.
 */
typedef void (*lambda_executor_log_callback_t)(void *user_data,
                                               const lambda_executor_log_record_t *record);

/**
 * Done.
 */
#define LAMBDA_EXECUTOR_OK 0

/**
 * The timeout was over first. Call again to wait on.
 */
#define LAMBDA_EXECUTOR_TIMED_OUT 1

/**
 * The wait was ended by a signal or by lambda_executor_wake. May also come for no reason: call again.
 */
#define LAMBDA_EXECUTOR_INTERRUPTED 2

/**
 * As many tasks wait as option max_queued_tasks allows. Not accepted; try again after a `sync`.
 */
#define LAMBDA_EXECUTOR_QUEUE_FULL 3

/**
 * The key belongs to a task that has not finished, or whose final event has not been handed out. Not accepted.
 */
#define LAMBDA_EXECUTOR_DUPLICATE 4

/**
 * There is no such task, or it has finished.
 */
#define LAMBDA_EXECUTOR_NOT_FOUND 5

/**
 * The buffer is too small; nothing was written to it, and `needed` tells the size that would do.
 */
#define LAMBDA_EXECUTOR_BUFFER_TOO_SMALL 6

/**
 * An argument is wrong; the message says which and how.
 */
#define LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT -1

/**
 * The configuration is wrong; the message says everything that is, one line each.
 */
#define LAMBDA_EXECUTOR_ERR_INVALID_CONFIG -2

/**
 * The executor is closed, or draining and so accepts no more tasks, or drained and has no more events.
 */
#define LAMBDA_EXECUTOR_ERR_CLOSED -3

/**
 * The executor belongs to the parent of this process. Create one here.
 */
#define LAMBDA_EXECUTOR_ERR_FORKED -4

/**
 * A bug in the library. The executor can only be freed; running invocations go on and can be adopted by another.
 */
#define LAMBDA_EXECUTOR_ERR_PANIC -5

/**
 * AWS did not accept the credentials, or there are none.
 */
#define LAMBDA_EXECUTOR_ERR_CREDENTIALS -6

/**
 * AWS could not be reached or refused a call.
 */
#define LAMBDA_EXECUTOR_ERR_AWS -7

/**
 * The operating system refused something: threads, descriptors, sockets, memory.
 */
#define LAMBDA_EXECUTOR_ERR_IO -8

/**
 * The journal cannot be read or written.
 */
#define LAMBDA_EXECUTOR_ERR_JOURNAL -9

/**
 * This version of the library cannot do that.
 */
#define LAMBDA_EXECUTOR_ERR_UNSUPPORTED -10

/**
 * The task's event is larger than option max_payload_bytes allows.
 */
#define LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE -11

/**
 * There is no such task.
 */
#define LAMBDA_EXECUTOR_TASK_UNKNOWN 0

/**
 * Accepted; waits for a slot, for the service, or for its next attempt.
 */
#define LAMBDA_EXECUTOR_TASK_QUEUED 1

/**
 * An Invoke is under way.
 */
#define LAMBDA_EXECUTOR_TASK_SUBMITTING 2

/**
 * Lambda has accepted the event. The command may start much later.
 */
#define LAMBDA_EXECUTOR_TASK_RUNNING 3

/**
 * Final: the command ended with return code 0.
 */
#define LAMBDA_EXECUTOR_TASK_SUCCEEDED 4

/**
 * Final: it ended otherwise, or could not be run.
 */
#define LAMBDA_EXECUTOR_TASK_FAILED 5

/**
 * Final: cancelled by the host, or handed back by a drain.
 */
#define LAMBDA_EXECUTOR_TASK_CANCELLED 6

/**
 * Final: neither a result nor a dead letter arrived before the deadline (option result_timeout_ms).
 */
#define LAMBDA_EXECUTOR_TASK_LOST 7

/**
 * The state is not a final one.
 */
#define LAMBDA_EXECUTOR_REASON_NONE 0

/**
 * The command ended by itself; the return code tells how.
 */
#define LAMBDA_EXECUTOR_REASON_EXIT 1

/**
 * A signal ended the command.
 */
#define LAMBDA_EXECUTOR_REASON_SIGNAL 2

/**
 * The command ran over its time limit.
 */
#define LAMBDA_EXECUTOR_REASON_TIMEOUT 3

/**
 * The task waited longer than its max_wait_ms to be submitted.
 */
#define LAMBDA_EXECUTOR_REASON_EXPIRED 4

/**
 * Lambda gave up on the event and put it into the dead letter queue.
 */
#define LAMBDA_EXECUTOR_REASON_DEAD_LETTER 5

/**
 * Invoke failed for good.
 */
#define LAMBDA_EXECUTOR_REASON_INVOKE_FAILED 6

/**
 * Nothing was heard of the task before its deadline.
 */
#define LAMBDA_EXECUTOR_REASON_LOST 7

/**
 * Cancelled before Lambda had accepted it: it never ran, and will not.
 */
#define LAMBDA_EXECUTOR_REASON_NEVER_INVOKED 8

/**
 * Cancelled when Lambda had, or may have, accepted it: it may run or have run.
 */
#define LAMBDA_EXECUTOR_REASON_ABANDONED 9

/**
 * The function could not prepare the command.
 */
#define LAMBDA_EXECUTOR_REASON_SETUP_FAILED 10

/**
 * The function refused the event as malformed.
 */
#define LAMBDA_EXECUTOR_REASON_BAD_EVENT 11

/**
 * The function may not report to the queue that the event named.
 */
#define LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED 12

/**
 * No records at all.
 */
#define LAMBDA_EXECUTOR_LOG_OFF 0

/**
 * Something is wrong, and somebody should look at it.
 */
#define LAMBDA_EXECUTOR_LOG_ERROR 1

/**
 * Something is wrong, and the library goes on by itself. The level without a callback.
 */
#define LAMBDA_EXECUTOR_LOG_WARN 2

/**
 * What goes on, now and then.
 */
#define LAMBDA_EXECUTOR_LOG_INFO 3

/**
 * What happens to each task.
 */
#define LAMBDA_EXECUTOR_LOG_DEBUG 4

/**
 * Everything.
 */
#define LAMBDA_EXECUTOR_LOG_TRACE 5

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The version of the loaded library, as a number like LAMBDA_EXECUTOR_VERSION.
 */
uint32_t lambda_executor_version(void);

/**
 * The version of the loaded library as text, such as "0.1.0". Static, never NULL.
 */
const char *lambda_executor_version_string(void);

/**
 * The ABI of the loaded library, the number in its SONAME. Differs from LAMBDA_EXECUTOR_ABI_VERSION only where a
 * program was made to load a library that it was not built for.
 */
uint32_t lambda_executor_abi_version(void);

/**
 * The status that the failed call returned, or would have returned. OK for NULL.
 */
lambda_executor_status_t lambda_executor_error_status(const lambda_executor_error_t *err);

/**
 * What happened and what to do about it: one sentence, or some lines. Valid as long as the error. Empty for NULL.
 */
lambda_executor_str_t lambda_executor_error_message(const lambda_executor_error_t *err);

/**
 * Frees an error. NULL is fine.
 */
void lambda_executor_error_free(lambda_executor_error_t *err);

/**
 * Creates an executor from a JSON object of options (see lambda_executor_config_schema) and starts its threads. Never
 * waits on the network: the check of functions and queues runs in the background, tasks wait until it has passed, and
 * lambda_executor_stats tells why they do.
 *
 * config_json, len: the options; NULL reads them from where Airflow has them, as `{"airflow": true}` does. Then the
 * environment is read, once: no other thread may change it (setenv) during this call.
 * ex: set to the executor, which you free with lambda_executor_free; NULL on failure.
 *
 * OK, ERR_INVALID_CONFIG (everything that is wrong, one line each), ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED, ERR_IO.
 */
lambda_executor_status_t lambda_executor_create(const char *config_json,
                                                size_t len,
                                                lambda_executor_t **ex,
                                                lambda_executor_error_t **err);

/**
 * Makes every call on the executor return ERR_CLOSED from now on, those that wait at this moment too. Join your threads
 * after it, then call lambda_executor_free. Never waits. A second call is fine.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_FORKED.
 */
lambda_executor_status_t lambda_executor_close(lambda_executor_t *ex);

/**
 * Frees an executor; NULL is fine. No other call on it may be running or still to come, but its batches and errors may
 * be freed later. Takes at most about option shutdown_grace_ms: pending deletes are done, results that were not
 * acknowledged are given back to their queue. Tasks that were not submitted are dropped, and the log says how many
 * (lambda_executor_drain first, to keep them). Invocations that run go on, and a later executor can adopt them. In a
 * child after fork it returns at once. The log callback gets what waits for it, and has half a second at least to return.
 * Not to be called from the log callback.
 */
void lambda_executor_free(lambda_executor_t *ex);

/**
 * Hands one task in. It is copied, and accepted or not at once; never waits on the network.
 *
 * OK, DUPLICATE, QUEUE_FULL, ERR_INVALID_ARGUMENT, ERR_PAYLOAD_TOO_LARGE, ERR_CLOSED (also while draining), ERR_FORKED,
 * ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_queue(lambda_executor_t *ex,
                                               const lambda_executor_task_t *task,
                                               lambda_executor_error_t **err);

/**
 * Hands n tasks in under one lock: cheaper than n calls, and each is accepted or refused by itself.
 *
 * tasks: an array whose elements are tasks[0].struct_size bytes apart.
 * results: room for n statuses, one for each task as lambda_executor_queue would return it; after a QUEUE_FULL all later
 *   ones are QUEUE_FULL too. May be NULL.
 * accepted: set to the number of OKs. May be NULL.
 * err: tells of the first task that failed (a negative status), though the call returns OK.
 *
 * OK when each task has its status, otherwise what lambda_executor_queue returns, and no task was accepted.
 */
lambda_executor_status_t lambda_executor_queue_batch(lambda_executor_t *ex,
                                                     const lambda_executor_task_t *tasks,
                                                     size_t n,
                                                     lambda_executor_status_t *results,
                                                     size_t *accepted,
                                                     lambda_executor_error_t **err);

/**
 * Hands out events, oldest first; waits for the first one as long as the timeout allows. Several threads may do so at
 * once, each event goes to one of them.
 *
 * timeout_ms: 0 does not wait, -1 waits for ever.
 * max_events: at most so many; 0 is all that wait.
 * batch: set to the events, freed with lambda_executor_batch_free; NULL with every status but OK.
 *
 * OK (at least one event), TIMED_OUT, INTERRUPTED, ERR_CLOSED (closed, or drained and nothing left),
 * ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC, ERR_IO.
 */
lambda_executor_status_t lambda_executor_sync(lambda_executor_t *ex,
                                              int64_t timeout_ms,
                                              size_t max_events,
                                              lambda_executor_batch_t **batch,
                                              lambda_executor_error_t **err);

/**
 * Number of events in a batch. 0 for NULL.
 */
size_t lambda_executor_batch_len(const lambda_executor_batch_t *batch);

/**
 * The event at an index, valid as long as the batch. NULL where there is none.
 */
const lambda_executor_event_t *lambda_executor_batch_event(const lambda_executor_batch_t *batch,
                                                           size_t index);

/**
 * All events of a batch as an array, for language bindings: the first one, their number, and the distance from one to
 * the next in bytes, which is more than sizeof(lambda_executor_event_t) where the library is newer than the header.
 * n and stride may be NULL. Valid as long as the batch; NULL for a batch of NULL.
 */
const lambda_executor_event_t *lambda_executor_batch_events(const lambda_executor_batch_t *batch,
                                                            size_t *n,
                                                            size_t *stride);

/**
 * Frees a batch with its events and strings; NULL is fine. With option ack "auto", the default, this also acknowledges
 * its events: freeing a batch says "I am done with these", and their results leave the queue.
 */
void lambda_executor_batch_free(lambda_executor_batch_t *batch);

/**
 * State of the newest task of a key. Finished tasks stay visible until their final event is acknowledged, and then
 * until option keep_finished more have finished.
 *
 * state: set to one of LAMBDA_EXECUTOR_TASK_..., UNKNOWN where there is no such task.
 *
 * OK, NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_state(lambda_executor_t *ex,
                                               const char *key,
                                               size_t len,
                                               lambda_executor_task_state_t *state,
                                               lambda_executor_error_t **err);

/**
 * Everything about the newest task of a key as a JSON object: state, times, attempts, the last error. For people and
 * their tools; fields may be added.
 *
 * buf, cap: where to put it, with a NUL. NULL and 0 ask for the size only.
 * needed: set to the size in bytes, its NUL included. May be NULL.
 *
 * OK, BUFFER_TOO_SMALL (nothing written), NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_describe(lambda_executor_t *ex,
                                                  const char *key,
                                                  size_t len,
                                                  char *buf,
                                                  size_t cap,
                                                  size_t *needed,
                                                  lambda_executor_error_t **err);

/**
 * How many tasks and events are where. Cheap enough for every heartbeat.
 *
 * counts: set struct_size before the call; zero on failure but for it.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_counts(lambda_executor_t *ex,
                                                lambda_executor_counts_t *counts);

/**
 * Cancels tasks by key. One that waits never runs; one that was submitted is given up: its slot is free at once, and a
 * late result is thrown away. Each gets a CANCELLED event.
 *
 * results: room for n statuses: OK, NOT_FOUND (finished or unknown), ERR_INVALID_ARGUMENT. May be NULL.
 * err: tells of the first key that failed (a negative status), though the call returns OK.
 *
 * OK when each key has its status, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_cancel(lambda_executor_t *ex,
                                                const lambda_executor_str_t *keys,
                                                size_t n,
                                                lambda_executor_status_t *results,
                                                lambda_executor_error_t **err);

/**
 * Takes over tasks that an executor of an earlier process submitted: they are tracked as running, count against limits,
 * and get their final events here. Read of each task: key, tag, queue, attempt_id; timeout_ms is checked
 * and of no effect, since option result_timeout_ms says when a task of which nothing was heard is LOST.
 *
 * With an attempt_id (from the task's RUNNING event), only results of that submission end the task, and those that tell
 * none (of Airflow's function). Without, results are matched by the key alone: what any earlier submission of the key
 * left in the queue is taken for this one's, so use a new key for each try, or keep the attempt_id.
 *
 * To be able to restart, write each key down before `queue`, and its attempt_id when RUNNING tells it. Then, of a task that
 * had no final event: with a RUNNING event it was submitted, adopt it. Without one it may have been submitted or not:
 * to adopt it runs it once at most, and where it was not submitted it is LOST in the end (option result_timeout_ms); to
 * queue it again runs it once at least, and perhaps twice. With option running_events false this is so of all tasks.
 *
 * results: room for n statuses: OK, DUPLICATE (key or attempt_id is already tracked), ERR_INVALID_ARGUMENT, ERR_CLOSED. May be NULL.
 * err: tells of the first task that failed (a negative status), though the call returns OK.
 *
 * OK when each task has its status, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_adopt(lambda_executor_t *ex,
                                               const lambda_executor_task_t *tasks,
                                               size_t n,
                                               lambda_executor_status_t *results,
                                               lambda_executor_error_t **err);

/**
 * Accepts no more tasks from now on, and waits until those accepted have finished. Needs nobody to call `sync` or to
 * acknowledge meanwhile, up to 100,000 results that wait for it. Afterwards `queue` returns ERR_CLOSED, and `sync` hands out what is left, then returns
 * ERR_CLOSED. May be called again: to wait on, or to go from FINISH to RUNNING.
 *
 * flags: LAMBDA_EXECUTOR_DRAIN_FINISH or LAMBDA_EXECUTOR_DRAIN_RUNNING.
 * timeout_ms: 0 does not wait, -1 waits for ever, LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED as long as option end_wait_timeout
 *   says.
 * remaining: set to the number of tasks that have not finished. May be NULL.
 *
 * OK (nothing remains), TIMED_OUT, INTERRUPTED, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC, ERR_IO.
 */
lambda_executor_status_t lambda_executor_drain(lambda_executor_t *ex,
                                               uint32_t flags,
                                               int64_t timeout_ms,
                                               uint64_t *remaining,
                                               lambda_executor_error_t **err);

/**
 * With option ack "manual": these events are safe with the host, and their results may leave the queue. Only final
 * events need it; RUNNING, repeated and unknown numbers are fine. Not needed with "auto", where lambda_executor_batch_free says it.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_ack(lambda_executor_t *ex,
                                             const uint64_t *seqs,
                                             size_t n,
                                             lambda_executor_error_t **err);

/**
 * A descriptor for poll or epoll: readable exactly while events wait that have not been handed out (and once the
 * executor is closed or broken, so that a loop learns of it from its next `sync`). Call `sync` with timeout 0 when it is.
 * Never read, write or close it; it lives as long as the executor.
 *
 * The descriptor, or a negative status: ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
int32_t lambda_executor_wakeup_fd(lambda_executor_t *ex);

/**
 * Ends every wait in progress (`sync`, `drain`, `check_health`) with INTERRUPTED, or the next one where there is none.
 * The only function that may be called in a signal handler; keeps errno.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_wake(lambda_executor_t *ex);

/**
 * Asks AWS now whether the functions are there and active and the queues can be used; the error says which is not, and
 * why. What works and still does not fit, such as a queue that takes shorter messages than may arrive, is logged as a
 * warning and listed in lambda_executor_stats. Where all is well, tasks that wait for an earlier check, for credentials or
 * for a queue are tried at once.
 *
 * timeout_ms: 0 does not wait for the answer, -1 waits as long as it takes. While a check is under way, further calls
 *   wait for that one; and an answer that no call waited for is told by the next one within a minute. So a host that
 *   must not wait can start a check with 0 and ask with 0 again.
 *
 * OK (all is well), TIMED_OUT, INTERRUPTED, ERR_AWS, ERR_CREDENTIALS, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED,
 * ERR_PANIC, ERR_IO.
 */
lambda_executor_status_t lambda_executor_check_health(lambda_executor_t *ex,
                                                      int64_t timeout_ms,
                                                      lambda_executor_error_t **err);

/**
 * Gives new AWS credentials to a running executor, for hosts that keep and renew them themselves. Every call to AWS that
 * starts from now on is made with them, in place of what option credentials, a profile, the AWS default chain or a role
 * gave before; whatever waits because the old ones were refused is tried at once. Running tasks are not touched. With
 * option local they must be a pair that the local AWS knows.
 *
 * json, len: an object with access_key_id, secret_access_key and, for temporary ones, session_token.
 *
 * OK, ERR_INVALID_ARGUMENT (the message repeats nothing of the text), ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_set_credentials(lambda_executor_t *ex,
                                                         const char *json,
                                                         size_t len,
                                                         lambda_executor_error_t **err);

/**
 * Counters, gauges, latency histograms and health as a JSON object. Fields may be added.
 *
 * buf, cap: where to put it, with a NUL. NULL and 0 ask for the size only, which may have grown by the next call.
 * needed: set to the size in bytes, its NUL included. May be NULL.
 *
 * OK, BUFFER_TOO_SMALL (nothing written), ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_stats(lambda_executor_t *ex,
                                               char *buf,
                                               size_t cap,
                                               size_t *needed,
                                               lambda_executor_error_t **err);

/**
 * Sends log records to the host, instead of to stderr. When this returns, the callback before it is not running any
 * more and is not called again (unless it is the callback itself that calls this: then once it returns).
 *
 * lambda_executor_free leaves a callback behind that has not returned by the end of its grace: it and its user_data must
 * stay valid until it does. To be sure that it is done, call this with NULL before, also after lambda_executor_close.
 *
 * callback: NULL goes back to stderr; allowed on closed and broken executors too.
 * user_data: passed to each call.
 * level: LAMBDA_EXECUTOR_LOG_...; records of the AWS SDK and other parts come at ERROR only.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
lambda_executor_status_t lambda_executor_set_log_callback(lambda_executor_t *ex,
                                                          lambda_executor_log_callback_t callback,
                                                          void *user_data,
                                                          lambda_executor_log_level_t level,
                                                          lambda_executor_error_t **err);

/**
 * The name of a status, as in the header without LAMBDA_EXECUTOR_: "OK", "TIMED_OUT", "ERR_CLOSED". Static, never NULL;
 * "unknown" for other numbers.
 */
const char *lambda_executor_status_name(lambda_executor_status_t status);

/**
 * The name of a task's state in lower case, as in JSON: "queued", "succeeded". Static, never NULL; "unknown" for
 * LAMBDA_EXECUTOR_TASK_UNKNOWN and other numbers.
 */
const char *lambda_executor_task_state_name(lambda_executor_task_state_t state);

/**
 * The name of a reason in lower case, as in JSON: "exit", "dead_letter". Static, never NULL; "none" for
 * LAMBDA_EXECUTOR_REASON_NONE, "unknown" for other numbers.
 */
const char *lambda_executor_reason_name(lambda_executor_reason_t reason);

/**
 * The JSON Schema of the configuration that lambda_executor_create takes: every option with its type, default, range
 * and a sentence. NUL-terminated UTF-8, made once, never freed, never NULL.
 */
const char *lambda_executor_config_schema(void);

#ifdef __cplusplus
}
#endif

#endif  /* LAMBDA_EXECUTOR_H */
