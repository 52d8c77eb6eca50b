#include "bridge.h"
#include <stdlib.h>
#include <string.h>

/* Up to so many arguments, one task needs no allocation. */
enum { ARGUMENTS_ON_STACK = 32 };

/* Returns the next string of a block. */
static lambda_executor_str_t take(const char **text, size_t len) {
  lambda_executor_str_t str = {*text, len};
  *text += len;
  return str;
}

/* Unpacks a task. argv has room for its arguments. */
static void unpack(const bridge_task_t *packed, const char **text, const char **argv,
                   lambda_executor_task_t *task) {
  *task = (lambda_executor_task_t)LAMBDA_EXECUTOR_TASK_INIT;
  task->tag = packed->tag;
  task->timeout_ms = packed->timeout_ms;
  task->max_wait_ms = packed->max_wait_ms;
  task->result_timeout_ms = packed->result_timeout_ms;
  task->key = take(text, packed->key_len);
  if (packed->argc > 0) {
    const char *argument = take(text, packed->argv_len).ptr;
    for (size_t i = 0; i < packed->argc; i++, argument += strlen(argument) + 1)
      argv[i] = argument;
    task->argv = argv;
    task->argc = packed->argc;
  }
  task->command_json = take(text, packed->command_json_len);
  task->executor_config_json = take(text, packed->executor_config_json_len);
  task->queue = take(text, packed->queue_len);
  task->attempt_id = take(text, packed->attempt_id_len);
}

static bridge_result_t out_of_memory(void) {
  return (bridge_result_t){.status = LAMBDA_EXECUTOR_ERR_IO};
}

bridge_result_t bridge_queue(lambda_executor_t *ex, const bridge_task_t *packed, const char *text) {
  bridge_result_t result = {0};
  lambda_executor_task_t task;
  const char *few[ARGUMENTS_ON_STACK];
  const char **argv = few;
  if (packed->argc > ARGUMENTS_ON_STACK && (argv = calloc(packed->argc, sizeof *argv)) == NULL)
    return out_of_memory();
  unpack(packed, &text, argv, &task);
  result.status = lambda_executor_queue(ex, &task, &result.err);
  if (argv != few)
    free(argv);
  return result;
}

/* Unpacks tasks and their arguments into one allocation. NULL if there is no memory. */
static lambda_executor_task_t *unpack_all(const bridge_task_t *packed, size_t n, const char *text) {
  size_t arguments = 0;
  for (size_t i = 0; i < n; i++)
    arguments += packed[i].argc;
  /* One byte more: malloc(0) may return NULL. */
  lambda_executor_task_t *tasks = malloc(n * sizeof *tasks + arguments * sizeof(char *) + 1);
  if (tasks == NULL)
    return NULL;
  const char **argv = (const char **)(void *)(tasks + n);
  for (size_t i = 0; i < n; i++) {
    unpack(&packed[i], &text, argv, &tasks[i]);
    argv += packed[i].argc;
  }
  return tasks;
}

bridge_result_t bridge_queue_batch(lambda_executor_t *ex, const bridge_task_t *packed, size_t n,
                                   const char *text, lambda_executor_status_t *statuses) {
  bridge_result_t result = {0};
  size_t accepted = 0;
  lambda_executor_task_t *tasks = unpack_all(packed, n, text);
  if (tasks == NULL)
    return out_of_memory();
  result.status =
      lambda_executor_queue_batch(ex, tasks, n, statuses, &accepted, &result.err, &result.err);
  result.number = accepted;
  free(tasks);
  return result;
}

bridge_result_t bridge_adopt(lambda_executor_t *ex, const bridge_task_t *packed, size_t n,
                             const char *text, lambda_executor_status_t *statuses) {
  bridge_result_t result = {0};
  lambda_executor_task_t *tasks = unpack_all(packed, n, text);
  if (tasks == NULL)
    return out_of_memory();
  result.status = lambda_executor_adopt(ex, tasks, n, statuses, &result.err, &result.err);
  free(tasks);
  return result;
}

bridge_result_t bridge_cancel(lambda_executor_t *ex, const size_t *lengths, size_t n,
                              const char *text, lambda_executor_status_t *statuses) {
  bridge_result_t result = {0};
  lambda_executor_str_t *keys = malloc(n * sizeof *keys + 1);
  if (keys == NULL)
    return out_of_memory();
  for (size_t i = 0; i < n; i++)
    keys[i] = take(&text, lengths[i]);
  result.status = lambda_executor_cancel(ex, keys, n, statuses, &result.err, &result.err);
  free(keys);
  return result;
}

