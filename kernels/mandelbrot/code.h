/* What of the Mandelbrot set is written for vectors: code.inc, compiled once for each instruction set. All give the
 * same bits: every operation rounds as the plain one does. */
#ifndef KERNELS_MANDELBROT_CODE_H
#define KERNELS_MANDELBROT_CODE_H

#include "../isa.h"

#include <stdint.h>

enum { CODE_STEPS = 16 }; /* of z, from one look at all points of a group to the next */

struct mandelbrot_code {
    int lanes, group; /* points of a vector; that are computed together */
    /* Counts of the points re[i] + i im, as count_point (mandelbrot.h) does. */
    void (*count)(int64_t points, const double *re, double im, uint32_t iterations, uint32_t *counts_p);
};

/* `isa` is one that this CPU has. */
const struct mandelbrot_code *mandelbrot_code_find(enum isa);

/* Those of this build. */
extern const struct mandelbrot_code mandelbrot_base, mandelbrot_avx2, mandelbrot_avx512;

#endif
