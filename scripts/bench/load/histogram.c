#include "histogram.h"

void histogram_add(struct histogram *histogram, uint64_t us) {
  uint64_t step = us / HISTOGRAM_STEP_US;
  histogram->steps[step < HISTOGRAM_STEPS ? step : HISTOGRAM_STEPS - 1]++;
  histogram->count++;
}

double histogram_quantile(const struct histogram *histogram, double part) {
  uint64_t seen = 0;
  for (unsigned i = 0; i < HISTOGRAM_STEPS; i++) {
    seen += histogram->steps[i];
    if (seen > 0 && (double)seen >= part * (double)histogram->count) {
      return (i + 1) * HISTOGRAM_STEP_US / 1000.0;
    }
  }
  return 0;
}
