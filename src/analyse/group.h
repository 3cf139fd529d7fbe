/* What the samples of one configuration tell, alone and against another's. Pure. */
#ifndef SPEEDUP_ANALYSE_GROUP_H
#define SPEEDUP_ANALYSE_GROUP_H

#include "results.h"

/* Valid, with a time: only such a sample is part of a result. */
bool sample_counts(const struct sample *);
double sample_wall_s(const struct sample *);
double sample_rate(const struct sample *);

/* Median of a number over the samples that count (of one block); NAN where there is none. */
enum { ANY_BLOCK = -1 };
double group_median(const struct group *, int block, double (*number)(const struct sample *));

/* Of `count` values the median, and its interval by order statistics where there are enough for one (95 %: 6; 98 %: 7);
 * where there are not, the lowest and the highest. All NAN where count is 0. */
struct spread {
    int count;
    double middle, low, high;
    bool interval; /* low and high are confidence limits */
};
/* Sorts the values, none of which is NAN. confidence: 0.95, or as convergence.h says where looking decided when to
 * stop. */
struct spread spread_of(int count, double values[], double confidence);
/* As median_interval_ranks, which is this at 0.95. */
bool order_interval_ranks(int count, double confidence, int *low_p, int *high_p);

/* How many times as fast as the base: base's wall time / this one's, a ratio for each block in which both have a sample
 * that counts; at 95 %. base NULL: none. */
void group_pair(const struct group *base, const struct group *, struct spread *spread_p);
/* The same of any number, this one's over the base's: of rates where the work differs. */
void group_pair_numbers(const struct group *base, const struct group *, double (*number)(const struct sample *),
                        double confidence, struct spread *spread_p);
/* These ratios themselves, in the order of the file; ratios_p has room for the group's count. Returns how many. */
int group_pair_ratios(const struct group *base, const struct group *, double (*number)(const struct sample *),
                      double ratios_p[]);

/* Two reasons that differ in their numbers alone are the same. */
bool reason_is_same(const char *a, const char *b);
/* The commonest reason why samples are not valid. Returns false, and writes nothing, where there is none. */
bool group_reason(const struct group *, char reason_p[256]);

#endif
