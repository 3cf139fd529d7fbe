/* Known laws, with noise, are found again; what cannot be found is said. */
#include "../src/analyse/models.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 7, LAUNCHES = 10 };

static int cases = 200;

/* Times of 1, 2, 4 ... 64 workers. */
struct measured {
    double times_s[POINTS][LAUNCHES];
    struct model_point points[POINTS];
};

static double law(enum model model, double p, const double x[])
{
    if (model == MODEL_AMDAHL) return x[0] * (x[1] + (1 - x[1]) / p);
    if (model == MODEL_GUSTAFSON) return x[0] / (1 - x[1] * (1 - 1 / p));
    return x[0] * (1 + x[1] * (p - 1) + x[2] * p * (p - 1)) / p;
}

static void measure(enum model model, const double x[], double deviation, uint64_t seed, struct measured *measured_p)
{
    for (int i = 0; i < POINTS; i++) {
        for (int k = 0; k < LAUNCHES; k++)
            measured_p->times_s[i][k] =
                law(model, 1 << i, x) * noise_factor(deviation, seed, (uint64_t)(i * LAUNCHES + k));
        measured_p->points[i] = (struct model_point){1 << i, LAUNCHES, measured_p->times_s[i]};
    }
}

static bool without_nlopt(void)
{
    struct measured measured;
    struct model_fit fit;
    measure(MODEL_AMDAHL, (double[]){1, 0.1}, 0, 1, &measured);
    model_fit(MODEL_AMDAHL, POINTS, measured.points, 1, &fit);
    if (fit.state != MODEL_UNAVAILABLE) return false;
    assert_non_null(strstr(fit.reason, "NLopt"));
    assert_true(isnan(model_time_s(&fit, 1)));
    return true;
}

#define NEEDS_NLOPT                                                                                                    \
    do {                                                                                                               \
        (void)state;                                                                                                   \
        if (without_nlopt()) skip();                                                                                   \
    } while (0)

static void exact_laws_are_found_exactly(void **state)
{
    NEEDS_NLOPT;
    static const struct {
        enum model model;
        double x[3];
    } laws[] = {
        {MODEL_AMDAHL, {3, 0.05}},      {MODEL_AMDAHL, {1e-3, 0.7}},   {MODEL_AMDAHL, {40, 0.0005}},
        {MODEL_GUSTAFSON, {3, 0.05}},   {MODEL_GUSTAFSON, {500, 0.6}}, {MODEL_USL, {3, 0.05, 0.0005}},
        {MODEL_USL, {1e-3, 0.3, 0.02}}, {MODEL_USL, {7, 0.001, 0.1}},  {MODEL_USL, {1, 0.9, 0.9}},
        {MODEL_AMDAHL, {1, 0}},         {MODEL_AMDAHL, {1, 1}},        {MODEL_USL, {1, 0, 0}},
        {MODEL_USL, {2, 0.04, 0}},
    };
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        struct measured measured;
        struct model_fit fit;
        measure(laws[i].model, laws[i].x, 0, 1, &measured);
        model_fit(laws[i].model, POINTS, measured.points, 1, &fit);
        assert_int_equal(fit.state, MODEL_FITTED);
        assert_string_equal(fit.reason, "");
        for (int k = 0; k < fit.parameter_count; k++) {
            double slack = k == 0 ? 1e-5 * laws[i].x[0] : 1e-6;
            if (fabs(fit.parameters[k].value - laws[i].x[k]) > slack)
                fail_msg("law %zu: %s is %g, not %g", i, model_parameter_name(fit.model, k), fit.parameters[k].value,
                         laws[i].x[k]);
        }
        assert_true(fit.residual < 1e-5);
    }
}

/* In how many cases each parameter lies in its interval. */
static void count_recovered(enum model model, const double x[], double deviation, int recovered_p[])
{
    for (int seed = 0; seed < cases; seed++) {
        struct measured measured;
        struct model_fit fit;
        measure(model, x, deviation, (uint64_t)seed, &measured);
        model_fit(model, POINTS, measured.points, 7, &fit);
        assert_int_equal(fit.state, MODEL_FITTED);
        for (int k = 0; k < fit.parameter_count; k++) {
            const struct model_parameter *parameter = &fit.parameters[k];
            recovered_p[k] += parameter->low <= x[k] && x[k] <= parameter->high;
        }
    }
}

