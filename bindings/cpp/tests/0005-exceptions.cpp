// Failures are thrown, by the class of their status and with the message and the details of the
// library; flow control is returned.
#include "test.hpp"

static_assert(std::is_base_of_v<std::runtime_error, le::error>);
static_assert(std::is_base_of_v<le::invalid_argument_error, le::payload_too_large_error>);
static_assert(std::is_base_of_v<le::aws_error, le::credentials_error>);

static void failures() {
  CHECK_THROWS(le::executor(R"({"locall": {}})"), le::invalid_config_error,
               le::status::err_invalid_config, "locall");
  CHECK_THROWS(le::executor(R"({"journal": "x", "local": {}})"), le::error,
               le::status::err_unsupported, "journal");
  // An empty view has no pointer, which in C is a request for Airflow's configuration.
  CHECK_THROWS(le::executor(std::string_view()), le::invalid_config_error,
               le::status::err_invalid_config, "JSON");

  le::executor ex(R"({"max_payload_bytes": 500, "local": {"handler": "builtin"}})");
  CHECK_THROWS(ex.queue(le::task("no command")), le::invalid_argument_error,
               le::status::err_invalid_argument, "no command");
  CHECK_THROWS(ex.queue(le::task("large").command({std::string(600, 'x')})),
               le::payload_too_large_error, le::status::err_payload_too_large, "large");
  CHECK_THROWS(ex.sync(le::configured), le::invalid_argument_error,
               le::status::err_invalid_argument, "timeout in ms");
  CHECK_THROWS(ex.cancel(""), le::invalid_argument_error, le::status::err_invalid_argument, "key");
  CHECK_THROWS(ex.adopt(le::task("k").attempt_id("7")), le::invalid_argument_error,
               le::status::err_invalid_argument, "attempt_id");
  CHECK_THROWS(ex.state("\xff"), le::invalid_argument_error, le::status::err_invalid_argument,
               "key");
  CHECK_THROWS(ex.describe("\xff"), le::invalid_argument_error, le::status::err_invalid_argument,
               "key");
  CHECK_THROWS(ex.set_credentials("{}"), le::invalid_argument_error,
               le::status::err_invalid_argument, "access_key_id");
  CHECK_THROWS(ex.wait("", 0s), le::invalid_argument_error, le::status::err_invalid_argument,
               "key");
  CHECK_EQ(ex.close(), le::status::ok);
  CHECK_THROWS(ex.sync(le::forever), le::closed_error, le::status::err_closed, "closed");
  CHECK_THROWS(ex.queue(le::task("k").shell("true")), le::closed_error, le::status::err_closed, "");
  CHECK_THROWS(ex.wait("k", 0s), le::closed_error, le::status::err_closed, "");
  CHECK_THROWS(ex.wakeup_fd(), le::closed_error, le::status::err_closed, "");
  CHECK_THROWS(ex.drain(le::drain_mode::finish, 0s), le::closed_error, le::status::err_closed, "");
}

static void of_aws() {
  le::executor impostor(test::builtin);
  impostor.set_log_callback([](const le::log_record &) {}, le::log_level::off);
  impostor.set_credentials(R"({"access_key_id": "AKIDUNKNOWN", "secret_access_key": "s"})");
  CHECK_THROWS(impostor.check_health(test::deadline), le::credentials_error,
               le::status::err_credentials, "");
  le::executor away(R"({"log": "off", "local": {"handler": "builtin",
                        "faults": {"outages": [{"for_ms": 3600000}]}}})");
  CHECK_THROWS(away.check_health(test::deadline), le::aws_error, le::status::err_aws, "");
}

// The details for operators and AWS's support, also in a copy of the exception.
static void details() {
  const le::error plain(le::status::err_io, "of the host");
  CHECK_EQ(plain.aws_code(), "");
  CHECK_EQ(plain.request_id(), "");
  CHECK(!plain.is_retriable());

  le::executor away(R"({"log": "off", "local": {"handler": "builtin",
                        "faults": {"outages": [{"for_ms": 3600000}]}}})");
  le::failure why;
  CHECK_EQ(away.check_health(test::deadline, why), le::status::err_aws);
  CHECK_EQ(why.request_id(), ""); // it did not answer
  CHECK(!why.aws_code().empty());
  CHECK(why.is_retriable());
  const le::error unreachable(le::status::err_aws, std::string(why.message()), why);
  const le::error copy = unreachable; // NOLINT: a copy is the test
  CHECK_EQ(copy.aws_code(), why.aws_code());
  CHECK(copy.is_retriable());

  le::executor impostor(R"({"log": "off", "local": {"handler": "builtin"}})");
  impostor.set_credentials(R"({"access_key_id": "AKIDUNKNOWN", "secret_access_key": "s"})");
  try {
    impostor.check_health(test::deadline);
    FAIL("nothing thrown");
  } catch (const le::credentials_error &error) {
    CHECK(!error.aws_code().empty());
    CHECK(!error.request_id().empty());
    CHECK(!error.is_retriable());
  }
}
static_assert(std::is_nothrow_copy_constructible_v<le::error>);

static void flow_control() {
  le::executor ex(
      R"({"max_queued_tasks": 1, "max_running_tasks": 1, "local": {"handler": "builtin"}})");
  CHECK_EQ(ex.sync(0s).status(), le::status::timed_out);
  CHECK_EQ(ex.queue(test::builtin_task("runs", R"({"duration_ms": 600000})")), le::status::ok);
  // Events that wait count too, so the RUNNING event is taken and acknowledged.
  while (ex.state("runs") != le::task_state::running || ex.counts().waiting_events > 0)
    ex.sync(test::deadline).ack();
  CHECK_EQ(ex.queue(test::builtin_task("waits")), le::status::ok);
  CHECK_EQ(ex.queue(test::builtin_task("waits")), le::status::duplicate);
  CHECK_EQ(ex.queue(test::builtin_task("no room")), le::status::queue_full);
  CHECK_EQ(ex.adopt(le::task("waits")), le::status::duplicate);
  CHECK_EQ(ex.cancel("unknown"), le::status::not_found);
  CHECK_EQ(ex.state("unknown"), le::task_state::unknown);
  CHECK(!ex.describe("unknown").has_value());
  const le::drained far = ex.drain(le::drain_mode::finish, 0s);
  CHECK_EQ(far.status, le::status::timed_out);
  CHECK_EQ(far.remaining, 2U);
  CHECK_EQ(ex.cancel("runs"), le::status::ok);
  CHECK_EQ(ex.drain(le::drain_mode::finish, test::deadline).status, le::status::ok);
}

int main() {
  failures();
  of_aws();
  details();
  flow_control();
}
