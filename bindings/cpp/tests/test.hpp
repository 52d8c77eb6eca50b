// Shared by the C++ tests: checks that print the place and the values, and the first steps of most
// tests. A failed check ends the test. Waits are for a condition, with a deadline.
#ifndef LAMBDA_EXECUTOR_CPP_TEST_HPP
#define LAMBDA_EXECUTOR_CPP_TEST_HPP

#include <lambda_executor.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

namespace le = lambdaexecutor;
using namespace std::chrono_literals;

namespace test {

// Long, because valgrind on a busy machine is slow.
inline constexpr auto deadline = 60s;

// A Lambda and an SQS in this process; the function takes no time and returns 0 unless the task has
// another behaviour.
inline constexpr std::string_view builtin = R"({"local": {"handler": "builtin"}})";

template <class T> void print(std::ostream &out, const T &value) {
  if constexpr (std::is_same_v<T, le::status> || std::is_same_v<T, le::task_state> ||
                std::is_same_v<T, le::reason>)
    out << le::name(value);
  else if constexpr (std::is_enum_v<T>)
    out << static_cast<long long>(value);
  else
    out << value;
}

template <class A, class B>
void check_equal(const char *file, int line, const char *text, const A &actual, const B &expected) {
  if (actual == expected)
    return;
  std::cerr << file << ':' << line << ": " << text << " is \"";
  print(std::cerr, actual);
  std::cerr << "\", expected \"";
  print(std::cerr, expected);
  std::cerr << "\"\n";
  std::exit(1);
}

inline void check_contains(const char *file, int line, std::string_view actual,
                           std::string_view part) {
  if (actual.find(part) != std::string_view::npos)
    return;
  std::cerr << file << ':' << line << ": \"" << actual << "\" lacks \"" << part << "\"\n";
  std::exit(1);
}

} // namespace test

#define FAIL(what)                                                                                 \
  do {                                                                                             \
    std::cerr << __FILE__ << ':' << __LINE__ << ": " << what << '\n';                              \
    std::exit(1);                                                                                  \
  } while (0)

#define CHECK(...)                                                                                 \
  do {                                                                                             \
    if (!(__VA_ARGS__))                                                                            \
      FAIL("not true: " #__VA_ARGS__);                                                             \
  } while (0)

#define CHECK_EQ(actual, expected) test::check_equal(__FILE__, __LINE__, #actual, actual, expected)

#define CHECK_CONTAINS(actual, part) test::check_contains(__FILE__, __LINE__, actual, part)

// The expression throws exactly this class, with this status and a message that contains the text.
#define CHECK_THROWS(expression, type, expected_status, part)                                      \
  do {                                                                                             \
    try {                                                                                          \
      (void)(expression);                                                                          \
      FAIL("nothing thrown: " #expression);                                                        \
    } catch (const le::error &error) {                                                             \
      if (typeid(error) != typeid(type))                                                           \
        FAIL(#expression " threw a " << typeid(error).name() << ": " << error.what());             \
      CHECK_EQ(error.status(), expected_status);                                                   \
      CHECK_CONTAINS(error.what(), part);                                                          \
    }                                                                                              \
  } while (0)

// Repeats the condition until it is true.
#define WAIT_UNTIL(...)                                                                            \
  do {                                                                                             \
    const auto until = std::chrono::steady_clock::now() + test::deadline;                          \
    while (!(__VA_ARGS__)) {                                                                       \
      if (std::chrono::steady_clock::now() > until)                                                \
        FAIL("not true before the deadline: " #__VA_ARGS__);                                       \
      std::this_thread::sleep_for(1ms);                                                            \
    }                                                                                              \
  } while (0)

#if LAMBDA_EXECUTOR_THROWS

namespace test {

// A task for the built-in handler with a behaviour such as {"duration_ms": 100}.
inline le::task builtin_task(std::string_view key, std::string_view behaviour = "{}") {
  std::string config = R"({"builtin": )";
  config.append(behaviour).append("}");
  return le::task(key).command({"true"}).executor_config(config);
}

// The final event of the key, alone in its batch and not acknowledged; fails after the deadline.
// Other events are acknowledged.
inline le::events final_of(le::executor &ex, std::string_view key) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    le::events batch = ex.sync(until - std::chrono::steady_clock::now(), 1);
    if (batch.status() == le::status::timed_out)
      FAIL("no final event of " << key);
    for (const le::event event : batch)
      if (event.is_final() && event.key() == key)
        return batch;
  }
}

} // namespace test

#endif
#endif
