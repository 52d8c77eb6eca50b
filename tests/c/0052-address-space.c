/* Under a limit of the address space (RLIMIT_AS) create works or returns ERR_IO with its reason. It
 * never waits for ever, and reports no bug. Only where the limit leaves too little room for memory
 * itself, below 16 MiB, the process is aborted, with a line on stderr. */
#include "test.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its server does not exist, and nothing waits for it. */
#define AWS                                                                                        \
  "{\"function_name\": \"f\", \"region_name\": \"eu-west-1\","                                     \
  " \"endpoint_url\": \"http://127.0.0.1:1\", \"queue_url\": \"http://127.0.0.1:1/0/results\","    \
  " \"dead_letter_queue_url\": \"http://127.0.0.1:1/0/letters\", \"log\": \"off\","                \
  " \"credentials\": {\"access_key_id\": \"A\", \"secret_access_key\": \"s\"}}"

/* Exit statuses of the process that calls create; a failed check has another. */
typedef enum { CREATED = 20, REFUSED, ABORTED } outcome_t;

static rlim_t mapped(void) {
  unsigned long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  CHECK(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
  fclose(statm);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void limit_to(rlim_t size) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

/* In a process in which the library was not used yet. */
static int create_with_room(const char *config, rlim_t room) {
  lambda_executor_t *ex = NULL;
  lambda_executor_error_t *err = NULL;
  limit_to(mapped() + room);
  lambda_executor_status_t status = lambda_executor_create(config, LAMBDA_EXECUTOR_NUL, &ex, &err);
  limit_to(RLIM_INFINITY);
  if (status == LAMBDA_EXECUTOR_OK) {
    lambda_executor_free(ex, NULL);
    return CREATED;
  }
  CHECK(ex == NULL);
  CHECK_ERROR(status, LAMBDA_EXECUTOR_ERR_IO, "os error ");
  return REFUSED;
}

static outcome_t outcome(const char *config, rlim_t room) {
  FILE *said = tmpfile();
  CHECK(said != NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    CHECK(dup2(fileno(said), STDERR_FILENO) == STDERR_FILENO);
    _exit(create_with_room(config, room));
  }
  int status = 0;
  WAIT_UNTIL(waitpid(child, &status, WNOHANG) == child);
  char text[4096];
  rewind(said);
  text[fread(text, 1, sizeof text - 1, said)] = '\0';
  fclose(said);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    CHECK_CONTAINS(text, "memory allocation of ");
    return ABORTED;
  }
  if (!WIFEXITED(status) || (WEXITSTATUS(status) != CREATED && WEXITSTATUS(status) != REFUSED))
    FAIL("room for %" PRIuMAX " KiB: status %x, %s", (uintmax_t)room >> 10, status, text);
  return (outcome_t)WEXITSTATUS(status);
}

int main(void) {
  static const char *const configs[] = {BUILTIN, AWS};
  static const rlim_t mebibytes[] = {0, 1, 2, 4, 8, 12, 16, 24, 48, 64, 128, 256};
  for (size_t of = 0; of < 2; of++) {
    for (size_t at = 0; at < sizeof mebibytes / sizeof *mebibytes; at++)
      if (outcome(configs[of], mebibytes[at] << 20) == ABORTED && mebibytes[at] >= 16)
        FAIL("configuration %zu: aborted with room for %u MiB", of, (unsigned)mebibytes[at]);
    CHECK_INT(outcome(configs[of], (rlim_t)4 << 30), CREATED);
  }
  return 0;
}
