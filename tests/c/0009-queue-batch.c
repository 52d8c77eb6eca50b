/* Many tasks in one call: each has its own status, and the error tells of the first that failed. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\", \"concurrency\": 0}, "
                                "\"max_queued_tasks\": 3, \"max_concurrent_invokes\": 1, "
                                "\"max_running_tasks\": 1}");
  lambda_executor_error_t *err = NULL;
  lambda_executor_status_t results[4] = {9, 9, 9, 9};
  lambda_executor_task_t tasks[4] = {task("a"), task("a"), task("c"), task("d")};
  size_t accepted = 9;
  tasks[2].command_json = text("{}");
  CHECK_STATUS(lambda_executor_queue_batch(ex, tasks, 4, results, &accepted, &err),
               LAMBDA_EXECUTOR_OK);
  CHECK_INT(accepted, 2);
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(results[1], LAMBDA_EXECUTOR_DUPLICATE);
  CHECK_STATUS(results[2], LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_STATUS(results[3], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(lambda_executor_error_status(err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(lambda_executor_error_message(err).ptr, "c");
  lambda_executor_error_free(err);
  err = NULL;

  /* Results and number need not be asked for. */
  lambda_executor_task_t last = task("last");
  CHECK_STATUS(lambda_executor_queue_batch(ex, &last, 1, NULL, NULL, NULL), LAMBDA_EXECUTOR_OK);
  CHECK(state_of(ex, "last") != LAMBDA_EXECUTOR_TASK_UNKNOWN);
  lambda_executor_free(ex);
  return 0;
}
