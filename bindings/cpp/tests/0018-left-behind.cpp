// An executor that is freed while its callback runs: the library stops waiting, and may call the
// sink again when the callback has returned and the executor is destroyed. Then the sink has no
// callback, and its memory is valid (valgrind checks). The program's own pthread_mutex_lock
// replaces that of the C library, to delay the library.
#include "test.hpp"
#include <atomic>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <pthread.h>

static std::atomic<bool> gone{false};
// Of the log's thread, after the end of the callback: one lock as it leaves, one if it calls again.
static thread_local int locks_until_late = 0;

extern "C" int pthread_mutex_lock(pthread_mutex_t *mutex) noexcept {
  using function = int(pthread_mutex_t *);
  static auto *const real = reinterpret_cast<function *>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  if (locks_until_late > 0 && --locks_until_late == 0)
    WAIT_UNTIL(gone.load());
  return real(mutex);
}

static bool log_thread_lives() {
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    if (std::ifstream(task.path() / "comm") >> name && name == "lmbx-log")
      return true;
  }
  return false;
}

int main() {
  std::promise<void> entered, leave;
  std::future<void> left = leave.get_future();
  std::atomic<bool> enough{false};
  std::atomic<int> calls{0};
  auto ex = std::make_unique<le::executor>(
      R"({"log": "off", "shutdown_grace_ms": 0, "local": {"handler": "builtin",
          "faults": {"outages": [{"for_ms": 3600000}]}}})");
  ex->set_log_callback(
      [&](const le::log_record &record) {
        calls++;
        WAIT_UNTIL(enough.load());
        // This record comes just before another one, so the library may call again after it.
        if (record.message().find("records were dropped") == std::string_view::npos)
          return;
        entered.set_value();
        left.wait();
        locks_until_late = 2;
      },
      le::log_level::trace);
  std::vector<std::string> keys;
  for (int tasks = 0; tasks < 1500; tasks++) { // more records than may wait, and no request
    keys.push_back(std::to_string(tasks));
    CHECK_EQ(ex->queue(test::builtin_task(keys.back())), le::status::ok);
  }
  CHECK_EQ(ex->cancel_batch(keys).accepted(), keys.size());
  CHECK_EQ(ex->drain(le::drain_mode::finish, test::deadline).status, le::status::ok);
  enough = true;
  CHECK(entered.get_future().wait_for(test::deadline) == std::future_status::ready);
  const int before = calls;
  std::future<void> freed = std::async(std::launch::async, [&] { ex.reset(); });
  CHECK(freed.wait_for(1500ms) == std::future_status::timeout); // longer than the library waits
  leave.set_value();
  CHECK(freed.wait_for(test::deadline) == std::future_status::ready);
  gone = true;
  WAIT_UNTIL(!log_thread_lives());
  CHECK_EQ(calls, before);
}
