#include "other.hpp"

#ifndef EXPECT_NO_EXCEPTIONS
#error "this file is the one that is compiled with -fno-exceptions"
#endif

le::status queue_elsewhere(le::executor &ex, const le::task &task, le::failure &why) {
  return ex.queue(task, why);
}

le::status log_elsewhere(le::executor &ex, std::atomic<int> &records) {
  le::failure why;
  return ex.set_log_callback([&](const le::log_record &) { records++; }, le::log_level::trace, why);
}
