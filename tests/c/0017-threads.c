/* Eight threads on one executor at once: every task gets exactly one final event, in any of the
 * threads.
 */
#include "test.h"
#include <pthread.h>

enum { THREADS = 8, TASKS_EACH = 12, TASKS = THREADS * TASKS_EACH };

static lambda_executor_t *ex;
static int finals[TASKS];
static int finished;

static void take(int64_t timeout_ms) {
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_status_t status = lambda_executor_sync(ex, timeout_ms, 3, &batch, NULL);
  CHECK(status >= 0);
  for (size_t i = 0; i < lambda_executor_batch_len(batch); i++) {
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
    if (is_final(event->state)) {
      CHECK_INT(__atomic_add_fetch(&finals[event->tag], 1, __ATOMIC_SEQ_CST), 1);
      __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
    }
  }
  done_with(batch);
}

static void *work(void *argument) {
  int thread = (int)(intptr_t)argument;
  for (int i = 0; i < TASKS_EACH; i++) {
    lambda_executor_task_t one;
    lambda_executor_str_t name;
    char key[32];
    size_t needed = 0;
    snprintf(key, sizeof key, "%d-%d", thread, i);
    one = task(key);
    one.tag = (uint64_t)(thread * TASKS_EACH + i);
    queue(ex, one);
    CHECK(state_of(ex, key) > LAMBDA_EXECUTOR_TASK_UNKNOWN);
    CHECK_STATUS(lambda_executor_stats(ex, NULL, 0, &needed, NULL),
                 LAMBDA_EXECUTOR_BUFFER_TOO_SMALL);
    if (i % 4 == 3) {
      lambda_executor_status_t result = 9;
      name = text(key);
      CHECK_STATUS(lambda_executor_cancel(ex, &name, 1, &result, NULL, NULL), LAMBDA_EXECUTOR_OK);
      CHECK(result == LAMBDA_EXECUTOR_OK || result == LAMBDA_EXECUTOR_NOT_FOUND);
    }
    take(0);
    counts_of(ex);
  }
  while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < TASKS)
    take(20);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  ex = start(BUILTIN);
  for (intptr_t i = 0; i < THREADS; i++)
    CHECK_INT(pthread_create(&threads[i], NULL, work, (void *)i), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CHECK_INT(finished, TASKS);
  lambda_executor_counts_t counts = counts_of(ex);
  CHECK_INT(counts.queued + counts.submitting + counts.running + counts.unacknowledged, 0);
  lambda_executor_free(ex, NULL);
  return 0;
}
