/* The kernel's own context-switch records (perf_event_open(2), PERF_RECORD_SWITCH) of everything that this thread
 * starts, processes and threads alike, without their help; or of given threads of this process. Unprivileged where
 * kernel.perf_event_paranoid is 2 or less. Records name the task, the CPU and the instant, and tell whether a task that
 * lost its core could have gone on. */
#ifndef SPEEDUP_OBSERVE_SWITCHES_H
#define SPEEDUP_OBSERVE_SWITCHES_H

#include "timeline.h"

/* One record. */
enum switch_kind { SWITCH_START, SWITCH_IN, SWITCH_OUT_READY, SWITCH_OUT_BLOCKED, SWITCH_NAME, SWITCH_END };

struct switch_event {
    int64_t time_ns; /* CLOCK_MONOTONIC */
    pid_t pid, tid;
    int cpu;
    enum switch_kind kind;
    unsigned number; /* in the order of reading; of a name: its index */
};

struct switch_names {
    int count;
    char (*list)[16]; /* heap */
};

struct switches;

/* Whether records can be had here; else why not, in reason_p. */
bool switches_available(size_t length, char *reason_p);

/* Begins to record, on these CPUs. What the calling thread starts from now on is in the records, what this process does
 * itself is not. 0, -ENOMEM, or another negative errno value with its meaning in reason_p. */
int switches_open(int cpu_count, const int cpus[], struct switches **switches_p, size_t length, char *reason_p);
/* Begins to record these threads of this process alone, on whatever CPUs they are. The memory that a user may have for
 * it on a machine is shared by so many processes as do this, and goes to the first `busy` of the threads above all. As
 * switches_open; the timeline has no CPUs. A thread that neither gets nor loses a core meanwhile leaves no record:
 * switches_note_running, by whoever knows that it ran then.
 */
int switches_open_threads(int count, const pid_t tids[], int busy, int sharers, struct switches **switches_p,
                          size_t length, char *reason_p);
/* Begins to record what a running process and its descendants do, of ATTACH_MAX (attach.h) threads at most: those that
 * they have, and, where these times the CPUs are no more either, those that they start (else the timeline says that it
 * is incomplete). The CPUs are all on which they may run. Threads that do not switch at all are in the timeline too: as
 * running where their CPU time moved. There are no descriptors to wait for: drain some ten times a second. As
 * switches_open; -ESRCH: there is no such process; -E2BIG: there are more threads; -EACCES: another user's. */
int switches_open_process(pid_t root, int cpu_count, const int cpus[], struct switches **switches_p, size_t length,
                          char *reason_p);
/* Not beside switches_drain. time_s: CLOCK_MONOTONIC. */
void switches_note_running(struct switches *, pid_t tid, int cpu, double time_s);
void switches_close(struct switches *);
/* Descriptors that can be read from (POLLIN) when a quarter of a ring is full: then it is time to drain. Returns how
 * many; they stay the switches' own. */
int switches_descriptors(const struct switches *, const int **descriptors_p);
/* Takes what the rings hold. Losses are remembered. */
void switches_drain(struct switches *);
/* Stops recording, and makes a timeline of all that came: from switches_open until now. 0 or -ENOMEM. */
int switches_timeline(struct switches *, struct timeline *timeline_p);

/* switches_build.c. Pure: the tasks of a timeline from records, which it sorts. Time 0 is start_ns. Tasks are in the
 * state that their first record tells before it, from the start of the recording or of the task on. */
int switches_build(int event_count, struct switch_event events[], const struct switch_names *, int64_t start_ns,
                   int64_t end_ns, struct timeline *timeline_p);

#endif
