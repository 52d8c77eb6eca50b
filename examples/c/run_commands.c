/* Runs the lines of a file as commands, each in a Lambda function, and reports their results.
 *
 *   ./run_commands [--config FILE|JSON] [--tsv|--json] [FILE]
 *
 * Each line is one command for the shell; blank lines and lines that start with # are skipped.
 * Without --config, LAMBDA_EXECUTOR_CONFIG has the options; without both the functions run on this
 * machine. Progress goes to stderr, results to stdout.
 * After Ctrl-C it submits no more and waits for running commands; after a second Ctrl-C it exits.
 *
 * Exit status: 0 all succeeded, 1 some failed, 2 could not run, 130 interrupted.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <lambda_executor.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_SOME_FAILED = 1, EXIT_CANNOT_RUN = 2, EXIT_INTERRUPTED = 130 };
enum { TABLE_OUTPUT_BYTES = 60 };
enum { HEALTH_TIMEOUT_MS = 10000 };
static const char NOT_STARTED[] = "interrupted before it started";

/* ---- small tools ---- */

static void die(const char *what, const char *why) {
  fprintf(stderr, "run_commands: %s: %s\n", what, why);
  exit(EXIT_CANNOT_RUN);
}

static void die_of(const char *what, lambda_executor_error_t *err) {
  die(what, lambda_executor_error_message(err).ptr);
}

static void *grow(void *memory, size_t bytes) {
  void *grown = realloc(memory, bytes);
  if (grown == NULL)
    die("memory", strerror(errno));
  return grown;
}

static char *copy_text(const char *text, size_t len) {
  char *copy = grow(NULL, len + 1);
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

/* Length of the UTF-8 character at the start of the text; 0 if it is invalid. */
static size_t character_length(const char *text) {
  const unsigned char *t = (const unsigned char *)text;
  size_t length = 0;
  if (t[0] < 0x80)
    length = 1;
  else if (t[0] >= 0xC2 && t[0] < 0xF5)
    length = t[0] < 0xE0 ? 2 : t[0] < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < length; i++)
    if ((t[i] & 0xC0) != 0x80) /* also at the end of the text */
      return 0;
  /* Reject overlong forms, surrogates, and values beyond the last character. */
  if ((t[0] == 0xE0 && t[1] < 0xA0) || (t[0] == 0xED && t[1] > 0x9F) ||
      (t[0] == 0xF0 && t[1] < 0x90) || (t[0] == 0xF4 && t[1] > 0x8F))
    return 0;
  return length;
}

/* Prints text as the inside of a JSON string, or as a field of a TSV line. Both use the same
 * escapes except for the quote. JSON must be UTF-8: each invalid byte becomes U+FFFD. */
static void print_escaped(FILE *out, const char *text, int json) {
  for (size_t length; *text != '\0'; text += length > 0 ? length : 1) {
    unsigned char c = (unsigned char)*text;
    length = json ? character_length(text) : 1;
    if (c == '\n')
      fputs("\\n", out);
    else if (c == '\t')
      fputs("\\t", out);
    else if (c == '\r')
      fputs("\\r", out);
    else if (c == '\\')
      fputs("\\\\", out);
    else if (json && c == '"')
      fputs("\\\"", out);
    else if (c < 0x20)
      fprintf(out, "\\u%04x", c);
    else if (length == 0)
      fputs("\xEF\xBF\xBD", out);
    else
      fwrite(text, 1, length, out);
  }
}

/* ---- the commands ---- */

typedef struct job {
  char *command;
  char key[24];
  int32_t state; /* 0 until it is queued */
  int32_t reason;
  int has_return_code;
  int return_code;
  double seconds;
  char *last_line; /* of the output, or an error message */
} job_t;

typedef struct jobs {
  job_t *list;
  size_t count;
} jobs_t;

static void add_job(jobs_t *jobs, const char *line, size_t len, size_t line_number) {
  job_t job = {0};
  job.command = copy_text(line, len);
  snprintf(job.key, sizeof job.key, "line-%04zu", line_number);
  if ((jobs->count & (jobs->count - 1)) == 0) /* full at each power of two */
    jobs->list = grow(jobs->list, (jobs->count > 0 ? jobs->count * 2 : 1) * sizeof *jobs->list);
  jobs->list[jobs->count++] = job;
}

