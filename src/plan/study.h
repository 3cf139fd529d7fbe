/* A scaling study as data: which configurations, and which of them is launched next. Pure: what comes next follows from
 * the plan and from what was launched so far, so that a study that was cut short goes on exactly where it was. */
#ifndef SPEEDUP_PLAN_STUDY_H
#define SPEEDUP_PLAN_STUDY_H

#include "plan.h"

enum { STUDY_CONFIGS_MAX = 1024, STUDY_NODES_MAX = 64 };

enum study_scaling {
    SCALING_STRONG, /* one problem for all */
    SCALING_WEAK    /* the work per worker is the same for all */
};

/* A list of values for a placeholder of a command. */
struct study_parameter {
    char name[32];
    int count;
    char **values; /* heap, the owner's of the request */
};

/* A command of the user's own as what is studied: each combination of its parameters is a problem. */
struct study_command {
    struct command_target target; /* launcher "": mpirun where one of the modes has ranks, unless the command itself
                                     has {ranks}; else none. It is the same in all modes */
    int parameter_count;
    struct study_parameter parameters[KERNEL_OPTIONS_MAX];
    const char *size; /* of the base, as it was given; NULL: not given */
    const char *weak; /* the law of the size in weak scaling (command.h); NULL */
};

/* What the user asked for. */
struct study_request {
    const struct study_command *command; /* NULL: the problem's kernel */
    struct problem problem;              /* of one worker (of `base` workers, where that is more) */
    bool all_variants;                   /* those that can run here, instead of problem.variant */
    int mode_count;
    enum mode_name modes[MODE_COUNT]; /* each once; serial comes of itself */
    int worker_count;
    int workers[STUDY_CONFIGS_MAX]; /* ascending, each once */
    /* Shapes over nodes; node_count 0: none was asked for, all is on one node. With nodes and no workers, the workers
     * are nodes x ranks_per_node x threads. */
    int node_count;
    int nodes[STUDY_NODES_MAX]; /* ascending, each once */
    int ranks_per_node;         /* 0: what the threads leave of the cores: as many as fill them */
    int thread_count;
    int threads[STUDY_NODES_MAX]; /* per rank, of mode hybrid; count 0: what the ranks leave of the cores */
    int base;                     /* workers of the base; 1, or more where one worker's problem does not fit */
    enum study_scaling scaling;
    struct mode_request placement; /* cpus, smt, wait policy, map; the rest is not read */
    bool mpi;                      /* the modes with ranks can be had */
    bool per_node;                 /* cores are compared: one configuration alone, of modes[0] and workers[0] */
};

/* One configuration. */
struct study_config {
    struct problem problem; /* of a kernel */
    struct mode mode;
    bool base;             /* it never leaves the blocks: serial, or the fewest workers of its mode */
    struct config command; /* of a command: all of it; else word_count is 0 */
    double work;           /* of a command: 1, or in weak scaling its workers */
    int set;               /* which combination of parameters; 0 for kernels */
};

struct study_plan {
    uint64_t seed;          /* of the order of launches */
    int runs_min, runs_max; /* valid launches of a configuration */
    int tries_max; /* launches of a configuration in one block: the further ones where all before were invalid */
    int count;
    struct study_config *configs; /* heap; in the order of tables: by variant, mode, workers */
};

/* STATUS_USAGE with one line where the request cannot be had. study_plan_release frees what it made. */
int study_plan_new(const struct machine *, const struct study_request *, struct study_plan *plan_p, struct error *);
void study_plan_release(struct study_plan *);

/* "1,2,4", "1-8", "1..64*2" (powers: each times 2), and lists of those: ascending, each once. 0, -EINVAL, -ERANGE (more
 * than `max` numbers, or one outside 1 ... MODE_WORKERS_MAX). */
int study_parse_workers(const char *text, int max, int workers_p[], int *count_p);

/* Whether it is the one of its variant and mode that is worth watching (a timeline): the most workers that have cores
 * of their own; in the modes of one core the most workers. Never one task alone. */
bool study_is_watched(const struct study_plan *, int config);

/* For study.c and study_command.c. */
int study_plan_add(struct study_plan *, const struct study_config *, struct error *);
int study_plan_command(const struct machine *, const struct study_request *, struct study_plan *plan_p, struct error *);
/* A number of workers and how they are split; ranks 0: as the mode has it. */
struct study_shape {
    int workers, nodes, ranks, threads;
    bool base; /* the fewest workers of the mode */
};
/* Those of a mode in their order; *shapes_p: heap, the caller's. Returns how many, or -ENOMEM. */
int study_shapes(const struct machine *, const struct study_request *, enum mode_name, struct study_shape **shapes_p);
struct mode_request study_mode_request(const struct study_request *, enum mode_name, const struct study_shape *);

/* A launch that was made. */
struct study_launch {
    int config, block;
    bool usable; /* it gave a valid sample, or one that is too short to be judged */
};

/* The configuration to launch next in a block; -1: the block is complete. `launches`: all so far, in their order;
 * converged[i]: whether configuration i had converged when the block began.
 *
 * A block launches each of its configurations once, in an order that follows from the seed; then again those without a
 * usable launch in it, in the same order, up to tries_max launches. What has converged leaves the blocks, but for the
 * bases, which all ratios need. */
int study_next(const struct study_plan *, int block, const bool converged[], int launch_count,
               const struct study_launch launches[]);

#endif
