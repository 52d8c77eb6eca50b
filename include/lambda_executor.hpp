/// lambda_executor.hpp - the C API of lambda_executor.h for C++17 and later: owners in place of
/// pointers to free, std::string_view and std::chrono in place of bytes and milliseconds, and no
/// code but this header.
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
/// Rules that hold everywhere
///   - lambda_executor.h is the contract: what a call does, and which statuses it can come to, is
///     told there. Here is told what C++ adds.
///   - Two styles, as in std::filesystem. A call without a `failure` as its last argument throws
///     `error` when it fails. The same call with one throws nothing of its own and returns the
///     status; where it is not noexcept, it needs memory. Statuses that are no failure (duplicate,
///     queue_full, timed_out, interrupted, not_found) are returned in both styles and never thrown.
///     Without exceptions (-fno-exceptions) only the second style is declared.
///   - executor, events and failure own what they hold, can be moved and not copied, and may be
///     destroyed in any order. One that is empty, because it was made so or moved from, can be
///     destroyed and assigned to; calls on an empty executor fail with err_invalid_argument.
///   - Text in is UTF-8 and copied by the library before the call returns. A string_view out
///     belongs to the events or failure that it came from; those of `name` and `version_string`
///     last for ever. They are NUL-terminated too.
///   - Every member may be called from any thread at any time, but moving, assigning and destroying
///     only when no other call is running or still to come, and set_log_callback from one thread at
///     a time.
///
/// The namespace is lambdaexecutor, since C has taken the name lambda_executor.
/// Licence: Apache-2.0.

#ifndef LAMBDA_EXECUTOR_HPP
#define LAMBDA_EXECUTOR_HPP

// Not "< 201703L": g++ 7 has C++17 under an earlier number.
#if __cplusplus <= 201402L
#error "lambda_executor.hpp needs C++17: -std=c++17"
#endif

#if defined(__GNUC__)
// lambda_executor_counts is a function and a struct, as in C it may be.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include <lambda_executor.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

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
#include <type_traits>
#include <utility>
#include <vector>

/// 1 where calls that throw are declared.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define LAMBDA_EXECUTOR_THROWS 1
#else
#define LAMBDA_EXECUTOR_THROWS 0
#endif

namespace lambdaexecutor {

// ---- Numbers with names. A newer library may have more of each than are named here. ----

/// What a call came to, LAMBDA_EXECUTOR_...: 0 done, positive nothing wrong but not done either,
/// negative a failure.
enum class status : std::int32_t {
  ok = LAMBDA_EXECUTOR_OK,
  timed_out = LAMBDA_EXECUTOR_TIMED_OUT,
  interrupted = LAMBDA_EXECUTOR_INTERRUPTED,
  queue_full = LAMBDA_EXECUTOR_QUEUE_FULL,
  duplicate = LAMBDA_EXECUTOR_DUPLICATE,
  not_found = LAMBDA_EXECUTOR_NOT_FOUND,
  buffer_too_small = LAMBDA_EXECUTOR_BUFFER_TOO_SMALL,
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

/// Why a task ended as it did, LAMBDA_EXECUTOR_REASON_...
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
};

/// How much a log record matters, LAMBDA_EXECUTOR_LOG_...
enum class log_level : std::int32_t {
  off = LAMBDA_EXECUTOR_LOG_OFF,
  error = LAMBDA_EXECUTOR_LOG_ERROR,
  warn = LAMBDA_EXECUTOR_LOG_WARN,
  info = LAMBDA_EXECUTOR_LOG_INFO,
  debug = LAMBDA_EXECUTOR_LOG_DEBUG,
  trace = LAMBDA_EXECUTOR_LOG_TRACE,
};

/// What `drain` does with tasks that wait, LAMBDA_EXECUTOR_DRAIN_...
enum class drain_mode : std::uint32_t {
  finish = LAMBDA_EXECUTOR_DRAIN_FINISH,
  running = LAMBDA_EXECUTOR_DRAIN_RUNNING,
};

/// Whether a status is a failure, one that would have been thrown.
constexpr bool is_failure(status what) noexcept {
  return static_cast<std::int32_t>(what) < 0;
}

/// Whether a task in this state has ended: no event of it will follow.
constexpr bool is_final(task_state state) noexcept {
  return static_cast<std::int32_t>(state) >= LAMBDA_EXECUTOR_TASK_SUCCEEDED;
}

/// "OK", "TIMED_OUT", "ERR_CLOSED".
inline std::string_view name(status what) noexcept {
  return lambda_executor_status_name(static_cast<std::int32_t>(what));
}

/// "queued", "succeeded".
inline std::string_view name(task_state state) noexcept {
  return lambda_executor_task_state_name(static_cast<std::int32_t>(state));
}

/// "exit", "dead_letter".
inline std::string_view name(reason why) noexcept {
  return lambda_executor_reason_name(static_cast<std::int32_t>(why));
}

// ---- The library. ----

/// The version of the loaded library, a number like LAMBDA_EXECUTOR_VERSION.
inline std::uint32_t version() noexcept {
  return lambda_executor_version();
}

/// The version of the loaded library, such as "0.1.0".
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

// ---- Time. ----

namespace detail {

/// Whole milliseconds, rounded away from 0: what is asked for is at least waited, no positive time
/// becomes 0, and no negative one. Where the result is too large, it is the largest there is.
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
    if (!(size > 0)) // also what is not a number
      return 0;
    if (size >= static_cast<long double>(most))
      return exact < 0 ? -most : most;
    // What a decimal fraction has too much in binary nobody asked for: 0.1 s is 100 ms.
    const auto slack =
        std::max(1e-6L, size * static_cast<long double>(std::numeric_limits<Rep>::epsilon()));
    auto whole = static_cast<std::int64_t>(size);
    if (whole == 0 || size - static_cast<long double>(whole) > slack)
      whole++;
    return exact < 0 ? -whole : whole;
  }
}

