/* The rule of one step, for a row of points, compiled for each instruction set (rows.inc). */
#ifndef KERNELS_STENCIL_ROWS_H
#define KERNELS_STENCIL_ROWS_H

#include "../isa.h"

#include <stdint.h>

enum { RADIUS_MAX = 2, ROWS_READ = 2 * RADIUS_MAX + 1 };

/* `count` points of the next step go to `out`, from the rows of this one: in[RADIUS_MAX] is the points' own row, those
 * before are above it. Of each row also the points beside are read, to either side as many as the star's radius.
 * `out` overlaps none of them. */
typedef void stencil_row(int64_t count, const double *const in[ROWS_READ], double *out);

struct stencil_code {
    /* By the star's radius - 1. All give the same bits, with every instruction set. Cached: the compiler's vector loop;
     * streamed: with stores that bypass the caches, where the set has such. */
    stencil_row *cached[RADIUS_MAX], *streamed[RADIUS_MAX];
    void (*fence)(void); /* after streamed, before another thread reads */
};

extern const struct stencil_code stencil_code_base, stencil_code_avx2, stencil_code_avx512;

/* `isa` is one that this machine has. */
const struct stencil_code *stencil_code_find(enum isa);

#endif
