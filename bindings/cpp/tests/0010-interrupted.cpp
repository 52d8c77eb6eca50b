// `wake` ends a wait without limit, from another thread or a signal handler: no events, no
// exception, no failure.
#include "test.hpp"
#include <atomic>
#include <csignal>

static le::executor *woken;

static void on_signal(int) {
  woken->wake();
}

template <class Interrupt> static void interrupted(le::executor &ex, Interrupt interrupt) {
  WAIT_UNTIL(ex.sync(1ms).status() == le::status::timed_out); // no earlier wake is pending
  std::atomic<bool> ended{false};
  std::thread waiter([&] {
    const le::events batch = ex.sync(le::forever);
    CHECK_EQ(batch.status(), le::status::interrupted);
    CHECK(batch.empty());
    for (const le::event event : batch)
      FAIL("an event of no events: " << event.key());
    ended = true;
  });
  interrupt(); // once is enough: if nothing waits yet, it ends the next wait
  WAIT_UNTIL(ended.load());
  waiter.join();
}

int main() {
  le::executor ex(test::builtin);
  woken = &ex;
  std::signal(SIGUSR1, on_signal);
  interrupted(ex, [&] { CHECK_EQ(ex.wake(), le::status::ok); });
  // Raised in this thread, so that the handler ends the wait of the other thread, and not the
  // signal.
  interrupted(ex, [] { CHECK_EQ(std::raise(SIGUSR1), 0); });
  std::signal(SIGUSR1, SIG_IGN);

  // A wait for a task and a drain, which have something to wait for.
  CHECK_EQ(ex.queue(test::builtin_task("runs", R"({"duration_ms": 600000})")), le::status::ok);
  CHECK_EQ(ex.wake(), le::status::ok);
  const le::waited task = ex.wait("runs", le::forever);
  CHECK_EQ(task.status, le::status::interrupted);
  CHECK(!le::is_final(task.state));
  CHECK_EQ(ex.wake(), le::status::ok);
  const le::drained far = ex.drain(le::drain_mode::finish, le::forever);
  CHECK_EQ(far.status, le::status::interrupted);
  CHECK_EQ(far.remaining, 1U);
}
