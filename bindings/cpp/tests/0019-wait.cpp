// Run one task and wait for it; its events still wait, and must be acknowledged. The attempt_id of
// a submission can be chosen, so that a second submission is recognised.
#include "test.hpp"

static void one_task() {
  le::executor ex(test::builtin);
  CHECK_EQ(ex.wait("unknown", le::forever).status, le::status::not_found);
  CHECK_EQ(ex.wait("unknown", 0s).state, le::task_state::unknown);
  CHECK_EQ(ex.queue(test::builtin_task("long", R"({"duration_ms": 600000})")), le::status::ok);
  const le::waited early = ex.wait("long", 1ms);
  CHECK_EQ(early.status, le::status::timed_out);
  CHECK(!le::is_final(early.state) && early.state != le::task_state::unknown);

  CHECK_EQ(ex.queue(test::builtin_task("fails", R"({"return_code": 3})")), le::status::ok);
  const le::waited fails = ex.wait("fails", test::deadline);
  CHECK_EQ(fails.status, le::status::ok);
  CHECK_EQ(fails.state, le::task_state::failed);
  CHECK(ex.counts().waiting_events >= 2);
  const le::events last = test::final_of(ex, "fails");
  CHECK(last[0].return_code() == 3);
}

static void attempts() {
  const std::string id = le::new_attempt_id();
  CHECK_EQ(id.size(), 36U);
  CHECK(id != le::new_attempt_id());

  le::executor ex(test::builtin);
  CHECK_EQ(ex.queue(test::builtin_task("k").attempt_id(id)), le::status::ok);
  CHECK_EQ(ex.queue(test::builtin_task("another key").attempt_id(id)), le::status::duplicate);
  const le::events batch = test::final_of(ex, "k");
  CHECK_EQ(batch[0].attempt_id(), id);
  CHECK_THROWS(ex.queue(test::builtin_task("l").attempt_id("no UUID")), le::invalid_argument_error,
               le::status::err_invalid_argument, "attempt_id");
}

// A result that does not arrive: the limit of the task replaces that of the configuration.
static void result_timeout() {
  le::executor ex(R"({"max_unmatched_delay_s": 1, "local": {"handler": "builtin",
                      "faults": {"messages": {"lose": 1}}}})");
  CHECK_EQ(ex.queue(test::builtin_task("k").result_timeout(200ms)), le::status::ok);
  CHECK_EQ(ex.wait("k", test::deadline).state, le::task_state::lost);
}

int main() {
  one_task();
  attempts();
  result_timeout();
}
