// Log records reach a callback of any kind in a thread of the library; its exceptions are dropped,
// it may replace itself, and what it holds is released when it is replaced.
#include "test.hpp"
#include <atomic>
#include <future>
#include <unistd.h>

static constexpr std::string_view config = R"({"log": "off", "local": {"handler": "builtin"}})";

// The end of a task is logged.
static void log_something(le::executor &ex) {
  static int tasks = 0;
  const std::string key = std::to_string(tasks++);
  CHECK_EQ(ex.queue(test::builtin_task(key)), le::status::ok);
}

// Queues tasks until so many more records have arrived.
static void make_records(le::executor &ex, const std::atomic<int> &records, int more) {
  const int enough = records + more;
  WAIT_UNTIL((log_something(ex), records >= enough));
}

static void records_and_exceptions() {
  std::atomic<int> records{0}; // before the executor, whose callback uses it until the end
  le::executor ex(config);
  const auto home = std::this_thread::get_id();
  ex.set_log_callback(
      [&](const le::log_record &record) {
        CHECK(std::this_thread::get_id() != home);
        CHECK(record.level() >= le::log_level::error && record.level() <= le::log_level::trace);
        CHECK(record.time() > std::chrono::system_clock::now() - 1h);
        CHECK(!record.target().empty() && !record.message().empty());
        records++;
        throw std::runtime_error("of the host");
      },
      le::log_level::trace);
  make_records(ex, records, 3); // it is called again after an exception
}

static void replaced() {
  std::atomic<int> first{0}, second{0};
  le::executor ex(config);
  auto held = std::make_shared<int>(1);
  ex.set_log_callback(
      [&, held](const le::log_record &) {
        first++;
        ex.set_log_callback([&](const le::log_record &) { second++; }, le::log_level::trace);
        CHECK_EQ(*held, 1); // valid, although the callback was replaced
      },
      le::log_level::trace);
  make_records(ex, second, 1);
  CHECK_EQ(first, 1);
  CHECK_EQ(held.use_count(), 1);

  ex.set_log_callback([held](const le::log_record &) {}, le::log_level::off);
  CHECK_EQ(held.use_count(), 2);
  ex.set_log_callback(nullptr, le::log_level::off);
  CHECK_EQ(held.use_count(), 1);

  // A refused callback changes nothing, and is released.
  ex.set_log_callback([&](const le::log_record &) { second++; }, le::log_level::trace);
  CHECK_THROWS(ex.set_log_callback([held](const le::log_record &) {}, le::log_level{99}),
               le::invalid_argument_error, le::status::err_invalid_argument, "level");
  CHECK_EQ(held.use_count(), 1);
  make_records(ex, second, 1);
}

// The destructor waits for a callback that runs, longer than the library does, because the callback
// may use what is destroyed after the executor.
static void destroyed() {
  std::promise<void> entered, leave;
  std::atomic<int> calls{0};
  auto ex = std::make_unique<le::executor>(
      R"({"log": "off", "shutdown_grace_ms": 0, "local": {"handler": "builtin"}})");
  ex->set_log_callback(
      [&](const le::log_record &) {
        if (calls++ > 0)
          return;
        entered.set_value();
        leave.get_future().wait();
      },
      le::log_level::trace);
  log_something(*ex);
  CHECK(entered.get_future().wait_for(test::deadline) == std::future_status::ready);
  std::future<void> gone = std::async(std::launch::async, [&] { ex.reset(); });
  CHECK(gone.wait_for(2500ms) == std::future_status::timeout);
  leave.set_value();
  CHECK(gone.wait_for(test::deadline) == std::future_status::ready);
}

// The callback receives the records of the end too, and none is printed instead.
static void at_the_end() {
  std::FILE *printed = std::tmpfile();
  CHECK(printed != nullptr);
  const int stderr_before = dup(STDERR_FILENO);
  std::string records;
  {
    le::executor ex(R"({"local": {"handler": "builtin",
                        "faults": {"outages": [{"for_ms": 3600000}]}}})");
    ex.set_log_callback([&](const le::log_record &record) { records += record.message(); });
    CHECK_EQ(ex.queue(test::builtin_task("never submitted")), le::status::ok);
    CHECK(dup2(fileno(printed), STDERR_FILENO) >= 0);
  }
  CHECK(dup2(stderr_before, STDERR_FILENO) >= 0);
  CHECK_CONTAINS(records, "still queued are dropped");
  CHECK_EQ(lseek(fileno(printed), 0, SEEK_END), 0);
  close(stderr_before);
  std::fclose(printed);
}

// The callback stays with its executor when that is moved.
static void moved() {
  std::atomic<int> records{0};
  le::executor first(config);
  first.set_log_callback([&](const le::log_record &) { records++; }, le::log_level::trace);
  le::executor second(std::move(first));
  first = le::executor();
  make_records(second, records, 1);
}

int main() {
  records_and_exceptions();
  replaced();
  destroyed();
  at_the_end();
  moved();
}
