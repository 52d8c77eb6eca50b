/* The endpoint's name resolves to another address, or not at all: tasks wait, and run once it
 * resolves to the server again. Open connections are still used. The same with both transports. */
#include "server.h"
#include <dlfcn.h>
#include <netdb.h>

#define NAME "aws.example"

typedef int (*lookup_t)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Address of NAME; NULL: lookups fail with EAI_AGAIN. */
static const char *address;
/* Lookups of NAME that have read its address. */
static int lookups;

static void resolve_to(const char *now) {
  __atomic_store_n(&address, now, __ATOMIC_SEQ_CST);
}

static int lookups_so_far(void) {
  return __atomic_load_n(&lookups, __ATOMIC_SEQ_CST);
}

/* Replaces libc's function for this program and the library. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  static const char SYMBOL[] = "getaddrinfo";
  lookup_t real;
  void *symbol = dlsym(RTLD_NEXT, SYMBOL);
  memcpy(&real, &symbol, sizeof real);
  if (node == NULL || strcmp(node, NAME) != 0)
    return real(node, service, hints, found);
  const char *now = __atomic_load_n(&address, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&lookups, 1, __ATOMIC_SEQ_CST);
  return now == NULL ? EAI_AGAIN : real(now, service, hints, found);
}

/* Options of the server with the name in place of its address. */
static void named(const server_t *server, const char *transport, char *config, size_t size) {
  static const char ADDRESS[] = "//127.0.0.1:";
  const char *rest = server->options;
  size_t len = 0;
  for (const char *at; (at = strstr(rest, ADDRESS)) != NULL; rest = at + strlen(ADDRESS))
    len += (size_t)snprintf(config + len, size - len, "%.*s//" NAME ":", (int)(at - rest), rest);
  CHECK(len > 0);
  snprintf(config + len, size - len, "%s, \"transport\": \"%s\"}", rest, transport);
}

/* Several lookups find what NAME resolves to now. One may be under way, and Lambda and SQS look it
 * up independently. */
static void expect_lookups(void) {
  int before = lookups_so_far();
  WAIT_UNTIL(lookups_so_far() >= before + 4);
}

static void with_transport(const server_t *server, const char *transport) {
  char config[2048];
  named(server, transport, config, sizeof config);

  resolve_to(NULL);
  lambda_executor_t *ex = start(config);
  queue(ex, task("unknown"));
  expect_lookups();
  CHECK(!is_final(state_of(ex, "unknown")));
  resolve_to("127.0.0.2"); /* nothing listens there */
  expect_lookups();
  CHECK(!is_final(state_of(ex, "unknown")));
  resolve_to("127.0.0.1");
  expect_final(ex, "unknown", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);

  resolve_to(NULL);
  queue(ex, task("over an open connection"));
  expect_final(ex, "over an open connection", LAMBDA_EXECUTOR_TASK_SUCCEEDED,
               LAMBDA_EXECUTOR_REASON_EXIT);
  lambda_executor_free(ex, NULL);
}

int main(void) {
  server_t server;
  start_server(&server, "{}");
  CHECK(unsetenv("AWS_ENDPOINT_URL") == 0);
  with_transport(&server, "direct");
  with_transport(&server, "sdk");
  stop_server(&server);
  return 0;
}
