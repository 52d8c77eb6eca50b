/* A task without result or dead letter becomes LOST. Takes about 40 s: only empty long polls of 20
 * s prove that both queues were read without a gap after the deadline. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\"},"
                                " \"result_timeout_ms\": 200, \"max_unmatched_delay_s\": 1}");
  lambda_executor_error_t *err = NULL;
  uint64_t remaining = 9;
  queue_builtin(ex, "silent", "{\"duration_ms\": 600000}");
  WAIT_UNTIL(state_of(ex, "silent") == LAMBDA_EXECUTOR_TASK_RUNNING);
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, 2000, &remaining, &err),
               LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK_INT(remaining, 1); /* its deadline is over, but a message may still be in a queue */
  CHECK_INT(state_of(ex, "silent"), LAMBDA_EXECUTOR_TASK_RUNNING);

  CHECK_OK(
      lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, 2 * DEADLINE_MS, &remaining, &err));
  lambda_executor_batch_t *batch = final_batch(ex, "silent");
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_LOST);
  CHECK_INT(event->reason, LAMBDA_EXECUTOR_REASON_LOST);
  CHECK_INT(event->has_return_code, 0);
  CHECK_CONTAINS(event->message.ptr, "result_timeout_ms");
  done_with(batch);
  lambda_executor_free(ex, NULL);
  return 0;
}
