// One user at a server, in whichever protocol; and what all of them have counted.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "inbox.h"
#include "stamp.h"
#include "stream.h"

enum state { ABSENT, LOGGING_IN, READY };

struct client {
  struct stream stream; // the first, so that the stream's pointer is this one's
  enum state state;
  unsigned index;
  char name[32];
  uint32_t *next; // the number that is due, by sender
  // Of our own protocol:
  struct channel channel;
  struct inbox inbox;
  char token[65];
  bool joined; // the room, where there is one
  uint64_t request, latest, acknowledged, ack_due;
};

/** How a protocol is spoken. */
struct dialect {
  void (*log_in)(struct client *);
  void (*line)(struct client *, char *line, size_t length);
  void (*publish)(struct client *, const char *text, size_t size);
  void (*direct)(struct client *, const char *to, const char *text, size_t size);
  void (*tick)(struct client *, uint64_t now);
};
extern const struct dialect chat_dialect, irc_dialect;

/** What a workload hears of; each does nothing by default. */
struct hooks {
  void (*message)(struct client *receiver, const struct stamp *);
  void (*answered)(struct client *sender);
  void (*ready)(struct client *);
};
extern struct hooks hooks;

struct totals {
  uint64_t deliveries;           // each message once a receiver, as it is shown
  uint64_t duplicates;           // that came again under a delivery number that was there
  uint64_t twice, missing;       // that were shown again, or never, or not in their order
  uint64_t packets, by_udp;      // data packets, and messages in them
  uint64_t refused, disconnects; // error answers, and connections that the server ended
  char first_problem[200];
};
extern struct totals totals;

extern struct client *clients;
extern unsigned client_count;

/** Makes them, logs all of them in, some at a time, and waits until all are ready. */
void clients_open(unsigned count, unsigned senders);
void client_connect(struct client *);
void client_became_ready(struct client *);
/** One of our own has its data channel, or is in the room: it is ready when it has what is wanted. */
void client_progressed(struct client *);
void client_problem(struct client *, const char *what);
/** A message is shown: `text` begins with its stamp. */
void client_shows(struct client *, const struct stamp *);
