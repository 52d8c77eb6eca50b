/// lambda_executor.hpp - the C API of lambda_executor.h for C++17 and later: owners in place of
/// pointers to free, std::string_view and std::chrono in place of bytes and milliseconds, all in
/// this header.
///
/// In short
///   Create an executor, `queue` tasks, call `sync` in a loop, and go through the events that it
///   returns:
///
///     namespace le = lambdaexecutor;
///     le::executor ex(R"({"local": {}})");
///     if (ex.queue(le::task("greeting").command({"echo", "hello"})) != le::status::ok) ...
///     for (le::event event : ex.sync(le::forever))
///       std::cout << event.key() << ": " << le::name(event.state()) << '\n';
///
/// Rules for every member
///   - lambda_executor.h is the contract: it says what each call does and which statuses it
///     returns. This header documents what C++ adds.
///   - The loop above acknowledges an event when it takes the next one, and the last event when it
///     ends. An exception, `break` or `return` that leaves the loop acknowledges nothing more: the
///     event of that moment and those after it are handed out again by the next `sync`, with the
///     same seq. See class `events`.
///   - Two styles, as in std::filesystem. A call without a `failure` as its last argument throws
///     `error` when it fails. The same call with one throws nothing of its own and returns the
///     status; it allocates memory only where it is not noexcept. Statuses that are no failure
///     (partial, duplicate, queue_full, timed_out, interrupted, not_found) are returned in both
///     styles and never thrown. With -fno-exceptions only the second style is declared.
///   - executor, events and failure own their resources. They can be moved but not copied, and may
///     be destroyed in any order. An empty one (default-constructed or moved from) can be destroyed
///     and assigned to; calls on an empty executor fail with err_invalid_argument.
///   - Strings in are UTF-8 and copied before the call returns. A string_view out is valid as long
///     as the events or failure that returned it; those of `name` and `version_string` are static.
///     A NUL follows the last character of each.
///   - Every member may be called from any thread at any time, with two exceptions. While an
///     executor is moved, assigned to or destroyed, no other call on it may be running, and no loop
///     over its events. set_log_callback may be called from one thread at a time.
///
/// The namespace is lambdaexecutor, because lambda_executor is a struct of the C API.
/// Licence: Apache-2.0.

#ifndef LAMBDA_EXECUTOR_HPP
#define LAMBDA_EXECUTOR_HPP

// Not "< 201703L": g++ 7 has C++17 under an earlier number.
#if __cplusplus <= 201402L
#error "lambda_executor.hpp needs C++17: -std=c++17"
#endif

#include <lambda_executor.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <ratio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif
#ifdef __cpp_lib_format
#include <format>
#endif

/// 1 where calls that throw are declared.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define LAMBDA_EXECUTOR_THROWS 1
#else
#define LAMBDA_EXECUTOR_THROWS 0
#endif

/// The result refers into the object that the call is made on: compilers that know this attribute
/// warn if it outlives a temporary.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define LAMBDA_EXECUTOR_LIFETIMEBOUND [[clang::lifetimebound]]
#elif __has_cpp_attribute(msvc::lifetimebound)
#define LAMBDA_EXECUTOR_LIFETIMEBOUND [[msvc::lifetimebound]]
#endif
#endif
#ifndef LAMBDA_EXECUTOR_LIFETIMEBOUND
#define LAMBDA_EXECUTOR_LIFETIMEBOUND
#endif

namespace lambdaexecutor {

// ---- Constants. A newer library may return values that have no name here. ----

/// Result of a call, LAMBDA_EXECUTOR_...: 0 success, positive flow control, negative failure.
enum class status : std::int32_t {
  ok = LAMBDA_EXECUTOR_OK,
  timed_out = LAMBDA_EXECUTOR_TIMED_OUT,
  interrupted = LAMBDA_EXECUTOR_INTERRUPTED,
  queue_full = LAMBDA_EXECUTOR_QUEUE_FULL,
  duplicate = LAMBDA_EXECUTOR_DUPLICATE,
  not_found = LAMBDA_EXECUTOR_NOT_FOUND,
  buffer_too_small = LAMBDA_EXECUTOR_BUFFER_TOO_SMALL,
  partial = LAMBDA_EXECUTOR_PARTIAL,
  err_invalid_argument = LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT,
  err_invalid_config = LAMBDA_EXECUTOR_ERR_INVALID_CONFIG,
  err_closed = LAMBDA_EXECUTOR_ERR_CLOSED,
  err_forked = LAMBDA_EXECUTOR_ERR_FORKED,
  err_panic = LAMBDA_EXECUTOR_ERR_PANIC,
  err_credentials = LAMBDA_EXECUTOR_ERR_CREDENTIALS,
  err_aws = LAMBDA_EXECUTOR_ERR_AWS,
  err_io = LAMBDA_EXECUTOR_ERR_IO,
  err_journal = LAMBDA_EXECUTOR_ERR_JOURNAL,
  err_unsupported = LAMBDA_EXECUTOR_ERR_UNSUPPORTED,
  err_payload_too_large = LAMBDA_EXECUTOR_ERR_PAYLOAD_TOO_LARGE,
};

/// State of a task, LAMBDA_EXECUTOR_TASK_...
enum class task_state : std::int32_t {
  unknown = LAMBDA_EXECUTOR_TASK_UNKNOWN,
  queued = LAMBDA_EXECUTOR_TASK_QUEUED,
  submitting = LAMBDA_EXECUTOR_TASK_SUBMITTING,
  running = LAMBDA_EXECUTOR_TASK_RUNNING,
  succeeded = LAMBDA_EXECUTOR_TASK_SUCCEEDED,
  failed = LAMBDA_EXECUTOR_TASK_FAILED,
  cancelled = LAMBDA_EXECUTOR_TASK_CANCELLED,
  lost = LAMBDA_EXECUTOR_TASK_LOST,
};

/// Why a task ended, LAMBDA_EXECUTOR_REASON_...
enum class reason : std::int32_t {
  none = LAMBDA_EXECUTOR_REASON_NONE,
  exit = LAMBDA_EXECUTOR_REASON_EXIT,
  signal = LAMBDA_EXECUTOR_REASON_SIGNAL,
  timeout = LAMBDA_EXECUTOR_REASON_TIMEOUT,
  expired = LAMBDA_EXECUTOR_REASON_EXPIRED,
  dead_letter = LAMBDA_EXECUTOR_REASON_DEAD_LETTER,
  invoke_failed = LAMBDA_EXECUTOR_REASON_INVOKE_FAILED,
  lost = LAMBDA_EXECUTOR_REASON_LOST,
  never_invoked = LAMBDA_EXECUTOR_REASON_NEVER_INVOKED,
  abandoned = LAMBDA_EXECUTOR_REASON_ABANDONED,
  setup_failed = LAMBDA_EXECUTOR_REASON_SETUP_FAILED,
  bad_event = LAMBDA_EXECUTOR_REASON_BAD_EVENT,
  reply_to_refused = LAMBDA_EXECUTOR_REASON_REPLY_TO_REFUSED,
  bad_result = LAMBDA_EXECUTOR_REASON_BAD_RESULT,
  value_too_large = LAMBDA_EXECUTOR_REASON_VALUE_TOO_LARGE,
};

/// Level of a log record, LAMBDA_EXECUTOR_LOG_...
enum class log_level : std::int32_t {
  off = LAMBDA_EXECUTOR_LOG_OFF,
  error = LAMBDA_EXECUTOR_LOG_ERROR,
  warn = LAMBDA_EXECUTOR_LOG_WARN,
  info = LAMBDA_EXECUTOR_LOG_INFO,
  debug = LAMBDA_EXECUTOR_LOG_DEBUG,
  trace = LAMBDA_EXECUTOR_LOG_TRACE,
};

/// What `drain` does with tasks that wait to be submitted, LAMBDA_EXECUTOR_DRAIN_...
enum class drain_mode : std::uint32_t {
  finish = LAMBDA_EXECUTOR_DRAIN_FINISH,
  cancel_queued = LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED,
};

/// Whether a status is a failure, which the first style throws.
constexpr bool is_failure(status what) noexcept {
  return static_cast<std::int32_t>(what) < 0;
}

/// Whether a task in this state has ended: no event of another state follows.
constexpr bool is_final(task_state state) noexcept {
  return static_cast<std::int32_t>(state) >= LAMBDA_EXECUTOR_TASK_SUCCEEDED;
}

/// "OK", "TIMED_OUT", "ERR_CLOSED".
inline std::string_view name(status what) noexcept {
  return lambda_executor_status_name(static_cast<std::int32_t>(what));
}

/// A sentence about a status, for people.
inline std::string_view describe(status what) noexcept {
  if (what == status::interrupted)
    return "a signal or wake ended the wait; call again to continue waiting";
  return lambda_executor_status_string(static_cast<std::int32_t>(what));
}

/// "queued", "succeeded".
inline std::string_view name(task_state state) noexcept {
  return lambda_executor_task_state_name(static_cast<std::int32_t>(state));
}

/// "exit", "dead_letter".
inline std::string_view name(reason why) noexcept {
  return lambda_executor_reason_name(static_cast<std::int32_t>(why));
}

/// "error", "warn"; "off".
inline std::string_view name(log_level level) noexcept {
  constexpr std::string_view names[] = {"off", "error", "warn", "info", "debug", "trace"};
  const auto at = static_cast<std::size_t>(level);
  return at < std::size(names) ? names[at] : "unknown";
}

/// Writes the name of a status, state, reason or log level. With std::format too: "{}", and the
/// options of strings.
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, status what) {
  return out << name(what);
}
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out,
                                             task_state state) {
  return out << name(state);
}
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, reason why) {
  return out << name(why);
}
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out,
                                             log_level level) {
  return out << name(level);
}

