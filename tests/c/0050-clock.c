/* The host's wall clock is wrong by an hour, with credentials of each kind, or is set back by an
 * hour while a local AWS runs in the process. Tasks run in all cases, and where calls to AWS are
 * refused, the clock is named. */
#include "server.h"
#include <sys/syscall.h>

static volatile long offset_s;

/* Replaces libc's function for this program and the library. */
int clock_gettime(clockid_t clock, struct timespec *now) {
  if (syscall(SYS_clock_gettime, clock, now) != 0)
    return -1;
  if (clock == CLOCK_REALTIME)
    now->tv_sec += offset_s;
  return 0;
}

static void run(lambda_executor_t *ex, const char *key) {
  queue(ex, task(key));
  expect_final(ex, key, LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
}

/* Where the library finds its credentials. */
typedef enum { ENVIRONMENT, CONFIGURATION, PROFILE, PROGRAM } source_t;

static void write_file(const char *path, const char *format, const char *id, const char *secret) {
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  CHECK(fprintf(file, format, id, secret) > 0);
  CHECK(fclose(file) == 0);
}

/* Sets options and environment. */
static void put_credentials(source_t source, const server_t *server, const char *folder,
                            char *config, size_t size) {
  char id[128], secret[128], path[128], *keys = config + strlen(server->options);
  snprintf(id, sizeof id, "%s", getenv("AWS_ACCESS_KEY_ID"));
  snprintf(secret, sizeof secret, "%s", getenv("AWS_SECRET_ACCESS_KEY"));
  snprintf(config, size, "%s}", server->options);
  snprintf(path, sizeof path, "%s/%s", folder, source == PROFILE ? "credentials" : "config");
  if (source != ENVIRONMENT)
    CHECK(unsetenv("AWS_ACCESS_KEY_ID") == 0 && unsetenv("AWS_SECRET_ACCESS_KEY") == 0);
  if (source == CONFIGURATION)
    snprintf(keys, size - strlen(server->options),
             ", \"credentials\": {\"access_key_id\": \"%s\", \"secret_access_key\": \"%s\"}}", id,
             secret);
  if (source == PROFILE)
    write_file(path, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret);
  if (source == PROGRAM)
    write_file(path,
               "[default]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"%s\", "
               "\"SecretAccessKey\": \"%s\"}'\n",
               id, secret);
}

/* The library's log, in place of stderr. */
static FILE *captured;
static int real_stderr;

/* Shows a failed check. */
static void show_captured(void) {
  char text[4096];
  size_t len;
  if (captured == NULL)
    return;
  rewind(captured);
  while ((len = fread(text, 1, sizeof text, captured)) > 0)
    if (write(real_stderr, text, len) < 0)
      return;
}

/* Runs two tasks, and returns what the health check and the log say: which of the two gets the
 * error of the first call is a matter of time. */
static const char *said(const char *config) {
  static char text[32768];
  lambda_executor_error_t *err = NULL;
  captured = tmpfile();
  real_stderr = dup(STDERR_FILENO);
  CHECK(captured != NULL && atexit(show_captured) == 0);
  CHECK(dup2(fileno(captured), STDERR_FILENO) == STDERR_FILENO);
  lambda_executor_t *ex = start(config);
  (void)lambda_executor_check_health(ex, DEADLINE_MS, &err);
  int len = snprintf(text, sizeof text, "%s\n", lambda_executor_error_cstr(err));
  CHECK(len > 0 && (size_t)len < sizeof text);
  lambda_executor_error_free(err);
  run(ex, "a");
  run(ex, "b");
  lambda_executor_free(ex, NULL); /* returns when the log has been written */
  CHECK(dup2(real_stderr, STDERR_FILENO) == STDERR_FILENO);
  rewind(captured);
  text[len + (int)fread(text + len, 1, sizeof text - 1 - (size_t)len, captured)] = '\0';
  fclose(captured);
  captured = NULL;
  return text;
}

static void wrong_from_the_start(source_t source, long by_s, const char *direction) {
  char config[1400], folder[] = "/tmp/lambda-executor-clock-XXXXXX", path[64];
  server_t server;
  start_server(&server, "{}");
  CHECK(mkdtemp(folder) != NULL);
  put_credentials(source, &server, folder, config, sizeof config);
  snprintf(path, sizeof path, "%s/credentials", folder);
  CHECK(setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1) == 0);
  snprintf(path, sizeof path, "%s/config", folder);
  CHECK(setenv("AWS_CONFIG_FILE", path, 1) == 0);
  CHECK(setenv("AWS_EC2_METADATA_DISABLED", "true", 1) == 0);
  offset_s = by_s;
  CHECK_CONTAINS(said(config), direction);
  offset_s = 0;
  unlink(path);
  unlink(getenv("AWS_SHARED_CREDENTIALS_FILE"));
  CHECK(rmdir(folder) == 0);
  stop_server(&server);
}

int main(void) {
  /* At the same time, since each waits for seconds before it calls again. */
  int running = 0, status;
  for (source_t source = ENVIRONMENT; source <= PROGRAM; source++)
    for (int behind = 0; behind < 2; behind++, running++) {
      pid_t child = fork();
      CHECK(child >= 0);
      if (child == 0) {
        wrong_from_the_start(source, behind ? -3600 : 3600,
                             behind ? "s behind AWS's" : "s ahead of AWS's");
        return 0;
      }
    }
  for (; running > 0; running--) {
    CHECK(wait(&status) > 0);
    CHECK_INT(status, 0);
  }

  lambda_executor_t *ex = start(BUILTIN);
  run(ex, "before");
  offset_s = -3600;
  run(ex, "set back");
  offset_s = 600;
  run(ex, "set forward");
  lambda_executor_free(ex, NULL);
  return 0;
}
