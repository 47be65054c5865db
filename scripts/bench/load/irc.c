// IRC (RFC 2812), as much of it as is needed: everybody in one channel, or nobody in any.
#include <string.h>

#include "client.h"
#include "options.h"

static void log_in(struct client *client) {
  stream_print(&client->stream, "NICK %s\r\nUSER %s 0 * :bench\r\n", client->name, client->name);
}

/** The end of the welcome, or of the channel's list of names. */
static void numeric(struct client *client, const char *code) {
  if (memcmp(code, "001", 3) == 0) {
    if (!options.channel) return client_became_ready(client);
    stream_print(&client->stream, "JOIN #bench\r\n");
  } else if (memcmp(code, "366", 3) == 0) {
    client_became_ready(client);
  } else if (code[0] >= '4' && memcmp(code, "422", 3) != 0) {
    totals.refused++;
    client_problem(client, code);
  }
}

static void on_line(struct client *client, char *line, size_t length) {
  if (memcmp(line, "PING", length < 4 ? length : 4) == 0) {
    stream_print(&client->stream, "PONG%.*s\n", (int)length - 4, line + 4);
    return;
  }
  if (line[0] != ':') {
    if (memcmp(line, "ERROR", length < 5 ? length : 5) == 0) client_problem(client, line);
    return;
  }
  char *command = memchr(line, ' ', length);
  if (command == NULL || line + length - command < 9) return;
  command++;
  if (memcmp(command, "PRIVMSG ", 8) != 0) {
    if (command[0] >= '0' && command[0] <= '9') numeric(client, command);
    return;
  }
  const char *text = memchr(command, STAMP_MARK, (size_t)(line + length - command));
  if (text == NULL || line + length - text < STAMP_SIZE) return;
  struct stamp stamp = stamp_read(text);
  client_shows(client, &stamp);
}

static void send_to(struct client *client, const char *to, const char *text, size_t size) {
  stream_print(&client->stream, "PRIVMSG %s :", to);
  stream_send(&client->stream, text, size);
  stream_send(&client->stream, "\r\n", 2);
}

static void publish(struct client *client, const char *text, size_t size) {
  send_to(client, "#bench", text, size);
}

static void tick(struct client *client, uint64_t now) { (void)client, (void)now; }

const struct dialect irc_dialect = {log_in, on_line, publish, send_to, tick};
