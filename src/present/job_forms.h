/* Inside job scripts alone: what differs between batch systems, as data.
 *
 * In these texts @key@ stands for what was asked for, and @[...@] is left out where a key in it has no value; @@ is an
 * @. A directive is left out where a key outside of such a piece has none. */
#ifndef SPEEDUP_PRESENT_JOB_FORMS_H
#define SPEEDUP_PRESENT_JOB_FORMS_H

#include "../place/allocation.h"

enum job_key {
    JOB_NAME,
    JOB_NODES,
    JOB_RANKS,   /* of a node */
    JOB_THREADS, /* of a rank */
    JOB_OMP,     /* the same, or 1 */
    JOB_CORES,   /* of a node */
    JOB_SLOTS,   /* ranks of all nodes */
    JOB_WALLTIME,
    JOB_WARNING, /* seconds before the end */
    JOB_ACCOUNT,
    JOB_PARTITION,
    JOB_QOS,
    JOB_CONSTRAINT,
    JOB_MEMORY,
    JOB_MAIL,
    JOB_KEY_COUNT
};

/* Names of keys, and of the option that asks for each; NULL: none does by itself. */
extern const struct job_key_name {
    const char *name, *option;
} job_key_names[JOB_KEY_COUNT];

enum job_clock { CLOCK_SECONDS, CLOCK_MINUTES, CLOCK_UNIT }; /* 04:00:00, 04:00, 240m */

enum { JOB_DIRECTIVES_MAX = 20 };

struct job_form {
    const char *prefix, *directives[JOB_DIRECTIVES_MAX]; /* NULL ends them */
    const char *about;                                   /* lines of comment on them */
    const char *submit;                                  /* what stands before the script's name */
    const char *submit_each;                             /* a line of a loop over $nodes; the script is $0 */
    const char *outside;                                 /* a test: this is no job */
    const char *nodes;                                   /* a word: how many this job has */
    const char *start;                                   /* where to be, what to set */
    const char *where;                                   /* words for echo: the job and its nodes */
    bool signals;           /* it sends USR1 before the end; else the script measures the time itself */
    const char *time_is_up; /* what is done then; indented by 4 */
    enum job_clock clock;
    const char *memory_units[3]; /* MiB, GiB, TiB */
    const char *all_memory;      /* NULL: nothing is to be said */
};

/* Of a scheduler, not of SCHEDULER_NONE. */
const struct job_form *job_form(enum scheduler);

#endif
