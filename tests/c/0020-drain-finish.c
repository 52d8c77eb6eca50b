/* Drain in mode FINISH: waiting tasks are submitted, and drain waits for all. Afterwards sync
 * returns the remaining events, then ERR_CLOSED. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"max_running_tasks\": 1}");
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = NULL;
  uint64_t remaining = 9;
  queue_builtin(ex, "first", "{\"duration_ms\": 300}");
  queue(ex, task("second"));
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, 0, &remaining, &err),
               LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK(err == NULL);
  CHECK_INT(remaining, 2);
  lambda_executor_task_t late = task("late");
  CHECK_ERROR(lambda_executor_queue(ex, &late, &err), LAMBDA_EXECUTOR_ERR_CLOSED, "");

  /* No thread takes events meanwhile. */
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -1, &remaining, &err));
  CHECK_INT(remaining, 0);
  CHECK_INT(counts_of(ex).waiting_events, 4);
  CHECK_OK(lambda_executor_sync(ex, -1, 0, &batch, &err));
  CHECK_INT(lambda_executor_batch_len(batch), 4);
  done_with(batch);
  CHECK_ERROR(lambda_executor_sync(ex, -1, 0, &batch, &err), LAMBDA_EXECUTOR_ERR_CLOSED, "");
  CHECK_INT(state_of(ex, "second"), LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, 0, &remaining, &err));
  lambda_executor_free(ex, NULL);
  return 0;
}
