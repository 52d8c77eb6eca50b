/* Functions that Go calls in place of the C API where that saves crossings or pointers. Each is one
 * crossing, takes text packed into one block, and returns its results by value. C never keeps an
 * address of Go's memory. */
#ifndef LAMBDA_EXECUTOR_GO_BRIDGE_H
#define LAMBDA_EXECUTOR_GO_BRIDGE_H

#include <lambda_executor.h>

/* A task without its text. The text is in a block, in this order and without gaps: key, arguments
 * with a NUL after each, command_json, executor_config_json, queue, attempt_id. */
typedef struct bridge_task {
  uint64_t tag;
  int64_t timeout_ms;
  int64_t max_wait_ms;
  int64_t result_timeout_ms;
  size_t key_len;
  size_t argc;
  size_t argv_len;
  size_t command_json_len;
  size_t executor_config_json_len;
  size_t queue_len;
  size_t attempt_id_len;
} bridge_task_t;

/* Result of a call. The caller frees the error. With PARTIAL, the error is that of the first task
 * or key that failed; without one, no status is negative. */
typedef struct bridge_result {
  lambda_executor_status_t status;
  lambda_executor_error_t *err;
  uint64_t number; /* accepted, remaining, needed or a state, by the call */
} bridge_result_t;

/* A batch and where its events are. Go copies the events, and keeps the batch until they are
 * acknowledged or released. */
typedef struct bridge_events {
  lambda_executor_status_t status;
  lambda_executor_error_t *err;
  lambda_executor_batch_t *batch;
  const lambda_executor_event_t *first;
  size_t n;
  size_t stride;
} bridge_events_t;

bridge_result_t bridge_queue(lambda_executor_t *ex, const bridge_task_t *task, const char *text);
bridge_result_t bridge_queue_batch(lambda_executor_t *ex, const bridge_task_t *tasks, size_t n,
                                   const char *text, lambda_executor_status_t *statuses);
bridge_result_t bridge_adopt(lambda_executor_t *ex, const bridge_task_t *tasks, size_t n,
                             const char *text, lambda_executor_status_t *statuses);
bridge_result_t bridge_cancel(lambda_executor_t *ex, const size_t *lengths, size_t n,
                              const char *text, lambda_executor_status_t *statuses);
bridge_events_t bridge_sync(lambda_executor_t *ex, size_t max_events);
bridge_result_t bridge_ack(lambda_executor_t *ex, const uint64_t *seqs, size_t n);
bridge_result_t bridge_batch_ack(lambda_executor_batch_t *batch);
bridge_result_t bridge_counts(lambda_executor_t *ex, lambda_executor_counts_t *counts);
bridge_result_t bridge_wakeup_fd(lambda_executor_t *ex);
bridge_result_t bridge_wait(lambda_executor_t *ex, const char *key, size_t len, int64_t timeout_ms);
bridge_result_t bridge_state(lambda_executor_t *ex, const char *key, size_t len);
bridge_result_t bridge_describe(lambda_executor_t *ex, const char *key, size_t len, char *buf,
                                size_t cap);
bridge_result_t bridge_stats(lambda_executor_t *ex, char *buf, size_t cap);
bridge_result_t bridge_drain(lambda_executor_t *ex, uint32_t mode, int64_t timeout_ms);
bridge_result_t bridge_check_health(lambda_executor_t *ex);
bridge_result_t bridge_set_credentials(lambda_executor_t *ex, const char *json, size_t len);

/* Log records go to the Go logger of this number; 0 sends them to stderr. */
bridge_result_t bridge_set_log(lambda_executor_t *ex, uintptr_t number,
                               lambda_executor_log_level_t level);

#endif
