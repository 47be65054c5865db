#include "report.h"

#include <stdio.h>

#include "client.h"

static const char *between(void) {
  static int begun;
  return begun++ == 0 ? "{" : ",";
}

void report_number(const char *name, double value) {
  printf("%s\"%s\":%.10g", between(), name, value);
}

void report_text(const char *name, const char *value) {
  printf("%s\"%s\":\"", between(), name);
  for (; *value != 0; value++) {
    if (*value == '"' || *value == '\\') putchar('\\');
    if ((unsigned char)*value >= ' ') putchar(*value);
  }
  putchar('"');
}

void report_totals(void) {
  report_number("deliveriesInAll", (double)totals.deliveries);
  report_number("duplicates", (double)totals.duplicates);
  report_number("byUdp", (double)totals.by_udp);
  report_number("packets", (double)totals.packets);
  report_number("twice", (double)totals.twice);
  report_number("missing", (double)totals.missing);
  report_number("refused", (double)totals.refused);
  report_number("disconnects", (double)totals.disconnects);
  if (totals.first_problem[0] != 0) report_text("problem", totals.first_problem);
}

void report_end(void) { puts("}"); }
