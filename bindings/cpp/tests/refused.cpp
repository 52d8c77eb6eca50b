// Code that must not compile, one case at a time. run.sh looks for the text beside each case in the
// compiler's messages.
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
  le::events batch = ex.sync(le::forever);
  le::event view = batch[0];
  const le::owned_event kept = view.to_owned();
  view = kept;
  for (le::event each : ex.sync(le::forever))
    (void)each.key();
#elif CASE == 1  // a range of tasks that exist
  (void)ex.queue_batch(ids | std::views::transform(to_task));
#elif CASE == 2  // a range of tasks that exist
  (void)ex.adopt_batch(ids | std::views::transform(to_task));
#elif CASE == 3  // a range of keys that exist
  (void)ex.cancel_batch(ids | std::views::transform(to_key));
#elif CASE == 4  // a range of keys that exist
  (void)ex.cancel_batch(words(std::istream_iterator<std::string>(text), {}));
#elif CASE == 5  // no matching function
  (void)le::task("k").command("one string is for the shell");
#elif CASE == 6  // use of deleted function
  le::event freed = ex.sync(le::forever)[0];
#elif CASE == 7  // use of deleted function
  auto freed = ex.sync(le::forever).begin();
#elif CASE == 8  // use of deleted function
  le::event freed = ex.sync(le::forever).cbegin()[0];
#elif CASE == 9  // use of deleted function
  le::events batch = ex.sync(le::forever);
  le::event freed = batch[0].to_owned();
#elif CASE == 10 // use of deleted function
  le::events batch = ex.sync(le::forever);
  le::event freed = batch[0];
  freed = freed.to_owned();
#endif
}
