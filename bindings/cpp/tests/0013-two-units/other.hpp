#include "../test.hpp"
#include <atomic>

le::status queue_elsewhere(le::executor &ex, const le::task &task, le::failure &why);
le::status log_elsewhere(le::executor &ex, std::atomic<int> &records);
