// The result: one JSON object on standard output.
#pragma once

void report_number(const char *name, double value);
void report_text(const char *name, const char *value);
/** What every workload reports: what was counted, and what went wrong. */
void report_totals(void);
void report_end(void);
