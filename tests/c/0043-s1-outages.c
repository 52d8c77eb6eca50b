/* An outage does not fail tasks. For every start time and every max_invoke_attempts, each task
 * succeeds with one attempt, and work continues within a second after the outage. */
#include "server.h"

enum { TASKS = 200, OUTAGE_MS = 1500, CALLS = 64 };

static const char *const KINDS[] = {"refuse", "error"};
/* Before the tasks are queued, and while all tasks run. Timed, so not under valgrind. */
static const struct {
  const char *name;
  int after_ms, queue_at_ms, duration_ms;
} BEGINNINGS[] = {{"before", 200, 400, 0}, {"after", 1000, 0, 1500}};

static void queue_all(lambda_executor_t *ex, const char *name, int count, int duration_ms) {
  char key[32], behaviour[64];
  snprintf(behaviour, sizeof behaviour, "{\"duration_ms\": %d}", duration_ms);
  for (int n = 0; n < count; n++) {
    snprintf(key, sizeof key, "%s-%d", name, n);
    queue_builtin(ex, key, behaviour);
  }
}

static void expect_all(lambda_executor_t *ex, int count, const char *what) {
  for (int ended = 0; ended < count;) {
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
  queue_all(ex, "task", TASKS, BEGINNINGS[beginning].duration_ms);
  expect_all(ex, TASKS, what);
  lambda_executor_free(ex, NULL);
}

/* An outage that begins during calls has an exception. A connection that ends before its first
 * answer, or more than a second after the request, may have carried its event. That try counts, so
 * with max_invoke_attempts 1 the event is not sent again: if it was lost, its task waits for a
 * result and does not fail. So this function waits until no event has arrived for longer than an
 * Invoke may take, and nothing is queued or runs. */
static int expect_all_or_unsure(lambda_executor_t *ex, int max_attempts, const char *what) {
  enum { LONGEST_INVOKE_MS = 12000 };
  int64_t deadline = now_ms() + DEADLINE_MS;
  int ended = 0;
  while (ended < TASKS) {
    lambda_executor_batch_t *batch = NULL;
    lambda_executor_counts_t counts = counts_of(ex);
    lambda_executor_status_t status = lambda_executor_sync(ex, LONGEST_INVOKE_MS, 0, &batch, NULL);
    if (status == LAMBDA_EXECUTOR_TIMED_OUT && counts.queued + counts.running == 0)
      break;
    if (now_ms() > deadline)
      FAIL("%s: %d tasks ended, %d queued, %d submitting, %d running", what, ended,
           (int)counts.queued, (int)counts.submitting, (int)counts.running);
    for (size_t at = 0; at < lambda_executor_batch_len(batch); at++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, at);
      if (!is_final(event->state))
        continue;
      ended++;
      if (event->state != LAMBDA_EXECUTOR_TASK_SUCCEEDED ||
          event->attempts > (uint32_t)max_attempts)
        FAIL("%s: %s is %s after %u attempts: %s", what, event->key.ptr,
             lambda_executor_task_state_name(event->state), event->attempts, event->message.ptr);
    }
    done_with(batch);
  }
  if (ended < TASKS && max_attempts > 1)
    FAIL("%s: %d tasks wait for a result although they may be sent again", what, TASKS - ended);
  return TASKS - ended;
}

/* The outage begins while 64 calls are in flight. Before it, two rounds of 64 calls open as many
 * connections and use each, so that nearly all connections that are cut have answered before. */
static void outage_during_calls(const char *kind, int attempts) {
  char config[1200], what[64], faults[256];
  server_t server;
  snprintf(what, sizeof what, "%s, max_invoke_attempts %d, during calls", kind, attempts);
  start_server(&server, "{\"lambda\": {\"latency_ms\": 300}}");
  snprintf(config, sizeof config, "%s, \"max_invoke_attempts\": %d, \"log\": \"off\"}",
           server.options, attempts);
  lambda_executor_t *ex = start(config);
  queue_all(ex, "first", CALLS, 0);
  expect_all(ex, CALLS, what);
  queue_all(ex, "second", CALLS, 0);
  expect_all(ex, CALLS, what);
  queue_all(ex, "task", TASKS, 0);
  WAIT_UNTIL(counts_of(ex).submitting == CALLS);
  snprintf(faults, sizeof faults, "{\"outages\": [{\"for_ms\": %d, \"kind\": \"%s\"}]}", OUTAGE_MS,
           kind);
  set_faults(faults);
  int unsure = expect_all_or_unsure(ex, attempts, what);
  printf("%s: %d of %d tasks succeeded, %d wait for a result\n", what, TASKS - unsure, TASKS,
         unsure);
  lambda_executor_free(ex, NULL);
  stop_server(&server);
}

int main(void) {
  for (int kind = 0; kind < 2; kind++)
    for (int attempts = 1; attempts <= 3; attempts++) {
      outage(KINDS[kind], attempts, 0);
      outage(KINDS[kind], attempts, 1);
      outage_during_calls(KINDS[kind], attempts);
    }
  return 0;
}
