/* What the Monte Carlo kernels have in common besides blocks: variants, and sizes that are one number. */
#ifndef KERNELS_MONTECARLO_METHOD_H
#define KERNELS_MONTECARLO_METHOD_H

#include "../kernel.h"
#include "code.h"

/* What a variant's name stands for: scalar (Philox), philox, ars, and EP's vector. */
struct method {
    enum generator generator;
    bool vector; /* by the code for lanes; else one sample after the other in plain C */
};
struct method method_of(const struct variant *);

/* As struct variant's unavailable. */
const char *method_ars_unavailable(void);

/* As struct kernel's size_for, where the work is the one extent, 1 to `most`. */
int method_size_for(int64_t most, double work, struct size *size_p);

/* Four random words of a counter, by plain C. */
void method_draw(enum generator, uint64_t seed, const uint32_t counter[4], uint32_t words_p[4]);

#endif
