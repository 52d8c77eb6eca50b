/* An unknown key is NOT_FOUND and UNKNOWN; a key that is not UTF-8 is an error. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_state_t state = 9;
  size_t needed = 9;
  CHECK_STATUS(lambda_executor_state(ex, "a", 1, &state, &err), LAMBDA_EXECUTOR_NOT_FOUND);
  CHECK(err == NULL);
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);
  CHECK_STATUS(lambda_executor_describe(ex, "a", 1, NULL, 0, &needed, &err),
               LAMBDA_EXECUTOR_NOT_FOUND);
  CHECK_INT(needed, 0);
  state = 9;
  CHECK_ERROR(lambda_executor_state(ex, "\xff", 1, &state, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "UTF-8");
  CHECK_INT(state, LAMBDA_EXECUTOR_TASK_UNKNOWN);
  CHECK_ERROR(lambda_executor_describe(ex, "\xc3", LAMBDA_EXECUTOR_NUL, NULL, 0, &needed, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "UTF-8");
  lambda_executor_free(ex, NULL);
  return 0;
}
