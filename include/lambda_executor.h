/*
 * lambda_executor.h - runs tasks on AWS Lambda and reports their results.
 *
 * Generated from src/ffi by build.rs: do not edit.
 *
 * In short
 *   Create an executor with lambda_executor_create and submit tasks with lambda_executor_queue.
 *   Call lambda_executor_sync in a loop: it returns a batch of events. Store what you need of them,
 *   acknowledge the batch with lambda_executor_batch_ack, and free it with
 *   lambda_executor_batch_free. At the end free the executor with lambda_executor_free.
 *
 * Rules for every function
 *   - A status is 0 (success), positive (flow control, no error object) or negative (failure).
 *   - The last parameter `err` may be NULL: then no error object is made. Otherwise it is set to
 *     NULL, or with a negative status to an error that you free with lambda_executor_error_free.
 *   - Other out parameters are set to NULL, 0 or empty when a call fails.
 *   - Strings in are a pointer and a length in bytes, or LAMBDA_EXECUTOR_NUL for "up to the NUL".
 *     They are UTF-8, and copied before the call returns. NULL with length 0 is an empty string.
 *   - Strings out belong to the batch, error or library that returned them. A NUL follows them.
 *   - Structs that you fill start with `struct_size`: initialise them with their _INIT macro.
 *     Structs that the library fills may grow at their end in a later version: step through an
 *     array of them by the stride that you were given.
 *   - Numbers of elements are at most LAMBDA_EXECUTOR_MAX_BATCH. A larger n is
 *     ERR_INVALID_ARGUMENT, and no array is read or written.
 *   - Timeouts are in milliseconds: 0 does not wait, -1 waits without limit. Truth values are 0 and
 *     1.
 *   - Every function may be called from any thread at any time, except lambda_executor_free: no
 *     other call on the same executor may be running or follow. Executors, batches and errors may
 *     be freed in any order.
 *   - After fork, a call in the child on an executor of the parent does nothing and returns
 *     ERR_FORKED. The child may create executors of its own.
 *   - The library blocks all signals in its threads, installs no signal handler and no atexit
 *     function, never changes the environment, and writes nothing but its log (to stderr while no
 *     callback is set).
 *   - If memory runs out, the process is aborted.
 *
 * The library needs Linux. Licence: Apache-2.0.
 */

#ifndef LAMBDA_EXECUTOR_H
#define LAMBDA_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

/** Visibility of the functions. Define it before the include to change it. */
#ifndef LAMBDA_EXECUTOR_EXPORT
#ifdef __GNUC__
#define LAMBDA_EXECUTOR_EXPORT __attribute__((visibility("default")))
#else
#define LAMBDA_EXECUTOR_EXPORT
#endif
#endif

/** The compiler warns if the status of the function is ignored. */
#ifndef LAMBDA_EXECUTOR_MUST_CHECK
#ifdef __GNUC__
#define LAMBDA_EXECUTOR_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LAMBDA_EXECUTOR_MUST_CHECK
#endif
#endif

/** `inline`, which C89 does not have. */
#ifdef __GNUC__
#define LAMBDA_EXECUTOR_INLINE __inline__
#else
#define LAMBDA_EXECUTOR_INLINE inline
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Objects --------------------------------------------------------------------------------- */

/**
 * Why a call failed, for people. Created by the failed call, valid until it is freed, also after
 * its executor.
 */
typedef struct lambda_executor_error lambda_executor_error_t;

/** An executor: configuration, threads, connections, and the tasks that it tracks. */
typedef struct lambda_executor lambda_executor_t;

/**
 * Events with their strings. Belongs to the caller that received it, valid until it is freed, also
 * after its executor. Several threads may read it at once.
 */
typedef struct lambda_executor_batch lambda_executor_batch_t;

/* ---- Versions -------------------------------------------------------------------------------- */

#define LAMBDA_EXECUTOR_VERSION     2000u /**< Major * 1000000 + minor * 1000 + patch. */
#define LAMBDA_EXECUTOR_ABI_VERSION    1u /**< The number in the SONAME. */

/** Returns the version of the loaded library, in the form of LAMBDA_EXECUTOR_VERSION. */
LAMBDA_EXECUTOR_EXPORT uint32_t lambda_executor_version(void);

/** Returns the version of the loaded library as text, such as "0.2.0". Static, never NULL. */
LAMBDA_EXECUTOR_EXPORT const char *lambda_executor_version_string(void);

/**
 * Returns the ABI of the loaded library. A program that was built with one ABI runs with every
 * later library of the same ABI. The value differs from LAMBDA_EXECUTOR_ABI_VERSION only where a
 * program loads a library that it was not built for.
 */
LAMBDA_EXECUTOR_EXPORT uint32_t lambda_executor_abi_version(void);

/* ---- Statuses -------------------------------------------------------------------------------- */

/** Result of a call: 0 success, positive flow control (no error object), negative failure. */
typedef int32_t lambda_executor_status_t;