static void laws_are_recovered_from_noise(void **state)
{
    NEEDS_NLOPT;
    static const struct {
        enum model model;
        double x[3], deviation;
    } laws[] = {
        {MODEL_AMDAHL, {3, 0.05}, 0.02},
        {MODEL_GUSTAFSON, {3, 0.1}, 0.02},
        {MODEL_USL, {3, 0.03, 0.0005}, 0.02},
    };
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        int recovered[MODEL_PARAMETERS_MAX] = {0}, parameters = laws[i].model == MODEL_USL ? 3 : 2;
        count_recovered(laws[i].model, laws[i].x, laws[i].deviation, recovered);
        for (int k = 0; k < parameters; k++) {
            print_message("%s, %s: within its interval in %d of %d\n", model_name(laws[i].model),
                          model_parameter_name(laws[i].model, k), recovered[k], cases);
            double chance = cases < 200 ? 3 * sqrt(cases * 0.9 * 0.1) : 0;
            assert_true(recovered[k] >= 0.9 * cases - chance);
        }
    }
}

static void no_point_of_a_grid_is_better(void **state)
{
    NEEDS_NLOPT;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct measured measured;
        struct model_fit fit;
        const double x[3] = {1, noise_even(seed, 900) * 0.5, noise_even(seed, 901) * 0.01};
        measure(MODEL_USL, x, 0.2, seed, &measured);
        for (int i = 0; i < POINTS; i++) measured.points[i].count = 1; /* so that the median is that launch */
        model_fit(MODEL_USL, POINTS, measured.points, 1, &fit);
        double least = INFINITY;
        for (int i = 0; i <= 100; i++)
            for (int j = 0; j <= 100; j++) {
                double shares[3] = {1, i / 100.0, pow(j / 100.0, 3)}, sum = 0, squares = 0;
                for (int k = 0; k < POINTS; k++) {
                    double log_ratio = log(measured.times_s[k][0] / law(MODEL_USL, 1 << k, shares));
                    sum += log_ratio;
                    squares += log_ratio * log_ratio;
                }
                least = fmin(least, squares - sum * sum / POINTS);
            }
        assert_true(fit.residual * fit.residual * POINTS <= least + 1e-9);
        assert_true(isnan(fit.parameters[1].low) && !fit.parameters[1].identifiable);
    }
}

static void too_few_points_are_refused(void **state)
{
    (void)state;
    struct measured measured;
    struct model_fit fit;
    measure(MODEL_AMDAHL, (double[]){1, 0.1}, 0.01, 1, &measured);
    model_fit(MODEL_AMDAHL, 3, measured.points, 1, &fit);
    assert_int_equal(fit.state, MODEL_TOO_FEW);
    assert_string_equal(fit.reason, "Amdahl's law needs 4 numbers of workers, and there are 3");
    assert_true(isnan(model_time_s(&fit, 1)) && isnan(fit.parameters[1].value));
    model_fit(MODEL_USL, 5, measured.points, 1, &fit);
    assert_int_equal(fit.state, MODEL_TOO_FEW);
    model_fit(MODEL_GUSTAFSON, 0, NULL, 1, &fit);
    assert_int_equal(fit.state, MODEL_TOO_FEW);
    assert_int_equal(model_choose(1, &fit), -1);
}

static void superlinear_times_identify_nothing(void **state)
{
    NEEDS_NLOPT;
    struct measured measured;
    struct model_fit fit;
    measure(MODEL_AMDAHL, (double[]){1, 0}, 0.01, 1, &measured);
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < LAUNCHES; k++) measured.times_s[i][k] /= 1 + 0.1 * i;
    model_fit(MODEL_AMDAHL, POINTS, measured.points, 1, &fit);
    assert_int_equal(fit.state, MODEL_FITTED);
    assert_true(fit.parameters[1].value < 1e-6 && !fit.parameters[1].identifiable);
    model_fit(MODEL_USL, POINTS, measured.points, 1, &fit);
    assert_true(fit.parameters[1].value < 1e-6 && !fit.parameters[1].identifiable);
    assert_false(fit.parameters[2].identifiable);
    assert_true(isinf(fit.peak));
}

static void more_parameters_must_pay(void **state)
{
    NEEDS_NLOPT;
    int amdahl = 0, usl = 0;
    const int tries = 40;
    for (int seed = 0; seed < tries; seed++) {
        struct measured measured;
        struct model_fit fits[2];
        measure(MODEL_AMDAHL, (double[]){1, 0.05}, 0.02, (uint64_t)seed, &measured);
        model_fit(MODEL_AMDAHL, POINTS, measured.points, 1, &fits[1]);
        model_fit(MODEL_USL, POINTS, measured.points, 1, &fits[0]);
        amdahl += model_choose(2, fits) == 1;
        measure(MODEL_USL, (double[]){1, 0.03, 0.001}, 0.02, (uint64_t)seed, &measured);
        model_fit(MODEL_AMDAHL, POINTS, measured.points, 1, &fits[1]);
        model_fit(MODEL_USL, POINTS, measured.points, 1, &fits[0]);
        usl += model_choose(2, fits) == 0;
    }
    print_message("chosen: Amdahl's law in %d, the USL in %d of %d\n", amdahl, usl, tries);
    assert_true(amdahl >= 0.85 * tries);
    assert_int_equal(usl, tries);
}

