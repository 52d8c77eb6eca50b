/* A host starts a local AWS as root and then becomes another user, so that it may no longer end the
 * functions' processes. free still returns, and reports the processes that it left running. */
#include "test.h"
#include <unistd.h>

#define EXEC "{\"shutdown_grace_ms\": 200, \"local\": {\"handler\": \"exec\"}}"

static char logged[1 << 16];

static void remember(void *user_data, const lambda_executor_log_record_t *record) {
  (void)user_data;
  strncat(logged, record->message.ptr, sizeof logged - strlen(logged) - 1);
}

int main(void) {
  if (geteuid() != 0) {
    puts("needs root: nothing tested");
    return 0;
  }
  lambda_executor_t *ex = start(EXEC);
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_set_log_callback(ex, remember, NULL, LAMBDA_EXECUTOR_LOG_WARN, &err));
  char started[] = "/tmp/lambda-executor-setuid-XXXXXX", command[256];
  CHECK(mkdtemp(started) != NULL);
  snprintf(command, sizeof command, "[\"/bin/sh\", \"-c\", \"rmdir %s; exec sleep 20\"]", started);
  lambda_executor_task_t sleeps = task("sleeps");
  sleeps.command_json = text(command);
  queue(ex, sleeps);
  WAIT_UNTIL(access(started, F_OK) != 0);
  CHECK_INT(setgid(61051), 0);
  CHECK_INT(setuid(61051), 0);
  int64_t began = now_ms();
  lambda_executor_free(ex, NULL);
  CHECK(now_ms() - began < 10000);
  CHECK_CONTAINS(logged, "left running");
  return 0;
}
