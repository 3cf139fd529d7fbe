/* The Monte Carlo kernels pi, option and ep on one rank: known answers, the borders of their domains, closed forms, and
 * the same bits for every number of threads and, as far as it goes, every instruction set. (On several ranks:
 * test_conformance.c; what is below the kernels: test_lanes.c, test_blocks.c, test_functions.c.)
 *
 *     test_montecarlo [CLASSES]     the classes of EP that are run, such as SWAB
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/isa.h"
#include "../kernels/kernel.h"
#include "../kernels/montecarlo/ars.h"
#include "../kernels/montecarlo/lognormal.h"
#include "../kernels/random.h"
#include "../src/worker/team.h"
#include "kernel_runs.h"
#include "montecarlo_codes.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 8 };

/* `options`: name, value, ..., up to a NULL. */
static struct problem problem_with(const char *kernel, const char *variant, const char *size,
                                   const char *const options[])
{
    struct problem problem = problem_of(kernel, variant, size);
    for (int i = 0; options && options[i]; i += 2) set_option(&problem, options[i], options[i + 1]);
    return problem;
}

static struct verdict verdict_of(const struct problem *problem, int threads)
{
    struct verdict verdict;
    struct team *team = new_team(threads);
    problem->kernel->teardown(run_problem(team, problem, &verdict));
    team_free(team);
    return verdict;
}

