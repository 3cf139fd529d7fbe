/* Inside diagnose alone: everything that looks at a command, or at a running process, from the start to the end. */
#ifndef SPEEDUP_COMMANDS_DIAGNOSE_WATCH_H
#define SPEEDUP_COMMANDS_DIAGNOSE_WATCH_H

#include "../analyse/diagnosis.h"
#include "../launch/spawn.h"
#include "../observe/neighbours.h"
#include "../observe/thread.h"
#include "../record/timelines.h"
#include "watching.h"

enum { WATCHED_MAX = 2 * CPUS_MAX };

struct diagnose_watch {
    struct machine machine;
    int cpus[CPUS_MAX];
    struct watching watching;
    struct hotspot_watch *hotspot_watch; /* NULL: hotspots.reason says why */
    struct tree_watch *tree_watch;
    struct cpu_counters before[CPUS_MAX];
    struct neighbours neighbours;
    double throttled_s, start_s;
    int descriptor_count;
    int descriptors[WATCHED_MAX];
    /* What was seen, after the stop. */
    struct timeline_record timeline;
    struct tree tree;
    struct hotspots hotspots;
    struct evidence evidence; /* points into this structure */
};

/* root 0: what this thread starts from now on; else that process. STATUS_FAILED where neither tier can be had, or the
 * process cannot be looked at; STATUS_USAGE for a wrong SPEEDUP_TIMELINES. diagnose_watch_release frees it, also then.
 */
int diagnose_watch_start(struct diagnose_watch *, pid_t root, struct error *);
/* To be called when one of the descriptors can be read from, and some ten times a second for a running process. */
void diagnose_watch_drain(void *watch);
/* Ends the looking. `result`: of the command; NULL: a process was watched, until now. */
int diagnose_watch_stop(struct diagnose_watch *, const struct spawn_result *, struct error *);
void diagnose_watch_release(struct diagnose_watch *);

#endif
