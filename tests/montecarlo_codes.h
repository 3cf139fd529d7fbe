/* The tables of lane code (kernels/montecarlo/code.h) that this machine can run: of each instruction set, also where a
 * better one would be taken. */
#ifndef TESTS_MONTECARLO_CODES_H
#define TESTS_MONTECARLO_CODES_H

#include "../kernels/montecarlo/code.h"

struct named_code {
    const char *name;
    struct montecarlo_code code; /* entries of a generator that is unavailable are NULL */
};

enum { CODES_MAX = ISA_COUNT + 1 };

/* How many; the first is the plainest. */
int montecarlo_codes(struct named_code codes_p[CODES_MAX]);

#endif