static jobs_t read_jobs(FILE *in) {
  jobs_t jobs = {NULL, 0};
  char *line = NULL;
  size_t room = 0;
  ssize_t read;
  for (size_t number = 1; (read = getline(&line, &room, in)) >= 0; number++) {
    size_t len = (size_t)read;
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
      len--;
    if (memchr(line, '\0', len) != NULL) {
      char where[48];
      snprintf(where, sizeof where, "line %zu", number);
      die(where, "it contains a NUL byte, which a command cannot have");
    }
    if (strspn(line, " \t\r\n") < len && line[0] != '#')
      add_job(&jobs, line, len, number);
  }
  if (ferror(in))
    die("cannot read the commands", strerror(errno));
  free(line);
  return jobs;
}

static void free_jobs(jobs_t *jobs) {
  for (size_t i = 0; i < jobs->count; i++) {
    free(jobs->list[i].command);
    free(jobs->list[i].last_line);
  }
  free(jobs->list);
}

/* The command as a JSON string; the caller frees it. */
static char *command_json(const char *command) {
  char *json = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&json, &len);
  if (out == NULL)
    die("memory", strerror(errno));
  fputc('"', out);
  print_escaped(out, command, 1);
  fputc('"', out);
  if (fclose(out) != 0)
    die("memory", strerror(errno));
  return json;
}

/* ---- Ctrl-C ---- */

static lambda_executor_t *volatile executor;
static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal) {
  (void)signal;
  interrupts++;
  lambda_executor_wake(executor); /* the only function that a handler may call */
}

static void catch_interrupts(lambda_executor_t *ex) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_interrupt;
  executor = ex;
  sigaction(SIGINT, &action, NULL);
}

static void release_interrupts(void) {
  signal(SIGINT, SIG_DFL);
  executor = NULL;
}

/* ---- running them ---- */

static char *last_line_of(lambda_executor_str_t text) {
  size_t end = text.len;
  while (end > 0 && (text.ptr[end - 1] == '\n' || text.ptr[end - 1] == '\r'))
    end--;
  size_t start = end;
  while (start > 0 && text.ptr[start - 1] != '\n')
    start--;
  return copy_text(text.ptr + start, end - start);
}

static int is_final(int32_t state) {
  return state >= LAMBDA_EXECUTOR_TASK_SUCCEEDED;
}

static void note_event(jobs_t *jobs, const lambda_executor_event_t *event) {
  if (event->tag >= jobs->count)
    return;
  job_t *job = &jobs->list[event->tag];
  job->state = event->state;
  if (!is_final(event->state))
    return;
  int64_t started = event->started_at_ms != 0 ? event->started_at_ms : event->queued_at_ms;
  job->reason = event->reason;
  job->has_return_code = event->has_return_code;
  job->return_code = event->return_code;
  job->seconds = (double)(event->finished_at_ms - started) / 1000.0;
  if (event->reason == LAMBDA_EXECUTOR_REASON_NEVER_INVOKED)
    job->last_line = copy_text(NOT_STARTED, strlen(NOT_STARTED));
  else
    job->last_line = last_line_of(event->output_tail.len > 0 ? event->output_tail : event->message);
}

static void show_progress(size_t done, size_t failed, size_t all) {
  static int on_terminal = -1;
  if (on_terminal < 0)
    on_terminal = isatty(STDERR_FILENO);
  if (on_terminal || done == all)
    fprintf(stderr, "%s%zu of %zu done, %zu failed%s", on_terminal ? "\r" : "", done, all, failed,
            done == all ? "\n" : "");
}

/* Waits for events up to the time limit and takes them. Returns 0 if no more will arrive. */
static int take_events(lambda_executor_t *ex, jobs_t *jobs, int64_t timeout_ms, size_t *done,
                       size_t *failed) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_status_t status = lambda_executor_sync(ex, timeout_ms, 0, &batch, &err);
  if (status == LAMBDA_EXECUTOR_ERR_CLOSED) {
    lambda_executor_error_free(err);
    return 0;
  }
  if (status < 0)
    die_of("cannot take events", err);
  for (size_t i = 0; i < lambda_executor_batch_len(batch); i++) {
    const lambda_executor_event_t *event = lambda_executor_batch_event(batch, i);
    note_event(jobs, event);
    *done += is_final(event->state) ? 1 : 0;
    *failed += is_final(event->state) && event->state != LAMBDA_EXECUTOR_TASK_SUCCEEDED ? 1 : 0;
  }
  if (batch != NULL)
    show_progress(*done, *failed, jobs->count);
  if (batch != NULL && lambda_executor_batch_ack(batch, &err) < 0)
    die_of("cannot acknowledge", err);
  lambda_executor_batch_free(batch);
  return 1;
}

