/* Samples in blocks: a block's length follows from the number of samples alone, blocks are dealt contiguously to ranks
 * and threads, and each block has results of its own. So results, and sums of them in a fixed order, are the same for
 * every number of ranks and threads. */
#ifndef KERNELS_MONTECARLO_BLOCKS_H
#define KERNELS_MONTECARLO_BLOCKS_H

#include "../share.h"
#include "../team.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BLOCKS_FEW = 1 << 14,  /* as many blocks, of a grain at least, until they are long; */
    BLOCKS_MOST = 1 << 20, /* then more of them; and then longer ones */
    BLOCK_LONG = 1 << 16   /* samples that take about a nanosecond each */
};

struct blocks {
    int64_t samples, length, total; /* of all ranks; the last block may be shorter */
    int64_t first, count;           /* of this rank */
};

/* The layout of so many samples, in blocks of multiples of `grain`, and this rank's share. A sample takes about `cost`
 * nanoseconds. (Up to some thousand workers get even shares of the fewest blocks; more need more samples anyway.) */
struct blocks blocks_of(int64_t samples, int64_t grain, int cost, int ranks, int rank);

/* The first sample of a block, by its number among all; of the one after it, its end. */
static inline int64_t block_begin(const struct blocks *blocks, int64_t block)
{
    return block < blocks->total ? block * blocks->length : blocks->samples;
}

/* Whether the check is to look at this rank's i-th block again: its first, its last, and of each 32nd part of all
 * blocks one at random. */
bool block_is_drawn(const struct blocks *, int64_t i, uint64_t seed);

/* Sums of doubles over all blocks, along the binary tree over the numbers of blocks, whose shape depends on their total
 * alone: the same bits for every number of ranks, on every rank. */
enum { BLOCK_WIDTH_MAX = 5 };
struct block_sums;
/* For `width` sums at a time, up to BLOCK_WIDTH_MAX; NULL: out of memory. Not collective; block_sums_free frees it. */
struct block_sums *block_sums_new(const struct team *, int width);
void block_sums_free(struct block_sums *); /* NULL is allowed */
/* What block_sums_new allocates for all ranks together. */
double block_sums_bytes(int ranks);
/* Collective. `values`: of this rank's blocks, `width` doubles each. 0 or the team's failure. */
int block_sums_add_up(struct block_sums *, struct team *, const struct blocks *, const double *values, double sums_p[]);

#endif
