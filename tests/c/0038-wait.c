/* lambda_executor_wait waits for one task. sync still returns its events. Several threads may wait.
 */
#include "test.h"
#include <pthread.h>

static lambda_executor_t *ex;

static void *wait_for(void *key) {
  lambda_executor_task_state_t state = 9;
  CHECK_STATUS(lambda_executor_wait(ex, key, LAMBDA_EXECUTOR_NUL, -1, &state, NULL),
               LAMBDA_EXECUTOR_OK);
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  return NULL;
}

static void *wait_until_closed(void *key) {
  lambda_executor_task_state_t state = 9;
  lambda_executor_status_t status;
  do
    status = lambda_executor_wait(ex, key, LAMBDA_EXECUTOR_NUL, -1, &state, NULL);
  while (status == LAMBDA_EXECUTOR_INTERRUPTED);
  CHECK_STATUS(status, LAMBDA_EXECUTOR_ERR_CLOSED);
  return NULL;
}

int main(void) {
  ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_state_t state = 9;
  CHECK_STATUS(lambda_executor_wait(ex, "a", 1, -1, &state, &err), LAMBDA_EXECUTOR_NOT_FOUND);
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);

  queue_builtin(ex, "a", "{\"duration_ms\": 200}");
  queue_builtin(ex, "b", "{\"duration_ms\": 300}");
  CHECK_STATUS(lambda_executor_wait(ex, "a", 1, 0, &state, &err), LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK(state >= LAMBDA_EXECUTOR_TASK_QUEUED && state <= LAMBDA_EXECUTOR_TASK_RUNNING);
  lambda_executor_wake(ex);
  CHECK_STATUS(lambda_executor_wait(ex, "a", 1, -1, &state, &err), LAMBDA_EXECUTOR_INTERRUPTED);

  char a[] = "a", b[] = "b";
  char *keys[4] = {a, b, a, b};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    CHECK_INT(pthread_create(&threads[i], NULL, wait_for, keys[i]), 0);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  CHECK_OK(lambda_executor_wait(ex, "a", 1, 0, &state, &err));
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  expect_final(ex, "a", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);

  char last[] = "last";
  queue_builtin(ex, last, "{\"duration_ms\": 600000}");
  CHECK_INT(pthread_create(&threads[0], NULL, wait_until_closed, last), 0);
  lambda_executor_close(ex);
  pthread_join(threads[0], NULL);
  lambda_executor_free(ex, NULL);
  return 0;
}
