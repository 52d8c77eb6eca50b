#include "other.hpp"

void queue_elsewhere(le::executor &ex, std::string_view key) {
  CHECK_EQ(ex.queue(test::builtin_task(key).tag(5)), le::status::ok);
}
