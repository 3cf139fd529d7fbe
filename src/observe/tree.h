/* What the processes and threads of a run are, as /proc tells of them while they live: names, CPU masks, the variables
 * that steer them, the libraries they have. Beside a timeline, which tells when they ran; tasks are matched by pid and
 * tid. What lives for less than a look may escape. */
#ifndef SPEEDUP_OBSERVE_TREE_H
#define SPEEDUP_OBSERVE_TREE_H

#include "../plan/config.h"

#include <sys/types.h>

enum library {
    LIBRARY_GOMP,
    LIBRARY_LLVM_OPENMP, /* libomp, libiomp5 */
    LIBRARY_OPENMPI, /* libmpi, libopen-pal, libopen-rte, libpmix, their components, UCX (which MPICH may use too) */
    LIBRARY_MPICH,
    LIBRARY_OPENBLAS,
    LIBRARY_BLIS,
    LIBRARY_MKL,
    LIBRARY_PYTHON,
    LIBRARY_COUNT
};
const char *library_name(enum library); /* "OpenMP (libgomp)", "Open MPI", ... */
/* By the file's name, in whatever folder (but libblas and liblapack: by the folder); -1: another one. */
int library_of_path(const char *path);

struct cpu_mask {
    uint64_t bits[CPUS_MAX / 64]; /* CPU c: bits[c / 64] >> c % 64 & 1 */
};
int cpu_mask_count(const struct cpu_mask *);
bool cpu_mask_has(const struct cpu_mask *, int cpu);
bool cpu_mask_same(const struct cpu_mask *, const struct cpu_mask *);
/* "0-3,8". -EINVAL where it is no such list. CPUs over CPUS_MAX are left out. */
int cpu_mask_parse(const char *text, struct cpu_mask *mask_p);
const char *cpu_mask_format(const struct cpu_mask *, size_t length, char *text);

struct tree_task {
    pid_t pid, tid;
    char name[32];
    struct cpu_mask mask; /* the last that was seen */
    int policy, nice;     /* SCHED_OTHER, ... as the system numbers them */
    bool pinned_later;    /* its mask changed while it was watched, since its program began */
};

struct tree_process {
    pid_t pid, parent; /* parent: when it was first seen */
    char name[32];
    char command[256]; /* its command line, blanks between the words; cut; "" where it cannot be read */
    char program[256]; /* the file; "" where it cannot be read */
    bool readable; /* environment and libraries could be read (processes of the same user, and not of higher rank) */
    char *environment; /* heap; the variables that steer OpenMP, BLAS, MPI and batch systems, "NAME=value" each with its
                          NUL, an empty one at the end; NULL: none. As they were when the program began: what it sets
                          for itself later is not seen */
    unsigned libraries; /* bit l: it has library l */
    bool kept_apart;    /* of a CPU quota: its control group is another than ours */
};

struct tree {
    int process_count;
    struct tree_process *processes; /* heap; by their start */
    int task_count;
    struct tree_task *tasks; /* heap; by process, the main thread first */
    char incomplete[160];    /* "" */
};
void tree_init(struct tree *);
void tree_release(struct tree *);
/* The value of a variable in a process's environment; NULL. */
const char *tree_variable(const struct tree_process *, const char *name);
const struct tree_process *tree_find_process(const struct tree *, pid_t); /* likewise */
const struct tree_task *tree_find_task(const struct tree *, pid_t tid);   /* of several with that number, the last */

struct tree_watch;
/* Looks from a thread of its own: soon after the start, then ever less often, at most 0.2 % of a core (and 5 ms). root
 * 0: at what descends from this process, but for children that are there already and theirs; else at that process and
 * its descendants. 0, or a negative errno value: -ESRCH where there is no such process, -EPERM where it is hidden. */
int tree_watch_new(pid_t root, struct tree_watch **watch_p);
/* Ends the looking, with one look more; fills an initialised tree. Once. 0 or -ENOMEM. */
int tree_watch_stop(struct tree_watch *, struct tree *tree_p);
void tree_watch_free(struct tree_watch *); /* may be NULL */

#endif
