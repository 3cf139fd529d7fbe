/* What the batch system gave us: the allocation that this process runs inside, as the scheduler's variables tell it.
 * Slurm: sbatch(1), OUTPUT ENVIRONMENT VARIABLES. PBS: OpenPBS's and Torque's qsub(1). LSF: its reference of
 * environment variables, "set for job execution". Flux: flux-environment(7). */
#ifndef SPEEDUP_PLACE_ALLOCATION_H
#define SPEEDUP_PLACE_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>

enum scheduler { SCHEDULER_NONE, SCHEDULER_SLURM, SCHEDULER_PBS, SCHEDULER_LSF, SCHEDULER_FLUX };

/* Names of people: "Slurm", "PBS", "LSF", "Flux"; "none". */
const char *scheduler_name(enum scheduler);

/* Numbers are 0 where the scheduler does not say, or says what cannot be; texts are "". All texts come from the
 * environment and may be anything. */
struct allocation {
    enum scheduler scheduler;
    char job_id[64];
    char array_index[32]; /* of a job array; "" where it is none */
    char partition[128];  /* partition, or queue */
    int nodes;
    int cpus_per_node; /* that the job may use, the least where nodes differ */
    bool cpus_differ;  /* nodes have different numbers of them */
    int cpus_total;    /* over all nodes */
    int tasks_per_node;
    int cpus_per_task; /* of OpenPBS: threads of a rank */
    double memory_per_node_bytes;
    double end_s;           /* date at which the job ends, seconds since 1970 */
    int restarts;           /* how many times it was started before; LSF says only whether: 1 */
    bool step;              /* inside srun, or flux run: this process is a task, not the batch script */
    bool elsewhere;         /* the job's nodes are others than this machine: the shell of salloc on a login node */
    const char *hosts;      /* as the scheduler lists them ("node[1-4]", "n1 4 n2 4"); points into the environment;
                               NULL where it does not */
    const char *hosts_file; /* a file with a host a line, likewise: allocation_read_hosts reads it */
};

/* Pure: environ in, struct out. Flux tells a batch script nothing but that it runs in it; there SPEEDUP_JOB_ID,
 * SPEEDUP_JOB_NODES, SPEEDUP_JOB_CORES and SPEEDUP_JOB_HOSTS tell the rest, which the scripts of `speedup job flux`
 * set.
 */
void allocation_find(char *const environment[], struct allocation *);

/* Not pure: reads hosts_file, where there is one, and fills in what the environment did not say: nodes, and from
 * how often each host is listed cpus_per_node (Torque lists a host once a CPU; OpenPBS once a rank that was asked for,
 * which says nothing of CPUs: there nodes alone). 0, or -errno; the allocation is then as it was. */
int allocation_read_hosts(struct allocation *);

/* Pure. The names of hosts in any of the forms in which batch systems list them: words or lines, a host once or once a
 * rank ("n1 n1 n2"), with slots ("n1 4 n2 4"), or in brackets ("node[01-16,20],login"). *hosts_p becomes "n1,n2", heap:
 * each once, in the order of the list, but the one that is called `own` first where it is among them. Returns how many;
 * -EINVAL where the list is of no such form or empty, -ERANGE where it has over a million, -ENOMEM. */
int allocation_list_hosts(const char *listed, const char *own, char **hosts_p);

/* Not pure: of this allocation, from the environment or from its file. -ENOENT where it has neither; -errno. */
int allocation_find_hosts(const struct allocation *, const char *own, char **hosts_p);

/* What a person reads, on one line: "Slurm job 123: 4 nodes, 32 CPUs each, until 2026-01-31 12:00". Without a
 * scheduler "". Non-printable characters become '?'. Returns text_p. Uses the local time zone. */
const char *allocation_format(const struct allocation *, size_t length, char *text_p);

#endif
