/* describe and stats: a buffer that is too small is not written to, and the required size (with its
 * NUL) is returned. A buffer of that size is sufficient. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  size_t needed = 0, again = 0;
  queue(ex, task("a"));
  expect_final(ex, "a", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);

  CHECK_STATUS(lambda_executor_describe(ex, "a", 1, NULL, 0, &needed, &err),
               LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
  CHECK(err == NULL && needed > 2);
  char *buf = malloc(needed); /* exact size: valgrind reports one byte too many */
  memset(buf, 'x', needed);
  CHECK_STATUS(lambda_executor_describe(ex, "a", 1, buf, needed - 1, &again, &err),
               LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
  CHECK_INT(again, needed);
  CHECK_INT(buf[0], 'x');
  CHECK_OK(lambda_executor_describe(ex, "a", 1, buf, needed, NULL, &err));
  CHECK_INT(strlen(buf) + 1, needed);
  CHECK_CONTAINS(buf, "succeeded");
  free(buf);
  needed = 9;
  CHECK_STATUS(lambda_executor_describe(ex, "b", 1, NULL, 0, &needed, &err),
               LAMBDA_EXECUTOR_NOT_FOUND);
  CHECK_INT(needed, 0);
  CHECK_ERROR(lambda_executor_describe(ex, "b", 1, NULL, 8, &needed, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "buf"); /* for a known and an unknown key */

  CHECK_STATUS(lambda_executor_stats(ex, NULL, 0, NULL, &err), LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
  char small[4] = "xyz";
  CHECK_STATUS(lambda_executor_stats(ex, small, sizeof small, &needed, &err),
               LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
  CHECK_TEXT(small, "xyz");
  char *stats = malloc(needed + 4096); /* it may have grown since */
  CHECK_OK(lambda_executor_stats(ex, stats, needed + 4096, &again, &err));
  CHECK_INT(strlen(stats) + 1, again);
  CHECK_INT(stats[0], '{');
  CHECK_INT(stats[again - 2], '}');
  free(stats);
  lambda_executor_free(ex, NULL);
  return 0;
}
