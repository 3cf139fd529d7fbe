/* The micro-kernels of matmul: the innermost operation, on a tile of C that fits into the vector registers. One source,
 * micro.inc, is compiled once for each instruction set; the rest of matmul sees only this table.
 *
 * A full tile is rows x (vectors * width) elements of C. What is left at the edges of C has fewer rows and vectors, and
 * perhaps a last vector that is not full; for each number of rows and vectors there is a function of its own.
 */
#ifndef KERNELS_MATMUL_MICRO_H
#define KERNELS_MATMUL_MICRO_H

#include "../isa.h"

#include <stdbool.h>
#include <stdint.h>

enum { MICRO_ROWS_MAX = 8, MICRO_VECTORS_MAX = 3 };

/* C (rows x columns) = A (rows x depth) B (depth x columns), or C += with `add`. Each element is one chain of
 * multiplications and additions in the order of depth (see matmul_multiply). */
struct micro_tile {
    int64_t depth;
    const double *a, *b;
    double *c;
    int64_t lda, ldb, ldc; /* from one row to the next */
    int last;              /* columns in the last vector, 1 to width */
    bool add;
    double *packed; /* `packing`: where the rows of B go, one after the other, as whole vectors */
    /* Hints: memory that is soon needed, to be fetched into the second cache meanwhile; any address is allowed. */
    const double *c_next; /* the tile of C after this one, with the same rows and ldc */
    const char *ahead;    /* one line each 4 k, the next at ahead + ahead_stride */
    int64_t ahead_stride; /* bytes */
};
typedef void micro_multiply(const struct micro_tile *);

struct micro {
    int rows, vectors, width;
    /* All [rows - 1][vectors - 1]. C is never touched beyond `last`; B neither, but by `whole`, for which its rows end
     * in whole vectors. `packing` copies B as it goes, filling up the last vector with zeros, and is meant for rows of
     * B that come from memory. */
    micro_multiply *whole[MICRO_ROWS_MAX][MICRO_VECTORS_MAX];
    micro_multiply *ragged[MICRO_ROWS_MAX][MICRO_VECTORS_MAX];
    micro_multiply *packing[MICRO_ROWS_MAX][MICRO_VECTORS_MAX];
};

/* Those that this build has; micro_find gives the one of an instruction set. */
extern const struct micro micro_base, micro_avx2, micro_avx512;
const struct micro *micro_find(enum isa);

#endif