// ---- std::error_code. ----

namespace detail {

class category final : public std::error_category {
public:
  [[nodiscard]] const char *name() const noexcept override {
    return "lambda_executor";
  }
  [[nodiscard]] std::string message(int value) const override {
    return std::string(describe(status{value}));
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    if (status{value} == status::timed_out)
      return std::errc::timed_out;
    if (status{value} == status::interrupted)
      return std::errc::interrupted;
    if (status{value} == status::err_invalid_argument)
      return std::errc::invalid_argument;
    return {value, *this};
  }
};

} // namespace detail

/// The category of every status as a std::error_code; its message is describe(status).
inline const std::error_category &error_category() noexcept {
  static const detail::category category;
  return category;
}

/// A status as a std::error_code. Every status but ok is true, flow control too.
inline std::error_code make_error_code(status what) noexcept {
  return {static_cast<int>(what), error_category()};
}

// ---- The library and its versions. ----

/// The version of the loaded library, a number like LAMBDA_EXECUTOR_VERSION.
inline std::uint32_t version() noexcept {
  return lambda_executor_version();
}

/// The version of the loaded library, such as "0.2.0".
inline std::string_view version_string() noexcept {
  return lambda_executor_version_string();
}

/// The ABI of the loaded library, a number like LAMBDA_EXECUTOR_ABI_VERSION.
inline std::uint32_t abi_version() noexcept {
  return lambda_executor_abi_version();
}

/// The JSON Schema of the configuration.
inline std::string_view config_schema() noexcept {
  return lambda_executor_config_schema();
}

/// Sets `out` to a random attempt_id, a version 4 UUID of 36 characters. A host with a database
/// stores it with the task before it queues the task: after a crash it can adopt exactly that
/// submission, or submit it again with the same attempt_id. Empty on failure.
[[nodiscard]] inline status new_attempt_id(std::string &out) {
  char id[LAMBDA_EXECUTOR_ATTEMPT_ID_SIZE] = "";
  const status done{lambda_executor_new_attempt_id(id)};
  out.assign(id);
  return done;
}

// ---- Time. ----

namespace detail {

/// Whole milliseconds, rounded away from 0: a wait is never shorter than the duration, and only 0
/// becomes 0. Saturates at the largest value.
template <class Rep, class Period>
constexpr std::int64_t to_ms(std::chrono::duration<Rep, Period> time) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if constexpr (std::is_integral_v<Rep>) {
    using factor = std::ratio_divide<Period, std::milli>;
    if constexpr (sizeof(Rep) >= sizeof(most) && std::is_unsigned_v<Rep>)
      if (time.count() > static_cast<Rep>(most))
        return most;
    const auto count = static_cast<std::int64_t>(time.count());
    const std::int64_t whole = count / factor::den;
    if (whole > most / factor::num - 1 || whole < 1 - most / factor::num)
      return count < 0 ? -most : most;
    const std::int64_t rest = count % factor::den * factor::num;
    return whole * factor::num + rest / factor::den + (rest % factor::den > 0) -
           (rest % factor::den < 0);
  } else {
    const auto exact = std::chrono::duration<long double, std::milli>(time).count();
    const auto size = exact < 0 ? -exact : exact;
    if (!(size > 0)) // NaN too
      return 0;
    if (size >= static_cast<long double>(most))
      return exact < 0 ? -most : most;
    // The error of a decimal fraction in binary does not count: 0.1 s is 100 ms, not 101.
    const auto slack =
        std::max(1e-6L, size * static_cast<long double>(std::numeric_limits<Rep>::epsilon()));
    auto whole = static_cast<std::int64_t>(size);
    if (whole == 0 || size - static_cast<long double>(whole) > slack)
      whole++;
    return exact < 0 ? -whole : whole;
  }
}

/// The time point of a Unix time in ms; none for 0 and outside of the clock's range, which with
/// nanoseconds is 1677 to 2262.
inline std::optional<std::chrono::system_clock::time_point> time_of(std::int64_t unix_ms) noexcept {
  using clock = std::chrono::system_clock;
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  if (unix_ms == 0 || unix_ms > duration_cast<milliseconds>(clock::duration::max()).count() ||
      unix_ms < duration_cast<milliseconds>(clock::duration::min()).count())
    return std::nullopt;
  return clock::time_point(milliseconds(unix_ms));
}

} // namespace detail

/// How long a call may wait: any std::chrono::duration, rounded up to milliseconds, or `forever`. 0
/// and negative durations do not wait, so that the rest of a deadline can be passed as it is.
class timeout {
public:
  template <class Rep, class Period>
  constexpr timeout(std::chrono::duration<Rep, Period> time) noexcept
      : ms_(detail::to_ms(time) > 0 ? detail::to_ms(time) : 0) {
  }

  /// In the form of the C API.
  [[nodiscard]] constexpr std::int64_t ms() const noexcept {
    return ms_;
  }

  /// See the constants `forever` and `configured`.
  static constexpr timeout special(std::int64_t ms) noexcept {
    timeout it{std::chrono::milliseconds(0)};
    it.ms_ = ms;
    return it;
  }

private:
  std::int64_t ms_;
};

/// Wait without limit.
inline constexpr timeout forever = timeout::special(-1);

/// For `drain` only: as long as option end_wait_timeout says.
inline constexpr timeout configured = timeout::special(LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED);

// ---- Errors. ----

namespace detail {

inline std::string_view view(lambda_executor_str_t text) noexcept {
  return {text.ptr, text.len};
}

/// Never NULL, which `create` takes as a request for Airflow's configuration.
inline lambda_executor_str_t str(std::string_view text) noexcept {
  return {text.data() != nullptr ? text.data() : "", text.size()};
}

/// A message of the C API with the names of this header; empty if the message names nothing of the
/// C API. The phrases are so long that no key is likely to contain one.
inline std::string in_cpp(std::string_view message) {
  constexpr std::pair<std::string_view, std::string_view> at_start[] = {
      {"n is ", "the number of entries is "},
      {"timeout_ms is ", "the timeout in ms is "},
      {"config_json ", "the configuration "},
  };
  constexpr std::pair<std::string_view, std::string_view> anywhere[] = {
      {"the executor is NULL", "the executor is empty: default-constructed, moved from or freed"},
      {"batch is NULL", "there are no events"},
      {"(set argv and argc, or command_json)", "(call command, shell or command_json)"},
      {"`: command_json ", "`: the command "},
      {"`: executor_config_json ", "`: executor_config "},
      {"`: timeout_ms is ", "`: the timeout in ms is "},
      {"`: max_wait_ms is ", "`: max_wait in ms is "},
      {"`: result_timeout_ms is ", "`: result_timeout in ms is "},
      {"one from lambda_executor_new_attempt_id", "one from new_attempt_id"},
      {"call lambda_executor_batch_ack or lambda_executor_ack",
       "call events::ack or executor::ack"},
      {"LAMBDA_EXECUTOR_DRAIN_FINISH, 0", "drain_mode::finish"},
      {"LAMBDA_EXECUTOR_DRAIN_CANCEL_QUEUED, 1", "drain_mode::cancel_queued"},
      {"LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED", "configured"},
      {"free the executor and create a new one", "destroy the executor and create a new one"},
  };
  std::string text;
  for (const auto &[c, cpp] : at_start)
    if (message.substr(0, c.size()) == c)
      text.assign(cpp).append(message.substr(c.size()));
  for (const auto &[c, cpp] : anywhere) {
    const std::string_view now = text.empty() ? message : std::string_view(text);
    if (const std::size_t at = now.find(c); at != std::string_view::npos)
      text = std::string(now.substr(0, at)).append(cpp).append(now.substr(at + c.size()));
  }
  return text;
}

} // namespace detail

/// Why a call failed: its status, a message, and the details of AWS. Empty after a call that did
/// not fail. Calls that take a `failure` set it.
class failure {
public:
  failure() noexcept = default;

  /// The status that the failed call returned; ok if nothing failed.
  [[nodiscard]] lambdaexecutor::status status() const noexcept {
    return lambdaexecutor::status{lambda_executor_error_status(error_.get())};
  }

  /// The same as a std::error_code.
  [[nodiscard]] std::error_code code() const noexcept {
    return make_error_code(status());
  }

