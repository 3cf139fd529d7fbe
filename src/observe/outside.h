/* A command as a sample: what can be known of it from outside. Pure.
 *
 * Which of its tasks share the work is not known from outside, and a build makes hundreds of short-lived ones. So a
 * sample of P workers has P places, each the time of the first, second, ... task that is active (running, or ready
 * without a core). At an instant at which A tasks are active and R of them run, the first min(A, P) places are active,
 * and each gets R / min(A, P) of a core. Then, with per_worker's wall_s the active time and cpu_s the time on a core,
 * the factors of factors.h are what can be known: their product is the CPU time over P times the wall time; balance
 * says that fewer than P tasks were active (serial parts, unequal shares and waits for one another look alike from
 * outside), communication that none was (the program waited for something else), share that active tasks took turns.
 * Spinning waits are taken for work. */
#ifndef SPEEDUP_OBSERVE_OUTSIDE_H
#define SPEEDUP_OBSERVE_OUTSIDE_H

#include "sample.h"
#include "thread.h"
#include "timeline.h"

/* What was seen of one run of a command. */
struct outside {
    const struct timeline *timeline; /* exact, of all its tasks; NULL: refused, and why: */
    const char *reason;
    double process_s; /* from its start to its end */
    double start_s;   /* CLOCK_MONOTONIC: when it was started */
    double user_s, system_s;
    int64_t peak_memory_bytes, voluntary, involuntary;
    double throttled_s;
    int cpu_count; /* of the mode */
    const int *cpus;
    const struct cpu_counters *before, *after; /* of these CPUs */
};

/* Fills what was observed, and leaves config, study, launch, block, work, check and wall_s alone (wall_s is needed). 0
 * or -ENOMEM. */
int outside_fill(const struct outside *, struct sample *);

#endif
