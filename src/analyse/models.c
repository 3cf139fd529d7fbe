/* Each law is T(p) = T1 g(p; x): the logarithm of T1 is the mean of log t - log g, so that only x, one or two shares,
 * has to be searched for, whatever the unit of time. By SLSQP (Kraft, DFVLR-FB 88-28, 1988) from several starts;
 * NLopt's gradient methods are deterministic. The bootstrap starts where the fit ended. b is searched for in units of 1
 * / (the most workers): else it would be steeper than a by that much. */
#include "models.h"

#include "results.h"

#include "../../kernels/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef SPEEDUP_WITH_NLOPT
#    include <nlopt.h>
#endif

enum { SHARES_MAX = MODEL_PARAMETERS_MAX - 1, REFITS = 400 };

static const struct law {
    const char *name;
    int points_min;
    int shares;
    const char *parameters[MODEL_PARAMETERS_MAX];
} laws[MODEL_COUNT] = {
    [MODEL_AMDAHL] = {"Amdahl's law", 4, 1, {"T1", "s"}},
    [MODEL_GUSTAFSON] = {"Gustafson's law", 4, 1, {"T1", "s"}},
    [MODEL_USL] = {"the universal scalability law", 6, 2, {"T1", "a", "b"}},
};

const char *model_name(enum model model)
{
    return laws[model].name;
}

const char *model_parameter_name(enum model model, int parameter)
{
    return laws[model].parameters[parameter];
}

/* T(p) / T1, and how it changes with each share. */
static double law_ratio(enum model model, double p, const double shares[], double slopes_p[])
{
    double waste = 1 - 1 / p;
    switch (model) {
    case MODEL_AMDAHL:
        slopes_p[0] = waste;
        return 1 / p + shares[0] * waste;
    case MODEL_GUSTAFSON: {
        double rest = 1 - shares[0] * waste;
        slopes_p[0] = waste / (rest * rest);
        return 1 / rest;
    }
    case MODEL_USL:
        slopes_p[0] = waste;
        slopes_p[1] = p - 1;
        return 1 / p + shares[0] * waste + shares[1] * (p - 1);
    case MODEL_COUNT:
        break;
    }
    return NAN;
}

double model_time_s(const struct model_fit *fit, double workers)
{
    double shares[SHARES_MAX] = {0}, slopes[SHARES_MAX];
    if (fit->state != MODEL_FITTED || !(workers >= 1 && workers <= fit->most_workers)) return NAN;
    for (int i = 0; i < fit->parameter_count - 1; i++) shares[i] = fit->parameters[i + 1].value;
    return fit->parameters[0].value * law_ratio(fit->model, workers, shares, slopes);
}

int model_choose(int count, const struct model_fit fits[])
{
    int chosen = -1;
    for (int i = 0; i < count; i++) {
        if (fits[i].state != MODEL_FITTED) continue;
        bool better = chosen < 0 || fits[i].aicc < fits[chosen].aicc ||
                      (!isnan(fits[i].aicc) && isnan(fits[chosen].aicc)) ||
                      (isnan(fits[i].aicc) && isnan(fits[chosen].aicc) && fits[i].model < fits[chosen].model);
        if (better) chosen = i;
    }
    return chosen;
}

#ifdef SPEEDUP_WITH_NLOPT

/* What is fitted: one logarithm of a time for each number of workers. */
struct problem_of_fit {
    enum model model;
    int count;
    const struct model_point *points;
    double *logs;
    double scales[SHARES_MAX]; /* share = scale * x */
};

/* Sum of squares at x, and its slopes. The slope of the mean drops out, since the deviations from it sum to 0. */
static double misfit(unsigned count, const double x[], double slopes_p[], void *context)
{
    const struct problem_of_fit *fit = context;
    double shares[SHARES_MAX] = {0}, slopes[SHARES_MAX], mean = 0, squares = 0, sums[SHARES_MAX] = {0};
    for (unsigned i = 0; i < count; i++) shares[i] = fit->scales[i] * x[i];
    for (int i = 0; i < fit->count; i++)
        mean += (fit->logs[i] - log(law_ratio(fit->model, fit->points[i].workers, shares, slopes))) / fit->count;
    for (int i = 0; i < fit->count; i++) {
        double ratio = law_ratio(fit->model, fit->points[i].workers, shares, slopes);
        double deviation = fit->logs[i] - log(ratio) - mean;
        squares += deviation * deviation;
        for (unsigned k = 0; k < count; k++) sums[k] -= 2 * deviation * fit->scales[k] * slopes[k] / ratio;
    }
    for (unsigned k = 0; slopes_p && k < count; k++) slopes_p[k] = sums[k];
    return squares;
}

