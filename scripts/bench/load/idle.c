// What a client costs that does nothing.
#include "client.h"
#include "options.h"
#include "process.h"
#include "report.h"
#include "workloads.h"

void idle(void) {
  unsigned long before = server_resident();
  uint64_t start = now_us();
  clients_open(options.receivers, 0);
  double took = (double)(now_us() - start) / 1e6;
  loop_until(now_us() + (uint64_t)(options.settle * 1e6));
  unsigned long after = server_resident();
  report_number("clients", options.receivers);
  report_number("bytesPerClient", (double)(after - before) * 1024 / options.receivers);
  report_number("residentBeforeKiB", (double)before);
  report_number("residentAfterKiB", (double)after);
  report_number("passwordLoginsPerSecond", options.receivers / took);
}
