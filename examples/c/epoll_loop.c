/* An event loop with an executor: it waits for the executor's descriptor and its own descriptors
 * (here a timer). The loop sleeps only in epoll_wait, never in the library.
 *
 * ./epoll_loop            runs a few commands, on this machine unless LAMBDA_EXECUTOR_CONFIG has
 * other options (JSON) */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <lambda_executor.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char *const COMMANDS[] = {"\"echo one\"", "\"sleep 0.3; echo two\"",
                                       "\"sleep 0.6; echo three; exit 3\""};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

static void fail(const char *what, lambda_executor_error_t *err) {
  fprintf(stderr, "%s: %s\n", what,
          err != NULL ? lambda_executor_error_message(err).ptr : strerror(errno));
  exit(2);
}

static void queue_all(lambda_executor_t *ex) {
  for (int i = 0; i < COMMAND_COUNT; i++) {
    lambda_executor_error_t *err = NULL;
    lambda_executor_task_t task = {0};
    char key[16];
    snprintf(key, sizeof key, "task-%d", i + 1);
    task.struct_size = sizeof task;
    task.key.ptr = key;
    task.key.len = LAMBDA_EXECUTOR_NUL;
    task.command_json.ptr = COMMANDS[i];
    task.command_json.len = LAMBDA_EXECUTOR_NUL;
    if (lambda_executor_queue(ex, &task, &err) != LAMBDA_EXECUTOR_OK)
      fail("queue", err);
  }
}

/* Takes the available events without waiting. Returns the number of tasks that ended. */
static int take_events(lambda_executor_t *ex) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = NULL;
  int ended = 0;
  if (lambda_executor_sync(ex, 0, 0, &batch, &err) < 0)
    fail("sync", err);
  for (size_t i = 0; i < lambda_executor_batch_len(batch); i++) {
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
    if (event->state == LAMBDA_EXECUTOR_TASK_RUNNING) {
      printf("%s runs\n", event->key.ptr);
      continue;
    }
    printf("%s %s with return code %d: %s", event->key.ptr,
           lambda_executor_task_state_name(event->state), event->return_code,
           event->output_tail.len > 0 ? event->output_tail.ptr : "no output\n");
    ended++;
  }
  if (batch != NULL && lambda_executor_batch_ack(batch, &err) < 0)
    fail("ack", err);
  lambda_executor_batch_free(batch);
  return ended;
}

static int start_timer(void) {
  struct itimerspec every = {{0, 200 * 1000 * 1000}, {0, 200 * 1000 * 1000}};
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  if (timer < 0 || timerfd_settime(timer, 0, &every, NULL) != 0)
    fail("timerfd", NULL);
  return timer;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {0};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
    fail("epoll_ctl", NULL);
}

int main(void) {
  const char *config = getenv("LAMBDA_EXECUTOR_CONFIG");
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = NULL;
  if (lambda_executor_create(config != NULL ? config : "{\"local\": {}}", LAMBDA_EXECUTOR_NUL, &ex,
                             &err) != LAMBDA_EXECUTOR_OK)
    fail("create", err);
  if (lambda_executor_check_health(ex, 10000, &err) < 0) /* it waits: call it before the loop */
    fail("check_health", err);
  queue_all(ex);

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int timer = start_timer();
  int wakeup = -1;
  if (lambda_executor_wakeup_fd(ex, &wakeup, &err) < 0)
    fail("wakeup_fd", err);
  if (epoll < 0)
    fail("epoll", NULL);
  watch(epoll, timer);
  watch(epoll, wakeup);

  for (int left = COMMAND_COUNT; left > 0;) {
    struct epoll_event ready[8];
    int n = epoll_wait(epoll, ready, 8, -1);
    if (n < 0 && errno != EINTR)
      fail("epoll_wait", NULL);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd == wakeup) {
        left -= take_events(ex);
      } else {
        uint64_t ticks;
        if (read(timer, &ticks, sizeof ticks) == (ssize_t)sizeof ticks)
          printf("tick: %d tasks left\n", left);
      }
    }
  }

  close(timer);
  close(epoll);
  lambda_executor_free(ex, NULL); /* also closes the descriptor: remove it from the loop before */
  return 0;
}