  /// What happened and what to do about it; empty if nothing failed.
  [[nodiscard]] std::string_view message() const noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return text_.empty() ? detail::view(lambda_executor_error_message(error_.get()))
                         : std::string_view(text_);
  }

  /// AWS's error code, such as "AccessDeniedException", or a name of this library for what did not
  /// reach AWS, such as "ConnectionFailed". Empty if the failure is not of a call to AWS.
  [[nodiscard]] std::string_view aws_code() const noexcept {
    return lambda_executor_error_aws_code(error_.get());
  }

  /// AWS's id of the failed request, for AWS's support. Empty if AWS did not answer.
  [[nodiscard]] std::string_view request_id() const noexcept {
    return lambda_executor_error_request_id(error_.get());
  }

  /// Whether the same call may succeed later without a change by the operator: AWS was not reached,
  /// failed, or throttled the call.
  [[nodiscard]] bool is_retriable() const noexcept {
    return lambda_executor_error_is_retriable(error_.get()) != 0;
  }

  /// Whether something failed.
  explicit operator bool() const noexcept {
    return error_ != nullptr;
  }

  /// The error of the C API, NULL if nothing failed. The failure still owns it.
  [[nodiscard]] const lambda_executor_error_t *native_handle() const noexcept {
    return error_.get();
  }

  /// The last argument of one call to the C API. Its error replaces the one of this failure when
  /// the returned object is destroyed, at the end of the full expression.
  auto out() noexcept {
    return receiver(*this);
  }

private:
  struct freer {
    void operator()(lambda_executor_error_t *error) const noexcept {
      lambda_executor_error_free(error);
    }
  };

  class receiver {
  public:
    explicit receiver(failure &owner) noexcept : owner_(owner) {
    }
    receiver(const receiver &) = delete;
    receiver &operator=(const receiver &) = delete;
    ~receiver() {
      owner_.receive(error_);
    }
    operator lambda_executor_error_t **() noexcept {
      return &error_;
    }

  private:
    failure &owner_;
    lambda_executor_error_t *error_ = nullptr;
  };

  void receive(lambda_executor_error_t *error) noexcept {
    error_.reset(error);
    text_.clear();
    if (error == nullptr)
      return;
#if LAMBDA_EXECUTOR_THROWS
    try {
      text_ = detail::in_cpp(detail::view(lambda_executor_error_message(error)));
    } catch (...) { // Without memory the message is that of the C API.
    }
#else
    text_ = detail::in_cpp(detail::view(lambda_executor_error_message(error)));
#endif
  }

  std::unique_ptr<lambda_executor_error_t, freer> error_{};
  std::string text_{}; // the message in the words of this header, where it has others
};

#if LAMBDA_EXECUTOR_THROWS

/// A call failed. what() says what happened and what to do about it. The derived classes are for
/// catching; failures without a class of their own are thrown as this one.
class error : public std::runtime_error {
public:
  error(lambdaexecutor::status status, const std::string &message)
      : std::runtime_error(message), status_(status) {
  }

  /// With the details of a failed call.
  error(lambdaexecutor::status status, const std::string &message, const failure &why)
      : error(status, message) {
    retriable_ = why.is_retriable();
    if (!why.aws_code().empty() || !why.request_id().empty())
      aws_ = std::make_shared<const aws>(
          aws{std::string(why.aws_code()), std::string(why.request_id())});
  }

  [[nodiscard]] lambdaexecutor::status status() const noexcept {
    return status_;
  }

  /// The status as a std::error_code.
  [[nodiscard]] std::error_code code() const noexcept {
    return make_error_code(status_);
  }

  /// As failure::aws_code. Valid as long as the error.
  [[nodiscard]] std::string_view aws_code() const noexcept {
    return aws_ != nullptr ? std::string_view(aws_->code) : std::string_view("");
  }

  /// As failure::request_id. Valid as long as the error.
  [[nodiscard]] std::string_view request_id() const noexcept {
    return aws_ != nullptr ? std::string_view(aws_->request_id) : std::string_view("");
  }

  /// As failure::is_retriable.
  [[nodiscard]] bool is_retriable() const noexcept {
    return retriable_;
  }

private:
  struct aws {
    std::string code;
    std::string request_id;
  };

  lambdaexecutor::status status_;
  bool retriable_ = false;
  // Shared, because copying an exception must not throw.
  std::shared_ptr<const aws> aws_{};
};

/// err_invalid_argument: the call or the task is wrong. Repeating it does not help.
class invalid_argument_error : public error {
  using error::error;
};

/// err_payload_too_large: the task is larger than option max_payload_bytes.
class payload_too_large_error : public invalid_argument_error {
  using invalid_argument_error::invalid_argument_error;
};

/// err_invalid_config: what() has every mistake in the configuration, one line each.
class invalid_config_error : public error {
  using error::error;
};

/// err_closed: closed, or drained. Loops in other threads end with it.
class closed_error : public error {
  using error::error;
};

/// err_aws: AWS could not be reached or refused a call.
class aws_error : public error {
  using error::error;
};

/// err_credentials: AWS credentials missing or rejected.
class credentials_error : public aws_error {
  using aws_error::aws_error;
};

namespace detail {

[[noreturn]] inline void raise(status what, const failure &why) {
  // Calls without an error object, such as `wake`, have only their status.
  const std::string message(why ? why.message() : describe(what));
  if (what == status::err_invalid_argument)
    throw invalid_argument_error(what, message, why);
  if (what == status::err_payload_too_large)
    throw payload_too_large_error(what, message, why);
  if (what == status::err_invalid_config)
    throw invalid_config_error(what, message, why);
  if (what == status::err_closed)
    throw closed_error(what, message, why);
  if (what == status::err_aws)
    throw aws_error(what, message, why);
  if (what == status::err_credentials)
    throw credentials_error(what, message, why);
  throw error(what, message, why);
}

/// The status, unless it is a failure.
inline status checked(status what, const failure &why = failure()) {
  if (is_failure(what))
    raise(what, why);
  return what;
}

} // namespace detail

/// A random attempt_id: see the form with a string.
[[nodiscard]] inline std::string new_attempt_id() {
  std::string id;
  detail::checked(new_attempt_id(id));
  return id;
}

#endif

// ---- Tasks. ----

namespace detail {

/// Whether the elements of a range stay in place while others are read, as those of a container
/// do: the array that the library receives points into all of them at once.
template <class Range> constexpr bool keeps_elements() noexcept {
  using iterator = decltype(std::begin(std::declval<const Range &>()));
  using element = decltype(*std::declval<iterator &>());
  // A reference from a single-pass iterator may point into the iterator.
  if constexpr (std::is_lvalue_reference_v<element>)
    return std::is_base_of_v<std::forward_iterator_tag,
                             typename std::iterator_traits<iterator>::iterator_category>;
  else // The characters of a view or pointer are not in the element.
    return std::is_same_v<std::decay_t<element>, std::string_view> ||
           std::is_pointer_v<std::decay_t<element>>;
}

} // namespace detail

/// A task to run. It copies what the setters receive, so one object can be queued many times;
/// queuing it allocates nothing. `queue` checks the fields, the setters do not. Setters can be
/// chained:
///
///     task("report").command({"python3", "report.py"}).timeout(10min).tag(7)
class task {
public:
  /// The key: 1 to LAMBDA_EXECUTOR_MAX_KEY_BYTES bytes of UTF-8 without a NUL, unique among
  /// unfinished tasks.
  explicit task(std::string_view key) : key_(key) {
  }

  [[nodiscard]] std::string_view key() const noexcept {
    return key_;
  }

  /// Sets another key, for a next task that is otherwise the same.
  task &key(std::string_view key) & {
    key_.assign(key);
    return *this;
  }

  /// The command: a program and its arguments. `command`, `shell` and `command_json` replace each
  /// other.
  task &command(std::initializer_list<std::string_view> argv) & {
    return list(argv);
  }

  /// The same from a range of anything that converts to std::string_view, such as
  /// std::vector<std::string>. For a single string use `shell` or `command_json`.
  template <class Range,
            class = std::enable_if_t<!std::is_convertible_v<const Range &, std::string_view>>>
  task &command(const Range &argv) & {
    return list(argv);
  }

  /// The command: one line for the shell.
  task &shell(std::string_view line) & {
    command_.clear();
    append_quoted(line);
    return *this;
  }

  /// The command as JSON: a list of strings (program and arguments), or one string (for the shell).
  task &command_json(std::string_view json) & {
    command_.assign(json);
    return *this;
  }

  /// A JSON object that the function receives as `executor_config`. Empty: {}. Its members
  /// timeout_ms and function_qualifier have an effect only with option allow_task_overrides.
  task &executor_config(std::string_view json) & {
    executor_config_.assign(json);
    return *this;
  }

  /// Name of the route (option queues). Empty: the default route. Ignored without option queues.
  task &queue(std::string_view name) & {
    queue_.assign(name);
    return *this;
  }

  /// Time limit of the command, rounded up to milliseconds. 0: only the limit of the function.
  /// `queue` refuses negative ones.
  template <class Rep, class Period> task &timeout(std::chrono::duration<Rep, Period> limit) & {
    timeout_ms_ = detail::to_ms(limit);
    return *this;
  }

  /// The task fails with reason expired after waiting so long to be submitted, rounded up to
  /// milliseconds. 0: no limit. `queue` refuses negative ones.
  template <class Rep, class Period> task &max_wait(std::chrono::duration<Rep, Period> limit) & {
    max_wait_ms_ = detail::to_ms(limit);
    return *this;
  }

