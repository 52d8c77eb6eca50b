/* Tasks that fail, each with its reason: a return code, a crash, a wait that took too long. And a
 * result that arrives twice. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\", \"retry_base_ms\": 10}}");
  queue_builtin(ex, "code", "{\"return_code\": 5}");
  lambda_executor_batch_t *batch = final_batch(ex, "code");
  CHECK_INT(lambda_executor_batch_event(batch, 0)->state, LAMBDA_EXECUTOR_TASK_FAILED);
  CHECK_INT(lambda_executor_batch_event(batch, 0)->return_code, 5);
  done_with(batch);

  queue_builtin(ex, "crash", "{\"crash\": true}");
  batch = final_batch(ex, "crash");
  CHECK_INT(lambda_executor_batch_event(batch, 0)->state, LAMBDA_EXECUTOR_TASK_FAILED);
  CHECK_INT(lambda_executor_batch_event(batch, 0)->reason, LAMBDA_EXECUTOR_REASON_DEAD_LETTER);
  CHECK_INT(lambda_executor_batch_event(batch, 0)->has_return_code, 0);
  CHECK(lambda_executor_batch_event(batch, 0)->message.len > 0);
  done_with(batch);

  queue_builtin(ex, "twice", "{\"duplicate\": true}");
  expect_final(ex, "twice", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  queue(ex, task("last"));
  batch = next_batch(ex, 1); /* not the second result of "twice" */
  CHECK_TEXT(lambda_executor_batch_event(batch, 0)->key.ptr, "last");
  done_with(batch);
  lambda_executor_free(ex, NULL);

  ex = start("{\"local\": {\"handler\": \"builtin\", \"faults\": {\"outages\": [{\"for_ms\": "
             "3600000}]}}, \"log\": \"off\"}");
  lambda_executor_task_t hasty = task("hasty");
  hasty.max_wait_ms = 50;
  queue(ex, hasty);
  expect_final(ex, "hasty", LAMBDA_EXECUTOR_TASK_FAILED, LAMBDA_EXECUTOR_REASON_EXPIRED);
  lambda_executor_free(ex, NULL);
  return 0;
}