#define LAMBDA_EXECUTOR_OK                        0 /**< Success. */
#define LAMBDA_EXECUTOR_TIMED_OUT                 1 /**< The timeout passed. */
#define LAMBDA_EXECUTOR_INTERRUPTED               2 /**< A signal or `wake` ended the wait. */
#define LAMBDA_EXECUTOR_QUEUE_FULL                3 /**< Not accepted: max_queued_tasks reached. */
#define LAMBDA_EXECUTOR_DUPLICATE                 4 /**< Not accepted: key or attempt in use. */
#define LAMBDA_EXECUTOR_NOT_FOUND                 5 /**< No such task, or it has finished. */
#define LAMBDA_EXECUTOR_BUFFER_TOO_SMALL          6 /**< Nothing was written; see `needed`. */
#define LAMBDA_EXECUTOR_PARTIAL                   7 /**< Not every entry is OK; see `results`. */
#define LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT   (-1) /**< The message names the argument. */
#define LAMBDA_EXECUTOR_ERR_INVALID_CONFIG     (-2) /**< The message lists every mistake. */
#define LAMBDA_EXECUTOR_ERR_CLOSED             (-3) /**< Closed, draining, or fully drained. */
#define LAMBDA_EXECUTOR_ERR_FORKED             (-4) /**< The executor belongs to the parent. */
#define LAMBDA_EXECUTOR_ERR_PANIC              (-5) /**< A bug in the library. */
#define LAMBDA_EXECUTOR_ERR_CREDENTIALS        (-6) /**< AWS credentials missing or rejected. */
#define LAMBDA_EXECUTOR_ERR_AWS                (-7) /**< AWS unreachable, or it refused a call. */
#define LAMBDA_EXECUTOR_ERR_IO                 (-8) /**< The operating system refused a call. */
#define LAMBDA_EXECUTOR_ERR_JOURNAL            (-9) /**< Reserved for the journal. */
#define LAMBDA_EXECUTOR_ERR_UNSUPPORTED       (-10) /**< Not supported by this version. */
#define LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE (-11) /**< Larger than option max_payload_bytes. */

/**
 * Returns the name of a status without its prefix: "OK", "TIMED_OUT", "ERR_CLOSED". Static, never
 * NULL; "unknown" for other numbers.
 */
LAMBDA_EXECUTOR_EXPORT const char *lambda_executor_status_name(lambda_executor_status_t status);

/**
 * Returns a sentence about a status, for a host that has no error object to print, such as for an
 * entry of `results`. Static, never NULL; "unknown status" for other numbers.
 */
LAMBDA_EXECUTOR_EXPORT const char *lambda_executor_status_string(lambda_executor_status_t status);

/* ---- Strings --------------------------------------------------------------------------------- */

/** As the length of a string: it ends at its NUL. */
#define LAMBDA_EXECUTOR_NUL ((size_t)-1)

/** A string: `len` bytes at `ptr`. */
typedef struct lambda_executor_str_s {
  /** First byte. NULL is an empty string in strings in; in strings out it is never NULL. */
  const char *ptr;
  /**
   * Number of bytes, without the NUL that follows in strings out. In strings in, also
   * LAMBDA_EXECUTOR_NUL.
   */
  size_t len;
} lambda_executor_str_t;

/** A string literal as a lambda_executor_str_t, in C99, C++11 and later. */
#ifdef __cplusplus
#define LAMBDA_EXECUTOR_STR(literal) (lambda_executor_str_t{"" literal, sizeof("" literal) - 1})
#else
#define LAMBDA_EXECUTOR_STR(literal) \
  ((lambda_executor_str_t){"" literal, sizeof("" literal) - 1})
#endif

