#include "flow.h"

#include <stdlib.h>

#include "client.h"
#include "options.h"

struct flow {
  uint32_t sent, done;
  uint16_t *receipts; // of each message that is outstanding, by its number modulo their number
};

static struct flow flows[65536];
static bool running, to_one;
static enum completion completion;
static uint64_t sent, done;

static struct client *sender_of(unsigned index) { return &clients[options.receivers + index]; }

void flow_send(unsigned index, bool direct) {
  static char text[16384];
  struct stamp stamp = {.sender = index, .number = flows[index].sent++, .sent = now_us()};
  stamp_write(text, options.size, &stamp);
  sent++;
  if (direct) {
    options.dialect->direct(sender_of(index), clients[index].name, text, options.size);
  } else {
    options.dialect->publish(sender_of(index), text, options.size);
  }
}

static void finish(unsigned index) {
  done++;
  flows[index].done++;
  if (running) flow_send(index, to_one);
}

static void on_message(struct client *receiver, const struct stamp *stamp) {
  (void)receiver;
  struct flow *flow = &flows[stamp->sender];
  // Nobody gets a message of its own.
  unsigned all = to_one ? 1 : client_count - 1;
  uint16_t *receipts = &flow->receipts[stamp->number % options.outstanding];
  if (++*receipts < all) return;
  *receipts = 0;
  finish(stamp->sender);
}

static void on_answer(struct client *sender) {
  if (sender->index >= options.receivers) finish(sender->index - options.receivers);
}

void flows_start(bool direct, enum completion when) {
  to_one = direct;
  completion = when;
  running = true;
  if (when == WHEN_ANSWERED) hooks.answered = on_answer;
  else hooks.message = on_message;
  for (unsigned i = 0; i < options.senders; i++) {
    if (flows[i].receipts == NULL) flows[i].receipts = calloc(options.outstanding, sizeof(uint16_t));
    for (unsigned j = 0; j < options.outstanding; j++) flow_send(i, direct);
  }
}

void flows_stop(void) { running = false; }
bool flows_busy(void) { return done < sent; }
uint64_t flows_sent(void) { return sent; }
uint64_t flows_done(void) { return done; }

bool flows_finished(unsigned senders) {
  for (unsigned i = 0; i < senders; i++) {
    if (flows[i].done < flows[i].sent) return false;
  }
  return true;
}

void flows_settle(void) {
  for (unsigned i = 0; i < client_count; i++) {
    for (unsigned j = 0; j < options.senders; j++) {
      if (to_one ? i != j : i == options.receivers + j) continue;
      totals.missing += flows[j].sent - clients[i].next[j];
    }
  }
}
