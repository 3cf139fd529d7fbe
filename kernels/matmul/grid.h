/* Who holds what of the matrices, and in which steps they are multiplied. Pure. */
#ifndef KERNELS_MATMUL_GRID_H
#define KERNELS_MATMUL_GRID_H

#include <stdint.h>

/* Ranks in rows x columns, numbered along rows. C is cut by rows over the grid's rows and by columns over its columns;
 * A by rows over its rows and by depth over its columns; B by depth over its rows and by columns over its columns; all
 * contiguously (share.h), so that parts may be empty. */
struct grid {
    int rows, columns;
};

/* The grid of `ranks` that moves least for a C of m x n: each element of A goes to columns - 1 other ranks, each of B
 * to rows - 1. Of two that move the same, the one with fewer rows. */
struct grid grid_choose(int ranks, int64_t m, int64_t n);

/* The end of the step of depth that begins at `begin`, itself 0 or the end of another step. In a step, all of A has one
 * owner in each row of the grid, and all of B one in each column; it is at most `most` deep, and pieces of what one
 * owner has are as even as possible. */
int64_t grid_step_end(const struct grid *, int64_t depth, int64_t most, int64_t begin);

#endif
