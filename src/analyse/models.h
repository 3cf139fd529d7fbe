/* Scaling laws fitted to times. Pure (random numbers of the bootstrap follow from a seed).
 *
 *     Amdahl     T(p) = T1 (s + (1 - s) / p)                            one problem; s: the serial share
 *     Gustafson  T(p) = T1 / (1 - s (1 - 1 / p))                        work in proportion to p
 *     USL        T(p) = T1 (1 + a (p - 1) + b p (p - 1)) / p            one problem; a: contention, b: coherence
 *
 * Amdahl (AFIPS 1967); Gustafson (CACM 31, 1988); Gunther: Guerrilla capacity planning (2007), chapter 4. Times, not
 * speedups, are fitted, by least squares of the logarithms of each point's median, with bounds (0 <= s, a, b <= 1), by
 * NLopt. Every number of workers weighs the same: noisier ones were launched more often, until they were as well known.
 */
#ifndef SPEEDUP_ANALYSE_MODELS_H
#define SPEEDUP_ANALYSE_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model { MODEL_AMDAHL, MODEL_GUSTAFSON, MODEL_USL, MODEL_COUNT };
enum { MODEL_PARAMETERS_MAX = 3, MODEL_LAUNCHES_MIN = 5 };

/* The valid launches of one number of workers, each of which had a core to itself. */
struct model_point {
    int workers;
    int count;             /* at least 1 */
    const double *times_s; /* borrowed; all > 0 */
};

enum model_state {
    MODEL_FITTED,
    MODEL_TOO_FEW,    /* numbers of workers: Amdahl and Gustafson need 4, USL 6 */
    MODEL_UNAVAILABLE /* built without NLopt, or it failed: see reason */
};

struct model_parameter {
    double value;
    double low, high;  /* 95 % interval, by the bootstrap over launches (percentiles of 400 refits); NAN where a point
                          has fewer than MODEL_LAUNCHES_MIN launches: nothing tells how far they scatter */
    bool identifiable; /* false: the value, or one end of the interval, lies on a bound, or there is no interval */
};

struct model_fit {
    enum model model;
    enum model_state state;
    char reason[160]; /* why it is not fitted; "" */
    int points;
    int parameter_count;
    struct model_parameter parameters[MODEL_PARAMETERS_MAX]; /* T1, then s; or T1, a, b */
    double residual; /* root mean square of the relative deviations of the points */
    double aicc;     /* NAN where points < parameters (noise counted) + 2 */
    double peak;     /* USL: workers at the most throughput, sqrt((1 - a) / b), at least 1; INFINITY where there is none
                            (b is 0); other models: NAN */
    double most_workers; /* twice the largest number measured: nothing is said beyond */
};

const char *model_name(enum model);
/* "s", "a", "b", "T1" */
const char *model_parameter_name(enum model, int parameter);

/* Points ascending by workers, each once. `seed` is of the bootstrap. */
void model_fit(enum model, int count, const struct model_point points[], uint64_t seed, struct model_fit *fit_p);
/* The time it predicts; NAN beyond most_workers, or where it is not fitted. */
double model_time_s(const struct model_fit *, double workers);
/* The fitted one with the smaller AICc, or the one that is fitted (Amdahl where neither has an AICc); -1: none. */
int model_choose(int count, const struct model_fit fits[]);

#endif
