/* Runs a scenario through the C API and prints the outcome; README.md in this folder describes
 * both. The other languages' runners must print the same.
 *
 *   LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner NAME.tsv
 *
 * Exit status: 0 success, 1 failure of the library, 2 malformed scenario.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <lambda_executor.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEALTH_MS = 30000, WAIT_MS = 120000, MOST_FIELDS = 7 };

/* State of an accepted task. */
typedef struct record {
  char *key;
  uint64_t tag;
  char states[96];
  int32_t reason;
  int has_return_code;
  int32_t return_code;
  int32_t signal;
  int final;
  char *output_tail;
  char *value; /* both escaped */
} record_t;

static lambda_executor_t *ex;
static record_t *records;
static size_t record_count;

/* ---- small tools ---- */

static void die(int exit_status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("scenario_runner: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(exit_status);
}

static void *allocated(void *memory) {
  if (memory == NULL)
    die(1, "out of memory");
  return memory;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `-` is an empty field. */
static const char *text_of(const char *field) {
  return strcmp(field, "-") == 0 ? "" : field;
}

static lambda_executor_str_t str_of(const char *field) {
  lambda_executor_str_t str = {text_of(field), LAMBDA_EXECUTOR_NUL};
  return str;
}

static uint64_t number_of(const char *field) {
  char *end;
  uint64_t number = strtoull(text_of(field), &end, 10);
  if (*end != '\0')
    die(2, "`%s` is not a number", field);
  return number;
}

/* Prints one line of the outcome: a step, its subject, and the status of the call. */
static void print_status(const char *step, const char *subject, lambda_executor_status_t status) {
  printf("%s\t%s\t%s\n", step, subject, lambda_executor_status_name(status));
}

static char *escaped(lambda_executor_str_t bytes) {
  char *copy = allocated(malloc(4 * bytes.len + 2)), *to = copy;
  for (size_t i = 0; i < bytes.len; i++) {
    unsigned char c = (unsigned char)bytes.ptr[i];
    if (c == '\n' || c == '\t' || c == '\\')
      to += sprintf(to, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : '\\');
    else if (c < 0x20 || c > 0x7e)
      to += sprintf(to, "\\x%02x", c);
    else
      *to++ = (char)c;
  }
  if (bytes.len == 0)
    *to++ = '-';
  *to = '\0';
  return copy;
}

/* ---- tasks and their events ---- */

static record_t *record_of(const char *key) {
  for (size_t i = 0; i < record_count; i++)
    if (strcmp(records[i].key, key) == 0)
      return &records[i];
  return NULL;
}

static void add_record(const char *key) {
  record_t record = {0};
  if (record_of(key) != NULL)
    die(2, "the key `%s` was accepted twice, which the outcome cannot represent", key);
  record.key = allocated(strdup(key));
  records = allocated(realloc(records, (record_count + 1) * sizeof *records));
  records[record_count++] = record;
}

static void note_event(const lambda_executor_event_t *event) {
  record_t *record = record_of(event->key.ptr);
  if (record == NULL)
    die(1, "an event of `%s`, which was not accepted", event->key.ptr);
  if (record->final)
    die(1, "an event of `%s` after its final one", event->key.ptr);
  size_t len = strlen(record->states);
  snprintf(record->states + len, sizeof record->states - len, "%s%s", len > 0 ? "," : "",
           lambda_executor_task_state_name(event->state));
  record->final = event->state >= LAMBDA_EXECUTOR_TASK_SUCCEEDED;
  record->tag = event->tag;
  record->reason = event->reason;
  record->has_return_code = event->has_return_code;
  record->return_code = event->return_code;
  record->signal = event->signal;
  free(record->output_tail);
  free(record->value);
  record->output_tail = escaped(event->output_tail);
  record->value = escaped(event->value);
}

static int has_had(const record_t *record, const char *state) {
  size_t len = strlen(state);
  for (const char *at = record->states; (at = strstr(at, state)) != NULL; at += len)
    if ((at == record->states || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
      return 1;
  return 0;
}

/* Waits for events up to the deadline; 0 when it has passed. */
static int take_events(int64_t deadline) {
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_error_t *err = NULL;
  int64_t left = deadline - now_ms();
  if (left <= 0)
    return 0;
  if (lambda_executor_sync(ex, left, 0, &batch, &err) < 0)
    die(1, "sync: %s", lambda_executor_error_cstr(err));
  for (size_t i = 0; i < lambda_executor_batch_len(batch); i++)
    note_event(lambda_executor_batch_event(batch, i));
  if (batch != NULL && lambda_executor_batch_ack(batch, &err) < 0)
    die(1, "batch_ack: %s", lambda_executor_error_cstr(err));
  lambda_executor_batch_free(batch);
  return 1;
}

/* ---- the steps, each with its fields ---- */

static lambda_executor_task_t task_of(const char *key, const char *command, const char *config) {
  lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
  task.key = str_of(key);
  task.command_json = str_of(command);
  task.executor_config_json = str_of(config);
  return task;
}

static void step_health(char **field) {
  lambda_executor_status_t status;
  (void)field;
  do
    status = lambda_executor_check_health(ex, HEALTH_MS, NULL);
  while (status == LAMBDA_EXECUTOR_INTERRUPTED);
  printf("health\t%s\n", lambda_executor_status_name(status));
}

static void step_queue(char **field) {
  lambda_executor_task_t task = task_of(field[0], field[2], field[3]);
  task.tag = number_of(field[1]);
  task.timeout_ms = (int64_t)number_of(field[4]);
  task.max_wait_ms = (int64_t)number_of(field[5]);
  lambda_executor_status_t status = lambda_executor_queue(ex, &task, NULL);
  if (status == LAMBDA_EXECUTOR_OK)
    add_record(text_of(field[0]));
  print_status("queue", field[0], status);
}

static void step_batch(char **field) {
  size_t n = number_of(field[1]), accepted = 0;
  size_t room = strlen(field[0]) + 24;
  lambda_executor_task_t *tasks = allocated(calloc(n, sizeof *tasks));
  lambda_executor_status_t *results = allocated(calloc(n, sizeof *results));
  char *keys = allocated(malloc(n * room));
  for (size_t i = 0; i < n; i++) {
    snprintf(keys + i * room, room, "%s%zu", text_of(field[0]), i);
    tasks[i] = task_of(keys + i * room, field[2], field[3]);
    tasks[i].tag = i;
  }
  if (lambda_executor_queue_batch(ex, tasks, n, results, &accepted, NULL, NULL) < 0)
    die(1, "queue_batch did not process `%s`", field[0]);
  for (size_t i = 0; i < n; i++)
    if (results[i] == LAMBDA_EXECUTOR_OK)
      add_record(keys + i * room);
  printf("batch\t%s\t%zu\n", field[0], accepted);
  free(keys);
  free(results);
  free(tasks);
}

static void step_adopt(char **field) {
  lambda_executor_task_t task = task_of(field[0], "-", "-");
  lambda_executor_status_t result = LAMBDA_EXECUTOR_OK;
  task.tag = number_of(field[1]);
  task.attempt_id = str_of(field[2]);
  lambda_executor_status_t status = lambda_executor_adopt(ex, &task, 1, &result, NULL, NULL);
  if (status == LAMBDA_EXECUTOR_PARTIAL)
    status = result;
  if (status == LAMBDA_EXECUTOR_OK)
    add_record(text_of(field[0]));
  print_status("adopt", field[0], status);
}

static void step_wait(char **field) {
  int64_t deadline = now_ms() + WAIT_MS;
  record_t *record = record_of(text_of(field[0]));
  if (record == NULL)
    die(2, "wait: `%s` was not accepted", field[0]);
  while (!has_had(record, field[1]))
    if (!take_events(deadline))
      die(1, "wait: `%s` was not %s within %d ms", field[0], field[1], WAIT_MS);
  printf("wait\t%s\t%s\n", field[0], field[1]);
}

static void step_state(char **field) {
  lambda_executor_task_state_t state = LAMBDA_EXECUTOR_TASK_UNKNOWN;
  lambda_executor_status_t status =
      lambda_executor_state(ex, text_of(field[0]), LAMBDA_EXECUTOR_NUL, &state, NULL);
  if (status == LAMBDA_EXECUTOR_OK)
    printf("state\t%s\t%s\n", field[0], lambda_executor_task_state_name(state));
  else
    print_status("state", field[0], status);
}

static void step_cancel(char **field) {
  lambda_executor_str_t key = str_of(field[0]);
  lambda_executor_status_t result = LAMBDA_EXECUTOR_OK;
  lambda_executor_status_t status = lambda_executor_cancel(ex, &key, 1, &result, NULL, NULL);
  print_status("cancel", field[0], status >= 0 ? result : status);
}

static void step_drain(char **field) {
  int64_t deadline = now_ms() + WAIT_MS;
  uint64_t remaining = 0;
  lambda_executor_status_t status;
  uint32_t how = LAMBDA_EXECUTOR_DRAIN_FINISH;
  if (strcmp(field[0], "running") == 0)
    how = LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED;
  else if (strcmp(field[0], "finish") != 0)
    die(2, "drain: `%s` is neither `finish` nor `running`", field[0]);
  do {
    int64_t left = deadline - now_ms();
    status = lambda_executor_drain(ex, how, left > 0 ? left : 0, &remaining, NULL);
  } while (status == LAMBDA_EXECUTOR_INTERRUPTED);
  printf("drain\t%s\t%" PRIu64 "\n", lambda_executor_status_name(status), remaining);
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const record_t *)a)->key, ((const record_t *)b)->key);
}

static size_t unfinished(void) {
  size_t count = 0;
  for (size_t i = 0; i < record_count; i++)
    count += !records[i].final;
  return count;
}

static void print_task(const record_t *record) {
  char return_code[16] = "-";
  if (record->has_return_code)
    snprintf(return_code, sizeof return_code, "%" PRId32, record->return_code);
  printf("task\t%s\t%" PRIu64 "\t%s\t%s\t%s\t%" PRId32 "\t%s\t%s\n", record->key, record->tag,
         record->states, lambda_executor_reason_name(record->reason), return_code, record->signal,
         record->output_tail, record->value);
}

static void step_finish(char **field) {
  int64_t deadline = now_ms() + WAIT_MS;
  (void)field;
  while (unfinished() > 0 && take_events(deadline))
    continue;
  if (record_count > 0)
    qsort(records, record_count, sizeof *records, by_key);
  for (size_t i = 0; i < record_count; i++)
    if (!records[i].final)
      printf("unfinished\t%s\n", records[i].key);
  for (size_t i = 0; i < record_count; i++)
    if (records[i].final)
      print_task(&records[i]);
}

static void step_after(char **field) {
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_status_t status = LAMBDA_EXECUTOR_OK;
  if (strcmp(field[0], "queue") == 0) {
    lambda_executor_task_t task = task_of("after", "[\"true\"]", "-");
    status = lambda_executor_queue(ex, &task, NULL);
  } else if (strcmp(field[0], "sync") == 0) {
    status = lambda_executor_sync(ex, 0, 0, &batch, NULL);
    lambda_executor_batch_free(batch);
  } else {
    die(2, "after: `%s` is neither `queue` nor `sync`", field[0]);
  }
  print_status("after", field[0], status);
}

static void skip(char **field) {
  (void)field;
}

static const struct {
  const char *name;
  int fields;
  void (*carry_out)(char **field);
} STEPS[] = {
    {"options", 1, skip},       {"local", 1, skip},       {"faults", 1, skip},
    {"health", 0, step_health}, {"queue", 6, step_queue}, {"batch", 4, step_batch},
    {"adopt", 3, step_adopt},   {"wait", 2, step_wait},   {"state", 1, step_state},
    {"cancel", 1, step_cancel}, {"drain", 1, step_drain}, {"finish", 0, step_finish},
    {"after", 1, step_after},
};

static void carry_out(char *line) {
  char *field[MOST_FIELDS + 1];
  int fields = 0;
  for (char *rest = line; rest != NULL && fields <= MOST_FIELDS;) {
    field[fields++] = rest;
    rest = strchr(rest, '\t');
    if (rest != NULL)
      *rest++ = '\0';
  }
  for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++)
    if (strcmp(field[0], STEPS[i].name) == 0) {
      if (fields - 1 != STEPS[i].fields)
        die(2, "`%s` has %d fields, expected %d", field[0], fields - 1, STEPS[i].fields);
      STEPS[i].carry_out(field + 1);
      return;
    }
  die(2, "there is no step `%s`", field[0]);
}

int main(int argc, char **argv) {
  const char *config = getenv("LAMBDA_EXECUTOR_CONFIG");
  lambda_executor_error_t *err = NULL;
  char *line = NULL;
  size_t room = 0;
  FILE *scenario = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (scenario == NULL || config == NULL)
    die(2, "usage: LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner SCENARIO.tsv");
  if (lambda_executor_create(config, LAMBDA_EXECUTOR_NUL, &ex, &err) != LAMBDA_EXECUTOR_OK)
    die(1, "%s", lambda_executor_error_cstr(err));

  while (getline(&line, &room, scenario) >= 0) {
    line[strcspn(line, "\n")] = '\0';
    if (line[0] != '\0' && line[0] != '#')
      carry_out(line);
  }

  free(line);
  fclose(scenario);
  lambda_executor_free(ex, NULL);
  for (size_t i = 0; i < record_count; i++) {
    free(records[i].key);
    free(records[i].output_tail);
    free(records[i].value);
  }
  free(records);
  return 0;
}
