/* Cancel: running tasks are abandoned, waiting ones never run, finished ones are NOT_FOUND. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"max_running_tasks\": 1}");
  lambda_executor_error_t *err = NULL;
  queue_builtin(ex, "runs", "{\"duration_ms\": 600000}");
  WAIT_UNTIL(state_of(ex, "runs") == LAMBDA_EXECUTOR_TASK_RUNNING);
  queue(ex, task("waits"));
  lambda_executor_str_t keys[5] = {text("waits"), text("runs"), text("unknown"), text("\xff"),
                                   text("runs")};
  lambda_executor_status_t results[5] = {9, 9, 9, 9, 9};
  CHECK_STATUS(lambda_executor_cancel(ex, keys, 5, results, &err, &err), LAMBDA_EXECUTOR_PARTIAL);
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(results[1], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(results[2], LAMBDA_EXECUTOR_NOT_FOUND);
  CHECK_STATUS(results[3], LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_STATUS(results[4], LAMBDA_EXECUTOR_NOT_FOUND);
  CHECK_STATUS(lambda_executor_error_status(err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(lambda_executor_error_cstr(err), "keys[3]: ");
  lambda_executor_error_free(err);
  CHECK_INT(state_of(ex, "runs"), LAMBDA_EXECUTOR_TASK_CANCELLED);

  expect_final(ex, "waits", LAMBDA_EXECUTOR_TASK_CANCELLED, LAMBDA_EXECUTOR_REASON_NEVER_INVOKED);
  expect_final(ex, "runs", LAMBDA_EXECUTOR_TASK_CANCELLED, LAMBDA_EXECUTOR_REASON_ABANDONED);
  queue(ex, task("next")); /* the slot is free */
  expect_final(ex, "next", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
  return 0;
}
