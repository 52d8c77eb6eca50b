/* The descriptor is readable while events wait, and once a drain is over or the executor closed. */
#include "test.h"
#include <poll.h>

static int readable(int fd, int timeout_ms) {
  struct pollfd poll_fd = {0};
  poll_fd.fd = fd;
  poll_fd.events = POLLIN;
  return poll(&poll_fd, 1, timeout_ms) == 1 && (poll_fd.revents & POLLIN) != 0;
}

int main(void) {
  lambda_executor_t *ex =
      start("{\"local\": {\"handler\": \"builtin\"}, \"running_events\": false}");
  lambda_executor_error_t *err = NULL;
  int fd = -1, again = -1;
  CHECK_OK(lambda_executor_wakeup_fd(ex, &fd, &err));
  CHECK_OK(lambda_executor_wakeup_fd(ex, &again, &err));
  CHECK_INT(again, fd);
  for (int round = 0; round < 3; round++) {
    CHECK(!readable(fd, 0));
    queue(ex, task("a"));
    queue(ex, task("b"));
    CHECK(readable(fd, DEADLINE_MS));
    WAIT_UNTIL(counts_of(ex).waiting_events == 2);
    done_with(next_batch(ex, 1));
    CHECK(readable(fd, 0));
    done_with(next_batch(ex, 1));
    CHECK(!readable(fd, 0));
  }
  lambda_executor_wake(ex); /* ends waits in the library, but is not an event */
  CHECK(!readable(fd, 0));
  /* The descriptor reports the end of the drain to a host that does not wait for it. */
  lambda_executor_batch_t *batch = NULL;
  CHECK_STATUS(lambda_executor_sync(ex, 0, 0, &batch, &err), LAMBDA_EXECUTOR_INTERRUPTED);
  queue_builtin(ex, "c", "{\"duration_ms\": 100}");
  CHECK_STATUS(lambda_executor_drain(ex, LAMBDA_EXECUTOR_DRAIN_FINISH, 0, NULL, NULL),
               LAMBDA_EXECUTOR_TIMED_OUT);
  done_with(next_batch(ex, 0));
  CHECK(readable(fd, DEADLINE_MS));
  CHECK_ERROR(lambda_executor_sync(ex, 0, 0, &batch, &err), LAMBDA_EXECUTOR_ERR_CLOSED, "drained");
  lambda_executor_close(ex);
  CHECK(readable(fd, DEADLINE_MS));
  lambda_executor_free(ex, NULL);
  return 0;
}
