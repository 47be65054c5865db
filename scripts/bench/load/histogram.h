// How long things took.
#pragma once
#include <stdint.h>

enum { HISTOGRAM_STEP_US = 10, HISTOGRAM_STEPS = 1000000 };

struct histogram {
  uint64_t count;
  uint32_t steps[HISTOGRAM_STEPS]; // the last one also has what took longer
};

void histogram_add(struct histogram *, uint64_t us);
/** The time within which this part of all was done, in milliseconds. */
double histogram_quantile(const struct histogram *, double part);