  /// The task is lost after so long without a result, counted from its submission or from `adopt`,
  /// rounded up to milliseconds. 0: option result_timeout_ms. Negative ones are refused.
  template <class Rep, class Period>
  task &result_timeout(std::chrono::duration<Rep, Period> limit) & {
    result_timeout_ms_ = detail::to_ms(limit);
    return *this;
  }

  /// A number of the host, returned in every event of the task.
  task &tag(std::uint64_t tag) & {
    tag_ = tag;
    return *this;
  }

  /// Which submission of the key this is, a UUID. For `queue`, from new_attempt_id; empty: the
  /// executor makes one. For `adopt`, the one of the task's submission; empty: any.
  task &attempt_id(std::string_view id) & {
    attempt_id_.assign(id);
    return *this;
  }

  // The same on a temporary, which can then be moved into a container.

  task &&key(std::string_view key) && {
    return std::move(this->key(key));
  }
  task &&command(std::initializer_list<std::string_view> argv) && {
    return std::move(command(argv));
  }
  template <class Range,
            class = std::enable_if_t<!std::is_convertible_v<const Range &, std::string_view>>>
  task &&command(const Range &argv) && {
    return std::move(command(argv));
  }
  task &&shell(std::string_view line) && {
    return std::move(shell(line));
  }
  task &&command_json(std::string_view json) && {
    return std::move(command_json(json));
  }
  task &&executor_config(std::string_view json) && {
    return std::move(executor_config(json));
  }
  task &&queue(std::string_view name) && {
    return std::move(queue(name));
  }
  template <class Rep, class Period> task &&timeout(std::chrono::duration<Rep, Period> limit) && {
    return std::move(timeout(limit));
  }
  template <class Rep, class Period> task &&max_wait(std::chrono::duration<Rep, Period> limit) && {
    return std::move(max_wait(limit));
  }
  template <class Rep, class Period>
  task &&result_timeout(std::chrono::duration<Rep, Period> limit) && {
    return std::move(result_timeout(limit));
  }
  task &&tag(std::uint64_t tag) && {
    return std::move(this->tag(tag));
  }
  task &&attempt_id(std::string_view id) && {
    return std::move(attempt_id(id));
  }

  /// In the form of the C API; valid until the task changes.
  [[nodiscard]] lambda_executor_task_t native() const noexcept {
    lambda_executor_task_t native{};
    native.struct_size = sizeof native;
    native.tag = tag_;
    native.key = detail::str(key_);
    native.command_json = detail::str(command_);
    native.executor_config_json = detail::str(executor_config_);
    native.queue = detail::str(queue_);
    native.timeout_ms = timeout_ms_;
    native.max_wait_ms = max_wait_ms_;
    native.result_timeout_ms = result_timeout_ms_;
    native.attempt_id = detail::str(attempt_id_);
    return native;
  }

private:
  /// JSON and not pointers: one allocation that can be copied, and `queue` refuses a NUL in an
  /// argument, where a C string would end.
  template <class Range> task &list(const Range &argv) {
    command_.assign(1, '[');
    for (const auto &argument : argv) {
      if (command_.size() > 1)
        command_ += ',';
      append_quoted(argument);
    }
    command_ += ']';
    return *this;
  }

  void append_quoted(std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    command_ += '"';
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20) {
        command_ += "\\u00";
        command_ += digits[byte >> 4];
        command_ += digits[byte & 15];
      } else {
        if (c == '"' || c == '\\')
          command_ += '\\';
        command_ += c;
      }
    }
    command_ += '"';
  }

  std::string key_;
  std::string command_{};
  std::string executor_config_{};
  std::string queue_{};
  std::string attempt_id_{};
  std::uint64_t tag_ = 0;
  std::int64_t timeout_ms_ = 0;
  std::int64_t max_wait_ms_ = 0;
  std::int64_t result_timeout_ms_ = 0;
};

/// Result of a call on many tasks or keys: a status for each, in their order.
class results {
public:
  [[nodiscard]] std::size_t size() const noexcept {
    return statuses_.size();
  }

  status operator[](std::size_t index) const noexcept {
    return status{statuses_[index]};
  }

  class iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = status;
    using difference_type = std::ptrdiff_t;
    using pointer = const status *;
    using reference = status;

    iterator() noexcept = default;
    explicit iterator(const lambda_executor_status_t *at) noexcept : at_(at) {
    }
    status operator*() const noexcept {
      return status{*at_};
    }
    iterator &operator++() noexcept {
      ++at_;
      return *this;
    }
    iterator operator++(int) noexcept {
      return iterator(at_++);
    }
    friend bool operator==(iterator a, iterator b) noexcept {
      return a.at_ == b.at_;
    }
    friend bool operator!=(iterator a, iterator b) noexcept {
      return a.at_ != b.at_;
    }

  private:
    const lambda_executor_status_t *at_ = nullptr;
  };
  using const_iterator = iterator;
  using value_type = status;

  [[nodiscard]] iterator begin() const noexcept {
    return iterator(statuses_.data());
  }
  [[nodiscard]] iterator end() const noexcept {
    return iterator(statuses_.data() + statuses_.size());
  }

  /// How many are ok.
  [[nodiscard]] std::size_t accepted() const noexcept {
    return accepted_;
  }

  /// Why the first one failed, or the call itself; empty if none failed.
  [[nodiscard]] const failure &first_failure() const noexcept {
    return first_failure_;
  }

private:
  friend class executor;

  void start(std::size_t n) {
    statuses_.assign(n, LAMBDA_EXECUTOR_OK);
    accepted_ = 0;
  }

  /// If the call failed, its status is the status of each.
  status finish(std::int32_t done) noexcept {
    if (done < 0)
      for (std::int32_t &each : statuses_)
        each = done;
    for (const std::int32_t each : statuses_)
      accepted_ += each == LAMBDA_EXECUTOR_OK;
    return status{done};
  }

  std::vector<lambda_executor_status_t> statuses_{};
  std::size_t accepted_ = 0;
  failure first_failure_{};
};

// ---- Events. ----

class owned_event;

/// One change of a task: a view, as cheap to copy as a pointer, valid as long as its `events`; to
/// keep it longer, see to_owned. The table at lambda_executor_event says which members go together.
class event {
public:
  explicit event(const lambda_executor_event_t *native) noexcept : native_(native) {
  }

  // A view of a temporary.
  event(owned_event &&) = delete;
  event(const owned_event &&) = delete;
  event &operator=(owned_event &&) = delete;
  event &operator=(const owned_event &&) = delete;

  /// A copy of the event and of its strings, which does not need the `events`.
  [[nodiscard]] owned_event to_owned() const;

  /// Number of the event: starts at 1 in each executor and increases without gaps in the order of
  /// the first hand-out. An event that is handed out again keeps it.
  [[nodiscard]] std::uint64_t seq() const noexcept {
    return native_->seq;
  }

  /// The tag of the task.
  [[nodiscard]] std::uint64_t tag() const noexcept {
    return native_->tag;
  }

  /// The key of the task.
  [[nodiscard]] std::string_view key() const noexcept {
    return detail::view(native_->key);
  }

  /// running or a final state.
  [[nodiscard]] task_state state() const noexcept {
    return task_state{native_->state};
  }

  /// Whether the task has ended.
  [[nodiscard]] bool is_final() const noexcept {
    return lambdaexecutor::is_final(state());
  }

  /// Why the task ended; reason::none with running.
  [[nodiscard]] lambdaexecutor::reason reason() const noexcept {
    return lambdaexecutor::reason{native_->reason};
  }

  /// Exit status of the command; -n if signal n ended it, 126 or 127 if it could not be started,
  /// 124 after its time limit. None if not known.
  [[nodiscard]] std::optional<int> return_code() const noexcept {
    return native_->has_return_code != 0 ? std::optional<int>(native_->return_code) : std::nullopt;
  }

  /// Signal that ended the command, also after its time limit; else 0.
  [[nodiscard]] int signal() const noexcept {
    return native_->signal;
  }

  /// Attempts to invoke that counted: accepted or failed. Throttling and outages use none.
  [[nodiscard]] std::uint32_t attempts() const noexcept {
    return native_->attempts;
  }

  /// None if the time is not known, or outside of the range of std::chrono::system_clock.
  using time = std::optional<std::chrono::system_clock::time_point>;

  /// When `queue` accepted the task.
  [[nodiscard]] time queued_at() const noexcept {
    return detail::time_of(native_->queued_at_ms);
  }

  /// When Lambda accepted it; none if the result arrived before that answer, or the answer was
  /// lost.
  [[nodiscard]] time submitted_at() const noexcept {
    return detail::time_of(native_->submitted_at_ms);
  }

  /// When the command started, by the clock of the function, which may differ from this machine's.
  [[nodiscard]] time started_at() const noexcept {
    return detail::time_of(native_->started_at_ms);
  }

  /// When the command ended, by the clock of the function; if it did not run, when the executor
  /// ended the task.
  [[nodiscard]] time finished_at() const noexcept {
    return detail::time_of(native_->finished_at_ms);
  }

  /// What happened, for people. May be empty.
  [[nodiscard]] std::string_view message() const noexcept {
    return detail::view(native_->message);
  }

