/* Noise for simulated measurements: what it is follows from a seed and an index. */
#ifndef TESTS_NOISE_H
#define TESTS_NOISE_H

#include "../kernels/random.h"

#include <math.h>

/* Evenly in (0, 1). */
static inline double noise_even(uint64_t seed, uint64_t index)
{
    return ((double)(hash_pair(seed, index) >> 11) + 0.5) * 0x1p-53;
}

/* Standard normal, by Box and Muller. */
static inline double noise_normal(uint64_t seed, uint64_t index)
{
    return sqrt(-2 * log(noise_even(seed, 2 * index))) * cos(2 * M_PI * noise_even(seed, 2 * index + 1));
}

/* A factor with median 1: log-normal, of `deviation`. */
static inline double noise_factor(double deviation, uint64_t seed, uint64_t index)
{
    return exp(deviation * noise_normal(seed, index));
}

#endif
