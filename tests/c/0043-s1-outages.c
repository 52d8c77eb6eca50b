/* An outage is not the fault of a task: whenever it begins and whatever max_invoke_attempts is,
 * every task succeeds with one attempt, and work goes on within a second after it ends. */
#include "test.h"

enum { TASKS = 200, OUTAGE_MS = 1500 };

static const char *const KINDS[] = {"refuse", "error"};
/* Before the tasks are queued, while 64 calls are under way, and while all tasks run. Timed, so not
 * under valgrind. */
static const struct {
  const char *name;
  int after_ms, queue_at_ms, duration_ms;
} BEGINNINGS[] = {{"before", 200, 400, 0}, {"during", 400, 300, 0}, {"after", 1000, 0, 1500}};

static void queue_all(lambda_executor_t *ex, int duration_ms) {
  char key[32], behaviour[64];
  snprintf(behaviour, sizeof behaviour, "{\"duration_ms\": %d}", duration_ms);
  for (int n = 0; n < TASKS; n++) {
    snprintf(key, sizeof key, "task-%d", n);
    queue_builtin(ex, key, behaviour);
  }
}

static void expect_all(lambda_executor_t *ex, const char *what) {
  for (int ended = 0; ended < TASKS;) {
    lambda_executor_batch_t *batch = next_batch(ex, 0);
    for (size_t at = 0; at < lambda_executor_batch_len(batch); at++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, at);
      if (!is_final(event->state))
        continue;
      ended++;
      if (event->state != LAMBDA_EXECUTOR_TASK_SUCCEEDED || event->attempts != 1)
        FAIL("%s: %s is %s after %u attempts: %s", what, event->key.ptr,
             lambda_executor_task_state_name(event->state), event->attempts, event->message.ptr);
    }
    done_with(batch);
  }
}

static void outage(const char *kind, int attempts, int beginning) {
  char config[512], what[64];
  snprintf(what, sizeof what, "%s, max_invoke_attempts %d, %s", kind, attempts,
           BEGINNINGS[beginning].name);
  snprintf(config, sizeof config,
           "{\"max_invoke_attempts\": %d, \"log\": \"off\", \"local\": {\"handler\": \"builtin\","
           " \"faults\": {\"lambda\": {\"latency_ms\": 20}, \"outages\": [{\"after_ms\": %d,"
           " \"for_ms\": %d, \"kind\": \"%s\"}]}}}",
           attempts, BEGINNINGS[beginning].after_ms, OUTAGE_MS, kind);
  int64_t began = now_ms();
  lambda_executor_t *ex = start(config);
  queue(ex, task("first"));
  expect_final(ex, "first", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  WAIT_UNTIL(now_ms() >= began + BEGINNINGS[beginning].queue_at_ms);
  queue_all(ex, BEGINNINGS[beginning].duration_ms);
  expect_all(ex, what);
  lambda_executor_free(ex, NULL);
}

int main(void) {
  for (int beginning = 0; beginning < 3; beginning++)
    for (int kind = 0; kind < 2; kind++)
      for (int attempts = 1; attempts <= 3; attempts++) {
        /* A connection that is new when it is cut may have carried its event: that try counts, and
         * with one allowed the task waits for a result that may never come. */
        if (beginning == 1 && kind == 0)
          continue;
        outage(KINDS[kind], attempts, beginning);
      }
  return 0;
}
