/* Ceilings: what a core can do at most, found by doing it. Each function works on the calling thread alone; who wants
 * the ceiling of several cores lets a thread on each of them work at the same time, and takes what all have done over
 * the time from the first start to the last end (ceiling_join). */
#ifndef KERNELS_CEILINGS_CEILINGS_H
#define KERNELS_CEILINGS_CEILINGS_H

#include "../isa.h"

#include <math.h>
#include <stdint.h>

/* What a thread has done, and when (CLOCK_MONOTONIC). */
struct ceiling_reading {
    double start_s, end_s;
    double done; /* floating-point operations; bytes for the triad */
};

/* Multiply-adds for so many seconds, or little longer. They count 2 for each element, and are fused where the
 * instruction set has that. Peak: in as many independent chains as hide their latency, all operands in registers. Fed:
 * as in a matrix multiplication, with operands from the L1 cache. */
struct ceiling_reading ceiling_run_peak(enum isa, double seconds);
struct ceiling_reading ceiling_run_fed(enum isa, double seconds);

/* a[i] = b[i] + 3 * c[i] over all `count` elements, again and again for so many seconds, with stores that bypass the
 * caches where the instruction set has them. Bytes are counted as McCalpin's STREAM counts them: 24 for an element. The
 * arrays begin at multiples of 64 bytes; count is a multiple of CEILING_TRIAD_STEP. */
enum { CEILING_TRIAD_STEP = 32 };
struct ceiling_reading ceiling_run_triad(enum isa, double seconds, int64_t count, double *a, const double *b,
                                         const double *c);

/* What two have done together, in the time that they span. One starts from CEILING_NOTHING. */
#define CEILING_NOTHING ((struct ceiling_reading){.start_s = INFINITY, .end_s = -INFINITY})
struct ceiling_reading ceiling_join(struct ceiling_reading, struct ceiling_reading);
/* A second. */
double ceiling_rate(struct ceiling_reading);

/* "fused multiply-adds in registers, avx2": what ceiling_run_peak measures. Returns text. */
const char *ceiling_peak_text(enum isa, unsigned long length, char *text);
/* "triad on arrays beyond the caches, avx2": what ceiling_run_triad does on such. Returns text. */
const char *ceiling_triad_text(enum isa, unsigned long length, char *text);

#endif