  /// Last part of the command's output, UTF-8, as much as the function's variable
  /// LAMBDA_EXECUTOR_OUTPUT_TAIL_BYTES allows (4096 by default).
  [[nodiscard]] std::string_view output_tail() const noexcept {
    return detail::view(native_->output_tail);
  }

  /// Length in bytes of all that the command wrote; 0 if not known.
  [[nodiscard]] std::uint64_t output_length() const noexcept {
    return native_->output_length;
  }

  /// Whether output_tail is less than all of the output.
  [[nodiscard]] bool output_truncated() const noexcept {
    return native_->output_truncated != 0;
  }

  /// What the command wrote to the file named in LAMBDA_EXECUTOR_RESULT_FILE: at most
  /// LAMBDA_EXECUTOR_MAX_VALUE_BYTES bytes, not always UTF-8.
  [[nodiscard]] std::string_view value() const noexcept {
    return detail::view(native_->value);
  }

  /// Whether the command wrote a result file that could not be sent. Such a task has not succeeded.
  [[nodiscard]] bool value_dropped() const noexcept {
    return native_->value_dropped != 0;
  }

  /// Lambda's id of the request, if known.
  [[nodiscard]] std::string_view request_id() const noexcept {
    return detail::view(native_->request_id);
  }

  /// CloudWatch log stream of the run, if known.
  [[nodiscard]] std::string_view log_stream() const noexcept {
    return detail::view(native_->log_stream);
  }

  /// Which submission of the key this is, a UUID. Empty for a task adopted without one.
  [[nodiscard]] std::string_view attempt_id() const noexcept {
    return detail::view(native_->attempt_id);
  }

  /// The event of the C API.
  [[nodiscard]] const lambda_executor_event_t *native_handle() const noexcept {
    return native_;
  }

private:
  const lambda_executor_event_t *native_;
};

/// An event that can be kept. Copies share one copy of the strings. Converts to an `event`, which
/// is valid as long as the owned_event.
class owned_event : public event {
public:
  explicit owned_event(const event &from) : owned_event(std::make_shared<const content>(from)) {
  }
  // A move copies, which is cheap, so that no owned_event is ever empty.
  owned_event(const owned_event &) = default;
  owned_event &operator=(const owned_event &) = default;
  ~owned_event() = default;

private:
  struct content {
    explicit content(const event &from) : native(*from.native_handle()) {
      const auto strings = {&native.key,       &native.message,    &native.output_tail,
                            &native.value,     &native.request_id, &native.log_stream,
                            &native.attempt_id};
      for (const lambda_executor_str_t *each : strings)
        text.append(detail::view(*each)).push_back('\0');
      const char *at = text.data();
      for (lambda_executor_str_t *each : strings) {
        each->ptr = at;
        at += each->len + 1;
      }
    }
    content(const content &) = delete;
    content &operator=(const content &) = delete;

    lambda_executor_event_t native;
    std::string text{};
  };

  explicit owned_event(std::shared_ptr<const content> from) noexcept
      : event(&from->native), content_(std::move(from)) {
  }

  std::shared_ptr<const content> content_;
};

inline owned_event event::to_owned() const {
  return owned_event(*this);
}

/// The event in one line: "nightly: failed (exit, return code 3)". With std::format too.
inline std::string to_string(const event &event) {
  std::string text(event.key());
  text.append(": ").append(name(event.state()));
  if (!event.is_final())
    return text;
  text.append(" (").append(name(event.reason()));
  if (const std::optional<int> code = event.return_code())
    text.append(", return code ").append(std::to_string(*code));
  return text += ')';
}
template <class Traits>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out,
                                             const event &event) {
  return out << to_string(event);
}

/// Steps through events without acknowledging them. Random access; `*it` is an `event` and not a
/// reference. The step is the stride of the library, whose events may be larger than this header
/// says.
class event_iterator {
public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = event;
  using difference_type = std::ptrdiff_t;
  using reference = event;
  class pointer {
  public:
    explicit pointer(event it) noexcept : it_(it) {
    }
    const event *operator->() const noexcept {
      return &it_;
    }

  private:
    event it_;
  };

  event_iterator() noexcept = default;

  event operator*() const noexcept {
    return event(reinterpret_cast<const lambda_executor_event_t *>(at_));
  }
  pointer operator->() const noexcept {
    return pointer(**this);
  }
  event operator[](difference_type n) const noexcept {
    return *(*this + n);
  }

  event_iterator &operator+=(difference_type n) noexcept {
    at_ += n * stride_;
    return *this;
  }
  event_iterator &operator-=(difference_type n) noexcept {
    return *this += -n;
  }
  event_iterator &operator++() noexcept {
    return *this += 1;
  }
  event_iterator &operator--() noexcept {
    return *this -= 1;
  }
  event_iterator operator++(int) noexcept {
    const event_iterator before = *this;
    ++*this;
    return before;
  }
  event_iterator operator--(int) noexcept {
    const event_iterator before = *this;
    --*this;
    return before;
  }

  friend event_iterator operator+(event_iterator it, difference_type n) noexcept {
    return it += n;
  }
  friend event_iterator operator+(difference_type n, event_iterator it) noexcept {
    return it += n;
  }
  friend event_iterator operator-(event_iterator it, difference_type n) noexcept {
    return it -= n;
  }
  friend difference_type operator-(event_iterator a, event_iterator b) noexcept {
    return (a.at_ - b.at_) / a.stride_;
  }
  friend bool operator==(event_iterator a, event_iterator b) noexcept {
    return a.at_ == b.at_;
  }
  friend bool operator!=(event_iterator a, event_iterator b) noexcept {
    return a.at_ != b.at_;
  }
  friend bool operator<(event_iterator a, event_iterator b) noexcept {
    return a.at_ < b.at_;
  }
  friend bool operator>(event_iterator a, event_iterator b) noexcept {
    return a.at_ > b.at_;
  }
  friend bool operator<=(event_iterator a, event_iterator b) noexcept {
    return a.at_ <= b.at_;
  }
  friend bool operator>=(event_iterator a, event_iterator b) noexcept {
    return a.at_ >= b.at_;
  }

private:
  friend class events;

  event_iterator(const lambda_executor_event_t *at, std::size_t stride) noexcept
      : at_(reinterpret_cast<const char *>(at)), stride_(static_cast<difference_type>(stride)) {
  }

  const char *at_ = nullptr;
  difference_type stride_ = 1;
};

namespace detail {

/// The executor of events that may outlive it; NULL once it has been freed.
using executor_link = std::shared_ptr<std::atomic<lambda_executor_t *>>;

} // namespace detail

/// Goes through events once, as a loop does, and acknowledges each one when it steps to the next.
class acknowledging_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = event;
  using difference_type = std::ptrdiff_t;
  using reference = event;
  using pointer = event_iterator::pointer;

  acknowledging_iterator() noexcept = default;

  event operator*() const noexcept {
    return *at_;
  }
  pointer operator->() const noexcept {
    return at_.operator->();
  }

  /// Acknowledges the event at this position. If that fails because the executor has been freed or
  /// belongs to the parent process, the event stays unacknowledged.
  acknowledging_iterator &operator++() noexcept {
    const std::uint64_t seq = at_->seq();
    lambda_executor_t *const handle = executor_ != nullptr ? executor_->load() : nullptr;
    if (handle != nullptr) {
      [[maybe_unused]] const std::int32_t done = lambda_executor_ack(handle, &seq, 1, nullptr);
    }
    ++at_;
    return *this;
  }
  acknowledging_iterator operator++(int) noexcept {
    const acknowledging_iterator before = *this;
    ++*this;
    return before;
  }

  /// The same position, for steps that do not acknowledge.
  operator event_iterator() const noexcept {
    return at_;
  }

  friend bool operator==(acknowledging_iterator a, acknowledging_iterator b) noexcept {
    return a.at_ == b.at_;
  }
  friend bool operator!=(acknowledging_iterator a, acknowledging_iterator b) noexcept {
    return a.at_ != b.at_;
  }

private:
  friend class events;

  acknowledging_iterator(const detail::executor_link &executor, event_iterator at) noexcept
      : executor_(executor.get()), at_(at) {
  }

  const std::atomic<lambda_executor_t *> *executor_ = nullptr;
  event_iterator at_{};
};

/// The events that `sync` handed out, with their strings. They wait for an acknowledgement, which
/// says that the host has stored what it needs of them and that their results may be deleted from
/// their queue:
///
///   - A range-for, or any other pass from begin() to end(), acknowledges an event when it takes
///     the next one, and the last one when it ends.
///   - ack() acknowledges all of them, executor::ack single ones.
///   - Destroying events, or assigning to them, does not: what has not been acknowledged by then is
///     handed out again by the next `sync`, with the same seq. So an exception, `break` or `return`
///     in a loop loses nothing.
///
/// Access by index, cbegin(), cend() and const events do not acknowledge.
class events {
public:
  using value_type = event;
  using iterator = acknowledging_iterator;
  using const_iterator = event_iterator;
  using size_type = std::size_t;

  /// No events.
  events() noexcept = default;

