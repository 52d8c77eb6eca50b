// Durations of any kind become milliseconds, rounded up; a deadline that has passed does not wait.
#include "test.hpp"
#include <cmath>

static_assert(le::timeout(0s).ms() == 0);
static_assert(le::timeout(1ms).ms() == 1);
static_assert(le::timeout(1ns).ms() == 1);
static_assert(le::timeout(999999ns).ms() == 1);
static_assert(le::timeout(1000001ns).ms() == 2);
static_assert(le::timeout(2min).ms() == 120000);
static_assert(le::timeout(std::chrono::duration<double>(0.0015)).ms() == 2);
static_assert(le::timeout(std::chrono::duration<double>(0.1)).ms() == 100);
static_assert(le::timeout(std::chrono::duration<double>(0.1 + 0.2)).ms() == 300);
static_assert(le::timeout(std::chrono::duration<float>(0.1F)).ms() == 100);
static_assert(le::timeout(std::chrono::duration<double, std::nano>(1e-3)).ms() == 1);
static_assert(le::timeout(std::chrono::duration<double>(1e300)).ms() == INT64_MAX);
static_assert(le::timeout(std::chrono::duration<float, std::ratio<60>>(0.5F)).ms() == 30000);
static_assert(le::timeout(std::chrono::milliseconds::max()).ms() == INT64_MAX);
static_assert(le::timeout(std::chrono::hours::max()).ms() == INT64_MAX);
static_assert(le::timeout(std::chrono::nanoseconds::max()).ms() == 9223372036855);
static_assert(le::timeout(std::chrono::nanoseconds(9223372036854000001)).ms() == 9223372036855);
static_assert(le::timeout(std::chrono::duration<int, std::ratio<1, 30>>(1)).ms() == 34);
static_assert(le::timeout(std::chrono::duration<int, std::ratio<1, 30>>(31)).ms() == 1034);
static_assert(le::timeout(std::chrono::duration<unsigned char>(255)).ms() == 255000);
static_assert(le::timeout(std::chrono::duration<std::uint64_t, std::nano>(UINT64_MAX)).ms() ==
              INT64_MAX);

// Negative durations do not wait.
static_assert(le::timeout(-1ms).ms() == 0);
static_assert(le::timeout(-1ns).ms() == 0);
static_assert(le::timeout(std::chrono::hours::min()).ms() == 0);

// Waits without limit have a name.
static_assert(le::forever.ms() == -1);
static_assert(le::configured.ms() == LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED);
static_assert(!std::is_convertible_v<int, le::timeout>);

static std::int64_t limit_of(const le::task &task) {
  CHECK_EQ(task.native().timeout_ms, task.native().max_wait_ms);
  CHECK_EQ(task.native().timeout_ms, task.native().result_timeout_ms);
  return task.native().timeout_ms;
}

int main() {
  const auto nothing = std::chrono::duration<double>(std::nan(""));
  CHECK_EQ(le::timeout(nothing).ms(), 0);

  // For limits of a task 0 means no limit: neither a short time nor a negative one may become 0.
  CHECK_EQ(limit_of(le::task("k").timeout(0s).max_wait(0s).result_timeout(0s)), 0);
  CHECK_EQ(limit_of(le::task("k").timeout(1ns).max_wait(1us).result_timeout(1ms)), 1);
  CHECK_EQ(limit_of(le::task("k").timeout(-1ns).max_wait(-1ms).result_timeout(-1us)), -1);
  CHECK_EQ(limit_of(le::task("k").timeout(-5s).result_timeout(-5s).max_wait(
               std::chrono::duration<double>(-4.9999))),
           -5000);
  CHECK_EQ(limit_of(le::task("k")
                        .result_timeout(std::chrono::hours::min())
                        .timeout(std::chrono::hours::min())
                        .max_wait(std::chrono::duration<double>(-1e300))),
           -INT64_MAX);
  le::executor ex(test::builtin);
  CHECK_THROWS(ex.queue(le::task("k").shell("true").timeout(-1s)), le::invalid_argument_error,
               le::status::err_invalid_argument, "-1000");

  CHECK_THROWS(ex.queue(le::task("k").shell("true").result_timeout(-1s)),
               le::invalid_argument_error, le::status::err_invalid_argument, "-1000");

  // The library accepts every rounded value: a wait of any length ends with an event.
  CHECK_EQ(ex.queue(le::task("k").shell("true").timeout(std::chrono::hours(1))), le::status::ok);
  for (const le::timeout wait : {le::timeout(std::chrono::hours::max()), le::forever}) {
    le::events batch = ex.sync(wait, 1);
    CHECK_EQ(batch.status(), le::status::ok);
    batch.ack();
  }
  const auto before = std::chrono::steady_clock::now();
  CHECK_EQ(ex.sync(1ns).status(), le::status::timed_out);
  CHECK(std::chrono::steady_clock::now() - before >= 1ms);
}
