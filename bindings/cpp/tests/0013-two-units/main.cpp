// The header in two files of one program, of which the other is compiled without exceptions:
// everything in it is inline, both see the same types, and the exceptions of a callback are caught
// in the file that set it, whichever file the linker took the other functions from.
#include "other.hpp"

// A callback that may throw replaces one of the other file, and is replaced by it.
static void callbacks(le::executor &ex) {
  std::atomic<int> thrown{0}, elsewhere{0};
  int tasks = 0;
  const auto log_something = [&] {
    CHECK_EQ(ex.queue(test::builtin_task(std::to_string(tasks++))), le::status::ok);
  };
  CHECK_EQ(log_elsewhere(ex, elsewhere), le::status::ok);
  WAIT_UNTIL((log_something(), elsewhere > 0));
  ex.set_log_callback(
      [&](const le::log_record &) {
        thrown++;
        throw std::runtime_error("of the host");
      },
      le::log_level::trace);
  WAIT_UNTIL((log_something(), thrown > 1));
  CHECK_EQ(log_elsewhere(ex, elsewhere), le::status::ok);
  const int before = elsewhere;
  WAIT_UNTIL((log_something(), elsewhere > before));
  ex.set_log_callback(nullptr);
}

int main() {
  le::executor ex(test::builtin);
  le::failure why;
  CHECK_EQ(queue_elsewhere(ex, test::builtin_task("k").tag(5), why), le::status::ok);
  const le::events batch = test::final_of(ex, "k");
  CHECK_EQ(batch[0].tag(), 5U);
  CHECK_EQ(queue_elsewhere(ex, test::builtin_task(""), why), le::status::err_invalid_argument);
  CHECK_THROWS(ex.queue(test::builtin_task("")), le::invalid_argument_error,
               le::status::err_invalid_argument, "key");
  callbacks(ex);
}
