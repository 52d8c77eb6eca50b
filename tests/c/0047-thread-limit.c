/* At the thread limit (RLIMIT_NPROC, a cgroup's pids.max) create returns ERR_IO and leaves nothing
 * behind. With a higher limit create works. If the limit is reached later, host names are still
 * resolved: tasks run and the health check passes, at the limit and after it. */
#include "server.h"
#include <grp.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

/* A user without other processes, since the limit counts all processes of a user. */
enum { NOBODY_ELSE = 61047 };

static int open_descriptors(void) {
  DIR *fds = opendir("/proc/self/fd");
  CHECK(fds != NULL);
  int n = 0;
  while (readdir(fds) != NULL)
    n++;
  closedir(fds);
  return n;
}

static void limit_threads(rlim_t to) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0);
  limit.rlim_cur = to < limit.rlim_max ? to : limit.rlim_max;
  CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

/* The name of this server must be resolved, on a thread for blocking calls. */
static void name_is_looked_up_at_the_limit(server_t *server) {
  char config[1200], *number = strstr(server->options, "127.0.0.1");
  CHECK(number != NULL);
  snprintf(config, sizeof config, "%.*slocalhost%s}", (int)(number - server->options),
           server->options, number + strlen("127.0.0.1"));
  lambda_executor_t *ex = start(config);
  limit_threads((rlim_t)thread_count());
  queue(ex, task("a"));
  expect_final(ex, "a", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_error_t *err = NULL;
  CHECK_OK(lambda_executor_check_health(ex, DEADLINE_MS, &err));
  limit_threads(RLIM_INFINITY);
  queue(ex, task("b"));
  expect_final(ex, "b", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
}

static void at_the_limit(server_t *server) {
  if (geteuid() == 0) { /* root has no limit */
    CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY_ELSE) == 0 && setuid(NOBODY_ELSE) == 0);
  }
  lambda_executor_free(start(BUILTIN), NULL); /* create state that a process has once */
  WAIT_UNTIL(thread_count() == 1);
  int descriptors = open_descriptors();

  int refused = 0;
  for (rlim_t room = 0; room < 32; room++) {
    lambda_executor_t *ex = NULL;
    lambda_executor_error_t *err = NULL;
    limit_threads(1 + room);
    lambda_executor_status_t status =
        lambda_executor_create(BUILTIN, LAMBDA_EXECUTOR_NUL, &ex, &err);
    limit_threads(RLIM_INFINITY);
    if (status == LAMBDA_EXECUTOR_OK) {
      lambda_executor_free(ex, NULL);
      break;
    }
    refused++;
    CHECK(ex == NULL);
    CHECK_ERROR(status, LAMBDA_EXECUTOR_ERR_IO, "os error 11");
    WAIT_UNTIL(thread_count() == 1);
    CHECK_INT(open_descriptors(), descriptors);
  }
  if (refused < 4 || refused == 32)
    FAIL("refused with room for %d threads", refused);
  name_is_looked_up_at_the_limit(server);
}

int main(void) {
  server_t server;
  int status;
  start_server(&server, "{}");
  /* Another user may not end the server. */
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    at_the_limit(&server);
    return 0;
  }
  CHECK_INT(waitpid(child, &status, 0), child);
  stop_server(&server);
  CHECK_INT(status, 0);
  return 0;
}
