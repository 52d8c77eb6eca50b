/* One task: RUNNING before SUCCEEDED, and all fields of both events. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_task_t one = task("");
  one.key = bytes("größer than", 12);
  one.tag = UINT64_MAX;
  one.executor_config_json =
      text("{\"builtin\": {\"return_code\": 0, \"output_tail\": \"a\\nb\\n\"}}");
  queue(ex, one);

  lambda_executor_batch_t *batch = next_batch(ex, 1);
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  CHECK_INT(lambda_executor_batch_len(batch), 1);
  CHECK(lambda_executor_batch_event(batch, 1) == NULL);
  CHECK_INT(event->seq, 1);
  CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_RUNNING);
  CHECK_INT(event->reason, LAMBDA_EXECUTOR_REASON_NONE);
  CHECK_INT(event->has_return_code, 0);
  CHECK(event->tag == UINT64_MAX);
  /* Unknown if the result arrived before the answer to Invoke. */
  CHECK(event->submitted_at_ms == 0 || event->submitted_at_ms >= event->queued_at_ms);
  done_with(batch);

  batch = next_batch(ex, 1);
  event = lambda_executor_batch_event(batch, 0);
  CHECK_INT(event->seq, 2);
  CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_SUCCEEDED);
  CHECK_INT(event->reason, LAMBDA_EXECUTOR_REASON_EXIT);
  CHECK_INT(event->has_return_code, 1);
  CHECK_INT(event->return_code, 0);
  CHECK_INT(event->signal, 0);
  CHECK(event->attempts <= 1); /* 0 if the result was faster than the answer to Invoke */
  CHECK(event->tag == UINT64_MAX);
  CHECK_INT(event->key.len, 12);
  CHECK(memcmp(event->key.ptr, "größer than", 12) == 0);
  CHECK_INT(event->key.ptr[12], '\0');
  CHECK_TEXT(event->output_tail.ptr, "a\nb\n");
  CHECK(event->message.ptr != NULL && event->value.ptr != NULL && event->log_stream.ptr != NULL);
  CHECK(event->request_id.len > 0);
  CHECK(event->queued_at_ms > 1500000000000);
  CHECK(event->finished_at_ms >= event->started_at_ms);
  done_with(batch);
  lambda_executor_free(ex, NULL);
  return 0;
}
