/* Commands in real function processes: their three forms, and every kind of end. */
#include "test.h"

static void expect(lambda_executor_t *ex, const char *key, int32_t reason, int code, int signal,
                   const char *output) {
  lambda_executor_batch_t *batch = final_batch(ex, key);
  const lambda_executor_event_t *event = lambda_executor_batch_event(batch, 0);
  CHECK_TEXT(lambda_executor_reason_name(event->reason), lambda_executor_reason_name(reason));
  CHECK_INT(event->state, code == 0 ? LAMBDA_EXECUTOR_TASK_SUCCEEDED : LAMBDA_EXECUTOR_TASK_FAILED);
  CHECK_INT(event->has_return_code, 1);
  CHECK_INT(event->return_code, code);
  CHECK_INT(event->signal, signal);
  CHECK_CONTAINS(event->output_tail.ptr, output);
  done_with(batch);
}

static lambda_executor_task_t shell(const char *key, const char *json) {
  lambda_executor_task_t one = task(key);
  one.command_json = text(json);
  return one;
}

int main(void) {
  lambda_executor_t *ex = start("{\"local\": {\"handler\": \"exec\", \"concurrency\": 1}}");
  const char *const words[] = {"printf", "%s|", "two words", "", "größer"};
  lambda_executor_task_t argv = task("argv");
  argv.command_json = bytes(NULL, 0);
  argv.argv = words;
  argv.argc = 5;
  queue(ex, argv);
  expect(ex, "argv", LAMBDA_EXECUTOR_REASON_EXIT, 0, 0, "two words||größer|");

  queue(ex, shell("list", "[\"echo\", \"$HOME\"]"));
  expect(ex, "list", LAMBDA_EXECUTOR_REASON_EXIT, 0, 0, "$HOME\n");
  queue(ex, shell("string", "\"echo $((40 + 2)); echo \\\"\\u00fc\\\"\""));
  expect(ex, "string", LAMBDA_EXECUTOR_REASON_EXIT, 0, 0, "42\nü\n");
  queue(ex, shell("exit", "\"exit 3\""));
  expect(ex, "exit", LAMBDA_EXECUTOR_REASON_EXIT, 3, 0, "");
  queue(ex, shell("killed", "\"echo before; kill -9 $$\""));
  expect(ex, "killed", LAMBDA_EXECUTOR_REASON_SIGNAL, -9, 9, "before\n");
  queue(ex, shell("missing", "[\"/no/such/program\"]"));
  expect(ex, "missing", LAMBDA_EXECUTOR_REASON_EXIT, 127, 0, "");
  queue(ex, shell("bytes", "\"printf 'a\\\\377b'\""));
  expect(ex, "bytes", LAMBDA_EXECUTOR_REASON_EXIT, 0, 0,
         "a\xef\xbf\xbd"
         "b");

  lambda_executor_task_t slow = shell("slow", "[\"sleep\", \"60\"]");
  slow.timeout_ms = 300;
  queue(ex, slow);
  expect(ex, "slow", LAMBDA_EXECUTOR_REASON_TIMEOUT, 124, 15, "");

  queue(ex, shell("value", "\"printf 'x\\\\0y' > $LAMBDA_EXECUTOR_RESULT_FILE\""));
  lambda_executor_batch_t *batch = final_batch(ex, "value");
  lambda_executor_str_t value = lambda_executor_batch_event(batch, 0)->value;
  CHECK_INT(value.len, 3);
  CHECK(memcmp(value.ptr, "x\0y", 3) == 0);
  done_with(batch);
  lambda_executor_free(ex, NULL);
  return 0;
}
