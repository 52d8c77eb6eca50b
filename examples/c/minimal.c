/* Runs one command as a Lambda function and prints what became of it. Without options in
 * LAMBDA_EXECUTOR_CONFIG (JSON) the function runs on this machine. */
#include <lambda_executor.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const char *config = getenv("LAMBDA_EXECUTOR_CONFIG");
  const char *command[] = {"echo", "hello, world"};
  lambda_executor_task_t task = {.struct_size = sizeof task, .argv = command, .argc = 2};
  lambda_executor_t *ex = NULL;
  lambda_executor_error_t *err = NULL;
  int state = LAMBDA_EXECUTOR_TASK_UNKNOWN;

  lambda_executor_create(config ? config : "{\"local\": {}}", LAMBDA_EXECUTOR_NUL, &ex, &err);
  task.key.ptr = "my first task";
  task.key.len = LAMBDA_EXECUTOR_NUL;
  if (err == NULL) /* a wrong name shows here; without this the task would wait */
    lambda_executor_check_health(ex, 10000, &err);
  if (err == NULL)
    lambda_executor_queue(ex, &task, &err);

  while (err == NULL && state < LAMBDA_EXECUTOR_TASK_SUCCEEDED) {
    lambda_executor_batch_t *batch = NULL;
    lambda_executor_sync(ex, -1, 1, &batch, &err); /* waits for one event; none if interrupted */
    for (size_t i = 0; i < lambda_executor_batch_len(batch); i++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
      state = event->state;
      printf("%s: %s %s\n", event->key.ptr, lambda_executor_task_state_name(state),
             event->output_tail.len > 0 ? event->output_tail.ptr : event->message.ptr);
    }
    lambda_executor_batch_free(batch);
  }
  if (err != NULL)
    fprintf(stderr, "%s\n", lambda_executor_error_message(err).ptr);
  lambda_executor_error_free(err);
  lambda_executor_free(ex);
  return state == LAMBDA_EXECUTOR_TASK_SUCCEEDED ? 0 : 1;
}
