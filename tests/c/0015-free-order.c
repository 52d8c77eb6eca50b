/* Batches and errors outlive their executor: the order of freeing never matters. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  queue_builtin(ex, "a", "{\"output_tail\": \"kept\"}");
  lambda_executor_batch_t *batch = final_batch(ex, "a");
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  CHECK_STATUS(lambda_executor_queue(ex, NULL, &err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  lambda_executor_free(ex, NULL);

  CHECK_TEXT(event->output_tail.ptr, "kept");
  CHECK_TEXT(event->key.ptr, "a");
  CHECK_INT(lambda_executor_batch_len(batch), 1);
  CHECK_STATUS(lambda_executor_error_status(err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  lambda_executor_str_t message = lambda_executor_error_message(err);
  CHECK_INT(message.len, strlen(message.ptr));
  CHECK(message.len > 0);
  lambda_executor_batch_free(batch);
  lambda_executor_error_free(err);
  return 0;
}
