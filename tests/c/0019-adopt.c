/* Adopted tasks count as running without a RUNNING event, and can be cancelled. A known key is
 * DUPLICATE. */
#include "test.h"

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  lambda_executor_task_t orphans[3] = {task("orphan"), task("orphan"), task("")};
  lambda_executor_status_t results[3] = {9, 9, 9};
  orphans[0].tag = 7;
  CHECK_STATUS(lambda_executor_adopt(ex, orphans, 3, results, &err, &err), LAMBDA_EXECUTOR_PARTIAL);
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(results[1], LAMBDA_EXECUTOR_DUPLICATE);
  CHECK_STATUS(results[2], LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(lambda_executor_error_cstr(err), "key");
  lambda_executor_error_free(err);
  err = NULL;
  CHECK_INT(state_of(ex, "orphan"), LAMBDA_EXECUTOR_TASK_RUNNING);
  CHECK_INT(counts_of(ex).running, 1);
  CHECK_STATUS(lambda_executor_queue(ex, &orphans[0], &err), LAMBDA_EXECUTOR_DUPLICATE);

  lambda_executor_str_t key = text("orphan");
  CHECK_OK(lambda_executor_cancel(ex, &key, 1, results, NULL, &err));
  lambda_executor_batch_t *batch = next_batch(ex, 0);
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  CHECK_INT(lambda_executor_batch_len(batch), 1);
  CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_CANCELLED);
  CHECK_INT(event->tag, 7);
  done_with(batch);

  /* With an attempt id, only results of that submission count. An invalid id is rejected. */
  static const char *const ids[3] = {"11111111-1111-4111-9111-111111111111",
                                     "11111111-1111-4111-9111-111111111111", "7"};
  lambda_executor_task_t known[3] = {task("known"), task("the same"), task("malformed")};
  for (int i = 0; i < 3; i++)
    known[i].attempt_id = text(ids[i]);
  CHECK_STATUS(lambda_executor_adopt(ex, known, 3, results, &err, &err), LAMBDA_EXECUTOR_PARTIAL);
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(results[1], LAMBDA_EXECUTOR_DUPLICATE);
  CHECK_STATUS(results[2], LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
  CHECK_CONTAINS(lambda_executor_error_cstr(err), "task `malformed`: attempt_id");
  lambda_executor_error_free(err);
  err = NULL;
  key = text("known");
  CHECK_OK(lambda_executor_cancel(ex, &key, 1, results, NULL, &err));
  batch = final_batch(ex, "known");
  CHECK_TEXT(lambda_executor_batch_event(batch, 0)->attempt_id.ptr, ids[0]);
  done_with(batch);

  /* Every event of a submitted task has its attempt id. */
  queue(ex, task("ours"));
  batch = next_batch(ex, 1);
  lambda_executor_batch_t *last = final_batch(ex, "ours");
  event = lambda_executor_batch_event(batch, 0);
  CHECK_INT(event->state, LAMBDA_EXECUTOR_TASK_RUNNING);
  CHECK_INT(event->attempt_id.len, 36);
  CHECK_TEXT(lambda_executor_batch_event(last, 0)->attempt_id.ptr, event->attempt_id.ptr);
  done_with(batch);
  done_with(last);

  /* The host may choose the attempt id. */
  char id[LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE];
  lambda_executor_task_t named = task("named");
  CHECK_OK(lambda_executor_new_attempt_id(id));
  named.attempt_id = text(id);
  queue(ex, named);
  last = final_batch(ex, "named");
  CHECK_TEXT(lambda_executor_batch_event(last, 0)->attempt_id.ptr, id);
  done_with(last);

  CHECK_STATUS(lambda_executor_drain(ex, 0, -1, NULL, &err), LAMBDA_EXECUTOR_OK);
  CHECK_STATUS(lambda_executor_adopt(ex, orphans, 1, results, &err, &err), LAMBDA_EXECUTOR_PARTIAL);
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_ERR_CLOSED);
  lambda_executor_error_free(err);
  lambda_executor_free(ex, NULL);
  return 0;
}
