/* A Pending function does not fail tasks: they wait, health has the reason, and all succeed when
 * the function becomes Active. */
#include "server.h"

static int health_has(lambda_executor_t *ex, const char *part) {
  char stats[65536];
  size_t needed = 0;
  CHECK_STATUS(lambda_executor_stats(ex, stats, sizeof stats, &needed, NULL), LAMBDA_EXECUTOR_OK);
  return strstr(stats, part) != NULL;
}

static void pending(const char *startup) {
  char config[1200];
  server_t server;
  start_server(&server, "{\"lambda_states\": [{\"for_ms\": 3600000, \"state\": \"Pending\"}]}");
  snprintf(config, sizeof config,
           "%s, \"max_invoke_attempts\": 1, \"check_health_on_startup\": %s, \"log\": \"off\"}",
           server.options, startup);
  lambda_executor_t *ex = start(config);
  char key[2] = "a";
  for (; key[0] <= 'e'; key[0]++)
    queue(ex, task(key));
  WAIT_UNTIL(health_has(ex, "\"degraded\"") && health_has(ex, "Pending"));
  CHECK_INT(counts_of(ex).waiting_events, 0);
  set_faults("{}");
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_state_t state = 0;
  for (key[0] = 'a'; key[0] <= 'e'; key[0]++) {
    CHECK_OK(lambda_executor_wait(ex, key, LAMBDA_EXECUTOR_NUL, DEADLINE_MS, &state, &err));
    CHECK_INT(state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  }
  CHECK(health_has(ex, "\"healthy\""));
  lambda_executor_free(ex, NULL);
  stop_server(&server);
}

int main(void) {
  pending("false");
  pending("true");
  return 0;
}
