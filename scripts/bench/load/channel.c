// recvmmsg
#define _GNU_SOURCE
#include "channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "options.h"

enum { VERSION = 2, HEADER = 18, TAG = 16, PACKET = 1200, AT_ONCE = 32, RANGES = 32 };
enum type { BIND = 1, CHALLENGE, RESPONSE, BOUND, DATA, ACK };
enum { FIRST_BIND_US = 250000, LAST_BIND_US = 20000000 };
/** 25 ms may pass, and up to 5 do until the next tick. */
enum { ACK_DELAY_US = 20000 };

static void put_integer(uint8_t *to, int size, uint64_t value) {
  for (; size-- > 0; value >>= 8) to[size] = (uint8_t)value;
}

static uint64_t get_integer(const uint8_t *from, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; i++) value = value << 8 | from[i];
  return value;
}

static void read_hex(const char *from, uint8_t *to, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned value = 0;
    for (int half = 0; half < 2; half++) {
      unsigned digit = (unsigned char)from[2 * i + half];
      value = value << 4 | ((digit & 15) + (digit >> 6) * 9);
    }
    to[i] = (uint8_t)value;
  }
}

static EVP_CIPHER_CTX *cipher(const char *key, bool encrypt) {
  uint8_t bytes[32];
  read_hex(key, bytes, sizeof bytes);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, bytes, NULL, encrypt);
  return context;
}

/** Gives the cipher a packet's number, and what is only authenticated: the header, or all but the tag. */
static void begin(EVP_CIPHER_CTX *context, const uint8_t *packet, size_t authenticated, int encrypt) {
  uint8_t nonce[12] = {0};
  int length;
  memcpy(nonce + 4, packet + 10, 8);
  EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, encrypt);
  EVP_CipherUpdate(context, NULL, &length, packet, (int)authenticated);
}

static void send_packet(struct client *client, enum type type, const uint8_t *payload,
                        size_t size) {
  struct channel *channel = &client->channel;
  uint8_t packet[PACKET] = {VERSION, type};
  int length;
  memcpy(packet + 2, channel->session, 8);
  put_integer(packet + 10, 8, channel->sent++);
  if (size > 0) memcpy(packet + HEADER, payload, size);
  begin(channel->seal, packet, channel->sealed ? HEADER : HEADER + size, 1);
  if (channel->sealed && size > 0) {
    EVP_CipherUpdate(channel->seal, packet + HEADER, &length, packet + HEADER, (int)size);
  }
  EVP_CipherFinal_ex(channel->seal, packet + HEADER + size, &length);
  EVP_CIPHER_CTX_ctrl(channel->seal, EVP_CTRL_AEAD_GET_TAG, TAG, packet + HEADER + size);
  send(channel->source.fd, packet, HEADER + size + TAG, MSG_NOSIGNAL);
}

/** Opens a packet in its place. @returns the payload's size; -1 where it is none of ours */
static int open_packet(struct channel *channel, uint8_t *packet, size_t length) {
  int done;
  if (length < HEADER + TAG || packet[0] != VERSION) return -1;
  if (memcmp(packet + 2, channel->session, 8) != 0) return -1;
  int size = (int)(length - HEADER - TAG);
  begin(channel->open, packet, channel->sealed ? HEADER : length - TAG, 0);
  if (channel->sealed && size > 0) {
    EVP_CipherUpdate(channel->open, packet + HEADER, &done, packet + HEADER, size);
  }
  EVP_CIPHER_CTX_ctrl(channel->open, EVP_CTRL_AEAD_SET_TAG, TAG, packet + length - TAG);
  return EVP_CipherFinal_ex(channel->open, packet + length, &done) == 1 ? size : -1;
}

static void send_ack(struct client *client, uint64_t now) {
  struct channel *channel = &client->channel;
  struct range ranges[RANGES];
  uint8_t payload[21 + 16 * RANGES];
  unsigned count = inbox_ranges(&client->inbox, ranges, RANGES);
  put_integer(payload, 8, channel->highest);
  put_integer(payload + 8, 4, now - channel->highest_at);
  put_integer(payload + 12, 8, client->inbox.delivered);
  payload[20] = (uint8_t)count;
  for (unsigned i = 0; i < count; i++) {
    put_integer(payload + 21 + 16 * i, 8, ranges[i].first);
    put_integer(payload + 29 + 16 * i, 8, ranges[i].last);
  }
  send_packet(client, ACK, payload, 21 + 16 * count);
  channel->unacknowledged = 0;
  channel->ack_due = 0;
}