static double log_t1(const struct problem_of_fit *fit, const double shares[])
{
    double mean = 0, slopes[SHARES_MAX];
    for (int i = 0; i < fit->count; i++)
        mean += (fit->logs[i] - log(law_ratio(fit->model, fit->points[i].workers, shares, slopes))) / fit->count;
    return mean;
}

/* From x_p to a minimum near it. Returns the sum of squares there, INFINITY where NLopt failed. */
static double search_from(struct problem_of_fit *fit, nlopt_opt search, double x_p[])
{
    double squares;
    nlopt_result result = nlopt_optimize(search, x_p, &squares);
    /* Limited by rounding: as near as doubles allow. */
    bool found = (result > 0 || result == NLOPT_ROUNDOFF_LIMITED) && isfinite(squares);
    return found ? misfit((unsigned)laws[fit->model].shares, x_p, NULL, fit) : INFINITY;
}

static nlopt_opt new_search(struct problem_of_fit *fit)
{
    unsigned count = (unsigned)laws[fit->model].shares;
    double low[SHARES_MAX] = {0}, high[SHARES_MAX];
    int most = fit->points[fit->count - 1].workers;
    for (unsigned k = 0; k < count; k++) {
        fit->scales[k] = k == 0 ? 1.0 : 1.0 / most;
        high[k] = 1 / fit->scales[k];
    }
    nlopt_opt search = nlopt_create(NLOPT_LD_SLSQP, count);
    if (!search) return NULL;
    nlopt_set_min_objective(search, misfit, fit);
    nlopt_set_lower_bounds(search, low);
    nlopt_set_upper_bounds(search, high);
    nlopt_set_xtol_rel(search, 1e-10);
    nlopt_set_xtol_abs1(search, 1e-12);
    nlopt_set_maxeval(search, 500);
    return search;
}

/* The best of all starts, as shares. */
static double search_all(struct problem_of_fit *fit, nlopt_opt search, double x_p[])
{
    static const double starts[] = {0.002, 0.05, 0.4, 0.9};
    enum { STARTS = sizeof starts / sizeof starts[0] };
    const int shares = laws[fit->model].shares;
    double least = INFINITY;
    for (int i = 0; i < (shares == 1 ? STARTS : STARTS * STARTS); i++) {
        double x[SHARES_MAX] = {starts[i % STARTS], starts[i / STARTS % STARTS]};
        double squares = search_from(fit, search, x);
        if (!(squares < least)) continue;
        least = squares;
        for (int k = 0; k < shares; k++) x_p[k] = x[k];
    }
    return least;
}

static void set_logs(struct problem_of_fit *fit)
{
    for (int i = 0; i < fit->count; i++) fit->logs[i] = log(median(fit->points[i].count, fit->points[i].times_s));
}

/* Medians of as many launches, drawn with replacement. */
static void draw_logs(struct problem_of_fit *fit, uint64_t seed, int refit, double drawn[])
{
    uint64_t key = hash_pair(seed, (uint64_t)refit);
    for (int i = 0; i < fit->count; i++) {
        const struct model_point *point = &fit->points[i];
        uint64_t point_key = hash_pair(key, (uint64_t)point->workers);
        for (int k = 0; k < point->count; k++)
            drawn[k] = point->times_s[hash_pair(point_key, (uint64_t)k) % (uint64_t)point->count];
        fit->logs[i] = log(median(point->count, drawn));
    }
}

static void store(const struct problem_of_fit *fit, const double x[], double values_p[])
{
    double shares[SHARES_MAX] = {0};
    for (int k = 0; k < laws[fit->model].shares; k++) values_p[k + 1] = shares[k] = fit->scales[k] * x[k];
    values_p[0] = exp(log_t1(fit, shares));
}

/* Fills refits_p[parameter * REFITS + refit]; false where a refit failed, or there is no memory. */
static bool bootstrap(struct problem_of_fit *fit, nlopt_opt search, const double x[], uint64_t seed, double refits_p[])
{
    const int shares = laws[fit->model].shares;
    int most = 1;
    for (int i = 0; i < fit->count; i++)
        if (fit->points[i].count > most) most = fit->points[i].count;
    double *drawn = malloc(sizeof *drawn * (size_t)most);
    bool done = drawn != NULL;
    for (int refit = 0; done && refit < REFITS; refit++) {
        double start[SHARES_MAX] = {0}, values[MODEL_PARAMETERS_MAX];
        /* Not on a bound, where a slope of 0 would keep it. */
        for (int k = 0; k < shares; k++) start[k] = fmax(x[k], 1e-3);
        draw_logs(fit, seed, refit, drawn);
        done = isfinite(search_from(fit, search, start));
        store(fit, start, values);
        for (int i = 0; i <= shares; i++) refits_p[i * REFITS + refit] = values[i];
    }
    free(drawn);
    return done;
}

