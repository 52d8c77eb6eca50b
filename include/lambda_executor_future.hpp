/// lambda_executor_future.hpp - a std::future for a task, and with C++20 a wait that a
/// std::stop_token ends. An addition to lambda_executor.hpp, which has all rules.
///
///     le::executor ex(R"({"local": {}})");
///     le::task_runner runner(ex);
///     std::future<le::owned_event> sum = runner.run(le::task("sum").shell("echo $((40 + 2))"));
///     std::cout << sum.get().output_tail();
///
/// Licence: Apache-2.0.

#ifndef LAMBDA_EXECUTOR_FUTURE_HPP
#define LAMBDA_EXECUTOR_FUTURE_HPP

#include <lambda_executor.hpp>

#if !LAMBDA_EXECUTOR_THROWS
#error "lambda_executor_future.hpp needs exceptions"
#endif

#include <cctype>
#include <cerrno>
#include <csignal>
#include <future>
#include <map>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace lambdaexecutor {

namespace detail {

/// A descriptor that becomes readable once and stays so.
class flag {
public:
  flag() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0)
      throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  flag(const flag &) = delete;
  flag &operator=(const flag &) = delete;
  ~flag() {
    ::close(fd_);
  }

  void raise() const noexcept {
    const std::uint64_t one = 1;
    // It fails only if the flag is already raised.
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  }

  /// Waits until the flag is raised, the other descriptor is readable, or the time has passed (-1:
  /// never). Returns false at the end of the time.
  [[nodiscard]] bool wait_beside(int other, int ms) const {
    pollfd fds[] = {{fd_, POLLIN, 0}, {other, POLLIN, 0}};
    const int ready = ::poll(fds, 2, ms);
    if (ready < 0 && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "poll");
    return ready != 0;
  }

  [[nodiscard]] bool is_raised() const {
    pollfd mine{fd_, POLLIN, 0};
    return ::poll(&mine, 1, 0) > 0;
  }

private:
  int fd_;
};

} // namespace detail

/// Runs tasks and returns a std::future for each. It takes all events of its executor, in a thread
/// of its own, so nothing else may call `sync`. Any thread may call `run`. Destroy it before the
/// executor.
class task_runner {
public:
  /// Receives the events of tasks that `run` has not submitted, in the thread of the runner. An
  /// event is acknowledged when it returns. It must not throw.
  using other_events = std::function<void(const event &)>;

  /// Without `others`, such events are handed out by `sync` again after the runner is destroyed.
  explicit task_runner(executor &ex, other_events others = nullptr)
      : ex_(ex), others_(std::move(others)), wakeup_fd_(ex.wakeup_fd()) {
    // Signals of the host are handled by its own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this] { work(); });
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  task_runner(const task_runner &) = delete;
  task_runner &operator=(const task_runner &) = delete;

  /// Does not wait for tasks: futures of those that have not ended throw std::future_error
  /// (broken_promise), and their events are handed out by `sync`.
  ~task_runner() {
    stop_.raise();
    thread_.join();
  }

  /// Submits a task. The future holds its final event, which is acknowledged. The event's state
  /// says whether the task succeeded. If no more events arrive, because the executor is closed, the
  /// future throws the `error` that `sync` has thrown.
  ///
  /// Throws as executor::queue does, and also throws `error` with status duplicate or queue_full.
  [[nodiscard]] std::future<owned_event> run(task one) {
    if (one.native().attempt_id.len == 0)
      one.attempt_id(new_attempt_id());
    std::string id(detail::view(one.native().attempt_id));
    for (char &c : id) // as in events
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::future<owned_event> result = add(id, one);
    try {
      const status done = ex_.queue(one);
      if (done != status::ok)
        throw refused(done, one);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      runs_.erase(id);
      throw;
    }
    return result;
  }

private:
  static error refused(status why, const task &one) {
    return error(why, "task `" + std::string(one.key()) + "`: " + std::string(describe(why)));
  }

  std::future<owned_event> add(const std::string &id, const task &one) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ended_ != nullptr)
      std::rethrow_exception(ended_);
    const auto [at, added] = runs_.try_emplace(id);
    if (!added)
      throw refused(status::duplicate, one);
    return at->second.get_future();
  }

  void work() {
    try {
      while (!stop_.is_raised()) {
        [[maybe_unused]] const bool ready = stop_.wait_beside(wakeup_fd_, -1);
        if (stop_.is_raised())
          return;
        hand_on(ex_.sync(std::chrono::milliseconds(0)));
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_ = std::current_exception();
      for (auto &each : runs_)
        each.second.set_exception(ended_);
      runs_.clear();
    }
  }

  void hand_on(events batch) {
    std::vector<std::uint64_t> finished;
    for (event_iterator at = batch.cbegin(); at != batch.cend(); ++at)
      if (is_of_a_run(*at) || is_taken_by_others(*at))
        finished.push_back(at->seq());
    ex_.ack(finished);
    if (finished.size() < batch.size())
      kept_.push_back(std::move(batch));
  }

  bool is_taken_by_others(const event &one) {
    if (others_ != nullptr)
      others_(one);
    return others_ != nullptr;
  }

  bool is_of_a_run(const event &one) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto at = runs_.find(one.attempt_id());
    if (at == runs_.end())
      return false;
    if (one.is_final()) {
      at->second.set_value(one.to_owned());
      runs_.erase(at);
    }
    return true;
  }

  executor &ex_;
  other_events others_;
  int wakeup_fd_;
  detail::flag stop_{};
  std::mutex mutex_{};
  std::map<std::string, std::promise<owned_event>, std::less<>> runs_{}; // by attempt_id
  std::exception_ptr ended_{};
  std::vector<events> kept_{}; // batches with events that are not acknowledged
  std::thread thread_{};
};

#ifdef __cpp_lib_jthread

/// executor::sync that a stop_token ends too. Other waits continue. After the stop it returns no
/// events, even if events wait. A signal does not end it.
[[nodiscard]] inline events sync(executor &ex, const std::stop_token &stop, timeout wait = forever,
                                 std::size_t max_events = 0) {
  const detail::flag stopped;
  const std::stop_callback on_stop(stop, [&stopped] { stopped.raise(); });
  const int events_wait = ex.wakeup_fd();
  const auto start = std::chrono::steady_clock::now();
  for (bool ended = false;;) {
    if (stop.stop_requested()) // also while events keep coming
      return events();
    events batch = ex.sync(std::chrono::milliseconds(0), max_events);
    if (ended || batch.status() != status::timed_out)
      return batch;
    int ms = -1;
    if (wait.ms() >= 0) {
      const std::int64_t left = wait.ms() - detail::to_ms(std::chrono::steady_clock::now() - start);
      ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
      ended = left <= 0;
    }
    [[maybe_unused]] const bool ready = stopped.wait_beside(events_wait, ms);
  }
}

#endif

} // namespace lambdaexecutor

#endif // LAMBDA_EXECUTOR_FUTURE_HPP
