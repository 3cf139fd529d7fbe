/* A job script that runs a study on a cluster, for each batch system: its directives and the shell below them. Pure: it
 * writes text, and never measures or submits. */
#ifndef SPEEDUP_PRESENT_JOB_SCRIPT_H
#define SPEEDUP_PRESENT_JOB_SCRIPT_H

#include "../error.h"
#include "../place/allocation.h"

#include <stdio.h>

enum { JOB_ARRAY_MAX = 64 };

/* Borrowed, all of it. Texts are NULL and numbers 0 where they were not asked for. */
struct job_script {
    enum scheduler scheduler;
    const char *name; /* of the job */
    int nodes;
    int ranks_per_node, threads_per_rank, cores_per_node;
    double walltime_s;      /* is rounded up to whole minutes */
    double signal_before_s; /* so long before its end the study is asked to stop; below walltime_s */
    const char *account, *partition, *qos, *constraint, *mail;
    const char *memory; /* of a node: "64G"; NULL: all */
    int module_count;
    const char *const *modules;
    int array_count; /* > 0: a job each for these numbers of nodes, in files of their own, instead of `nodes` */
    int array[JOB_ARRAY_MAX];
    const char *program; /* how the script starts speedup */
    const char *file;    /* the study's records */
    int word_count;      /* of the study's command line, behind "study", without -o FILE and --resume */
    char *const *words;
    bool words_have_nodes; /* they name --nodes; else the script adds it, where there are more than one */
    bool all_at_once;      /* the study takes one number of nodes: all of the job */
    int made_by_count;     /* the command line that asks for this script */
    char *const *made_by;
};

/* STATUS_USAGE where this batch system has no counterpart of what is asked for, needs what is not there, or a text
 * cannot stand in a directive. */
int job_script_check(const struct job_script *, struct error *);

/* Writes the script; it has to have passed the check. */
void job_script_write(FILE *, const struct job_script *);

#endif
