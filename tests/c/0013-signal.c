/* A signal that the host handles ends a wait with INTERRUPTED, even with SA_RESTART. */
#include "test.h"
#include <pthread.h>
#include <signal.h>

static lambda_executor_t *ex;
static int ended;
static volatile sig_atomic_t signals;

static void on_signal(int signal) {
  (void)signal;
  signals++;
}

static void on_signal_wake(int signal) {
  (void)signal;
  lambda_executor_wake(ex);
}

static void *wait_for_ever(void *unused) {
  lambda_executor_batch_t *batch = NULL;
  (void)unused;
  CHECK_STATUS(lambda_executor_sync(ex, -1, 0, &batch, NULL), LAMBDA_EXECUTOR_INTERRUPTED);
  __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void interrupt_with(void (*handler)(int)) {
  struct sigaction action;
  pthread_t thread;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
  ended = 0;
  CHECK_INT(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
  /* Repeated, since the first signal may arrive before the wait. */
  WAIT_UNTIL((pthread_kill(thread, SIGUSR1), __atomic_load_n(&ended, __ATOMIC_SEQ_CST)));
  pthread_join(thread, NULL);
}

int main(void) {
  ex = start(BUILTIN);
  interrupt_with(on_signal);
  CHECK(signals > 0);
  interrupt_with(on_signal_wake);
  signal(SIGUSR1, SIG_DFL);
  queue(ex, task("after"));
  expect_final(ex, "after", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
  return 0;
}
