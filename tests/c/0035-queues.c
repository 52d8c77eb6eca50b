/* The option queues: a task's queue selects a route with its own limits; unknown names are
 * rejected. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\"}, \"queues\": {\"one\": "
                                "{\"max_running_tasks\": 1}}, \"allow_task_overrides\": true}");
  lambda_executor_error_t *err = NULL;
  for (int i = 0; i < 2; i++) {
    lambda_executor_task_t routed = task(i == 0 ? "first" : "second");
    routed.queue = text("one");
    routed.executor_config_json = text("{\"builtin\": {\"duration_ms\": 300}}");
    queue(ex, routed);
  }
  queue(ex, task("third"));
  WAIT_UNTIL(state_of(ex, "third") == LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_INT(state_of(ex, "second"), LAMBDA_EXECUTOR_TASK_QUEUED);

  lambda_executor_task_t unknown = task("unknown");
  unknown.queue = text("two");
  CHECK_ERROR(lambda_executor_queue(ex, &unknown, &err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT,
              "queue `two` is not configured (known: default, one)");

  lambda_executor_task_t wrong = task("wrong");
  wrong.executor_config_json = text("{\"timeout_ms\": 0}");
  CHECK_ERROR(lambda_executor_queue(ex, &wrong, &err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT,
              "task `wrong`: executor_config: timeout_ms is 0");
  /* The local function does not have this version: Lambda reports it, and only this task fails. */
  wrong.executor_config_json = text("{\"function_qualifier\": \"nowhere\"}");
  queue(ex, wrong);
  expect_final(ex, "wrong", LAMBDA_EXECUTOR_TASK_FAILED, LAMBDA_EXECUTOR_REASON_INVOKE_FAILED);
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -1, NULL, &err));
  CHECK_INT(state_of(ex, "second"), LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  lambda_executor_free(ex, NULL);
  return 0;
}