/// The time point of a Unix time in ms; none for 0, and for what the clock cannot tell, which with
/// nanoseconds is before 1677 and after 2262.
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
/// and less do not wait, so that the rest of a deadline that has passed is no wait without end.
class timeout {
public:
  template <class Rep, class Period>
  constexpr timeout(std::chrono::duration<Rep, Period> time) noexcept
      : ms_(detail::to_ms(time) > 0 ? detail::to_ms(time) : 0) {
  }

  /// As the C API takes it.
  constexpr std::int64_t ms() const noexcept {
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

/// Wait without end.
inline constexpr timeout forever = timeout::special(-1);

/// Of `drain` alone: as long as option end_wait_timeout says.
inline constexpr timeout configured = timeout::special(LAMBDA_EXECUTOR_TIMEOUT_CONFIGURED);

// ---- What went wrong. ----

namespace detail {

inline std::string_view view(lambda_executor_str_t text) noexcept {
  return {text.ptr, text.len};
}

/// Never NULL, which as a configuration would stand for Airflow's.
inline lambda_executor_str_t str(std::string_view text) noexcept {
  return {text.data() != nullptr ? text.data() : "", text.size()};
}

} // namespace detail

/// The status and the message of a call that failed; empty after one that did not. Calls that take
/// a `failure` set it.
class failure {
public:
  failure() noexcept = default;

  /// The status that the failed call returned; ok where nothing failed.
  lambdaexecutor::status status() const noexcept {
    return lambdaexecutor::status{lambda_executor_error_status(error_.get())};
  }

  /// What happened and what to do about it; empty where nothing failed.
  std::string_view message() const noexcept {
    return detail::view(lambda_executor_error_message(error_.get()));
  }

  /// Whether something failed.
  explicit operator bool() const noexcept {
    return error_ != nullptr;
  }

  /// The error, NULL where nothing failed. Stays ours.
  const lambda_executor_error_t *native_handle() const noexcept {
    return error_.get();
  }

  /// Room for an error of the C API, as its last argument; what was there is freed. For one call:
  /// the error is taken over when the full expression ends.
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
      owner_.error_.reset(error_);
    }
    operator lambda_executor_error_t **() noexcept {
      return &error_;
    }

  private:
    failure &owner_;
    lambda_executor_error_t *error_ = nullptr;
  };

  std::unique_ptr<lambda_executor_error_t, freer> error_;
};

#if LAMBDA_EXECUTOR_THROWS

/// A call failed: status() says how, what() says what happened and what to do about it. The classes
/// derived from it are for catching; failures that have none are thrown as this one.
class error : public std::runtime_error {
public:
  error(lambdaexecutor::status status, const std::string &message)
      : std::runtime_error(message), status_(status) {
  }

  lambdaexecutor::status status() const noexcept {
    return status_;
  }

private:
  lambdaexecutor::status status_;
};

/// err_invalid_argument: the call, or the task, is wrong and would be the next time.
class invalid_argument_error : public error {
  using error::error;
};

/// err_payload_too_large: so is this task.
class payload_too_large_error : public invalid_argument_error {
  using invalid_argument_error::invalid_argument_error;
};

/// err_invalid_config: everything that is wrong with the configuration, a line each.
class invalid_config_error : public error {
  using error::error;
};

/// err_closed: the way in which loops in other threads learn that they shall end.
class closed_error : public error {
  using error::error;
};

/// err_aws: AWS could not be reached or refused a call.
class aws_error : public error {
  using error::error;
};

/// err_credentials: AWS did not accept the credentials, or there are none.
class credentials_error : public aws_error {
  using aws_error::aws_error;
};

