// Runs a scenario through the C++ layer and prints the outcome: tests/bindings/README.md describes
// both.
//
//   LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner NAME.tsv
//
// Exit status: 0 the scenario ran, 1 a call of the library failed, 2 the scenario is malformed.
#include <lambda_executor.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace le = lambdaexecutor;
using namespace std::chrono_literals;

namespace {

constexpr auto health_wait = 30s, longest_wait = 120s;
using clock_type = std::chrono::steady_clock;
using fields = std::vector<std::string_view>;

struct malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string quoted(std::string_view text) {
  return '`' + std::string(text) + '`';
}

// `-` is an empty field.
std::string_view text_of(std::string_view field) {
  return field == "-" ? std::string_view() : field;
}

std::uint64_t number_of(std::string_view field) {
  if (text_of(field).empty())
    return 0;
  if (field.find_first_not_of("0123456789") != std::string_view::npos)
    throw malformed(quoted(field) + " is no number");
  return std::stoull(std::string(field));
}

std::chrono::milliseconds ms_of(std::string_view field) {
  return std::chrono::milliseconds(number_of(field));
}

std::string escaped(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\\')
      out += "\\\\";
    else if (byte < 0x20 || byte > 0x7e)
      out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    else
      out += c;
  }
  return out.empty() ? "-" : out;
}

// The record of a task that was accepted.
struct record {
  std::string states; // ",running,succeeded"
  std::string rest;   // the fields after the states, as they are printed
  std::uint64_t tag = 0;
  bool final = false;

  bool has_had(std::string_view state) const {
    return (states + ',').find(',' + std::string(state) + ',') != std::string::npos;
  }

  void note(const le::event &event) {
    if (final)
      throw std::runtime_error("an event of " + quoted(event.key()) + " after its final one");
    const std::optional<int> code = event.return_code();
    states.append(",").append(le::name(event.state()));
    final = event.is_final();
    tag = event.tag();
    rest.assign(le::name(event.reason()));
    rest += '\t' + (code ? std::to_string(*code) : "-") + '\t' + std::to_string(event.signal());
    rest += '\t' + escaped(event.output_tail()) + '\t' + escaped(event.value());
  }
};

class runner {
public:
  explicit runner(std::string_view config) : ex_(config) {
  }

  void carry_out(std::string_view line) {
    fields field;
    for (std::size_t start = 0, end = 0; end != std::string_view::npos; start = end + 1) {
      end = line.find('\t', start);
      field.push_back(line.substr(start, end == std::string_view::npos ? end : end - start));
    }
    const auto found = steps().find(field[0]);
    if (found == steps().end())
      throw malformed("there is no step " + quoted(field[0]));
    field.erase(field.begin());
    if (field.size() != found->second.takes)
      throw malformed(quoted(found->first) + " has " + std::to_string(field.size()) +
                      " fields, expected " + std::to_string(found->second.takes));
    (this->*found->second.carry_out)(field);
  }

private:
  struct step {
    std::size_t takes;
    void (runner::*carry_out)(const fields &);
  };

  static const std::map<std::string_view, step> &steps() {
    static const std::map<std::string_view, step> all = {
        {"options", {1, &runner::skip}}, {"local", {1, &runner::skip}},
        {"faults", {1, &runner::skip}},  {"health", {0, &runner::health}},
        {"queue", {6, &runner::queue}},  {"batch", {4, &runner::batch}},
        {"adopt", {3, &runner::adopt}},  {"wait", {2, &runner::wait}},
        {"state", {1, &runner::state}},  {"cancel", {1, &runner::cancel}},
        {"drain", {1, &runner::drain}},  {"finish", {0, &runner::finish}},
        {"after", {1, &runner::after}},
    };
    return all;
  }

  // The status of a call, failed or not.
  template <class Call> static le::status status_of(Call call) {
    try {
      return call();
    } catch (const le::error &error) {
      return error.status();
    }
  }

  static void print(std::string_view step, std::string_view subject, std::string_view outcome) {
    std::cout << step << '\t' << subject << '\t' << outcome << '\n';
  }

  void accept(std::string_view key, le::status status) {
    if (status == le::status::ok && !tasks_.emplace(key, record()).second)
      throw malformed("the key " + quoted(key) +
                      " is accepted twice, which the outcome cannot show");
  }

  // Waits for events, and acknowledges each one after it; false when the deadline has passed.
  bool take_events(clock_type::time_point deadline) {
    const auto left = deadline - clock_type::now();
    if (left <= 0s)
      return false;
    for (const le::event event : ex_.sync(left)) {
      const auto task = tasks_.find(event.key());
      if (task == tasks_.end())
        throw std::runtime_error("an event of " + quoted(event.key()) + ", which was not accepted");
      task->second.note(event);
    }
    return true;
  }

  void skip(const fields &) {
  }

