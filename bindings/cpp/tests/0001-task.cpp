// A task copies what its setters receive, quotes arguments as JSON, and fills the struct of the C
// API.
#include "test.hpp"
#include <array>
#include <list>

static std::string_view view(lambda_executor_str_t text) {
  return {text.ptr, text.len};
}

static std::string_view command_of(const le::task &task) {
  return view(task.native().command_json);
}

// A single string could mean a program or a line for the shell.
template <class Command, class = void> struct is_command : std::false_type {};
template <class Command>
struct is_command<
    Command, std::void_t<decltype(std::declval<le::task &>().command(std::declval<Command>()))>>
    : std::true_type {};
static_assert(is_command<std::vector<std::string>>::value);
static_assert(!is_command<const char *>::value);
static_assert(!is_command<std::string>::value);

static void commands() {
  le::task task("k");
  CHECK_EQ(command_of(task), "");
  CHECK_EQ(command_of(task.command({"echo", "two words", ""})), R"(["echo","two words",""])");
  CHECK_EQ(command_of(task.command({"one"})), R"(["one"])");
  CHECK_EQ(command_of(task.command({})), "[]");
  CHECK_EQ(command_of(task.command(std::vector<std::string>{"a", "b"})), R"(["a","b"])");
  CHECK_EQ(command_of(task.command(std::list<const char *>{"c"})), R"(["c"])");
  CHECK_EQ(command_of(task.command(std::array<std::string_view, 2>{"d", "e"})), R"(["d","e"])");
  CHECK_EQ(command_of(task.shell("echo \"$HOME\" | tr a\\n b")), R"("echo \"$HOME\" | tr a\\n b")");
  CHECK_EQ(command_of(task.command({"\n\t\x01\x1f\x7f", "ä☃", std::string_view("\0", 1)})),
           "[\"\\u000a\\u0009\\u0001\\u001f\x7f\",\"ä☃\",\"\\u0000\"]");
  CHECK_EQ(command_of(task.command_json("[\"x\"]")), "[\"x\"]");
}

static void fields() {
  std::string key = "a key that is longer than any string keeps in itself";
  const le::task task = le::task(key)
                            .command({"true"})
                            .executor_config(R"({"a": 1})")
                            .queue("fast")
                            .timeout(2s)
                            .max_wait(1500us)
                            .result_timeout(3h)
                            .tag(UINT64_MAX)
                            .attempt_id("an id");
  key.assign(key.size(), 'x'); // it has a copy
  const lambda_executor_task_t native = task.native();
  CHECK_EQ(native.struct_size, sizeof native);
  CHECK_EQ(native.flags, 0U);
  CHECK_EQ(view(native.key), "a key that is longer than any string keeps in itself");
  CHECK_EQ(task.key(), view(native.key));
  CHECK_EQ(native.argc, 0U);
  CHECK(native.argv == nullptr);
  CHECK_EQ(view(native.executor_config_json), R"({"a": 1})");
  CHECK_EQ(view(native.queue), "fast");
  CHECK_EQ(native.timeout_ms, 2000);
  CHECK_EQ(native.max_wait_ms, 2);
  CHECK_EQ(native.result_timeout_ms, 10'800'000);
  CHECK_EQ(native.tag, UINT64_MAX);
  CHECK_EQ(view(native.attempt_id), "an id");
}

static void copies() {
  le::task first = le::task("first").command({"true"}).tag(1);
  le::task second = first;
  second.key("second").tag(2);
  CHECK_EQ(view(first.native().key), "first");
  CHECK_EQ(first.native().tag, 1U);
  CHECK_EQ(view(second.native().key), "second");
  CHECK_EQ(command_of(second), command_of(first));
  CHECK(command_of(second).data() != command_of(first).data());
  const le::task third = std::move(second);
  CHECK_EQ(third.key(), "second");
}

// Setters of a temporary return a temporary, so that it can be moved and no reference dangles.
static_assert(std::is_same_v<decltype(le::task("k").shell("true").tag(1)), le::task &&>);
static_assert(std::is_same_v<decltype(le::task("k").command({"true"})), le::task &&>);
static_assert(std::is_same_v<decltype(le::task("k").result_timeout(1s)), le::task &&>);
static_assert(
    std::is_same_v<decltype(std::declval<le::task &>().shell("true").tag(1)), le::task &>);

int main() {
  commands();
  fields();
  copies();
}
