// All members of the events of real commands: texts, optional numbers, times on the system clock.
#include "test.hpp"

// The clock of a function may be wrong, and a time_point of nanoseconds has a small range.
static void times_out_of_range() {
  using namespace std::chrono;
  const std::int64_t most = duration_cast<milliseconds>(system_clock::duration::max()).count();
  const std::int64_t least = duration_cast<milliseconds>(system_clock::duration::min()).count();
  lambda_executor_event_t native{};
  const auto started = [&](std::int64_t ms) {
    native.started_at_ms = ms;
    return le::event(&native).started_at();
  };
  CHECK(started(1) == system_clock::time_point(1ms));
  CHECK(started(-1) == system_clock::time_point(-1ms));
  CHECK(started(most) == system_clock::time_point(milliseconds(most)));
  CHECK(started(least) == system_clock::time_point(milliseconds(least)));
  for (const std::int64_t ms : {std::int64_t{0}, most + 1, least - 1, INT64_MAX, INT64_MIN})
    CHECK(!started(ms).has_value());

  lambda_executor_log_record_t record{};
  record.time_ms = most;
  CHECK(le::log_record(&record).time() == system_clock::time_point(milliseconds(most)));
  record.time_ms = INT64_MAX;
  CHECK(le::log_record(&record).time() == system_clock::time_point());
}

int main() {
  times_out_of_range();
  const auto before =
      std::chrono::system_clock::now() - 1s; // clocks of functions may differ a little
  le::executor ex(R"({"local": {}})");
  CHECK_EQ(ex.queue(le::task("greeting")
                        .shell("printf hello; printf v >$LAMBDA_EXECUTOR_RESULT_FILE; exit 3")
                        .tag(7)),
           le::status::ok);

  le::events running = ex.sync(test::deadline, 1);
  CHECK_EQ(running.size(), 1U);
  CHECK_EQ(running[0].state(), le::task_state::running);
  CHECK(!running[0].is_final());
  CHECK_EQ(running[0].reason(), le::reason::none);
  CHECK(!running[0].return_code().has_value());
  CHECK(!running[0].started_at().has_value());
  running.ack();

  const le::events last = test::final_of(ex, "greeting");
  const le::event event = last[0];
  CHECK_EQ(event.seq(), 2U);
  CHECK_EQ(event.tag(), 7U);
  CHECK_EQ(event.key(), "greeting");
  CHECK_EQ(event.key().data()[event.key().size()], '\0');
  CHECK_EQ(event.state(), le::task_state::failed);
  CHECK(event.is_final());
  CHECK_EQ(event.reason(), le::reason::exit);
  CHECK(event.return_code() == 3);
  CHECK_EQ(event.signal(), 0);
  CHECK_EQ(event.attempts(), 1U);
  CHECK_EQ(event.output_tail(), "hello");
  CHECK_EQ(event.output_length(), 5U);
  CHECK(!event.output_truncated());
  CHECK_EQ(event.value(), "v");
  CHECK(!event.value_dropped());
  CHECK(!event.request_id().empty());
  CHECK(!event.log_stream().empty());
  CHECK_EQ(event.attempt_id().size(), 36U);
  CHECK_EQ(event.attempt_id(), running[0].attempt_id());
  CHECK_EQ(event.message(), event.native_handle()->message.ptr);
  CHECK(event.queued_at() > before);
  CHECK(event.submitted_at() >= event.queued_at());
  CHECK(event.started_at() > before);
  CHECK(event.finished_at() >= event.started_at());
  CHECK(event.finished_at() < std::chrono::system_clock::now() + 1s);

  CHECK_EQ(ex.queue(le::task("killed").shell("kill -KILL $$")), le::status::ok);
  const le::events killed = test::final_of(ex, "killed");
  CHECK(killed[0].return_code() == -9);
  CHECK_EQ(killed[0].signal(), 9);
  CHECK_EQ(killed[0].reason(), le::reason::signal);
}
