/* At the limit of open descriptors create returns ERR_IO with the failed step, and leaves nothing
 * open or running. With a higher limit create works again. */
#include "test.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static int next_fd(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  close(fd);
  return fd;
}

int main(void) {
  struct rlimit all, few;
  lambda_executor_free(start(BUILTIN), NULL); /* create state that a process has once */
  int first_free = next_fd();
  CHECK(getrlimit(RLIMIT_NOFILE, &all) == 0);

  int refused = 0;
  for (int more = 0; more < 64; more++) {
    lambda_executor_t *ex = NULL;
    lambda_executor_error_t *err = NULL;
    few = all;
    few.rlim_cur = (rlim_t)(first_free + more);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    lambda_executor_status_t status =
        lambda_executor_create(BUILTIN, LAMBDA_EXECUTOR_NUL, &ex, &err);
    CHECK(setrlimit(RLIMIT_NOFILE, &all) == 0);
    if (status == LAMBDA_EXECUTOR_OK) {
      lambda_executor_free(ex, NULL);
      break;
    }
    refused++;
    CHECK(ex == NULL);
    CHECK_ERROR(status, LAMBDA_EXECUTOR_ERR_IO, "os error 24");
    CHECK_INT(next_fd(), first_free);
    WAIT_UNTIL(thread_count() == 1);
  }
  if (refused < 3 || refused == 64)
    FAIL("refused with %d limits", refused);
  lambda_executor_free(start(BUILTIN), NULL);
  return 0;
}
