/* Version, names of all numbers and options: available without an executor. */
#include "test.h"

static const struct {
  int32_t number;
  const char *name;
} STATUSES[] = {{0, "OK"},
                {1, "TIMED_OUT"},
                {2, "INTERRUPTED"},
                {3, "QUEUE_FULL"},
                {4, "DUPLICATE"},
                {5, "NOT_FOUND"},
                {6, "BUFFER_TOO_SMALL"},
                {-1, "ERR_INVALID_ARGUMENT"},
                {-2, "ERR_INVALID_CONFIG"},
                {-3, "ERR_CLOSED"},
                {-4, "ERR_FORKED"},
                {-5, "ERR_PANIC"},
                {-6, "ERR_CREDENTIALS"},
                {-7, "ERR_AWS"},
                {-8, "ERR_IO"},
                {-9, "ERR_JOURNAL"},
                {-10, "ERR_UNSUPPORTED"},
                {-11, "ERR_PAYLOAD_TOO_LARGE"},
                {7, "PARTIAL"},
                {8, "unknown"},
                {-12, "unknown"},
                {INT32_MAX, "unknown"},
                {INT32_MIN, "unknown"}};

static const char *const STATES[] = {"unknown",   "queued", "submitting", "running",
                                     "succeeded", "failed", "cancelled",  "lost"};

static const char *const REASONS[] = {"none",
                                      "exit",
                                      "signal",
                                      "timeout",
                                      "expired",
                                      "dead_letter",
                                      "invoke_failed",
                                      "lost",
                                      "never_invoked",
                                      "abandoned",
                                      "setup_failed",
                                      "bad_event",
                                      "reply_to_refused",
                                      "bad_result",
                                      "value_too_large"};

int main(void) {
  CHECK_INT(lambda_executor_version(), LAMBDA_EXECUTOR_VERSION);
  CHECK_INT(lambda_executor_abi_version(), LAMBDA_EXECUTOR_ABI_VERSION);
  char version[32];
  snprintf(version, sizeof version, "%u.%u.%u", LAMBDA_EXECUTOR_VERSION / 1000000,
           LAMBDA_EXECUTOR_VERSION / 1000 % 1000, LAMBDA_EXECUTOR_VERSION % 1000);
  CHECK_TEXT(lambda_executor_version_string(), version);

  for (size_t i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++)
    CHECK_TEXT(lambda_executor_status_name(STATUSES[i].number), STATUSES[i].name);
  CHECK_TEXT(lambda_executor_status_string(LAMBDA_EXECUTOR_OK), "success");
  CHECK_CONTAINS(lambda_executor_status_string(LAMBDA_EXECUTOR_DUPLICATE), "the key");
  CHECK_TEXT(lambda_executor_status_string(8), "unknown status");
  for (int32_t i = 0; i < (int32_t)(sizeof STATES / sizeof STATES[0]); i++)
    CHECK_TEXT(lambda_executor_task_state_name(i), STATES[i]);
  CHECK_TEXT(lambda_executor_task_state_name(8), "unknown");
  CHECK_TEXT(lambda_executor_task_state_name(-1), "unknown");
  for (int32_t i = 0; i < (int32_t)(sizeof REASONS / sizeof REASONS[0]); i++)
    CHECK_TEXT(lambda_executor_reason_name(i), REASONS[i]);
  CHECK_TEXT(lambda_executor_reason_name(15), "unknown");
  CHECK_TEXT(lambda_executor_reason_name(-1), "unknown");

  const char *schema = lambda_executor_config_schema();
  CHECK_INT(schema[0], '{');
  CHECK_CONTAINS(schema, "\"max_queued_tasks\"");
  CHECK(schema == lambda_executor_config_schema());
  return 0;
}
