/* An invalid configuration gives one error that lists every problem, and creates neither an
 * executor nor a thread. */
#include "test.h"

static void refuse(const char *config, size_t len, lambda_executor_status_t status,
                   const char *part) {
  lambda_executor_error_t *err = NULL;
  lambda_executor_t *ex = (lambda_executor_t *)&err;
  CHECK_ERROR(lambda_executor_create(config, len, &ex, &err), status, part);
  CHECK(ex == NULL);
  CHECK_STATUS(lambda_executor_create(config, len, &ex, NULL), status);
  WAIT_UNTIL(thread_count() == 1);
}

static void invalid(const char *config, const char *part) {
  refuse(config, LAMBDA_EXECUTOR_NUL, LAMBDA_EXECUTOR_ERR_INVALID_CONFIG, part);
}

int main(void) {
  invalid("", "empty");
  invalid("[]", "list");
  invalid("{\"local\": ", "JSON");
  invalid("{\"local\": {}, \"max_queued_taks\": 5}", "max_queued_tasks");
  invalid("{\"local\": {}, \"max_queued_tasks\": \"many\"}", "max_queued_tasks");
  invalid("{\"local\": {}, \"max_queued_tasks\": -1}", "max_queued_tasks");
  invalid("{\"local\": {}, \"ack\": \"manual\"}", "lambda_executor_batch_ack");
  invalid("{\"local\": {}, \"log\": \"off\", \"log\": \"warn\"}", "twice");
  invalid("{\"local\": {\"handlr\": \"exec\"}}", "handlr");
  invalid("{\"local\": {\"handler\": \"/no/such/program\"}}", "/no/such/program");
  invalid("{\"local\": 5}", "local");
  invalid("{}", "function_name");
  invalid("{}", "queue_url");
  invalid("{}", "dead_letter_queue_url");
  invalid("{\"function_name\": \"f\", \"queue_url\": \"my-queue\"}", "my-queue");
  /* Three problems: each has its line. */
  invalid("{\"queue_url\": \"q\", \"max_queued_tasks\": true, \"nonsense\": 1}", "queue_url");
  invalid("{\"queue_url\": \"q\", \"max_queued_tasks\": true, \"nonsense\": 1}",
          "max_queued_tasks");
  invalid("{\"queue_url\": \"q\", \"max_queued_tasks\": true, \"nonsense\": 1}", "nonsense");

  /* Airflow's sources: first none, then an invalid one. */
  setenv("AIRFLOW_CONFIG", "/no/such/airflow.cfg", 1);
  setenv("AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS", "abc", 1);
  refuse(NULL, 0, LAMBDA_EXECUTOR_ERR_INVALID_CONFIG,
         "config_json is NULL, which asks for Airflow");
  refuse(NULL, 0, LAMBDA_EXECUTOR_ERR_INVALID_CONFIG,
         "AIRFLOW__AWS_LAMBDA_EXECUTOR__QUEUE_URL nor in section");
  invalid("{\"local\": {}, \"airflow\": true}",
          "AIRFLOW__AWS_LAMBDA_EXECUTOR__MAX_INVOKE_ATTEMPTS=abc: expected an integer");
  invalid("{\"local\": {}, \"team\": \"blue\"}", "team");
  refuse("{\"ack\": \"\xff\"}", LAMBDA_EXECUTOR_NUL, LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "UTF-8");
  refuse(NULL, 5, LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "config_json");

  lambda_executor_error_t *err = NULL;
  CHECK_ERROR(lambda_executor_create(BUILTIN, LAMBDA_EXECUTOR_NUL, NULL, &err),
              LAMBDA_EXECUTOR_ERR_INVALID_ARGUMENT, "ex");

  /* With a length, the text after it is ignored. */
  lambda_executor_t *ex = NULL;
  CHECK_OK(lambda_executor_create(BUILTIN "garbage", sizeof BUILTIN - 1, &ex, &err));
  lambda_executor_free(ex, NULL);
  return 0;
}