static const struct job {
    const char *kernel, *size;
    const char *options[OPTIONS_MAX];
} jobs[] = {
    {"pi", "20001", {NULL}},
    {"option", "9001", {NULL}},
    {"option", "2501", {"payoff", "asian", "steps", "5", NULL}},
    {"ep", "9001", {NULL}},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

/* Which bits of a result depend on the instruction set: those of reals in lanes, on whether they are fused. */
static bool is_of_lanes(const struct problem *problem)
{
    return strcmp(problem->kernel->name, "pi") != 0 && strcmp(problem->variant->name, "scalar") != 0;
}

static void threads_and_instruction_sets_do_not_matter(void **state)
{
    (void)state;
    enum { THREADS_MOST = 7 };
    for (int j = 0; j < JOBS; j++)
        for (const struct variant *variant = kernel_find(jobs[j].kernel)->variants; variant->name; variant++) {
            if (variant_unavailable(variant)) continue;
            struct verdict known[2] = {{.correct = false}};
            for (int isa = 0; isa <= (int)isa_best(); isa++)
                for (int threads = 1; threads <= THREADS_MOST; threads++) {
                    struct problem problem = problem_with(jobs[j].kernel, variant->name, jobs[j].size, jobs[j].options);
                    problem.isa = isa_name((enum isa)isa);
                    struct verdict verdict = verdict_of(&problem, threads);
                    bool fused = is_of_lanes(&problem) && montecarlo_code_find((enum isa)isa).fused;
                    if (!known[fused].correct) known[fused] = verdict;
                    assert_true(verdict.checksum == known[fused].checksum);
                    assert_memory_equal(&verdict.result, &known[fused].result, sizeof verdict.result);
                }
        }
}

static void unknown_instruction_sets_are_refused(void **state)
{
    (void)state;
    struct team *team = new_team(1);
    for (int j = 0; j < JOBS; j++) {
        struct problem problem = problem_with(jobs[j].kernel, NULL, jobs[j].size, jobs[j].options);
        void *work = &problem;
        problem.isa = "nosuch";
        assert_int_equal(problem.kernel->prepare(team, &problem, &work), -EINVAL);
        assert_null(work);
        problem.kernel->teardown(NULL);
    }
    team_free(team);
}

/* The variants do the same: pi to the last point, the others but for rounding. (Other random numbers, other answers.)
 */
static void scalar_and_vector_agree(void **state)
{
    (void)state;
    for (int j = 0; j < JOBS; j++) {
        const char *vector = strcmp(jobs[j].kernel, "ep") == 0 ? "vector" : "philox";
        struct problem plain = problem_with(jobs[j].kernel, "scalar", jobs[j].size, jobs[j].options);
        struct problem quick = problem_with(jobs[j].kernel, vector, jobs[j].size, jobs[j].options);
        struct verdict a = verdict_of(&plain, 1), b = verdict_of(&quick, 2);
        assert_true(fabs(a.result - b.result) <= 1e-10 * (1 + fabs(a.result)));
        if (strcmp(jobs[j].kernel, "pi") == 0) assert_true(a.checksum == b.checksum && a.result == b.result);
    }
}

static void run_class(const char *variant, const char *class)
{
    struct problem problem = problem_with("ep", variant, class, NULL);
    struct verdict verdict = verdict_of(&problem, 2);
    char expected[32];
    snprintf(expected, sizeof expected, "VERIFIED: class %s", class);
    if (!strstr(verdict.detail, expected) || strstr(verdict.detail, "NOT")) fail_msg("%s", verdict.detail);
}

static void classes_of_npb_are_verified(void **state)
{
    for (const char *class = *state; *class; class ++) run_class("vector", (char[2]){*class, '\0'});
    run_class("scalar", "S");
}

static void a_class_that_was_damaged_is_not_verified(void **state)
{
    (void)state;
    struct team *team = new_team(2);
    struct problem problem = problem_with("ep", NULL, "S", NULL);
    struct verdict verdict;
    void *work = run_problem(team, &problem, &verdict);
    int kinds = 0;
    while (problem.kernel->corrupt(work, kinds)) {
        assert_int_equal(problem.kernel->check(team, work, &verdict), 0);
        assert_false(verdict.correct);
        assert_null(strstr(verdict.detail, "VERIFIED: "));
        assert_int_equal(problem.kernel->reset(team, work), 0);
        assert_int_equal(problem.kernel->run(team, work), 0);
        kinds++;
    }
    assert_true(kinds >= 3);
    problem.kernel->teardown(work);
    team_free(team);
}

/* Of the output of NPB 3.3. */
static void pairs_of_class_s_fall_as_published(void **state)
{
    (void)state;
    static const uint64_t bins[EP_BINS] = {6140517, 5865300, 1100361, 68546, 1648, 17};
    struct named_code codes[CODES_MAX];
    int count = montecarlo_codes(codes);
    for (int c = 0; c < count; c++) {
        struct ep_sums sums;
        codes[c].code.ep(lcg46_multiply(271828183, LCG46_MULTIPLIER), 1 << 24, &sums);
        assert_memory_equal(sums.bins, bins, sizeof bins);
        assert_true(fabs(sums.x / -3.247834652034740e3 - 1) < 1e-8);
        assert_true(fabs(sums.y / -6.958407078382297e3 - 1) < 1e-8);
    }
}

/* Only the seed and the number of pairs that NPB prescribes have published sums. */
static void other_pairs_than_npbs_are_not_compared(void **state)
{
    (void)state;
    struct problem seed = problem_with("ep", NULL, "S", NULL), size = problem_with("ep", NULL, "16777215", NULL);
    struct problem same = problem_with("ep", NULL, "16777216", NULL);
    seed.seed = 271828185;
    assert_null(strstr(verdict_of(&seed, 2).detail, "VERIFIED"));
    assert_null(strstr(verdict_of(&size, 2).detail, "VERIFIED"));
    assert_non_null(strstr(verdict_of(&same, 2).detail, "VERIFIED: class S"));
}

/* Black and Scholes, discounted: 100 now, 105 to be paid, 5 %, 20 %, a year. */
#define BLACK_SCHOLES 8.021352235143176

static void european_options_cost_what_black_and_scholes_say(void **state)
{
    (void)state;
    for (const struct variant *variant = kernel_find("option")->variants; variant->name; variant++) {
        if (variant_unavailable(variant)) continue;
        struct problem problem = problem_with("option", variant->name, "400000", NULL);
        double error = 13.2 / sqrt(400000); /* the payoff's standard deviation is 13.14 */
        assert_true(fabs(verdict_of(&problem, 2).result - BLACK_SCHOLES) < 4 * error);
    }
}

/* The paths that option.c defines, in plain C: deviate `number` of those that a counter of the path has. */
static double deviate(bool ars, uint64_t seed, int64_t index, uint32_t group, int number)
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), group, 0};
    const uint32_t key[4] = {(uint32_t)seed, (uint32_t)(seed >> 32), 0, 0};
    uint32_t words[4];
    if (ars)
        ars4x32(counter, key, words);
    else
        philox4x32(counter, key, words);
    const uint32_t *pair = words + number / 2 * 2;
    double radius = sqrt(-2 * log((pair[0] + 0.5) / 0x1p32)), angle = 2 * M_PI * (pair[1] + 0.5) / 0x1p32;
    return radius * (number % 2 ? sin(angle) : cos(angle));
}

