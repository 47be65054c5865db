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

static struct histogram calm, flooded;
static struct histogram *histogram;

static void on_message(struct client *receiver, const struct stamp *stamp) {
  bool flooder = receiver == &clients[client_count - 1];
  if (histogram != NULL && !flooder) histogram_add(histogram, now_us() - stamp->sent);
}

/** Messages at the fixed rate, and packets of this kind, or none. */
static void measure(const char *kind) {
  struct client *flooder = &clients[client_count - 1];
  uint64_t step = 1000000 / options.rate, start = now_us(), sent = 0;
  uint64_t end = start + (uint64_t)(options.seconds * 1e6);
  double cpu = server_cpu();
  for (uint64_t next = start; next < end; next += step) {
    while (now_us() < next) {
      if (kind != NULL) {
        uint64_t due = (now_us() - start) * PACKETS_A_SECOND / 1000000;
        for (; sent < due; sent++) channel_flood(flooder, kind);
      }
      loop_turn();
    }
    flow_send(0, false);
  }
  char name[40];
  snprintf(name, sizeof name, "%sServerCpu", kind == NULL ? "calm" : kind);
  report_number(name, (server_cpu() - cpu) / options.seconds);
}

void flood(void) {
  static const char *const kinds[] = {"bind", "ack", "response"};
  options.senders = 1;
  clients_open(options.receivers + 2, 1);
  hooks.message = on_message;
  histogram = &calm;
  measure(NULL);
  report_number("calmP99Ms", histogram_quantile(&calm, 0.99));
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    histogram = &flooded;
    flooded = (struct histogram){0};
    measure(kinds[i]);
    char name[40];
    snprintf(name, sizeof name, "%sP99Ms", kinds[i]);
    report_number(name, histogram_quantile(&flooded, 0.99));
    histogram = NULL;
    loop_until(now_us() + 1000000);
  }
}
