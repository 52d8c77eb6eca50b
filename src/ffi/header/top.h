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
