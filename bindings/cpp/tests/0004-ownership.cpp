// Handles move and do not copy, are destroyed in any order, and calls on empty ones fail.
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
               "the executor is empty");
  CHECK_THROWS(ex.wakeup_fd(), le::invalid_argument_error, le::status::err_invalid_argument, "");
  CHECK_EQ(ex.free(), 0U);
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
  empty_executor(first); // NOLINT: the state after the move is the test
  CHECK(second.native_handle() == handle);
  le::executor &same = second;
  second = std::move(same);
  CHECK(second.native_handle() == handle);

  first = le::executor(test::builtin);
  second = std::move(first); // frees the previous one
  CHECK(second.native_handle() != nullptr);
  std::swap(first, second);
  CHECK_EQ(first.queue(test::builtin_task("k")), le::status::ok);
  CHECK_EQ(test::final_of(first, "k").size(), 1U);

  // A failed creation changes nothing.
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

// Destroying events or assigning to them does not acknowledge: they are handed out again.
static void acknowledge() {
  le::executor ex(test::builtin);
  CHECK_EQ(ex.queue(test::builtin_task("k")), le::status::ok);
  std::uint64_t seq = 0;
  {
    const le::events batch = test::final_of(ex, "k");
    seq = batch[0].seq();
    CHECK_EQ(ex.counts().unacknowledged, 1U);
  }
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  CHECK_EQ(ex.counts().waiting_events, 1U);

  le::events batch = ex.sync(0s);
  CHECK_EQ(batch[0].seq(), seq);
  batch = le::events();
  CHECK_EQ(ex.counts().waiting_events, 1U);
  le::failure why;
  CHECK_EQ(ex.sync(0s, 0, batch, why), le::status::ok);
  CHECK_EQ(ex.sync(0s, 0, batch, why), le::status::ok); // frees it, and hands it out again
  CHECK_EQ(batch[0].seq(), seq);

  batch.ack();
  batch.ack(); // a second call does nothing
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  batch = le::events();
  CHECK_EQ(ex.counts().waiting_events, 0U);
  batch.ack(); // nor one for no events
}

// Events that outlive their executor can be passed, and cannot be acknowledged any more.
static void acknowledge_after_free() {
  le::executor ex(test::builtin);
  CHECK_EQ(ex.queue(test::builtin_task("k")), le::status::ok);
  le::events batch = test::final_of(ex, "k");
  le::events moved = std::move(batch);
  CHECK_EQ(ex.free(), 0U);
  int seen = 0;
  for (const le::event event : moved)
    seen += event.is_final();
  CHECK_EQ(seen, 1);
  le::failure why;
  CHECK_EQ(moved.ack(why), le::status::err_closed);
  CHECK_THROWS(moved.ack(), le::closed_error, le::status::err_closed, "");
}

// `free` reports the tasks that were never submitted.
static void dropped() {
  le::executor ex(R"({"log": "off", "max_running_tasks": 1, "shutdown_grace_ms": 0,
                      "local": {"handler": "builtin"}})");
  CHECK_EQ(ex.queue(test::builtin_task("runs", R"({"duration_ms": 600000})")), le::status::ok);
  WAIT_UNTIL(ex.state("runs") == le::task_state::running);
  CHECK_EQ(ex.queue(test::builtin_task("waits")), le::status::ok);
  CHECK_EQ(ex.queue(test::builtin_task("waits too")), le::status::ok);
  CHECK_EQ(ex.free(), 2U);
  CHECK(ex.native_handle() == nullptr);
  CHECK_EQ(ex.free(), 0U);
}

int main() {
  executors();
  outlive();
  acknowledge();
  acknowledge_after_free();
  dropped();
}
