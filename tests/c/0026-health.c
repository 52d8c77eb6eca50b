/* check_health calls AWS at once. It returns OK or an error with the problem and its place, and
 * ends at its time limit or when woken. */
#include "test.h"

static lambda_executor_t *with_faults(const char *faults) {
  char config[512];
  snprintf(config, sizeof config,
           "{\"local\": {\"handler\": \"builtin\", \"faults\": %s}, \"log\": \"off\"}", faults);
  return start(config);
}

int main(void) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = start(BUILTIN);
  CHECK_OK(lambda_executor_check_health(ex, -1, &err));
  lambda_executor_free(ex, NULL);

  ex = with_faults("{\"error\": 1}");
  CHECK_ERROR(lambda_executor_check_health(ex, DEADLINE_MS, &err), LAMBDA_EXECUTOR_ERR_AWS, "");
  lambda_executor_free(ex, NULL);

  ex = with_faults("{\"expire_credentials_after_ms\": 0}");
  CHECK_ERROR(lambda_executor_check_health(ex, DEADLINE_MS, &err), LAMBDA_EXECUTOR_ERR_CREDENTIALS,
              "");
  lambda_executor_free(ex, NULL);

  /* Start and query without waiting. */
  ex = with_faults("{\"error\": 1}");
  WAIT_UNTIL(lambda_executor_check_health(ex, 0, NULL) == LAMBDA_EXECUTOR_ERR_AWS);
  lambda_executor_free(ex, NULL);

  ex = with_faults("{\"latency_ms\": 5000}");
  CHECK_STATUS(lambda_executor_check_health(ex, 0, &err), LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK_STATUS(lambda_executor_check_health(ex, 20, &err), LAMBDA_EXECUTOR_TIMED_OUT);
  CHECK_STATUS(lambda_executor_wake(ex), LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(lambda_executor_check_health(ex, -1, &err), LAMBDA_EXECUTOR_INTERRUPTED);
  CHECK(err == NULL);
  lambda_executor_free(ex, NULL);
  return 0;
}
