/* Who ran where and when: the tasks of one run on one host, as they were observed. Plain data; where it comes from is
 * in switches.h (exact) and sampler.h (sampled), and every reader works with both. */
#ifndef SPEEDUP_OBSERVE_TIMELINE_H
#define SPEEDUP_OBSERVE_TIMELINE_H

#include "../error.h"
#include "sample.h"

/* How it was observed, the best first. */
enum timeline_tier {
    TIMELINE_EXACT,   /* the kernel's own context-switch records */
    TIMELINE_SAMPLED, /* what /proc tells of each task, at intervals */
    TIMELINE_TIERS
};

enum span_state {
    SPAN_RUNNING,
    SPAN_READY,  /* could run, and has no core */
    SPAN_BLOCKED /* waits for something else. Exact tier: or was woken and waits for a core, since when is not told */
};

struct timeline_span {
    double begin_s, end_s; /* since the timeline's start */
    enum span_state state;
    int cpu; /* where it runs; -1 in the other states */
};

struct timeline_task {
    pid_t pid, tid;
    int rank, thread; /* of a worker; -1: another task of the run (the launcher, a helper thread) */
    char name[32];    /* as the system has it */
    /* What else the system says of a worker's sample; NAN or -1 where it does not. */
    double accounted_wait_s; /* schedstat's wait for a core: also that after being woken */
    int64_t voluntary, involuntary;
    int span_count;
    struct timeline_span *spans; /* heap; one behind the other without gaps, from the task's start to its end */
};

struct timeline_cpu {
    int cpu;
    double busy_s; /* by all programs; NAN where unknown */
};

struct timeline {
    char host[64];
    enum timeline_tier tier;
    double error_s;       /* instants are right within this */
    double clock_error_s; /* of this host's clock against that of the first one; 0 on the first */
    char incomplete[160]; /* what is missing; "" where nothing is */
    char degraded[256];   /* why the tier is not the best one; "" */
    double start_s;       /* when, on the first host's CLOCK_MONOTONIC */
    double length_s;
    int cpu_count;
    struct timeline_cpu *cpus; /* heap; those that were watched, ascending */
    int task_count;
    struct timeline_task *tasks; /* heap; workers first, by rank and thread; then the others, by their start */
};

const char *timeline_tier_text(enum timeline_tier); /* "exact", "sampled" */
/* 0, or -1 where there is no such name. */
int timeline_tier_parse(const char *text, enum timeline_tier *tier_p);

/* All empty; release frees what the other calls made, and leaves it so. */
void timeline_init(struct timeline *);
void timeline_release(struct timeline *);
/* Adds a task without spans, or a span behind the task's last one (one of no length is left out; one that goes on with
 * state and CPU of the last prolongs it). 0 or -ENOMEM. */
int timeline_add_task(struct timeline *, const struct timeline_task *);
int timeline_add_span(struct timeline_task *, const struct timeline_span *);
int timeline_add_cpu(struct timeline *, int cpu, double busy_s);
/* Adds it at its place, ascending, unless it is there already; a number is better than none. 0 or -ENOMEM. */
int timeline_unite_cpu(struct timeline *, int cpu, double busy_s);
/* Keeps what lies between the two instants (since its start), and makes the first of them the start. Tasks without any
 * time there are dropped. */
void timeline_cut(struct timeline *, double begin_s, double end_s);
/* Keeps the beginning, with at most so many spans, and says so in `incomplete`. */
void timeline_limit(struct timeline *, int spans_max);
/* Marks the tasks that are workers, and puts them first. */
void timeline_name_workers(struct timeline *, int count, const struct worker_times workers[]);
/* Where nobody tells which tasks are the workers: marks those that were active (running or ready) for longest, at most
 * so many, as ranks of one thread each in the order of their start; of one process alone, as its threads. */
void timeline_name_busiest(struct timeline *, int most);
/* Adds what another observer saw on the same host and clock, for the time that both have; one without any time brings
 * its CPUs and texts. The tasks become the first one's. 0 or -ENOMEM; then some of them are the other's still. */
int timeline_merge(struct timeline *, struct timeline *other);

#endif
