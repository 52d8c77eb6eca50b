/* The library from C. Queues N tasks in one thread, which also takes their events, and prints one
 * JSON line with what that cost (benches/report/job.py describes the fields).
 *
 *   ./executor CONFIG_JSON TASKS RATE LIMIT_S COMMAND_JSON [SAMPLES]
 *
 * RATE: tasks queued a second; 0 queues as fast as it can, and polls for events after every 1,000
 * tasks, as a scheduler does. The thread waits for the library's descriptor; only the time inside
 * queue, sync and batch_ack counts as blocked. With SAMPLES, a file, it writes a line a second:
 * seconds, tasks queued, running and ended, CPU seconds, memory in MB.
 */
#define _POSIX_C_SOURCE 200809L
#include <lambda_executor.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Tasks queued between two polls for events. */
enum { AT_ONCE = 1000 };

static double now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu_s(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* ru_maxrss includes the process that started this one. */
static double memory_mb(const char *what) {
  char line[256];
  double kb = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, what, strlen(what)) == 0 && sscanf(line + strlen(what), ": %lf", &kb) == 1)
      break;
  if (status != NULL)
    fclose(status);
  return kb / 1024;
}

static void fail(const lambda_executor_error_t *err) {
  fprintf(stderr, "%s\n", lambda_executor_error_cstr(err));
  exit(1);
}

static int ascending(const void *left, const void *right) {
  double l = *(const double *)left, r = *(const double *)right;
  return (l > r) - (l < r);
}

static void print_quantiles(const char *name, double *values, size_t n) {
  if (n == 0)
    return;
  qsort(values, n, sizeof *values, ascending);
  printf(", \"%s\": [%.3f, %.3f]", name, values[n / 2], values[n - 1 - n / 100]);
}

/* Time inside calls of the library. */
static double blocked, longest, began;

static void enter(void) {
  began = now(CLOCK_MONOTONIC);
}

static void leave(void) {
  double took = now(CLOCK_MONOTONIC) - began;
  blocked += took;
  if (took > longest)
    longest = took;
}

static void sample(FILE *file, const lambda_executor_t *ex, double elapsed, size_t ended) {
  lambda_executor_counts_t counts = LAMBDA_EXECUTOR_COUNTS_INIT;
  if (lambda_executor_counts(ex, &counts, NULL) < 0)
    return;
  fprintf(file, "%.3f %llu %llu %zu %.3f %.1f\n", elapsed, (unsigned long long)counts.queued,
          (unsigned long long)counts.running, ended, cpu_s(), memory_mb("VmRSS"));
}

int main(int argc, char **argv) {
  lambda_executor_t *ex = NULL;
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
  struct pollfd wakeup = {-1, POLLIN, 0};
  size_t tasks, queued = 0, ended = 0, failed = 0, seen = 0;
  double rate, limit, start, cpu, seconds, queue_s = 0, next_sample = 0, *start_ms, *event_ms;
  int cut = 0, full = 0;
  FILE *samples = NULL;
  if (argc != 6 && argc != 7)
    return 2;
  if (argc == 7 && (samples = fopen(argv[6], "w")) == NULL)
    return 3;
  tasks = strtoul(argv[2], NULL, 10);
  rate = strtod(argv[3], NULL);
  limit = strtod(argv[4], NULL);
  task.command_json = lambda_executor_str(argv[5]);
  start_ms = calloc(tasks + 1, sizeof *start_ms);
  event_ms = calloc(tasks + 1, sizeof *event_ms);
  if (start_ms == NULL || event_ms == NULL)
    return 3;
  if (lambda_executor_create(argv[1], LAMBDA_EXECUTOR_NUL, &ex, &err) < 0)
    fail(err);
  if (lambda_executor_check_health(ex, 60000, &err) < 0)
    fail(err);
  if (lambda_executor_wakeup_fd(ex, &wakeup.fd, &err) < 0)
    fail(err);

  start = now(CLOCK_MONOTONIC);
  cpu = cpu_s();
  while (ended < tasks && !cut) {
    lambda_executor_batch_t *batch = NULL;
    lambda_executor_status_t status;
    double elapsed = now(CLOCK_MONOTONIC) - start;
    size_t due = queued + AT_ONCE < tasks ? queued + AT_ONCE : tasks;
    int timeout = (int)((limit - elapsed) * 1000) + 1;
    if (rate > 0)
      due = elapsed * rate < (double)tasks ? (size_t)(elapsed * rate) + 1 : tasks;
    for (full = 0; queued < due && !full && began - start <= limit; queued += !full) {
      char key[32];
      task.tag = queued;
      task.key.ptr = key;
      task.key.len = (size_t)snprintf(key, sizeof key, "bench/%07zu", queued);
      enter();
      status = lambda_executor_queue(ex, &task, &err);
      leave();
      queue_s += now(CLOCK_MONOTONIC) - began;
      if (status < 0)
        fail(err);
      full = status == LAMBDA_EXECUTOR_QUEUE_FULL;
    }
    if (queued < tasks && rate > 0) {
      double next = (double)queued / rate - (now(CLOCK_MONOTONIC) - start);
      timeout = next > 0 ? (int)(next * 1000) + 1 : 0;
    }
    if (queued < tasks && rate <= 0 && !full)
      timeout = 0;
    cut = elapsed > limit;
    if (samples != NULL) {
      if (elapsed >= next_sample) {
        sample(samples, ex, elapsed, ended);
        next_sample = elapsed + 1;
      }
      timeout = timeout > 1000 ? 1000 : timeout;
    }
    if (poll(&wakeup, 1, timeout < 0 ? 0 : timeout) <= 0)
      continue;
    enter();
    status = lambda_executor_sync(ex, 0, 0, &batch, &err);
    leave();
    if (status < 0)
      fail(err);
    if (batch == NULL)
      continue;
    elapsed = now(CLOCK_REALTIME) * 1000;
    for (size_t i = 0; i < lambda_executor_batch_len(batch); i++) {
      const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
      if (event->state < LAMBDA_EXECUTOR_TASK_SUCCEEDED)
        continue;
      ended++;
      if (event->state != LAMBDA_EXECUTOR_TASK_SUCCEEDED) {
        failed++;
        continue;
      }
      start_ms[seen] = (double)(event->started_at_ms - event->queued_at_ms);
      event_ms[seen++] = elapsed - (double)event->finished_at_ms;
    }
    enter();
    if (lambda_executor_batch_ack(batch, &err) < 0)
      fail(err);
    lambda_executor_batch_free(batch);
    leave();
  }
  seconds = now(CLOCK_MONOTONIC) - start;
  if (samples != NULL) {
    sample(samples, ex, seconds, ended);
    fclose(samples);
  }
  lambda_executor_free(ex, NULL); /* Deletes what was acknowledged: part of the CPU time. */
  cpu = cpu_s() - cpu;
  printf("{\"done\": %zu, \"failed\": %zu, \"cut\": %s, \"seconds\": %.6f, \"cpu_s\": %.6f, "
         "\"blocked_s\": %.6f, "
         "\"blocked_longest_ms\": %.3f, \"queue_s\": %.6f, \"peak_mb\": %.1f",
         ended - failed, failed, cut ? "true" : "false", seconds, cpu, blocked, longest * 1000,
         queue_s, memory_mb("VmHWM"));
  print_quantiles("start_ms", start_ms, seen);
  print_quantiles("event_ms", event_ms, seen);
  printf("}\n");
  return 0;
}