static void without_aicc_amdahl_is_chosen(void **state)
{
    NEEDS_NLOPT;
    struct measured measured;
    struct model_fit fits[2];
    measure(MODEL_AMDAHL, (double[]){1, 0.05}, 0.02, 1, &measured);
    model_fit(MODEL_GUSTAFSON, 4, measured.points, 1, &fits[0]);
    model_fit(MODEL_AMDAHL, 4, measured.points, 1, &fits[1]);
    assert_true(isnan(fits[0].aicc) && isnan(fits[1].aicc));
    assert_int_equal(model_choose(2, fits), 1);
    model_fit(MODEL_AMDAHL, 5, measured.points, 1, &fits[0]);
    assert_true(fits[0].aicc < 0);
    fits[1].state = MODEL_UNAVAILABLE;
    assert_int_equal(model_choose(2, fits), 0);
}

static void the_peak_and_the_range_of_predictions(void **state)
{
    NEEDS_NLOPT;
    struct measured measured;
    struct model_fit fit;
    measure(MODEL_USL, (double[]){2, 0.04, 0.0006}, 0, 1, &measured);
    model_fit(MODEL_USL, POINTS, measured.points, 1, &fit);
    assert_true(fabs(fit.peak - 40) < 0.01);
    assert_true(fit.most_workers == 128);
    assert_true(fabs(model_time_s(&fit, 1) - 2) < 1e-4);
    assert_true(fabs(model_time_s(&fit, 128) - law(MODEL_USL, 128, (double[]){2, 0.04, 0.0006})) < 1e-4);
    assert_true(isnan(model_time_s(&fit, 128.5)) && isnan(model_time_s(&fit, 0.5)));
    measure(MODEL_AMDAHL, (double[]){2, 0.04}, 0, 1, &measured);
    model_fit(MODEL_AMDAHL, POINTS, measured.points, 1, &fit);
    assert_true(isnan(fit.peak));
    measure(MODEL_USL, (double[]){2, 0.9, 0.9}, 0, 1, &measured);
    model_fit(MODEL_USL, POINTS, measured.points, 1, &fit);
    assert_true(fit.peak == 1);
}

static void the_unit_of_time_does_not_matter(void **state)
{
    NEEDS_NLOPT;
    for (enum model model = 0; model < MODEL_COUNT; model++) {
        struct measured measured, scaled;
        struct model_fit fit, other;
        measure(model, (double[]){2, 0.04, 0.0006}, 0.03, 5, &measured);
        measure(model, (double[]){2e6, 0.04, 0.0006}, 0.03, 5, &scaled);
        model_fit(model, POINTS, measured.points, 1, &fit);
        model_fit(model, POINTS, scaled.points, 1, &other);
        assert_true(fabs(other.parameters[0].value / fit.parameters[0].value / 1e6 - 1) < 1e-6);
        for (int k = 1; k < fit.parameter_count; k++) {
            assert_true(fabs(other.parameters[k].value - fit.parameters[k].value) < 1e-6);
            assert_true(fabs(other.parameters[k].low - fit.parameters[k].low) < 1e-6);
            assert_true(fabs(other.parameters[k].high - fit.parameters[k].high) < 1e-6);
        }
        assert_true(fabs(other.aicc - fit.aicc) < 1e-4);
        model_fit(model, POINTS, measured.points, 1, &other);
        assert_memory_equal(&other.parameters[1].low, &fit.parameters[1].low, sizeof(double)); /* the same seed */
    }
}

/* The argument: how many cases (fewer where it is slow). */
int main(int argument_count, char *arguments[])
{
    if (argument_count > 1) cases = atoi(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_laws_are_found_exactly),       cmocka_unit_test(laws_are_recovered_from_noise),
        cmocka_unit_test(no_point_of_a_grid_is_better),       cmocka_unit_test(too_few_points_are_refused),
        cmocka_unit_test(superlinear_times_identify_nothing), cmocka_unit_test(more_parameters_must_pay),
        cmocka_unit_test(without_aicc_amdahl_is_chosen),      cmocka_unit_test(the_peak_and_the_range_of_predictions),
        cmocka_unit_test(the_unit_of_time_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