static bool enough_launches(const struct problem_of_fit *fit)
{
    for (int i = 0; i < fit->count; i++)
        if (fit->points[i].count < MODEL_LAUNCHES_MIN) return false;
    return true;
}

static void set_intervals(struct problem_of_fit *fit, nlopt_opt search, const double x[], uint64_t seed,
                          struct model_fit *fit_p)
{
    double *refits = malloc(sizeof *refits * REFITS * MODEL_PARAMETERS_MAX);
    bool done = refits && enough_launches(fit) && bootstrap(fit, search, x, seed, refits);
    for (int i = 0; i < fit_p->parameter_count; i++) {
        struct model_parameter *parameter = &fit_p->parameters[i];
        parameter->low = done ? quantile(REFITS, refits + i * REFITS, 0.025) : NAN;
        parameter->high = done ? quantile(REFITS, refits + i * REFITS, 0.975) : NAN;
        double tiny = i == 0 ? 0 : 1e-6 * fit->scales[i - 1];
        parameter->identifiable = done && (i == 0 || (fmin(parameter->low, parameter->value) > tiny &&
                                                      fmax(parameter->high, parameter->value) < 1 - tiny));
    }
    free(refits);
}

/* Burnham and Anderson: Model selection and multimodel inference (2002), 2.4 and 7.4: of least squares. */
static double aicc_of(int n, int k, double squares)
{
    if (n < k + 2) return NAN;
    /* Points that lie on the curve exactly are as near as doubles can tell. */
    return n * log(fmax(squares / n, 1e-24)) + 2 * k + 2.0 * k * (k + 1) / (n - k - 1);
}

static void set_quality(double squares, struct model_fit *fit_p)
{
    fit_p->residual = sqrt(squares / fit_p->points);
    fit_p->aicc = aicc_of(fit_p->points, fit_p->parameter_count + 1, squares);
    if (fit_p->model != MODEL_USL) return;
    double a = fit_p->parameters[1].value, b = fit_p->parameters[2].value;
    double tiny = 1e-6 * 2 / fit_p->most_workers;
    fit_p->peak = b > tiny ? fmax(1, sqrt((1 - a) / b)) : INFINITY;
}

static void run_fit(struct problem_of_fit *fit, uint64_t seed, struct model_fit *fit_p)
{
    double x[SHARES_MAX] = {0}, values[MODEL_PARAMETERS_MAX];
    nlopt_opt search = new_search(fit);
    set_logs(fit);
    double squares = search ? search_all(fit, search, x) : INFINITY;
    if (isfinite(squares)) {
        fit_p->state = MODEL_FITTED;
        store(fit, x, values);
        for (int i = 0; i < fit_p->parameter_count; i++) fit_p->parameters[i].value = values[i];
        set_quality(squares, fit_p);
        set_intervals(fit, search, x, seed, fit_p);
    } else {
        snprintf(fit_p->reason, sizeof fit_p->reason, "NLopt found no minimum for %s", model_name(fit_p->model));
    }
    if (search) nlopt_destroy(search);
}

static void try_fit(int count, const struct model_point points[], uint64_t seed, struct model_fit *fit_p)
{
    struct problem_of_fit fit = {.model = fit_p->model, .count = count, .points = points};
    fit.logs = malloc(sizeof *fit.logs * (size_t)count);
    if (fit.logs)
        run_fit(&fit, seed, fit_p);
    else
        snprintf(fit_p->reason, sizeof fit_p->reason, "out of memory");
    free(fit.logs);
}

#else

static void try_fit(int count, const struct model_point points[], uint64_t seed, struct model_fit *fit_p)
{
    (void)count, (void)points, (void)seed;
    snprintf(fit_p->reason, sizeof fit_p->reason,
             "this speedup was built without NLopt, which fits scaling laws (libnlopt-dev; NLopt-devel)");
}

#endif

void model_fit(enum model model, int count, const struct model_point points[], uint64_t seed, struct model_fit *fit_p)
{
    *fit_p = (struct model_fit){.model = model,
                                .state = MODEL_UNAVAILABLE,
                                .points = count,
                                .parameter_count = laws[model].shares + 1,
                                .residual = NAN,
                                .aicc = NAN,
                                .peak = NAN,
                                .most_workers = count > 0 ? 2.0 * points[count - 1].workers : NAN};
    for (int i = 0; i < MODEL_PARAMETERS_MAX; i++)
        fit_p->parameters[i] = (struct model_parameter){.value = NAN, .low = NAN, .high = NAN};
    if (count >= laws[model].points_min) {
        try_fit(count, points, seed, fit_p);
    } else {
        fit_p->state = MODEL_TOO_FEW;
        snprintf(fit_p->reason, sizeof fit_p->reason, "%s needs %d numbers of workers, and there are %d",
                 model_name(model), laws[model].points_min, count);
    }
}
