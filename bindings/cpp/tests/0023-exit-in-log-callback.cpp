// std::exit in a log callback destroys a static executor on the thread of the callback, and ends
// the process.
#include "test.hpp"
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

static le::executor ex;

static void exit_in_the_callback() {
  alarm(30); // in place of waiting for ever
  ex = le::executor(test::builtin);
  ex.set_log_callback([](const le::log_record &) { std::exit(7); }, le::log_level::trace);
  CHECK_EQ(ex.queue(test::builtin_task("logged")), le::status::ok);
  for (;;)
    pause();
}

int main() {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0)
    exit_in_the_callback();
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 7);
}
