// Names, versions, schema, counts and JSON that grows. Calls about an executor also work after
// `close`.
#include "test.hpp"

int main() {
  CHECK_EQ(le::version(), static_cast<std::uint32_t>(LAMBDA_EXECUTOR_VERSION));
  CHECK_EQ(le::abi_version(), static_cast<std::uint32_t>(LAMBDA_EXECUTOR_ABI_VERSION));
  CHECK_EQ(le::version_string(), lambda_executor_version_string());
  CHECK_CONTAINS(le::config_schema(), "max_queued_tasks");
  CHECK_EQ(le::name(le::status::err_payload_too_large), "ERR_PAYLOAD_TOO_LARGE");
  CHECK_EQ(le::name(le::status{77}), "unknown");
  CHECK_CONTAINS(le::describe(le::status::queue_full), "max_queued_tasks");
  CHECK_EQ(le::name(le::status::partial), "PARTIAL");
  CHECK_EQ(le::name(le::reason::bad_result), "bad_result");
  CHECK_EQ(le::name(le::reason::value_too_large), "value_too_large");
  CHECK(!le::is_failure(le::status::partial));
  CHECK_EQ(le::name(le::task_state::cancelled), "cancelled");
  CHECK_EQ(le::name(le::reason::dead_letter), "dead_letter");
  CHECK(le::is_failure(le::status::err_closed) && !le::is_failure(le::status::duplicate) &&
        !le::is_failure(le::status::ok));
  CHECK(le::is_final(le::task_state::lost) && !le::is_final(le::task_state::running));

  le::executor ex(R"({"max_running_tasks": 1, "local": {"handler": "builtin"}})");
  CHECK_EQ(ex.queue(test::builtin_task("runs", R"({"duration_ms": 600000})")), le::status::ok);
  WAIT_UNTIL(ex.counts().running == 1);
  CHECK_EQ(ex.queue(test::builtin_task("waits")), le::status::ok);
  const le::task_counts counts = ex.counts();
  CHECK_EQ(counts.queued, 1U);
  CHECK_EQ(counts.submitting, 0U);
  CHECK_EQ(counts.waiting_events, 1U);
  CHECK_EQ(counts.unacknowledged, 0U);

  // Longer and shorter than the previous text.
  std::string text;
  le::failure why;
  CHECK_EQ(ex.describe("waits", text, why), le::status::ok);
  CHECK_EQ(text.front(), '{');
  CHECK_EQ(text.back(), '}');
  CHECK_EQ(ex.describe("waits").value(), text);
  text.assign(100000, '#');
  CHECK_EQ(ex.describe("runs", text, why), le::status::ok);
  CHECK_EQ(text.back(), '}');
  CHECK_EQ(text.find('#'), std::string::npos);
  CHECK_CONTAINS(ex.stats(), "\"totals\"");

  CHECK_EQ(ex.close(), le::status::ok);
  CHECK_CONTAINS(ex.stats(), "\"totals\"");
  CHECK_EQ(ex.counts().queued, 1U);
  CHECK_EQ(ex.state("runs"), le::task_state::running);
  CHECK(ex.describe("waits").has_value());
}
