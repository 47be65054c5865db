// As many messages as the server takes: fan-out, or direct ones between pairs.
#include <stdio.h>

#include "client.h"
#include "flow.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

enum { LOOK_US = 100000, DRAIN_US = 10000000 };

struct look {
  uint64_t time, deliveries, messages, duplicates, packets, by_udp;
  double cpu[MOST_SERVERS], own;
};

static struct look look(void) {
  struct look look = {now_us(), totals.deliveries, flows_done(), totals.duplicates, totals.packets,
                      totals.by_udp, .own = own_cpu()};
  for (unsigned i = 0; i < options.pid_count; i++) look.cpu[i] = cpu_of(options.pids[i]);
  return look;
}

/** Runs until then. @returns the most resident memory meanwhile, in KiB */
static unsigned long run_until(uint64_t time) {
  unsigned long most = server_resident();
  while (now_us() < time) {
    uint64_t next = now_us() + LOOK_US;
    loop_until(next < time ? next : time);
    unsigned long resident = server_resident();
    if (resident > most) most = resident;
  }
  return most;
}

void saturate(bool direct) {
  // Direct messages go between pairs.
  if (direct) options.senders = options.receivers;
  clients_open(options.receivers + options.senders, options.senders);
  unsigned long before_load = server_resident();
  flows_start(direct, WHEN_RECEIVED_BY_ALL);
  loop_until(now_us() + (uint64_t)(options.warm_up * 1e6));

  struct look from = look();
  unsigned long most = run_until(from.time + (uint64_t)(options.seconds * 1e6));
  struct look to = look();
  flows_stop();
  for (uint64_t limit = now_us() + DRAIN_US; flows_busy() && now_us() < limit;) loop_turn();
  flows_settle();

  double seconds = (double)(to.time - from.time) / 1e6;
  double deliveries = (double)(to.deliveries - from.deliveries);
  report_number("deliveriesPerSecond", deliveries / seconds);
  report_number("deliveriesPerCpuSecond", deliveries / (to.cpu[0] - from.cpu[0]));
  report_number("messagesPerSecond", (double)(to.messages - from.messages) / seconds);
  report_number("duplicatesPerDelivery", (double)(to.duplicates - from.duplicates) / deliveries);
  report_number("byUdpPerDelivery", (double)(to.by_udp - from.by_udp) / deliveries);
  report_number("serverCpu", (to.cpu[0] - from.cpu[0]) / seconds);
  for (unsigned i = 1; i < options.pid_count; i++) {
    char name[32];
    snprintf(name, sizeof name, "cpu%u", i + 1);
    report_number(name, (to.cpu[i] - from.cpu[i]) / seconds);
  }
  report_number("loadCpu", (to.own - from.own) / seconds);
  report_number("residentBeforeKiB", (double)before_load);
  report_number("residentMostKiB", (double)most);
  if (options.settle > 0) {
    loop_until(now_us() + (uint64_t)(options.settle * 1e6));
    report_number("residentAfterKiB", (double)server_resident());
  }
}
