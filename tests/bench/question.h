/* What all samplers of a kernel are asked, and what is known of the answer. */
#ifndef BENCH_QUESTION_H
#define BENCH_QUESTION_H

#include "../../kernels/kernel.h"
#include "../../kernels/montecarlo/code.h"
#include "../../src/error.h"

struct question {
    const struct kernel *kernel;
    struct problem problem; /* the kernel's own defaults; the size is that of an ep class, else each sampler's */
    enum isa isa;
    struct montecarlo_code code; /* of that isa, for those who borrow from it */
    int64_t pilot;               /* samples of a first run; class S of ep */
    bool fixed_size;             /* samples come in whole classes: problem.size, or the pilot */

    double answer, deviation; /* the mean of samples, and the standard deviation of one; 0: judged by other means */

    /* Of an option: a path's value is discount * max(exp(drift + volatility * z) - strike, 0), with a normal deviate
     * z. */
    double drift, volatility, strike, discount;
};

/* Of the kernel of that name: pi, ep or option; `class` is that of ep. 0 or STATUS_USAGE. */
int question_open(const char *kernel, const char *class, enum isa, struct question *question_p, struct error *);

/* Whether a mean of so many samples lies within five standard errors of the answer; else writes why not. */
bool question_is_answered(const struct question *, double mean, int64_t samples, size_t length, char *why);

#endif
