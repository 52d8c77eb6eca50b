/* Runs one command as a Lambda function and prints its result. Without options in
 * LAMBDA_EXECUTOR_CONFIG (JSON) the function runs on this machine. */
#include <lambda_executor.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const char *config = getenv("LAMBDA_EXECUTOR_CONFIG");
  const char *command[] = {"echo", "hello, world"};
  lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
  lambda_executor_t *ex = NULL;
  lambda_executor_error_t *err = NULL;
  lambda_executor_status_t status;
  int state = LAMBDA_EXECUTOR_TASK_UNKNOWN;

  task.key = LAMBDA_EXECUTOR_STR("my first task");
  task.argv = command;
  task.argc = 2;
  status =
      lambda_executor_create(config ? config : "{\"local\": {}}", LAMBDA_EXECUTOR_NUL, &ex, &err);
  if (status == LAMBDA_EXECUTOR_OK) /* fails early if a name is wrong; else the task would wait */
    status = lambda_executor_check_health(ex, 10000, &err);
  if (status >= 0)
    status = lambda_executor_queue(ex, &task, &err);

  while (status >= 0 && state < LAMBDA_EXECUTOR_TASK_SUCCEEDED) {
    lambda_executor_batch_t *batch = NULL;
    status = lambda_executor_sync(ex, -1, 1, &batch, &err); /* waits for one event */
    if (status != LAMBDA_EXECUTOR_OK)                       /* interrupted by a signal, or failed */
      continue;
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
    state = event->state;
    printf("%s: %s %s\n", event->key.ptr, lambda_executor_task_state_name(state),
           event->output_tail.len > 0 ? event->output_tail.ptr : event->message.ptr);
    status = lambda_executor_batch_ack(batch, &err); /* printed: its result may be deleted */
    lambda_executor_batch_free(batch);
  }
  if (err != NULL)
    fprintf(stderr, "%s\n", lambda_executor_error_cstr(err));
  lambda_executor_error_free(err);
  lambda_executor_free(ex, NULL);
  return state == LAMBDA_EXECUTOR_TASK_SUCCEEDED ? 0 : 1;
}
