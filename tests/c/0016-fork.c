/* After fork the child can only free the parent's executor, and can create its own. The parent is
 * not affected. */
#include "test.h"
#include <sys/wait.h>
#include <unistd.h>

#define FORKED LAMBDA_EXECUTOR_ERR_FORKED

static void in_child(lambda_executor_t *ex, lambda_executor_batch_t *parents) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_batch_t *batch = NULL;
  lambda_executor_task_t one = task("one");
  lambda_executor_str_t key = text("one");
  lambda_executor_task_state_t state;
  lambda_executor_counts_t counts = {0};
  uint64_t seq = 1;
  size_t needed;
  counts.struct_size = sizeof counts;
  CHECK_ERROR(lambda_executor_queue(ex, &one, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_queue_batch(ex, &one, 1, NULL, NULL, NULL, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_sync(ex, -1, 0, &batch, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_ack(ex, &seq, 1, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_state(ex, "one", 3, &state, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_describe(ex, "one", 3, NULL, 0, &needed, &err), FORKED, "");
  CHECK_STATUS(lambda_executor_counts(ex, &counts, NULL), FORKED);
  CHECK_ERROR(lambda_executor_cancel(ex, &key, 1, NULL, NULL, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_adopt(ex, &one, 1, NULL, NULL, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_drain(ex, 0, -1, NULL, &err), FORKED, "");
  CHECK_STATUS(lambda_executor_close(ex), FORKED);
  CHECK_INT(wakeup_status(ex), FORKED);
  CHECK_STATUS(lambda_executor_wake(ex), FORKED);
  CHECK_ERROR(lambda_executor_check_health(ex, -1, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_set_credentials(ex, "{}", 2, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_stats(ex, NULL, 0, &needed, &err), FORKED, "");
  CHECK_ERROR(lambda_executor_set_log_callback(ex, NULL, NULL, 0, &err), FORKED, "");
  CHECK_TEXT(lambda_executor_batch_event(parents, 0)->key.ptr, "before");
  lambda_executor_batch_free(parents);
  lambda_executor_free(ex, NULL);

  lambda_executor_t *own = start(BUILTIN);
  queue(own, task("of the child"));
  expect_final(own, "of the child", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(own, NULL);
}

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  queue(ex, task("before"));
  lambda_executor_batch_t *batch = final_batch(ex, "before");
  queue_builtin(ex, "meanwhile", "{\"duration_ms\": 200}");
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    in_child(ex, batch);
    /* Not _exit: valgrind would report the parent's memory in the child, where free does not
     * release it. */
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
  }
  int status = -1;
  CHECK_INT(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_INT(WEXITSTATUS(status), 0);
  lambda_executor_batch_free(batch);
  expect_final(ex, "meanwhile", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
  return 0;
}
