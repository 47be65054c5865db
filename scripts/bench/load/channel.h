// Our protocol's data channel: packets, the path, acknowledgements.
#pragma once
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct client;

struct channel {
  struct source source;
  bool sealed, bound, any;
  uint8_t session[8];
  EVP_CIPHER_CTX *seal, *open;
  uint64_t sent;                // packets of ours
  uint64_t highest, highest_at; // the highest data packet, and when it came
  unsigned unacknowledged;      // data packets
  uint64_t ack_due, bind_due, bind_wait;
};

/** The keys as hexadecimal digits. Sends the first `bind`. */
void channel_open(struct client *, const char *session, const char *client_key,
                  const char *server_key, bool sealed);
void channel_tick(struct client *, uint64_t now);
/** Sends an authentic packet that is not needed: "bind", "ack" or "response". */
void channel_flood(struct client *, const char *kind);
void channel_close(struct client *);
