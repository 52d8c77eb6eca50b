// Calls on many tasks and keys: a status for each, the first failure, any kind of range.
#include "test.hpp"
#include <list>

// Braced lists.
static void lists() {
  le::executor ex(test::builtin);
  const le::results queued = ex.queue_batch({test::builtin_task("x"), le::task("y").key("z")});
  CHECK_EQ(queued[0], le::status::ok);
  CHECK_EQ(queued[1], le::status::err_invalid_argument);
  CHECK_CONTAINS(queued.first_failure().message(), "`z`");
  CHECK_EQ(ex.adopt_batch({le::task("of an earlier process")}).accepted(), 1U);
  CHECK_EQ(ex.cancel_batch({"unknown", std::string("of an earlier process")}).accepted(), 1U);
}

int main() {
  lists();
  le::executor ex(
      R"({"max_running_tasks": 1, "max_queued_tasks": 2, "local": {"handler": "builtin"}})");
  CHECK_EQ(ex.queue(test::builtin_task("runs", R"({"duration_ms": 600000})")), le::status::ok);
  WAIT_UNTIL(ex.state("runs") == le::task_state::running);

  std::vector<le::task> tasks;
  for (const char *key : {"a", "", "a", "b", "c"})
    tasks.push_back(test::builtin_task(key));
  le::results queued;
  CHECK_EQ(ex.queue_batch(tasks, queued), le::status::partial);
  CHECK_EQ(queued.size(), 5U);
  CHECK_EQ(queued[0], le::status::ok);
  CHECK_EQ(queued[1], le::status::err_invalid_argument);
  CHECK_EQ(queued[2], le::status::duplicate);
  CHECK_EQ(queued[3], le::status::ok);
  CHECK_EQ(queued[4], le::status::queue_full);
  CHECK_EQ(queued.accepted(), 2U);
  std::size_t at = 0;
  for (const le::status each : queued)
    CHECK_EQ(each, queued[at++]);
  CHECK_EQ(at, 5U);
  CHECK_EQ(std::count(queued.begin(), queued.end(), le::status::ok), 2);
  CHECK_EQ(queued.first_failure().status(), le::status::err_invalid_argument);
  CHECK_CONTAINS(queued.first_failure().message(), "key");

  le::results none;
  CHECK_EQ(ex.queue_batch(std::list<le::task>(), none), le::status::ok);
  CHECK_EQ(none.size(), 0U);
  CHECK_EQ(none.accepted(), 0U);
  CHECK(none.begin() == none.end());
  CHECK(!none.first_failure());

  le::results adopted;
  CHECK_EQ(ex.adopt_batch(std::list<le::task>{le::task("orphan"), le::task("runs")}, adopted),
           le::status::partial);
  CHECK(!adopted.first_failure()); // a duplicate is none
  CHECK_EQ(adopted[0], le::status::ok);
  CHECK_EQ(adopted[1], le::status::duplicate);
  CHECK_EQ(adopted.accepted(), 1U);

  const std::vector<std::string> keys = {"runs", "a", "b", "orphan", "unknown"};
  le::results cancelled = ex.cancel_batch(keys);
  CHECK_EQ(cancelled.accepted(), 4U);
  CHECK_EQ(cancelled[4], le::status::not_found);
  CHECK_EQ(ex.cancel_batch(std::vector<std::string_view>{"a"}, cancelled), le::status::partial);
  CHECK_EQ(cancelled.size(), 1U);
  CHECK_EQ(cancelled[0], le::status::not_found);
  CHECK_EQ(ex.drain(le::drain_mode::finish, test::deadline).remaining, 0U);

  // If the call fails, its status is the status of each.
  CHECK_EQ(ex.close(), le::status::ok);
  le::results closed;
  CHECK_EQ(ex.queue_batch(tasks, closed), le::status::err_closed);
  CHECK_EQ(closed.size(), 5U);
  CHECK_EQ(closed[0], le::status::err_closed);
  CHECK_EQ(closed[4], le::status::err_closed);
  CHECK_EQ(closed.accepted(), 0U);
  CHECK_EQ(closed.first_failure().status(), le::status::err_closed);
  CHECK_THROWS(ex.cancel_batch(keys), le::closed_error, le::status::err_closed, "closed");
}
