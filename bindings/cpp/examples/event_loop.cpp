// An executor in an event loop: the loop waits for its descriptor as for its own ones (here a
// timer). The program waits in epoll_wait only and never in the library. In the style without
// exceptions.
//
//   ./event_loop    runs a few commands, on this machine or with the options (JSON) in
//                   LAMBDA_EXECUTOR_CONFIG
#include <lambda_executor.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace le = lambdaexecutor;
using namespace std::chrono_literals;

[[noreturn]] static void fail(const char *what, std::string_view why) {
  std::fprintf(stderr, "event_loop: %s: %.*s\n", what, static_cast<int>(why.size()), why.data());
  std::exit(2);
}

// A descriptor that is closed with its block.
class descriptor {
public:
  descriptor(const char *what, int fd) : fd_(fd) {
    if (fd < 0)
      fail(what, std::strerror(errno));
  }
  descriptor(const descriptor &) = delete;
  descriptor &operator=(const descriptor &) = delete;
  ~descriptor() {
    close(fd_);
  }
  int get() const {
    return fd_;
  }

private:
  int fd_;
};

static void watch(const descriptor &epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    fail("epoll_ctl", std::strerror(errno));
}

// Takes and acknowledges the events that wait, and returns how many tasks ended. Does not wait.
static int take_events(le::executor &ex) {
  le::events events;
  le::failure why;
  int ended = 0;
  if (le::is_failure(ex.sync(0s, 0, events, why)))
    fail("sync", why.message());
  for (const le::event event : events) {
    const std::string key(event.key());
    if (!event.is_final()) {
      std::printf("%s runs\n", key.c_str());
      continue;
    }
    std::printf("%s %s with return code %d: %s", key.c_str(), le::name(event.state()).data(),
                event.return_code().value_or(-1), std::string(event.output_tail()).c_str());
    ended++;
  }
  return ended;
}

int main() {
  const char *config = std::getenv("LAMBDA_EXECUTOR_CONFIG");
  le::executor ex;
  le::failure why;
  if (le::executor::create(config != nullptr ? config : R"({"local": {}})", ex, why) !=
      le::status::ok)
    fail("create", why.message());
  if (le::is_failure(ex.check_health(10s, why))) // before the loop: this waits
    fail("check_health", why.message());

  int left = 0;
  for (const char *command : {"echo one", "sleep 0.3; echo two", "sleep 0.6; echo three; exit 3"}) {
    const le::task task = le::task("task-" + std::to_string(++left)).shell(command);
    if (ex.queue(task, why) != le::status::ok)
      fail("queue", why.message());
  }

  const descriptor epoll("epoll", epoll_create1(EPOLL_CLOEXEC));
  const descriptor timer("timer", timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const itimerspec every{{0, 200'000'000}, {0, 200'000'000}};
  if (timerfd_settime(timer.get(), 0, &every, nullptr) != 0)
    fail("timer", std::strerror(errno));
  int wakeup = -1; // lives as long as the executor
  if (ex.wakeup_fd(wakeup, why) != le::status::ok)
    fail("wakeup_fd", why.message());
  watch(epoll, timer.get());
  watch(epoll, wakeup);

  while (left > 0) {
    epoll_event ready[8];
    const int n = epoll_wait(epoll.get(), ready, 8, -1);
    if (n < 0 && errno != EINTR)
      fail("epoll_wait", std::strerror(errno));
    for (int i = 0; i < n; i++) {
      std::uint64_t ticks = 0;
      if (ready[i].data.fd == wakeup)
        left -= take_events(ex);
      else if (read(timer.get(), &ticks, sizeof ticks) == static_cast<ssize_t>(sizeof ticks))
        std::printf("tick: %d to go\n", left);
    }
  }
}