  events(events &&other) noexcept {
    *this = std::move(other);
  }
  events &operator=(events &&other) noexcept {
    batch_ = std::move(other.batch_);
    executor_ = std::move(other.executor_);
    status_ = std::exchange(other.status_, lambdaexecutor::status::timed_out);
    first_ = std::exchange(other.first_, event_iterator());
    size_ = std::exchange(other.size_, std::size_t{0});
    return *this;
  }

  /// ok if there are events; timed_out or interrupted if there are none.
  [[nodiscard]] lambdaexecutor::status status() const noexcept {
    return status_;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }
  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }
  acknowledging_iterator begin() & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return {executor_, cbegin()};
  }
  acknowledging_iterator end() & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return {executor_, cend()};
  }
  [[nodiscard]] event_iterator begin() const & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return cbegin();
  }
  [[nodiscard]] event_iterator end() const & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return cend();
  }
  [[nodiscard]] event_iterator cbegin() const & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return first_;
  }
  [[nodiscard]] event_iterator cend() const & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return first_ + static_cast<std::ptrdiff_t>(size_);
  }
  event operator[](std::size_t index) const & noexcept LAMBDA_EXECUTOR_LIFETIMEBOUND {
    return first_[static_cast<std::ptrdiff_t>(index)];
  }

  // An event of a temporary would be used after it was freed: keep the events in a variable, or
  // the event with event::to_owned.
  [[nodiscard]] event_iterator begin() const && = delete;
  [[nodiscard]] event_iterator end() const && = delete;
  [[nodiscard]] event_iterator cbegin() const && = delete;
  [[nodiscard]] event_iterator cend() const && = delete;
  event operator[](std::size_t index) const && = delete;

  /// Acknowledges all of them. A second call does nothing. err_closed if the executor has been
  /// freed: then their results are back in their queue.
  [[nodiscard]] lambdaexecutor::status ack(failure &why) noexcept {
    if (batch_ == nullptr) {
      why = failure();
      return lambdaexecutor::status::ok;
    }
    return lambdaexecutor::status{lambda_executor_batch_ack(batch_.get(), why.out())};
  }

#if LAMBDA_EXECUTOR_THROWS
  void ack() {
    failure why;
    detail::checked(ack(why), why);
  }
#endif

  /// The batch of the C API, NULL if there are no events. The events still own it.
  [[nodiscard]] const lambda_executor_batch_t *native_handle() const noexcept {
    return batch_.get();
  }

private:
  friend class executor;

  struct freer {
    void operator()(lambda_executor_batch_t *batch) const noexcept {
      lambda_executor_batch_free(batch);
    }
  };

  events(lambda_executor_batch_t *batch, lambdaexecutor::status status,
         const detail::executor_link &link) noexcept
      : batch_(batch), executor_(link), status_(status) {
    std::size_t stride = 0;
    const lambda_executor_event_t *first = lambda_executor_batch_events(batch, &size_, &stride);
    if (first != nullptr)
      first_ = event_iterator(first, stride);
  }

  std::unique_ptr<lambda_executor_batch_t, freer> batch_{};
  detail::executor_link executor_{};
  lambdaexecutor::status status_ = lambdaexecutor::status::timed_out;
  event_iterator first_{};
  std::size_t size_ = 0;
};

/// Numbers of tasks and events.
struct task_counts {
  /// Tasks that wait to be submitted.
  std::uint64_t queued = 0;
  /// Tasks whose Invoke is in flight, or whose answer was lost.
  std::uint64_t submitting = 0;
  /// Tasks that Lambda has accepted, adopted ones included.
  std::uint64_t running = 0;
  /// Events that have not been handed out.
  std::uint64_t waiting_events = 0;
  /// Events that have been handed out and not acknowledged.
  std::uint64_t unacknowledged = 0;
};

/// Result of `wait`.
struct waited {
  /// ok (the task is final), timed_out, interrupted, or not_found.
  lambdaexecutor::status status = lambdaexecutor::status::ok;
  /// State of the task when the call returned; unknown with not_found.
  task_state state = task_state::unknown;
};

/// Result of `drain`.
struct drained {
  /// ok (no task remains), timed_out, interrupted, or queue_full: so many results wait that no more
  /// are received. Then take and acknowledge events, and drain again.
  lambdaexecutor::status status = lambdaexecutor::status::ok;
  /// Tasks that have not finished.
  std::uint64_t remaining = 0;
};

// ---- The log. ----

/// One log record; valid during the callback only.
class log_record {
public:
  explicit log_record(const lambda_executor_log_record_t *native) noexcept : native_(native) {
  }

  [[nodiscard]] log_level level() const noexcept {
    return log_level{native_->level};
  }

  /// 1970 if the time is outside of the range of std::chrono::system_clock.
  [[nodiscard]] std::chrono::system_clock::time_point time() const noexcept {
    return detail::time_of(native_->time_ms).value_or(std::chrono::system_clock::time_point());
  }

  /// Part of the library that made it.
  [[nodiscard]] std::string_view target() const noexcept {
    return detail::view(native_->target);
  }

  /// What happened, for people. Never contains secrets.
  [[nodiscard]] std::string_view message() const noexcept {
    return detail::view(native_->message);
  }

private:
  const lambda_executor_log_record_t *native_;
};

/// Receives log records, one at a time, in a thread of the library. May call members of the
/// executor, but not destroy it; std::exit, which destroys static ones, is allowed. Exceptions that
/// it throws are dropped.
using log_callback = std::function<void(const log_record &)>;

namespace detail {

/// The user_data of the C callback as long as the executor lives; the callback behind it may
/// change. A callback that is replaced while it runs, perhaps by itself, lives until it returns.
class log_sink {
public:
  using target = std::shared_ptr<const log_callback>;

  /// Returns the previous callback.
  target replace(target next) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    target_.swap(next);
    return next;
  }

  /// Returns the callback for one call, which ends with `left`.
  target entered() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = target_ != nullptr;
    runner_ = std::this_thread::get_id();
    return target_;
  }

  void left() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = false;
    returned_.notify_all();
  }

  /// When this returns, the callback is not running and is not called again, unless the callback
  /// itself calls this: it has called std::exit, which destroys a static executor. Returns whether
  /// it was running.
  bool end() noexcept {
    target last; // released after the lock: it runs destructors of the host
    std::unique_lock<std::mutex> lock(mutex_);
    last.swap(target_);
    const bool was_running = running_;
    if (runner_ != std::this_thread::get_id())
      returned_.wait(lock, [this] { return !running_; });
    return was_running;
  }

  /// Keeps a sink that the library may still call. It is never freed, because nothing reports when
  /// the library stops. If a callback does not return, the library does not free the executor
  /// either. Both are in a list, so that leak checkers do not report them.
  static void keep(std::unique_ptr<log_sink> sink, const lambda_executor_t *executor) noexcept {
    static std::atomic<log_sink *> kept{nullptr};
    log_sink *const mine = sink.release();
    mine->executor_ = executor;
    mine->next_ = kept.load();
    while (!kept.compare_exchange_weak(mine->next_, mine))
      continue;
  }

private:
  std::mutex mutex_{};
  std::condition_variable returned_{};
  target target_{};
  bool running_ = false;
  std::thread::id runner_{}; // of the last call
  log_sink *next_ = nullptr;
  const lambda_executor_t *executor_ = nullptr; // may have been freed
};

/// The C callback. It has different names with and without exceptions: a program may have files of
/// both kinds, and the linker keeps one function of each name.
template <bool Throws>
void take_log_record(void *sink, const lambda_executor_log_record_t *record) noexcept {
  auto &self = *static_cast<log_sink *>(sink);
  log_sink::target now = self.entered();
  if (now == nullptr)
    return;
#if LAMBDA_EXECUTOR_THROWS
  try {
    (*now)(log_record(record));
  } catch (...) { // There is no caller that could handle it.
  }
#else
  (*now)(log_record(record));
#endif
  now.reset(); // Before `left`, after which the host may destroy what the callback refers to.
  self.left();
}

} // namespace detail

// ---- The executor. ----

/// An executor: configuration, threads, connections, and the tasks that it tracks. Destroying it
/// takes about option shutdown_grace_ms at most. Tasks that were not submitted are dropped: `drain`
/// first to keep them, or use `free` to learn their number. Running commands continue in Lambda.
/// The log callback receives the records of the end too, and the destructor waits for a callback
/// that runs.
class executor {
public:
  /// An empty one, to be assigned to.
  executor() noexcept = default;

  /// Creates an executor from a JSON object of options. `{"airflow": true}` reads Airflow's
  /// configuration. On failure `ex` is unchanged.
  [[nodiscard]] static status create(std::string_view config_json, executor &ex,
                                     failure &why) noexcept {
    lambda_executor_t *handle = nullptr;
    const lambda_executor_str_t config = detail::str(config_json);
    const status done{lambda_executor_create(config.ptr, config.len, &handle, why.out())};
    if (done == status::ok)
      ex = executor(handle);
    return done;
  }

#if LAMBDA_EXECUTOR_THROWS
  explicit executor(std::string_view config_json) {
    failure why;
    detail::checked(create(config_json, *this, why), why);
  }
#endif

