/* A daemon closes all descriptors above 2 after create: calls that wait report the cause, free
 * returns, and descriptors that the host opened later are neither written to nor closed. */
#include "test.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  char path[] = "/tmp/lambda-executor-descriptors-XXXXXX";
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_error_t *err = NULL;
  queue(ex, task("before"));
  expect_final(ex, "before", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  long most = sysconf(_SC_OPEN_MAX) < 4096 ? sysconf(_SC_OPEN_MAX) : 4096;
  for (int fd = 3; fd < most; fd++)
    close(fd);
  int log = mkstemp(path); /* gets the number of one of the executor's descriptors */
  CHECK(log >= 3);
  unlink(path);

  CHECK_ERROR(lambda_executor_sync(ex, 1000, 0, &batch, &err), LAMBDA_EXECUTOR_ERR_IO,
              "the host has closed descriptors");
  CHECK(batch == NULL);
  lambda_executor_task_t late = task("after");
  CHECK_ERROR(lambda_executor_queue(ex, &late, &err), LAMBDA_EXECUTOR_ERR_IO,
              "the host has closed descriptors");
  lambda_executor_free(ex, NULL);
  struct stat stat;
  CHECK(fstat(log, &stat) == 0);
  CHECK_INT(stat.st_size, 0);
  return 0;
}
