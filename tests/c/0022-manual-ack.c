/* With ack "manual" freeing a batch says nothing; lambda_executor_ack does, and bears repeated and
 * unknown numbers. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\"}, \"ack\": \"manual\", "
                                "\"running_events\": false, \"keep_finished\": 0}");
  lambda_executor_error_t *err = NULL;
  queue(ex, task("a"));
  lambda_executor_batch_t *batch = final_batch(ex, "a");
  uint64_t seqs[3] = {lambda_executor_batch_event(batch, 0)->seq, 1000000, UINT64_MAX};
  lambda_executor_batch_free(batch);
  CHECK_INT(counts_of(ex).unacknowledged, 1);
  CHECK_INT(state_of(ex, "a"), LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_OK(lambda_executor_ack(ex, seqs, 3, &err));
  CHECK_INT(counts_of(ex).unacknowledged, 0);
  CHECK_OK(lambda_executor_ack(ex, seqs, 1, &err));
  CHECK_INT(state_of(ex, "a"), LAMBDA_EXECUTOR_TASK_UNKNOWN); /* keep_finished: 0 */
  lambda_executor_free(ex);
  return 0;
}
