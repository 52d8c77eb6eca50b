/* Freeing a batch does not acknowledge: its events are returned again with the same seq.
 * lambda_executor_batch_ack and lambda_executor_ack do, and accept repeated and unknown numbers. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\"}, "
                                "\"running_events\": false, \"keep_finished\": 0}");
  lambda_executor_error_t *err = NULL;
  queue(ex, task("a"));
  queue(ex, task("b"));
  WAIT_UNTIL(counts_of(ex).waiting_events == 2);
  lambda_executor_batch_t *batch = next_batch(ex, 0);
  uint64_t first = lambda_executor_batch_event(batch, 0)->seq;
  uint64_t seqs[3] = {lambda_executor_batch_event(batch, 1)->seq, 1000000, UINT64_MAX};
  CHECK_OK(lambda_executor_ack(ex, seqs, 3, &err));
  CHECK_OK(lambda_executor_ack(ex, seqs, 1, &err));
  CHECK_INT(counts_of(ex).unacknowledged, 1);
  lambda_executor_batch_free(batch);

  /* Only the event that was not acknowledged is returned again. */
  CHECK_INT(counts_of(ex).waiting_events, 1);
  batch = next_batch(ex, 0);
  CHECK_INT(lambda_executor_batch_len(batch), 1);
  CHECK_INT(lambda_executor_batch_event(batch, 0)->seq, first);
  CHECK_INT(counts_of(ex).unacknowledged, 1);
  CHECK_OK(lambda_executor_batch_ack(batch, &err));
  CHECK_OK(lambda_executor_batch_ack(batch, &err));
  lambda_executor_batch_free(batch);
  CHECK_INT(counts_of(ex).unacknowledged, 0);
  CHECK_INT(counts_of(ex).waiting_events, 0);
  CHECK_INT(state_of(ex, "a"), LAMBDA_EXECUTOR_TASK_UNKNOWN); /* keep_finished: 0 */
  lambda_executor_free(ex, NULL);
  return 0;
}
