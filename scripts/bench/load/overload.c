// Many more messages than the server can carry: who is slowed down, and how soon it is calm again.
#include "client.h"
#include "flow.h"
#include "histogram.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

enum { LOOK_US = 50000, RECOVERY_US = 15000000, CALM_AFTER_US = 2000000 };

static struct histogram calm, later;
static struct histogram *histogram;
/** Probes are sent after this time. */
static uint64_t probes_from = UINT64_MAX;
/** When something came that had been sent before, and when something was late. */
static uint64_t newest_old, newest_late;
static double late_us = 1e12;

/** The prober is the last of the senders. */
static void on_message(struct client *receiver, const struct stamp *stamp) {
  (void)receiver;
  uint64_t now = now_us();
  if (stamp->sent < probes_from) {
    newest_old = now;
    if (probes_from != UINT64_MAX) return;
  }
  if (stamp->sender != options.senders - 1) return;
  if (now - stamp->sent > late_us) newest_late = now;
  if (histogram != NULL) histogram_add(histogram, now - stamp->sent);
}

static void probe_until(uint64_t end) {
  uint64_t step = 1000000 / options.rate;
  for (uint64_t next = now_us(); next < end; next += step) {
    loop_until(next);
    flow_send(options.senders - 1, false);
  }
}

void overload(void) {
  options.senders++;
  clients_open(options.receivers + options.senders, options.senders);
  hooks.message = on_message;
  probe_until(now_us() + 500000);
  histogram = &calm;
  probe_until(now_us() + (uint64_t)(options.seconds * 1e6));
  loop_until(now_us() + 200000);
  histogram = NULL;

  options.senders--;
  uint64_t sent = flows_sent(), deliveries = totals.deliveries, start = now_us();
  double own = own_cpu(), cpu = server_cpu();
  unsigned long most = 0;
  flows_start(false, WHEN_ANSWERED);
  for (uint64_t end = start + (uint64_t)(options.seconds * 1e6); now_us() < end;) {
    loop_until(now_us() + LOOK_US);
    unsigned long resident = server_resident();
    if (resident > most) most = resident;
  }
  flows_stop();
  double seconds = (double)(now_us() - start) / 1e6;
  report_number("messagesPerSecond", (double)(flows_sent() - sent) / seconds);
  report_number("deliveriesPerSecond", (double)(totals.deliveries - deliveries) / seconds);
  report_number("serverCpu", (server_cpu() - cpu) / seconds);
  report_number("loadCpu", (own_cpu() - own) / seconds);

  options.senders++;
  uint64_t end = now_us();
  probes_from = end;
  late_us = 2000 * histogram_quantile(&calm, 0.99);
  probe_until(end + CALM_AFTER_US);
  histogram = &later;
  probe_until(end + RECOVERY_US);
  loop_until(now_us() + 500000);
  flows_settle();
  double drained = newest_old > end ? (double)(newest_old - end) / 1e6 : 0;
  report_number("residentMostKiB", (double)most);
  report_number("drainedSeconds", drained);
  report_number("lastLateSeconds", newest_late > end ? (double)(newest_late - end) / 1e6 : 0);
  report_number("calmP50Ms", histogram_quantile(&calm, 0.5));
  report_number("calmP99Ms", histogram_quantile(&calm, 0.99));
  report_number("laterP50Ms", histogram_quantile(&later, 0.5));
  report_number("laterP99Ms", histogram_quantile(&later, 0.99));
}
