// Messages name members of this header, and no field, function or constant of the C API.
#include "test.hpp"

static void check_words(std::string_view message) {
  CHECK(!message.empty());
  for (const char *c :
       {"argv", "argc", "_json", "_ms", "NULL", "lambda_executor_", "LAMBDA_EXECUTOR_"})
    if (message.find(c) != std::string_view::npos &&
        message.find("command_json)") == std::string_view::npos)
      FAIL('"' << c << "\" in \"" << message << '"');
}

#define CHECK_SAYS(status, call, part)                                                             \
  do {                                                                                             \
    CHECK_EQ(call, status);                                                                        \
    CHECK_CONTAINS(why.message(), part);                                                           \
    check_words(why.message());                                                                    \
  } while (0)

int main() {
  const auto wrong = le::status::err_invalid_argument;
  le::failure why;
  le::executor ex(test::builtin), empty;
  const auto task = [] { return le::task("k").shell("true"); };
  CHECK_SAYS(wrong, ex.queue(le::task("k"), why),
             "task `k`: has no command (call command, shell or command_json)");
  CHECK_SAYS(wrong, ex.queue(le::task("k").command({}), why),
             "task `k`: the command is an empty list");
  CHECK_SAYS(wrong, ex.queue(task().timeout(-1s), why), "task `k`: the timeout in ms is -1000");
  CHECK_SAYS(wrong, ex.queue(task().max_wait(-1s), why), "max_wait in ms is -1000");
  CHECK_SAYS(wrong, ex.queue(task().result_timeout(-1s), why), "result_timeout in ms is -1000");
  CHECK_SAYS(wrong, ex.queue(task().executor_config("[]"), why),
             "task `k`: executor_config is a list");
  CHECK_SAYS(wrong, ex.queue(task().attempt_id("no id"), why), "one from new_attempt_id");
  CHECK_SAYS(wrong, ex.queue(le::task(""), why), "key is empty");
  CHECK_SAYS(wrong, empty.queue(task(), why), "the executor is empty");
  le::task_counts counts;
  CHECK_SAYS(wrong, empty.counts(counts, why), "the executor is empty");
  CHECK_THROWS(empty.queue(task()), le::invalid_argument_error, wrong, "the executor is empty");
  CHECK_THROWS(ex.queue(le::task("k")), le::invalid_argument_error, wrong, "(call command, shell");
  le::events none;
  CHECK_SAYS(wrong, ex.sync(le::configured, 0, none, why), "timeout");
  std::uint64_t remaining = 0;
  CHECK_SAYS(wrong, ex.drain(le::drain_mode{7}, 0s, remaining, why), "drain_mode::cancel_queued");
  le::results each;
  CHECK_EQ(ex.queue_batch({le::task("k")}, each), le::status::partial);
  check_words(each.first_failure().message());
  const std::vector<std::string> keys(LAMBDA_EXECUTOR_MAX_BATCH + 1);
  CHECK_EQ(ex.cancel_batch(keys, each), wrong);
  CHECK_CONTAINS(each.first_failure().message(), "the number of entries is 1000001");
  le::executor other;
  CHECK_SAYS(le::status::err_invalid_config,
             le::executor::create(R"({"ack": "auto", "local": {}})", other, why),
             "call events::ack or executor::ack");
  // A key is not changed, and the next failure has a message of its own.
  CHECK_EQ(ex.queue(le::task("command_json is NULL"), why), wrong);
  CHECK_CONTAINS(why.message(), "task `command_json is NULL`: has no command");
  CHECK_EQ(ex.queue(task(), why), le::status::ok);
  CHECK(!why && why.message().empty());
  for (int status = -11; status <= 7; status++)
    check_words(le::describe(le::status{status}));
}
