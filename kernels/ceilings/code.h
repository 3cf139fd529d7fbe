/* What there is of each instruction set: ceilings.inc, compiled for it. */
#ifndef KERNELS_CEILINGS_CODE_H
#define KERNELS_CEILINGS_CODE_H

#include "ceilings.h"

#include <stdbool.h>

enum {
    CEILING_DEPTH = 96,                 /* multiply-adds of each chain in a round */
    CEILING_PANELS = CEILING_DEPTH * 32 /* doubles, 24 KiB: both panels of any tile, and they fit into the L1 cache */
};

struct ceiling_code {
    bool fused;
    double round_flop; /* of a round, by the extents of its loops */
    /* Both return the floating-point operations that were done, as the sums say that were made: every multiply-add adds
     * 1 * 1 to its element. All elements of the panels, which begin at a multiple of 64 bytes, are 1. */
    double (*peak)(int64_t rounds);
    double (*fed)(int64_t rounds, const double panels[CEILING_PANELS]);
    void (*triad)(int64_t count, double *a, const double *b, const double *c, double s);
};

extern const struct ceiling_code ceiling_code_base, ceiling_code_avx2, ceiling_code_avx512;

#endif
