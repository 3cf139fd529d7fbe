/* From what was asked to a mode. Pure: no clock, no process, no file. */
#ifndef SPEEDUP_PLAN_PLAN_H
#define SPEEDUP_PLAN_PLAN_H

#include "../error.h"
#include "../place/machine.h"
#include "config.h"

/* What the user said; 0, -1 or "" where nothing was said. */
struct mode_request {
    int mode;        /* enum mode_name, or -1 */
    int workers;     /* 0: not given */
    int ranks;       /* 0: not given */
    int threads;     /* 0: not given */
    int nodes;       /* 0: not given, 1 */
    const char *map; /* NULL: not given, cores-first */
    bool placed;     /* somebody else's launcher has placed the ranks already, on whatever nodes */
    int wait_policy; /* enum wait_policy, or -1 */
    bool smt;
    struct cpu_list cpus; /* count 0: not given */
    int policy;           /* enum scheduling_policy; 0 is also the system's default */
    int nice;
    double slice_s; /* 0: not given */
};

/* CPUs of a node that workers get one each of: those that were named, else one a core, or all hardware threads. */
int plan_cores(const struct machine *, const struct mode_request *);

/* STATUS_USAGE with one line where the request contradicts itself or the machine.
 *
 * A real-time task keeps its CPU until it waits, and waits only by sleeping: one that spins or yields would for ever
 * keep from running what it waits for. So real-time policies are for blocking waits alone, and choose them. */
int plan_mode(const struct machine *, const struct mode_request *, struct mode *mode_p, struct error *);

/* STATUS_USAGE where the problem needs more memory than is available: says the need and what is free. */
int plan_check_memory(const struct machine *, const struct problem *, const struct mode *, struct error *);

#endif
