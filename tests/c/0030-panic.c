/* A panic becomes ERR_PANIC and poisons that executor only. Needs the library with the feature
 * panic-injection. */
#include "test.h"
#include <pthread.h>

/* Exported only by the library for this test. */
lambda_executor_status_t lambda_executor_test_panic(lambda_executor_t *ex, int32_t place,
                                                    lambda_executor_error_t **err);

/* The panic is logged even in a thread of the host. */
static void on_record(void *count, const lambda_executor_log_record_t *record) {
  if (record->level == LAMBDA_EXECUTOR_LOG_ERROR &&
      strstr(record->message.ptr, "injected by a test"))
    __atomic_add_fetch((int *)count, 1, __ATOMIC_SEQ_CST);
}

static void *wait_without_limit(void *ex) {
  lambda_executor_batch_t *batch = NULL;
  CHECK_STATUS(lambda_executor_sync(ex, -1, 0, &batch, NULL), LAMBDA_EXECUTOR_ERR_PANIC);
  return NULL;
}

/* A panic while a batch is acknowledged or freed poisons its executor, since the state is then
 * unknown. */
static void in_a_batch(int acknowledge) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_t one = task("one");
  queue(ex, task("a"));
  lambda_executor_batch_t *batch = next_batch(ex, 1);
  CHECK_STATUS(lambda_executor_test_panic(ex, 2, &err), LAMBDA_EXECUTOR_OK);
  if (acknowledge)
    CHECK_ERROR(lambda_executor_batch_ack(batch, &err), LAMBDA_EXECUTOR_ERR_PANIC, "injected");
  lambda_executor_batch_free(batch);
  CHECK_ERROR(lambda_executor_queue(ex, &one, &err), LAMBDA_EXECUTOR_ERR_PANIC, "injected");
  lambda_executor_free(ex, NULL);
}

int main(void) {
  in_a_batch(1);
  in_a_batch(0);
  for (int32_t place = 0; place < 2; place++) {
    lambda_executor_t *ex = start(BUILTIN), *other = start(BUILTIN);
    lambda_executor_error_t *err = NULL;
    lambda_executor_batch_t *batch = NULL;
    pthread_t waiting;
    int count = 0;
    CHECK_OK(
        lambda_executor_set_log_callback(ex, on_record, &count, LAMBDA_EXECUTOR_LOG_WARN, &err));
    CHECK_INT(pthread_create(&waiting, NULL, wait_without_limit, ex), 0);
    CHECK_STATUS(lambda_executor_test_panic(ex, place, &err),
                 place == 0 ? LAMBDA_EXECUTOR_ERR_PANIC : LAMBDA_EXECUTOR_OK);
    lambda_executor_error_free(err);
    pthread_join(waiting, NULL);
    lambda_executor_task_t one = task("one");
    CHECK_ERROR(lambda_executor_queue(ex, &one, &err), LAMBDA_EXECUTOR_ERR_PANIC, "");
    CHECK_ERROR(lambda_executor_sync(ex, -1, 0, &batch, &err), LAMBDA_EXECUTOR_ERR_PANIC, "");
    CHECK_STATUS(lambda_executor_wake(ex), LAMBDA_EXECUTOR_ERR_PANIC);
    CHECK_INT(wakeup_status(ex), LAMBDA_EXECUTOR_ERR_PANIC);

    queue(other, task("unharmed"));
    expect_final(other, "unharmed", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
    lambda_executor_free(ex, NULL);
    CHECK_INT(count, place == 0);
    lambda_executor_free(other, NULL);
  }
  return 0;
}
