/* lambda_executor_wake ends the waits in progress, or the next one. */
#include "test.h"
#include <pthread.h>

static lambda_executor_t *ex;
static int waiting;

static int interruptions;

static void *wait_again_and_again(void *unused) {
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_status_t status;
  (void)unused;
  while ((status = lambda_executor_sync(ex, -1, 0, &batch, NULL)) == LAMBDA_EXECUTOR_INTERRUPTED)
    __atomic_add_fetch(&interruptions, 1, __ATOMIC_SEQ_CST);
  CHECK_STATUS(status, LAMBDA_EXECUTOR_ERR_CLOSED);
  return NULL;
}

static void *wait_for_ever(void *unused) {
  lambda_executor_batch_t *batch = NULL;
  (void)unused;
  __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  CHECK_STATUS(lambda_executor_sync(ex, -1, 0, &batch, NULL), LAMBDA_EXECUTOR_INTERRUPTED);
  CHECK(batch == NULL);
  __atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

int main(void) {
  ex = start(BUILTIN);
  lambda_executor_batch_t *batch = NULL;
  CHECK_STATUS(lambda_executor_wake(ex), LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(lambda_executor_sync(ex, -1, 0, &batch, NULL), LAMBDA_EXECUTOR_INTERRUPTED);
  CHECK_STATUS(lambda_executor_wake(ex), LAMBDA_EXECUTOR_OK);
  uint64_t remaining = 9;
  queue_builtin(ex, "long", "{\"duration_ms\": 600000}");
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -1, &remaining, NULL),
               LAMBDA_EXECUTOR_INTERRUPTED);
  CHECK_INT(remaining, 1);
  done_with(next_batch(ex, 0)); /* it runs: no further event */

  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    CHECK_INT(pthread_create(&threads[i], NULL, wait_for_ever, NULL), 0);
  WAIT_UNTIL(__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == 2);
  /* A thread that counted itself may not wait yet. Then its next wait ends; at most one wake is
   * still pending for one of the threads. */
  WAIT_UNTIL((lambda_executor_wake(ex), __atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == 0));
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);

  /* One wake ends one wait of each thread, even if they wait again at once. */
  lambda_executor_free(ex, NULL);
  ex = start(BUILTIN);
  for (int i = 0; i < 2; i++)
    CHECK_INT(pthread_create(&threads[i], NULL, wait_again_and_again, NULL), 0);
  CHECK_STATUS(lambda_executor_wake(ex), LAMBDA_EXECUTOR_OK);
  WAIT_UNTIL(__atomic_load_n(&interruptions, __ATOMIC_SEQ_CST) > 0);
  CHECK_STATUS(lambda_executor_close(ex), LAMBDA_EXECUTOR_OK);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  CHECK(interruptions <= 2);
  lambda_executor_free(ex, NULL);
  return 0;
}
