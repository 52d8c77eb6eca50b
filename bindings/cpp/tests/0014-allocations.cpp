// The hot path allocates nothing in C++: to queue a task that exists, in either style, to take and
// acknowledge events, to look up states.
#include "test.hpp"
#include <atomic>
#include <new>

static std::atomic<int> allocations{0};

void *operator new(std::size_t size) {
  allocations++;
  if (void *memory = std::malloc(size > 0 ? size : 1))
    return memory;
  throw std::bad_alloc();
}

void operator delete(void *memory) noexcept {
  std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept {
  std::free(memory);
}

#define CHECK_ALLOCATES(n, ...)                                                                    \
  do {                                                                                             \
    const int before = allocations;                                                                \
    __VA_ARGS__;                                                                                   \
    CHECK_EQ(allocations - before, n);                                                             \
  } while (0)

int main() {
  le::executor ex(test::builtin);
  le::failure why;
  const std::string long_key(100, 'k');
  le::task task = le::task(long_key).command({"a program with a long name", "and an argument"});
  CHECK_ALLOCATES(0, CHECK_EQ(ex.queue(task), le::status::ok));
  CHECK_ALLOCATES(0, CHECK_EQ(ex.queue(task, why), le::status::duplicate));
  CHECK_ALLOCATES(0, CHECK(ex.state(long_key) != le::task_state::unknown));
  CHECK_ALLOCATES(
      0, CHECK_EQ(ex.drain(le::drain_mode::finish, test::deadline).status, le::status::ok));
  int events = 0;
  CHECK_ALLOCATES(0, {
    for (const le::event event : ex.sync(0s)) {
      CHECK_EQ(event.key(), long_key);
      events++;
    }
  });
  CHECK_EQ(events, 2);
  CHECK_EQ(ex.counts().unacknowledged, 0U);
  CHECK_ALLOCATES(0, CHECK_EQ(ex.cancel(long_key), le::status::not_found));

  // The command is one allocation, which the next command uses again.
  task.command({"another program with a name", "and one more argument"});
  CHECK_ALLOCATES(0, task.command({"a shorter program", "its argument"}).key("next").tag(3));
  // Many tasks: one array for them, one for their statuses.
  const std::vector<le::task> tasks(100, task);
  le::results each;
  CHECK_ALLOCATES(2, CHECK_EQ(ex.queue_batch(tasks, each), le::status::partial));
  CHECK_EQ(each[99], le::status::err_closed);
}
