// Statuses are error codes. Names and events work with streams and, if available, std::format.
#include "test.hpp"
#include <sstream>

template <class T> static std::string written(const T &value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

static void error_codes() {
  const std::error_code none = le::status::ok, full = le::status::queue_full;
  CHECK(!none && full);
  CHECK_EQ(std::string_view(full.category().name()), "lambda_executor");
  CHECK_EQ(full.message(), le::describe(le::status::queue_full));
  CHECK(full == le::status::queue_full && full != le::status::duplicate);
  CHECK(make_error_code(le::status::timed_out) == std::errc::timed_out);
  CHECK(make_error_code(le::status::interrupted) == std::errc::interrupted);
  CHECK(make_error_code(le::status::err_invalid_argument) == std::errc::invalid_argument);
  CHECK(make_error_code(le::status::err_closed) != std::errc::invalid_argument);
  CHECK_EQ(std::error_code(le::status{99}).message(), "unknown status");
  le::failure why;
  CHECK(!why.code());
  le::executor empty;
  le::task_counts counts;
  const le::status done = empty.counts(counts, why);
  CHECK(why.code() == done && done == le::status::err_invalid_argument);
  try {
    (void)empty.counts();
    FAIL("nothing thrown");
  } catch (const le::error &error) {
    CHECK(error.code() == le::status::err_invalid_argument);
    CHECK(std::system_error(error.code()).code() == std::errc::invalid_argument);
  }
}

static void names() {
  CHECK_EQ(written(le::status::err_closed), "ERR_CLOSED");
  CHECK_EQ(written(le::task_state::succeeded), "succeeded");
  CHECK_EQ(written(le::reason::dead_letter), "dead_letter");
  CHECK_EQ(written(le::log_level::trace), "trace");
  CHECK_EQ(written(le::log_level{77}), "unknown");
  CHECK_EQ(written(le::log_level{-1}), "unknown");
}

static void events() {
  le::executor ex(test::builtin);
  CHECK_EQ(ex.queue(test::builtin_task("a", R"({"return_code": 3})")), le::status::ok);
  le::events running = ex.sync(test::deadline, 1);
  CHECK_EQ(written(running[0]), "a: running");
  running.ack();
  const le::events batch = test::final_of(ex, "a");
  CHECK_EQ(written(batch[0]), "a: failed (exit, return code 3)");
  CHECK_EQ(written(batch[0].to_owned()), "a: failed (exit, return code 3)");
#ifdef __cpp_lib_format
  CHECK_EQ(std::format("{:>8}|{}|{}", le::task_state::failed, le::status::ok, le::log_level::off),
           "  failed|OK|off");
  CHECK_EQ(std::format("{}", batch[0]), "a: failed (exit, return code 3)");
  CHECK_EQ(std::format("{}", batch[0].to_owned()), "a: failed (exit, return code 3)");
#endif
}

int main() {
  error_codes();
  names();
  events();
}
