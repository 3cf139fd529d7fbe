/* What the ranks of a team tell rank 0 in texts of any length. */
#ifndef SPEEDUP_WORKER_TEXTS_H
#define SPEEDUP_WORKER_TEXTS_H

#include "team.h"

/* Collective. A number of each rank, in the order of ranks, on every rank. */
int team_collect_u64(struct team *, uint64_t mine, uint64_t all_p[]);

/* Collective. The texts of all ranks at rank 0, each on the heap and the caller's; texts_p is [size] there, and not
 * touched elsewhere. 0, or one failure on all ranks (-ENOMEM, and there are no texts), or -EIO. */
int team_gather_texts(struct team *, const char *mine, char *texts_p[]);

#endif