namespace detail {

[[noreturn]] inline void raise(status what, const failure &why) {
  const std::string message(why ? why.message() : name(what));
  switch (what) {
  case status::err_invalid_argument:
    throw invalid_argument_error(what, message);
  case status::err_payload_too_large:
    throw payload_too_large_error(what, message);
  case status::err_invalid_config:
    throw invalid_config_error(what, message);
  case status::err_closed:
    throw closed_error(what, message);
  case status::err_aws:
    throw aws_error(what, message);
  case status::err_credentials:
    throw credentials_error(what, message);
  default:
    throw error(what, message);
  }
}

/// The status, unless it is a failure.
inline status checked(status what, const failure &why = failure()) {
  if (is_failure(what))
    raise(what, why);
  return what;
}

} // namespace detail

#endif

// ---- Tasks. ----

namespace detail {

/// Whether the elements of a range stay where they are while others are looked at, as those of a
/// container do: what the library is handed points into all of them at once.
template <class Range> constexpr bool keeps_elements() noexcept {
  using iterator = decltype(std::begin(std::declval<const Range &>()));
  using element = decltype(*std::declval<iterator &>());
  // Of iterators that go over a range once only, a reference leads into the iterator.
  if constexpr (std::is_lvalue_reference_v<element>)
    return std::is_base_of_v<std::forward_iterator_tag,
                             typename std::iterator_traits<iterator>::iterator_category>;
  else // What such a view or pointer looks at is elsewhere.
    return std::is_same_v<std::decay_t<element>, std::string_view> ||
           std::is_pointer_v<std::decay_t<element>>;
}

} // namespace detail

/// A task to run. Keeps copies of what it is given, so it may be made once and queued again and
/// again; to queue it allocates nothing. Nothing is checked before it is queued. Setters can be
/// chained:
///
///     task("report").command({"python3", "report.py"}).timeout(10min).tag(7)
class task {
public:
  /// The key: 1 to 8192 bytes, unique among unfinished tasks.
  explicit task(std::string_view key) : key_(key) {
  }

  std::string_view key() const noexcept {
    return key_;
  }

  /// Another key, for the next task that is the same otherwise.
  task &key(std::string_view key) & {
    key_.assign(key);
    return *this;
  }

  /// The command: a program and its arguments. Of `command`, `shell` and `command_json` the last
  /// one counts.
  task &command(std::initializer_list<std::string_view> argv) & {
    return list(argv);
  }

  /// The same from a range of anything that converts to std::string_view, such as
  /// std::vector<std::string>. A single string is no such range: that is `shell` or `command_json`.
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

  /// A JSON object that is passed to the function as `executor_config`. Empty: {}. A timeout_ms or
  /// function_qualifier in it counts only with option allow_task_overrides.
  task &executor_config(std::string_view json) & {
    executor_config_.assign(json);
    return *this;
  }

  /// Name of the route that the task takes; ignored unless option `queues` is given. Empty: the
  /// default one.
  task &queue(std::string_view name) & {
    queue_.assign(name);
    return *this;
  }

  /// Time limit of the command, rounded up to milliseconds. 0: only the function's own. A negative
  /// one is refused when the task is queued.
  template <class Rep, class Period> task &timeout(std::chrono::duration<Rep, Period> limit) & {
    timeout_ms_ = detail::to_ms(limit);
    return *this;
  }

  /// Fail the task (reason expired) when it has waited so long to be submitted, rounded up to
  /// milliseconds. 0: wait for ever. A negative one is refused when the task is queued.
  template <class Rep, class Period> task &max_wait(std::chrono::duration<Rep, Period> limit) & {
    max_wait_ms_ = detail::to_ms(limit);
    return *this;
  }

  /// A number of yours; it comes back in every event of the task.
  task &tag(std::uint64_t tag) & {
    tag_ = tag;
    return *this;
  }

  /// Read by `adopt` alone: which submission of the key it is, as its running event told.
  task &attempt_id(std::string_view id) & {
    attempt_id_.assign(id);
    return *this;
  }

  // The same on a temporary, which stays one: it can be moved into a container, and no reference to
  // it is left over.

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
  task &&tag(std::uint64_t tag) && {
    return std::move(this->tag(tag));
  }
  task &&attempt_id(std::string_view id) && {
    return std::move(attempt_id(id));
  }