/* Returns 1 if accepted, 0 if the queue is full. A rejected command gets its row at once. */
static int queue_job(lambda_executor_t *ex, jobs_t *jobs, size_t index, size_t *done,
                     size_t *failed) {
  job_t *job = &jobs->list[index];
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_t task = LAMBDA_EXECUTOR_TASK_INIT;
  char *json = command_json(job->command);
  task.tag = index;
  task.key = lambda_executor_str(job->key);
  task.command_json = lambda_executor_str(json);
  lambda_executor_status_t status = lambda_executor_queue(ex, &task, &err);
  free(json);
  if (status == LAMBDA_EXECUTOR_QUEUE_FULL)
    return 0;
  job->state = LAMBDA_EXECUTOR_TASK_QUEUED;
  if (status == LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT ||
      status == LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE) {
    job->state = LAMBDA_EXECUTOR_TASK_FAILED;
    job->last_line = last_line_of(lambda_executor_error_message(err));
    ++*done;
    ++*failed;
  } else if (status < 0) {
    die_of("cannot queue", err);
  }
  lambda_executor_error_free(err);
  return 1;
}

/* Ends the input. Waiting commands are submitted, or cancelled after a Ctrl-C. */
static void end_input(lambda_executor_t *ex, uint32_t flags) {
  lambda_executor_error_t *err = NULL;
  if (lambda_executor_drain(ex, flags, 0, NULL, &err) < 0)
    die_of("cannot drain", err);
}

static size_t run_all(lambda_executor_t *ex, jobs_t *jobs) {
  size_t done = 0, failed = 0;
  for (size_t next = 0; next < jobs->count && interrupts == 0;)
    if (queue_job(ex, jobs, next, &done, &failed))
      next++;
    else
      take_events(ex, jobs, 1000, &done, &failed);
  end_input(ex, LAMBDA_EXECUTOR_DRAIN_FINISH);
  int stopping = 0;
  do {
    if (interrupts > 0 && !stopping) {
      fputs("\nwaiting for running commands; press Ctrl-C again to exit at once\n", stderr);
      end_input(ex, LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED);
      stopping = 1;
    }
  } while (interrupts < 2 && take_events(ex, jobs, -1, &done, &failed));
  return failed;
}

/* ---- results ---- */

static const char *state_text(const job_t *job) {
  return job->state == LAMBDA_EXECUTOR_TASK_UNKNOWN ? "not queued"
                                                    : lambda_executor_task_state_name(job->state);
}

static const char *return_code_text(const job_t *job, char *buf, size_t cap) {
  if (!job->has_return_code)
    return "-";
  snprintf(buf, cap, "%d", job->return_code);
  return buf;
}

static void print_tsv(const jobs_t *jobs) {
  char code[16];
  puts("key\tstate\treason\treturn_code\tseconds\tlast_output\tcommand");
  for (size_t i = 0; i < jobs->count; i++) {
    const job_t *job = &jobs->list[i];
    printf("%s\t%s\t%s\t%s\t%.3f\t", job->key, state_text(job),
           lambda_executor_reason_name(job->reason), return_code_text(job, code, sizeof code),
           job->seconds);
    print_escaped(stdout, job->last_line != NULL ? job->last_line : "", 0);
    fputc('\t', stdout);
    print_escaped(stdout, job->command, 0);
    fputc('\n', stdout);
  }
}

static void print_json(const jobs_t *jobs) {
  char code[16];
  for (size_t i = 0; i < jobs->count; i++) {
    const job_t *job = &jobs->list[i];
    const char *return_code =
        job->has_return_code ? return_code_text(job, code, sizeof code) : "null";
    printf("{\"key\": \"%s\", \"state\": \"%s\", \"reason\": \"%s\", \"return_code\": %s, "
           "\"seconds\": %.3f, \"last_output\": \"",
           job->key, state_text(job), lambda_executor_reason_name(job->reason), return_code,
           job->seconds);
    print_escaped(stdout, job->last_line != NULL ? job->last_line : "", 1);
    fputs("\", \"command\": \"", stdout);
    print_escaped(stdout, job->command, 1);
    puts("\"}");
  }
}

