/* NULL for a required argument is an error that names it, never a crash. NULL for an optional
 * argument is allowed. */
#include "test.h"

#define INVALID LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT

static void without_an_executor(void) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = (lambda_executor_batch_t *)&err;
  lambda_executor_task_t one = task("a");
  lambda_executor_str_t key = text("a");
  lambda_executor_task_state_t state = 9;
  lambda_executor_counts_t counts = {0};
  lambda_executor_status_t result = 9;
  size_t needed = 9, accepted = 9;
  uint64_t seq = 1, remaining = 9;
  char buf[8];

  CHECK_ERROR(lambda_executor_queue(NULL, &one, &err), INVALID, "ex");
  CHECK_ERROR(lambda_executor_queue_batch(NULL, &one, 1, &result, &accepted, NULL, &err), INVALID,
              "ex");
  CHECK_INT(accepted, 0);
  CHECK_ERROR(lambda_executor_sync(NULL, 0, 0, &batch, &err), INVALID, "ex");
  CHECK(batch == NULL);
  CHECK_ERROR(lambda_executor_ack(NULL, &seq, 1, &err), INVALID, "ex");
  CHECK_ERROR(lambda_executor_state(NULL, "a", 1, &state, &err), INVALID, "ex");
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);
  CHECK_ERROR(lambda_executor_describe(NULL, "a", 1, buf, sizeof buf, &needed, &err), INVALID,
              "ex");
  CHECK_INT(needed, 0);
  counts.struct_size = sizeof counts;
  CHECK_STATUS(lambda_executor_counts(NULL, &counts, NULL), INVALID);
  CHECK_ERROR(lambda_executor_cancel(NULL, &key, 1, &result, NULL, &err), INVALID, "ex");
  CHECK_ERROR(lambda_executor_adopt(NULL, &one, 1, &result, NULL, &err), INVALID, "ex");
  CHECK_ERROR(lambda_executor_drain(NULL, 0, 0, &remaining, &err), INVALID, "ex");
  CHECK_INT(remaining, 0);
  CHECK_STATUS(lambda_executor_close(NULL), INVALID);
  CHECK_INT(wakeup_status(NULL), INVALID);
  CHECK_ERROR(lambda_executor_wait(NULL, "a", 1, 0, &state, &err), INVALID, "ex");
  CHECK_ERROR(lambda_executor_batch_ack(NULL, &err), INVALID, "batch");
  CHECK_STATUS(lambda_executor_new_attempt_id(NULL), INVALID);
  CHECK_STATUS(lambda_executor_wake(NULL), INVALID);
  CHECK_ERROR(lambda_executor_check_health(NULL, 0, &err), INVALID, "ex");
  CHECK_ERROR(lambda_executor_set_credentials(NULL, "{}", 2, &err), INVALID, "ex");
  needed = 9;
  CHECK_ERROR(lambda_executor_stats(NULL, buf, sizeof buf, &needed, &err), INVALID, "ex");
  CHECK_INT(needed, 0);
  CHECK_ERROR(lambda_executor_set_log_callback(NULL, NULL, NULL, 0, &err), INVALID, "ex");
  CHECK_STATUS(lambda_executor_queue(NULL, NULL, NULL), INVALID);
}

static void with_an_executor(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  lambda_executor_status_t result;
  size_t accepted = 9;

  CHECK_ERROR(lambda_executor_queue(ex, NULL, &err), INVALID, "task");
  CHECK_ERROR(lambda_executor_queue_batch(ex, NULL, 1, &result, &accepted, NULL, &err), INVALID,
              "task");
  CHECK_ERROR(lambda_executor_sync(ex, 0, 0, NULL, &err), INVALID, "batch");
  CHECK_ERROR(lambda_executor_sync(ex, -2, 0, NULL, &err), INVALID, "");
  CHECK_ERROR(lambda_executor_ack(ex, NULL, 1, &err), INVALID, "seqs");
  CHECK_ERROR(lambda_executor_state(ex, "a", 1, NULL, &err), INVALID, "state");
  CHECK_STATUS(lambda_executor_counts(ex, NULL, NULL), INVALID);
  CHECK_ERROR(lambda_executor_wait(ex, "a", 1, 0, NULL, &err), INVALID, "state");
  CHECK_ERROR(lambda_executor_wakeup_fd(ex, NULL, &err), INVALID, "fd");
  CHECK_ERROR(lambda_executor_cancel(ex, NULL, 1, &result, NULL, &err), INVALID, "keys");
  CHECK_ERROR(lambda_executor_adopt(ex, NULL, 1, &result, NULL, &err), INVALID, "task");
  CHECK_ERROR(lambda_executor_stats(ex, NULL, 8, NULL, &err), INVALID, "buf");
  CHECK_ERROR(lambda_executor_set_log_callback(ex, NULL, NULL, 6, &err), INVALID, "level");
  CHECK_ERROR(lambda_executor_set_log_callback(ex, NULL, NULL, -1, &err), INVALID, "level");
  CHECK_ERROR(lambda_executor_drain(ex, 2, 0, NULL, &err), INVALID, "mode");
  CHECK_ERROR(lambda_executor_drain(ex, 0, -3, NULL, &err), INVALID, "timeout_ms");
  CHECK_ERROR(lambda_executor_check_health(ex, -2, &err), INVALID, "timeout_ms");
  lambda_executor_batch_t *batch = NULL;
  CHECK_ERROR(lambda_executor_sync(ex, -2, 0, &batch, &err), INVALID, "timeout_ms");

  /* The calls above had no effect, and an empty array is allowed. */
  CHECK_OK(lambda_executor_queue_batch(ex, NULL, 0, NULL, NULL, NULL, &err));
  CHECK_OK(lambda_executor_ack(ex, NULL, 0, &err));
  CHECK_OK(lambda_executor_cancel(ex, NULL, 0, NULL, NULL, &err));
  CHECK_OK(lambda_executor_adopt(ex, NULL, 0, NULL, NULL, &err));
  CHECK_INT(counts_of(ex).queued, 0);
  queue(ex, task("after"));
  expect_final(ex, "after", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  CHECK_ERROR(lambda_executor_describe(ex, "after", 5, NULL, 8, NULL, &err), INVALID, "buf");
  lambda_executor_free(ex, NULL);
}

int main(void) {
  size_t n = 9, stride = 9;
  CHECK_STATUS(lambda_executor_error_status(NULL), LAMBDA_EXECUTOR_OK);
  CHECK_INT(lambda_executor_error_message(NULL).len, 0);
  CHECK_TEXT(lambda_executor_error_cstr(NULL), "");
  CHECK_TEXT(lambda_executor_error_aws_code(NULL), "");
  CHECK_TEXT(lambda_executor_error_request_id(NULL), "");
  CHECK_INT(lambda_executor_error_is_retriable(NULL), 0);
  CHECK_TEXT(lambda_executor_error_message(NULL).ptr, "");
  CHECK_INT(lambda_executor_batch_len(NULL), 0);
  CHECK(lambda_executor_batch_event(NULL, 0) == NULL);
  CHECK(lambda_executor_batch_events(NULL, &n, &stride) == NULL);
  CHECK_INT(n, 0);
  CHECK(lambda_executor_batch_events(NULL, NULL, NULL) == NULL);
  lambda_executor_error_free(NULL);
  lambda_executor_batch_free(NULL);
  lambda_executor_free(NULL, NULL);
  without_an_executor();
  with_an_executor();
  return 0;
}
