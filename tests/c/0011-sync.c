/* sync: waits for its time limit, returns at most the requested number of events, and sets no batch
 * without events. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"running_events\": false}");
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = (lambda_executor_batch_t *)&err;
  CHECK_STATUS(lambda_executor_sync(ex, 0, 0, &batch, &err), LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK(batch == NULL && err == NULL);
  int64_t before = now_ms();
  CHECK_STATUS(lambda_executor_sync(ex, 50, 0, &batch, &err), LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK(now_ms() - before >= 49);

  queue(ex, task("a"));
  queue(ex, task("b"));
  queue(ex, task("c"));
  WAIT_UNTIL(counts_of(ex).waiting_events == 3);
  CHECK_OK(lambda_executor_sync(ex, -1, 2, &batch, &err));
  CHECK_INT(lambda_executor_batch_len(batch), 2);
  CHECK_INT(counts_of(ex).waiting_events, 1);
  CHECK_INT(counts_of(ex).unacknowledged, 2);
  done_with(batch);
  CHECK_INT(counts_of(ex).unacknowledged, 0);
  CHECK_OK(lambda_executor_sync(ex, 0, 0, &batch, &err));
  CHECK_INT(lambda_executor_batch_len(batch), 1);
  done_with(batch);
  lambda_executor_free(ex, NULL);
  return 0;
}