  /// As the C API takes it; valid until the task changes.
  lambda_executor_task_t native() const noexcept {
    lambda_executor_task_t native{};
    native.struct_size = sizeof native;
    native.tag = tag_;
    native.key = detail::str(key_);
    native.command_json = detail::str(command_);
    native.executor_config_json = detail::str(executor_config_);
    native.queue = detail::str(queue_);
    native.timeout_ms = timeout_ms_;
    native.max_wait_ms = max_wait_ms_;
    native.attempt_id = detail::str(attempt_id_);
    return native;
  }

private:
  /// As JSON rather than as pointers: it is one piece of memory, can be copied, and a NUL in an
  /// argument is refused in place of ending it.
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
  std::string command_;
  std::string executor_config_;
  std::string queue_;
  std::string attempt_id_;
  std::uint64_t tag_ = 0;
  std::int64_t timeout_ms_ = 0;
  std::int64_t max_wait_ms_ = 0;
};

/// What became of a call on many tasks or keys: a status for each, in their order.
class results {
public:
  std::size_t size() const noexcept {
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

  iterator begin() const noexcept {
    return iterator(statuses_.data());
  }
  iterator end() const noexcept {
    return iterator(statuses_.data() + statuses_.size());
  }

  /// How many are ok.
  std::size_t accepted() const noexcept {
    return accepted_;
  }

  /// Of the first that failed, or of the call itself; empty where none did.
  const failure &first_failure() const noexcept {
    return first_failure_;
  }

private:
  friend class executor;

  void start(std::size_t n) {
    statuses_.assign(n, LAMBDA_EXECUTOR_OK);
    accepted_ = 0;
  }

  /// Where the call failed, that is what became of each.
  status finish(std::int32_t done) noexcept {
    if (done != LAMBDA_EXECUTOR_OK)
      for (std::int32_t &each : statuses_)
        each = done;
    for (const std::int32_t each : statuses_)
      accepted_ += each == LAMBDA_EXECUTOR_OK;
    return status{done};
  }

  std::vector<lambda_executor_status_t> statuses_;
  std::size_t accepted_ = 0;
  failure first_failure_;
};

// ---- Events. ----

/// One change of a task: a look at it, as cheap to copy as a pointer, valid as long as its
/// `events`.
class event {
public:
  explicit event(const lambda_executor_event_t *native) noexcept : native_(native) {
  }

  /// Number of the event: starts at 1 in each executor and rises without gaps.
  std::uint64_t seq() const noexcept {
    return native_->seq;
  }

  /// The number given with the task.
  std::uint64_t tag() const noexcept {
    return native_->tag;
  }

  /// The key given with the task.
  std::string_view key() const noexcept {
    return detail::view(native_->key);
  }

  /// running or a final state.
  task_state state() const noexcept {
    return task_state{native_->state};
  }

  /// Whether the task has ended.
  bool is_final() const noexcept {
    return lambdaexecutor::is_final(state());
  }

  /// Why the task ended; none with running.
  lambdaexecutor::reason reason() const noexcept {
    return lambdaexecutor::reason{native_->reason};
  }

  /// Exit status of the command; -n when signal n ended it, 126 or 127 when it could not be
  /// started, 124 on timeout.
  std::optional<int> return_code() const noexcept {
    return native_->has_return_code != 0 ? std::optional<int>(native_->return_code) : std::nullopt;
  }

  /// Signal that ended the command, also after its time limit; else 0.
  int signal() const noexcept {
    return native_->signal;
  }

  /// Attempts to invoke that counted: accepted or failed.
  std::uint32_t attempts() const noexcept {
    return native_->attempts;
  }

  /// When a time is not known, or not one that std::chrono::system_clock can tell, there is none.
  using time = std::optional<std::chrono::system_clock::time_point>;

  /// When the task was accepted by `queue`.
  time queued_at() const noexcept {
    return detail::time_of(native_->queued_at_ms);
  }

  /// When Lambda accepted it.
  time submitted_at() const noexcept {
    return detail::time_of(native_->submitted_at_ms);
  }

  /// When the command started, by the function's clock.
  time started_at() const noexcept {
    return detail::time_of(native_->started_at_ms);
  }

  /// When the command ended, by the function's clock; where it did not run, when the executor knew.
  time finished_at() const noexcept {
    return detail::time_of(native_->finished_at_ms);
  }

  /// For people: what happened. May be empty.
  std::string_view message() const noexcept {
    return detail::view(native_->message);
  }

  /// Last part of the command's output.
  std::string_view output_tail() const noexcept {
    return detail::view(native_->output_tail);
  }

  /// What the command wrote to the file named in LAMBDA_EXECUTOR_RESULT_FILE: bytes, not always
  /// UTF-8.
  std::string_view value() const noexcept {
    return detail::view(native_->value);
  }

  /// Lambda's id of the request, if known.
  std::string_view request_id() const noexcept {
    return detail::view(native_->request_id);
  }

  /// CloudWatch log stream of the run, if known.
  std::string_view log_stream() const noexcept {
    return detail::view(native_->log_stream);
  }