/** A NUL-terminated string as a lambda_executor_str_t; NULL is an empty string. */
static LAMBDA_EXECUTOR_INLINE lambda_executor_str_t lambda_executor_str(const char *text) {
  lambda_executor_str_t str;
  str.ptr = text;
  str.len = LAMBDA_EXECUTOR_NUL;
  return str;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/** Returns the status that the failed call returned. OK for NULL. */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_error_status(const lambda_executor_error_t *err);

/**
 * Returns what happened and what to do about it, one sentence or some lines, with its length.
 * Valid as long as the error. Empty for NULL.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_str_t
lambda_executor_error_message(const lambda_executor_error_t *err);

/** Returns the same message NUL-terminated, for printf. Valid as long as the error. "" for NULL. */
LAMBDA_EXECUTOR_EXPORT const char *lambda_executor_error_cstr(const lambda_executor_error_t *err);

/**
 * Returns AWS's error code, such as "AccessDeniedException", or a name of this library for what
 * did not reach AWS, such as "ConnectionFailed". "" where the error does not come from a call to
 * AWS, and for NULL. Valid as long as the error.
 */
LAMBDA_EXECUTOR_EXPORT const char *
lambda_executor_error_aws_code(const lambda_executor_error_t *err);

/**
 * Returns AWS's id of the failed request, for AWS's support. "" where AWS did not answer, and for
 * NULL. Valid as long as the error.
 */
LAMBDA_EXECUTOR_EXPORT const char *
lambda_executor_error_request_id(const lambda_executor_error_t *err);

/**
 * Returns 1 if the same call may succeed later without a change by the operator: AWS was not
 * reached, failed, or throttled the call. 0 for other errors and for NULL.
 */
LAMBDA_EXECUTOR_EXPORT int32_t
lambda_executor_error_is_retriable(const lambda_executor_error_t *err);

/** Frees an error. NULL is allowed. */
LAMBDA_EXECUTOR_EXPORT void lambda_executor_error_free(lambda_executor_error_t *err);

/* ---- An executor: create, close, free -------------------------------------------------------- */

/**
 * Returns the JSON Schema of the configuration that lambda_executor_create reads: every option
 * with its type, default, range and a description. NUL-terminated UTF-8, static, never NULL.
 */
LAMBDA_EXECUTOR_EXPORT const char *lambda_executor_config_schema(void);

/**
 * Creates an executor from a JSON object of options (see lambda_executor_config_schema) and starts
 * its threads. Never waits on the network: the check of functions and queues runs in the
 * background, tasks wait until it has passed, and lambda_executor_stats reports why they wait.
 *
 * The environment is read once, during this call. No other thread may change it (setenv)
 * meanwhile, nor while the AWS SDK may read it later, on a thread of the executor.
 *
 * The SDK looks for credentials if none are given (by option credentials or by a connection's
 * login) and AWS_ACCESS_KEY_ID is not set, or if a connection names a profile: at the first call
 * to AWS and whenever they are renewed, until lambda_executor_set_credentials or
 * lambda_executor_free. It reads HOME, AWS_PROFILE, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE,
 * and the variables of keys, roles, web identities, containers and EC2 metadata; the program of a
 * credential_process inherits all variables.
 *
 * The SDK asks EC2 for the region if neither option region_name, AWS_REGION, AWS_DEFAULT_REGION
 * nor the profile names one: at the first call to AWS, and again after credentials were rejected.
 * It reads the variables of EC2 metadata. With option local nothing is read later.
 *
 * Create it after daemonising: the executor uses descriptors and threads of this process. Once the
 * host has closed the descriptors, calls that wait fail with ERR_IO, and free leaves threads and
 * memory behind. Of descriptors 0, 1 and 2, those that are closed are opened as /dev/null and stay
 * so.
 *
 * ERR_IO includes limits of the process: RLIMIT_NPROC or the cgroup's pids.max too low for the
 * threads, RLIMIT_NOFILE for the descriptors, RLIMIT_AS for the threads' stacks. An allocation that
 * fails aborts the process.
 *
 * config_json, len: the options. NULL reads Airflow's configuration, as `{"airflow": true}` does.
 * ex: set to the executor, to be freed with lambda_executor_free. NULL on failure.
 *
 * OK, ERR_INVALID_CONFIG (every mistake, one line each), ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED,
 * ERR_IO, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_create(const char *config_json, size_t len, lambda_executor_t **ex,
                       lambda_executor_error_t **err);

/**
 * Closes an executor: calls that submit or wait return ERR_CLOSED from now on, also those that
 * wait at this moment. Join your threads after it, then call lambda_executor_free. Acknowledging
 * events and all questions (`ack`, `batch_ack`, `state`, `describe`, `counts`, `stats`) work until
 * then, so that a thread can finish its batch. Never waits. A second call does nothing.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_FORKED.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t lambda_executor_close(lambda_executor_t *ex);

/**
 * Frees an executor. NULL is allowed. No other call on it may be running or follow, but its
 * batches and errors may be freed later.
 *
 * Takes about option shutdown_grace_ms at most: acknowledged results are deleted from their queue,
 * all others are released. Tasks that were not submitted are dropped (to keep them, call
 * lambda_executor_drain before). Invocations that run continue, and a later executor can adopt
 * them. In a forked child it does nothing and returns at once.
 *
 * The log callback receives the records that wait for it, and has half a second at least to
 * return. It may use the executor until then; calls that submit or wait return ERR_CLOSED. It must
 * not call lambda_executor_free.
 *
 * dropped: set to the number of tasks that were dropped. May be NULL.
 */
LAMBDA_EXECUTOR_EXPORT void lambda_executor_free(lambda_executor_t *ex, uint64_t *dropped);

/* ---- States and reasons ---------------------------------------------------------------------- */

/** State of a task, one of LAMBDA_EXECUTOR_TASK_... Every state from SUCCEEDED on is final. */
typedef int32_t lambda_executor_task_state_t;

#define LAMBDA_EXECUTOR_TASK_UNKNOWN    0 /**< No such task. */
#define LAMBDA_EXECUTOR_TASK_QUEUED     1 /**< Accepted; waits for its next Invoke. */
#define LAMBDA_EXECUTOR_TASK_SUBMITTING 2 /**< An Invoke is in flight, or its answer was lost. */
#define LAMBDA_EXECUTOR_TASK_RUNNING    3 /**< Lambda accepted it; it may start much later. */
#define LAMBDA_EXECUTOR_TASK_SUCCEEDED  4 /**< Final: the command returned 0. */
#define LAMBDA_EXECUTOR_TASK_FAILED     5 /**< Final: any other known outcome; see the reason. */
#define LAMBDA_EXECUTOR_TASK_CANCELLED  6 /**< Final: cancelled by the host or by a drain. */
#define LAMBDA_EXECUTOR_TASK_LOST       7 /**< Final: no result before its deadline. */

/** Why a task ended, one of LAMBDA_EXECUTOR_REASON_... */
typedef int32_t lambda_executor_reason_t;

#define LAMBDA_EXECUTOR_REASON_NONE              0 /**< The state is not final. */
#define LAMBDA_EXECUTOR_REASON_EXIT              1 /**< The command ended; see return_code. */
#define LAMBDA_EXECUTOR_REASON_SIGNAL            2 /**< A signal ended the command. */
#define LAMBDA_EXECUTOR_REASON_TIMEOUT           3 /**< The command exceeded its time limit. */
#define LAMBDA_EXECUTOR_REASON_EXPIRED           4 /**< Not submitted within its max_wait_ms. */
#define LAMBDA_EXECUTOR_REASON_DEAD_LETTER       5 /**< Lambda gave up on the event. */
#define LAMBDA_EXECUTOR_REASON_INVOKE_FAILED     6 /**< No answer says that Lambda accepted it. */
#define LAMBDA_EXECUTOR_REASON_LOST              7 /**< No result before its deadline. */
#define LAMBDA_EXECUTOR_REASON_NEVER_INVOKED     8 /**< Cancelled; it never ran and never will. */
#define LAMBDA_EXECUTOR_REASON_ABANDONED         9 /**< Cancelled; it may run or have run. */
#define LAMBDA_EXECUTOR_REASON_SETUP_FAILED     10 /**< The command could not be prepared. */
#define LAMBDA_EXECUTOR_REASON_BAD_EVENT        11 /**< The function rejected the event. */
#define LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED 12 /**< The function may not use that queue. */
#define LAMBDA_EXECUTOR_REASON_BAD_RESULT       13 /**< Its result has no usable return code. */
#define LAMBDA_EXECUTOR_REASON_VALUE_TOO_LARGE  14 /**< Its result file could not be sent. */

/**
 * Returns the name of a task's state in lower case, as in JSON: "queued", "succeeded". Static,
 * never NULL; "unknown" for LAMBDA_EXECUTOR_TASK_UNKNOWN and other numbers.
 */
LAMBDA_EXECUTOR_EXPORT const char *
lambda_executor_task_state_name(lambda_executor_task_state_t state);

/**
 * Returns the name of a reason in lower case, as in JSON: "exit", "dead_letter". Static, never
 * NULL; "none" for LAMBDA_EXECUTOR_REASON_NONE, "unknown" for other numbers.
 */
LAMBDA_EXECUTOR_EXPORT const char *lambda_executor_reason_name(lambda_executor_reason_t reason);

/**
 * Looks up the state of the newest task of a key. A finished task stays visible until its final
 * event is acknowledged, and then until option keep_finished more have finished. Works until the
 * executor is freed, also after lambda_executor_close.
 *
 * state: set to one of LAMBDA_EXECUTOR_TASK_..., UNKNOWN where there is no such task.
 *
 * OK, NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_state(const lambda_executor_t *ex, const char *key, size_t len,
                      lambda_executor_task_state_t *state, lambda_executor_error_t **err);

/**
 * Writes all that is known about the newest task of a key as a JSON object: state, times,
 * attempts, the last error. For people and their tools; members may be added. Works until the
 * executor is freed, also after lambda_executor_close.
 *
 * buf, cap: where to write it, with a NUL. NULL and 0 ask for the size only.
 * needed: set to the size in bytes, including the NUL. May be NULL.
 *
 * OK, BUFFER_TOO_SMALL, NOT_FOUND, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_describe(const lambda_executor_t *ex, const char *key, size_t len, char *buf,
                         size_t cap, size_t *needed, lambda_executor_error_t **err);

/* ---- Tasks: queue, adopt, cancel ------------------------------------------------------------- */

/**
 * A task to run. Initialise it with LAMBDA_EXECUTOR_TASK_INIT, set `key` and a command. It is
 * copied before the call returns.
 */
typedef struct lambda_executor_task {
  /** sizeof(lambda_executor_task_t). In an array of tasks, the same in all of them. */
  uint32_t struct_size;
  /** Must be 0. */
  uint32_t flags;
  /** A number of the host, returned in every event of the task. */
  uint64_t tag;
  /**
   * Name of the task: 1 to LAMBDA_EXECUTOR_MAX_KEY_BYTES bytes of UTF-8 without a NUL, unique
   * among unfinished tasks.
   */
  lambda_executor_str_t key;
  /**
   * The command as a program and its arguments, each NUL-terminated. Either this or command_json.
   */
  const char *const *argv;
  /** Number of strings in argv. */
  size_t argc;
  /**
   * The command as JSON: a list of strings (program and arguments), or one string (for the shell).
   */
  lambda_executor_str_t command_json;
  /**
   * A JSON object that the function receives as `executor_config`. Empty: {}. With option
   * allow_task_overrides, its members function_qualifier and timeout_ms are checked and used for
   * the invocation of this task.
   */
  lambda_executor_str_t executor_config_json;
  /**
   * Name of the route (option queues). Empty: the default route. Without option queues the name is
   * ignored, and every task uses option function_name.
   */
  lambda_executor_str_t queue;
  /**
   * Time limit of the command in ms. 0: only the limit of the function. With option
   * allow_task_overrides, a timeout_ms in executor_config_json replaces it.
   */
  int64_t timeout_ms;
  /**
   * FAILED with reason EXPIRED after waiting so many ms to be submitted. 0: no limit. A task of
   * which an answer of Lambda was lost may run: it waits for its result instead.
   */
  int64_t max_wait_ms;
  /**
   * LOST after so many ms without a result, counted from the submission, or from
   * lambda_executor_adopt. 0: option result_timeout_ms.
   */
  int64_t result_timeout_ms;
  /**
   * Which submission of the key this is, a UUID of 36 characters. For lambda_executor_queue, from
   * lambda_executor_new_attempt_id; empty: the executor makes one. For lambda_executor_adopt, the
   * one of the task's submission, from its events or the host's own records; empty: any.
   */
  lambda_executor_str_t attempt_id;
} lambda_executor_task_t;

/** Initialiser of a lambda_executor_task_t: no command, every limit its default. */
#define LAMBDA_EXECUTOR_TASK_INIT \
  {sizeof(lambda_executor_task_t), 0, 0, {NULL, 0}, NULL, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, \
   0, 0, 0, {NULL, 0}}

#define LAMBDA_EXECUTOR_MAX_KEY_BYTES    8192u /**< Longest key of a task. */
#define LAMBDA_EXECUTOR_MAX_BATCH     1000000u /**< Entries in one batch call. */

/**
 * Submits one task. It is copied, and accepted or refused at once. Never waits on the network.
 *
 * OK, DUPLICATE, QUEUE_FULL, ERR_INVALID_ARGUMENT, ERR_PAYLOAD_TOO_LARGE, ERR_CLOSED (also while
 * draining), ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_queue(lambda_executor_t *ex, const lambda_executor_task_t *task,
                      lambda_executor_error_t **err);

/**
 * Submits n tasks in one call, which is cheaper than n calls. Each is accepted or refused by
 * itself.
 *
 * tasks: an array whose elements are tasks[0].struct_size bytes apart.
 * n: at most LAMBDA_EXECUTOR_MAX_BATCH.
 * results: room for n statuses, one for each task as lambda_executor_queue would return it; all
 *   tasks after a QUEUE_FULL are QUEUE_FULL too. May be NULL.
 * accepted: set to the number of tasks that are OK. May be NULL.
 * first_error: with PARTIAL, set to the error of the first task whose status is negative, which
 *   you free; otherwise NULL. May be NULL, and may be the same pointer as err.
 *
 * OK if every task is OK, PARTIAL if not; ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED and
 * ERR_PANIC if no task was accepted.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_queue_batch(lambda_executor_t *ex, const lambda_executor_task_t *tasks, size_t n,
                            lambda_executor_status_t *results, size_t *accepted,
                            lambda_executor_error_t **first_error, lambda_executor_error_t **err);

#define LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE 37u /**< Size of an attempt_id with its NUL. */

/**
 * Creates a random attempt_id, a version 4 UUID. A host with a database stores it with the task
 * before it calls lambda_executor_queue: after a crash it can adopt exactly that submission, or
 * submit it again with the same attempt_id.
 *
 * id: set to 36 characters and a NUL; empty on failure.
 *
 * OK, ERR_INVALID_ARGUMENT (id is NULL), ERR_IO (the kernel has no random bytes), ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_new_attempt_id(char id[LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE]);

/**
 * Tracks tasks that an executor of an earlier process submitted: they count as running, count
 * against limits, and get their final events here. Read of each task: key, tag, queue, attempt_id
 * and result_timeout_ms, which counts from this call; timeout_ms is checked and has no effect.
 *
 * With an attempt_id, only results of that submission end the task, and results without an id (of
 * Airflow's function). Without one, results match by the key alone: whatever an earlier submission
 * of the key left in the queue ends it. So use a new key for each try, or store the attempt_id.
 *
 * To be able to restart, store key and attempt_id (lambda_executor_new_attempt_id) before
 * lambda_executor_queue. After a crash, a stored task without a final event may have been
 * submitted or not: adopting it runs it at most once, and if it was not submitted it is LOST in
 * the end; queueing it again runs it at least once.
 *
 * n: at most LAMBDA_EXECUTOR_MAX_BATCH.
 * results: room for n statuses: OK, DUPLICATE (key or attempt_id is already tracked),
 *   ERR_INVALID_ARGUMENT, ERR_CLOSED. May be NULL.
 * first_error: as for lambda_executor_queue_batch.
 *
 * OK if every task is OK, PARTIAL if not; ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED and
 * ERR_PANIC if no task was adopted.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_adopt(lambda_executor_t *ex, const lambda_executor_task_t *tasks, size_t n,
                      lambda_executor_status_t *results, lambda_executor_error_t **first_error,
                      lambda_executor_error_t **err);

/**
 * Cancels tasks by key. A task that waits is never submitted. A task that was submitted is
 * abandoned: its slot is free at once, and a late result is discarded. Each gets a CANCELLED
 * event.
 *
 * keys, n: the keys, at most LAMBDA_EXECUTOR_MAX_BATCH.
 * results: room for n statuses: OK, NOT_FOUND (finished or unknown), ERR_INVALID_ARGUMENT. May be
 *   NULL.
 * first_error: as for lambda_executor_queue_batch.
 *
 * OK if every key is OK, PARTIAL if not; ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED and
 * ERR_PANIC if no task was cancelled.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_cancel(lambda_executor_t *ex, const lambda_executor_str_t *keys, size_t n,
                       lambda_executor_status_t *results, lambda_executor_error_t **first_error,
                       lambda_executor_error_t **err);

/* ---- Events: sync, acknowledge --------------------------------------------------------------- */

/**
 * One change of a task. Valid as long as its batch. Times are Unix time in ms, 0 where not known.
 *
 * Which fields go together, by reason:
 *
 *   reason            state      return_code   signal  times of the run  output, value
 *   NONE              RUNNING    no            0       no                no
 *   EXIT              SUCCEEDED  0             0       yes               yes
 *   EXIT              FAILED     1 to 255      0       yes               yes
 *   SIGNAL            FAILED     -signal       n       yes               yes
 *   TIMEOUT           FAILED     124           n or 0  yes               yes
 *   SETUP_FAILED      FAILED     126 or 127    0       perhaps           perhaps
 *   VALUE_TOO_LARGE   FAILED     1             0       yes               output only
 *   BAD_EVENT         FAILED     perhaps       0       no                no
 *   REPLY_TO_REFUSED  FAILED     no            0       no                no
 *   BAD_RESULT        FAILED     no            0       no                no
 *   DEAD_LETTER       FAILED     no            0       no                no
 *   INVOKE_FAILED     FAILED     no            0       no                no
 *   EXPIRED           FAILED     no            0       no                no
 *   NEVER_INVOKED     CANCELLED  no            0       no                no
 *   ABANDONED         CANCELLED  no            0       no                no
 *   LOST              LOST       no            0       no                no
 *
 * A function other than this library's reports a return code and at most a message.
 */
typedef struct lambda_executor_event {
  /**
   * Number of the event: starts at 1 in each executor and increases without gaps in the order of
   * the first hand-out. An event that is handed out again keeps it.
   */
  uint64_t seq;
  /** The tag of the task. */
  uint64_t tag;
  /** The key of the task. */
  lambda_executor_str_t key;
  /** RUNNING or a final state. */
  lambda_executor_task_state_t state;
  /** Why the task ended; NONE with RUNNING. */
  lambda_executor_reason_t reason;
  /** 1 if return_code is known. */
  int32_t has_return_code;
  /**
   * Exit status of the command; -n if signal n ended it, 126 or 127 if it could not be started,
   * 124 after its time limit.
   */
  int32_t return_code;
  /** Signal that ended the command, also after its time limit; else 0. */
  int32_t signal;
  /** Attempts to invoke that counted: accepted or failed. Throttling and outages use none. */
  uint32_t attempts;
  /** When `queue` accepted the task. */
  int64_t queued_at_ms;
  /**
   * When Lambda accepted it; 0 if the result arrived before that answer, or the answer was lost.
   */
  int64_t submitted_at_ms;
  /**
   * When the command started, by the clock of the function, which may differ from this machine's.
   */
  int64_t started_at_ms;
  /**
   * When the command ended, by the clock of the function; if it did not run, when the executor
   * ended the task.
   */
  int64_t finished_at_ms;
  /** What happened, for people. May be empty. Shorter than LAMBDA_EXECUTOR_MAX_TEXT_BYTES. */
  lambda_executor_str_t message;
  /**
   * Last part of the command's output, UTF-8, as much as the function's variable
   * LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES allows (4096 by default).
   */
  lambda_executor_str_t output_tail;
  /**
   * What the command wrote to the file named in its variable LAMBDA_EXECUTOR_RESULT_FILE: at most
   * LAMBDA_EXECUTOR_MAX_VALUE_BYTES bytes, not always UTF-8.
   */
  lambda_executor_str_t value;
  /** Lambda's id of the request, if known. */
  lambda_executor_str_t request_id;
  /** CloudWatch log stream of the run, if known. */
  lambda_executor_str_t log_stream;
  /**
   * Which submission of the key this is, a UUID: the same in all events of a task, another one
   * when its key is queued again. Empty for a task adopted without one.
   */
  lambda_executor_str_t attempt_id;
  /** Length in bytes of all that the command wrote; 0 if not known. */
  uint64_t output_length;
  /** 1 if output_tail is less than all of the output. */
  int32_t output_truncated;
  /**
   * 1 if the command wrote a result file that could not be sent: more than
   * LAMBDA_EXECUTOR_MAX_VALUE_BYTES, or not readable. Such a task is never SUCCEEDED.
   */
  int32_t value_dropped;
} lambda_executor_event_t;

#define LAMBDA_EXECUTOR_MAX_VALUE_BYTES        180000u /**< Longest value, by our function. */
#define LAMBDA_EXECUTOR_MAX_OUTPUT_TAIL_BYTES   65536u /**< Longest output_tail, by our function. */
#define LAMBDA_EXECUTOR_MAX_TEXT_BYTES        1048576u /**< All texts together: a message of SQS. */
#define LAMBDA_EXECUTOR_DEFAULT_EVENTS          10000u /**< Events of one sync with max_events 0. */

/**
 * Hands out events, oldest first, and waits for the first one as long as the timeout allows.
 * Several threads may call it at once; each event goes to one of them.
 *
 * timeout_ms: 0 does not wait, -1 waits without limit.
 * max_events: at most so many. 0: LAMBDA_EXECUTOR_DEFAULT_EVENTS. SIZE_MAX: all that wait.
 * batch: set to the events; acknowledge it with lambda_executor_batch_ack, free it with
 *   lambda_executor_batch_free. NULL unless the status is OK.
 *
 * OK (at least one event), TIMED_OUT, INTERRUPTED, ERR_CLOSED (closed, or drained and no event
 * left), ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC, ERR_IO.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_sync(lambda_executor_t *ex, int64_t timeout_ms, size_t max_events,
                     lambda_executor_batch_t **batch, lambda_executor_error_t **err);

/** Returns the number of events in a batch. 0 for NULL. */
LAMBDA_EXECUTOR_EXPORT size_t lambda_executor_batch_len(const lambda_executor_batch_t *batch);

/** Returns the event at an index, valid as long as the batch. NULL if there is none. */
LAMBDA_EXECUTOR_EXPORT const lambda_executor_event_t *
lambda_executor_batch_event(const lambda_executor_batch_t *batch, size_t index);

/**
 * Returns all events of a batch as an array, for language bindings: the first event, with their
 * number and the distance from one to the next in bytes, which is more than
 * sizeof(lambda_executor_event_t) if the library is newer than the header. Valid as long as the
 * batch. NULL for a batch of NULL.
 *
 * n, stride: set to the number and the distance. May be NULL.
 */
LAMBDA_EXECUTOR_EXPORT const lambda_executor_event_t *
lambda_executor_batch_events(const lambda_executor_batch_t *batch, size_t *n, size_t *stride);

/**
 * Frees a batch with its events and strings. NULL is allowed. Does not acknowledge: the next
 * lambda_executor_sync hands out again, with the same seq, those of its events that have not been
 * acknowledged. If the executor has been freed or closed, their results return to their queue.
 */
LAMBDA_EXECUTOR_EXPORT void lambda_executor_batch_free(lambda_executor_batch_t *batch);

/**
 * Acknowledges all events of a batch: the host has stored what it needs of them, and their results
 * may be deleted from their queue. Every event must be acknowledged, RUNNING too; acknowledging a
 * final event includes the RUNNING event of the same task. Works until the executor is freed, also
 * after lambda_executor_close, and from any thread. A second call does nothing.
 *
 * OK, ERR_INVALID_ARGUMENT (batch is NULL), ERR_CLOSED (the executor has been freed), ERR_FORKED,
 * ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_batch_ack(lambda_executor_batch_t *batch, lambda_executor_error_t **err);

/**
 * Acknowledges single events by their seq, as lambda_executor_batch_ack does for all of a batch.
 * Repeated and unknown numbers are allowed.
 *
 * seqs, n: the numbers, at most LAMBDA_EXECUTOR_MAX_BATCH.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_ack(lambda_executor_t *ex, const uint64_t *seqs, size_t n,
                    lambda_executor_error_t **err);

/* ---- Waiting: one task, event loops, drain --------------------------------------------------- */

/**
 * Waits until the newest task of a key is final: run one task, wait for it. Its events still wait
 * for lambda_executor_sync, with the return code and the output, and must be acknowledged. Several
 * threads may wait, for the same key or for others.
 *
 * timeout_ms: 0 does not wait, -1 waits without limit.
 * state: set to the state of the task at the return of the call; final with OK. UNKNOWN on
 *   failure.
 *
 * OK, TIMED_OUT, INTERRUPTED, NOT_FOUND (no task of that key is known), ERR_INVALID_ARGUMENT,
 * ERR_CLOSED, ERR_FORKED, ERR_PANIC, ERR_IO.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_wait(lambda_executor_t *ex, const char *key, size_t len, int64_t timeout_ms,
                     lambda_executor_task_state_t *state, lambda_executor_error_t **err);

/**
 * Returns a descriptor for poll or epoll. It is readable while events wait that have not been
 * handed out, and from the moment on when a drain is over or the executor is closed or broken, so
 * that an event loop learns of it from its next `sync`. Call `sync` with timeout 0 when it is
 * readable. Never read, write or close it. It lives as long as the executor.
 *
 * fd: set to the descriptor, -1 on failure.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_wakeup_fd(const lambda_executor_t *ex, int *fd, lambda_executor_error_t **err);

/**
 * Ends every wait in progress (`sync`, `wait`, `drain`, `check_health`) with INTERRUPTED; if there
 * is none, the next one. The only function that may be called in a signal handler. Keeps errno.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t lambda_executor_wake(lambda_executor_t *ex);

#define LAMBDA_EXECUTOR_DRAIN_FINISH          0u /**< Mode: submit what waits. */
#define LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED   1u /**< Mode: cancel what waits. */
#define LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED  (-2) /**< Timeout: option end_wait_timeout. */

/**
 * Accepts no more tasks from now on, and waits until those accepted have finished. Afterwards
 * `queue` returns ERR_CLOSED, and `sync` hands out the events that are left, then returns
 * ERR_CLOSED. Does not need other threads to call `sync` or to acknowledge, up to 100,000 results
 * or 256 MiB of them, which then wait in memory. May be called again, to continue waiting or to go
 * from FINISH to CANCEL_QUEUED.
 *
 * mode: LAMBDA_EXECUTOR_DRAIN_FINISH submits what waits, and waits for all tasks.
 *   LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED cancels what waits, and waits for what runs. The reason is
 *   NEVER_INVOKED, or ABANDONED if the answer to an Invoke was lost, so that the command may run.
 * timeout_ms: 0 does not wait, -1 waits without limit. LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED waits as
 *   long as option end_wait_timeout says, counted from the first call of this function on the
 *   executor.
 * remaining: set to the number of tasks that have not finished. May be NULL.
 *
 * OK (no task remains), TIMED_OUT, INTERRUPTED, QUEUE_FULL (so many results wait that no more are
 * received: take and acknowledge events, then call this again), ERR_INVALID_ARGUMENT, ERR_CLOSED,
 * ERR_FORKED, ERR_PANIC, ERR_IO.
 */
LAMBDA_EXECUTOR_EXPORT LAMBDA_EXECUTOR_MUST_CHECK lambda_executor_status_t
lambda_executor_drain(lambda_executor_t *ex, uint32_t mode, int64_t timeout_ms, uint64_t *remaining,
                      lambda_executor_error_t **err);

/* ---- Counts and statistics ------------------------------------------------------------------- */

/** How many tasks and events are where. Initialise with LAMBDA_EXECUTOR_COUNTS_INIT. */
typedef struct lambda_executor_counts_s {
  /** sizeof(lambda_executor_counts_t). */
  uint32_t struct_size;
  /** Always 0. */
  uint32_t reserved;
  /** Tasks that wait to be submitted. */
  uint64_t queued;
  /** Tasks whose Invoke is in flight, or whose answer was lost. */
  uint64_t submitting;
  /** Tasks that Lambda has accepted, adopted ones included. */
  uint64_t running;
  /** Events that have not been handed out. */
  uint64_t waiting_events;
  /** Events that have been handed out and not acknowledged. */
  uint64_t unacknowledged;
} lambda_executor_counts_t;

/** Initialiser of a lambda_executor_counts_t. */
#define LAMBDA_EXECUTOR_COUNTS_INIT {sizeof(lambda_executor_counts_t), 0, 0, 0, 0, 0, 0}

/**
 * Counts tasks and events. Cheap enough for every heartbeat. Works until the executor is freed,
 * also after lambda_executor_close.
 *
 * counts: set struct_size before the call. The other fields are 0 on failure.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_counts(const lambda_executor_t *ex, lambda_executor_counts_t *counts,
                       lambda_executor_error_t **err);

/**
 * Writes counters, gauges, latency histograms and health as a JSON object. Members may be added.
 * Works until the executor is freed, also after lambda_executor_close.
 *
 * buf, cap: where to write it, with a NUL. NULL and 0 ask for the size only, which may have grown
 *   by the next call.
 * needed: set to the size in bytes, including the NUL. May be NULL.
 *
 * OK, BUFFER_TOO_SMALL, ERR_INVALID_ARGUMENT, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_stats(const lambda_executor_t *ex, char *buf, size_t cap, size_t *needed,
                      lambda_executor_error_t **err);

/* ---- AWS: health and credentials ------------------------------------------------------------- */

/**
 * Asks AWS now whether the functions exist and are active and the queues can be used. The error
 * names what is not, and why. What works and still does not fit, such as a queue that takes
 * shorter messages than may arrive, is logged as a warning and listed in lambda_executor_stats.
 * After a success, tasks that wait for an earlier check, for credentials or for a queue are tried
 * at once.
 *
 * timeout_ms: 0 does not wait for the answer, -1 waits without limit. While a check is in flight,
 *   further calls wait for that one; an answer that no call waited for is returned by the next
 *   call within a minute. So a host that must not wait can start a check with 0 and ask with 0
 *   again.
 *
 * OK (everything can be used), TIMED_OUT, INTERRUPTED, ERR_AWS, ERR_CREDENTIALS,
 * ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC, ERR_IO.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_check_health(lambda_executor_t *ex, int64_t timeout_ms,
                             lambda_executor_error_t **err);

/**
 * Sets new AWS credentials of a running executor, for hosts that store and renew them themselves.
 * Every call to AWS that starts from now on uses them, in place of those of option credentials, a
 * profile, the AWS default chain or a role. Whatever waits because the old ones were rejected is
 * tried at once. Running tasks are not affected. With option local they must be a pair that the
 * local AWS knows.
 *
 * json, len: an object with access_key_id, secret_access_key and, for temporary ones,
 *   session_token.
 *
 * OK, ERR_INVALID_ARGUMENT (the message does not repeat the text), ERR_CLOSED, ERR_FORKED,
 * ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_set_credentials(lambda_executor_t *ex, const char *json, size_t len,
                                lambda_executor_error_t **err);

/* ---- Log ------------------------------------------------------------------------------------- */

/** Level of a log record, one of LAMBDA_EXECUTOR_LOG_... */
typedef int32_t lambda_executor_log_level_t;

#define LAMBDA_EXECUTOR_LOG_OFF   0 /**< No records. */
#define LAMBDA_EXECUTOR_LOG_ERROR 1 /**< The operator should act. */
#define LAMBDA_EXECUTOR_LOG_WARN  2 /**< Something failed, and the library handles it. */
#define LAMBDA_EXECUTOR_LOG_INFO  3 /**< Rare events of normal operation. */
#define LAMBDA_EXECUTOR_LOG_DEBUG 4 /**< Every change of a task. */
#define LAMBDA_EXECUTOR_LOG_TRACE 5 /**< Everything. */

/** One log record. May grow at its end; valid during the callback only. */
typedef struct lambda_executor_log_record {
  /** Size of the struct in the library that made it. */
  uint32_t struct_size;
  /** LAMBDA_EXECUTOR_LOG_ERROR to LAMBDA_EXECUTOR_LOG_TRACE. */
  lambda_executor_log_level_t level;
  /** Unix time in ms. */
  int64_t time_ms;
  /** Part of the library that made it. */
  lambda_executor_str_t target;
  /** What happened, for people. Never contains secrets. */
  lambda_executor_str_t message;
} lambda_executor_log_record_t;

/**
 * Receives log records, one at a time, on a thread of the library. May call any function of the
 * library except lambda_executor_free, also while another thread frees the executor. While it
 * runs, up to 1024 records wait; beyond that they are dropped and counted. Nothing else waits for
 * it.
 */
typedef void (*lambda_executor_log_callback_t)(void *user_data,
                                               const lambda_executor_log_record_t *record);

/**
 * Sends log records to the host instead of stderr. When this returns, the previous callback has
 * returned and is not called again (if the callback itself calls this: once it returns).
 *
 * lambda_executor_free does not wait without limit for a callback that does not return: the
 * callback and its user_data must stay valid until it does. To wait for it, call this with NULL
 * before.
 *
 * callback: NULL selects stderr again; allowed on closed and broken executors too.
 * user_data: passed to each call.
 * level: LAMBDA_EXECUTOR_LOG_...; without a callback the level is option log. Records of the AWS
 *   SDK pass only at level ERROR: at lower levels they contain requests with tokens.
 *
 * OK, ERR_INVALID_ARGUMENT, ERR_CLOSED, ERR_FORKED, ERR_PANIC.
 */
LAMBDA_EXECUTOR_EXPORT lambda_executor_status_t
lambda_executor_set_log_callback(lambda_executor_t *ex, lambda_executor_log_callback_t callback,
                                 void *user_data, lambda_executor_log_level_t level,
                                 lambda_executor_error_t **err);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LAMBDA_EXECUTOR_H */
