/* Log-linear histograms of durations, in tenths of microseconds: exact below SUB, then SUB / 2
 * steps to every doubling, so a percentile is right to better than one part in a hundred.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define SUB 256
#define SLOTS (64 * SUB)

typedef struct { uint64_t n[SLOTS], total, max; double sum; } Histogram;

static void record(Histogram *h, uint64_t ns) {
  uint64_t v = ns / 100;
  int shift = v < SUB ? 0 : 63 - __builtin_clzll(v) - 8 + 1;
  h->n[v < SUB ? v : (uint64_t)shift * (SUB / 2) + (v >> shift)]++;
  h->total++;
  h->sum += (double)v;
  if (v > h->max) h->max = v;
}

static double percentile(const Histogram *h, double p) {
  uint64_t want = (uint64_t)ceil((double)h->total * p), seen = 0;
  if (!want) return 0;
  for (int i = 0; i < SLOTS; i++) {
    if ((seen += h->n[i]) < want) continue;
    if (i < SUB) return i / 10.0;
    int shift = i / (SUB / 2) - 1;
    double mid = ldexp(i - shift * (SUB / 2) + 0.5, shift);
    return fmin(mid, (double)h->max) / 10;
  }
  return 0;
}

static void histogram_print(const char *name, const Histogram *h) {
  printf(", \"%s\": {\"mean\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}",
         name, h->total ? h->sum / (double)h->total / 10 : 0, percentile(h, .5), percentile(h, .9),
         percentile(h, .99), percentile(h, .999), (double)h->max / 10);
}

#endif
