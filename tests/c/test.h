/* Common parts of the C tests: checks that report place and values, and common first steps. A
 * failed check ends the test. Nothing here sleeps: waits have a condition and a deadline. */
#ifndef LAMBDA_EXECUTOR_TEST_H
#define LAMBDA_EXECUTOR_TEST_H

#define _GNU_SOURCE
#include <dirent.h>
#include <inttypes.h>
#include <lambda_executor.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Long, because valgrind on a busy machine is slow. It costs no time unless a test fails. */
enum { DEADLINE_MS = 60000 };

/* A Lambda and an SQS in this process. The function takes no time and returns 0, unless a task sets
 * another behaviour. */
#define BUILTIN "{\"local\": {\"handler\": \"builtin\"}}"

#define FAIL(...)                                                                                  \
  do {                                                                                             \
    fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                \
    fprintf(stderr, __VA_ARGS__);                                                                  \
    fputc('\n', stderr);                                                                           \
    exit(1);                                                                                       \
  } while (0)

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition))                                                                              \
      FAIL("not true: %s", #condition);                                                            \
  } while (0)

#define CHECK_INT(actual, expected)                                                                \
  do {                                                                                             \
    intmax_t actual_ = (intmax_t)(actual), expected_ = (intmax_t)(expected);                       \
    if (actual_ != expected_)                                                                      \
      FAIL("%s is %" PRIdMAX ", expected %" PRIdMAX, #actual, actual_, expected_);                 \
  } while (0)

#define CHECK_TEXT(actual, expected)                                                               \
  do {                                                                                             \
    const char *actual_ = (actual), *expected_ = (expected);                                       \
    if (strcmp(actual_, expected_) != 0)                                                           \
      FAIL("%s is \"%s\", expected \"%s\"", #actual, actual_, expected_);                          \
  } while (0)

#define CHECK_CONTAINS(actual, part)                                                               \
  do {                                                                                             \
    const char *actual_ = (actual), *part_ = (part);                                               \
    if (strstr(actual_, part_) == NULL)                                                            \
      FAIL("%s is \"%s\", which lacks \"%s\"", #actual, actual_, part_);                           \
  } while (0)

#define CHECK_STATUS(call, expected)                                                               \
  do {                                                                                             \
    lambda_executor_status_t actual_ = (call), expected_ = (expected);                             \
    if (actual_ != expected_)                                                                      \
      FAIL("%s returned %s, expected %s", #call, lambda_executor_status_name(actual_),             \
           lambda_executor_status_name(expected_));                                                \
  } while (0)

/* The call fails with the status, and its error, which `err` points to, says the same and contains
 * the text. */
#define CHECK_ERROR(call, expected, part)                                                          \
  do {                                                                                             \
    CHECK_STATUS(call, expected);                                                                  \
    CHECK(err != NULL);                                                                            \
    CHECK_STATUS(lambda_executor_error_status(err), expected);                                     \
    CHECK_CONTAINS(lambda_executor_error_cstr(err), part);                                         \
    lambda_executor_error_free(err);                                                               \
    err = NULL;                                                                                    \
  } while (0)

#define CHECK_OK(call)                                                                             \
  do {                                                                                             \
    lambda_executor_status_t actual_ = (call);                                                     \
    if (actual_ != LAMBDA_EXECUTOR_OK)                                                             \
      FAIL("%s returned %s: %s", #call, lambda_executor_status_name(actual_),                      \
           lambda_executor_error_cstr(err));                                                       \
    CHECK(err == NULL);                                                                            \
  } while (0)

static inline int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Tries the condition again and again until it is true. */
#define WAIT_UNTIL(condition)                                                                      \
  do {                                                                                             \
    int64_t deadline_ = now_ms() + DEADLINE_MS;                                                    \
    struct timespec moment_ = {0, 1000000};                                                        \
    while (!(condition)) {                                                                         \
      if (now_ms() > deadline_)                                                                    \
        FAIL("condition did not become true: %s", #condition);                                     \
      nanosleep(&moment_, NULL);                                                                   \
    }                                                                                              \
  } while (0)

/* Threads of this process. A joined thread may be listed for a moment longer: use WAIT_UNTIL. */
static inline int thread_count(void) {
  int count = 0;
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;)
    count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}

static inline lambda_executor_str_t text(const char *ptr) {
  return lambda_executor_str(ptr);
}

static inline lambda_executor_str_t bytes(const char *ptr, size_t len) {
  lambda_executor_str_t str = {ptr, len};
  return str;
}

/* Acknowledges all events of a batch and frees it. NULL is allowed. */
static inline void done_with(lambda_executor_batch_t *batch) {
  if (batch == NULL)
    return;
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_batch_ack(batch, &err));
  lambda_executor_batch_free(batch);
}

static inline lambda_executor_status_t wakeup_status(lambda_executor_t *ex) {
  int fd = 9;
  lambda_executor_status_t status = lambda_executor_wakeup_fd(ex, &fd, NULL);
  CHECK(status == LAMBDA_EXECUTOR_OK ? fd > 2 : fd == -1);
  return status;
}

static inline lambda_executor_t *start(const char *config) {
  lambda_executor_t *ex = NULL;
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_create(config, LAMBDA_EXECUTOR_NUL, &ex, &err));
  CHECK(ex != NULL);
  return ex;
}

static inline lambda_executor_task_t task(const char *key) {
  lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
  task.key = lambda_executor_str(key);
  task.command_json = text("[\"true\"]");
  return task;
}

static inline void queue(lambda_executor_t *ex, lambda_executor_task_t task) {
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_queue(ex, &task, &err));
}

