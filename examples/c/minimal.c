/* Runs one command as a Lambda function and prints what became of it:  ./minimal wc -l README.md
 * Without options in LAMBDA_EXECUTOR_CONFIG (JSON) the function runs on this machine. */
#include <lambda_executor.h>
#include <stdio.h>
#include <stdlib.h>

static void check(lambda_executor_status_t status, lambda_executor_error_t *err) {
  if (status >= 0)
    return;
  fprintf(stderr, "%s\n", lambda_executor_error_message(err).ptr);
  exit(2);
}

int main(int argc, char **argv) {
  const char *config = getenv("LAMBDA_EXECUTOR_CONFIG");
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = NULL;
  check(lambda_executor_create(config ? config : "{\"local\": {}}", LAMBDA_EXECUTOR_NUL, &ex, &err),
        err);

  lambda_executor_task_t task = {.struct_size = sizeof task, .key = {"my first task", 13}};
  const char *const greeting[] = {"echo", "hello, world"};
  task.argv = argc > 1 ? (const char *const *)argv + 1 : greeting;
  task.argc = argc > 1 ? (size_t)argc - 1 : 2;
  check(lambda_executor_queue(ex, &task, &err), err);

  int failed = -1;
  while (failed < 0) {
    lambda_executor_batch_t *batch = NULL;
    check(lambda_executor_sync(ex, -1, 0, &batch, &err), err);
    for (size_t i = 0; i < lambda_executor_batch_len(batch); i++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
      printf("%s: %s %s\n", event->key.ptr, lambda_executor_task_state_name(event->state),
             event->message.ptr);
      if (event->state != LAMBDA_EXECUTOR_TASK_RUNNING) {
        printf("return code %d, output:\n%s", event->return_code, event->output_tail.ptr);
        failed = event->state != LAMBDA_EXECUTOR_TASK_SUCCEEDED;
      }
    }
    lambda_executor_batch_free(batch);
  }
  lambda_executor_free(ex);
  return failed;
}
