/* A local Lambda and SQS in a separate process (LAMBDA_EXECUTOR_LOCAL), which outlives the
 * executors that use it. Its faults can be changed at any time. Its handler is builtin. */
#ifndef LAMBDA_EXECUTOR_TEST_SERVER_H
#define LAMBDA_EXECUTOR_TEST_SERVER_H

#include "test.h"
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct server {
  pid_t pid;
  /* Options of an executor for this server, without the closing brace, so that more can follow.
   * The credentials are in the environment. */
  char options[1024];
} server_t;

/* Reads the settings for clients from the server's output. */
static inline void read_announcement(FILE *printed, server_t *server) {
  static const char EXPORT[] = "export ";
  char line[1024];
  while (fgets(line, sizeof line, printed) != NULL) {
    char *name = line + strlen(EXPORT), *value = strchr(line, '=');
    if (strncmp(line, EXPORT, strlen(EXPORT)) != 0 || value == NULL)
      continue;
    *value++ = '\0';
    value[strcspn(value, "\n")] = '\0';
    if (strcmp(name, "LAMBDA_EXECUTOR_CONFIG") != 0) {
      CHECK(setenv(name, value, 1) == 0);
      continue;
    }
    size_t len = strlen(value);
    CHECK(value[0] == '\'' && value[1] == '{' && strcmp(value + len - 2, "}'") == 0);
    snprintf(server->options, sizeof server->options, "%.*s", (int)len - 3, value + 1);
    return;
  }
  FAIL("the server printed no settings");
}

/* Call it while no executor exists: it changes the environment. */
static inline void start_server(server_t *server, const char *faults) {
  const char *program = getenv("LAMBDA_EXECUTOR_LOCAL");
  int out[2];
  CHECK(program != NULL);
  CHECK(pipe(out) == 0);
  server->pid = fork();
  CHECK(server->pid >= 0);
  if (server->pid == 0) {
    dup2(out[1], 1);
    close(out[0]);
    close(out[1]);
    execl(program, program, "--handler", "builtin", "--exit-with-parent", "--faults", faults,
          (char *)NULL);
    _exit(127);
  }
  close(out[1]);
  FILE *printed = fdopen(out[0], "r");
  CHECK(printed != NULL);
  read_announcement(printed, server);
  fclose(printed);
}

/* Replaces its faults. The answer may be lost by the fault that begins. */
static inline void set_faults(const char *faults) {
  struct sockaddr_in address = {0};
  char request[1024];
  const char *port = strrchr(getenv("AWS_ENDPOINT_URL"), ':');
  int len = snprintf(request, sizeof request,
                     "POST /_local/faults HTTP/1.1\r\nhost: 127.0.0.1%s\r\nauthorization: Bearer %s"
                     "\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n%s",
                     port, getenv("AWS_SECRET_ACCESS_KEY"), strlen(faults), faults);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(port + 1));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(write(fd, request, (size_t)len) == len);
  while (read(fd, request, sizeof request) > 0)
    continue;
  close(fd);
}

static inline void stop_server(server_t *server) {
  int status = 0;
  CHECK(kill(server->pid, SIGTERM) == 0);
  CHECK(waitpid(server->pid, &status, 0) == server->pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
