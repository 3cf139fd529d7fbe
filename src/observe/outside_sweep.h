/* Inside outside.c: the times of a timeline's tasks, added up. */
#ifndef SPEEDUP_OBSERVE_OUTSIDE_SWEEP_H
#define SPEEDUP_OBSERVE_OUTSIDE_SWEEP_H

#include "timeline.h"

/* From when to when, since the timeline's start, and over which CPUs (of the mode). */
struct sweep_window {
    double begin_s, end_s;
    int cpu_count;
    const int *cpus;
};

/* Instants are since begin_s. */
struct sweep_place {
    double wall_s, cpu_s;  /* active; its share of the cores that active tasks had */
    double start_s, end_s; /* first and last active; 0 where it never was */
};

/* The places as outside.h defines them, and held_s of the sample: the CPU's where it was the longest. 0 or -ENOMEM. */
int sweep_timeline(const struct timeline *, const struct sweep_window *, int place_count, struct sweep_place places_p[],
                   double *held_p);

#endif