/* With the options' defaults. */
static double european_price(bool ars, uint64_t seed, int64_t paths)
{
    double sum = 0;
    for (int64_t path = 0; path < paths; path++)
        sum += fmax(100 * exp(0.03 + 0.2 * deviate(ars, seed, path / 4, 0, (int)(path % 4))) - 105, 0);
    return exp(-0.05) * sum / (double)paths;
}

static double asian_price(bool ars, uint64_t seed, int64_t paths, int steps)
{
    double sum = 0, control = 0, control_squares = 0, products = 0, n = (double)paths, m = steps;
    for (int64_t path = 0; path < paths; path++) {
        double move = 0, moves = 0, prices = 0;
        for (int step = 0; step < steps; step++) {
            move += 0.03 / m + 0.2 / sqrt(m) * deviate(ars, seed, path, 1 + (uint32_t)step / 4, step % 4);
            moves += move;
            prices += 100 * exp(move);
        }
        double gain = fmax(prices / m - 105, 0), geometric = fmax(100 * exp(moves / m) - 105, 0);
        sum += gain;
        control += geometric;
        control_squares += geometric * geometric;
        products += gain * geometric;
    }
    struct lognormal law = {.mean = log(100) + 0.03 * (m + 1) / (2 * m),
                            .deviation = 0.2 * sqrt((m + 1) * (2 * m + 1) / (6 * m * m))};
    double slope = (products / n - sum / n * control / n) / (control_squares / n - control / n * control / n);
    return exp(-0.05) * (sum / n - slope * (control / n - lognormal_call(law, 105)));
}

static void prices_are_those_of_the_paths_defined(void **state)
{
    (void)state;
    enum { PATHS = 5000, STEPS = 7 };
    const char *const asian[] = {"payoff", "asian", "steps", "7", NULL};
    for (const struct variant *variant = kernel_find("option")->variants; variant->name; variant++) {
        if (variant_unavailable(variant)) continue;
        bool ars = strcmp(variant->name, "ars") == 0;
        for (int is_asian = 0; is_asian <= 1; is_asian++) {
            struct problem problem = problem_with("option", variant->name, "5000", is_asian ? asian : NULL);
            problem.seed = UINT64_C(0x123456789abcdef1);
            double expected =
                is_asian ? asian_price(ars, problem.seed, PATHS, STEPS) : european_price(ars, problem.seed, PATHS);
            assert_true(fabs(verdict_of(&problem, 1).result - expected) < 1e-10);
        }
    }
}

static void asian_options_of_one_date_are_european(void **state)
{
    (void)state;
    const char *const options[] = {"payoff", "asian", "steps", "1", NULL};
    for (const struct variant *variant = kernel_find("option")->variants; variant->name; variant++) {
        if (variant_unavailable(variant)) continue;
        struct problem problem = problem_with("option", variant->name, "3000", options);
        /* The control variate is the price itself, so that nothing random is left. */
        assert_true(fabs(verdict_of(&problem, 1).result - BLACK_SCHOLES) < 1e-9);
    }
}

/* More dates, a mean that varies less: between the European price and that of the geometric mean. */
static void asian_options_are_cheaper(void **state)
{
    (void)state;
    double last = BLACK_SCHOLES;
    static const char *const steps[] = {"2", "3", "4", "5", "16", "61"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *const options[] = {"payoff", "asian", "steps", steps[i], NULL};
        struct problem problem = problem_with("option", NULL, "40000", options);
        double m = atof(steps[i]), price = verdict_of(&problem, 2).result;
        struct lognormal geometric = {.mean = log(100) + 0.03 * (m + 1) / (2 * m),
                                      .deviation = 0.2 * sqrt((m + 1) * (2 * m + 1) / (6 * m * m))};
        assert_true(price > exp(-0.05) * lognormal_call(geometric, 105) && price < last);
        last = price;
    }
}