  /// Which submission of the key this is. Keep it to adopt the task after a restart.
  std::string_view attempt_id() const noexcept {
    return detail::view(native_->attempt_id);
  }

  /// The event of the C API.
  const lambda_executor_event_t *native_handle() const noexcept {
    return native_;
  }

private:
  const lambda_executor_event_t *native_;
};

/// Steps through events by the distance that the library tells, since those of a newer one may be
/// larger than this header knows. Random access; `*it` is an `event` and no reference.
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

/// What `sync` handed out: the events and all of their text. Destroying it, or assigning to it,
/// says "I am done with these": with option ack "auto", the default, their results then leave the
/// queue.
///
/// An exception that leaves a loop over them destroys them too, and says so of events that nobody
/// has looked at. So catch it inside of the loop, or take events one by one (max_events 1), or say
/// yourself which are safe (option ack "manual").
class events {
public:
  using value_type = event;
  using iterator = event_iterator;
  using const_iterator = event_iterator;
  using size_type = std::size_t;

  /// None.
  events() noexcept = default;

  events(events &&other) noexcept {
    *this = std::move(other);
  }
  events &operator=(events &&other) noexcept {
    batch_ = std::move(other.batch_);
    status_ = std::exchange(other.status_, lambdaexecutor::status::timed_out);
    first_ = std::exchange(other.first_, event_iterator());
    size_ = std::exchange(other.size_, std::size_t{0});
    return *this;
  }

  /// ok where there are events; timed_out or interrupted where there are none.
  lambdaexecutor::status status() const noexcept {
    return status_;
  }

  std::size_t size() const noexcept {
    return size_;
  }
  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }
  event_iterator begin() const noexcept {
    return first_;
  }
  event_iterator end() const noexcept {
    return first_ + static_cast<std::ptrdiff_t>(size_);
  }
  event operator[](std::size_t index) const noexcept {
    return first_[static_cast<std::ptrdiff_t>(index)];
  }

  /// The batch of the C API, NULL where there are no events. Stays ours.
  const lambda_executor_batch_t *native_handle() const noexcept {
    return batch_.get();
  }

private:
  friend class executor;

  struct freer {
    void operator()(lambda_executor_batch_t *batch) const noexcept {
      lambda_executor_batch_free(batch);
    }
  };

  events(lambda_executor_batch_t *batch, lambdaexecutor::status status) noexcept
      : batch_(batch), status_(status) {
    std::size_t stride = 0;
    const lambda_executor_event_t *first = lambda_executor_batch_events(batch, &size_, &stride);
    if (first != nullptr)
      first_ = event_iterator(first, stride);
  }

  std::unique_ptr<lambda_executor_batch_t, freer> batch_;
  lambdaexecutor::status status_ = lambdaexecutor::status::timed_out;
  event_iterator first_;
  std::size_t size_ = 0;
};

/// How many tasks and events are where.
struct task_counts {
  /// Tasks waiting to be submitted.
  std::uint64_t queued = 0;
  /// Tasks whose Invoke is under way.
  std::uint64_t submitting = 0;
  /// Tasks that Lambda has accepted, adopted ones included.
  std::uint64_t running = 0;
  /// Events that `sync` would hand out now.
  std::uint64_t waiting_events = 0;
  /// Final events handed out and not yet acknowledged.
  std::uint64_t unacknowledged = 0;
};

/// How far a drain came.
struct drained {
  /// ok (nothing remains), timed_out or interrupted.
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

  log_level level() const noexcept {
    return log_level{native_->level};
  }

  /// 1970 where the system clock tells no time of the range of std::chrono::system_clock.
  std::chrono::system_clock::time_point time() const noexcept {
    return detail::time_of(native_->time_ms).value_or(std::chrono::system_clock::time_point());
  }

  /// Part of the library that it comes from.
  std::string_view target() const noexcept {
    return detail::view(native_->target);
  }

  /// What happened, for people. Never holds secrets.
  std::string_view message() const noexcept {
    return detail::view(native_->message);
  }

private:
  const lambda_executor_log_record_t *native_;
};

/// Gets log records, one at a time, in a thread of the library's own. May call members of the
/// executor, but not destroy it. What it throws is dropped, and the record with it.
using log_callback = std::function<void(const log_record &)>;

namespace detail {

/// What the library calls for as long as the executor lives, while the callback behind it changes.
/// A callback that is replaced while it runs, perhaps by itself, lives until it returns.
class log_sink {
public:
  using target = std::shared_ptr<const log_callback>;

  /// The callback before.
  target replace(target next) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    target_.swap(next);
    return next;
  }

