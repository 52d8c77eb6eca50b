/* The name of the endpoint leads elsewhere, or nowhere, for a while: tasks wait, and run as soon as
 * it leads to the server again. Connections that are open are used meanwhile. The same with both
 * transports. */
#include "server.h"
#include <dlfcn.h>
#include <netdb.h>

#define NAME "aws.example"

typedef int (*lookup_t)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* What the name has for an address now; NULL: DNS does not answer. */
static const char *volatile address;
static volatile int lookups;

/* Replaces libc's function for this program and the library. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  static const char SYMBOL[] = "getaddrinfo";
  lookup_t real;
  void *symbol = dlsym(RTLD_NEXT, SYMBOL);
  memcpy(&real, &symbol, sizeof real);
  if (node == NULL || strcmp(node, NAME) != 0)
    return real(node, service, hints, found);
  lookups++;
  const char *now = address;
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

static void run(lambda_executor_t *ex, const char *key) {
  queue(ex, task(key));
  expect_final(ex, key, LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);
}

static void with_transport(const server_t *server, const char *transport) {
  char config[2048];
  named(server, transport, config, sizeof config);

  address = NULL;
  lambda_executor_t *ex = start(config);
  queue(ex, task("unknown"));
  WAIT_UNTIL(lookups > 1);
  address = "127.0.0.2"; /* nothing listens there */
  int before = lookups;
  WAIT_UNTIL(lookups > before);
  CHECK(!is_final(state_of(ex, "unknown")));
  address = "127.0.0.1";
  expect_final(ex, "unknown", LAMBDA_EXECUTOR_TASK_SUCCEEDED, LAMBDA_EXECUTOR_REASON_EXIT);

  address = NULL;
  run(ex, "over an open connection");
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
