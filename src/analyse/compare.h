/* Two sets of results, configuration by configuration: faster, slower, or no difference shown. Pure. */
#ifndef SPEEDUP_ANALYSE_COMPARE_H
#define SPEEDUP_ANALYSE_COMPARE_H

#include "group.h"

enum comparison_verdict {
    COMPARE_FASTER, /* the new one, with at least 95 % confidence over all configurations together */
    COMPARE_SLOWER,
    COMPARE_UNDECIDED, /* no difference shown */
    COMPARE_IMPOSSIBLE /* one side has no valid sample, or both too few for any decision: see reason */
};

struct comparison {
    const struct group *before, *after; /* NULL: only the other has it */
    int before_count, after_count;      /* valid launches; where paired, those that have a partner */
    bool paired;                        /* by block */
    /* How many times as fast as before: before / after, of wall times (of rates the other way round where the work
     * differs). Hodges and Lehmann's estimate on logarithms, where paired the median; count is that of the launches of
     * the smaller side, or of the pairs. The interval is at the level at which Holm's steps decided on this
     * configuration, so that it excludes 1 exactly where the verdict is faster or slower; where there are too few
     * launches for that level, low and high are the extremes. All NAN where the comparison is impossible for want of
     * samples. */
    struct spread ratio;
    double p; /* two-sided; Mann-Whitney's U (exact up to 20 launches a side), or the sign test where paired; NAN */
    double p_adjusted; /* by Holm (Scandinavian Journal of Statistics 6, 1979) over all that are not impossible; NAN */
    enum comparison_verdict verdict;
    char reason[256]; /* why it is impossible, or could not have been decided with so few launches; else "" */
};

/* One comparison for each configuration that either has, in the order of `before`, then those that only `after` has.
 * Heap, the caller frees; *count_p. NULL: no memory. Configurations are the same where their keys are. A launch is the
 * unit: the median of its valid samples. paired: launches of the same block are compared, where both have it: only for
 * sets that were measured in alternation, since a block is otherwise no more than a number. */
struct comparison *compare_results(const struct results *before, const struct results *after, bool paired,
                                   int *count_p);

/* By how much the machine's own speed may have differed between two records, as a factor from 1 on: that of the medians
 * of their reference loops, and no less than a quarter of the span of nine in ten readings of either. NAN where one has
 * none. What is not beyond it is taken back: its verdict becomes COMPARE_UNDECIDED, with the reason. (Launches of one
 * record share its drift, which no test over launches can see.) Not for pairs. */
double compare_allow_drift(const struct results *before, const struct results *after, int count,
                           struct comparison comparisons[]);

/* The largest slowdown shown: 1 - the upper end of the ratio's interval, over those with verdict slower; 0: none. For
 * --fail-if-slower. */
double compare_slowdown(int count, const struct comparison comparisons[]);

#endif
