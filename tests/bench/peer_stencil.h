/* The stencil as one writes it at first, and as the ParRes Kernels have it: loops over rows and columns of two arrays,
 * and OpenMP over the rows. Compiled for the machine it is built on (-march=native). What the kernel is compared with.
 */
#ifndef BENCH_PEER_STENCIL_H
#define BENCH_PEER_STENCIL_H

#include <stdint.h>

/* Points with a frame of `radius` lines around them, which no step changes. */
struct peer_stencil {
    int64_t rows, columns, steps;
    int radius; /* 1: the star of 5 points, 2: of 9, by the rules of kernels/stencil/rows.inc */
    int threads;
    double *in, *out; /* (rows + 2 radius) x (columns + 2 radius) */
};

/* 0 or -ENOMEM. In that case too peer_stencil_free is to be called. */
int peer_stencil_prepare(struct peer_stencil *);
/* A plane, which steps do not change. */
void peer_stencil_reset(struct peer_stencil *);
void peer_stencil_run(struct peer_stencil *);
/* Points that are not as they were. */
int64_t peer_stencil_wrong(const struct peer_stencil *);
void peer_stencil_free(struct peer_stencil *);

#endif
