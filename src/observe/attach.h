/* The threads that a running process and its descendants have, and events for them (ring.h). */
#ifndef SPEEDUP_OBSERVE_ATTACH_H
#define SPEEDUP_OBSERVE_ATTACH_H

#include "ring.h"

#include <stdint.h>

enum { ATTACH_MAX = 256 }; /* threads, and events */

struct attached_thread {
    pid_t pid, tid;
    char name[16];
    int cpu;         /* where it is, or was last */
    bool runnable;   /* could run, with a core or without one */
    uint64_t ran_ns; /* its CPU time, as it was last counted */
};

struct attached {
    int count;
    struct attached_thread *list; /* heap; by tid */
};

/* 0, -ENOMEM, -ESRCH: no such process, -EPERM: it is hidden, -E2BIG: they are more than ATTACH_MAX. */
int attach_list(pid_t root, struct attached *attached_p);
void attach_release(struct attached *);
const struct attached_thread *attach_find(const struct attached *, pid_t tid);
/* As it is now. False: it is gone. */
bool attach_read(pid_t pid, pid_t tid, struct attached_thread *thread_p);
/* Opens events for them: on each of the CPUs, inherited by what they start, where those are ATTACH_MAX at most, and
 * then *inherited_p is true; else one for each thread. Rings as source.pages_max and _min say. As rings_open. */
int attach_open(const struct perf_event_attr *, const struct attached *, int cpu_count, const int cpus[],
                const struct source *pages, struct rings *rings_p, bool *inherited_p);
/* As rings_explain, of what attach_list and attach_open return. */
void attach_explain(int status, size_t length, char *reason_p);

#endif
