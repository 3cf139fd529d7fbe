/* What the offices that grant computing time ask of a scaling curve: how much each doubling of the cores cuts the time,
 * whether that passes their rules, the job size to ask for, and what a run costs. Pure. */
#ifndef SPEEDUP_ANALYSE_PROPOSAL_H
#define SPEEDUP_ANALYSE_PROPOSAL_H

#include "curve.h"

enum { CRITERION_RANGES_MAX = 4 };

/* A doubling from `from` cores on has to cut the time by `cut`. */
struct criterion_range {
    int from;
    double cut;
};

struct criterion {
    const char *name;   /* as on the command line */
    const char *office; /* "CSC, Sisu" */
    const char *rule;   /* in our words */
    const char *source; /* the page that says so */
    const char *read;   /* the day on which it was read */
    /* Ascending; a doubling is held against the last range that it begins in. None: the rule is about how to measure
     * and is met, or not, by the whole record (`how` says so). */
    int range_count;
    struct criterion_range ranges[CRITERION_RANGES_MAX];
    int most_cores; /* the rule says nothing of more; 0: no end */
    /* Of a rule without ranges: what is done about it here, and what is to be said of somebody else's timings; else
     * NULL. */
    const char *how, *how_of_timings;
    /* Where it is another thing of commands (else NULL): timed as a whole, and by themselves. */
    const char *how_of_commands, *how_of_own_times;
};

/* name NULL ends it. */
extern const struct criterion proposal_criteria[];

enum proposal_outcome {
    PROPOSAL_PASSES,  /* the whole interval is at or above the limit */
    PROPOSAL_FAILS,   /* the whole interval is below it */
    PROPOSAL_OPEN,    /* cannot be told: the interval holds the limit, or there is none, or it was not measured */
    PROPOSAL_NO_RULE, /* the rule says nothing of this */
};

/* One doubling of the cores. */
struct proposal_step {
    const struct curve_point *before, *after; /* after NULL: not measured (or not validly), though more cores were */
    int from, to;                             /* cores */
    struct spread cut; /* how many times as short the time became, in pairs within blocks; NAN where not measured */
};

struct proposal {
    const struct curve *curve; /* of the problem's curves the one that reaches the highest rate */
    bool weak;
    int count;
    const struct curve_point **points; /* heap; a core for each worker, valid, ascending; the first is the smallest */
    int step_count;
    struct proposal_step *steps; /* heap; ascending */
};

/* Of the problem whose curves begin at `first`. 0; -ENOENT where nothing has a core for each worker and a valid time;
 * -ENOMEM. proposal_release frees what it made. */
int proposal_build(const struct curves *, int first, int count, struct proposal *proposal_p);
void proposal_release(struct proposal *);

/* The limit of that doubling in limit_p, NAN where the rule has none. */
enum proposal_outcome proposal_judge_step(const struct criterion *, const struct proposal_step *, double *limit_p);
/* Of all doublings: fails where one fails, is open where one is open or where there is none. */
enum proposal_outcome proposal_judge(const struct criterion *, const struct proposal *);
/* The most cores such that every doubling up to there, from the smallest number on, passes the rule; NULL where none
 * was judged. */
const struct curve_point *proposal_recommend(const struct criterion *, const struct proposal *);

/* Core-hours of one run: the measured time alone, without starting up. */
double proposal_core_hours(const struct curve_point *);

#endif
