#include "peers.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

double pi_gsl(const struct question *question, int64_t points)
{
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    int64_t hits = 0;
    (void)question;
    for (int64_t i = 0; i < points; i++) {
        double x = gsl_rng_uniform(rng), y = gsl_rng_uniform(rng);
        hits += x * x + y * y < 1;
    }
    gsl_rng_free(rng);
    return 4 * (double)hits / (double)points;
}

static inline double mean_payoff(const struct question *question, int64_t paths,
                                 double (*draw_normal)(const gsl_rng *, double))
{
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    double sum = 0;
    for (int64_t i = 0; i < paths; i++)
        sum += fmax(exp(question->drift + question->volatility * draw_normal(rng, 1)) - question->strike, 0);
    gsl_rng_free(rng);
    return question->discount * sum / (double)paths;
}

double option_gsl_ziggurat(const struct question *question, int64_t paths)
{
    return mean_payoff(question, paths, gsl_ran_gaussian_ziggurat);
}

double option_gsl_polar(const struct question *question, int64_t paths)
{
    return mean_payoff(question, paths, gsl_ran_gaussian);
}
