/* Effects on the host process: our threads take no signal, no handler is installed, and no
 * descriptor is inherited. Not run under valgrind, which has its own signals and descriptors. */
#include "test.h"
#include <ctype.h>
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

/* A line of a status file, as a hexadecimal number. */
static uint64_t field(const char *path, const char *name) {
  char line[256];
  FILE *file = fopen(path, "r");
  CHECK(file != NULL);
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) {
      fclose(file);
      return strtoull(line + strlen(name), NULL, 16);
    }
  FAIL("%s has no %s", path, name);
}

static size_t for_each_entry(const char *path, void (*check)(int number)) {
  size_t count = 0;
  DIR *dir = opendir(path);
  CHECK(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    int number = atoi(entry->d_name);
    if (!isdigit((unsigned char)entry->d_name[0]) || number == dirfd(dir))
      continue;
    count++;
    if (check != NULL)
      check(number);
  }
  closedir(dir);
  return count;
}

static void check_thread(int thread) {
  char path[64];
  if (thread == getpid())
    return;
  snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
  uint64_t blocked = field(path, "SigBlk:");
  for (int number = 1; number <= 64; number++) {
    int cannot = number == 9 || number == 19 || number == 32 || number == 33; /* kernel, libc */
    if (!cannot && (blocked >> (number - 1) & 1) == 0)
      FAIL("thread %d takes signal %d", thread, number);
  }
}

/* Descriptors of the host. */
static char was_open[1024];

static void note_fd(int fd) {
  if (fd < (int)sizeof was_open)
    was_open[fd] = 1;
}

static void check_fd(int fd) {
  char path[64], line[128];
  unsigned flags = 0;
  if (fd < (int)sizeof was_open && was_open[fd])
    return;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return; /* closed meanwhile */
  while (fgets(line, sizeof line, file) != NULL)
    sscanf(line, "flags: %o", &flags);
  fclose(file);
  if ((flags & 02000000) == 0) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(line, 0, sizeof line);
    ssize_t len = readlink(path, line, sizeof line - 1);
    FAIL("descriptor %d (%s) would be inherited by child programs", fd, len < 0 ? "?" : line);
  }
}

/* In a program that was started while an executor worked: it has only the descriptors of the host.
 */
static int inherited(const char *expected) {
  CHECK_INT(for_each_entry("/proc/self/fd", NULL), atoi(expected));
  return 0;
}

static size_t fds_of_the_host;

static void start_a_program(void) {
  char expected[16];
  int status = -1;
  snprintf(expected, sizeof expected, "%zu", fds_of_the_host);
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "started", expected, (char *)NULL);
    _exit(127);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK_INT(status, 0);
}

static size_t threads(void) {
  return for_each_entry("/proc/self/task", NULL);
}

static size_t fds(void) {
  return for_each_entry("/proc/self/fd", NULL);
}

static void round_of_work(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"exec\"}}");
  for (int i = 0; i < 3; i++) {
    char key[8];
    snprintf(key, sizeof key, "%d", i);
    queue(ex, task(key));
    expect_final(ex, key, LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
    CHECK(for_each_entry("/proc/self/task", check_thread) > 2);
    for_each_entry("/proc/self/fd", check_fd);
    start_a_program();
  }
  lambda_executor_free(ex, NULL);
}

int main(int argc, char **argv) {
  if (argc == 2)
    return inherited(argv[1]);
  uint64_t caught = field("/proc/self/status", "SigCgt:");
  uint64_t ignored = field("/proc/self/status", "SigIgn:");
  uint64_t blocked = field("/proc/self/status", "SigBlk:");
  fds_of_the_host = for_each_entry("/proc/self/fd", note_fd);
  round_of_work();

  /* The first round may leave state that a process has once; later rounds leave nothing. */
  size_t fds_before = fds();
  for (int i = 0; i < 3; i++)
    round_of_work();
  WAIT_UNTIL(threads() == 1);
  CHECK_INT(fds(), fds_before);
  /* Except 32 and 33, which libc catches for itself with the first thread. Under make they were
   * ignored until then. */
  const uint64_t libcs_own = UINT64_C(3) << 31;
  uint64_t caught_now = field("/proc/self/status", "SigCgt:") & ~libcs_own;
  if (caught_now != caught)
    FAIL("signals caught are %" PRIx64 ", before %" PRIx64, caught_now, caught);
  CHECK((field("/proc/self/status", "SigIgn:") & ~libcs_own) == (ignored & ~libcs_own));
  CHECK(field("/proc/self/status", "SigBlk:") == blocked);
  return 0;
}
