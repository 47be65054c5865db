#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loop.h"
#include "options.h"

static void read_proc(int pid, const char *name, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  FILE *file = fopen(path, "r");
  if (file == NULL) die("the server has ended");
  text[fread(text, 1, size - 1, file)] = 0;
  fclose(file);
}

double cpu_of(int pid) {
  char text[4096];
  read_proc(pid, "stat", text, sizeof text);
  unsigned long user, system;
  // The name in parentheses may have spaces in it; the times are fields 14 and 15.
  const char *from = strrchr(text, ')');
  if (from == NULL || sscanf(from + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                             &system) != 2) {
    die("/proc/%d/stat can't be read", pid);
  }
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double server_cpu(void) { return cpu_of(options.pids[0]); }

unsigned long server_resident(void) {
  char text[8192];
  read_proc(options.pids[0], "status", text, sizeof text);
  const char *field = strstr(text, "VmRSS:");
  if (field == NULL) die("the server has ended");
  return strtoul(field + 6, NULL, 10);
}

double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
