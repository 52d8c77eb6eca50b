// What an exception that leaves a loop over events does to those that nobody has looked at: all of
// their batch are acknowledged; where they are taken one by one, only the one that was looked at.
#include "test.hpp"

struct of_the_host {};

// Three results that wait; the first one is looked at, and something goes wrong.
static le::task_counts after(std::string_view config, std::size_t max_events) {
  le::executor ex(config);
  for (const char *key : {"a", "b", "c"})
    CHECK_EQ(ex.queue(test::builtin_task(key)), le::status::ok);
  WAIT_UNTIL(ex.counts().waiting_events == 3);
  try {
    for (const le::event event : ex.sync(0s, max_events))
      if (event.is_final())
        throw of_the_host();
    FAIL("no final event");
  } catch (const of_the_host &) {
  }
  return ex.counts();
}

int main() {
  const le::task_counts all =
      after(R"({"running_events": false, "local": {"handler": "builtin"}})", 0);
  CHECK_EQ(all.waiting_events, 0U);
  CHECK_EQ(all.unacknowledged, 0U);

  const le::task_counts one =
      after(R"({"running_events": false, "local": {"handler": "builtin"}})", 1);
  CHECK_EQ(one.waiting_events, 2U);
  CHECK_EQ(one.unacknowledged, 0U);

  const le::task_counts manual =
      after(R"({"running_events": false, "ack": "manual", "local": {"handler": "builtin"}})", 0);
  CHECK_EQ(manual.waiting_events, 0U);
  CHECK_EQ(manual.unacknowledged, 3U);
}
