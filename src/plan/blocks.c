/* Shuffles by Durstenfeld (Algorithm 235: Random permutation. Communications of the ACM 7, 1964). */
#include "blocks.h"

#include "../../kernels/random.h"

void plan_block_order(uint64_t seed, int block, int count, int order_p[])
{
    uint64_t key = hash_pair(seed, (uint64_t)block);
    for (int i = 0; i < count; i++) {
        int at = (int)(hash_pair(key, (uint64_t)i) % (uint64_t)(i + 1));
        order_p[i] = order_p[at];
        order_p[at] = i;
    }
}
