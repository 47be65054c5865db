// Many more messages than the server can carry: who is slowed down, and how soon it is calm again.
#include "client.h"
#include "flow.h"
#include "histogram.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

enum { LOOK_US = 50000, RECOVERY_US = 6000000, LONGEST_US = 60000000, CALM_AFTER_US = 2000000 };

/** How long probes took: before, while the senders' last messages were taken, and two seconds after that. */
static struct histogram calm, during, later;
/** When the senders stopped, when all that they had sent was answered, and when the last of it arrived. */
static uint64_t stopped = UINT64_MAX, answered = UINT64_MAX, newest_old;
/** When a probe was late for the last time. */
static uint64_t newest_late;
static double late_us = 1e12;
static bool measuring;

/** The prober is the last of the senders. */
static void on_message(struct client *receiver, const struct stamp *stamp) {
  (void)receiver;
  uint64_t now = now_us(), took = now - stamp->sent;
  if (stopped != UINT64_MAX && stamp->sent < stopped) newest_old = now;
  if (stamp->sender != options.senders - 1) return;
  if (stopped == UINT64_MAX) {
    if (measuring) histogram_add(&calm, took);
  } else if (stamp->sent >= stopped) {
    if (took > late_us) newest_late = now;
    if (stamp->sent < answered) histogram_add(&during, took);
    else if (stamp->sent >= answered + CALM_AFTER_US) histogram_add(&later, took);
  }
}

/** Notes when the senders have their last answer. */
static void look(void) {
  bool is_new = stopped != UINT64_MAX && answered == UINT64_MAX;
  if (is_new && flows_finished(options.senders - 1)) answered = now_us();
}

static void probe_until(uint64_t end) {
  uint64_t step = 1000000 / options.rate;
  for (uint64_t next = now_us(); next < end; next += step) {
    while (now_us() < next) {
      uint64_t soon = now_us() + LOOK_US;
      loop_until(soon < next ? soon : next);
      look();
    }
    flow_send(options.senders - 1, false);
  }
}

void overload(void) {
  options.senders++;
  clients_open(options.receivers + options.senders, options.senders);
  hooks.message = on_message;
  probe_until(now_us() + 500000);
  measuring = true;
  probe_until(now_us() + (uint64_t)(options.seconds * 1e6));
  loop_until(now_us() + 200000);
  measuring = false;

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
  stopped = now_us();
  late_us = 2000 * histogram_quantile(&calm, 0.99);
  // Until all is taken, and long enough after that.
  for (uint64_t end = stopped + LONGEST_US; now_us() < end;) {
    if (answered != UINT64_MAX && now_us() > answered + RECOVERY_US) break;
    probe_until(now_us() + 1000000);
  }
  loop_until(now_us() + 500000);
  flows_settle();
  double taken = answered == UINT64_MAX ? (double)LONGEST_US : (double)(answered - stopped);
  report_number("residentMostKiB", (double)most);
  report_number("takenSeconds", taken / 1e6);
  report_number("drainedSeconds", newest_old > stopped ? (double)(newest_old - stopped) / 1e6 : 0);
  report_number("lastLateSeconds", newest_late > answered ? (double)(newest_late - answered) / 1e6 : 0);
  report_number("calmP50Ms", histogram_quantile(&calm, 0.5));
  report_number("calmP99Ms", histogram_quantile(&calm, 0.99));
  report_number("duringP50Ms", histogram_quantile(&during, 0.5));
  report_number("duringP99Ms", histogram_quantile(&during, 0.99));
  report_number("laterP50Ms", histogram_quantile(&later, 0.5));
  report_number("laterP99Ms", histogram_quantile(&later, 0.99));
}
