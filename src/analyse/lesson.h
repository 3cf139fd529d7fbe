/* The lesson's numbers and sentences, made from the records alone. Pure. */
#ifndef SPEEDUP_ANALYSE_LESSON_H
#define SPEEDUP_ANALYSE_LESSON_H

#include "results.h"

enum { LESSON_ROWS_MAX = 32, LESSON_SENTENCES = 3 };

/* One scene of one kernel: what it took and what came of it, against the same kernel's base of the same block. */
struct lesson_row {
    const struct group *group;
    const struct group *base; /* group itself for the base; NULL where the same problem was not run by one task */
    char kernel[32], variant[32], size[64];
    enum mode_name mode;
    int workers, cpus; /* over all nodes */
    bool waits;        /* the problem waits between its computing: the waiting scene */
    int valid_count, invalid_count, not_judged_count;
    double wall_s;  /* median over the valid samples; NAN where none is valid */
    double speedup; /* median over blocks of base wall / this wall (both valid); 1 for a valid base; NAN */
    /* With 6 pairs or more the 95 % interval of that median, by order statistics; below, the lowest and the highest. */
    double speedup_low, speedup_high;
    bool speedup_interval;
    double concurrency, parallelism; /* medians */
    double rate;
    double switches_per_s; /* involuntary + voluntary */
    double wait_share;     /* run-queue wait / (workers * wall) */
    uint64_t checksum;
    bool checksums_agree; /* all correct samples of this problem, in all modes, have this checksum */
    char reason[256];     /* why there is no speedup: the commonest reason why samples are not valid; "" */
};

struct lesson {
    int row_count;
    struct lesson_row rows[LESSON_ROWS_MAX];
    /* The verdict: three plain sentences with the measured numbers in them. On a machine with one CPU, or too busy a
     * machine, they say that. In order: taking turns, running at once, waiting; "" where there is nothing to say. */
    char sentences[LESSON_SENTENCES][512];
    /* Waiting scene: bound min(k, (C + Z) / C) by computing time C and waiting time Z of an item; NAN without that
     * scene. */
    double waiting_bound;
    double waiting_share; /* Z / (C + Z) */
    int cores;            /* that the process could use, from the context; 0 unknown */
    bool mpi_missing;     /* the context says that MPI was not available */
};

/* Rows are grouped by problem (kernel, variant, size, options, seed, instruction set) in the order of the file; within
 * it the base comes first, then the modes in the order of enum mode_name, then by number of workers. The results must
 * outlive the lesson. */
void lesson_build(const struct results *, struct lesson *lesson_p);
/* verdict.c: writes the sentences from all the rest of the lesson; lesson_build calls it. */
void lesson_conclude(struct lesson *);

#endif
