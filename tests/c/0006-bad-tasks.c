/* An invalid task is rejected with an error that names the problem and the key; nothing is queued.
 */
#include "test.h"

static lambda_executor_t *ex;

static void refuse(lambda_executor_task_t bad, lambda_executor_status_t status, const char *part) {
  lambda_executor_error_t *err = NULL;
  CHECK_ERROR(lambda_executor_queue(ex, &bad, &err), status, part);
}

static void invalid(lambda_executor_task_t bad, const char *part) {
  refuse(bad, LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, part);
}

static void invalid_command(const char *json, const char *part) {
  lambda_executor_task_t bad = task("a key");
  bad.command_json = text(json);
  invalid(bad, part);
  invalid(bad, "a key");
}

int main(void) {
  ex = start("{\"local\": {\"handler\": \"builtin\"}, \"max_payload_bytes\": 2000}");
  lambda_executor_task_t bad = task("");
  invalid(bad, "key");
  bad.key = bytes(NULL, 0);
  invalid(bad, "key");
  bad.key = bytes(NULL, 3);
  invalid(bad, "key");
  bad.key = text("a\xff");
  invalid(bad, "UTF-8");
  char *long_key = malloc(8193);
  memset(long_key, 'k', 8193);
  bad.key = bytes(long_key, 8193);
  invalid(bad, "8192");
  free(long_key);

  bad = task("a key");
  bad.command_json = bytes(NULL, 0);
  invalid(bad, "a key");
  const char *const words[] = {"true", NULL, "\xff"};
  bad.argv = words;
  bad.argc = 0;
  invalid(bad, "a key");
  bad.argc = 2;
  invalid(bad, "argv");
  bad.argc = 3;
  invalid(bad, "argv");
  bad.argv = NULL;
  bad.argc = 1;
  invalid(bad, "argv");
  bad = task("a key");
  bad.argv = words;
  bad.argc = 1;
  invalid(bad, "command_json");

  invalid_command("5", "is a number (allowed: a list of strings");
  invalid_command("null", "is null (allowed: ");
  invalid_command("{}", "is an object");
  invalid_command("[]", "is an empty list");
  invalid_command("[\"a\", 5]", "at index 1");
  invalid_command("[\"a\"", "command_json is not JSON: ");
  invalid_command("true", "true");

  bad = task("a key");
  bad.executor_config_json = text("[]");
  invalid(bad, "executor_config_json is a list (allowed: ");
  bad.executor_config_json = text("{");
  invalid(bad, "executor_config");
  bad = task("a key");
  bad.flags = 1;
  invalid(bad, "flags");
  bad = task("a key");
  bad.timeout_ms = -1;
  invalid(bad, "timeout_ms");
  bad = task("a key");
  bad.max_wait_ms = INT64_MIN;
  invalid(bad, "max_wait_ms");
  bad = task("a key");
  bad.queue = text("\xc3");
  invalid(bad, "UTF-8");

  char *long_command = malloc(3000);
  memset(long_command, 'c', 2999);
  long_command[0] = long_command[2998] = '"';
  long_command[2999] = '\0';
  bad = task("a key");
  bad.command_json = text(long_command);
  refuse(bad, LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE, "2000");
  refuse(bad, LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE, "a key");
  free(long_command);

  CHECK_INT(counts_of(ex).queued, 0);
  CHECK_INT(state_of(ex, "a key"), LAMBDA_EXECUTOR_TASK_UNKNOWN);
  queue(ex, task("a key"));
  expect_final(ex, "a key", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
  return 0;
}
