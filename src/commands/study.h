/* Inside `speedup study` alone: what it was asked for, and its line in the record. */
#ifndef SPEEDUP_COMMANDS_STUDY_H
#define SPEEDUP_COMMANDS_STUDY_H

#include "../observe/neighbours.h"
#include "../plan/study.h"
#include "../present/present.h"
#include "command_hooks.h"
#include "command_run.h"

struct study_options {
    struct study_request request;
    bool has_command; /* what is measured is `command`; else the request's kernel */
    struct study_command command;
    struct command_checks checks;
    const char *setup, *cleanup; /* hooks of the command; NULL */
    const char *modes, *workers; /* as they were given; NULL */
    const char *launcher;        /* of a kernel: "mpirun", "srun"; NULL: not given */
    bool hybrid_all;
    bool nodes_given;
    bool elsewhere;    /* it is to run on other machines than this: what it asks for is not held against this one */
    const char *hosts; /* as given; NULL: not given */
    char *job_hosts;   /* those of the batch system's job, where they are to be named to mpirun; heap; NULL */
    uint64_t seed;
    int runs_min, runs_max, warmups;
    double precision; /* while options are parsed 0: not given */
    double budget_s, time_limit_s;
    const char *output;
    bool resume, dry_run, json, timeline;
    bool size_given, seed_given;
    bool fail_if_slow; /* of request.per_node */
};

struct study {
    struct session session;
    const struct study_options *options;
    struct study_plan plan;
    struct command_hooks hooks;
    struct config *configs; /* of the plan's, as samples will have them */
    char (*keys)[17];       /* theirs */
};

/* study_plan.c */
/* Chooses the size of a kernel where none was given, by measuring; not of one whose size is what is measured. */
int study_choose_size(struct study *, struct study_options *, struct error *);
/* Plan, configurations and keys; of a command STATUS_USAGE also where a launch line or a hook cannot be had. */
int study_make_plan(struct study *, struct study_options *, struct error *);
/* One launch of a configuration, for one sample. Of a command, study_measurement is good for its launch line alone. */
struct measurement study_measurement(const struct study *, int config);
struct command_measurement study_command_measurement(const struct study *, int config);
/* "tiled, threads, 2 workers"; "threads, 2 workers, level 6". Returns text. */
const char *study_name_config(const struct study *, int config, size_t length, char *text);
int study_print_plan(struct study *, struct error *);

/* study_loop.c */
/* Why no further block was begun. */
enum study_end { STUDY_GOES_ON, STUDY_COMPLETE, STUDY_OUT_OF_TIME, STUDY_TOO_BUSY, STUDY_TOO_MANY };

struct study_progress {
    struct study *study;
    struct style err; /* standard error */
    double start_s;
    int block;
    char doing[128];
    double block_s; /* of the last whole block */
    double begun_s; /* when this block began */
    struct neighbours before;
    char busiest[256];   /* foreign programs during the block with the most invalid samples */
    int busiest_invalid; /* so many */
    enum study_end end;
    int converged; /* configurations that need no further launch */
};

/* For session's on_tick, with the progress as context. */
void study_show_progress(void *progress, double elapsed_s);
/* Launches block by block, until all has converged, or the blocks or the time are used up. From where the records end.
 */
int study_run_blocks(struct study *, struct study_progress *, struct error *);

/* study_nodes.c: of request.per_node, where the cores of all nodes are compared (analyse/nodes.h). */
/* STATUS_USAGE where the kernel is not of equal and independent work, or another option contradicts it. */
int study_nodes_check(const struct study_options *, struct error *);
/* The one configuration: one rank on every core of every node. */
int study_nodes_request(const struct session *, struct study_options *, struct error *);
/* Of the launches of blocks before `before`: how many are used, and whether every core is known to be slow or not. */
int study_nodes_progress(const struct study *, int before, int *used_p, bool *decided_p, struct error *);
/* Standard output's last line with --json; STATUS_SLOWER where something is slow and that was to fail,
 * STATUS_UNMEASURED where no launch is used. */
int study_nodes_conclude(const struct study *, struct error *);

/* study.c: on standard error, how large the problem would have to be, where samples are too short to be judged. */
void study_hint_at_size(const struct study *);

/* study_record.c. The line of type "study" (SCHEMA.md): a new reference; NULL: no memory. */
json_t *study_encode(const struct study *);
/* Whether the record that is gone on with is of this plan, this machine and this program: else STATUS_USAGE, and the
 * difference is named. */
int study_check_resumed(const struct study *, struct error *);
/* What of the options the record decides where they were not given: size and seed. STATUS_USAGE where it holds no
 * study. */
int study_adopt(const struct results *, struct study_options *, struct error *);

#endif
