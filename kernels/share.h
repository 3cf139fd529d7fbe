/* Who does what: `count` pieces dealt contiguously to `shares` owners, as evenly as possible. Pure. */
#ifndef KERNELS_SHARE_H
#define KERNELS_SHARE_H

#include <stdint.h>

/* The first piece of owner `index`; its last is share_begin(count, shares, index + 1) - 1. The first count % shares
 * owners have one piece more than the others. */
static inline int64_t share_begin(int64_t count, int shares, int index)
{
    int64_t more = count % shares;
    return count / shares * index + (index < more ? index : more);
}

/* The owner of a piece. */
static inline int share_owner(int64_t count, int shares, int64_t piece)
{
    int64_t each = count / shares, more = count % shares;
    return (int)(piece < more * (each + 1) ? piece / (each + 1) : more + (piece - more * (each + 1)) / each);
}

#endif
