/* How the clocks of several nodes lie to each other: nothing but messages between them tells. */
#ifndef SPEEDUP_WORKER_CLOCKS_H
#define SPEEDUP_WORKER_CLOCKS_H

#include "team.h"

/* A message and its answer. */
struct round_trip {
    double sent_s, returned_s; /* on the clock of the one who asks */
    double remote_s;           /* on the other's, when it was there */
};

/* The other's clock less one's own, and by how much that may be wrong. */
struct clock_offset {
    double offset_s, error_s;
};

/* By the fastest of them (count >= 1). Right within the error for any delay of the messages. Pure. */
struct clock_offset clock_offset_find(int count, const struct round_trip trips[]);
/* What holds at every instant between two such comparisons, if the one clock was all along the faster one, or the
 * slower. Pure. */
struct clock_offset clock_offset_span(struct clock_offset before, struct clock_offset after);

/* Collective. nodes[rank] is team->node of each rank. On rank 0, offsets_p[rank] of the rank that stands for each node
 * is filled: its clock less rank 0's. 0 or -ENOMEM, -EIO, which the others may not share. */
int team_compare_clocks(struct team *, const uint64_t nodes[], struct clock_offset offsets_p[]);

#endif
