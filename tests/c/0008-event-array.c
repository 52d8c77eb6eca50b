/* Events as an array with a stride, so that an older caller can walk larger events. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"running_events\": false}");
  queue(ex, task("a"));
  queue(ex, task("b"));
  queue(ex, task("c"));
  WAIT_UNTIL(counts_of(ex).waiting_events == 3);
  lambda_executor_batch_t *batch = next_batch(ex, 0);
  size_t n = 0, stride = 0;
  const lambda_executor_event_t *first = lambda_executor_batch_events(batch, &n, &stride);
  CHECK_INT(n, 3);
  CHECK_INT(lambda_executor_batch_len(batch), 3);
#ifdef GROWN
  CHECK(stride > sizeof(lambda_executor_event_t));
#else
  CHECK_INT(stride, sizeof(lambda_executor_event_t));
#endif
  CHECK_INT(stride % sizeof(uint64_t), 0);
  for (size_t i = 0; i < n; i++) {
    const void *at = (const char *)first + i * stride;
    const lambda_executor_event_t *event = at;
    CHECK(event == lambda_executor_batch_event(batch, i));
    CHECK_INT(event->seq, i + 1);
    CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_SUCCEEDED); /* running_events: false */
  }
  CHECK(lambda_executor_batch_events(batch, NULL, NULL) == first);
  CHECK(lambda_executor_batch_event(batch, SIZE_MAX) == NULL);
  done_with(batch);
  lambda_executor_free(ex, NULL);
  return 0;
}
