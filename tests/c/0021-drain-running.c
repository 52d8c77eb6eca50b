/* Drain in mode CANCEL_QUEUED: waiting tasks are cancelled as never invoked; drain waits for
 * running tasks. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"max_running_tasks\": 1}");
  lambda_executor_error_t *err = NULL;
  uint64_t remaining = 9;
  queue_builtin(ex, "runs", "{\"duration_ms\": 300}");
  WAIT_UNTIL(state_of(ex, "runs") == LAMBDA_EXECUTOR_TASK_RUNNING);
  queue(ex, task("waits"));
  /* From FINISH to CANCEL_QUEUED. */
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, 0, &remaining, &err),
               LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK_INT(remaining, 2);
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED, -1, &remaining, &err));
  CHECK_INT(remaining, 0);
  expect_final(ex, "waits", LAMBDA_EXECUTOR_TASK_CANCELLED, LAMBDA_EXECUTOR_REASON_NEVER_INVOKED);
  expect_final(ex, "runs", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
  return 0;
}
