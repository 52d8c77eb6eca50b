/* The host's wall clock is wrong by an hour (with credentials of the environment), or is set back
 * by an hour while a local AWS runs in the process. Tasks run in both cases. */
#include "server.h"
#include <sys/syscall.h>

static volatile long offset_s;

/* Replaces libc's function for this program and the library. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  if (syscall(SYS_clock_gettime, clock, now) != 0)
    return -1;
  if (clock == CLOCK_REALTIME)
    now->tv_sec += offset_s;
  return 0;
}

static void run(lambda_executor_t *ex, const char *key) {
  queue(ex, task(key));
  expect_final(ex, key, LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
}

static void wrong_from_the_start(long by_s, const char *direction) {
  char config[1200];
  server_t server;
  lambda_executor_error_t *err = NULL;
  start_server(&server, "{}");
  snprintf(config, sizeof config, "%s}", server.options);
  offset_s = by_s;
  lambda_executor_t *ex = start(config);
  /* The first call reports the error; the calls after it have the right time. */
  lambda_executor_status_t status = lambda_executor_check_health(ex, DEADLINE_MS, &err);
  if (status != LAMBDA_EXECUTOR_OK)
    CHECK_CONTAINS(lambda_executor_error_cstr(err), direction);
  lambda_executor_error_free(err);
  run(ex, "a");
  run(ex, "b");
  lambda_executor_free(ex, NULL);
  offset_s = 0;
  stop_server(&server);
}

int main(void) {
  wrong_from_the_start(3600, "s ahead of AWS's");
  wrong_from_the_start(-3600, "s behind AWS's");

  lambda_executor_t *ex = start(BUILTIN);
  run(ex, "before");
  offset_s = -3600;
  run(ex, "set back");
  offset_s = 600;
  run(ex, "set forward");
  lambda_executor_free(ex, NULL);
  return 0;
}