static void take_data(struct client *client, uint64_t packet, const uint8_t *payload, int size) {
  struct channel *channel = &client->channel;
  uint64_t now = now_us(), number = get_integer(payload, 8);
  bool next = !channel->any || packet == channel->highest + 1;
  if (!channel->any || packet > channel->highest) {
    channel->highest = packet;
    channel->highest_at = now;
  }
  channel->any = true;
  totals.packets++;
  const char *from = (const char *)payload + 8, *end = (const char *)payload + size;
  while ((from = memchr(from, STAMP_MARK, (size_t)(end - from))) != NULL) {
    struct stamp stamp = stamp_read(from);
    inbox_take(client, number++, &stamp);
    totals.by_udp++;
    from += STAMP_SIZE;
  }
  if (channel->ack_due == 0) channel->ack_due = now + ACK_DELAY_US;
  if (++channel->unacknowledged >= 2 || !next || client->inbox.early > 0) send_ack(client, now);
}

static void take(struct client *client, uint8_t *packet, size_t length) {
  struct channel *channel = &client->channel;
  int size = open_packet(channel, packet, length);
  if (size < 0) return client_problem(client, "a packet does not authenticate");
  uint64_t number = get_integer(packet + 10, 8);
  switch (packet[1]) {
  case CHALLENGE:
    return send_packet(client, RESPONSE, packet + HEADER, 8);
  case BOUND:
    channel->bound = true;
    channel->bind_wait = FIRST_BIND_US;
    channel->bind_due = now_us() + LAST_BIND_US;
    return client_progressed(client);
  case DATA:
    return take_data(client, number, packet + HEADER, size);
  }
}

static void ready(struct source *source, uint32_t events) {
  (void)events;
  struct client *client = (struct client *)((char *)source - offsetof(struct client, channel));
  // One byte more, so that a packet that is too long shows; 16 for what the cipher may write.
  static uint8_t packets[AT_ONCE][PACKET + 1 + TAG];
  struct mmsghdr messages[AT_ONCE];
  struct iovec parts[AT_ONCE];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < AT_ONCE; i++) {
    parts[i] = (struct iovec){packets[i], PACKET + 1};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int count = recvmmsg(source->fd, messages, AT_ONCE, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) take(client, packets[i], messages[i].msg_len);
}

static void send_bind(struct client *client, uint64_t now) {
  struct channel *channel = &client->channel;
  channel->bind_due = now + channel->bind_wait;
  channel->bind_wait *= 2;
  if (channel->bind_wait > LAST_BIND_US) channel->bind_wait = LAST_BIND_US;
  send_packet(client, BIND, NULL, 0);
}

void channel_open(struct client *client, const char *session, const char *client_key,
                  const char *server_key, bool sealed) {
  struct channel *channel = &client->channel;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket: %s", strerror(errno));
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(stream_port(&client->stream))};
  // Where that port is not free, any other does.
  (void)!bind(fd, (struct sockaddr *)&own, sizeof own);
  struct endpoint server = server_of(client);
  if (connect(fd, (const struct sockaddr *)&server.address, sizeof server.address) != 0) {
    die("connect: %s", strerror(errno));
  }
  *channel = (struct channel){
      .source = {.fd = fd, .ready = ready},
      .sealed = sealed,
      .seal = cipher(client_key, true),
      .open = cipher(server_key, false),
      .bind_wait = FIRST_BIND_US,
  };
  read_hex(session, channel->session, sizeof channel->session);
  loop_add(&channel->source, EPOLLIN);
  send_bind(client, now_us());
}

void channel_flood(struct client *client, const char *kind) {
  static const uint8_t token[8];
  if (strcmp(kind, "bind") == 0) send_packet(client, BIND, NULL, 0);
  else if (strcmp(kind, "ack") == 0) send_ack(client, now_us());
  else send_packet(client, RESPONSE, token, sizeof token);
}

void channel_tick(struct client *client, uint64_t now) {
  struct channel *channel = &client->channel;
  if (channel->source.fd < 0) return;
  if (channel->ack_due != 0 && now >= channel->ack_due) send_ack(client, now);
  if (now >= channel->bind_due) send_bind(client, now);
}

void channel_close(struct client *client) {
  struct channel *channel = &client->channel;
  if (channel->source.fd < 0) return;
  close(channel->source.fd);
  channel->source.fd = -1;
  EVP_CIPHER_CTX_free(channel->seal);
  EVP_CIPHER_CTX_free(channel->open);
}
