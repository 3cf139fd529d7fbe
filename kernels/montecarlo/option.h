/* What the files of the kernel `option` share. */
#ifndef KERNELS_MONTECARLO_OPTION_H
#define KERNELS_MONTECARLO_OPTION_H

#include "blocks.h"
#include "lognormal.h"
#include "method.h"

/* Per block: sums of the payoff and of its square; for Asian options then the same of the geometric mean's payoff, and
 * the sum of the products of both. */
enum { SUM, SQUARES, CONTROL, CONTROL_SQUARES, PRODUCTS };

struct option {
    int64_t paths;
    bool asian;
    int steps, width; /* width: sums of a block */
    double log_spot, strike;
    double drift, volatility; /* of the logarithm in one step */
    double discount;
    struct lognormal known; /* the European price's law at maturity, or the geometric mean's */
    uint64_t seed;
    struct blocks blocks;
    struct method method;
    struct montecarlo_code code;
    struct block_sums *block_sums;
    double *values;               /* `width` of each block */
    double sums[BLOCK_WIDTH_MAX]; /* of all ranks, after run */
};

/* option_paths.c: sets sums_p to those of paths first ... last - 1, by the code for lanes or by plain C. `first` is
 * where a block begins. */
void option_add_paths(const struct option *, bool vector, int64_t first, int64_t last, double sums_p[]);

#endif
