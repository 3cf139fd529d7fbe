/* The bound of own lane code: how many operations on vector registers a sample takes, and how many the core can do. */
#ifndef BENCH_BOUND_H
#define BENCH_BOUND_H

#include "../../kernels/montecarlo/code.h"

/* For a sample; 0 where the count does not hold: another instruction set or processor, plain C. */
double bound_operations(const struct montecarlo_code *, const char *kernel, const char *variant);

/* Operations a second of the calling thread's core, measured for so many seconds. */
double bound_run(enum isa, double seconds);

#endif
