// A result reports what it lacks: the full length of output that was cut, and a value that was too
// large to send. A task with such a value does not succeed.
#include "test.hpp"

int main() {
  le::executor ex(R"({"local": {}})");
  CHECK_EQ(ex.queue(le::task("talks").shell("head -c 100000 /dev/zero | tr '\\0' 'x'")),
           le::status::ok);
  const le::events talks = test::final_of(ex, "talks");
  CHECK_EQ(talks[0].state(), le::task_state::succeeded);
  CHECK(talks[0].output_truncated());
  CHECK_EQ(talks[0].output_length(), 100000U);
  CHECK(!talks[0].output_tail().empty() && talks[0].output_tail().size() <= 4096);
  CHECK(!talks[0].value_dropped());

  CHECK_EQ(ex.queue(le::task("large").shell(
               "echo done; head -c 180001 /dev/zero >\"$LAMBDA_EXECUTOR_RESULT_FILE\"")),
           le::status::ok);
  const le::events large = test::final_of(ex, "large");
  CHECK_EQ(large[0].state(), le::task_state::failed);
  CHECK_EQ(large[0].reason(), le::reason::value_too_large);
  CHECK(large[0].value_dropped());
  CHECK_EQ(large[0].value(), "");
  CHECK_CONTAINS(large[0].output_tail(), "done");
  CHECK(!large[0].message().empty());
}
