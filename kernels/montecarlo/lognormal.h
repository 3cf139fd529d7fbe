/* A call on a quantity whose logarithm is normally distributed, in closed form. Pure. */
#ifndef KERNELS_MONTECARLO_LOGNORMAL_H
#define KERNELS_MONTECARLO_LOGNORMAL_H

#include <float.h>

#include <math.h>

struct lognormal {
    double mean, deviation; /* of the logarithm; deviation >= 0 */
};

/* Of the standard normal distribution. */
static inline double normal_below(double x)
{
    return erfc(-x * M_SQRT1_2) / 2;
}

/* E[S^k; S > strike], for k = 0, 1, 2, 3: the integral of exp(k x) over the normal density of x above ln(strike). */
static inline double lognormal_moment_above(struct lognormal law, double strike, int k)
{
    double whole = exp(k * law.mean + k * k * law.deviation * law.deviation / 2);
    if (law.deviation == 0) return exp(law.mean) > strike ? whole : 0;
    double distance = strike > 0 ? (law.mean - log(strike)) / law.deviation : INFINITY;
    return whole * normal_below(distance + k * law.deviation);
}

/* Expectation of max(S - strike, 0). Black, Scholes: The pricing of options and corporate liabilities. J. Political
 * Economy 81, 1973, before discounting. */
static inline double lognormal_call(struct lognormal law, double strike)
{
    return fmax(lognormal_moment_above(law, strike, 1) - strike * lognormal_moment_above(law, strike, 0), 0);
}

/* E[max(S - strike, 0)^2]. */
static inline double lognormal_call_square(struct lognormal law, double strike)
{
    return lognormal_moment_above(law, strike, 2) - 2 * strike * lognormal_moment_above(law, strike, 1) +
           strike * strike * lognormal_moment_above(law, strike, 0);
}

/* Its variance; of deviations so small that rounding hides it, an upper bound
 * of some units in the last place. */
static inline double lognormal_call_variance(struct lognormal law, double strike)
{
    double mean = lognormal_call(law, strike), square = lognormal_call_square(law, strike);
    double whole = exp(2 * law.mean) + strike * strike;
    if (law.deviation == 0) return 0;
    return fmax(square - mean * mean, 8 * DBL_EPSILON * whole);
}

/* Its skewness: the third central moment over the deviation cubed; large where
 * only few paths pay. */
static inline double lognormal_call_skewness(struct lognormal law, double strike)
{
    double mean = lognormal_call(law, strike), square = lognormal_call_square(law, strike);
    double cube = lognormal_moment_above(law, strike, 3) - 3 * strike * lognormal_moment_above(law, strike, 2) +
                  3 * strike * strike * lognormal_moment_above(law, strike, 1) -
                  strike * strike * strike * lognormal_moment_above(law, strike, 0);
    double deviation = sqrt(lognormal_call_variance(law, strike));
    return fabs(cube - 3 * mean * square + 2 * mean * mean * mean) / (deviation * deviation * deviation);
}

#endif