/* For a terminal: one line each, control characters visible, cut between characters. */
static void print_table(const jobs_t *jobs) {
  char code[16];
  printf("%-10s %-10s %4s %8s  %s\n", "KEY", "STATE", "CODE", "SECONDS", "LAST OUTPUT");
  for (size_t i = 0; i < jobs->count; i++) {
    const job_t *job = &jobs->list[i];
    const char *text = job->last_line != NULL ? job->last_line : "";
    printf("%-10s %-10s %4s %8.3f  ", job->key, state_text(job),
           return_code_text(job, code, sizeof code), job->seconds);
    for (size_t n = 0; text[n] != '\0'; n++) {
      unsigned char c = (unsigned char)text[n];
      if (n >= TABLE_OUTPUT_BYTES && (c & 0xC0) != 0x80) {
        fputs("...", stdout);
        break;
      }
      fputc(c < 0x20 || c == 0x7f ? '?' : c, stdout);
    }
    fputc('\n', stdout);
  }
}

/* ---- the command line ---- */

typedef void print_fn(const jobs_t *);

typedef struct arguments {
  const char *config;
  const char *file;
  print_fn *print;
} arguments_t;

static void usage(FILE *out) {
  fputs("usage: run_commands [--config FILE|JSON] [--tsv|--json] [FILE]\n"
        "Runs each line of FILE (or stdin) as a shell command in a Lambda function.\n"
        "Exit status: 0 all succeeded, 1 some failed, 2 could not run, 130 interrupted.\n",
        out);
}

static arguments_t read_arguments(int argc, char **argv) {
  const char *config = getenv("LAMBDA_EXECUTOR_CONFIG");
  arguments_t arguments = {config != NULL ? config : "{\"local\": {}}", NULL, print_table};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--config") == 0 && i + 1 == argc)
      die("--config", "its value is missing (a file, or options as JSON)");
    if (strcmp(argv[i], "--config") == 0) {
      arguments.config = argv[++i];
    } else if (strcmp(argv[i], "--tsv") == 0) {
      arguments.print = print_tsv;
    } else if (strcmp(argv[i], "--json") == 0) {
      arguments.print = print_json;
    } else if (strcmp(argv[i], "--help") == 0) {
      usage(stdout);
      exit(0);
    } else if ((argv[i][0] == '-' && argv[i][1] != '\0') || arguments.file != NULL) {
      usage(stderr);
      exit(EXIT_CANNOT_RUN);
    } else {
      arguments.file = argv[i];
    }
  }
  return arguments;
}

static FILE *open_commands(const char *path) {
  if (path == NULL || strcmp(path, "-") == 0)
    return stdin;
  FILE *in = fopen(path, "r");
  if (in == NULL)
    die(path, strerror(errno));
  return in;
}

/* Options given as JSON, or the content of a file; the caller frees them. */
static char *read_config(const char *argument) {
  if (argument[strspn(argument, " \t\n")] == '{')
    return copy_text(argument, strlen(argument));
  FILE *in = fopen(argument, "r");
  if (in == NULL)
    die(argument, strerror(errno));
  char *text = NULL;
  size_t len = 0, got = 0;
  do {
    len += got;
    text = grow(text, len + 4096 + 1);
  } while ((got = fread(text + len, 1, 4096, in)) > 0);
  if (ferror(in))
    die(argument, strerror(errno));
  text[len] = '\0';
  fclose(in);
  return text;
}

int main(int argc, char **argv) {
  arguments_t arguments = read_arguments(argc, argv);
  char *config = read_config(arguments.config);
  FILE *in = open_commands(arguments.file);
  jobs_t jobs = read_jobs(in);
  if (in != stdin)
    fclose(in);

  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = NULL;
  if (lambda_executor_create(config, LAMBDA_EXECUTOR_NUL, &ex, &err) != LAMBDA_EXECUTOR_OK)
    die_of("cannot start", err);
  free(config);
  /* Fails early if function or queue is wrong; otherwise the commands would wait. */
  if (lambda_executor_check_health(ex, HEALTH_TIMEOUT_MS, &err) < 0)
    die_of("cannot start", err);

  catch_interrupts(ex);
  size_t failed = run_all(ex, &jobs);
  release_interrupts();
  lambda_executor_free(ex, NULL);

  arguments.print(&jobs);
  free_jobs(&jobs);
  if (fflush(stdout) != 0)
    die("cannot write the results", strerror(errno));
  return interrupts > 0 ? EXIT_INTERRUPTED : failed > 0 ? EXIT_SOME_FAILED : 0;
}
