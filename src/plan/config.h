/* What is measured, as data: the target, its problem, and the mode. A mode is {ranks, threads, CPUs}, a wait policy and
 * a scheduling; nothing in the code depends on its name. All storage is inside the structs: copy them freely. */
#ifndef SPEEDUP_PLAN_CONFIG_H
#define SPEEDUP_PLAN_CONFIG_H

#include "../../kernels/kernel.h"

#include <stdbool.h>
#include <stdint.h>

enum { CPUS_MAX = 1024 };

/* Of one configuration: over all nodes (a sample keeps some 300 bytes of each), and of one node. */
enum { MODE_WORKERS_MAX = 1000000, NODE_WORKERS_MAX = 10000 };

struct cpu_list {
    int count;
    int cpus[CPUS_MAX]; /* operating-system indices, in the order in which workers get them */
};

enum mode_name { MODE_SERIAL, MODE_MULTITASK, MODE_MULTITASK_MPI, MODE_THREADS, MODE_MPI, MODE_HYBRID, MODE_COUNT };

enum wait_policy {
    WAIT_SPIN,  /* waiting workers stay on their core */
    WAIT_YIELD, /* waiting ranks yield the core between polls; waiting OpenMP threads block (libgomp has no yielding
                   wait) */
    WAIT_BLOCK, /* waiting ranks sleep between polls; waiting OpenMP threads block */
    WAIT_COUNT
};

enum scheduling_policy {
    POLICY_OTHER, /* what ordinary tasks have: fair shares, in turns of a time slice */
    POLICY_BATCH, /* the same, but a task that wakes does not interrupt the one that runs */
    POLICY_FIFO,  /* real-time: a task runs until it waits */
    POLICY_RR,    /* real-time: tasks take turns of a fixed length (100 ms, unless the system was told otherwise) */
    POLICY_COUNT
};

enum { NICE_LOWEST = -20, NICE_HIGHEST = 19, SLICE_MIN_NS = 100000, SLICE_MAX_NS = 100000000 };

/* How the system is to share a CPU among the tasks on it; of the workers alone. All zero: nothing is set, the workers
 * have what the program was started with. Else all three are set. Real-time policies have neither nice nor slice; their
 * priority is 1, the lowest, which is above all ordinary tasks. */
struct scheduling {
    enum scheduling_policy policy;
    int nice;     /* -20 (the largest share) ... 19 (the smallest) */
    int slice_ns; /* how long a task may run while others wait: SLICE_MIN_NS ... SLICE_MAX_NS; 0: the system's own.
                     In whole nanoseconds, as the kernel has it, so that equal slices are equal everywhere */
};

struct mode {
    enum mode_name name;
    enum wait_policy wait_policy;
    int nodes;    /* at least 1, and each has a rank; 0, of a mode made by hand, is taken as 1 */
    char map[16]; /* how ranks go to nodes: "cores-first" fills a node before the next, "nodes-first" deals them out in
                     turn; "": cores-first */
    int ranks;    /* over all nodes */
    int threads;  /* per rank */
    /* Of one node; all nodes alike. Worker w of a node (= local rank * threads + thread) is bound to cpus[w % count].
     */
    struct cpu_list cpus;
    struct scheduling scheduling;
};

struct config_option {
    char name[32], value[128]; /* the canonical text */
};

enum { COMMAND_WORDS_LENGTH = 4096, COMMAND_SETTINGS_LENGTH = 1024 };

/* A command of the user's, as a template: in its words, and in the values of its settings, {workers}, {ranks},
 * {threads}, {nodes}, {size} and {NAME} of a parameter (config.options) stand for what the configuration has; {{ and }}
 * for braces. (plan/command.h) */
struct command_target {
    int word_count;                   /* 0: none; a kernel is measured */
    char words[COMMAND_WORDS_LENGTH]; /* one behind the other, each with its NUL; any bytes */
    int setting_count;
    char settings[COMMAND_SETTINGS_LENGTH]; /* "NAME=VALUE" of the environment, likewise */
    char launcher[256]; /* what starts the ranks: "none", "mpirun", "mpiexec", "srun", or words of the user's own: a
                           template too, cut at blanks */
    bool shell;         /* the one word is for sh -c */
    bool bind;          /* its tasks are kept on the CPUs of the mode */
    char time[256]; /* what is timed: "process", from its start to its end; "regex UNIT PATTERN" or "json UNIT PATH":
                       what its output says, in s, ms or us */
};

struct config {
    char kernel[32], variant[32]; /* of a command: the name of its program, and "" */
    struct command_target command;
    char size[64]; /* the canonical text */
    int option_count;
    struct config_option options[KERNEL_OPTIONS_MAX]; /* all of the kernel's, also those left at their default */
    uint64_t seed;
    char isa[16];
    struct mode mode;
};

const char *mode_name_text(enum mode_name);
const char *mode_summary(enum mode_name); /* what it shows, in one sentence */
const char *wait_policy_text(enum wait_policy);
/* 0, or -1 where there is no such name. */
int mode_name_parse(const char *text, enum mode_name *name_p);
int wait_policy_parse(const char *text, enum wait_policy *policy_p);

/* scheduling.c */
const char *scheduling_policy_text(enum scheduling_policy);
const char *scheduling_policy_summary(enum scheduling_policy); /* what it shows, in one sentence */
int scheduling_policy_parse(const char *text, enum scheduling_policy *policy_p);
bool scheduling_is_default(const struct scheduling *);
bool scheduling_is_realtime(const struct scheduling *);
bool scheduling_same(const struct scheduling *, const struct scheduling *);
/* 0, or -EINVAL where it cannot be had by its own definition: out of range, or a real-time policy with nice or slice.
 */
int scheduling_check(const struct scheduling *);
/* "policy batch, nice 5, slice 20 ms": what is not as usual; "" where all is. Returns text. */
const char *scheduling_format(const struct scheduling *, size_t length, char *text);

int mode_workers(const struct mode *);
int mode_nodes(const struct mode *);
/* Of the node that has the most. */
int mode_workers_per_node(const struct mode *);
bool mode_map_exists(const char *map);
/* More workers on a node than CPUs. */
bool mode_oversubscribed(const struct mode *);
/* Every worker is meant to have a CPU to itself. */
bool mode_dedicated(const struct mode *);
bool mode_needs_mpi(enum mode_name);
int mode_cpu_of_worker(const struct mode *, int local_rank, int thread);

/* "0,1,4-7": both ways. parse: 0, -EINVAL (no list), -ERANGE (over CPUS_MAX entries, or an index over 1048575). A CPU
 * may be named once only. */
int cpu_list_parse(const char *text, struct cpu_list *list_p);
const char *cpu_list_format(const struct cpu_list *, size_t length, char *text);

/* Between the two forms of a problem. to_problem: STATUS_USAGE-like checks were made when the config was built; returns
 * 0 or -EINVAL where the config names what this program does not know. */
void config_from_problem(const struct problem *, struct config *config_p); /* leaves the mode alone */
int config_to_problem(const struct config *, struct problem *problem_p);

#endif
