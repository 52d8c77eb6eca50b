/* A host has closed descriptors 0, 1 and 2: the executor does not use these numbers. So output of
 * the host cannot go into a connection, and the host may open its own files there. */
#include "test.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit code says which check failed: there is no stderr. */
#define NEED(condition, code)                                                                      \
  do {                                                                                             \
    if (!(condition))                                                                              \
      _exit(code);                                                                                 \
  } while (0)

#define LOGGING "{\"log\": \"info\", \"local\": {\"handler\": \"builtin\"}}"

static int is_null(int fd) {
  char name[32], file[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(name, file, sizeof file - 1);
  file[len < 0 ? 0 : len] = '\0';
  return strcmp(file, "/dev/null") == 0;
}

static void without_standard_descriptors(void) {
  char path[] = "/tmp/lambda-executor-standard-XXXXXX", letter;
  for (int fd = 0; fd < 3; fd++)
    close(fd);
  lambda_executor_t *ex = start(LOGGING);
  for (int fd = 0; fd < 3; fd++)
    NEED(is_null(fd), 10 + fd);
  queue(ex, task("a"));
  expect_final(ex, "a", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  int file = mkstemp(path);
  NEED(file > 2, 20);
  NEED(dup2(file, 1) == 1, 21);
  NEED(is_null(0) && is_null(2), 22);
  NEED(write(1, "x", 1) == 1 && pread(file, &letter, 1, 0) == 1, 23);
  /* There was no stderr at create: what the host opens as 2 later is another file, also where it
   * appends to it. */
  NEED(ftruncate(file, 0) == 0, 24);
  int appending = open(path, O_WRONLY | O_APPEND);
  NEED(appending > 2 && dup2(appending, 2) == 2, 25);
  NEED(lambda_executor_drain(ex, 0, -1, NULL, NULL) == LAMBDA_EXECUTOR_OK, 26); /* is logged */
  lambda_executor_free(ex, NULL); /* returns when the log has been written */
  NEED(lseek(file, 0, SEEK_END) == 0, 27);
  unlink(path);
  _exit(0);
}

int main(void) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0)
    without_standard_descriptors();
  CHECK_INT(waitpid(child, &status, 0), child);
  CHECK_INT(status, 0);
  return 0;
}
