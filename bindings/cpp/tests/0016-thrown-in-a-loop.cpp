// A loop over events acknowledges an event when it takes the next one. An exception, `break` or
// `return` that leaves the loop acknowledges nothing more: the rest is handed out again.
#include "test.hpp"

struct of_the_host {};

static constexpr std::string_view finals_only =
    R"({"running_events": false, "local": {"handler": "builtin"}})";

// An executor with three results that wait.
static le::executor three() {
  le::executor ex(finals_only);
  for (const char *key : {"a", "b", "c"})
    CHECK_EQ(ex.queue(test::builtin_task(key)), le::status::ok);
  WAIT_UNTIL(ex.counts().waiting_events == 3);
  return ex;
}

// The numbers of the events that wait.
static std::vector<std::uint64_t> waiting(le::executor &ex) {
  const le::events batch = ex.sync(0s);
  std::vector<std::uint64_t> seqs;
  for (const le::event event : batch)
    seqs.push_back(event.seq());
  return seqs;
}

using numbers = std::vector<std::uint64_t>;

static void thrown() {
  le::executor ex = three();
  try {
    for (const le::event event : ex.sync(0s))
      if (event.seq() == 2)
        throw of_the_host();
    FAIL("nothing thrown");
  } catch (const of_the_host &) {
  }
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  CHECK(waiting(ex) == numbers{2, 3});
}

static void left() {
  le::executor ex = three();
  for (const le::event event : ex.sync(0s))
    if (event.seq() == 2) {
      ex.ack(event); // it is finished before the loop is left
      break;
    }
  CHECK(waiting(ex) == numbers{3});
  [&] {
    for (const le::event event : ex.sync(0s))
      if (event.is_final())
        return;
  }();
  CHECK(waiting(ex) == numbers{3});
}

static void at_the_first() {
  le::executor ex = three();
  try {
    for (const le::event event : ex.sync(0s, 1))
      if (event.is_final())
        throw of_the_host();
    FAIL("nothing thrown");
  } catch (const of_the_host &) {
  }
  CHECK(waiting(ex) == (numbers{1, 2, 3}));
}

// A loop that ends acknowledges the last event too.
static void to_the_end() {
  le::executor ex = three();
  std::uint64_t seen = 0;
  for (const le::event event : ex.sync(0s)) {
    CHECK_EQ(ex.counts().unacknowledged, 3 - seen);
    CHECK_EQ(event.seq(), ++seen);
  }
  CHECK_EQ(seen, 3U);
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  CHECK(waiting(ex).empty());
}

int main() {
  thrown();
  left();
  at_the_first();
  to_the_end();
}
