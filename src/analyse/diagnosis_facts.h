/* Inside the diagnosis alone: what the evidence comes to, as numbers that the verdict and the rules share. */
#ifndef SPEEDUP_ANALYSE_DIAGNOSIS_FACTS_H
#define SPEEDUP_ANALYSE_DIAGNOSIS_FACTS_H

#include "diagnosis.h"

/* One task of the timeline. */
struct fact_task {
    const struct timeline_task *task;
    const struct tree_task *tree;       /* NULL: it was not seen there */
    const struct tree_process *process; /* likewise */
    const struct cpu_mask *mask;        /* where it may run; of its process where it was not seen itself; never NULL */
    double life_s, running_s, ready_s;
    int rank; /* in MPI's world, by the launcher's variables; -1 */
};

/* A process with workers. */
struct fact_process {
    pid_t pid;
    const struct tree_process *tree;
    int workers, rank;
};

struct facts {
    const struct evidence *evidence;
    int worker_count;
    struct fact_task *workers; /* tasks that did the work, the busiest first */
    int process_count;
    struct fact_process *processes; /* that have workers */
    int short_lived;       /* further tasks that worked, each for a short time, but together a lot: a build's, say */
    int waiting_count;     /* tasks that were there, where none worked: then the sums are theirs */
    struct cpu_mask own;   /* what this process may use */
    struct cpu_mask masks; /* union of the workers' */
    int machine_cores, own_cores, mask_cores; /* cores in the machine, in `own`, in `masks` */
    double length_s;                          /* of the timeline: less than the time watched where that is incomplete */
    double life_s, running_s, ready_s;        /* sums over workers and the short-lived ones */
    double any_s, one_s, two_s;               /* time in which any was active; one alone; at least two */
    double any_running_s, two_running_s;
    double cpu_s[CPUS_MAX];    /* ran on each CPU, all tasks */
    double worked_s[CPUS_MAX]; /* those that worked */
    int ranks;                 /* processes of one MPI job among those that have workers */
};

/* 0 or -ENOMEM; facts_release frees. */
int facts_find(const struct evidence *, struct facts *facts_p);
void facts_release(struct facts *);

/* diagnosis_ask.c. The CPUs of one core count once. */
int facts_cores(const struct machine *, const struct cpu_mask *);
/* Cores on which tasks ran for 2 % of the time or more. */
int facts_cores_used(const struct facts *);
/* "threads", where all workers belong to one process; "processes", where each is one; else "tasks". One: without the s.
 */
const char *facts_noun(const struct facts *, int count);
/* Tasks that were active at once, on average while any was. */
double facts_active(const struct facts *);
/* Of the CPUs that this process may use none was used by other programs, for a tenth of the time: by the accounts. */
bool facts_rest_idle(const struct facts *);
/* A variable of the first process with workers that has it; NULL. */
const char *facts_variable(const struct facts *, const char *name);
bool facts_has_library(const struct facts *, enum library);
/* Of the workers' CPU time, the share in these libraries' code; NAN where unknown. */
double facts_spinning(const struct facts *, unsigned libraries);

/* diagnosis_rules*.c: the findings. */
void diagnosis_find(const struct facts *, struct diagnosis *);

#endif
