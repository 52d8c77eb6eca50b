/* The library calls the log callback in its own thread, and prints nothing while a callback is set.
 * NULL removes it. */
#include "test.h"
#include <pthread.h>
#include <unistd.h>

static int records;
static pthread_t main_thread;

static void on_record(void *user_data, const lambda_executor_log_record_t *record) {
  CHECK(user_data == &records);
  CHECK(!pthread_equal(pthread_self(), main_thread));
  CHECK(record->struct_size >= sizeof *record);
  CHECK(record->level >= LAMBDA_EXECUTOR_LOG_ERROR && record->level <= LAMBDA_EXECUTOR_LOG_TRACE);
  CHECK(record->time_ms > 1500000000000);
  CHECK(record->target.len > 0 && record->message.len > 0);
  __atomic_add_fetch(&records, 1, __ATOMIC_SEQ_CST);
}

int main(void) {
  lambda_executor_error_t *err = NULL;
  main_thread = pthread_self();
  FILE *printed = tmpfile();
  CHECK(printed != NULL);
  int old_stderr = dup(STDERR_FILENO);
  dup2(fileno(printed), STDERR_FILENO);

  lambda_executor_t *ex = start("{\"log\": \"off\", \"local\": {\"handler\": \"builtin\", "
                                "\"faults\": {\"outages\": [{\"for_ms\": 3600000}]}}}");
  CHECK_OK(
      lambda_executor_set_log_callback(ex, on_record, &records, LAMBDA_EXECUTOR_LOG_TRACE, &err));
  queue(ex, task("a"));
  WAIT_UNTIL(__atomic_load_n(&records, __ATOMIC_SEQ_CST) > 0);
  CHECK_OK(
      lambda_executor_set_log_callback(ex, on_record, &records, LAMBDA_EXECUTOR_LOG_OFF, &err));
  fflush(stderr);
  CHECK_INT(lseek(fileno(printed), 0, SEEK_END), 0);
  dup2(old_stderr, STDERR_FILENO);
  close(old_stderr);
  fclose(printed);

  CHECK_OK(lambda_executor_set_log_callback(ex, NULL, NULL, LAMBDA_EXECUTOR_LOG_OFF, &err));
  int before = __atomic_load_n(&records, __ATOMIC_SEQ_CST);
  lambda_executor_free(ex, NULL);
  CHECK_INT(__atomic_load_n(&records, __ATOMIC_SEQ_CST), before);
  return 0;
}
