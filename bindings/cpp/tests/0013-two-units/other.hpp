#include "../test.hpp"

void queue_elsewhere(le::executor &ex, std::string_view key);