/* Nothing random: the price grows at the rate alone. */
static void options_without_risk_are_worth_their_difference(void **state)
{
    (void)state;
    static const struct {
        const char *options[OPTIONS_MAX + 1];
        double price;
    } cases[] = {
        {{"volatility", "0", "strike", "90", "rate", "0", NULL}, 10},
        {{"volatility", "0", "strike", "100", "rate", "0.1", NULL}, 9.516258196404043}, /* 100 (1 - exp(-0.1)) */
        {{"maturity", "0", "strike", "99", NULL}, 1},
        {{"maturity", "0", "strike", "101", NULL}, 0},
        {{"volatility", "0", "strike", "100", "rate", "0", NULL}, 0},
        {{"volatility", "0", "strike", "90", "payoff", "asian", "rate", "0", NULL}, 10},
        {{"maturity", "0", "payoff", "asian", "steps", "3", "strike", "0", NULL}, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (const struct variant *variant = kernel_find("option")->variants; variant->name; variant++) {
            if (variant_unavailable(variant)) continue;
            struct problem problem = problem_with("option", variant->name, "12345", cases[i].options);
            assert_true(fabs(verdict_of(&problem, 2).result - cases[i].price) < 1e-9);
        }
}

static double option_of(const struct problem *problem, const char *name)
{
    int o = 0;
    while (strcmp(problem->kernel->options[o].name, name) != 0) o++;
    return problem->options[o];
}

/* All corners of the domain of its options: the answers are what a call can cost, and accepted. */
static void options_are_priced_up_to_the_borders(void **state)
{
    (void)state;
    static const char *const names[] = {"spot", "strike", "rate", "volatility", "maturity"};
    enum { NAMES = sizeof names / sizeof *names };
    const struct kernel *kernel = kernel_find("option");
    for (int corner = 0; corner < 1 << NAMES; corner++)
        for (int asian = 0; asian <= 1; asian++)
            for (const struct variant *variant = kernel->variants; variant->name; variant++) {
                const char *const options[] = {"payoff", asian ? "asian" : "european", "steps", "7", NULL};
                if (variant_unavailable(variant)) continue;
                struct problem problem = problem_with("option", variant->name, "1300", options);
                for (int i = 0; i < NAMES; i++)
                    for (int o = 0; kernel->options[o].name; o++)
                        if (strcmp(kernel->options[o].name, names[i]) == 0)
                            problem.options[o] = corner >> i & 1 ? kernel->options[o].max : kernel->options[o].min;
                struct verdict verdict = verdict_of(&problem, 1);
                double spot = option_of(&problem, "spot"), rate = option_of(&problem, "rate");
                double most = 10 * spot * exp(fmax(0, -rate * option_of(&problem, "maturity")));
                assert_true(verdict.result >= -0.01 * spot && verdict.result <= most);
                assert_null(strstr(verdict.detail, "nan"));
            }
    /* As many paths as are judged by their mean, and the most dates. */
    struct problem wild = problem_with("option", NULL, "20000", (const char *const[]){"volatility", "1", NULL});
    verdict_of(&wild, 2);
    struct problem dates =
        problem_with("option", NULL, "300", (const char *const[]){"payoff", "asian", "steps", "4096", NULL});
    verdict_of(&dates, 2);
}

/* Where rounding hides the variance, where hardly a path pays, and where all pay the same. */
static void right_prices_are_accepted(void **state)
{
    (void)state;
    static const char *const small[] = {"1e-12", "1e-9", "3e-9", "1e-8", "1e-7", "1e-6"};
    static const char *const strikes[] = {"0", "99", "100"};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        for (size_t k = 0; k < sizeof strikes / sizeof *strikes; k++)
            for (int asian = 0; asian <= 1; asian++) {
                const char *const options[] = {"payoff",     asian ? "asian" : "european",
                                               "steps",      "3",
                                               "rate",       "0",
                                               "volatility", small[i],
                                               "strike",     strikes[k],
                                               NULL};
                struct problem problem = problem_with("option", NULL, "20000", options);
                verdict_of(&problem, 2);
            }
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct problem problem = problem_with("option", NULL, "10000", (const char *const[]){"strike", "238", NULL});
        problem.seed = seed;
        verdict_of(&problem, 2);
    }
    struct problem same = problem_with("option", "scalar", "1M",
                                       (const char *const[]){"volatility", "0", "strike", "0", "spot", "242", NULL});
    verdict_of(&same, 2);
}

/* By Simpson's rule over the normal density, from where the payoff begins. */
static double integrate_call(struct lognormal law, double strike, int power)
{
    enum { INTERVALS = 20000 };
    double from = strike > 0 ? (log(strike) - law.mean) / law.deviation : -40, to = power * law.deviation + 40, sum = 0;
    if (from < -40) from = -40;
    double width = (to - from) / INTERVALS;
    for (int i = 0; i <= INTERVALS; i++) {
        double z = from + i * width, weight = i == 0 || i == INTERVALS ? 1 : i % 2 ? 4 : 2;
        double gain = fmax(exp(law.mean + law.deviation * z) - strike, 0);
        sum += weight * (power == 2 ? gain : 1) * gain * exp(-z * z / 2);
    }
    return sum * width / 3 / sqrt(2 * M_PI);
}

static void closed_forms_are_what_integration_gives(void **state)
{
    (void)state;
    static const struct lognormal laws[] = {{4.635170185988092, 0.2}, {4.6, 0.01}, {0, 1}, {-1, 3}, {2, 0.5}, {-10, 2}};
    static const double strikes[] = {0, 1e-3, 1, 50, 99, 105, 200};
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        for (size_t k = 0; k < sizeof strikes / sizeof *strikes; k++) {
            double mean = integrate_call(laws[i], strikes[k], 1), square = integrate_call(laws[i], strikes[k], 2);
            double scale = exp(laws[i].mean) + strikes[k];
            assert_true(fabs(lognormal_call(laws[i], strikes[k]) - mean) <= 1e-11 * (scale + mean));
            assert_true(fabs(lognormal_call_variance(laws[i], strikes[k]) - (square - mean * mean)) <=
                        1e-9 * (square + scale * scale));
        }
}

static void closed_forms_are_right_at_their_borders(void **state)
{
    (void)state;
    struct lognormal black_scholes = {.mean = log(100) + 0.03, .deviation = 0.2};
    assert_true(fabs(exp(-0.05) * lognormal_call(black_scholes, 105) - BLACK_SCHOLES) < 1e-12);
    assert_true(normal_below(0) == 0.5 && normal_below(-INFINITY) == 0 && normal_below(INFINITY) == 1);
    assert_true(fabs(normal_below(1.959963984540054) - 0.975) < 1e-15);
    assert_true(fabs(normal_below(-10) / 7.619853024160527e-24 - 1) < 1e-13);

    struct lognormal certain = {.mean = log(7), .deviation = 0};
    assert_true(fabs(lognormal_call(certain, 5) - 2) < 1e-14 && lognormal_call(certain, 8) == 0);
    assert_true(fabs(lognormal_call(certain, 0) - 7) < 1e-14);
    assert_true(lognormal_call_variance(certain, 5) < 1e-13 && lognormal_call_variance(certain, 8) == 0);

    /* Without a strike: mean and variance of the law itself. */
    struct lognormal law = {.mean = 0.5, .deviation = 0.75};
    double mean = exp(0.5 + 0.75 * 0.75 / 2);
    assert_true(fabs(lognormal_call(law, 0) / mean - 1) < 1e-14);
    assert_true(fabs(lognormal_call_variance(law, 0) / (mean * mean * expm1(0.75 * 0.75)) - 1) < 1e-13);
}

int main(int argc, char **argv)
{
    char *classes = argc > 1 ? argv[1] : (char[]){"SW"};
    if (argc > 2 || strspn(classes, "SWABCD") != strlen(classes)) {
        fprintf(stderr, "Usage: test_montecarlo [CLASSES]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_instruction_sets_do_not_matter),
        cmocka_unit_test(unknown_instruction_sets_are_refused),
        cmocka_unit_test(scalar_and_vector_agree),
        cmocka_unit_test_prestate(classes_of_npb_are_verified, classes),
        cmocka_unit_test(a_class_that_was_damaged_is_not_verified),
        cmocka_unit_test(pairs_of_class_s_fall_as_published),
        cmocka_unit_test(other_pairs_than_npbs_are_not_compared),
        cmocka_unit_test(european_options_cost_what_black_and_scholes_say),
        cmocka_unit_test(prices_are_those_of_the_paths_defined),
        cmocka_unit_test(asian_options_of_one_date_are_european),
        cmocka_unit_test(asian_options_are_cheaper),
        cmocka_unit_test(options_without_risk_are_worth_their_difference),
        cmocka_unit_test(options_are_priced_up_to_the_borders),
        cmocka_unit_test(right_prices_are_accepted),
        cmocka_unit_test(closed_forms_are_what_integration_gives),
        cmocka_unit_test(closed_forms_are_right_at_their_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
