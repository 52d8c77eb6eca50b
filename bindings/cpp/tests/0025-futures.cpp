// A runner returns a future for each task, passes on the events of other tasks, and ends without
// waiting.
#include "test.hpp"
#include <atomic>
#include <lambda_executor_future.hpp>

using futures = std::vector<std::future<le::owned_event>>;

static le::owned_event got(std::future<le::owned_event> &future) {
  CHECK(future.wait_for(test::deadline) == std::future_status::ready);
  return future.get();
}

static le::task returning(int code, std::string_view key) {
  return test::builtin_task(key, R"({"return_code": )" + std::to_string(code) + "}");
}

// From several threads, each its own.
static void many() {
  le::executor ex(test::builtin);
  {
    le::task_runner runner(ex);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
      threads.emplace_back([&runner, t] {
        futures results;
        for (int i = 0; i < 25; i++)
          results.push_back(runner.run(returning(i, std::to_string(t) + "/" + std::to_string(i))));
        for (int i = 0; i < 25; i++) {
          const le::owned_event event = got(results[static_cast<std::size_t>(i)]);
          CHECK_EQ(event.key(), std::to_string(t) + "/" + std::to_string(i));
          CHECK_EQ(event.return_code().value_or(-1), i);
          CHECK_EQ(event.state(), i == 0 ? le::task_state::succeeded : le::task_state::failed);
        }
      });
    for (std::thread &each : threads)
      each.join();
  }
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  CHECK_EQ(ex.counts().waiting_events, 0U);
}

static void refused() {
  le::executor ex(
      R"({"max_queued_tasks": 1, "max_running_tasks": 1, "local": {"handler": "builtin"}})");
  le::task_runner runner(ex);
  const std::string id = le::new_attempt_id();
  const auto first =
      runner.run(test::builtin_task("a", R"({"duration_ms": 600000})").attempt_id(id));
  CHECK_THROWS(runner.run(returning(0, "a")), le::error, le::status::duplicate, "task `a`");
  CHECK_THROWS(runner.run(returning(0, "b").attempt_id(id)), le::error, le::status::duplicate,
               "task `b`");
  CHECK_THROWS(runner.run(le::task("c")), le::invalid_argument_error,
               le::status::err_invalid_argument, "no command");
  // There is room again once the first one was submitted.
  std::future<le::owned_event> second;
  const auto accepted = [&] {
    try {
      second = runner.run(returning(0, "d"));
      return true;
    } catch (const le::error &error) {
      CHECK_EQ(error.status(), le::status::queue_full);
      return false;
    }
  };
  WAIT_UNTIL(accepted());
  CHECK_THROWS(runner.run(returning(0, "e")), le::error, le::status::queue_full,
               "max_queued_tasks");
}

static void others() {
  le::executor ex(R"({"running_events": false, "local": {"handler": "builtin"}})");
  std::atomic<int> seen{0};
  {
    le::task_runner runner(ex, [&](const le::event &event) {
      CHECK_EQ(event.key(), "other");
      seen++;
    });
    CHECK_EQ(ex.queue(returning(0, "other")), le::status::ok);
    auto result = runner.run(returning(0, "mine"));
    CHECK_EQ(got(result).key(), "mine");
    WAIT_UNTIL(seen == 1);
  }
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  {
    le::task_runner runner(ex); // without a function for them
    CHECK_EQ(ex.queue(returning(0, "other")), le::status::ok);
    auto result = runner.run(returning(0, "mine"));
    CHECK_EQ(got(result).key(), "mine");
    CHECK_EQ(ex.wait("other", test::deadline).status, le::status::ok);
    WAIT_UNTIL(ex.counts().unacknowledged == 1 && ex.counts().waiting_events == 0);
  }
  const le::events batch = ex.sync(0s);
  CHECK_EQ(batch.size(), 1U);
  CHECK_EQ(batch[0].key(), "other");
}

static void the_end() {
  le::executor ex(test::builtin);
  std::future<le::owned_event> broken;
  {
    le::task_runner runner(ex);
    broken = runner.run(test::builtin_task("runs", R"({"duration_ms": 600000})"));
  }
  try {
    broken.get();
    FAIL("nothing thrown");
  } catch (const std::future_error &error) {
    CHECK(error.code() == std::future_errc::broken_promise);
  }
  le::task_runner runner(ex);
  auto closed = runner.run(test::builtin_task("runs too", R"({"duration_ms": 600000})"));
  ex.close();
  CHECK_THROWS(got(closed), le::closed_error, le::status::err_closed, "closed");
  CHECK_THROWS(runner.run(returning(0, "late")), le::closed_error, le::status::err_closed,
               "closed");
}

int main() {
  many();
  refused();
  others();
  the_end();
}
