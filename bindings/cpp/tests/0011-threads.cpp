// One executor in many threads: tasks are queued, adopted, cancelled and drained at once, each gets
// one final event, and close ends the loops that wait.
#include "test.hpp"
#include <atomic>

constexpr int threads = 4, tasks_each = 40;

struct tally {
  std::atomic<int> accepted{0};
  std::atomic<int> finals[threads * tasks_each] = {};
  std::atomic<int> finished{0};
};

static void host(le::executor &ex, tally &all, int thread) {
  for (int i = 0; i < tasks_each; i++) {
    const int tag = thread * tasks_each + i;
    const std::string key = std::to_string(tag);
    const le::task task = test::builtin_task(key).tag(static_cast<std::uint64_t>(tag));
    if (i % 8 == 7)
      CHECK_EQ(ex.adopt(task), le::status::ok);
    else
      CHECK_EQ(ex.queue(task), le::status::ok);
    all.accepted++;
    if (i % 4 == 3) {
      const le::status cancelled = ex.cancel(key);
      CHECK(cancelled == le::status::ok || cancelled == le::status::not_found);
    }
    CHECK(ex.state(key) != le::task_state::unknown);
  }
}

static void loop(le::executor &ex, tally &all) {
  try {
    for (;;)
      for (const le::event event : ex.sync(le::forever, 7))
        if (event.is_final()) {
          CHECK_EQ(++all.finals[event.tag()], 1);
          all.finished++;
        }
  } catch (const le::closed_error &) {
  }
}

int main() {
  le::executor ex(test::builtin);
  tally all;
  std::vector<std::thread> loops, hosts;
  for (int i = 0; i < 2; i++)
    loops.emplace_back(loop, std::ref(ex), std::ref(all));
  for (int i = 0; i < threads; i++)
    hosts.emplace_back(host, std::ref(ex), std::ref(all), i);
  for (std::thread &each : hosts)
    each.join();
  CHECK_EQ(all.accepted, threads * tasks_each);
  CHECK_EQ(ex.drain(le::drain_mode::finish, test::deadline).remaining, 0U);
  for (std::thread &each : loops) // Drained: `sync` fails after the last event.
    each.join();
  CHECK_EQ(all.finished, threads * tasks_each);
  CHECK_EQ(ex.counts().unacknowledged, 0U);

  le::executor other(test::builtin);
  loops.clear();
  for (int i = 0; i < 2; i++)
    loops.emplace_back(loop, std::ref(other), std::ref(all));
  CHECK_EQ(other.close(), le::status::ok);
  for (std::thread &each : loops)
    each.join();
}
