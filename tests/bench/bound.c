/* With 512-bit registers Intel's server cores do two vector operations a cycle, on ports 0 and 5, whichever the
 * operations are; loads and stores have ports of their own. So code with n operations takes n / 2 cycles at least, and
 * how many cycles a second has is measured with multiply-adds, which do two a cycle as well. Copies between registers
 * and constants from memory count nothing.
 *
 * The counts are those of the source (code.inc, functions.h), found again in the compiled loops. Eight lanes are one
 * register; they hold for AVX-512 with IFMA and VAES, of the table montecarlo_avx512_vaes. With AVX2 eight lanes are
 * two registers and three ports work: no bound is stated.
 */
#include "bound.h"

#include "../../kernels/ceilings/ceilings.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    /* Philox, 8 counters: the first two rounds together 7 (2 products, 1 shuffle, 1 shift, 3 exclusive ors, as half of
     * them is done once for all), the third 6 (2 products, 1 shuffle, 1 shift, 2 exclusive ors), the other seven 6 each
     * (the same); 1 to go on counting. */
    PHILOX_8_COUNTERS = 7 + 6 + 7 * 6 + 1,
    /* A point's two products, their sum, a comparison, a masked addition. */
    HITS = 5,
    PI_PHILOX_8_COUNTERS = PHILOX_8_COUNTERS + 2 * HITS, /* 16 points */
    /* ARS-7, 4 counters: 1 exclusive or with the table's first round, 6 rounds of AES, 1 shuffle for the second word.
     * AES is done on port 0 alone: 6 cycles, within the 6.5 that all take. */
    PI_ARS_4_COUNTERS = 1 + 6 + 1 + HITS, /* 8 points */
    /* 8 counters at once and without the table: 7 rounds for each half, and 2 exclusive ors for its numbers; 5 to make
     * the first block (a move, an insertion of 2, a broadcast, an exclusive or); 2 permutations, 2 shifts. */
    ARS_8_COUNTERS = 2 * 7 + 2 + 5 + 2 + 2,

    /* -2 ln: mantissa, exponent 2, shift, 2 tables, 12 multiply-adds, 1 product. */
    LOGARITHM = 1 + 2 + 1 + 2 + 12 + 1,
    /* Sine and cosine: conversion 1, quarter turns 4 and a square; polynomials 7 + 6; signs 8. */
    SINE_COSINE = 1 + 4 + 1 + 7 + 6 + 8,
    /* Exponential: reduction 4, power 3, polynomial 6 and a square. */
    EXPONENTIAL = 4 + 3 + 6 + 1,
    /* 8 pairs of normal deviates: conversion and scaling 2, the root 3 (its divider works beside), 2 products. */
    NORMALS_8_PAIRS = 2 + LOGARITHM + 3 + SINE_COSINE + 2,
    /* 8 paths: multiply-add, exponential, strike, maximum; the sums 2. */
    PAYOFFS_8_PATHS = 1 + EXPONENTIAL + 2 + 2,
    /* 8 counters are 16 pairs, and 32 paths. */
    OPTION_32_PATHS = 2 * NORMALS_8_PAIRS + 4 * PAYOFFS_8_PATHS,

    /* EP, 8 pairs. Draw: 2 steps, 2 differences, 2 for x^2 + y^2. The root of the quotient: 3 products, 4
     * multiply-adds, root and quotient in single precision (whose divider works beside), 2 conversions of 2 operations
     * each. Collect: comparison, larger coordinate, product, conversion, table, 2 masked multiply-adds, 1 masked
     * addition. */
    EP_8_PAIRS = 6 + LOGARITHM + (3 + 4 + 2 + 2 * 2) + 8,
};

static const struct {
    const char *kernel, *variant;
    double operations;
} counts[] = {
    {"pi", "philox", PI_PHILOX_8_COUNTERS / 16.0},
    {"pi", "ars", PI_ARS_4_COUNTERS / 8.0},
    {"ep", "vector", EP_8_PAIRS / 8.0},
    {"option", "philox", (PHILOX_8_COUNTERS + OPTION_32_PATHS) / 32.0},
    {"option", "ars", (ARS_8_COUNTERS + OPTION_32_PATHS) / 32.0},
};

static bool is_counted(const struct montecarlo_code *code)
{
#ifdef __x86_64__
    return code->ep == montecarlo_avx512_vaes.ep && __builtin_cpu_is("intel");
#else
    (void)code;
    return false;
#endif
}

double bound_operations(const struct montecarlo_code *code, const char *kernel, const char *variant)
{
    for (size_t i = 0; i < sizeof counts / sizeof *counts && is_counted(code); i++)
        if (strcmp(counts[i].kernel, kernel) == 0 && strcmp(counts[i].variant, variant) == 0)
            return counts[i].operations;
    return 0;
}

double bound_run(enum isa isa, double seconds)
{
    static const int lanes[ISA_COUNT] = {2, 4, 8};
    return ceiling_rate(ceiling_run_peak(isa, seconds)) / (2 * lanes[isa]);
}
