// The header in two files of one program: everything in it is inline, and both see the same types.
#include "other.hpp"

int main() {
  le::executor ex(test::builtin);
  queue_elsewhere(ex, "k");
  CHECK_EQ(test::final_of(ex, "k")[0].tag(), 5U);
  CHECK_THROWS(queue_elsewhere(ex, ""), le::invalid_argument_error,
               le::status::err_invalid_argument, "key");
}
