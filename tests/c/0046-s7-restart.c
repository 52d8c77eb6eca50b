/* A restart while long polls are in flight and results arrive. In SQS, as in the local server, an
 * aborted poll may take messages that reach no client, and messages that the first process received
 * stay hidden. The next process adopts the tasks, and each result arrives within 20 s. */
#include "server.h"

/* The first process ends when it has some of the results; the others follow one by one, in 5 s.
 * They are further apart than the 100 ms that free waits for the answer to a poll, so that some
 * polls are aborted. */
enum { TASKS = 30, FIRST_MS = 500, BETWEEN_MS = 200, SEEN = 4, LIMIT_MS = 20000 };

static char config[1100];
static char keys[TASKS][16];
static char attempts[TASKS][LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE];

/* The first process has all tasks accepted and some results received. If it frees its executor, it
 * first acknowledges these results and writes their keys to the pipe; otherwise free would release
 * them, which would end its last polls. If it waits to be killed, the results stay hidden. */
static void first_process(int acknowledged, int is_freed) {
  lambda_executor_t *ex = start(config);
  char behaviour[64];
  for (int n = 0; n < TASKS; n++) {
    lambda_executor_task_t one = task(keys[n]);
    snprintf(behaviour, sizeof behaviour, "{\"builtin\": {\"duration_ms\": %d}}",
             FIRST_MS + n * BETWEEN_MS);
    one.executor_config_json = text(behaviour);
    one.attempt_id = text(attempts[n]);
    one.tag = (uint64_t)n;
    queue(ex, one);
  }
  for (int running = 0, ended = 0; running < TASKS || ended < SEEN;) {
    lambda_executor_batch_t *batch = next_batch(ex, 1);
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
    unsigned char number = (unsigned char)event->tag;
    running += event->state == LAMBDA_EXECUTOR_TASK_RUNNING;
    ended += is_final(event->state);
    if (is_freed && is_final(event->state))
      CHECK(write(acknowledged, &number, 1) == 1);
    if (is_freed)
      done_with(batch);
    /* Otherwise do not free it: freed events are returned again. */
  }
  CHECK(counts_of(ex).running > TASKS / 2);
  if (is_freed)
    lambda_executor_free(ex, NULL);
  close(acknowledged);
  for (;;)
    pause();
}

/* Returns when that process is dead. Marks the tasks whose results were acknowledged. */
static void run_first_process(int is_freed, int is_done[TASKS]) {
  int acknowledged[2], status = 0;
  unsigned char number;
  CHECK(pipe(acknowledged) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    close(acknowledged[0]);
    first_process(acknowledged[1], is_freed);
  }
  close(acknowledged[1]);
  while (read(acknowledged[0], &number, 1) == 1)
    is_done[number] = 1;
  close(acknowledged[0]);
  CHECK(kill(child, SIGKILL) == 0);
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void restart(const char *how, int is_freed) {
  int is_done[TASKS] = {0};
  size_t count = 0;
  int64_t slowest = 0;
  server_t server;
  lambda_executor_task_t tasks[TASKS];
  lambda_executor_error_t *err = NULL;
  start_server(&server, "{}");
  snprintf(config, sizeof config, "%s, \"log\": \"off\"}", server.options);
  for (int n = 0; n < TASKS; n++) {
    snprintf(keys[n], sizeof keys[n], "task-%d", n);
    CHECK_STATUS(lambda_executor_new_attempt_id(attempts[n]), LAMBDA_EXECUTOR_OK);
  }
  run_first_process(is_freed, is_done);
  lambda_executor_t *ex = start(config);
  int64_t began = now_ms();
  for (int n = 0; n < TASKS; n++) {
    if (is_done[n])
      continue;
    tasks[count] = task(keys[n]);
    tasks[count++].attempt_id = text(attempts[n]);
  }
  CHECK_OK(lambda_executor_adopt(ex, tasks, count, NULL, &err, &err));
  for (size_t ended = 0; ended < count; ended++) {
    lambda_executor_batch_t *batch = next_batch(ex, 1);
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
    slowest = now_ms() - began;
    CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
    if (slowest > LIMIT_MS)
      FAIL("%s: the result of %s arrived %" PRId64 " ms after the adoption", how, event->key.ptr,
           slowest);
    done_with(batch);
  }
  printf("%s: the slowest of %zu results arrived %" PRId64 " ms after the adoption\n", how, count,
         slowest);
  lambda_executor_free(ex, NULL);
  stop_server(&server);
}

int main(void) {
  restart("freed", 1);
  restart("killed", 0);
  return 0;
}
