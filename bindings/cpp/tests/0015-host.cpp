// For hosts with a loop of their own: the descriptor, acknowledging single events, fork.
#include "test.hpp"
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static bool readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return poll(&waiting, 1, 0) == 1;
}

static void descriptor() {
  le::executor ex(test::builtin);
  const int fd = ex.wakeup_fd();
  CHECK(!readable(fd));
  CHECK_EQ(ex.queue(test::builtin_task("k")), le::status::ok);
  WAIT_UNTIL(ex.counts().waiting_events == 2);
  CHECK(readable(fd));
  {
    const le::events batch = ex.sync(0s);
    CHECK_EQ(batch.size(), 2U);
    CHECK(!readable(fd));
  }
  CHECK(readable(fd)); // not acknowledged: they wait again
  ex.sync(0s).ack();
  CHECK(!readable(fd));
  CHECK_EQ(ex.drain(le::drain_mode::finish, test::deadline).status, le::status::ok);
  CHECK(readable(fd)); // for good, since the drain is over
}

static void single_events() {
  le::executor ex(R"({"running_events": false, "local": {"handler": "builtin"}})");
  for (const char *key : {"a", "b", "c", "d"})
    CHECK_EQ(ex.queue(test::builtin_task(key)), le::status::ok);
  WAIT_UNTIL(ex.counts().waiting_events == 4);
  const le::events batch = ex.sync(0s); // const: the loop below does not acknowledge
  std::vector<std::uint64_t> seqs;
  for (const le::event event : batch)
    seqs.push_back(event.seq());
  CHECK_EQ(seqs.size(), 4U);
  CHECK_EQ(ex.counts().unacknowledged, 4U);
  ex.ack(seqs[0]);
  CHECK_EQ(ex.counts().unacknowledged, 3U);
  ex.ack({seqs[1]});
  CHECK_EQ(ex.counts().unacknowledged, 2U);
  ex.ack(batch[2]);
  CHECK_EQ(ex.counts().unacknowledged, 1U);
  CHECK_EQ(ex.close(), le::status::ok); // a thread can still finish its batch
  ex.ack(seqs);
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  ex.ack(seqs.data(), seqs.size()); // a second time does nothing
}

// In a child every call fails, a loop over events of the parent acknowledges none, and the
// destructor returns.
static void forked() {
  auto ex = std::make_unique<le::executor>(test::builtin);
  ex->set_log_callback([](const le::log_record &) {}, le::log_level::trace);
  CHECK_EQ(ex->queue(test::builtin_task("before")), le::status::ok);
  le::events before = test::final_of(*ex, "before");
  const pid_t child = fork();
  if (child == 0) {
    for (const le::event event : before)
      CHECK_EQ(event.key(), "before");
    CHECK_THROWS(before.ack(), le::error, le::status::err_forked, "");
    CHECK_THROWS(ex->sync(le::forever), le::error, le::status::err_forked, "");
    ex.reset();
    le::executor own(test::builtin);
    CHECK_EQ(own.queue(test::builtin_task("of the child")), le::status::ok);
    CHECK_EQ(test::final_of(own, "of the child").size(), 1U);
    own = le::executor();
    _exit(0);
  }
  int ended = -1;
  CHECK_EQ(waitpid(child, &ended, 0), child);
  CHECK_EQ(ended, 0);
  CHECK_EQ(ex->counts().unacknowledged, 1U);
  before.ack();
  CHECK_EQ(ex->queue(test::builtin_task("of the parent")), le::status::ok);
  CHECK_EQ(test::final_of(*ex, "of the parent").size(), 1U);
}

int main() {
  descriptor();
  single_events();
  forked();
}
