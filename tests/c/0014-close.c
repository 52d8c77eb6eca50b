/* close ends every wait, and every later call that submits or waits, with ERR_CLOSED. Until free,
 * returned events can be acknowledged, and queries work. */
#include "test.h"
#include <pthread.h>

#define CLOSED LAMBDA_EXECUTOR_ERR_CLOSED

static lambda_executor_t *ex;

static void *wait_in_sync(void *unused) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = NULL;
  (void)unused;
  for (;;) {
    lambda_executor_status_t status = lambda_executor_sync(ex, -1, 0, &batch, &err);
    if (status < 0) {
      CHECK_STATUS(status, CLOSED);
      lambda_executor_error_free(err);
      return NULL;
    }
    lambda_executor_batch_free(batch);
  }
}

static void *wait_in_drain(void *unused) {
  (void)unused;
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -1, NULL, NULL), CLOSED);
  return NULL;
}

static void on_record(void *user_data, const lambda_executor_log_record_t *record) {
  (void)user_data;
  (void)record;
}

int main(void) {
  ex = start(BUILTIN);
  queue(ex, task("short"));
  lambda_executor_batch_t *before = final_batch(ex, "short");
  queue_builtin(ex, "long", "{\"duration_ms\": 600000}");
  WAIT_UNTIL(state_of(ex, "long") == LAMBDA_EXECUTOR_TASK_RUNNING);
  pthread_t threads[2];
  CHECK_INT(pthread_create(&threads[0], NULL, wait_in_sync, NULL), 0);
  CHECK_INT(pthread_create(&threads[1], NULL, wait_in_drain, NULL), 0);
  CHECK_STATUS(lambda_executor_close(ex), LAMBDA_EXECUTOR_OK);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  CHECK_STATUS(lambda_executor_close(ex), LAMBDA_EXECUTOR_OK);

  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_task_t one = task("one");
  lambda_executor_str_t key = text("long");
  lambda_executor_task_state_t state;
  uint64_t seq = 1;
  size_t needed;
  CHECK_ERROR(lambda_executor_queue(ex, &one, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_queue_batch(ex, &one, 1, NULL, NULL, NULL, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_sync(ex, 0, 0, &batch, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_wait(ex, "long", 4, -1, &state, &err), CLOSED, "");
  CHECK_INT(counts_of(ex).running, 1);
  CHECK_OK(lambda_executor_state(ex, "long", 4, &state, &err));
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_RUNNING);
  CHECK_STATUS(lambda_executor_describe(ex, "long", 4, NULL, 0, &needed, &err),
               LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
  CHECK_STATUS(lambda_executor_stats(ex, NULL, 0, &needed, &err), LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
  uint64_t unacknowledged = counts_of(ex).unacknowledged;
  CHECK_OK(lambda_executor_batch_ack(before, &err));
  CHECK_OK(lambda_executor_batch_ack(before, &err));
  CHECK_INT(counts_of(ex).unacknowledged, unacknowledged - 1);
  CHECK_OK(lambda_executor_ack(ex, &seq, 1, &err));
  CHECK_ERROR(lambda_executor_cancel(ex, &key, 1, NULL, NULL, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_adopt(ex, &one, 1, NULL, NULL, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_drain(ex, 0, 0, NULL, &err), CLOSED, "");
  CHECK_INT(wakeup_status(ex), CLOSED);
  CHECK_STATUS(lambda_executor_wake(ex), CLOSED);
  CHECK_ERROR(lambda_executor_check_health(ex, 0, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_set_credentials(ex, "{}", 2, &err), CLOSED, "");
  CHECK_ERROR(lambda_executor_set_log_callback(ex, on_record, NULL, 0, &err), CLOSED, "");
  CHECK_OK(lambda_executor_set_log_callback(ex, NULL, NULL, 0, &err));
  uint64_t dropped = 9;
  lambda_executor_free(ex, &dropped);
  CHECK_INT(dropped, 0);
  CHECK_ERROR(lambda_executor_batch_ack(before, &err), CLOSED, "freed");
  lambda_executor_batch_free(before);
  return 0;
}
