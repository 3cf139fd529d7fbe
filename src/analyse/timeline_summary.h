/* What a timeline comes to, in numbers, and its levels over time. Pure. Of the part in view; counts and averages are of
 * the workers unless they say otherwise. NAN: not known. */
#ifndef SPEEDUP_ANALYSE_TIMELINE_SUMMARY_H
#define SPEEDUP_ANALYSE_TIMELINE_SUMMARY_H

#include "timeline_view.h"

/* Shares of the time of the view. */
struct cpu_use {
    int host, cpu;
    double workers, others; /* tasks of this run */
    double foreign;         /* other programs; from busy_s, which moves in steps of 10 ms, never below 0; NAN */
    double idle;            /* NAN where foreign is */
};

struct timeline_summary {
    double length_s;
    int workers, others;
    enum timeline_tier tier; /* the worst of all hosts' */
    double error_s;          /* the largest */
    double clock_error_s;    /* the largest */

    double concurrency;    /* workers started and not finished, on average */
    double parallelism;    /* workers running at the same instant, on average */
    double others_running; /* other tasks likewise */
    int most_running;      /* workers at one instant */
    double overlap;        /* share of the time in which two workers or more ran */
    /* From the launch's start until a worker first ran. Of the whole timeline alone; NAN. */
    double response_mean_s, response_last_s;

    /* A slice is a span of running; those that the ends of the view cut do not count. */
    int slice_count;
    double slice_p5_s, slice_p50_s, slice_p95_s;
    /* Half of all running went by in slices of at least this length (those cut count with what is seen of them): what a
     * picture has to resolve. NAN where nothing ran. */
    double slice_usual_s;

    /* A second. The kernel's records tell a switch that a task was made to take, or asked for, while it could have gone
     * on from one at which it began to wait; they do not tell preempted from yielded. That is inferred: it yielded
     * where its slice was shorter than 0.1 ms, as no tick ends a slice that early, and the next one to run on that CPU
     * is a task of this run that had been ready, not one that woke up. Tier exact alone; else NAN. */
    double preempted_hz, yielded_hz, blocked_hz;
    /* As the system counted them over the whole sample; NAN. A yield counts as involuntary. */
    double voluntary_hz, involuntary_hz;
    int migrations; /* runs on another CPU than the run of the same worker before */

    /* Of the workers' time, from the start of each to its end. */
    double running, ready, blocked;
    /* Waiting for a core by the system's accounts, which also know the wait after being woken; of the whole timeline
     * alone. NAN. */
    double accounted_wait;

    int cpu_count;
    struct cpu_use *cpus; /* heap; as in the view */
};

/* 0 or -ENOMEM; timeline_summary_release frees. */
int timeline_summarise(const struct timeline_view *, struct timeline_summary *summary_p);
void timeline_summary_release(struct timeline_summary *);
/* Of one host's timeline, all of it. */
int timeline_summarise_record(const struct timeline_record *, struct timeline_summary *summary_p);

/* Of one task, from the view's begin. NAN where it never ran there. */
double timeline_response(const struct timeline_view *, int task);

/* Of the time in which the one of the two tasks (indices) ran that ran less, the share in which the other one ran too.
 * NAN where it never ran. */
double timeline_overlap(const struct timeline_view *, int task_a, int task_b);

/* timeline_levels.c. Workers in each state, and other tasks that run. */
struct timeline_level {
    double running, ready, blocked, others_running;
};
/* Averages over `count` equal columns from begin_s to end_s on the view's axis. */
void timeline_levels(const struct timeline_view *, double begin_s, double end_s, int count,
                     struct timeline_level levels_p[]);
/* The same as it changes: the numbers from at_s on. Instants ascend; the first is the view's begin. */
struct timeline_step {
    double at_s;
    int running, ready, blocked;
};
/* Heap, the caller's. 0 or -ENOMEM. */
int timeline_steps(const struct timeline_view *, int *count_p, struct timeline_step **steps_p);

#endif