/* Does not wait: Go waits in its network poller, without a thread. */
bridge_events_t bridge_sync(lambda_executor_t *ex, size_t max_events) {
  bridge_events_t events = {0};
  events.status = lambda_executor_sync(ex, 0, max_events, &events.batch, &events.err);
  events.first = lambda_executor_batch_events(events.batch, &events.n, &events.stride);
  return events;
}

bridge_result_t bridge_ack(lambda_executor_t *ex, const uint64_t *seqs, size_t n) {
  bridge_result_t result = {0};
  result.status = lambda_executor_ack(ex, seqs, n, &result.err);
  return result;
}

bridge_result_t bridge_batch_ack(lambda_executor_batch_t *batch) {
  bridge_result_t result = {0};
  result.status = lambda_executor_batch_ack(batch, &result.err);
  return result;
}

bridge_result_t bridge_counts(lambda_executor_t *ex, lambda_executor_counts_t *counts) {
  bridge_result_t result = {0};
  counts->struct_size = sizeof *counts;
  result.status = lambda_executor_counts(ex, counts, &result.err);
  return result;
}

bridge_result_t bridge_wakeup_fd(lambda_executor_t *ex) {
  bridge_result_t result = {0};
  int fd = -1;
  result.status = lambda_executor_wakeup_fd(ex, &fd, &result.err);
  result.number = (uint64_t)fd;
  return result;
}

bridge_result_t bridge_wait(lambda_executor_t *ex, const char *key, size_t len,
                            int64_t timeout_ms) {
  bridge_result_t result = {0};
  lambda_executor_task_state_t state = LAMBDA_EXECUTOR_TASK_UNKNOWN;
  result.status = lambda_executor_wait(ex, key, len, timeout_ms, &state, &result.err);
  result.number = (uint64_t)state;
  return result;
}

bridge_result_t bridge_state(lambda_executor_t *ex, const char *key, size_t len) {
  bridge_result_t result = {0};
  lambda_executor_task_state_t state = LAMBDA_EXECUTOR_TASK_UNKNOWN;
  result.status = lambda_executor_state(ex, key, len, &state, &result.err);
  result.number = (uint64_t)state;
  return result;
}

bridge_result_t bridge_describe(lambda_executor_t *ex, const char *key, size_t len, char *buf,
                                size_t cap) {
  bridge_result_t result = {0};
  size_t needed = 0;
  result.status = lambda_executor_describe(ex, key, len, buf, cap, &needed, &result.err);
  result.number = needed;
  return result;
}

bridge_result_t bridge_stats(lambda_executor_t *ex, char *buf, size_t cap) {
  bridge_result_t result = {0};
  size_t needed = 0;
  result.status = lambda_executor_stats(ex, buf, cap, &needed, &result.err);
  result.number = needed;
  return result;
}

bridge_result_t bridge_drain(lambda_executor_t *ex, uint32_t mode, int64_t timeout_ms) {
  bridge_result_t result = {0};
  result.status = lambda_executor_drain(ex, mode, timeout_ms, &result.number, &result.err);
  return result;
}

bridge_result_t bridge_check_health(lambda_executor_t *ex) {
  bridge_result_t result = {0};
  result.status = lambda_executor_check_health(ex, -1, &result.err);
  return result;
}

bridge_result_t bridge_set_credentials(lambda_executor_t *ex, const char *json, size_t len) {
  bridge_result_t result = {0};
  result.status = lambda_executor_set_credentials(ex, json, len, &result.err);
  return result;
}

/* In logging.go. */
void lambdaExecutorGoLog(uintptr_t number, int32_t level, int64_t time_ms, char *target,
                         size_t target_len, char *message, size_t message_len);

static void on_record(void *number, const lambda_executor_log_record_t *record) {
  lambdaExecutorGoLog((uintptr_t)number, record->level, record->time_ms, (char *)record->target.ptr,
                      record->target.len, (char *)record->message.ptr, record->message.len);
}

bridge_result_t bridge_set_log(lambda_executor_t *ex, uintptr_t number,
                               lambda_executor_log_level_t level) {
  bridge_result_t result = {0};
  result.status = lambda_executor_set_log_callback(ex, number != 0 ? on_record : NULL,
                                                   (void *)number, level, &result.err);
  return result;
}
