// Events are a range with random access, also if a newer library's events are larger than the
// header says: the program's own lambda_executor_batch_events replaces that of the library and
// returns such events.
#include "test.hpp"
#include <algorithm>
#include <cstring>
#include <numeric>

struct grown_event {
  lambda_executor_event_t known;
  char unknown[56];
};

static bool grown = false;
static std::vector<grown_event> copies;

extern "C" const lambda_executor_event_t *
lambda_executor_batch_events(const lambda_executor_batch_t *batch, size_t *n, size_t *stride) {
  *n = lambda_executor_batch_len(batch);
  *stride = sizeof(grown_event);
  copies.resize(*n);
  for (std::size_t i = 0; i < *n; i++) {
    copies[i].known = *lambda_executor_batch_event(batch, i);
    std::memset(copies[i].unknown, 0x55, sizeof copies[i].unknown);
  }
  grown = true;
  return *n > 0 ? &copies[0].known : nullptr;
}

static void look_at(const le::events &batch, std::size_t expected) {
  CHECK_EQ(batch.size(), expected);
  CHECK_EQ(batch.status(), le::status::ok);
  std::uint64_t seq = batch[0].seq();
  std::size_t seen = 0;
  for (const le::event event : batch) {
    CHECK_EQ(event.seq(), seq++);
    CHECK_EQ(event.tag() < 100, true);
    seen++;
  }
  CHECK_EQ(seen, expected);

  const le::event_iterator first = batch.begin(), last = batch.end();
  const auto n = static_cast<std::ptrdiff_t>(expected);
  CHECK_EQ(last - first, n);
  CHECK_EQ(std::distance(first, last), n);
  CHECK(first + n == last && n + first == last && last - n == first);
  CHECK(first < last && last > first && first <= first && last >= last && first != last);
  CHECK_EQ(first[n - 1].seq(), (last - 1)->seq());
  CHECK_EQ((*std::prev(last)).seq(), batch[expected - 1].seq());
  le::event_iterator it = first;
  CHECK_EQ((it++)->seq(), batch[0].seq());
  CHECK_EQ((--it)->seq(), batch[0].seq());
  CHECK_EQ((it += 2)->seq(), batch[2].seq());
  CHECK_EQ((it--)->seq(), batch[2].seq());
  CHECK_EQ((++it -= 1)->seq(), batch[1].seq());
  const auto found = std::find_if(first, last, [](le::event event) { return event.is_final(); });
  CHECK(found != last);
  CHECK(std::is_sorted(first, last, [](le::event a, le::event b) { return a.seq() < b.seq(); }));
  const auto middle =
      std::lower_bound(first, last, batch[1].seq(),
                       [](le::event event, std::uint64_t at) { return event.seq() < at; });
  CHECK_EQ(middle - first, 1);
}

#if __cplusplus >= 202002L
static_assert(std::random_access_iterator<le::event_iterator>);
static_assert(std::ranges::random_access_range<const le::events>);
static_assert(std::ranges::sized_range<const le::events>);
static_assert(std::input_iterator<le::acknowledging_iterator>);
static_assert(!std::forward_iterator<le::acknowledging_iterator>);
static_assert(std::ranges::input_range<le::events>);
#endif

// A pass from begin() to end() acknowledges; other kinds of access do not.
static void acknowledges(le::executor &ex, le::events batch) {
  const std::size_t all = batch.size();
  CHECK_EQ(ex.counts().unacknowledged, all);
  le::events::iterator at = batch.begin();
  CHECK_EQ(at->seq(), batch[0].seq());
  CHECK_EQ((*at++).seq(), batch[0].seq());
  CHECK_EQ(ex.counts().unacknowledged, all - 1);
  ++at;
  CHECK_EQ(ex.counts().unacknowledged, all - 2);
  const le::event_iterator same = at; // and the rest without it
  CHECK_EQ(batch.cend() - same, static_cast<std::ptrdiff_t>(all) - 2);
  CHECK_EQ(std::count_if(same, batch.cend(), [](le::event) { return true; }), batch.cend() - same);
  CHECK_EQ(ex.counts().unacknowledged, all - 2);
  CHECK(at != batch.end());
  const auto finals =
      std::count_if(batch.begin(), batch.end(), [](le::event event) { return event.is_final(); });
  CHECK_EQ(finals, 5);
  CHECK_EQ(ex.counts().unacknowledged, 0U);
}

int main() {
  const le::events none;
  CHECK(none.empty());
  CHECK(none.begin() == none.end());
  CHECK_EQ(none.end() - none.begin(), 0);
  for (const le::event event : none)
    FAIL("an event of no events: " << event.key());

  le::executor ex(test::builtin);
  for (std::uint64_t i = 0; i < 5; i++)
    CHECK_EQ(ex.queue(test::builtin_task("task " + std::to_string(i)).tag(i)), le::status::ok);
  CHECK_EQ(ex.drain(le::drain_mode::finish, test::deadline).status, le::status::ok);
  le::events batch = ex.sync(0s);
  look_at(batch, 10);
  acknowledges(ex, std::move(batch));
  CHECK(grown);
}
