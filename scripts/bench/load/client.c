#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum { OPEN_LIMIT_US = 120000000 };

static void no_message(struct client *client, const struct stamp *stamp) {
  (void)client, (void)stamp;
}
static void no_client(struct client *client) { (void)client; }

struct hooks hooks = {.message = no_message, .answered = no_client, .ready = no_client};
struct totals totals;
struct client *clients;
unsigned client_count;
static unsigned ready_count;

static void on_line(struct stream *stream, char *line, size_t length) {
  options.dialect->line((struct client *)stream, line, length);
}

static void on_end(struct stream *stream, const char *why) {
  struct client *client = (struct client *)stream;
  totals.disconnects++;
  client->state = ABSENT;
  client_problem(client, why);
}

static void tick(uint64_t now) {
  for (unsigned i = 0; i < client_count; i++) options.dialect->tick(&clients[i], now);
}

void client_connect(struct client *client) {
  client->state = LOGGING_IN;
  struct endpoint server = server_of(client);
  stream_open(&client->stream, &server);
  options.dialect->log_in(client);
}

void client_became_ready(struct client *client) {
  if (client->state == READY) return;
  client->state = READY;
  ready_count++;
  hooks.ready(client);
}

void client_progressed(struct client *client) {
  bool bound = !options.udp || client->channel.bound;
  if (bound && (!options.room || client->joined)) client_became_ready(client);
}

void client_problem(struct client *client, const char *what) {
  if (totals.first_problem[0] != 0) return;
  snprintf(totals.first_problem, sizeof totals.first_problem, "%s: %.150s", client->name, what);
}

void client_shows(struct client *client, const struct stamp *stamp) {
  totals.deliveries++;
  uint32_t *due = &client->next[stamp->sender];
  if (stamp->number < *due) {
    totals.twice++;
  } else {
    totals.missing += stamp->number - *due;
    *due = stamp->number + 1;
  }
  hooks.message(client, stamp);
}

void clients_open(unsigned count, unsigned senders) {
  clients = calloc(count, sizeof *clients);
  if (clients == NULL) die("out of memory");
  client_count = count;
  loop_before_waiting = streams_flush;
  loop_ticked = tick;
  for (unsigned i = 0; i < count; i++) {
    struct client *client = &clients[i];
    client->index = i;
    client->stream.source.fd = client->channel.source.fd = -1;
    client->stream.line = on_line;
    client->stream.ended = on_end;
    client->next = calloc(senders + 1, sizeof *client->next);
    snprintf(client->name, sizeof client->name, "u%05u", i);
  }
  uint64_t limit = now_us() + OPEN_LIMIT_US;
  for (unsigned begun = 0; ready_count < count; loop_turn()) {
    while (begun < count && begun < ready_count + options.at_once) client_connect(&clients[begun++]);
    if (totals.disconnects > 0) die("a login failed: %s", totals.first_problem);
    if (now_us() > limit) die("only %u of %u clients got in", ready_count, count);
  }
}
