/* Callers built with an older or a newer header: a struct may be larger than the library's if the
 * unknown part is zero. */
#include "test.h"

typedef struct newer_task {
  lambda_executor_task_t known;
  uint64_t unknown;
} newer_task_t;

typedef struct newer_counts {
  lambda_executor_counts_t known;
  uint64_t unknown;
} newer_counts_t;

/* The struct of a caller that was compiled with the first version of the header. */
enum { FIRST_SIZE = 136 };

int main(void) {
  lambda_executor_t *ex = start(BUILTIN);
  lambda_executor_error_t *err = NULL;
  newer_task_t newer[2];
  memset(newer, 0, sizeof newer);
  for (int i = 0; i < 2; i++) {
    newer[i].known = task(i == 0 ? "first" : "second");
    newer[i].known.struct_size = sizeof(newer_task_t);
  }

  newer[0].unknown = 1;
  CHECK_ERROR(lambda_executor_queue(ex, &newer[0].known, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "does not know");
  newer[0].unknown = 0;

  /* In an array the caller's stride applies. */
  lambda_executor_status_t results[2] = {9, 9};
  size_t accepted = 0;
  CHECK_OK(lambda_executor_queue_batch(ex, &newer[0].known, 2, results, &accepted, NULL, &err));
  CHECK_INT(accepted, 2);
  expect_final(ex, "second", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  newer[0].known.key = text("third");
  CHECK_OK(lambda_executor_queue(ex, &newer[0].known, &err));

  lambda_executor_task_t older = task("older");
  older.struct_size = FIRST_SIZE;
  CHECK_OK(lambda_executor_queue(ex, &older, &err));
  older.key = text("of an earlier process");
  CHECK_OK(lambda_executor_adopt(ex, &older, 1, results, NULL, &err));
  CHECK_STATUS(results[0], LAMBDA_EXECUTOR_OK);

  const uint32_t wrong[] = {0, 4, FIRST_SIZE - 8, UINT32_MAX};
  for (size_t i = 0; i < 4; i++) { /* smaller than the first version, or unset */
    older.struct_size = wrong[i];
    CHECK_ERROR(lambda_executor_queue(ex, &older, &err), LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT,
                "struct_size");
    CHECK_ERROR(lambda_executor_queue_batch(ex, &older, 1, results, &accepted, NULL, &err),
                LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "struct_size");
    CHECK_ERROR(lambda_executor_adopt(ex, &older, 1, results, NULL, &err),
                LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "struct_size");
  }

  newer_counts_t counts;
  memset(&counts, 0, sizeof counts);
  counts.unknown = 7;
  counts.known.struct_size = sizeof counts;
  CHECK_STATUS(lambda_executor_counts(ex, &counts.known, NULL), LAMBDA_EXECUTOR_OK);
  CHECK_INT(counts.known.struct_size, sizeof counts);
  CHECK_INT(counts.unknown, 7); /* unchanged: the library writes only its own fields */
  for (size_t i = 0; i < 4; i++) {
    counts.known.struct_size = wrong[i] == FIRST_SIZE - 8 ? 8 : wrong[i];
    counts.unknown = 5;
    CHECK_STATUS(lambda_executor_counts(ex, &counts.known, NULL),
                 LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT);
    CHECK_INT(counts.unknown, 5);
  }
  lambda_executor_free(ex, NULL);
  return 0;
}