  executor(const executor &) = delete;
  executor &operator=(const executor &) = delete;
  executor(executor &&other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), link_(std::move(other.link_)),
        log_(std::move(other.log_)) {
  }
  executor &operator=(executor &&other) noexcept {
    executor taken(std::move(other));
    std::swap(handle_, taken.handle_);
    std::swap(link_, taken.link_);
    std::swap(log_, taken.log_);
    return *this;
  }

  ~executor() {
    free();
  }

  /// Does what the destructor does, and returns how many tasks were dropped. The executor is empty
  /// afterwards.
  std::uint64_t free() noexcept {
    std::uint64_t dropped = 0;
    if (link_ != nullptr)
      link_->store(nullptr); // its events may outlive it
    link_.reset();
    if (log_ == nullptr) {
      lambda_executor_free(std::exchange(handle_, nullptr), &dropped);
      return dropped;
    }
    const bool of_parent = forked();
    const auto before = std::chrono::steady_clock::now();
    lambda_executor_t *const handle = std::exchange(handle_, nullptr);
    lambda_executor_free(handle, &dropped);
    // If it returned sooner, the log's thread has ended; if not, it may still call the sink.
    const bool waited = std::chrono::steady_clock::now() - before > std::chrono::milliseconds(200);
    if (of_parent || log_->end() || waited)
      detail::log_sink::keep(std::move(log_), handle);
    log_.reset();
    return dropped;
  }

  /// The executor of the C API, NULL for an empty one. This object still owns it.
  [[nodiscard]] lambda_executor_t *native_handle() const noexcept {
    return handle_;
  }

  // -- Tasks: queue, adopt, cancel

  /// Submits one task: ok, duplicate or queue_full.
  [[nodiscard]] status queue(const task &one, failure &why) noexcept {
    const lambda_executor_task_t native = one.native();
    return status{lambda_executor_queue(handle_, &native, why.out())};
  }

  /// Submits a range of tasks in one call, which is cheaper than one call for each. Each is
  /// accepted or refused by itself: ok if every task is ok, partial if not.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] status queue_batch(const Range &tasks, results &each) {
    const std::vector<lambda_executor_task_t> native = natives(tasks);
    each.start(native.size());
    auto error = each.first_failure_.out(); // of the first task, or of the call
    return each.finish(lambda_executor_queue_batch(handle_, native.data(), native.size(),
                                                   each.statuses_.data(), nullptr, error, error));
  }

  /// Tracks a task that an executor of an earlier process submitted: ok or duplicate.
  [[nodiscard]] status adopt(const task &one, failure &why) noexcept {
    const lambda_executor_task_t native = one.native();
    std::int32_t result = LAMBDA_EXECUTOR_OK;
    auto error = why.out();
    const std::int32_t done = lambda_executor_adopt(handle_, &native, 1, &result, error, error);
    return status{done == LAMBDA_EXECUTOR_PARTIAL ? result : done};
  }

  /// Tracks a range of tasks: ok if every task is ok, partial if not.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] status adopt_batch(const Range &tasks, results &each) {
    const std::vector<lambda_executor_task_t> native = natives(tasks);
    each.start(native.size());
    auto error = each.first_failure_.out();
    return each.finish(lambda_executor_adopt(handle_, native.data(), native.size(),
                                             each.statuses_.data(), error, error));
  }

#if LAMBDA_EXECUTOR_THROWS
  [[nodiscard]] status queue(const task &one) {
    failure why;
    return detail::checked(queue(one, why), why);
  }

  /// Throws if the call fails. For tasks that were refused see results::first_failure.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] results queue_batch(const Range &tasks) {
    results each;
    detail::checked(queue_batch(tasks, each), each.first_failure());
    return each;
  }

  [[nodiscard]] status adopt(const task &one) {
    failure why;
    return detail::checked(adopt(one, why), why);
  }

  /// Throws if the call fails. For tasks that were refused see results::first_failure.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] results adopt_batch(const Range &tasks) {
    results each;
    detail::checked(adopt_batch(tasks, each), each.first_failure());
    return each;
  }
#endif

  // -- Events: sync, acknowledge

  /// Hands out events, oldest first, and waits for the first one as long as `wait` allows: ok,
  /// timed_out or interrupted. What `out` held before is freed first; events in it that were not
  /// acknowledged are handed out again, perhaps by this call.
  ///
  /// max_events: at most so many. 0: LAMBDA_EXECUTOR_DEFAULT_EVENTS. SIZE_MAX: all that wait.
  [[nodiscard]] status sync(timeout wait, std::size_t max_events, events &out,
                            failure &why) noexcept {
    lambda_executor_batch_t *batch = nullptr;
    out = events();
    const status done{lambda_executor_sync(handle_, wait.ms(), max_events, &batch, why.out())};
    out = events(batch, done, link_);
    return done;
  }

  /// Acknowledges one event: the host has stored what it needs of it. Works until the executor is
  /// freed, also after `close`. Repeated and unknown numbers are allowed.
  status ack(std::uint64_t seq, failure &why) noexcept {
    return ack(&seq, 1, why);
  }
  status ack(const event &one, failure &why) noexcept {
    return ack(one.seq(), why);
  }

  /// Acknowledges n events.
  status ack(const std::uint64_t *seqs, std::size_t n, failure &why) noexcept {
    return status{lambda_executor_ack(handle_, seqs, n, why.out())};
  }

  /// Acknowledges the events of a std::vector<std::uint64_t> or another contiguous range.
  template <class Range = std::initializer_list<std::uint64_t>,
            class = std::enable_if_t<!std::is_convertible_v<const Range &, std::uint64_t>>>
  status ack(const Range &seqs, failure &why) noexcept {
    return ack(std::data(seqs), std::size(seqs), why);
  }

  /// A descriptor for poll or epoll. It is readable while events wait that have not been handed
  /// out, and from the moment on when a drain is over or the executor is closed. Call `sync` with 0
  /// when it is readable. Never read, write or close it. It lives as long as the executor.
  [[nodiscard]] status wakeup_fd(int &fd, failure &why) const noexcept {
    return status{lambda_executor_wakeup_fd(handle_, &fd, why.out())};
  }

#if LAMBDA_EXECUTOR_THROWS
  /// If the wait ended without an event, the result is empty, and events::status says why.
  [[nodiscard]] events sync(timeout wait, std::size_t max_events = 0) {
    events out;
    failure why;
    detail::checked(sync(wait, max_events, out, why), why);
    return out;
  }

  void ack(std::uint64_t seq) {
    ack(&seq, 1);
  }
  void ack(const event &one) {
    ack(one.seq());
  }

  void ack(const std::uint64_t *seqs, std::size_t n) {
    failure why;
    detail::checked(ack(seqs, n, why), why);
  }

  template <class Range = std::initializer_list<std::uint64_t>,
            class = std::enable_if_t<!std::is_convertible_v<const Range &, std::uint64_t>>>
  void ack(const Range &seqs) {
    ack(std::data(seqs), std::size(seqs));
  }

  [[nodiscard]] int wakeup_fd() const {
    int fd = -1;
    failure why;
    detail::checked(wakeup_fd(fd, why), why);
    return fd;
  }
#endif

  // -- State: these calls work until the executor is freed, also after `close`

  /// State of the newest task of a key: ok, or not_found with task_state::unknown.
  [[nodiscard]] status state(std::string_view key, task_state &out, failure &why) const noexcept {
    lambda_executor_task_state_t native = LAMBDA_EXECUTOR_TASK_UNKNOWN;
    const status done{lambda_executor_state(handle_, key.data(), key.size(), &native, why.out())};
    out = task_state{native};
    return done;
  }

  /// All that is known about the newest task of a key, as JSON for people: ok or not_found.
  [[nodiscard]] status describe(std::string_view key, std::string &out, failure &why) const {
    return text_of(out, [&](char *buffer, std::size_t room, std::size_t *needed) {
      return lambda_executor_describe(handle_, key.data(), key.size(), buffer, room, needed,
                                      why.out());
    });
  }

  /// Numbers of tasks and events. Cheap enough for every heartbeat.
  [[nodiscard]] status counts(task_counts &out, failure &why) const noexcept {
    lambda_executor_counts_t native = LAMBDA_EXECUTOR_COUNTS_INIT;
    const status done{lambda_executor_counts(handle_, &native, why.out())};
    out = {native.queued, native.submitting, native.running, native.waiting_events,
           native.unacknowledged};
    return done;
  }

  /// Counters, gauges, latency histograms and health as JSON.
  [[nodiscard]] status stats(std::string &out, failure &why) const {
    return text_of(out, [&](char *buffer, std::size_t room, std::size_t *needed) {
      return lambda_executor_stats(handle_, buffer, room, needed, why.out());
    });
  }

#if LAMBDA_EXECUTOR_THROWS
  /// task_state::unknown if there is no such task.
  [[nodiscard]] task_state state(std::string_view key) const {
    task_state out{};
    failure why;
    detail::checked(state(key, out, why), why);
    return out;
  }

  /// None if there is no such task.
  [[nodiscard]] std::optional<std::string> describe(std::string_view key) const {
    std::string out;
    failure why;
    if (detail::checked(describe(key, out, why), why) == status::not_found)
      return std::nullopt;
    return out;
  }

  [[nodiscard]] task_counts counts() const {
    task_counts out;
    failure why;
    detail::checked(counts(out, why), why);
    return out;
  }

  [[nodiscard]] std::string stats() const {
    std::string out;
    failure why;
    detail::checked(stats(out, why), why);
    return out;
  }