  /// The callback as of now. The call that it is for ends with `left`.
  target entered() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = target_ != nullptr;
    return target_;
  }

  void left() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    running_ = false;
    returned_.notify_all();
  }

  /// When this returns, the callback is not running, and is not called again. Whether it was.
  bool end() noexcept {
    target last; // let go after the lock, for what it holds is the host's
    std::unique_lock<std::mutex> lock(mutex_);
    last.swap(target_);
    const bool was_running = running_;
    returned_.wait(lock, [this] { return !running_; });
    return was_running;
  }

  /// Keeps a sink that the library may still call, which nothing tells the end of: a list, and not
  /// a leak, so that those who look for leaks find none.
  static void keep(std::unique_ptr<log_sink> sink) noexcept {
    static std::atomic<log_sink *> kept{nullptr};
    log_sink *const mine = sink.release();
    mine->next_ = kept.load();
    while (!kept.compare_exchange_weak(mine->next_, mine))
      continue;
  }

private:
  std::mutex mutex_;
  std::condition_variable returned_;
  target target_;
  bool running_ = false;
  log_sink *next_ = nullptr;
};

/// What the library calls. With exceptions and without it is another function, by another name: a
/// program may have files of both kinds, and the linker keeps one function of each name.
template <bool Throws>
void take_log_record(void *sink, const lambda_executor_log_record_t *record) noexcept {
  auto &self = *static_cast<log_sink *>(sink);
  log_sink::target now = self.entered();
  if (now == nullptr)
    return;
#if LAMBDA_EXECUTOR_THROWS
  try {
    (*now)(log_record(record));
  } catch (...) { // There is nobody to tell.
  }
#else
  (*now)(log_record(record));
#endif
  now.reset(); // What it holds may be of use to nobody after `left`.
  self.left();
}

} // namespace detail

// ---- The executor. ----

/// An executor: configuration, threads, connections and the tasks it was given. Destroying it takes
/// at most about option shutdown_grace_ms; tasks that were not submitted are dropped (`drain`
/// first, to keep them), and invocations that run go on. A log callback gets the records of that
/// too, and one that runs is waited for.
class executor {
public:
  /// An empty one, to be assigned to.
  executor() noexcept = default;

  /// Creates an executor from a JSON object of options. `{"airflow": true}` reads them from where
  /// Airflow has them. Where that fails, `ex` stays what it was.
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

  executor(executor &&other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), log_(std::move(other.log_)) {
  }
  executor &operator=(executor &&other) noexcept {
    executor taken(std::move(other));
    std::swap(handle_, taken.handle_);
    std::swap(log_, taken.log_);
    return *this;
  }

  ~executor() {
    if (log_ == nullptr) {
      lambda_executor_free(handle_);
      return;
    }
    const bool of_parent = forked();
    const auto before = std::chrono::steady_clock::now();
    lambda_executor_free(handle_);
    // Within such a time it has seen the thread that calls back end, else it may have given up.
    const bool waited = std::chrono::steady_clock::now() - before > std::chrono::milliseconds(200);
    if (of_parent || log_->end() || waited)
      detail::log_sink::keep(std::move(log_));
  }

  /// The executor of the C API, NULL for an empty one. Stays ours.
  lambda_executor_t *native_handle() const noexcept {
    return handle_;
  }

  // -- tasks in

  /// Hands one task in: ok, duplicate or queue_full.
  [[nodiscard]] status queue(const task &one, failure &why) noexcept {
    const lambda_executor_task_t native = one.native();
    return status{lambda_executor_queue(handle_, &native, why.out())};
  }

  /// Hands a range of tasks in under one lock; each is accepted or refused by itself. ok when each
  /// has its status.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] status queue_batch(const Range &tasks, results &each) {
    const std::vector<lambda_executor_task_t> native = natives(tasks);
    each.start(native.size());
    return each.finish(lambda_executor_queue_batch(handle_, native.data(), native.size(),
                                                   each.statuses_.data(), nullptr,
                                                   each.first_failure_.out()));
  }

  /// Takes over a task that an executor of an earlier process submitted: ok or duplicate.
  [[nodiscard]] status adopt(const task &one, failure &why) noexcept {
    const lambda_executor_task_t native = one.native();
    std::int32_t result = LAMBDA_EXECUTOR_OK;
    const std::int32_t done = lambda_executor_adopt(handle_, &native, 1, &result, why.out());
    return status{done == LAMBDA_EXECUTOR_OK ? result : done};
  }

  /// Takes over a range of tasks. ok when each has its status.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] status adopt_batch(const Range &tasks, results &each) {
    const std::vector<lambda_executor_task_t> native = natives(tasks);
    each.start(native.size());
    return each.finish(lambda_executor_adopt(handle_, native.data(), native.size(),
                                             each.statuses_.data(), each.first_failure_.out()));
  }

