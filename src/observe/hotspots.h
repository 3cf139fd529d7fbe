/* In which libraries a run's CPU time went: what the instruction pointers of its tasks pointed to, at intervals of CPU
 * time (perf_event_open(2), the CPU clock, user code alone). Unprivileged where kernel.perf_event_paranoid is 2 or
 * less. It tells a task that computes from one that spins in a library of OpenMP or MPI while it waits. */
#ifndef SPEEDUP_OBSERVE_HOTSPOTS_H
#define SPEEDUP_OBSERVE_HOTSPOTS_H

#include "tree.h"

struct hotspot {
    pid_t pid, tid;
    double samples[LIBRARY_COUNT]; /* in each library */
    double all;                    /* wherever */
};

struct hotspots {
    bool known;
    char reason[128]; /* why not */
    int count;
    struct hotspot *list; /* heap; by pid and tid */
};
void hotspots_init(struct hotspots *);
void hotspots_release(struct hotspots *);

struct hotspot_watch;
/* root 0: of what the calling thread starts from now on; else of the threads that this process and its descendants have
 * now, and of those that they start. 0, -ENOMEM, or another negative errno value with its meaning in reason_p. */
int hotspot_watch_new(pid_t root, int cpu_count, const int cpus[], struct hotspot_watch **watch_p, size_t length,
                      char *reason_p);
int hotspot_watch_descriptors(const struct hotspot_watch *, const int **descriptors_p);
void hotspot_watch_drain(struct hotspot_watch *);
/* Fills initialised hotspots. 0 or -ENOMEM. */
int hotspot_watch_stop(struct hotspot_watch *, struct hotspots *hotspots_p);
void hotspot_watch_free(struct hotspot_watch *); /* may be NULL */

#endif