/* A task with a behaviour for the built-in handler, e.g. {"duration_ms": 100}. */
static inline void queue_builtin(lambda_executor_t *ex, const char *key, const char *behaviour) {
  char config[512];
  lambda_executor_task_t one = task(key);
  snprintf(config, sizeof config, "{\"builtin\": %s}", behaviour);
  one.executor_config_json = text(config);
  queue(ex, one);
}

/* The next batch; there must be one before the deadline. */
static inline lambda_executor_batch_t *next_batch(lambda_executor_t *ex, size_t max_events) {
  int64_t deadline = now_ms() + DEADLINE_MS;
  for (;;) {
    lambda_executor_batch_t *batch = NULL;
    lambda_executor_error_t *err = NULL;
    lambda_executor_status_t status = lambda_executor_sync(
        ex, deadline - now_ms() > 0 ? deadline - now_ms() : 0, max_events, &batch, &err);
    if (status == LAMBDA_EXECUTOR_OK)
      return batch;
    CHECK(batch == NULL);
    if (status != LAMBDA_EXECUTOR_INTERRUPTED)
      FAIL("waiting for an event: %s %s", lambda_executor_status_name(status),
           lambda_executor_error_cstr(err));
  }
}

static inline int is_final(int32_t state) {
  return state >= LAMBDA_EXECUTOR_TASK_SUCCEEDED;
}

/* Takes events one by one up to the final event of the key, and returns the batch with that event.
 */
static inline lambda_executor_batch_t *final_batch(lambda_executor_t *ex, const char *key) {
  for (;;) {
    lambda_executor_batch_t *batch = next_batch(ex, 1);
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
    if (is_final(event->state) && strcmp(event->key.ptr, key) == 0)
      return batch;
    done_with(batch);
  }
}

/* Waits for the final event of the key, and checks its state and reason. */
static inline void expect_final(lambda_executor_t *ex, const char *key, int32_t state,
                                int32_t reason) {
  lambda_executor_batch_t *batch = final_batch(ex, key);
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  if (event->state != state || event->reason != reason)
    FAIL("%s: %s (%s), expected %s (%s): %s", key, lambda_executor_task_state_name(event->state),
         lambda_executor_reason_name(event->reason), lambda_executor_task_state_name(state),
         lambda_executor_reason_name(reason), event->message.ptr);
  done_with(batch);
}

static inline lambda_executor_counts_t counts_of(lambda_executor_t *ex) {
  lambda_executor_counts_t counts = LAMBDA_EXECUTOR_COUNTS_INIT;
  CHECK_STATUS(lambda_executor_counts(ex, &counts, NULL), LAMBDA_EXECUTOR_OK);
  return counts;
}

static inline int32_t state_of(lambda_executor_t *ex, const char *key) {
  lambda_executor_task_state_t state = -1;
  lambda_executor_state(ex, key, LAMBDA_EXECUTOR_NUL, &state, NULL);
  return state;
}

#endif
