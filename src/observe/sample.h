/* What was observed of one timed execution. NAN (or -1 for counts) stands for "could not be observed"; the reason is in
 * `unobserved`. */
#ifndef SPEEDUP_OBSERVE_SAMPLE_H
#define SPEEDUP_OBSERVE_SAMPLE_H

#include "../plan/config.h"

#include <sys/types.h>

enum { CPUS_SEEN_MAX = 8 };

/* One worker: one OpenMP thread of one rank. Times are of this sample. Useful time is between team_work_begin and
 * team_work_done; communication inside team calls (master thread); idle is the rest until the sample's end. */
struct worker_times {
    char host[64];
    int rank, thread;
    pid_t tid;
    double start_s,
        end_s;         /* after the node's earliest start: when the sample began here, when the last work ended here */
    double response_s; /* after the node's earliest start: until its first piece of work began; NAN: nobody saw */
    double wall_s, cpu_s; /* useful */
    double serial_s;      /* of wall_s, while all other workers had to wait for it; NAN: not told */
    double wait_s;        /* runnable, but waiting for a core (run queue), over the whole sample */
    double comm_s, comm_cpu_s;
    double idle_s, idle_cpu_s;
    int64_t voluntary, involuntary; /* context switches */
    int cpu_asked;                  /* -1: not bound */
    bool mask_as_asked;             /* the affinity mask read back after the run is {cpu_asked} */
    int cpu_seen_count;
    int cpus_seen[CPUS_SEEN_MAX]; /* at the stamps */
    double cpu_total_busy_s,
        cpu_steal_s; /* of CPU cpu_asked during the sample, by all tasks (/proc/stat, 10 ms steps) */
    double
        sibling_busy_s; /* of the core's other hardware threads that are none of our CPUs; NAN where there are none */
};

enum validity { SAMPLE_INVALID, SAMPLE_VALID, SAMPLE_NOT_JUDGED };

struct sample {
    struct config config;
    char study[40];
    int launch, block, repeat;
    double start_s; /* CLOCK_REALTIME, seconds since 1970: when, for humans; never used for durations */
    double wall_s;  /* per node from the earliest start to the latest end on CLOCK_MONOTONIC; the maximum over nodes */
    int machines; /* that the workers' hosts are, as their kernels tell: containers and namespaces are hosts that share
                     one machine, and its CPUs; -1: unknown */
    double launch_s;     /* from the start of the launch to its workers' first word: mpirun, MPI, input data; NAN */
    double start_skew_s; /* latest minus earliest start, the maximum over nodes */
    double throttled_s;  /* cgroup quota throttling during the sample; NAN */
    double work;
    char work_unit[16];
    /* The most that these workers could do at these places, in work_unit a second, as the same launch measured it
     * beside this sample; NAN: no ceiling is known for this kind of work. */
    double ceiling_rate;
    char ceiling[64]; /* what it is: "fused multiply-adds in registers, avx512", "triad on arrays beyond the caches,
                         avx512"; or "" */
    bool correct;
    double result;
    uint64_t checksum;
    char check_detail[240];
    /* Of a command, which is seen from outside alone (outside.h): wall_s is what was to be timed, and all else is of
     * the whole time from its start to its end. Kernels: NAN, -1. */
    double process_s;
    double user_s, system_s;   /* CPU time of all its processes */
    int64_t peak_memory_bytes; /* of the process that had the most */
    int processes, tasks;      /* that were there in all; tasks: threads, each process being one at least */
    int exit_status;           /* 128 + N where signal N ended it */
    double held_s; /* at least so long another program held a CPU while a task of the command was ready there: of the
                      CPU where that was the longest */
    int worker_count;
    struct worker_times *workers; /* heap, owned by the sample; in order of rank, then thread. Of a command: the places
                                     that outside.h makes of its tasks */
    int point_count;              /* of a kernel that times messages: the sizes of messages; else 0 */
    struct kernel_point *points;  /* heap, owned by the sample */
    /* Derived by sample_derive from the above. */
    double cpu_s, wait_s, comm_s;  /* sums over the workers; cpu_s is all CPU time: useful + communication + idle */
    double rate;                   /* work / wall_s */
    double concurrency;            /* sum over workers of (end_s - start_s) / wall_s */
    double parallelism;            /* cpu_s / wall_s */
    double steal_s, foreign_cpu_s; /* over the CPUs used, each counted once */
    int64_t voluntary, involuntary;
    bool placed_as_asked;
    /* Judged by sample_judge. */
    enum validity validity;
    char invalid_reason[256]; /* also why it was not judged */
    char unobserved[256];     /* "wait_s: no /proc/thread-self/schedstat; ..." or "" */
};

void sample_init(struct sample *);
/* Makes it, initialised and with its config, the sample of a launch that failed: nothing was observed, and its reason
 * begins with "failed: ". */
void sample_fail(struct sample *, const char *cause);
/* Whether it is one of those. */
bool sample_failed(const struct sample *);
void sample_release(struct sample *);
/* 0 or -ENOMEM. */
int sample_copy(const struct sample *, struct sample *copy_p);
/* Fills what is derived; of a command the rate, the rest is outside_fill's. Pure. */
void sample_derive(struct sample *);
/* rate / ceiling_rate; NAN where either is unknown, or the rate is above what that ceiling bounds: it was evidently
 * disturbed, or bytes came from caches. */
double sample_ceiling_share(const struct sample *);
/* CPUs seen over all workers, ascending, each once. */
void sample_cpus_seen(const struct sample *, struct cpu_list *list_p);

/* All CPU time of a worker in the sample: useful, communication and idle (spinning waits). */
double worker_cpu_s(const struct worker_times *);
/* Seen nowhere but on the CPU asked for, and the mask read back says the same; true where none was asked for. */
bool worker_placed_as_asked(const struct worker_times *);

/* One CPU of one host during the sample. */
struct cpu_load {
    int workers;    /* of ours that were bound to it */
    double own_s;   /* their CPU time */
    double busy_s;  /* by all tasks; NAN */
    double steal_s; /* NAN */
    double held_s;  /* at least so long foreign tasks held it while one of ours was ready to run (judge.c); NAN */
};
/* Fills the load of the CPU that workers[index] was bound to. Returns false where that CPU belongs to an earlier worker
 * too, or none was asked for: each CPU counts once. Pure. */
bool sample_cpu_load(const struct sample *, int index, struct cpu_load *load_p);
/* The same of each worker, in about the time of sorting them, where each by itself takes the square of it: an entry
 * with no workers where sample_cpu_load returns false. Heap, the caller's; NULL: no memory. */
struct cpu_load *sample_cpu_loads(const struct sample *);
/* One of those; where loads is NULL, found anew. */
bool sample_cpu_load_of(const struct sample *, const struct cpu_load *loads, int index, struct cpu_load *load_p);

/* judge.c: decides valid, invalid (with the reason) or not judged (too short, with the reason). Pure.
 * Disturbance is judged from 200 ms of wall time on, foreign CPU from 1 s on: below, the kernel's counters are too
 * coarse. Of commands (judge_command.c) from 20 ms of process_s on where context switches were recorded, else from 1 s.
 */
void sample_judge(struct sample *);

#endif