  void health(const fields &) {
    le::status status;
    do
      status = status_of([&] { return ex_.check_health(health_wait); });
    while (status == le::status::interrupted);
    std::cout << "health\t" << le::name(status) << '\n';
  }

  void queue(const fields &field) {
    const le::task task = le::task(text_of(field[0]))
                              .tag(number_of(field[1]))
                              .command_json(text_of(field[2]))
                              .executor_config(text_of(field[3]))
                              .timeout(ms_of(field[4]))
                              .max_wait(ms_of(field[5]));
    const le::status status = status_of([&] { return ex_.queue(task); });
    accept(task.key(), status);
    print("queue", field[0], le::name(status));
  }

  void batch(const fields &field) {
    std::vector<le::task> tasks;
    for (std::uint64_t i = 0; i < number_of(field[1]); i++)
      tasks.push_back(le::task(std::string(text_of(field[0])) + std::to_string(i))
                          .tag(i)
                          .command_json(text_of(field[2]))
                          .executor_config(text_of(field[3])));
    const le::results each = ex_.queue_batch(tasks);
    for (std::size_t i = 0; i < tasks.size(); i++)
      accept(tasks[i].key(), each[i]);
    print("batch", field[0], std::to_string(each.accepted()));
  }

  void adopt(const fields &field) {
    const le::task task =
        le::task(text_of(field[0])).tag(number_of(field[1])).attempt_id(text_of(field[2]));
    const le::status status = status_of([&] { return ex_.adopt(task); });
    accept(task.key(), status);
    print("adopt", field[0], le::name(status));
  }

  void wait(const fields &field) {
    const auto deadline = clock_type::now() + longest_wait;
    const auto task = tasks_.find(text_of(field[0]));
    if (task == tasks_.end())
      throw malformed("wait: " + quoted(field[0]) + " was not accepted");
    while (!task->second.has_had(field[1]))
      if (!take_events(deadline))
        throw std::runtime_error("wait: " + quoted(field[0]) + " was not " + std::string(field[1]) +
                                 " in time");
    print("wait", field[0], field[1]);
  }

  void state(const fields &field) {
    const le::task_state state = ex_.state(text_of(field[0]));
    print("state", field[0],
          state == le::task_state::unknown ? le::name(le::status::not_found) : le::name(state));
  }

  void cancel(const fields &field) {
    print("cancel", field[0], le::name(status_of([&] { return ex_.cancel(text_of(field[0])); })));
  }

  void drain(const fields &field) {
    if (field[0] != "finish" && field[0] != "running")
      throw malformed("drain: " + quoted(field[0]) + " is neither `finish` nor `running`");
    const auto mode = field[0] == "finish" ? le::drain_mode::finish : le::drain_mode::cancel_queued;
    const auto deadline = clock_type::now() + longest_wait;
    le::drained far;
    do
      far = ex_.drain(mode, deadline - clock_type::now());
    while (far.status == le::status::interrupted);
    print("drain", le::name(far.status), std::to_string(far.remaining));
  }

  void finish(const fields &) {
    const auto deadline = clock_type::now() + longest_wait;
    const auto unfinished = [](const auto &task) { return !task.second.final; };
    while (std::any_of(tasks_.begin(), tasks_.end(), unfinished) && take_events(deadline))
      continue;
    for (const auto &[key, task] : tasks_)
      if (!task.final)
        std::cout << "unfinished\t" << key << '\n';
    for (const auto &[key, task] : tasks_)
      if (task.final)
        std::cout << "task\t" << key << '\t' << task.tag << '\t' << task.states.substr(1) << '\t'
                  << task.rest << '\n';
  }

  void after(const fields &field) {
    le::status status;
    if (field[0] == "queue")
      status = status_of([&] { return ex_.queue(le::task("after").command({"true"})); });
    else if (field[0] == "sync")
      status = status_of([&] { return ex_.sync(0s).status(); });
    else
      throw malformed("after: " + quoted(field[0]) + " is neither `queue` nor `sync`");
    print("after", field[0], le::name(status));
  }

  le::executor ex_;
  std::map<std::string, record, std::less<>> tasks_; // in the order of the keys' bytes
};

} // namespace

int main(int argc, char **argv) {
  const char *config = std::getenv("LAMBDA_EXECUTOR_CONFIG");
  std::ifstream scenario(argc == 2 ? argv[1] : "");
  if (!scenario || config == nullptr) {
    std::cerr << "usage: LAMBDA_EXECUTOR_CONFIG=JSON scenario_runner SCENARIO.tsv\n";
    return 2;
  }
  try {
    runner runner(config);
    for (std::string line; std::getline(scenario, line);)
      if (!line.empty() && line[0] != '#')
        runner.carry_out(line);
  } catch (const malformed &error) {
    std::cerr << "scenario_runner: " << error.what() << '\n';
    return 2;
  } catch (const std::exception &error) {
    std::cerr << "scenario_runner: " << error.what() << '\n';
    return 1;
  }
}
