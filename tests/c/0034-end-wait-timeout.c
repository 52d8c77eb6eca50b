/* The option end_wait_timeout is the time limit of a drain that asks for it, counted from the first
 * drain. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"end_wait_timeout\": 1, \"log\": \"off\"}");
  lambda_executor_error_t *err = NULL;
  uint64_t remaining = 0;
  queue_builtin(ex, "long", "{\"duration_ms\": 600000}");

  /* Only drain has this time limit. */
  lambda_executor_batch_t *batch = NULL;
  CHECK_ERROR(lambda_executor_sync(ex, LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED, 0, &batch, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "timeout_ms is -2");
  CHECK_ERROR(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -3, &remaining, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "timeout_ms is -3");
  CHECK_INT(counts_of(ex).queued + counts_of(ex).submitting + counts_of(ex).running, 1);

  int64_t began = now_ms();
  CHECK_STATUS(lambda_executor_wake(ex), LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH,
                                     LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED, &remaining, &err),
               LAMBDA_EXECUTOR_INTERRUPTED);
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH,
                                     LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED, &remaining, &err),
               LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK_INT(remaining, 1);
  CHECK(now_ms() - began >= 990);
  began = now_ms();
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH,
                                     LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED, &remaining, &err),
               LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK(now_ms() - began < 900);
  lambda_executor_free(ex, NULL);

  /* 0, the default, means no limit. */
  ex = start(BUILTIN);
  queue_builtin(ex, "short", "{\"duration_ms\": 100}");
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH,
                                 LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED, &remaining, &err));
  CHECK_INT(remaining, 0);
  lambda_executor_free(ex, NULL);
  return 0;
}