#if LAMBDA_EXECUTOR_THROWS
  [[nodiscard]] status queue(const task &one) {
    failure why;
    return detail::checked(queue(one, why), why);
  }

  /// Throws where the call fails, and not for a task that is refused: see results::first_failure.
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

  /// Throws where the call fails, and not for a task that is refused: see results::first_failure.
  template <class Range = std::initializer_list<task>>
  [[nodiscard]] results adopt_batch(const Range &tasks) {
    results each;
    detail::checked(adopt_batch(tasks, each), each.first_failure());
    return each;
  }
#endif

  // -- events out

  /// Hands out events, oldest first, at most max_events of them, 0 for all; waits for the first one
  /// as long as `wait` allows. What `out` held before is acknowledged first. ok, timed_out or
  /// interrupted.
  [[nodiscard]] status sync(timeout wait, std::size_t max_events, events &out,
                            failure &why) noexcept {
    lambda_executor_batch_t *batch = nullptr;
    out = events();
    const status done{lambda_executor_sync(handle_, wait.ms(), max_events, &batch, why.out())};
    out = events(batch, done);
    return done;
  }

  /// With option ack "manual": this event is safe, and its result may leave the queue.
  status ack(std::uint64_t seq, failure &why) noexcept {
    return ack(&seq, 1, why);
  }

  /// With option ack "manual": all of these are.
  status ack(const std::uint64_t *seqs, std::size_t n, failure &why) noexcept {
    return status{lambda_executor_ack(handle_, seqs, n, why.out())};
  }

  /// The same for a std::vector<std::uint64_t>, or what else has its numbers one behind the other.
  template <class Range = std::initializer_list<std::uint64_t>,
            class = std::enable_if_t<!std::is_convertible_v<const Range &, std::uint64_t>>>
  status ack(const Range &seqs, failure &why) noexcept {
    return ack(std::data(seqs), std::size(seqs), why);
  }

  /// A descriptor for poll or epoll: readable exactly while events wait. Never read, write or close
  /// it; it lives as long as the executor.
  [[nodiscard]] status wakeup_fd(int &fd) const noexcept {
    fd = lambda_executor_wakeup_fd(handle_);
    return fd >= 0 ? status::ok : status{std::exchange(fd, -1)};
  }

#if LAMBDA_EXECUTOR_THROWS
  /// Where the wait ended without an event, there are none, and events::status tells why. In a
  /// range-for, an exception that leaves the loop acknowledges every event of it: see `events`.
  [[nodiscard]] events sync(timeout wait, std::size_t max_events = 0) {
    events out;
    failure why;
    detail::checked(sync(wait, max_events, out, why), why);
    return out;
  }

  void ack(std::uint64_t seq) {
    ack(&seq, 1);
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
    detail::checked(wakeup_fd(fd));
    return fd;
  }
