// What a host of its own kind needs: the descriptor for its loop, "manual" acknowledgement, fork.
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
  CHECK_EQ(ex.sync(0s).size(), 2U);
  CHECK(!readable(fd));
}

static void manual() {
  le::executor ex(R"({"ack": "manual", "local": {"handler": "builtin"}})");
  for (const char *key : {"a", "b", "c"})
    CHECK_EQ(ex.queue(test::builtin_task(key)), le::status::ok);
  std::vector<std::uint64_t> finals;
  for (const char *key : {"a", "b", "c"})
    WAIT_UNTIL(ex.state(key) == le::task_state::succeeded);
  for (const le::event event : ex.sync(test::deadline))
    if (event.is_final())
      finals.push_back(event.seq());
  CHECK_EQ(finals.size(), 3U);
  CHECK_EQ(ex.counts().unacknowledged, 3U); // though the batch is gone
  ex.ack(finals[0]);
  CHECK_EQ(ex.counts().unacknowledged, 2U);
  ex.ack({finals[1]});
  CHECK_EQ(ex.counts().unacknowledged, 1U);
  ex.ack(finals);
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  ex.ack(finals.data(), finals.size()); // once more does nothing
}

// In a child every call fails, and the destructor returns.
static void forked() {
  auto ex = std::make_unique<le::executor>(test::builtin);
  ex->set_log_callback([](const le::log_record &) {}, le::log_level::trace);
  const pid_t child = fork();
  if (child == 0) {
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
  CHECK_EQ(ex->queue(test::builtin_task("of the parent")), le::status::ok);
  CHECK_EQ(test::final_of(*ex, "of the parent").size(), 1U);
}

int main() {
  descriptor();
  manual();
  forked();
}
