/* What of the Monte Carlo kernels is written for lanes (lanes.h): code.inc, compiled once for each instruction set. The
 * rest of the kernels sees this table alone.
 *
 * Words of random bits are 64 bits wide here; the upper halves of those drawn by philox are not part of the result.
 */
#ifndef KERNELS_MONTECARLO_CODE_H
#define KERNELS_MONTECARLO_CODE_H

#include "../isa.h"

#include <stdbool.h>
#include <stdint.h>

/* Counter-based generators: four 32-bit words for each counter. */
enum generator { GENERATOR_PHILOX, GENERATOR_ARS, GENERATOR_COUNT };

enum { CODE_LANES = 8, CODE_ALIGNMENT = 256 };

/* The counter of lane 0 of the first vector; the ones after it go on in the first word, which must not overflow. */
struct counters {
    uint32_t word[4];
};

/* Sums over pairs, of NPB's EP: of x, of y, and how many have their larger coordinate in [k, k + 1). */
enum { EP_BINS = 11 };
struct ep_sums {
    double x, y;
    uint64_t bins[EP_BINS];
};

struct montecarlo_code {
    bool fused; /* reals have the bits of fused multiply-add */

    /* Points of two words (0 and 1, 2 and 3 of each counter) that lie in the quarter circle of radius 2^32. The first
     * counter is a multiple of CODE_ALIGNMENT, their number one of CODE_LANES. NULL where this machine has no
     * instructions for a generator. */
    uint64_t (*count_hits[GENERATOR_COUNT])(uint64_t seed, const struct counters *, int64_t counters);

    /* Words of `count` counters, a multiple of CODE_LANES, from a multiple of it on: radius[16 v + 8 p + lane] is word
     * 2 p, angle[...] word 2 p + 1 of counter 8 v + lane. */
    void (*draw[GENERATOR_COUNT])(uint64_t seed, const struct counters *, int64_t count, uint64_t *radius_p,
                                  uint64_t *angle_p);
    /* Box and Muller: pairs of normal deviates from radius and angle, `pairs` a multiple of CODE_LANES:
     * normal[16 v + lane] by the cosine, normal[16 v + 8 + lane] by the sine, of pair 8 v + lane. */
    void (*normals)(int64_t pairs, const uint64_t *radius, const uint64_t *angle, double *normal_p);
    /* value = max(exp(drift + volatility * normal) - strike, 0); in place is allowed. */
    void (*payoffs)(int64_t count, const double *normal, double drift, double volatility, double strike,
                    double *value_p);
    /* The next step of paths: log += drift + volatility * normal[32 v + lane]; sum_log += log; sum += exp(log). */
    void (*step_paths)(int64_t paths, const double *normal, double drift, double volatility, double *log,
                       double *sum_log, double *sum);
    /* Sum of a, and of a * b, in an order that depends on the count alone, a multiple of 2 CODE_LANES. */
    void (*sum_products)(int64_t count, const double *a, const double *b, double sums_p[2]);

    /* NPB's EP: `pairs` pairs from the state of the generator that is its first number. */
    void (*ep)(uint64_t first, int64_t pairs, struct ep_sums *sums_p);

    /* The functions alone, for tests: value_p[i] of argument[i]; count is a multiple of CODE_LANES. */
    void (*minus_two_log)(int64_t count, const double *argument, double *value_p);
    void (*exponential)(int64_t count, const double *argument, double *value_p);
    void (*root_of_quotient)(int64_t count, const double *x, const double *y, double *value_p);
    void (*sine_cosine)(int64_t count, const uint64_t *argument, double *sine_p, double *cosine_p);
};

/* Of this CPU; `isa` is one that it has. */
struct montecarlo_code montecarlo_code_find(enum isa);
/* NULL where the generator can run here, else why not. */
const char *generator_unavailable(enum generator);

/* Those of this build. Entries for ARS-7 are NULL where a file is not compiled for AES instructions. */
extern const struct montecarlo_code montecarlo_base, montecarlo_avx2, montecarlo_avx512, montecarlo_avx512_vaes;

#endif
