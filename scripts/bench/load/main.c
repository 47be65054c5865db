// Load for a chat server, over loopback: our own protocol, or IRC. Linux, OpenSSL 3.
//
//     load WORKLOAD --port N --pid N [--irc] [--tls] [--udp] [--receivers N] [--senders N] ...
//
// Users are called u00000, u00001 and so on. With several --port the receivers are spread over them and the senders are
// at the first; with several --pid `fan-out` and `direct` tell the CPU time of each.
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "client.h"
#include "options.h"
#include "report.h"
#include "workloads.h"

int main(int count, char **arguments) {
  // A server that has closed shows by the write that fails; OpenSSL can't ask for that alone.
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  options_parse(count, arguments);
  const char *workload = options.workload;
  options.room = strcmp(workload, "fan-out-room") == 0;
  options.channel = options.room || strcmp(workload, "fan-out") == 0 || strcmp(workload, "fan-out-latency") == 0 ||
                 strcmp(workload, "overload") == 0 || strcmp(workload, "flood") == 0;
  if (strcmp(workload, "fan-out") == 0 || options.room) saturate(false);
  else if (strcmp(workload, "direct") == 0) saturate(true);
  else if (strcmp(workload, "fan-out-latency") == 0) latency(false);
  else if (strcmp(workload, "direct-latency") == 0) latency(true);
  else if (strcmp(workload, "idle") == 0) idle();
  else if (strcmp(workload, "logins") == 0) logins();
  else if (strcmp(workload, "overload") == 0) overload();
  else if (strcmp(workload, "flood") == 0) flood();
  else die("there is no workload %s", workload);
  report_totals();
  report_end();
  return 0;
}
