// A stop_token ends one wait and no other.
#include "test.hpp"
#include <future>
#include <lambda_executor_future.hpp>

#ifdef __cpp_lib_jthread

int main() {
  le::executor ex(test::builtin);
  std::stop_source stop;
  auto stopped =
      std::async(std::launch::async, [&] { return le::sync(ex, stop.get_token()).size(); });
  auto other = std::async(std::launch::async, [&] { return ex.sync(test::deadline).size(); });
  CHECK(stopped.wait_for(50ms) == std::future_status::timeout);
  stop.request_stop();
  CHECK(stopped.wait_for(test::deadline) == std::future_status::ready);
  CHECK_EQ(stopped.get(), 0U);
  CHECK(other.wait_for(0s) == std::future_status::timeout);
  CHECK_EQ(ex.queue(test::builtin_task("a")), le::status::ok);
  CHECK(other.get() > 0);

  // Events, the time and the end of the executor end it too.
  CHECK_EQ(ex.queue(test::builtin_task("b")), le::status::ok);
  le::events batch = le::sync(ex, std::stop_token(), test::deadline, 1);
  CHECK_EQ(batch.size(), 1U);
  batch.ack();
  (void)test::final_of(ex, "b");
  CHECK_EQ(le::sync(ex, stop.get_token()).size(), 0U); // stopped before
  for (le::events rest; !(rest = le::sync(ex, std::stop_token(), 10ms)).empty();)
    rest.ack();
  ex.close();
  CHECK_THROWS(le::sync(ex, std::stop_token()), le::closed_error, le::status::err_closed, "closed");
}

#else

int main() {
}

#endif
