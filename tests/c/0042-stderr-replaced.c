/* Without a callback, log records go only to the stderr that was open at create. They do not go to
 * another file that has become descriptor 2 since: it may be a connection of the host. A file
 * opened for appending is a log of the host, and receives them. */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define LOGGING "{\"log\": \"info\", \"local\": {\"handler\": \"builtin\"}}"

/* Causes log records while `descriptor` is stderr, then closes it. */
static void log_to(int descriptor) {
  int old_stderr = dup(STDERR_FILENO);
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = start(LOGGING);
  CHECK_INT(dup2(descriptor, STDERR_FILENO), STDERR_FILENO);
  close(descriptor);
  CHECK_STATUS(lambda_executor_drain(ex, 0, -1, NULL, &err), LAMBDA_EXECUTOR_OK); /* is logged */
  lambda_executor_error_free(err);
  lambda_executor_free(ex, NULL); /* returns when the log has been written */
  CHECK_INT(dup2(old_stderr, STDERR_FILENO), STDERR_FILENO);
  close(old_stderr);
}

int main(void) {
  int ends[2];
  CHECK_INT(pipe(ends), 0);
  log_to(ends[1]);
  char byte;
  CHECK_INT(read(ends[0], &byte, 1), 0);
  close(ends[0]);

  char path[] = "/tmp/lambda-executor-stderr-XXXXXX";
  int log = mkstemp(path);
  CHECK(log >= 0);
  log_to(open(path, O_WRONLY | O_APPEND));
  CHECK(lseek(log, 0, SEEK_END) > 0);
  close(log);
  unlink(path);
  return 0;
}
