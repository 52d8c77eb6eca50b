// A pool of tasks: `submit` returns a std::future of the result of a command. One thread of the
// pool takes the events of all, and acknowledges an event once its promise has the result.
//
//   ./task_pool [COMMAND...]    each is a line for the shell; without any, it runs a few of its own
//
// Options as JSON in LAMBDA_EXECUTOR_CONFIG; without it the functions run on this machine.
#include <lambda_executor.hpp>

#include <cstdlib>
#include <future>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

namespace le = lambdaexecutor;
using namespace std::chrono_literals;

// The result of a task, which outlives its events.
struct result {
  le::task_state state;
  le::reason reason;
  std::optional<int> return_code;
  std::string output_tail;
  std::string message;
};

class task_pool {
public:
  explicit task_pool(std::string_view config) : ex_(config) {
    ex_.check_health(10s); // fails early; without it, tasks wait until the configuration is fixed
    loop_ = std::thread([this] { take_events(); });
  }

  // Waits for all submitted tasks.
  ~task_pool() {
    le::failure why;
    std::uint64_t remaining = 0;
    le::status status;
    do
      status = ex_.drain(le::drain_mode::finish, le::forever, remaining, why);
    // The other thread takes the results for which there is no room.
    while (status == le::status::interrupted || status == le::status::queue_full);
    if (le::is_failure(status))
      ex_.close();
    loop_.join(); // it ends after the last event, or at once if the executor is closed
  }

  // Throws le::error if the task is refused.
  std::future<result> submit(le::task task) {
    // The promise first, since the task may end before `queue` has returned.
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::uint64_t tag = ++last_tag_;
    std::future<result> future = promises_[tag].get_future();
    try {
      const le::status status = ex_.queue(task.tag(tag));
      if (status != le::status::ok) // a full queue, or a key that is in use
        throw le::error(status,
                        "task `" + std::string(task.key()) + "`: " + std::string(le::name(status)));
    } catch (...) {
      promises_.erase(tag);
      throw;
    }
    return future;
  }

private:
  void take_events() {
    le::failure why;
    le::events events;
    while (!le::is_failure(ex_.sync(le::forever, 0, events, why)))
      for (const le::event event : events)
        if (event.is_final())
          keep_promise(event);
    // Closed: no event is left. Otherwise a broken promise ends the waits for futures.
    if (why.status() != le::status::err_closed)
      std::cerr << "task_pool: " << why.message() << '\n';
    const std::lock_guard<std::mutex> lock(mutex_);
    promises_.clear();
  }

  void keep_promise(const le::event &event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto promise = promises_.find(event.tag());
    promise->second.set_value({event.state(), event.reason(), event.return_code(),
                               std::string(event.output_tail()), std::string(event.message())});
    promises_.erase(promise);
  }

  le::executor ex_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::promise<result>> promises_;
  std::uint64_t last_tag_ = 0;
  std::thread loop_;
};

int main(int argc, char **argv) {
  std::vector<std::string> commands(argv + 1, argv + argc);
  if (commands.empty())
    commands = {"echo one", "sleep 0.2; echo two", "echo three; exit 3"};
  const char *config = std::getenv("LAMBDA_EXECUTOR_CONFIG");
  bool all_succeeded = true;
  try {
    task_pool pool(config != nullptr ? config : R"({"local": {}})");
    std::vector<std::future<result>> futures;
    for (std::size_t i = 0; i < commands.size(); i++)
      futures.push_back(
          pool.submit(le::task("command " + std::to_string(i + 1)).shell(commands[i])));

    for (std::size_t i = 0; i < commands.size(); i++) {
      const result ended = futures[i].get();
      all_succeeded &= ended.state == le::task_state::succeeded;
      std::cout << commands[i] << ": " << le::name(ended.state);
      if (ended.return_code.has_value())
        std::cout << " with return code " << *ended.return_code;
      std::cout << '\n' << (ended.output_tail.empty() ? ended.message + '\n' : ended.output_tail);
    }
  } catch (const std::exception &error) {
    // le::error, or the broken promise of an executor that failed
    std::cerr << "task_pool: " << error.what() << '\n';
    return 2;
  }
  return all_succeeded ? 0 : 1;
}
