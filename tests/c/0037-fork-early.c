/* A child forked while the first executor of the process starts can use the library: state that a
 * process creates once is not half created in the child. */
#include "test.h"
#include <sys/wait.h>
#include <unistd.h>

static void run_one_task(const char *key) {
  lambda_executor_t *ex = start(BUILTIN);
  queue(ex, task(key));
  expect_final(ex, key, LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
}

/* Not exit: handlers that the parent registered must not run in the child. */
static void leave(void) {
  execl("/bin/true", "true", (char *)NULL);
  _exit(1);
}

static void expect_success(pid_t child) {
  int status = -1;
  CHECK(child > 0);
  CHECK_INT(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_INT(WEXITSTATUS(status), 0);
}

/* This process has not used the library yet. */
static void fork_after(useconds_t microseconds) {
  lambda_executor_t *ex = start(BUILTIN);
  usleep(microseconds);
  pid_t child = fork();
  if (child == 0) {
    run_one_task("of the child");
    leave();
  }
  expect_success(child);
  lambda_executor_free(ex, NULL);
}

int main(void) {
  for (useconds_t microseconds = 0; microseconds < 1000; microseconds += 100) {
    pid_t process = fork();
    if (process == 0) {
      fork_after(microseconds);
      leave();
    }
    expect_success(process);
  }
  return 0;
}
