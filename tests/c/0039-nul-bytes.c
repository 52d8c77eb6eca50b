/* A NUL byte in a key or a command is rejected at once, with the reason: no function can receive
 * it. */
#include "test.h"

#define INVALID LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_state_t state;
  lambda_executor_task_t one = task("");
  one.key = LAMBDA_EXECUTOR_STR("a\0b");
  CHECK_ERROR(lambda_executor_queue(ex, &one, &err), INVALID, "NUL byte at offset 1");
  CHECK_ERROR(lambda_executor_state(ex, "a\0b", 3, &state, &err), INVALID, "NUL");
  one = task("k");
  one.command_json = LAMBDA_EXECUTOR_STR("[\"echo\", \"a\\u0000b\"]");
  CHECK_ERROR(lambda_executor_queue(ex, &one, &err), INVALID, "NUL");
  one.command_json = LAMBDA_EXECUTOR_STR("[\"echo\", \"a\0b\"]");
  CHECK_ERROR(lambda_executor_queue(ex, &one, &err), INVALID, "command_json");
  lambda_executor_free(ex, NULL);
  return 0;
}
