// Our own protocol's control channel, as docs/PROTOCOL.md has it.
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "options.h"

/**
 * When an `ack` record is due: so long after a `deliver` (with the time until the next tick, 100 ms), or
 * when so many are not acknowledged.
 */
enum { ACK_DELAY_US = 95000, ACK_EVERY = 4096 };

static bool begins(const char *line, const char *with) {
  return strncmp(line, with, strlen(with)) == 0;
}

/** What stands behind a field's name; NULL where there is no such field. */
static const char *find(const char *line, const char *name) {
  const char *found = strstr(line, name);
  return found == NULL ? NULL : found + strlen(name);
}

static uint64_t integer(const char *line, const char *name) {
  const char *found = find(line, name);
  return found == NULL ? 0 : strtoull(found, NULL, 10);
}

static void log_in(struct client *client) {
  inbox_reset(&client->inbox);
  client->acknowledged = client->ack_due = 0;
  stream_print(&client->stream, "{\"type\":\"hello\",\"protocol\":2,\"software\":\"bench\"}\n");
  if (client->token[0] != 0) {
    stream_print(&client->stream,
                 "{\"type\":\"resume\",\"id\":%llu,\"username\":\"%s\",\"token\":\"%s\","
                 "\"last\":%llu}\n",
                 (unsigned long long)++client->request, client->name, client->token,
                 (unsigned long long)client->latest);
    return;
  }
  stream_print(&client->stream, "{\"type\":\"identify\",\"id\":1,\"username\":\"%s\"}\n",
               client->name);
  stream_print(&client->stream, "{\"type\":\"authenticate\",\"id\":2,\"password\":\"%s\"}\n",
               options.password);
  client->request = 2;
}

static void welcome(struct client *client, const char *line) {
  const char *token = find(line, "\"token\":\"");
  if (token != NULL) memcpy(client->token, token, 64);
  client->latest = integer(line, "\"latest\":");
  if (options.room) {
    stream_print(&client->stream, "{\"type\":\"join\",\"id\":%llu,\"room\":\"bench\"}\n",
                 (unsigned long long)++client->request);
  }
  if (!options.udp) return client_progressed(client);
  const char *session = find(line, "\"session\":\"");
  const char *client_key = find(line, "\"clientKey\":\"");
  const char *server_key = find(line, "\"serverKey\":\"");
  if (session == NULL || client_key == NULL || server_key == NULL) die("no data channel: %s", line);
  channel_close(client);
  bool sealed = find(line, "\"protection\":\"sealed\"") != NULL;
  channel_open(client, session, client_key, server_key, sealed);
}

static void acknowledge(struct client *client) {
  client->acknowledged = client->inbox.delivered;
  client->ack_due = 0;
  stream_print(&client->stream, "{\"type\":\"ack\",\"delivered\":%llu}\n",
               (unsigned long long)client->acknowledged);
}

static void deliver(struct client *client, const char *line, size_t length) {
  const char *from = line, *end = line + length;
  uint64_t number = integer(line, "\"number\":");
  while ((from = memchr(from, STAMP_MARK, (size_t)(end - from))) != NULL) {
    struct stamp stamp = stamp_read(from);
    inbox_take(client, number++, &stamp);
    from += STAMP_SIZE;
  }
  if (client->ack_due == 0) client->ack_due = now_us() + ACK_DELAY_US;
  if (client->inbox.delivered - client->acknowledged >= ACK_EVERY) acknowledge(client);
}

static void on_line(struct client *client, char *line, size_t length) {
  if (begins(line, "{\"type\":\"deliver\"")) return deliver(client, line, length);
  if (begins(line, "{\"type\":\"sent\"")) return hooks.answered(client);
  if (begins(line, "{\"type\":\"joined\"")) {
    client->joined = true;
    client_progressed(client);
  } else if (begins(line, "{\"type\":\"ping\"")) {
    stream_print(&client->stream, "{\"type\":\"pong\"}\n");
  } else if (begins(line, "{\"type\":\"welcome\"")) {
    welcome(client, line);
  } else if (begins(line, "{\"type\":\"error\"") || begins(line, "{\"type\":\"farewell\"")) {
    totals.refused++;
    client_problem(client, line);
    // Whoever can't log in is not waited for.
    if (client->state == LOGGING_IN) die("%s: %s", client->name, line);
  }
}

static void publish(struct client *client, const char *text, size_t size) {
  const char *type = options.room ? "\"say\",\"room\":\"bench\"" : "\"public\"";
  stream_print(&client->stream, "{\"type\":%s,\"id\":%llu,\"text\":\"", type,
               (unsigned long long)++client->request);
  stream_send(&client->stream, text, size);
  stream_send(&client->stream, "\"}\n", 3);
}

static void direct(struct client *client, const char *to, const char *text, size_t size) {
  stream_print(&client->stream, "{\"type\":\"direct\",\"id\":%llu,\"to\":\"%s\",\"text\":\"",
               (unsigned long long)++client->request, to);
  stream_send(&client->stream, text, size);
  stream_send(&client->stream, "\"}\n", 3);
}

static void tick(struct client *client, uint64_t now) {
  if (client->ack_due != 0 && now >= client->ack_due) acknowledge(client);
  if (options.udp) channel_tick(client, now);
}

const struct dialect chat_dialect = {log_in, on_line, publish, direct, tick};
