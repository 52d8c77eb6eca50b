/* Several tasks in one Invoke: each has its own result, and a thousand need about a hundred
 * Invokes. One that crashes takes its batch with it, and is the only one to fail where tasks are
 * sent again. */
#include "test.h"

enum { TASKS = 1000 };

/* A number of a group of the statistics. */
static long long figure(const lambda_executor_t *ex, const char *group, const char *name) {
  static char json[1 << 16];
  char quoted[64];
  size_t needed = 0;
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_stats(ex, json, sizeof json, &needed, &err));
  snprintf(quoted, sizeof quoted, "\"%s\":{", group);
  const char *at = strstr(json, quoted);
  CHECK(at != NULL);
  snprintf(quoted, sizeof quoted, "\"%s\":", name);
  at = strstr(at, quoted);
  CHECK(at != NULL);
  return strtoll(at + strlen(quoted), NULL, 10);
}

static void a_thousand_tasks_need_about_a_hundred_invokes(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"builtin\"}, \"batch_size\": 10, "
                                "\"running_events\": false}");
  static int32_t codes[TASKS];
  for (int i = 0; i < TASKS; i++) {
    char key[16], behaviour[96];
    snprintf(key, sizeof key, "%d", i);
    snprintf(behaviour, sizeof behaviour, "{\"return_code\": %d, \"output_tail\": \"%d\"}", i % 7,
             i);
    queue_builtin(ex, key, behaviour);
    codes[i] = -1;
  }
  for (int seen = 0; seen < TASKS;) {
    lambda_executor_batch_t *batch = next_batch(ex, 0);
    for (size_t i = 0; i < lambda_executor_batch_len(batch); i++, seen++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
      int number = atoi(event->key.ptr);
      CHECK_INT(codes[number], -1);
      codes[number] = event->return_code;
      CHECK_TEXT(event->output_tail.ptr, event->key.ptr);
    }
    done_with(batch);
  }
  for (int i = 0; i < TASKS; i++)
    CHECK_INT(codes[i], i % 7);
  CHECK_INT(figure(ex, "invokes", "tasks"), TASKS);
  long long invokes = figure(ex, "aws_calls", "invoke");
  if (invokes < TASKS / 10 || invokes > TASKS / 10 + 20)
    FAIL("%lld Invokes for %d tasks", invokes, TASKS);
  lambda_executor_free(ex, NULL);
}

/* Three tasks in one event, of which the second kills the function each time. */
static lambda_executor_t *with_a_killer(const char *more) {
  char options[512];
  snprintf(options, sizeof options,
           "{\"local\": {\"handler\": \"builtin\", \"retry_base_ms\": 1}, \"batch_size\": 3, "
           "\"batch_wait_ms\": 60000, \"running_events\": false%s}",
           more);
  lambda_executor_t *ex = start(options);
  queue_builtin(ex, "first", "{\"return_code\": 0}");
  queue_builtin(ex, "killer", "{\"crash\": true}");
  queue_builtin(ex, "last", "{\"return_code\": 5}");
  return ex;
}

static void a_dead_letter_of_several_tasks_fails_them(void) {
  lambda_executor_t *ex = with_a_killer("");
  expect_final(ex, "first", LAMBDA_EXECUTOR_TASK_FAILED, LAMBDA_EXECUTOR_REASON_DEAD_LETTER);
  CHECK_INT(state_of(ex, "killer"), LAMBDA_EXECUTOR_TASK_FAILED);
  CHECK_INT(state_of(ex, "last"), LAMBDA_EXECUTOR_TASK_FAILED);
  CHECK_INT(figure(ex, "aws_calls", "invoke"), 1);
  lambda_executor_free(ex, NULL);
}

static void or_sends_them_again_one_by_one(void) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = with_a_killer(", \"batch_resubmit\": true");
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -1, NULL, &err));
  CHECK_INT(state_of(ex, "first"), LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_INT(state_of(ex, "killer"), LAMBDA_EXECUTOR_TASK_FAILED);
  expect_final(ex, "last", LAMBDA_EXECUTOR_TASK_FAILED, LAMBDA_EXECUTOR_REASON_EXIT);
  CHECK_INT(figure(ex, "aws_calls", "invoke"), 4);
  CHECK_INT(figure(ex, "invokes", "resubmitted"), 3);
  lambda_executor_free(ex, NULL);
}

static void what_has_no_time_left_is_sent_again(void) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\", \"timeout_ms\": 500}, \"batch_size\": 2, "
            "\"batch_wait_ms\": 60000}");
  queue_builtin(ex, "a", "{\"duration_ms\": 300}");
  queue_builtin(ex, "b", "{\"duration_ms\": 300}");
  CHECK_OK(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, -1, NULL, &err));
  CHECK_INT(state_of(ex, "a"), LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_INT(state_of(ex, "b"), LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_INT(figure(ex, "aws_calls", "invoke"), 2);
  lambda_executor_free(ex, NULL);
}

int main(void) {
  a_thousand_tasks_need_about_a_hundred_invokes();
  a_dead_letter_of_several_tasks_fails_them();
  or_sends_them_again_one_by_one();
  what_has_no_time_left_is_sent_again();
  return 0;
}
