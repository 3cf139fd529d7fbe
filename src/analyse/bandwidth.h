/* Kernels whose work is bytes of memory (kernel.h: memory_bound): what they reach of the memory's bandwidth, and
 * whether caches explain that they do better. Pure. */
#ifndef SPEEDUP_ANALYSE_BANDWIDTH_H
#define SPEEDUP_ANALYSE_BANDWIDTH_H

#include "group.h"
#include "sentence.h"

struct bandwidth {
    /* The rate over the most that these cores can get from memory, as measured beside it, and that most (a second),
     * both medians. A share of more than 1 says that the bytes came from caches. NAN: this work has no such ceiling. */
    double share, ceiling_rate;
    /* The caches of level 1 to 3 that hold the arrays where they are those of all cores in use, but not where they are
     * those of the base's; how many they are, and their bytes each. Level 0: there are none such, or it is not known.
     */
    int cache_level, cache_count;
    double cache_bytes, data_bytes;
};

/* Of the samples; the caches are not known. */
void bandwidth_of(const struct group *, struct bandwidth *bandwidth_p);
/* Finds the caches; cache_bytes: of levels 1 to 3 as one core sees them, 0 where unknown. The first two are taken for a
 * core's own, the third for a node's. */
void bandwidth_find_caches(const double cache_bytes[3], const struct config *base, const struct config *,
                           struct bandwidth *bandwidth);

/* Whether the memory is what bounds the rate. */
bool bandwidth_is_used_up(const struct bandwidth *);
/* Whether there is more than memory can give. */
bool bandwidth_is_exceeded(const struct bandwidth *);
/* "memory bandwidth, which these cores share: they reach 93 % of the most that they can get (23.4 GB/s)". */
void bandwidth_say_loss(struct sentence *, const struct bandwidth *);
/* "superlinear: the arrays (3 MiB) fit into the L2 caches of 2 cores (2 MiB each), not into that of one". */
void bandwidth_say_gain(struct sentence *, const struct bandwidth *);

#endif
