// A connection of lines, over TCP or TLS 1.3, that never blocks.
#pragma once
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "buffer.h"
#include "loop.h"

struct stream {
  struct source source; // the first, so that the loop's pointer is this one's
  SSL *ssl;             // NULL: plain
  bool open;            // connected, and the handshake done
  bool dirty, blocked;
  struct buffer rest; // of a line that is not whole yet
  struct buffer out;
  void (*line)(struct stream *, char *line, size_t length); // without its LF
  void (*ended)(struct stream *, const char *why);
};

/** Where streams go to. */
struct endpoint {
  struct sockaddr_in address;
  bool tls;
};

/** Connects; what is sent before it is connected goes out then. */
void stream_open(struct stream *, const struct endpoint *);
/** Sends before the loop waits again. */
void stream_send(struct stream *, const void *data, size_t length);
void stream_print(struct stream *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Resets the connection, so that no port is held back. */
void stream_close(struct stream *);
/** Sends what was given to `stream_send`. */
void streams_flush(void);
/** The local port. */
uint16_t stream_port(const struct stream *);
