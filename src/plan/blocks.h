/* Blocks: every configuration of a study once each, in an order of its own, so that what drifts hits all alike. Pure.
 */
#ifndef SPEEDUP_PLAN_BLOCKS_H
#define SPEEDUP_PLAN_BLOCKS_H

#include <stdint.h>

/* The order of `count` configurations in one block: a permutation of 0 ... count - 1 that follows from the seed. */
void plan_block_order(uint64_t seed, int block, int count, int order_p[]);

#endif
