/* When a configuration has been launched often enough, and what may be said then. Pure.
 *
 * Looking at the data again and again, and stopping when their interval is narrow, prefers data that are narrow by
 * chance: with exact 95 % ranks looked at after every block, of the studies with 2 % of noise that stop 93.8 % cover
 * the true median, with 5 % of noise 72 %. The rule here is one constant: while stopping is allowed, intervals are
 * taken at 98 %, for the decision and in every report alike, and are then good for 95 %. (In a study of a fixed number
 * of blocks, 95 % ranks hold exactly.)
 *
 * Simulated: 20,000 studies each, up to 30 blocks, precision 2 %; time of base and configuration log-normal with the
 * noise named, so that their ratio has 1.41 times as much; "skewed": one launch in ten (of the base, in fifty) takes
 * longer by an exponentially distributed 20 % on average. "Misled": of all studies, those that converged to an interval
 * without the true median.
 *
 *     noise            converged   after   coverage: all   of the converged   misled     launches by 95 % ranks
 *     0.5 %              100 %      7.0        98.3 %            98.3 %        1.7 %       6.0
 *     1 %                100 %      9.0        98.4 %            98.4 %        1.6 %       7.2
 *     2 %                 89 %     19.1        97.6 %            97.3 %        2.4 %      15.1
 *     3 %                 30 %     23.0        97.4 %            92.6 %        2.2 %      20.2
 *     5 %                  1 %     23.9        98.2 %            74   %        0.3 %      22.4
 *     1 %, skewed        100 %     12.0        98.3 %            98.3 %        1.7 %       9.3
 *     3 %, skewed         18 %     23.6        97.7 %            91   %        1.6 %      21.5
 *
 * Where the noise is such that 30 launches do not suffice, the few studies that converge do so by luck, and no rule
 * that ends with +- 2 % can cover well there: the median of 24 ratios with 7 % of noise is itself uncertain by 1.8 %.
 * What can be had is that they are rare. Also tried: two narrow blocks in a row at 95 % (the same, but less well
 * covered for as many launches), a larger minimum (helps only where the noise is small), a second measure of the spread
 * beside the order statistics (lucky studies become rarer, not better covered). */
#ifndef SPEEDUP_ANALYSE_CONVERGENCE_H
#define SPEEDUP_ANALYSE_CONVERGENCE_H

#include "group.h"

/* For order_interval_ranks and its kin: in studies of a fixed number of launches, and where looking decides. */
#define CONFIDENCE_FIXED    0.95
#define CONFIDENCE_STOPPING 0.98
/* There is no interval at CONFIDENCE_STOPPING for fewer launches, so none converges before. */
enum { CONVERGENCE_LAUNCHES_MIN = 7 };

/* Half the interval's width over its middle; NAN where there is no interval. */
double spread_half_width(const struct spread *);
/* The half width is at most `precision` (0.02: 2 %). Of a spread at CONFIDENCE_STOPPING. */
bool spread_converged(const struct spread *, double precision);

#endif
