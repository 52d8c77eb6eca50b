// An owned event keeps the event and its strings, after its batch and its executor are gone.
#include "test.hpp"
#include <tuple>

// All members of an event as text.
static auto all_of(const le::event &event) {
  const auto text = [](std::string_view view) {
    CHECK_EQ(view.data()[view.size()], '\0');
    return std::string(view);
  };
  return std::make_tuple(event.seq(), event.tag(), text(event.key()), event.state(), event.reason(),
                         event.return_code(), event.signal(), event.attempts(), event.queued_at(),
                         event.submitted_at(), event.started_at(), event.finished_at(),
                         text(event.message()), text(event.output_tail()), event.output_length(),
                         event.output_truncated(), text(event.value()), event.value_dropped(),
                         text(event.request_id()), text(event.log_stream()),
                         text(event.attempt_id()));
}

static std::size_t length(le::event event) {
  return event.key().size();
}

int main() {
  using everything = decltype(all_of(std::declval<le::event>()));
  const auto kept = [] {
    le::executor ex(R"({"local": {}})");
    const le::task task = le::task("a key").tag(7).shell(
        "echo text; printf '1\\0002' > \"$LAMBDA_EXECUTOR_RESULT_FILE\"");
    CHECK_EQ(ex.queue(task), le::status::ok);
    const le::events batch = test::final_of(ex, "a key");
    const le::event event = batch[0];
    CHECK_EQ(event.value(), std::string_view("1\0002", 3));
    return std::pair<everything, le::owned_event>(all_of(event), event.to_owned());
  }();
  le::owned_event copy = kept.second;
  CHECK(all_of(kept.second) == kept.first);
  const le::owned_event moved(std::move(copy));
  CHECK(all_of(copy) == kept.first); // moving copies
  CHECK(all_of(moved) == kept.first);
  copy = moved;
  const le::event view = copy;
  CHECK_EQ(view.key(), "a key");
  CHECK_EQ(length(moved), 5U);
  const std::vector<le::owned_event> many(3, moved);
  CHECK_EQ(many[2].output_tail(), "text\n");
}
