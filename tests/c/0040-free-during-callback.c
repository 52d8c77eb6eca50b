/* A log callback may use the executor while another thread frees it, even after free has stopped
 * waiting for the callback. */
#include "test.h"
#include <pthread.h>

static lambda_executor_t *ex;
static int entered, released, left;

static void on_record(void *user_data, const lambda_executor_log_record_t *record) {
  (void)user_data;
  (void)record;
  if (__atomic_exchange_n(&entered, 1, __ATOMIC_SEQ_CST))
    return;
  WAIT_UNTIL(__atomic_load_n(&released, __ATOMIC_SEQ_CST));
  lambda_executor_counts_t counts = LAMBDA_EXECUTOR_COUNTS_INIT;
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_t late = task("late");
  CHECK_OK(lambda_executor_counts(ex, &counts, &err));
  CHECK_ERROR(lambda_executor_queue(ex, &late, &err), LAMBDA_EXECUTOR_ERR_CLOSED, "closed");
  __atomic_store_n(&left, 1, __ATOMIC_SEQ_CST);
}

int main(void) {
  ex = start("{\"local\": {\"handler\": \"builtin\"}, \"shutdown_grace_ms\": 100}");
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_set_log_callback(ex, on_record, NULL, LAMBDA_EXECUTOR_LOG_TRACE, &err));
  queue(ex, task("a"));
  WAIT_UNTIL(__atomic_load_n(&entered, __ATOMIC_SEQ_CST));
  lambda_executor_free(ex, NULL);
  __atomic_store_n(&released, 1, __ATOMIC_SEQ_CST);
  WAIT_UNTIL(__atomic_load_n(&left, __ATOMIC_SEQ_CST));
  return 0;
}
