/* Flow control: QUEUE_FULL at the limit of waiting tasks, DUPLICATE until the final event of the
 * key was returned. */
#include "test.h"

int main(void) {
  /* Lambda is down, so that queued tasks stay queued. */
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\", \"faults\": {\"outages\": [{\"for_ms\": "
            "3600000}]}}, \"max_queued_tasks\": 2, \"log\": \"off\"}");
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_t one = task("one"), two = task("two"), three = task("three");
  lambda_executor_task_t more[3] = {task("four"), task("one"), task("five")};
  lambda_executor_status_t results[3];
  size_t accepted = 9;
  CHECK_OK(lambda_executor_queue(ex, &one, &err));
  CHECK_STATUS(lambda_executor_queue(ex, &one, &err), LAMBDA_EXECUTOR_DUPLICATE);
  CHECK(err == NULL);
  CHECK_OK(lambda_executor_queue(ex, &two, &err));
  CHECK_STATUS(lambda_executor_queue(ex, &three, &err), LAMBDA_EXECUTOR_QUEUE_FULL);
  CHECK(err == NULL);
  CHECK_STATUS(lambda_executor_queue_batch(ex, more, 3, results, &accepted, &err, &err),
               LAMBDA_EXECUTOR_PARTIAL);
  CHECK(err == NULL);
  CHECK_INT(accepted, 0);
  for (int i = 0; i < 3; i++)
    CHECK_STATUS(results[i], LAMBDA_EXECUTOR_QUEUE_FULL);
  CHECK_INT(counts_of(ex).queued, 2);

  /* A cancelled task makes room at once, but keeps its key until its event was returned. */
  lambda_executor_str_t key = text("one");
  CHECK_OK(lambda_executor_cancel(ex, &key, 1, NULL, NULL, &err));
  CHECK_STATUS(lambda_executor_queue(ex, &one, &err), LAMBDA_EXECUTOR_DUPLICATE);
  expect_final(ex, "one", LAMBDA_EXECUTOR_TASK_CANCELLED, LAMBDA_EXECUTOR_REASON_NEVER_INVOKED);
  CHECK_OK(lambda_executor_queue(ex, &one, &err));
  lambda_executor_free(ex, NULL);
  return 0;
}
