/* Scaling curves, made from the records alone: for each problem, variant and mode the points over numbers of workers,
 * each against two bases, with what was lost and why. Pure. */
#ifndef SPEEDUP_ANALYSE_CURVE_H
#define SPEEDUP_ANALYSE_CURVE_H

#include "factors.h"
#include "models.h"

/* One configuration: one number of workers in one mode. */
struct curve_point {
    const struct group *group;
    int workers, cpus;              /* over all nodes */
    bool dedicated;                 /* every worker had a core of its own */
    int valid, invalid, not_judged; /* launches */
    char reason[256];               /* where none is valid: the commonest reason; "" */
    struct spread wall_s, rate;
    double work;                     /* in the samples' unit; NAN where unknown */
    double concurrency, parallelism; /* medians */
    double launch_s;                 /* median time that a start took; NAN */
    /* Ratios of rates within a block. speedup: against the best serial program. own: against the fewest workers of the
     * same mode, times their number. efficiency: speedup / workers. karp_flatt: (1 / S - 1 / p) / (1 - 1 / p), of
     * dedicated points with p > 1 (Karp, Flatt: CACM 33, 1990). NAN where there is no base. */
    struct spread speedup, own, efficiency, karp_flatt;
    bool is_base;      /* of speedup or own */
    double half_width; /* of the interval that decides, relative: of wall_s for bases, else of speedup; NAN */
    bool converged;
    /* Flags; nothing is left out for them. */
    int outliers;           /* launches with |x - median| / MAD > 14.8 */
    bool slow_first;        /* the first launch was an outlier on the slow side */
    bool trend;             /* times rise or fall over the blocks: Mann-Kendall, p < 0.01 */
    struct factors factors; /* against serial; where there is none, against the fewest workers of the mode */
};

/* The points of one problem, variant and mode, ascending by workers. Serial is a mode like the others: a curve of one
 * point. */
struct curve {
    const struct config *config; /* of its first point */
    bool weak;                   /* the work grows in proportion to the workers */
    int count;
    struct curve_point *points;
    const struct group
        *serial; /* the best serial program for the same problem: the fastest variant in mode serial; NULL */
    const struct group *own;            /* the fewest workers */
    struct model_fit fits[MODEL_COUNT]; /* of dedicated points */
    int chosen;                         /* the model to show; -1: none */
    int superlinear;                    /* points whose whole interval lies above the number of workers */
    double waiting_bound;  /* for tasks that wait: (C + Z) / C, of one task alone; min with the workers is the most that
                              one core allows; NAN where the base does not wait for a tenth of its time */
    struct spread waiting; /* the share of its time for which one task alone neither computed nor was ready to */
    double roof_rate;      /* of one core, in the work's unit: the measured ceiling; NAN */
    double roof_share;     /* of the serial base: its rate over the ceiling; NAN */
    char sentence[512];    /* the verdict on this curve, from its point with the most workers; "" */
};

struct curves {
    int count;
    /* Heap; by problem in the order of the study's plan, else of the file, then by variant, then by mode. */
    struct curve *curves;
    int valid, invalid, not_judged; /* launches over all */
    int cores;                      /* of the machine, from the context; 0 unknown */
    bool stopping;                  /* looking decided when to stop: intervals are taken at 98 % (convergence.h) */
    /* The lowest and the highest reading of the reference loop over the median one: how much the machine's own speed
     * varied meanwhile. NAN where there is none. */
    double reference_low, reference_high;
    double precision;  /* asked for, from the study line; 0.02 where there is none */
    char machine[224]; /* "AMD EPYC 9B14 (host)", from the context; "" */
};

/* The results must outlive the curves. 0 or -ENOMEM; curves_release frees. `precision` 0: of the file's study line. */
int curves_build(const struct results *, double precision, struct curves *curves_p);
void curves_release(struct curves *);

/* The same problem under the same scheduling, whatever the variant and the mode, and in weak scaling whatever the size:
 * what can be put against each other, and has one serial base. Of commands: the same words, settings and parameters,
 * timed in the same way; not the launcher, which belongs to the mode. */
bool curve_same_problem(const struct config *, const struct config *, bool weak);

/* Somebody else's timings (timings.h), which belong to no blocks: neither a variant nor a command. */
bool curve_is_timings(const struct config *);

/* How many times as fast as the base (NULL: none), as the ratio of rates within blocks; of somebody else's timings,
 * which belong to no blocks, as the ratio of medians, with the ends of both intervals. */
struct spread curve_speedup(const struct group *base, const struct group *, double confidence);

/* The point of that configuration, or NULL. */
const struct curve_point *curves_find(const struct curves *, const struct group *);

#endif
