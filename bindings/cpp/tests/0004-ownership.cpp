// Handles move and do not copy, are destroyed in any order, and empty ones refuse calls instead of
// crashing.
#include "test.hpp"
#include <memory>

template <class T>
constexpr bool is_handle =
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
    std::is_nothrow_default_constructible_v<T> && !std::is_copy_constructible_v<T> &&
    !std::is_copy_assignable_v<T>;
static_assert(is_handle<le::executor>);
static_assert(is_handle<le::events>);
static_assert(is_handle<le::failure>);
static_assert(std::is_nothrow_swappable_v<le::executor>);
static_assert(std::is_trivially_copyable_v<le::event>);

static void empty_executor(le::executor &ex) {
  le::failure why;
  CHECK(ex.native_handle() == nullptr);
  CHECK_EQ(ex.queue(le::task("k"), why), le::status::err_invalid_argument);
  CHECK(why);
  CHECK_EQ(ex.wake(), le::status::err_invalid_argument);
  CHECK_EQ(ex.close(), le::status::err_invalid_argument);
  CHECK_THROWS(ex.counts(), le::invalid_argument_error, le::status::err_invalid_argument,
               "ERR_INVALID_ARGUMENT");
  CHECK_THROWS(ex.wakeup_fd(), le::invalid_argument_error, le::status::err_invalid_argument, "");
  CHECK_THROWS(ex.set_log_callback([](const le::log_record &) {}), le::invalid_argument_error,
               le::status::err_invalid_argument, "");
}

static void executors() {
  le::executor empty;
  empty_executor(empty);

  le::executor first(test::builtin);
  lambda_executor_t *const handle = first.native_handle();
  CHECK(handle != nullptr);
  le::executor second(std::move(first));
  empty_executor(first); // NOLINT: what is left of it is what is looked at
  CHECK(second.native_handle() == handle);
  le::executor &same = second;
  second = std::move(same);
  CHECK(second.native_handle() == handle);

  first = le::executor(test::builtin);
  second = std::move(first); // frees the one that was there
  CHECK(second.native_handle() != nullptr);
  std::swap(first, second);
  CHECK_EQ(first.queue(test::builtin_task("k")), le::status::ok);
  CHECK_EQ(test::final_of(first, "k").size(), 1U);

  // One that cannot be created leaves what is there.
  lambda_executor_t *const kept = first.native_handle();
  le::failure why;
  CHECK_EQ(le::executor::create("{", first, why), le::status::err_invalid_config);
  CHECK(first.native_handle() == kept);
  CHECK_EQ(le::executor::create(test::builtin, first, why), le::status::ok);
  CHECK(first.native_handle() != nullptr);
}

static void outlive() {
  le::events batch;
  le::failure why;
  {
    le::executor ex(test::builtin);
    CHECK_EQ(ex.queue(test::builtin_task("outlives its executor")), le::status::ok);
    batch = test::final_of(ex, "outlives its executor");
    CHECK_EQ(ex.queue(le::task(""), why), le::status::err_invalid_argument);
  }
  CHECK_EQ(batch[0].key(), "outlives its executor");
  CHECK_CONTAINS(why.message(), "key");

  le::events taken(std::move(batch));
  CHECK(batch.empty()); // NOLINT
  CHECK(batch.begin() == batch.end());
  CHECK(batch.native_handle() == nullptr);
  CHECK_EQ(taken.size(), 1U);
  le::events &same = taken;
  taken = std::move(same);
  CHECK_EQ(taken[0].key(), "outlives its executor");

  const le::failure other = std::move(why);
  CHECK(!why); // NOLINT
  CHECK_EQ(why.status(), le::status::ok);
  CHECK_EQ(why.message(), "");
  CHECK_EQ(other.status(), le::status::err_invalid_argument);
}

// Destroying events is what acknowledges them, and so is assigning to them.
static void acknowledge() {
  le::executor ex(test::builtin);
  CHECK_EQ(ex.queue(test::builtin_task("k")), le::status::ok);
  {
    const le::events batch = test::final_of(ex, "k");
    CHECK_EQ(ex.counts().unacknowledged, 1U);
  }
  CHECK_EQ(ex.counts().unacknowledged, 0U);

  CHECK_EQ(ex.queue(test::builtin_task("l")), le::status::ok);
  le::events batch = test::final_of(ex, "l");
  CHECK_EQ(ex.counts().unacknowledged, 1U);
  batch = le::events();
  CHECK_EQ(ex.counts().unacknowledged, 0U);
}

int main() {
  executors();
  outlive();
  acknowledge();
}
