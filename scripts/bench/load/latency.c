// How long messages take at a calm, fixed rate.
#include "client.h"
#include "flow.h"
#include "histogram.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

static struct histogram histogram;
static bool measuring;

static void on_message(struct client *receiver, const struct stamp *stamp) {
  (void)receiver;
  if (measuring) histogram_add(&histogram, now_us() - stamp->sent);
}

void latency(bool direct) {
  options.senders = 1;
  clients_open(options.receivers + 1, 1);
  hooks.message = on_message;
  uint64_t start = now_us(), step = 1000000 / options.rate;
  uint64_t measured = start + (uint64_t)(options.warm_up * 1e6);
  uint64_t end = measured + (uint64_t)(options.seconds * 1e6);
  double cpu = 0, own = 0;
  for (uint64_t next = start; next < end; next += step) {
    loop_until(next);
    if (!measuring && next >= measured) {
      measuring = true;
      cpu = server_cpu();
      own = own_cpu();
    }
    flow_send(0, direct);
  }
  loop_until(end + 500000);
  double seconds = options.seconds + 0.5;
  report_number("p50Ms", histogram_quantile(&histogram, 0.5));
  report_number("p99Ms", histogram_quantile(&histogram, 0.99));
  report_number("serverCpu", (server_cpu() - cpu) / seconds);
  report_number("loadCpu", (own_cpu() - own) / seconds);
}