#endif

  // -- what is known of tasks

  /// State of the newest task of a key: ok, or not_found with task_state::unknown.
  [[nodiscard]] status state(std::string_view key, task_state &out, failure &why) const noexcept {
    lambda_executor_task_state_t native = LAMBDA_EXECUTOR_TASK_UNKNOWN;
    const status done{lambda_executor_state(handle_, key.data(), key.size(), &native, why.out())};
    out = task_state{native};
    return done;
  }

  /// Everything about the newest task of a key, as JSON for people: ok or not_found.
  [[nodiscard]] status describe(std::string_view key, std::string &out, failure &why) const {
    return text_of(out, [&](char *buffer, std::size_t room, std::size_t *needed) {
      return lambda_executor_describe(handle_, key.data(), key.size(), buffer, room, needed,
                                      why.out());
    });
  }

  /// How many tasks and events are where. Cheap enough for every heartbeat.
  [[nodiscard]] status counts(task_counts &out) const noexcept {
    lambda_executor_counts_t native{};
    native.struct_size = sizeof native;
    const status done{lambda_executor_counts(handle_, &native)};
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
  /// task_state::unknown where there is no such task.
  [[nodiscard]] task_state state(std::string_view key) const {
    task_state out{};
    failure why;
    detail::checked(state(key, out, why), why);
    return out;
  }

  /// Nothing where there is no such task.
  [[nodiscard]] std::optional<std::string> describe(std::string_view key) const {
    std::string out;
    failure why;
    if (detail::checked(describe(key, out, why), why) == status::not_found)
      return std::nullopt;
    return out;
  }

  [[nodiscard]] task_counts counts() const {
    task_counts out;
    detail::checked(counts(out));
    return out;
  }

  [[nodiscard]] std::string stats() const {
    std::string out;
    failure why;
    detail::checked(stats(out, why), why);
    return out;
  }
#endif

  // -- ending tasks

  /// Cancels a task: ok, or not_found where it has finished or is unknown.
  status cancel(std::string_view key, failure &why) noexcept {
    const lambda_executor_str_t native = detail::str(key);
    std::int32_t result = LAMBDA_EXECUTOR_OK;
    const std::int32_t done = lambda_executor_cancel(handle_, &native, 1, &result, why.out());
    return status{done == LAMBDA_EXECUTOR_OK ? result : done};
  }

  /// Cancels the tasks of a range of keys, of anything that converts to std::string_view. ok when
  /// each has its status.
  template <class Range = std::initializer_list<std::string_view>>
  status cancel_batch(const Range &keys, results &each) {
    static_assert(
        detail::keeps_elements<Range>(),
        "a range of keys that exist, such as a std::vector<std::string>: strings that "
        "are made one by one as they are looked at (by a view, say) would be gone too early");
    std::vector<lambda_executor_str_t> native;
    for (const auto &key : keys)
      native.push_back(detail::str(key));
    each.start(native.size());
    return each.finish(lambda_executor_cancel(handle_, native.data(), native.size(),
                                              each.statuses_.data(), each.first_failure_.out()));
  }

  /// Accepts no more tasks, and waits until those accepted have finished: ok (nothing remains),
  /// timed_out or interrupted.
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

  /// Throws where the call fails, and not for a key that is refused: see results::first_failure.
  template <class Range = std::initializer_list<std::string_view>>
  results cancel_batch(const Range &keys) {
    results each;
    detail::checked(cancel_batch(keys, each), each.first_failure());
    return each;
  }

  [[nodiscard]] drained drain(drain_mode mode, timeout wait) {
    drained out;
    failure why;
    out.status = detail::checked(drain(mode, wait, out.remaining, why), why);
    return out;
  }
#endif

  // -- the executor itself

  /// Ends every wait in progress with interrupted, or the next one where there is none. May be
  /// called in a signal handler. Never throws.
  status wake() const noexcept {
    return status{lambda_executor_wake(handle_)};
  }

  /// Makes every call fail with err_closed from now on, those that wait at this moment too: then
  /// join your threads, then destroy the executor. Never throws.
  status close() noexcept {
    return status{lambda_executor_close(handle_)};
  }

  /// Asks AWS now whether functions and queues can be used: ok, timed_out or interrupted.
  status check_health(timeout wait, failure &why) noexcept {
    return status{lambda_executor_check_health(handle_, wait.ms(), why.out())};
  }

  /// New AWS credentials: a JSON object with access_key_id, secret_access_key and, for temporary
  /// ones, session_token.
  status set_credentials(std::string_view json, failure &why) noexcept {
    return status{lambda_executor_set_credentials(handle_, json.data(), json.size(), why.out())};
  }

  /// Sends log records to `callback`, or for an empty one to stderr. When this returns, the
  /// callback before it is not running any more and is not called again (unless it is the callback
  /// itself that calls this: then once it returns).
  template <bool Throws = LAMBDA_EXECUTOR_THROWS != 0> // see detail::take_log_record
  status set_log_callback(log_callback callback, log_level level, failure &why) {
    const auto set = [&](lambda_executor_log_callback_t take) {
      return status{lambda_executor_set_log_callback(handle_, take, log_.get(),
                                                     static_cast<std::int32_t>(level), why.out())};
    };
    if (forked())
      return set(nullptr); // it is refused
    const bool to_stderr = callback == nullptr;
    detail::log_sink::target other;
    if (!to_stderr) {
      if (log_ == nullptr)
        log_ = std::make_unique<detail::log_sink>();
      other = log_->replace(std::make_shared<const log_callback>(std::move(callback)));
    }
    const status done = set(to_stderr ? nullptr : detail::take_log_record<Throws>);
    // Either what was to be ended, or back to what it was.
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
  explicit executor(lambda_executor_t *handle) noexcept : handle_(handle) {
  }

  /// Whether this is a child of the process that made it. Then a thread that is not here may have
  /// held the log's lock at that moment, for ever.
  bool forked() const noexcept {
    return lambda_executor_wakeup_fd(handle_) == LAMBDA_EXECUTOR_ERR_FORKED;
  }

  template <class Range> static std::vector<lambda_executor_task_t> natives(const Range &tasks) {
    static_assert(detail::keeps_elements<Range>(),
                  "a range of tasks that exist, such as a std::vector<task>: tasks that are made "
                  "one by one as they are looked at (by a view, say) would be gone too early");
    std::vector<lambda_executor_task_t> native;
    native.reserve(static_cast<std::size_t>(std::distance(std::begin(tasks), std::end(tasks))));
    for (const task &each : tasks)
      native.push_back(each.native());
    return native;
  }

  /// Asks with the room there is until that is enough: the text may grow between two calls.
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
  std::unique_ptr<detail::log_sink> log_;
};

} // namespace lambdaexecutor

#endif // LAMBDA_EXECUTOR_HPP
