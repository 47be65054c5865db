#include "options.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

struct options options = {
    .workload = "",
    .dialect = &chat_dialect,
    .password = "geheim",
    .receivers = 200,
    .senders = 10,
    .outstanding = 32,
    .size = 100,
    .rate = 20,
    .at_once = 32,
    .seconds = 5,
    .warm_up = 1,
};

static double number(const char *name, const char *text, double least) {
  char *end;
  double value = strtod(text, &end);
  if (*text == 0 || *end != 0 || !(value >= least && value <= 1e6)) {
    die("--%s takes a number from %g to 1000000", name, least);
  }
  return value;
}

static bool set_number(const char *name, const char *text) {
  struct {
    const char *name;
    unsigned *whole;
    double *fraction;
    double least;
  } known[] = {
      {"receivers", &options.receivers, NULL, 1},
      {"senders", &options.senders, NULL, 0},
      {"outstanding", &options.outstanding, NULL, 1},
      {"size", &options.size, NULL, STAMP_SIZE},
      {"rate", &options.rate, NULL, 1},
      {"at-once", &options.at_once, NULL, 1},
      {"record", &options.record, NULL, 512},
      {"seconds", NULL, &options.seconds, 0.1},
      {"warm-up", NULL, &options.warm_up, 0},
      {"settle", NULL, &options.settle, 0},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    double value = number(name, text, known[i].least);
    if (known[i].whole != NULL) *known[i].whole = (unsigned)value;
    else *known[i].fraction = value;
    return true;
  }
  return false;
}

/** Flags that may come several times. */
static bool add(const char *name, const char *text) {
  bool port = strcmp(name, "port") == 0;
  if (!port && strcmp(name, "pid") != 0) return false;
  unsigned *count = port ? &options.port_count : &options.pid_count;
  if (*count == MOST_SERVERS) die("there may be %d times --%s at most", MOST_SERVERS, name);
  double value = number(name, text, 1);
  if (port) options.ports[(*count)++] = (uint16_t)value;
  else options.pids[(*count)++] = (int)value;
  return true;
}

static bool set_flag(const char *name) {
  if (strcmp(name, "irc") == 0) options.dialect = &irc_dialect;
  else if (strcmp(name, "tls") == 0) options.server.tls = true;
  else if (strcmp(name, "udp") == 0) options.udp = true;
  else return false;
  return true;
}

void options_parse(int count, char **arguments) {
  struct sockaddr_in *address = &options.server.address;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (count < 2) die("usage: load WORKLOAD --port N --pid N [--irc] [--tls] [--udp] [--NAME N ...]");
  options.workload = arguments[1];
  for (int i = 2; i < count; i++) {
    if (strncmp(arguments[i], "--", 2) != 0) die("there is one argument too many: %s", arguments[i]);
    const char *name = arguments[i] + 2;
    if (set_flag(name)) continue;
    if (++i == count) die("--%s needs a value, or is unknown", name);
    if (!add(name, arguments[i]) && !set_number(name, arguments[i])) {
      die("there is no flag --%s", name);
    }
  }
  if (options.port_count == 0 || options.pid_count == 0) die("--port and --pid are needed");
}

struct endpoint server_of(const struct client *client) {
  bool receiver = client->index < options.receivers;
  unsigned place = receiver ? options.port_count - 1 - client->index % options.port_count : 0;
  struct endpoint server = options.server;
  server.address.sin_port = htons(options.ports[place]);
  return server;
}
