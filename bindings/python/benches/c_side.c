/* What a task costs in C: queues N tasks, takes their events until all are final, and prints the
 * seconds that it took and the CPU seconds of this thread. The same loop as benches/pool.py has in
 * Python.
 *
 *   ./c_side N CONFIG_JSON
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <lambda_executor.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const lambda_executor_error_t *err) {
  fprintf(stderr, "c_side: %s\n", lambda_executor_error_cstr(err));
  exit(1);
}

int main(int argc, char **argv) {
  lambda_executor_t *ex = NULL;
  lambda_executor_error_t *err = NULL;
  const char *command[] = {"true"};
  size_t queued = 0, finished = 0, n;
  double wall, cpu;
  if (argc != 3)
    return 2;
  n = strtoul(argv[1], NULL, 10);
  if (lambda_executor_create(argv[2], LAMBDA_EXECUTOR_NUL, &ex, &err) < 0)
    fail(err);
  if (lambda_executor_check_health(ex, 60000, &err) < 0)
    fail(err);

  wall = seconds(CLOCK_MONOTONIC);
  cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
  while (finished < n) {
    lambda_executor_batch_t *batch = NULL;
    for (; queued < n; queued++) {
      lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
      lambda_executor_status_t status;
      char key[32];
      task.key.ptr = key;
      task.key.len = (size_t)snprintf(key, sizeof key, "c-%zu", queued);
      task.argv = command;
      task.argc = 1;
      status = lambda_executor_queue(ex, &task, &err);
      if (status < 0)
        fail(err);
      if (status == LAMBDA_EXECUTOR_QUEUE_FULL)
        break;
    }
    if (lambda_executor_sync(ex, -1, 1000, &batch, &err) < 0)
      fail(err);
    for (size_t i = 0; i < lambda_executor_batch_len(batch); i++)
      finished += lambda_executor_batch_event(batch, i)->state >= LAMBDA_EXECUTOR_TASK_SUCCEEDED;
    if (batch != NULL && lambda_executor_batch_ack(batch, &err) < 0)
      fail(err);
    lambda_executor_batch_free(batch);
  }
  printf("%.6f %.6f\n", seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
  lambda_executor_free(ex, NULL);
  return 0;
}
