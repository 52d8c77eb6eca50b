// The style without exceptions: each call returns its status, sets why it failed, and throws
// nothing. Compiled with -fno-exceptions too, where the other style must not be declared.
#include "test.hpp"

template <class Executor, class = void> struct throws : std::false_type {};
template <class Executor>
struct throws<Executor, std::void_t<decltype(std::declval<Executor &>().queue(
                            std::declval<const le::task &>()))>> : std::true_type {};
static_assert(throws<le::executor>::value == (LAMBDA_EXECUTOR_THROWS == 1));
static_assert(std::is_constructible_v<le::executor, std::string_view> ==
              (LAMBDA_EXECUTOR_THROWS == 1));
#ifdef EXPECT_NO_EXCEPTIONS
static_assert(!LAMBDA_EXECUTOR_THROWS);
#endif

template <class T> T &some() noexcept;
static_assert(noexcept(some<le::executor>().queue(some<const le::task>(), some<le::failure>())));
static_assert(noexcept(some<le::executor>().sync(le::forever, 0, some<le::events>(),
                                                 some<le::failure>())));
static_assert(noexcept(some<le::executor>().cancel(some<std::string_view>(), some<le::failure>())));
static_assert(noexcept(some<le::executor>().adopt(some<const le::task>(), some<le::failure>())));
static_assert(noexcept(some<le::executor>().wait(some<std::string_view>(), le::forever,
                                                 some<le::task_state>(), some<le::failure>())));
static_assert(noexcept(some<le::events>().ack(some<le::failure>())));
static_assert(noexcept(++some<le::events::iterator>()));
static_assert(noexcept(some<le::executor>().wake()));
static_assert(noexcept(some<le::executor>().close()));

static le::events next(le::executor &ex) {
  le::events out;
  le::failure why;
  const le::status done = ex.sync(test::deadline, 1, out, why);
  if (done != le::status::ok)
    FAIL("waiting for an event: " << le::name(done) << ' ' << why.message());
  CHECK(!why);
  return out;
}

static void creation(le::executor &ex) {
  le::failure why;
  CHECK_EQ(le::executor::create("{", ex, why), le::status::err_invalid_config);
  CHECK_EQ(why.status(), le::status::err_invalid_config);
  CHECK_CONTAINS(why.message(), "JSON");
  CHECK_EQ(le::executor::create(test::builtin, ex, why), le::status::ok);
  CHECK(!why); // of this call, not of the previous one
  CHECK_EQ(why.message(), "");
}

int main() {
  le::executor ex;
  creation(ex);
  le::failure why;
  CHECK_EQ(ex.check_health(test::deadline, why), le::status::ok);

  le::events none;
  CHECK_EQ(ex.sync(0s, 0, none, why), le::status::timed_out);
  CHECK(!why);
  CHECK(none.empty());
  CHECK_EQ(none.status(), le::status::timed_out);

  CHECK_EQ(ex.queue(le::task("a"), why), le::status::err_invalid_argument);
  CHECK_CONTAINS(why.message(), "command");
  CHECK_EQ(ex.queue(le::task("a").shell("true").tag(3), why), le::status::ok);
  CHECK_EQ(ex.queue(le::task("a").shell("true"), why), le::status::duplicate);
  CHECK(!why);
  le::events running = next(ex);
  CHECK_EQ(running[0].state(), le::task_state::running);
  CHECK_EQ(running.ack(why), le::status::ok);
  le::events last = next(ex);
  CHECK_EQ(last[0].state(), le::task_state::succeeded);
  CHECK_EQ(last[0].tag(), 3U);

  le::task_state state{};
  CHECK_EQ(ex.state("a", state, why), le::status::ok);
  CHECK_EQ(state, le::task_state::succeeded);
  CHECK_EQ(ex.state("unknown", state, why), le::status::not_found);
  CHECK_EQ(state, le::task_state::unknown);
  CHECK_EQ(ex.wait("unknown", 0s, state, why), le::status::not_found);
  CHECK_EQ(ex.wait("a", le::forever, state, why), le::status::ok);
  CHECK_EQ(state, le::task_state::succeeded);
  std::string text = "previous text";
  CHECK_EQ(ex.describe("unknown", text, why), le::status::not_found);
  CHECK_EQ(text, "");
  CHECK_EQ(ex.describe("a", text, why), le::status::ok);
  CHECK_CONTAINS(text, "succeeded");
  CHECK_EQ(ex.stats(text, why), le::status::ok);
  CHECK_EQ(text.back(), '}');
  CHECK_EQ(text.find('\0'), std::string::npos);
  le::task_counts counts;
  CHECK_EQ(ex.counts(counts, why), le::status::ok);
  CHECK_EQ(counts.unacknowledged, 1U);
  int fd = -2;
  CHECK_EQ(ex.wakeup_fd(fd, why), le::status::ok);
  CHECK(fd >= 0);
  std::string id;
  CHECK_EQ(le::new_attempt_id(id), le::status::ok);
  CHECK_EQ(id.size(), 36U);

  CHECK_EQ(ex.adopt(le::task("orphan"), why), le::status::ok);
  CHECK_EQ(ex.adopt(le::task("orphan"), why), le::status::duplicate);
  CHECK_EQ(ex.cancel("orphan", why), le::status::ok);
  CHECK_EQ(ex.cancel("orphan", why), le::status::not_found);
  CHECK_EQ(ex.cancel("", why), le::status::err_invalid_argument);
  CHECK(why);
  CHECK_EQ(ex.ack(last[0], why), le::status::ok);
  CHECK_EQ(ex.ack(1, why), le::status::ok);
  CHECK_EQ(ex.set_credentials("no JSON", why), le::status::err_invalid_argument);
  CHECK_EQ(ex.set_log_callback([](const le::log_record &) {}, le::log_level::warn, why),
           le::status::ok);
  CHECK_EQ(ex.set_log_callback(nullptr, le::log_level{99}, why), le::status::err_invalid_argument);
  std::uint64_t remaining = 9;
  CHECK_EQ(ex.drain(le::drain_mode::cancel_queued, test::deadline, remaining, why), le::status::ok);
  CHECK_EQ(remaining, 0U);
  CHECK_EQ(ex.close(), le::status::ok);
  CHECK_EQ(ex.counts(counts, why), le::status::ok);
  CHECK_EQ(ex.wakeup_fd(fd, why), le::status::err_closed);
  CHECK(why);
  CHECK_EQ(fd, -1);
  CHECK_EQ(ex.sync(le::forever, 0, none, why), le::status::err_closed);
  CHECK_EQ(none.status(), le::status::err_closed);
}
