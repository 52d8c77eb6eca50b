/* A function that is Pending fails no task: they wait, health says why, and all succeed once it is
 * Active. */
#include "test.h"

static void expect_health(lambda_executor_t *ex, const char *part) {
  char stats[65536];
  size_t needed = 0;
  CHECK_STATUS(lambda_executor_stats(ex, stats, sizeof stats, &needed, NULL), LAMBDA_EXECUTOR_OK);
  CHECK_CONTAINS(stats, part);
}

static void pending(const char *startup) {
  char config[512];
  snprintf(
      config, sizeof config,
      "{\"max_invoke_attempts\": 1, \"check_health_on_startup\": %s, \"log\": \"off\","
      " \"local\": {\"handler\": \"builtin\", \"faults\": {\"lambda_states\": [{\"for_ms\": 3000,"
      " \"state\": \"Pending\"}]}}}",
      startup);
  lambda_executor_t *ex = start(config);
  char key[2] = "a";
  for (; key[0] <= 'e'; key[0]++)
    queue(ex, task(key));
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_state_t state = 0;
  CHECK_STATUS(lambda_executor_wait(ex, "a", LAMBDA_EXECUTOR_NUL, 1500, &state, &err),
               LAMBDA_EXECUTOR_TIMED_OUT);
  expect_health(ex, "\"degraded\"");
  expect_health(ex, "Pending");
  for (key[0] = 'a'; key[0] <= 'e'; key[0]++) {
    CHECK_OK(lambda_executor_wait(ex, key, LAMBDA_EXECUTOR_NUL, DEADLINE_MS, &state, &err));
    CHECK_INT(state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  }
  expect_health(ex, "\"healthy\"");
  lambda_executor_free(ex, NULL);
}

int main(void) {
  pending("false");
  pending("true");
  return 0;
}
