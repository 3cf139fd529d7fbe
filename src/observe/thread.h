/* Stamps of the calling thread, for the worker: clocks, run-queue wait, switches, CPU. Costs: clocks 20 and 200 ns, the
 * rest some us. */
#ifndef SPEEDUP_OBSERVE_THREAD_H
#define SPEEDUP_OBSERVE_THREAD_H

#include <stdint.h>
#include <sys/types.h>

double clock_wall_s(void);       /* CLOCK_MONOTONIC: comparable between processes of one node, never between nodes */
double clock_thread_cpu_s(void); /* CLOCK_THREAD_CPUTIME_ID of the calling thread */
double clock_date_s(void);       /* CLOCK_REALTIME */

/* Counters of the calling thread, to be subtracted. NAN or -1 where not available. */
struct thread_counters {
    double cpu_s;
    double runqueue_wait_s; /* /proc/thread-self/schedstat, second field */
    int64_t voluntary, involuntary;
    int cpu; /* now running on */
};
void thread_counters_read(struct thread_counters *counters_p);
/* Second field of a schedstat text ("ns-on-cpu ns-waiting slices") in seconds; NAN where it is no such text. Pure. */
double schedstat_parse_wait(const char *text);
pid_t thread_id(void);

/* Time counters of one CPU, by all tasks, from /proc/stat in steps of 10 ms, to be subtracted; NAN where not available.
 * Busy is the time that passed less idle and stolen time: where the kernel stops its tick in idle, that counts short
 * bursts of work right, which user + system time (sampled at ticks) does not. */
struct cpu_counters {
    double busy_s, steal_s;
};
/* For `count` CPUs at once, one read of the file. */
void cpu_counters_read(int count, const int cpus[], struct cpu_counters counters_p[]);

/* The other hardware threads of the CPU's core: at most `max`. Returns how many; 0 also where unknown. */
int cpu_siblings_read(int cpu, int max, int siblings_p[]);

/* Seconds for which this process's cgroup, or one that it lies in, was throttled by its CPU quota so far (version 2 or
 * 1; where a group has several CPUs the kernel adds up theirs); NAN where no file says it. */
double cgroup_throttled_s(void);
/* The throttled time that a cpu.stat text tells, in seconds; NAN where it tells none. Pure. */
double cgroup_parse_throttled(const char *text);

#endif
