/* How tasks share cores: how soon each first gets one, how even their shares are, what is gained where they wait, and
 * what a switch from one to the next costs. Pure. NAN: not known. */
#ifndef SPEEDUP_ANALYSE_SHARING_H
#define SPEEDUP_ANALYSE_SHARING_H

#include "../observe/sample.h"

/* Jain's index of fairness, (sum of x)^2 / (n sum of x^2): 1 where all shares are alike, 1/n where one has all, k/n
 * where k of n have equal shares and the others nothing (Jain, Chiu, Hawe: A quantitative measure of fairness and
 * discrimination for resource allocation in shared computer systems. DEC-TR-301, 1984). NAN where a share is NAN or
 * negative, none is above 0, or count is 0. */
double sharing_fairness(int count, const double shares[]);

/* Of one sample. The share of a task is its CPU time over the time from the sample's start to its own end: what it got
 * of a core while it wanted one. Tasks with equal work that take turns have equal shares; of those that run one behind
 * the other, the first has a whole core and the last a part. */
struct sharing {
    double response_mean_s, response_last_s; /* until a task first worked */
    double done_mean_s, done_last_s;         /* until a task was done: its turnaround time */
    double share_low, share_high;
    double fairness; /* of the shares */
};
void sharing_of(const struct sample *, struct sharing *sharing_p);
/* The times until each task first worked, ascending, at most `most`. Returns how many tasks that is known of. */
int sharing_responses(const struct sample *, int most, double responses_p[]);

/* The most by which `tasks` on one core can be faster than one of them alone, where each computes for compute_s and
 * then waits for wait_s: until the core is always busy. min(k, (C + Z) / C); C 0: k. */
double sharing_waiting_bound(int tasks, double compute_s, double wait_s);

/* What a hop of a token that is handed round took (kernels/relay.c), alone and in the ring, and what the switch between
 * two hops cost: `walk_s` since the task finds its data gone from the cache (a walk through them takes longer than if
 * the task goes on alone), `bare_s` all else. Seconds. */
struct switching {
    double alone_s, ring_s;
    double cost_s, bare_s, walk_s;
    double switches; /* per hop, as the system counted them */
};
/* Two samples with the same work for each hop; else, and where one has none, all NAN. */
void switching_of(const struct sample *alone, const struct sample *ring, struct switching *switching_p);

#endif
