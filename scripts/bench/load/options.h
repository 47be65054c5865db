// The command line.
#pragma once
#include <stdbool.h>

#include "stream.h"

struct dialect;
struct client;

enum { MOST_SERVERS = 8 };

struct options {
  const char *workload;
  const struct dialect *dialect;
  struct endpoint server; // but for its port
  uint16_t ports[MOST_SERVERS];
  unsigned port_count;
  const char *password;
  bool udp;
  bool channel;        // IRC: everybody is in a channel
  bool room;           // ours: everybody is in a room, where messages go to
  int pids[MOST_SERVERS]; // processes to look at, the server's first
  unsigned pid_count;
  unsigned receivers, senders, outstanding, size;
  unsigned rate;       // messages a second
  unsigned at_once;    // logins under way
  unsigned record;     // bytes of a TLS record at most; 0: as many as there may be
  double seconds, warm_up, settle;
};
extern struct options options;

void options_parse(int count, char **arguments);
/** Where a client is: a sender at the first server, receivers in turn from the last one on. */
struct endpoint server_of(const struct client *);
