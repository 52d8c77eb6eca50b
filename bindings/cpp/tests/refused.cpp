// What must not compile, one case at a time: run.sh looks for the text beside each case in the
// messages of the compiler.
#include <lambda_executor.hpp>

#include <iterator>
#include <ranges>
#include <sstream>

namespace le = lambdaexecutor;

void calls(le::executor &ex, const std::vector<std::string> &ids, std::istringstream &text) {
  const auto to_task = [](const std::string &id) { return le::task(id).shell("true"); };
  const auto to_key = [](const std::string &id) { return "task " + id; };
  const auto to_view = [](const std::string &id) { return std::string_view(id); };
  const auto to_pointer = [](const std::string &id) { return id.c_str(); };
  using words = std::ranges::subrange<std::istream_iterator<std::string>>;
#if CASE == 0
  (void)ex.queue_batch(std::vector<le::task>{to_task("a")});
  (void)ex.cancel_batch(ids);
  (void)ex.cancel_batch(ids | std::views::transform(to_view));
  (void)ex.cancel_batch(ids | std::views::transform(to_pointer));
  (void)to_key;
  (void)text;
#elif CASE == 1 // a range of tasks that exist
  (void)ex.queue_batch(ids | std::views::transform(to_task));
#elif CASE == 2 // a range of tasks that exist
  (void)ex.adopt_batch(ids | std::views::transform(to_task));
#elif CASE == 3 // a range of keys that exist
  (void)ex.cancel_batch(ids | std::views::transform(to_key));
#elif CASE == 4 // a range of keys that exist
  (void)ex.cancel_batch(words(std::istream_iterator<std::string>(text), {}));
#elif CASE == 5 // no matching function
  (void)le::task("k").command("one string is for the shell");
#endif
}
