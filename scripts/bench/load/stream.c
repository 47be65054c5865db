#include "stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "options.h"

/** What was read in one go; no line may be longer. */
static char input[4 << 20];

enum { MAX_STREAMS = 20000 };
static struct stream *dirty[MAX_STREAMS];
static size_t dirty_count;

static SSL_CTX *tls_context(void) {
  static SSL_CTX *context;
  if (context != NULL) return context;
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  // The same for every server, whatever each would choose.
  SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384");
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (options.record > 0) SSL_CTX_set_max_send_fragment(context, options.record);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 32768);
  return context;
}

static void end(struct stream *stream, const char *why) {
  stream_close(stream);
  stream->ended(stream, why);
}

/** What a call of OpenSSL means. @returns 0 where it only has to wait */
static int judge(struct stream *stream, int result) {
  switch (SSL_get_error(stream->ssl, result)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE:
    return 0;
  default:
    ERR_clear_error();
    return -1;
  }
}

static ssize_t transfer(struct stream *stream, void *data, size_t length, bool writing) {
  if (stream->ssl != NULL) {
    int count = length > 1 << 20 ? 1 << 20 : (int)length;
    int result = writing ? SSL_write(stream->ssl, data, count) : SSL_read(stream->ssl, data, count);
    return result > 0 ? result : judge(stream, result);
  }
  ssize_t result = writing ? send(stream->source.fd, data, length, MSG_NOSIGNAL)
                           : recv(stream->source.fd, data, length, 0);
  if (result > 0) return result;
  return result < 0 && errno == EAGAIN ? 0 : -1;
}

/** @returns how much of the input were whole lines */
static size_t take_lines(struct stream *stream, size_t length) {
  char *from = input, *end = input + length, *lf;
  while (stream->source.fd >= 0 && (lf = memchr(from, '\n', (size_t)(end - from))) != NULL) {
    *lf = 0;
    stream->line(stream, from, (size_t)(lf - from));
    from = lf + 1;
  }
  return (size_t)(from - input);
}

/** Not later: a server whose sockets collect small writes (Nagle) would wait for it. */
static void acknowledge_segments(struct stream *stream) {
  int yes = 1;
  setsockopt(stream->source.fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

static void receive(struct stream *stream) {
  size_t length = stream->rest.length;
  if (length > 0) memcpy(input, stream->rest.data, length);
  stream->rest.length = 0;
  for (;;) {
    size_t room = sizeof input - length;
    if (room == 0) return end(stream, "a line is too long");
    if (room > 1 << 18) room = 1 << 18;
    ssize_t result = transfer(stream, input + length, room, false);
    if (result < 0) return end(stream, "the server closed");
    if (result == 0) break;
    length += (size_t)result;
    size_t taken = take_lines(stream, length);
    if (stream->source.fd < 0) return;
    length -= taken;
    if (taken > 0) memmove(input, input + taken, length);
    // Level-triggered: what is left will be told.
    if (stream->ssl == NULL && (size_t)result < room) break;
  }
  buffer_append(&stream->rest, input, length);
  acknowledge_segments(stream);
}

static void flush(struct stream *stream) {
  size_t sent = 0;
  bool blocked = false;
  while (sent < stream->out.length && !blocked) {
    ssize_t result = transfer(stream, stream->out.data + sent, stream->out.length - sent, true);
    if (result < 0) return end(stream, "the server closed");
    if (result == 0) blocked = true;
    sent += (size_t)result;
  }
  buffer_drop(&stream->out, sent);
  if (blocked == stream->blocked) return;
  stream->blocked = blocked;
  loop_change(&stream->source, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void shake_hands(struct stream *stream) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(stream->source.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return end(stream, strerror(error));
  if (stream->ssl != NULL) {
    int result = SSL_do_handshake(stream->ssl);
    if (result != 1) {
      if (judge(stream, result) < 0) return end(stream, "no TLS handshake");
      return loop_change(&stream->source, EPOLLIN);
    }
  }
  stream->open = true;
  stream->blocked = false;
  loop_change(&stream->source, EPOLLIN);
  flush(stream);
}

static void ready(struct source *source, uint32_t events) {
  struct stream *stream = (struct stream *)source;
  if (!stream->open) shake_hands(stream);
  // After a handshake OpenSSL may have read on.
  if (stream->open && source->fd >= 0) receive(stream);
  if (source->fd >= 0 && stream->open && (events & EPOLLOUT) != 0) flush(stream);
}

void stream_open(struct stream *stream, const struct endpoint *to) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket: %s", strerror(errno));
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(fd, (const struct sockaddr *)&to->address, sizeof to->address) != 0 &&
      errno != EINPROGRESS) {
    die("connect: %s", strerror(errno));
  }
  stream->source = (struct source){.fd = fd, .ready = ready};
  stream->open = stream->blocked = false;
  stream->rest.length = stream->out.length = 0;
  if (to->tls) {
    stream->ssl = SSL_new(tls_context());
    SSL_set_fd(stream->ssl, fd);
    SSL_set_tlsext_host_name(stream->ssl, "chatserver");
    SSL_set_connect_state(stream->ssl);
  }
  loop_add(&stream->source, EPOLLOUT);
}

void stream_send(struct stream *stream, const void *data, size_t length) {
  if (stream->source.fd < 0) return;
  buffer_append(&stream->out, data, length);
  if (stream->dirty) return;
  stream->dirty = true;
  dirty[dirty_count++] = stream;
}

void stream_print(struct stream *stream, const char *format, ...) {
  char text[2048];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof text) die("a line to send is too long");
  stream_send(stream, text, (size_t)length);
}

void streams_flush(void) {
  for (size_t i = 0; i < dirty_count; i++) {
    dirty[i]->dirty = false;
    if (dirty[i]->open && dirty[i]->source.fd >= 0 && !dirty[i]->blocked) flush(dirty[i]);
  }
  dirty_count = 0;
}

void stream_close(struct stream *stream) {
  if (stream->source.fd < 0) return;
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(stream->source.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (stream->ssl != NULL) SSL_free(stream->ssl);
  stream->ssl = NULL;
  close(stream->source.fd);
  stream->source.fd = -1;
  stream->open = false;
}

uint16_t stream_port(const struct stream *stream) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  getsockname(stream->source.fd, (struct sockaddr *)&address, &size);
  return ntohs(address.sin_port);
}
