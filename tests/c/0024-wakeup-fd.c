/* The descriptor is readable exactly while events wait, and once the executor is closed. */
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
  int fd = lambda_executor_wakeup_fd(ex);
  CHECK(fd >= 0);
  CHECK_INT(lambda_executor_wakeup_fd(ex), fd);
  for (int round = 0; round < 3; round++) {
    CHECK(!readable(fd, 0));
    queue(ex, task("a"));
    queue(ex, task("b"));
    CHECK(readable(fd, DEADLINE_MS));
    WAIT_UNTIL(counts_of(ex).waiting_events == 2);
    lambda_executor_batch_free(next_batch(ex, 1));
    CHECK(readable(fd, 0));
    lambda_executor_batch_free(next_batch(ex, 1));
    CHECK(!readable(fd, 0));
  }
  lambda_executor_wake(ex); /* ends waits in the library, and is no event */
  CHECK(!readable(fd, 0));
  lambda_executor_close(ex);
  CHECK(readable(fd, DEADLINE_MS));
  lambda_executor_free(ex);
  return 0;
}
