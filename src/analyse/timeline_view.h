/* The timelines of one launch, from one host or several, on one axis of time: its tasks in one order, and what ran on
 * each CPU one behind the other. Numbers and pictures are made from this. Pure. */
#ifndef SPEEDUP_ANALYSE_TIMELINE_VIEW_H
#define SPEEDUP_ANALYSE_TIMELINE_VIEW_H

#include "results.h"

/* A task, and which of its spans lie in the view. */
struct view_task {
    const struct timeline_task *task;
    int host;                 /* index into hosts */
    double offset_s;          /* of its host's time 0 on the axis */
    double low_s, high_s;     /* what was observed there, within the view */
    int first_span, end_span; /* first_span ... end_span - 1 */
};

/* A span of running. */
struct view_run {
    double begin_s, end_s;
    int host, cpu;
    int task, span; /* indices: into tasks, and into the spans of that task */
};

struct view_cpu {
    int host, cpu;
    double busy_s;            /* by all programs, over the whole timeline; NAN where unknown */
    double low_s, high_s;     /* as of a task */
    int first_run, run_count; /* into runs */
};

struct timeline_view {
    int host_count;
    const struct timeline_record **hosts; /* heap; the records are borrowed */
    double length_s;                      /* of the launch, from the earliest host's start to the latest one's end */
    double begin_s, end_s;                /* the part that is in view */
    bool whole;                           /* that is all of it */
    int task_count, worker_count;
    struct view_task *tasks; /* heap; workers first, by rank and thread, then the others, host by host */
    int run_count;
    struct view_run *runs; /* heap; by CPU, and there by time; what overlaps its predecessor is cut */
    int cpu_count;
    struct view_cpu *cpus; /* heap; those that were watched, or on which a task ran */
};

/* The part from begin_s to end_s of the launch; NAN: from its start, to its end. What lies outside is left out; a part
 * in which there is nothing is an empty view. The records must outlive the view, and timeline_view_release frees it.
 * Numbers that make no sense (a record may come from anywhere) are left out. 0 or -ENOMEM. */
int timeline_view_init(int count, const struct timeline_record *const records[], double begin_s, double end_s,
                       struct timeline_view *view_p);
/* The same of records that lie one behind the other. */
int timeline_view_of(int count, const struct timeline_record *records, double begin_s, double end_s,
                     struct timeline_view *view_p);
void timeline_view_release(struct timeline_view *);

/* A span as far as it is in the view, on the axis. */
struct timeline_span timeline_view_span(const struct timeline_view *, int task, int span);

/* How many of the file's timelines, from `first` on, show the same launch. */
int timeline_host_count(const struct results *, int first);

#endif