#endif

  // -- Cancel, wait, drain

  /// Cancels a task: ok, or not_found if it has finished or is unknown.
  status cancel(std::string_view key, failure &why) noexcept {
    const lambda_executor_str_t native = detail::str(key);
    std::int32_t result = LAMBDA_EXECUTOR_OK;
    auto error = why.out();
    const std::int32_t done = lambda_executor_cancel(handle_, &native, 1, &result, error, error);
    return status{done == LAMBDA_EXECUTOR_PARTIAL ? result : done};
  }

  /// Cancels the tasks of a range of keys, of anything that converts to std::string_view: ok if
  /// every key is ok, partial if not.
  template <class Range = std::initializer_list<std::string_view>>
  status cancel_batch(const Range &keys, results &each) {
    static_assert(
        detail::keeps_elements<Range>(),
        "a range of keys that exist, such as a std::vector<std::string>: strings that a view makes "
        "one by one would be destroyed too early");
    std::vector<lambda_executor_str_t> native;
    for (const auto &key : keys)
      native.push_back(detail::str(key));
    each.start(native.size());
    auto error = each.first_failure_.out();
    return each.finish(lambda_executor_cancel(handle_, native.data(), native.size(),
                                              each.statuses_.data(), error, error));
  }

  /// Waits until the newest task of a key is final: ok, timed_out, interrupted, or not_found. Sets
  /// `out` to its state. Its events still wait for `sync`, and must be acknowledged.
  [[nodiscard]] status wait(std::string_view key, timeout wait, task_state &out,
                            failure &why) noexcept {
    lambda_executor_task_state_t native = LAMBDA_EXECUTOR_TASK_UNKNOWN;
    const status done{
        lambda_executor_wait(handle_, key.data(), key.size(), wait.ms(), &native, why.out())};
    out = task_state{native};
    return done;
  }

  /// Accepts no more tasks, and waits until those accepted have finished: ok (no task remains),
  /// timed_out, interrupted, or queue_full, for which see `drained`.
  [[nodiscard]] status drain(drain_mode mode, timeout wait, std::uint64_t &remaining,
                             failure &why) noexcept {
    return status{lambda_executor_drain(handle_, static_cast<std::uint32_t>(mode), wait.ms(),
                                        &remaining, why.out())};
  }

#if LAMBDA_EXECUTOR_THROWS
  status cancel(std::string_view key) {
    failure why;
    return detail::checked(cancel(key, why), why);
  }

  /// Throws if the call fails. For keys that were refused see results::first_failure.
  template <class Range = std::initializer_list<std::string_view>>
  results cancel_batch(const Range &keys) {
    results each;
    detail::checked(cancel_batch(keys, each), each.first_failure());
    return each;
  }

  [[nodiscard]] waited wait(std::string_view key, timeout wait) {
    waited out;
    failure why;
    out.status = detail::checked(this->wait(key, wait, out.state, why), why);
    return out;
  }

  [[nodiscard]] drained drain(drain_mode mode, timeout wait) {
    drained out;
    failure why;
    out.status = detail::checked(drain(mode, wait, out.remaining, why), why);
    return out;
  }
#endif

  // -- The executor itself

  /// Ends every wait in progress with interrupted; if there is none, the next one. May be called in
  /// a signal handler. Never throws.
  status wake() noexcept {
    return status{lambda_executor_wake(handle_)};
  }

  /// Makes calls that submit or wait fail with err_closed from now on, also those that wait at this
  /// moment. Join your threads after it, then destroy the executor. Acknowledging and the calls
  /// about state still work. Never throws.
  status close() noexcept {
    return status{lambda_executor_close(handle_)};
  }

  /// Asks AWS now whether the functions and queues can be used: ok, timed_out or interrupted.
  status check_health(timeout wait, failure &why) noexcept {
    return status{lambda_executor_check_health(handle_, wait.ms(), why.out())};
  }

  /// Sets new AWS credentials: a JSON object with access_key_id, secret_access_key and, for
  /// temporary ones, session_token.
  status set_credentials(std::string_view json, failure &why) noexcept {
    return status{lambda_executor_set_credentials(handle_, json.data(), json.size(), why.out())};
  }

  /// Sends log records to `callback`, or to stderr if it is empty. When this returns, the previous
  /// callback has returned and is not called again (if the callback itself calls this: once it
  /// returns).
  template <bool Throws = LAMBDA_EXECUTOR_THROWS != 0> // see detail::take_log_record
  status set_log_callback(log_callback callback, log_level level, failure &why) {
    const auto set = [&](lambda_executor_log_callback_t take) {
      return status{lambda_executor_set_log_callback(handle_, take, log_.get(),
                                                     static_cast<std::int32_t>(level), why.out())};
    };
    if (forked())
      return set(nullptr); // which fails
    const bool to_stderr = callback == nullptr;
    detail::log_sink::target other;
    if (!to_stderr) {
      if (log_ == nullptr)
        log_ = std::make_unique<detail::log_sink>();
      other = log_->replace(std::make_shared<const log_callback>(std::move(callback)));
    }
    const status done = set(to_stderr ? nullptr : detail::take_log_record<Throws>);
    // Removes the callback, or restores the previous one after a failure.
    if (log_ != nullptr && (done == status::ok) == to_stderr)
      log_->replace(std::move(other));
    return done;
  }

#if LAMBDA_EXECUTOR_THROWS
  status check_health(timeout wait) {
    failure why;
    return detail::checked(check_health(wait, why), why);
  }

  void set_credentials(std::string_view json) {
    failure why;
    detail::checked(set_credentials(json, why), why);
  }

  void set_log_callback(log_callback callback, log_level level = log_level::warn) {
    failure why;
    detail::checked(set_log_callback(std::move(callback), level, why), why);
  }
#endif

private:
  explicit executor(lambda_executor_t *handle) noexcept
      : handle_(handle), link_(std::make_shared<std::atomic<lambda_executor_t *>>(handle)) {
  }

  /// Whether this is a child of the process that created it. Then a thread that exists only in the
  /// parent may have held the log's lock during the fork, which is never unlocked here.
  [[nodiscard]] bool forked() const noexcept {
    int fd = -1;
    return lambda_executor_wakeup_fd(handle_, &fd, nullptr) == LAMBDA_EXECUTOR_ERR_FORKED;
  }

  template <class Range> static std::vector<lambda_executor_task_t> natives(const Range &tasks) {
    static_assert(detail::keeps_elements<Range>(),
                  "a range of tasks that exist, such as a std::vector<task>: tasks that a view "
                  "makes one by one would be destroyed too early");
    std::vector<lambda_executor_task_t> native;
    native.reserve(static_cast<std::size_t>(std::distance(std::begin(tasks), std::end(tasks))));
    for (const task &each : tasks)
      native.push_back(each.native());
    return native;
  }

  /// Repeats the call until the buffer is large enough: the text may grow between two calls.
  template <class Call> static status text_of(std::string &out, Call call) {
    for (;;) {
      std::size_t needed = 0;
      const status done{call(out.data(), out.size() + 1, &needed)};
      if (done != status::buffer_too_small) {
        out.resize(done == status::ok ? needed - 1 : 0);
        return done;
      }
      out.resize(needed - 1);
    }
  }

  lambda_executor_t *handle_ = nullptr;
  detail::executor_link link_{};
  std::unique_ptr<detail::log_sink> log_{};
};

} // namespace lambdaexecutor

template <> struct std::is_error_code_enum<lambdaexecutor::status> : std::true_type {};

#ifdef __cpp_lib_format
template <> struct std::formatter<lambdaexecutor::status> : std::formatter<std::string_view> {
  auto format(lambdaexecutor::status what, auto &context) const {
    return std::formatter<std::string_view>::format(lambdaexecutor::name(what), context);
  }
};
template <> struct std::formatter<lambdaexecutor::task_state> : std::formatter<std::string_view> {
  auto format(lambdaexecutor::task_state state, auto &context) const {
    return std::formatter<std::string_view>::format(lambdaexecutor::name(state), context);
  }
};
template <> struct std::formatter<lambdaexecutor::reason> : std::formatter<std::string_view> {
  auto format(lambdaexecutor::reason why, auto &context) const {
    return std::formatter<std::string_view>::format(lambdaexecutor::name(why), context);
  }
};
template <> struct std::formatter<lambdaexecutor::log_level> : std::formatter<std::string_view> {
  auto format(lambdaexecutor::log_level level, auto &context) const {
    return std::formatter<std::string_view>::format(lambdaexecutor::name(level), context);
  }
};
template <> struct std::formatter<lambdaexecutor::event> : std::formatter<std::string_view> {
  auto format(const lambdaexecutor::event &event, auto &context) const {
    return std::formatter<std::string_view>::format(lambdaexecutor::to_string(event), context);
  }
};
template <>
struct std::formatter<lambdaexecutor::owned_event> : std::formatter<lambdaexecutor::event> {};
#endif

#endif // LAMBDA_EXECUTOR_HPP
