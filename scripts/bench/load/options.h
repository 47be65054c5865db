// The command line.
#pragma once
#include <stdbool.h>

#include "stream.h"

struct dialect;

struct options {
  const char *workload;
  const struct dialect *dialect;
  struct endpoint server;
  const char *password;
  bool udp;
  bool room;           // IRC: everybody is in a channel
  int pid;             // the server's process
  unsigned receivers, senders, outstanding, size;
  unsigned rate;       // messages a second
  unsigned at_once;    // logins under way
  unsigned record;     // bytes of a TLS record at most; 0: as many as there may be
  double seconds, warm_up, settle;
};
extern struct options options;

void options_parse(int count, char **arguments);
