/* From what /proc told of each task at moments to a timeline. Pure: no clock, no files. */
#ifndef SPEEDUP_OBSERVE_SAMPLER_BUILD_H
#define SPEEDUP_OBSERVE_SAMPLER_BUILD_H

#include "timeline.h"

#include <stdbool.h>
#include <stdint.h>

/* What was seen of a task, unchanged, from the first to the last of some samples. */
struct sighting {
    double first_s, last_s; /* CLOCK_MONOTONIC: not later than the first one's end, not before the last one's begin */
    uint64_t ran_ns;        /* on a core: moves when it leaves the core, and at ticks */
    uint64_t waited_ns;     /* runnable without a core: moves when it gets one, or moves to another's queue */
    uint64_t turns;         /* how often it got a core */
    int cpu;                /* where it is, or was last */
    bool runnable;          /* state R; of the first of these samples */
    bool displaced;         /* the sampler itself had the task's core: it did not run */
};

struct sampled_task {
    pid_t pid, tid;
    char name[32];
    bool there_before;   /* it ran before it was watched: its counters then are not of the timeline */
    double born_after_s; /* a moment at which it was not there yet; there_before: when the watching began */
    double gone_s;       /* when it was no longer there; NAN: was there to the end */
    bool over;           /* the last sighting is of one that had ended, and waits to be reaped */
    int count, capacity;
    struct sighting *sightings; /* heap; at least one where the task is to be shown */
};

/* Adds the tasks to an initialised, empty timeline, times since start_s. counted: the kernel keeps account of waits and
 * turns (schedstat); without, ran_ns moves in steps of a clock tick and the others are 0. error_p: within which
 * instants are right. 0 or -ENOMEM. */
int sampler_build(bool counted, double start_s, int count, const struct sampled_task tasks[],
                  struct timeline *timeline_p, double *error_s_p);

/* sampler_coarse.c: the same without counters. */
int sampler_build_coarse(double start_s, int count, const struct sampled_task tasks[], struct timeline *timeline_p,
                         double *error_s_p);

/* Of a task that has at least one sighting: when it began and ended, and a timeline's task without spans. */
double sampled_begin_s(const struct sampled_task *);
double sampled_end_s(const struct sampled_task *);
struct timeline_task sampled_describe(const struct sampled_task *);
/* The longest time between two looks at a task. */
double sampled_longest_gap_s(int count, const struct sampled_task tasks[]);

#endif
