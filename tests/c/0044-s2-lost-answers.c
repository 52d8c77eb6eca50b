/* While answers are lost, Lambda receives an event at most max_invoke_attempts times. After that
 * only dry runs probe the function, and the task waits for a result. */
#include "test.h"

/* A number in the statistics, by the text before it. */
static long figure(lambda_executor_t *ex, const char *name) {
  char stats[65536];
  size_t needed = 0;
  CHECK_STATUS(lambda_executor_stats(ex, stats, sizeof stats, &needed, NULL), LAMBDA_EXECUTOR_OK);
  const char *at = strstr(stats, name);
  CHECK(at != NULL);
  return strtol(at + strlen(name), NULL, 10);
}

int main(void) {
  lambda_executor_t *ex =
      start("{\"max_invoke_attempts\": 2, \"result_timeout_ms\": 1000,"
            " \"check_health_on_startup\": false, \"max_unmatched_delay_s\": 1,"
            " \"log\": \"off\", \"local\":"
            " {\"handler\": \"builtin\", \"faults\": {\"lambda\": {\"drop\": 1.0}}}}");
  queue_builtin(ex, "unanswered", "{\"duration_ms\": 600000}");
  /* Empty long polls of 20 s prove that no result arrives. */
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_state_t state = 0;
  CHECK_OK(
      lambda_executor_wait(ex, "unanswered", LAMBDA_EXECUTOR_NUL, 2 * DEADLINE_MS, &state, &err));
  lambda_executor_batch_t *batch = final_batch(ex, "unanswered");
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_FAILED);
  CHECK_INT(event->reason, LAMBDA_EXECUTOR_REASON_INVOKE_FAILED);
  CHECK_CONTAINS(event->message.ptr, "may have run");
  CHECK(figure(ex, "\"invoke\":") <= 2);
  done_with(batch);
  lambda_executor_free(ex, NULL);
  return 0;
}
