/* Many tasks in one call: each has its own status; the error is that of the first failed task. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\", \"concurrency\": 0}, "
                                "\"max_queued_tasks\": 3, \"max_concurrent_invokes\": 1, "
                                "\"max_running_tasks\": 1}");
  lambda_executor_error_t *err = NULL, *first = NULL;
  lambda_executor_status_t results[4] = {9, 9, 9, 9};
  lambda_executor_task_t tasks[4] = {task("a"), task("a"), task("c"), task("d")};
  size_t accepted = 9;
  tasks[2].command_json = text("{}");
  CHECK_STATUS(lambda_executor_queue_batch(ex, tasks, 4, results, &accepted, &first, &err),
               LAMBDA_EXECUTOR_PARTIAL);
  CHECK(err == NULL);
  CHECK_INT(accepted, 2);
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(results[1], LAMBDA_EXECUTOR_DUPLICATE);
  CHECK_STATUS(results[2], LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_STATUS(results[3], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(lambda_executor_error_status(first), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(lambda_executor_error_cstr(first), "tasks[2]: task `c`: command_json");
  lambda_executor_error_free(first);

  /* Results and number are optional. */
  lambda_executor_task_t last = task("last");
  CHECK_STATUS(lambda_executor_queue_batch(ex, &last, 1, NULL, NULL, NULL, NULL),
               LAMBDA_EXECUTOR_OK);
  CHECK(state_of(ex, "last") != LAMBDA_EXECUTOR_TASK_UNKNOWN);

  /* An impossible number: nothing is read or written. */
  results[0] = 9;
  const size_t wrong[2] = {LAMBDA_EXECUTOR_MAX_BATCH + 1, SIZE_MAX};
  uint64_t seq = 1;
  lambda_executor_str_t key = text("a");
  for (int i = 0; i < 2; i++) {
    CHECK_ERROR(lambda_executor_queue_batch(ex, tasks, wrong[i], results, &accepted, &first, &err),
                LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "n is ");
    CHECK_ERROR(lambda_executor_adopt(ex, tasks, wrong[i], results, &first, &err),
                LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "n is ");
    CHECK_ERROR(lambda_executor_cancel(ex, &key, wrong[i], results, &first, &err),
                LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "n is ");
    CHECK_ERROR(lambda_executor_ack(ex, &seq, wrong[i], &err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT,
                "n is ");
    CHECK(first == NULL);
    CHECK_INT(results[0], 9);
    CHECK_STATUS(lambda_executor_queue_batch(ex, tasks, wrong[i], NULL, NULL, NULL, NULL),
                 LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  }
  CHECK(state_of(ex, "a") != LAMBDA_EXECUTOR_TASK_UNKNOWN);

  uint64_t dropped = 0;
  lambda_executor_free(ex, &dropped);
  CHECK(dropped >= 2);
  return 0;
}
