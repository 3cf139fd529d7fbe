/* What messages cost: the law t(n) = alpha + n beta of messages of n bytes (Hockney: The communication challenge for
 * MPP, Parallel Computing 20, 1994), fitted to measured times, and what it predicts for the traffic of a kernel. Pure.
 */
#ifndef SPEEDUP_ANALYSE_NETWORK_H
#define SPEEDUP_ANALYSE_NETWORK_H

#include "group.h"

/* One size of message. */
struct network_point {
    double bytes, messages;
    double time_s;         /* of one */
    double bandwidth;      /* bytes a second, of all that passes meanwhile; NAN: none is told */
    double traffic_factor; /* what passes, for each byte of a message: 1, or 2 for each pair that swaps; 0: not told */
};

/* Ascending by size: medians of the times over the group's valid samples, or, where it has none, over those that could
 * not be judged (*judged_p is false then). Samples whose sizes are not those of the first are left out. Returns how
 * many points; 0: the kernel times no messages, or no sample of it counts. */
int network_points(const struct group *, struct network_point points_p[KERNEL_POINTS_MAX], bool *judged_p);

struct network_fit {
    int points;
    /* alpha and beta; a parameter that the points do not tell (see network_fit) is NAN, and `missing` says why. */
    double latency_s, byte_s;
    double bandwidth; /* traffic_factor / byte_s; NAN where either is not known */
    double residual;  /* median of the relative deviations |t - law| / t; NAN without a fit */
    double worst;     /* the largest of them, at: */
    double worst_bytes;
    char missing[160]; /* "" */
};

/* The line with the least weighted sum of relative deviations |t - alpha - n beta| / t, alpha and beta at least 0. The
 * shortest and the longest messages weigh most, those between (by the logarithms of sizes) hardly: so the short fix
 * alpha, and the long beta; and single points far off, such as steps where MPI changes its protocol, pull no more than
 * outliers pull a median. It needs 3 sizes. A parameter is told only where its part of the time is at least a fifth
 * somewhere, and larger than what the points usually deviate there: alpha of the shortest message, beta of the longest.
 * Points without a time (NAN, 0) are left out. */
void network_fit(int count, const struct network_point points[], struct network_fit *fit_p);

/* What the law says of a kernel's run, beside the work of its ranks. */
struct network_prediction {
    double time_s;    /* of the whole run */
    double exposed_s; /* of it, what is communication that no work hides */
    double factor;    /* work / time: to be compared with the communication factor (factors.h) */
};
/* For `ranks` ranks, each on a node of its own. work_s: useful wall time of the rank with the most. 0; -EINVAL where
 * the fit does not tell both parameters; -ENOTSUP where the kernel does not predict; -ENOMEM. */
int network_predict(const struct network_fit *, const struct problem *, int ranks, double work_s,
                    struct network_prediction *prediction_p);

#endif
