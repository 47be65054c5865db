// What one user's program that sends authentic packets as fast as it can does to the others.
#include <stdio.h>

#include "client.h"
#include "flow.h"
#include "histogram.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

enum { PACKETS_A_SECOND = 26000 };

/** So long after its last message a phase goes on, and nothing is done between two of them. */
enum { LAST_US = 500000, PAUSE_US = 1000000 };

static const char *const kinds[] = {NULL, "bind", "ack", "response"};
enum { PHASES = sizeof kinds / sizeof *kinds };

// One for each phase, looked at when all are over: neither emptying nor reading one may hold messages up.
static struct histogram histograms[PHASES];
static struct histogram *histogram;

static void on_message(struct client *receiver, const struct stamp *stamp) {
  bool flooder = receiver == &clients[client_count - 1];
  if (histogram != NULL && !flooder) histogram_add(histogram, now_us() - stamp->sent);
}

/** Messages at the fixed rate, and packets of this kind, or none. */
static void phase(const char *kind, double seconds) {
  struct client *flooder = &clients[client_count - 1];
  uint64_t step = 1000000 / options.rate, begun = now_us(), next = begun, sent = 0;
  uint64_t last = begun + (uint64_t)(seconds * 1e6);
  for (uint64_t now; (now = now_us()) < last + LAST_US; loop_turn()) {
    if (now >= next && next < last) {
      flow_send(0, false);
      next += step;
    }
    if (kind == NULL) continue;
    for (uint64_t due = (now - begun) * PACKETS_A_SECOND / 1000000; sent < due; sent++) {
      channel_flood(flooder, kind);
    }
  }
}

void flood(void) {
  double cpu[PHASES];
  options.senders = 1;
  clients_open(options.receivers + 2, 1);
  hooks.message = on_message;
  phase(NULL, options.warm_up);
  for (unsigned i = 0; i < PHASES; i++) {
    double before = server_cpu();
    histogram = &histograms[i];
    phase(kinds[i], options.seconds);
    histogram = NULL;
    cpu[i] = (server_cpu() - before) / (options.seconds + LAST_US / 1e6);
    loop_until(now_us() + PAUSE_US);
  }
  for (unsigned i = 0; i < PHASES; i++) {
    const char *kind = kinds[i] == NULL ? "calm" : kinds[i];
    char name[40];
    snprintf(name, sizeof name, "%sP99Ms", kind);
    report_number(name, histogram_quantile(&histograms[i], 0.99));
    snprintf(name, sizeof name, "%sServerCpu", kind);
    report_number(name, cpu[i]);
  }
}
