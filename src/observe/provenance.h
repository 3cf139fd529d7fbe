/* Where a measurement was made, and what would spoil it. */
#ifndef SPEEDUP_OBSERVE_PROVENANCE_H
#define SPEEDUP_OBSERVE_PROVENANCE_H

#include "../place/allocation.h"
#include "../place/machine.h"

/* "" or NAN or -1 where not readable. Cheap to read: files and some system calls, about a millisecond. */
struct provenance {
    char kernel_release[96], os_name[96];
    char governor[32], driver[32]; /* frequency scaling of the first allowed CPU */
    int turbo;                     /* 1, 0 */
    int virtualised;               /* 1, 0 */
    char hypervisor[32];
    char container[32]; /* "docker", "lxc", "wsl", ... or "" */
    double steal_share; /* of all CPU time since boot */
    double load_1min;
    int perf_event_paranoid;    /* -1 is a setting: INT_MIN where not readable */
    bool schedstat;             /* /proc/thread-self/schedstat gives run-queue waits */
    bool timelines_exact;       /* context-switch records can be had: perf_event_open was tried */
    char timelines_reason[128]; /* why not */
    /* Tried by a child, which ends at once. */
    bool slices_settable;      /* a task may choose its time slice: --slice */
    char slices_reason[400];   /* why not */
    bool realtime_allowed;     /* --policy fifo, rr */
    char realtime_reason[400]; /* why not */
    double tick_s;             /* of the timer at which turns of tasks that compute end */
    char transparent_huge_pages[16];
    int smt_active; /* of the machine: 1, 0 */
};
void provenance_read(struct provenance *provenance_p);

/* hypervisor.c: fills virtualised, hypervisor and container. */
void provenance_read_hypervisor(struct provenance *provenance_p);

/* One warning: what would spoil a measurement here, and the fix. */
struct warning {
    char name[32]; /* for machines: "smt-shared", "quota", "governor", "busy", ... */
    char text[256], fix[256];
};
enum { WARNINGS_MAX = 24 };
/* Pure. Returns how many, the worst first. */
int provenance_warnings(const struct machine *, const struct provenance *, struct warning warnings_p[WARNINGS_MAX]);
/* Pure. Appends to `count` warnings what of a batch job would spoil a measurement; returns how many there are then. */
int provenance_job_warnings(const struct allocation *, const struct machine *, const struct provenance *,
                            char *const environment[], int count, struct warning warnings[WARNINGS_MAX]);

#endif
