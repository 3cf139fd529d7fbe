/* What this machine offers to this process: topology by hwloc, restricted to the CPUs that the process may use. */
#ifndef SPEEDUP_PLACE_MACHINE_H
#define SPEEDUP_PLACE_MACHINE_H

#include "../error.h"
#include "../plan/config.h"

struct cpu {
    int os_index;
    int core;    /* number of its core, counted over the machine's allowed cores */
    int smt;     /* 0 for the first allowed hardware thread of the core, 1 for the next, ... */
    int package; /* socket */
    int numa;
    int kind; /* 0: the fastest kind of core; higher numbers are slower kinds */
};

struct machine {
    char hostname[64];
    char cpu_model[128];
    int cpu_count;             /* that this process may use: affinity and cgroup cpuset */
    struct cpu cpus[CPUS_MAX]; /* ascending os_index */
    int allowed_cpu_count;     /* as cpu_count, but not cut off at CPUS_MAX */
    int core_count;            /* distinct cores among them */
    int package_count, numa_count, kind_count;
    int online_cpu_count;                         /* of the whole machine */
    int64_t cache_bytes[3];                       /* L1d, L2, L3 as one core sees them; 0 where unknown */
    int64_t memory_bytes, memory_available_bytes; /* available: MemAvailable, or less where a cgroup limits it */
    double quota_cpus;                            /* cgroup CPU quota in CPUs; NAN where there is none */
};

/* Reads the machine as the calling thread may use it: call it before binding and before starting threads.
 * STATUS_FAILED where hwloc fails. Takes 2 to 5 ms on small machines. */
int machine_read(struct machine *machine_p, struct error *);

/* The order in which workers get CPUs: one a core, fastest kind first, one package after the other; then (only when
 * smt) the further hardware threads, in the same order. Pure. */
void machine_cpu_order(const struct machine *, bool smt, struct cpu_list *list_p);

/* The CPU with that index, or NULL where this process may not use it. */
const struct cpu *machine_find_cpu(const struct machine *, int os_index);

/* Binds the calling thread to one CPU, or (with what it will start) to a list; reads the mask back. 0, or -errno
 * (-EINVAL: no such CPU, or the mask read back differs). Safe between fork and exec. */
int bind_thread(int os_index);
int bind_process(const struct cpu_list *);

/* The CPUs that the calling thread may run on, ascending, the first CPUS_MAX of them. Returns how many they really are,
 * or -errno. */
int bind_read(struct cpu_list *list_p);

#endif
