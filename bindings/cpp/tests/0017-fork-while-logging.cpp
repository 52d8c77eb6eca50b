// A fork while the log's thread holds the lock of the callback: the child has the lock and not the
// thread, and must not wait for it. The program's own pthread_mutex_lock replaces that of the C
// library, to make that moment last.
#include "test.hpp"
#include <atomic>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static thread_local bool logs = false;
static std::atomic<bool> hold{false}, held{false};

extern "C" int pthread_mutex_lock(pthread_mutex_t *mutex) noexcept {
  using function = int(pthread_mutex_t *);
  static auto *const real = reinterpret_cast<function *>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  const int done = real(mutex);
  if (logs && hold) {
    held = true;
    WAIT_UNTIL(!hold);
  }
  return done;
}

static void child(le::executor &ex) {
  alarm(30); // ends it if it waits without end
  const auto callback = [](const le::log_record &) {};
  CHECK_THROWS(ex.set_log_callback(callback), le::error, le::status::err_forked, "process");
  CHECK_THROWS(ex.set_log_callback(nullptr), le::error, le::status::err_forked, "process");
  ex = le::executor();
  le::executor own(test::builtin);
  own.set_log_callback(callback);
  _exit(0);
}

int main() {
  le::executor ex(test::builtin);
  ex.set_log_callback([](const le::log_record &) { logs = true; }, le::log_level::trace);
  int tasks = 0;
  const auto log_something = [&] {
    CHECK_EQ(ex.queue(test::builtin_task(std::to_string(tasks++))), le::status::ok);
  };
  hold = true;
  WAIT_UNTIL((log_something(), held.load()));
  const pid_t pid = fork();
  if (pid == 0)
    child(ex);
  hold = false;
  int ended = -1;
  CHECK_EQ(waitpid(pid, &ended, 0), pid);
  CHECK_EQ(ended, 0);
}
