/* Credentials expire while tasks wait and run, then the host sets new ones: no task fails, none
 * runs twice. The error about invalid credentials does not quote them. */
#include "test.h"

enum { TASKS = 40 };

static int health_is(lambda_executor_t *ex, const char *state) {
  char stats[65536], expected[64];
  size_t needed = 0;
  CHECK_STATUS(lambda_executor_stats(ex, stats, sizeof stats, &needed, NULL), LAMBDA_EXECUTOR_OK);
  snprintf(expected, sizeof expected, "\"state\":\"%s\"", state);
  return strstr(stats, expected) != NULL;
}

int main(void) {
  const char *lasting =
      "{\"access_key_id\": \"AKIALASTING\", \"secret_access_key\": \"second-secret\"}";
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\", \"builtin\": {\"duration_ms\": 300},"
            " \"faults\": {\"expire_credentials_after_ms\": 700},"
            " \"lasting_access_key_id\": \"AKIALASTING\","
            " \"lasting_secret_access_key\": \"second-secret\"},"
            " \"max_running_tasks\": 8, \"log\": \"off\", \"running_events\": false}");
  lambda_executor_error_t *err = NULL;
  CHECK_ERROR(lambda_executor_set_credentials(ex, "{}", 2, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "credentials: access_key_id is missing");
  CHECK_ERROR(lambda_executor_set_credentials(ex, "hush", 4, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "not JSON");
  CHECK_ERROR(lambda_executor_set_credentials(ex, NULL, 0, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "empty");

  for (int i = 0; i < TASKS; i++) {
    char key[16];
    snprintf(key, sizeof key, "task-%d", i);
    queue(ex, task(key));
  }
  WAIT_UNTIL(health_is(ex, "no_credentials"));
  CHECK_OK(lambda_executor_set_credentials(ex, lasting, LAMBDA_EXECUTOR_NUL, &err));

  for (int done = 0; done < TASKS;) {
    lambda_executor_batch_t *batch = next_batch(ex, 0);
    for (size_t i = 0; i < lambda_executor_batch_len(batch); i++, done++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
      CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
      CHECK_INT(event->attempts, 1);
    }
    done_with(batch);
  }
  CHECK(health_is(ex, "healthy"));
  lambda_executor_free(ex, NULL);
  return 0;
}
