// A wait without end is ended by wake, from another thread or a signal handler: no events, no
// exception, no failure.
#include "test.hpp"
#include <atomic>
#include <csignal>
#include <pthread.h>

static le::executor *woken;

static void on_signal(int) {
  woken->wake();
}

template <class Interrupt> static void interrupted(le::executor &ex, Interrupt interrupt) {
  std::atomic<bool> ended{false};
  std::thread waiter([&] {
    const le::events batch = ex.sync(le::forever);
    CHECK_EQ(batch.status(), le::status::interrupted);
    CHECK(batch.empty());
    for (const le::event event : batch)
      FAIL("an event of nothing: " << event.key());
    ended = true;
  });
  // Again and again for the signal, which may come before the wait.
  WAIT_UNTIL((interrupt(waiter.native_handle()), ended.load()));
  waiter.join();
}

int main() {
  le::executor ex(test::builtin);
  woken = &ex;
  std::signal(SIGUSR1, on_signal);
  interrupted(ex, [&](pthread_t) { CHECK_EQ(ex.wake(), le::status::ok); });
  interrupted(ex, [](pthread_t waiter) { pthread_kill(waiter, SIGUSR1); });
  std::signal(SIGUSR1, SIG_IGN);

  // What was woken too often ends one wait more, and then all is as before.
  WAIT_UNTIL(ex.sync(1ms).status() == le::status::timed_out);
  CHECK_EQ(ex.wake(), le::status::ok);
  const le::drained far = ex.drain(le::drain_mode::finish, le::forever);
  CHECK(far.status == le::status::interrupted || far.status == le::status::ok);
}
