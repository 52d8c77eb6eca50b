/* A child forked at any moment can use the library: while another thread of its parent creates and
 * frees executors, and while the log of its parent's executor cannot write to stderr. */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 60, CHILD_S = 30 };

#define QUIET                                                                                      \
  "{\"log\": \"off\", \"check_health_on_startup\": false, \"function_name\": \"f\", "              \
  "\"region_name\": \"eu-west-1\", \"endpoint_url\": \"http://127.0.0.1:1\", "                     \
  "\"queue_url\": \"http://127.0.0.1:1/0/results\", "                                              \
  "\"dead_letter_queue_url\": \"http://127.0.0.1:1/0/dead\", "                                     \
  "\"credentials\": {\"access_key_id\": \"a\", \"secret_access_key\": \"s\"}}"
#define LOGGING "{\"log\": \"debug\", \"local\": {\"handler\": \"builtin\"}}"

static int stopped;

static void *create_and_free(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&stopped, __ATOMIC_SEQ_CST))
    lambda_executor_free(start(QUIET), NULL);
  return NULL;
}

/* Not exit: valgrind would report the parent's memory in the child. */
static void leave(void) {
  execl("/bin/true", "true", (char *)NULL);
  _exit(1);
}

/* A child that hangs is killed by SIGALRM. */
static void expect_success(pid_t child) {
  int status = -1;
  CHECK(child > 0);
  CHECK_INT(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status))
    FAIL("the child was killed by signal %d", WTERMSIG(status));
  CHECK_INT(WEXITSTATUS(status), 0);
}

static void while_another_thread_creates(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    CHECK_INT(pthread_create(&threads[i], NULL, create_and_free, NULL), 0);
  for (int i = 0; i < FORKS; i++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(CHILD_S);
      lambda_executor_free(start(QUIET), NULL);
      leave();
    }
    expect_success(child);
  }
  __atomic_store_n(&stopped, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 2; i++)
    CHECK_INT(pthread_join(threads[i], NULL), 0);
}

/* True if a thread of this process is in write(2, ...). */
static int writes_to_stderr(void) {
  int found = 0;
  char expected[32], path[300], line[64];
  snprintf(expected, sizeof expected, "%d 0x2 ", SYS_write);
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    snprintf(path, sizeof path, "/proc/self/task/%s/syscall", entry->d_name);
    FILE *file = fopen(path, "r");
    if (file != NULL && fgets(line, sizeof line, file) != NULL)
      found |= strncmp(line, expected, strlen(expected)) == 0;
    if (file != NULL)
      fclose(file);
  }
  closedir(tasks);
  return found;
}

/* Makes the write end of a new pipe stderr. Returns the read end. */
static int pipe_as_stderr(int full) {
  int ends[2];
  char bytes[4096] = {0};
  CHECK_INT(pipe(ends), 0);
  if (full) {
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], bytes, sizeof bytes) > 0)
      ;
    fcntl(ends[1], F_SETFL, 0);
  }
  CHECK_INT(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
  close(ends[1]);
  return ends[0];
}

static void while_stderr_is_full(void) {
  int old_stderr = dup(STDERR_FILENO);
  int full = pipe_as_stderr(1);
  lambda_executor_t *ex = start(LOGGING);
  WAIT_UNTIL(writes_to_stderr());
  pid_t child = fork();
  if (child == 0) {
    alarm(CHILD_S);
    struct pollfd own = {pipe_as_stderr(0), POLLIN, 0};
    lambda_executor_t *of_child = start(LOGGING);
    CHECK_INT(poll(&own, 1, -1), 1); /* the options are logged */
    lambda_executor_free(of_child, NULL);
    leave();
  }
  dup2(old_stderr, STDERR_FILENO); /* closes the last write end: the log's write fails now */
  close(full);
  close(old_stderr);
  expect_success(child);
  lambda_executor_free(ex, NULL);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  while_another_thread_creates();
  while_stderr_is_full();
  return 0;
}
