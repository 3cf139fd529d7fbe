/* Rank distributions against counting; and two sets of results: no difference where there is none, the difference where
 * there is one, and a reason where nothing can be said. */
#include "../src/analyse/compare.h"
#include "../src/analyse/ranks.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cases = 1000;

/* In all cases but for chance, which is wide where there are few. */
static void assert_share(int found, double share)
{
    double chance = cases < 500 ? 3 * sqrt(cases * share * (1 - share)) : 0;
    if (found < share * cases - chance) fail_msg("%d of %d are less than %g %%", found, cases, 100 * share);
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12)) fail_msg("%.17g is not %.17g", a, b);
}

static void rank_sums_are_counted_exactly(void **state)
{
    (void)state;
    /* Every way to choose which m of m + n places belong to the first set. */
    for (int m = 1; m <= 5; m++)
        for (int n = 1; n <= 6; n++) {
            int ways[31] = {0}, all = 0;
            for (unsigned set = 0; set < 1u << (m + n); set++) {
                int first = 0, u = 0;
                for (int place = 0; place < m + n; place++)
                    if (set >> place & 1)
                        first++;
                    else
                        u += first;
                if (first == m) ways[u]++, all++;
            }
            for (int u = 0, sum = 0; u <= m * n; u++) {
                sum += ways[u];
                assert_near(rank_sum_tail(m, n, u), (double)sum / all);
            }
        }
    assert_near(rank_sum_tail(20, 20, 199), 1 - rank_sum_tail(20, 20, 200));                /* symmetric about 200 */
    assert_true(rank_sum_tail(8, 8, 13) <= 0.025 && rank_sum_tail(8, 8, 14) > 0.025);       /* tables: 13 */
    assert_true(rank_sum_tail(20, 20, 127) <= 0.025 && rank_sum_tail(20, 20, 128) > 0.025); /* 127 */
    assert_true(rank_sum_tail(3, 4, -1) == 0);
    assert_near(rank_sum_tail(3, 4, 12), 1);
    /* Where it becomes an approximation, it goes on smoothly. */
    assert_true(fabs(rank_sum_tail(20, 21, 140) - rank_sum_tail(21, 20, 140)) < 1e-12);
    assert_true(fabs(rank_sum_tail(20, 20, 127) - 0.5 * erfc(72.5 / sqrt(400 * 41 / 12.0) * M_SQRT1_2)) < 1e-3);
}

static void signs_are_counted_exactly(void **state)
{
    (void)state;
    assert_near(sign_tail(6, 0), 1 / 64.0);
    assert_near(sign_tail(10, 1), 11 / 1024.0);
    assert_near(sign_tail(9, 9), 1);
    assert_true(sign_tail(9, -1) == 0);
}

/* Results to order: launches of `configs` configurations (numbers of workers), a sample each. */
struct recipe {
    int configs, launches;
    double deviation, wall_s;
    double block_deviation; /* of what hits a whole block */
    uint64_t seed;
};

static void add_sample(struct results *results, int config, int launch, int block, double wall_s, double work,
                       enum validity validity)
{
    struct sample sample;
    sample_init(&sample);
    sample.config =
        (struct config){.kernel = "pi", .variant = "philox", .size = "1000", .isa = "generic", .mode = {.nodes = 1}};
    sample.config.mode =
        (struct mode){.nodes = 1, .map = "cores-first", .name = MODE_THREADS, .ranks = 1, .threads = config + 1};
    sample.launch = launch;
    sample.block = block;
    sample.wall_s = wall_s;
    sample.work = work;
    sample.rate = work / wall_s;
    sample.validity = validity;
    if (validity == SAMPLE_INVALID) strcpy(sample.invalid_reason, "another program held a CPU");
    assert_int_equal(results_add(results, &sample), 0);
}

static void measure(const struct recipe *recipe, struct results *results_p)
{
    results_init(results_p);
    for (int block = 0; block < recipe->launches; block++)
        for (int config = 0; config < recipe->configs; config++) {
            int launch = block * recipe->configs + config;
            double shared = noise_factor(recipe->block_deviation, 4242, (uint64_t)block);
            double own = noise_factor(recipe->deviation, recipe->seed, (uint64_t)launch);
            add_sample(results_p, config, launch, block, recipe->wall_s * shared * own, 1000, SAMPLE_VALID);
        }
}

/* The caller frees. */
static struct comparison *compare(const struct recipe *before, const struct recipe *after, bool paired, int *count_p)
{
    struct results first, second;
    measure(before, &first);
    measure(after, &second);
    struct comparison *comparisons = compare_results(&first, &second, paired, count_p);
    assert_non_null(comparisons);
    for (int i = 0; i < *count_p; i++) {
        const struct comparison *comparison = &comparisons[i];
        if (comparison->verdict == COMPARE_IMPOSSIBLE) continue;
        bool excludes = comparison->ratio.interval && (comparison->ratio.low > 1 || comparison->ratio.high < 1);
        assert_int_equal(excludes, comparison->verdict != COMPARE_UNDECIDED);
        assert_int_equal(comparison->p_adjusted <= 0.05, comparison->verdict != COMPARE_UNDECIDED);
        assert_true(comparison->p <= comparison->p_adjusted);
        assert_true(comparison->ratio.low <= comparison->ratio.middle &&
                    comparison->ratio.middle <= comparison->ratio.high);
    }
    results_release(&first);
    results_release(&second);
    return comparisons;
}

/* In how many cases any of the configurations is told to differ, and in how many of those slower. */
static int count_found(struct recipe before, struct recipe after, bool paired, int *slower_p)
{
    int found = 0;
    *slower_p = 0;
    for (int i = 0; i < cases; i++) {
        int count, differs = 0, slower = 0;
        before.seed = 2 * (uint64_t)i + 1;
        after.seed = 2 * (uint64_t)i + 2;
        struct comparison *comparisons = compare(&before, &after, paired, &count);
        for (int k = 0; k < count; k++) {
            differs |= comparisons[k].verdict != COMPARE_UNDECIDED;
            slower |= comparisons[k].verdict == COMPARE_SLOWER;
        }
        found += differs;
        *slower_p += slower;
        free(comparisons);
    }
    return found;
}

static void nothing_is_found_where_nothing_is(void **state)
{
    (void)state;
    for (int paired = 0; paired < 2; paired++)
        for (int configs = 1; configs <= 5; configs += 4) {
            const struct recipe recipe = {configs, 12, 0.02, 1, 0, 0};
            int slower, found = count_found(recipe, recipe, paired, &slower);
            print_message("A/A, %d configuration%s%s: no difference in %d of %d\n", configs, configs > 1 ? "s" : "",
                          paired ? ", paired" : "", cases - found, cases);
            assert_share(cases - found, 0.93);
        }
}

static void five_percent_are_found(void **state)
{
    (void)state;
    static const struct {
        int configs, launches;
        double block_deviation;
        bool paired;
        double least;
    } designs[] = {
        {1, 6, 0, false, 0.75},  {1, 9, 0, false, 0.93}, {1, 12, 0, false, 0.95},
        {5, 12, 0, false, 0.95}, {1, 12, 0, true, 0.85}, {1, 12, 0.2, true, 0.85},
    };
    for (size_t i = 0; i < sizeof designs / sizeof *designs; i++) {
        struct recipe before = {designs[i].configs, designs[i].launches, 0.02, 1, designs[i].block_deviation, 0};
        struct recipe after = before;
        after.wall_s = 1.05;
        int slower, found = count_found(before, after, designs[i].paired, &slower);
        print_message("5 %% slower at 2 %% noise, %d launches, %d configurations%s: found in %d of %d\n",
                      designs[i].launches, designs[i].configs, designs[i].paired ? ", paired" : "", slower, cases);
        assert_share(slower, designs[i].least);
        assert_true(found - slower <= 0.02 * cases);
    }
}

static void the_estimate_and_the_slowdown(void **state)
{
    (void)state;
    int count;
    const struct recipe before = {2, 12, 0.01, 1, 0, 1}, slower = {2, 12, 0.01, 1.25, 0, 2};
    struct comparison *comparisons = compare(&before, &slower, false, &count);
    assert_int_equal(count, 2);
    assert_true(fabs(comparisons[0].ratio.middle - 0.8) < 0.01);
    assert_int_equal(comparisons[0].ratio.count, 12);
    assert_true(comparisons[0].before_count == 12 && comparisons[0].after_count == 12);
    double slowdown = compare_slowdown(count, comparisons);
    assert_true(slowdown > 0.18 && slowdown < 0.2);
    free(comparisons);
    comparisons = compare(&slower, &before, false, &count);
    assert_int_equal(comparisons[1].verdict, COMPARE_FASTER);
    assert_true(compare_slowdown(count, comparisons) == 0);
    free(comparisons);
    comparisons = compare(&before, &before, false, &count); /* the same file twice: all ties */
    assert_int_equal(comparisons[0].verdict, COMPARE_UNDECIDED);
    assert_true(comparisons[0].p == 1 && comparisons[0].ratio.middle == 1);
    free(comparisons);
}

/* Many launches: by approximation. */
static void many_launches_are_compared_too(void **state)
{
    (void)state;
    int count;
    const struct recipe before = {1, 60, 0.05, 1, 0, 1}, slower = {1, 60, 0.05, 1.05, 0, 2};
    struct comparison *comparisons = compare(&before, &slower, false, &count);
    assert_int_equal(comparisons[0].verdict, COMPARE_SLOWER);
    assert_true(fabs(comparisons[0].ratio.middle - 1 / 1.05) < 0.02);
    free(comparisons);
}

static void holm_adjusts_step_by_step(void **state)
{
    (void)state;
    struct results before, after;
    int count;
    results_init(&before);
    results_init(&after);
    /* `after` is slower, but for so many of the 36 pairs. */
    static const int crossed[] = {5, 0, 1, 20};
    for (int config = 0; config < 4; config++)
        for (int k = 0; k < 6; k++) {
            int moved = crossed[config] - 6 * k;
            moved = moved < 0 ? 0 : moved > 6 ? 6 : moved;
            add_sample(&before, config, k, k, 1 + 0.01 * k, 1000, SAMPLE_VALID);
            add_sample(&after, config, k, k, moved ? 1.055 - 0.01 * moved + 1e-4 * k : 2 + 0.01 * k, 1000,
                       SAMPLE_VALID);
        }
    struct comparison *comparisons = compare_results(&before, &after, false, &count);
    assert_non_null(comparisons);
    assert_int_equal(count, 4);
    double p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = fmin(1, 2 * rank_sum_tail(6, 6, crossed[i] <= 18 ? crossed[i] : 36 - crossed[i]));
        assert_near(comparisons[i].p, p[i]);
    }
    assert_near(comparisons[1].p_adjusted, 4 * p[1]);
    assert_near(comparisons[2].p_adjusted, 3 * p[2]);
    assert_near(comparisons[0].p_adjusted, 2 * p[0]);
    assert_near(comparisons[3].p_adjusted, fmin(1, p[3]));
    assert_int_equal(comparisons[1].verdict, COMPARE_SLOWER);
    assert_int_equal(comparisons[2].verdict, COMPARE_SLOWER);
    assert_int_equal(comparisons[0].verdict, COMPARE_UNDECIDED); /* p is 0.041, but two are left */
    assert_int_equal(comparisons[3].verdict, COMPARE_UNDECIDED);
    assert_true(comparisons[0].ratio.low < 1 && comparisons[0].ratio.high > 1);
    free(comparisons);
    results_release(&before);
    results_release(&after);
}

static void what_cannot_be_compared_says_why(void **state)
{
    (void)state;
    struct results before, after;
    int count;
    results_init(&before);
    results_init(&after);
    for (int k = 0; k < 8; k++) {
        add_sample(&before, 0, 3 * k, k, 1, 1000, SAMPLE_VALID);
        add_sample(&before, 1, 3 * k + 1, k, 1, 1000, SAMPLE_VALID);
        add_sample(&before, 2, 3 * k + 2, k, 1, 1000, SAMPLE_VALID);
        add_sample(&after, 3, 3 * k, k, 1, 1000, SAMPLE_VALID);
        add_sample(&after, 1, 3 * k + 1, k, 1, 1000, SAMPLE_INVALID);
        if (k < 1) add_sample(&after, 2, 3 * k + 2, k, 2, 1000, SAMPLE_VALID);
    }
    struct comparison *comparisons = compare_results(&before, &after, false, &count);
    assert_non_null(comparisons);
    assert_int_equal(count, 4);
    static const char *const reasons[] = {
        "measured only before",
        "no valid sample after: another program held a CPU",
        "launches: 8 and 1, too few for any decision; 4 and 4 would do",
        "measured only after",
    };
    for (int i = 0; i < count; i++) {
        assert_int_equal(comparisons[i].verdict, COMPARE_IMPOSSIBLE);
        assert_true(isnan(comparisons[i].p) && isnan(comparisons[i].p_adjusted));
        assert_string_equal(comparisons[i].reason, reasons[i]);
    }
    assert_null(comparisons[0].after);
    assert_null(comparisons[3].before);
    assert_int_equal(comparisons[0].before_count, 8);
    assert_int_equal(comparisons[3].after_count, 8);
    free(comparisons);
    comparisons = compare_results(&before, &after, true, &count);
    assert_non_null(comparisons);
    assert_string_equal(comparisons[1].reason, "no valid sample after: another program held a CPU");
    assert_string_equal(comparisons[2].reason, "pairs of launches: 1, too few for any decision; it takes 6");
    free(comparisons);
    results_release(&before);
    results_release(&after);
    results_init(&before);
    comparisons = compare_results(&before, &before, false, &count);
    assert_non_null(comparisons);
    assert_int_equal(count, 0);
    free(comparisons);
}

static void too_few_launches_for_so_many_configurations(void **state)
{
    (void)state;
    int count;
    const struct recipe before = {5, 6, 0.02, 1, 0, 1}, slower = {5, 6, 0.02, 2, 0, 2};
    struct comparison *comparisons = compare(&before, &slower, true, &count);
    assert_int_equal(comparisons[0].verdict, COMPARE_UNDECIDED);
    assert_string_equal(comparisons[0].reason,
                        "with 5 configurations compared, it takes 8 pairs to show a difference in any");
    free(comparisons);
}

/* A launch of many samples is one launch; and where the work differs, rates are compared. */
static void a_launch_is_the_unit(void **state)
{
    (void)state;
    struct results before, after;
    int count;
    results_init(&before);
    results_init(&after);
    for (int launch = 0; launch < 5; launch++)
        for (int repeat = 0; repeat < 3; repeat++) {
            add_sample(&before, 0, launch, launch, 1 + 0.01 * launch + repeat, 1000, SAMPLE_VALID);
            add_sample(&after, 0, launch, launch, 1 + 0.01 * launch + repeat, 2000, SAMPLE_VALID);
        }
    struct comparison *comparisons = compare_results(&before, &after, false, &count);
    assert_non_null(comparisons);
    assert_int_equal(comparisons[0].before_count, 5);
    assert_int_equal(comparisons[0].after_count, 5);
    assert_int_equal(comparisons[0].verdict, COMPARE_FASTER);
    assert_near(comparisons[0].ratio.middle, 2);
    free(comparisons);
    results_release(&before);
    results_release(&after);
}

/* The argument: how many cases (fewer where it is slow). */
static void add_references(struct results *results, double rate)
{
    static const double steadiness[] = {0.98, 0.99, 1, 1.01, 1.02}; /* half lie within 1 % */
    results_init(results);
    for (int i = 0; i < 5; i++)
        assert_int_equal(results_add_reference(results, json_pack("{s:[f]}", "flop_per_s", rate * steadiness[i])), 0);
}

/* What a machine of another speed would explain is no difference between programs. */
static void the_machines_own_speed_is_allowed_for(void **state)
{
    (void)state;
    struct results before, after, none;
    add_references(&before, 1e9);
    add_references(&after, 1.05e9);
    results_init(&none);
    struct comparison all[] = {{.verdict = COMPARE_FASTER, .ratio = {.low = 1.03, .high = 1.04}},
                               {.verdict = COMPARE_FASTER, .ratio = {.low = 1.07, .high = 1.08}},
                               {.verdict = COMPARE_SLOWER, .ratio = {.low = 0.95, .high = 0.96}},
                               {.verdict = COMPARE_SLOWER, .ratio = {.low = 0.90, .high = 0.92}},
                               {.verdict = COMPARE_FASTER, .paired = true, .ratio = {.low = 1.01, .high = 1.02}}};
    assert_true(isnan(compare_allow_drift(&none, &after, 5, all)));
    assert_int_equal(all[0].verdict, COMPARE_FASTER);
    assert_true(fabs(compare_allow_drift(&before, &after, 5, all) - 1.05) < 1e-9);
    assert_int_equal(all[0].verdict, COMPARE_UNDECIDED);
    assert_non_null(strstr(all[0].reason, "5.0 %"));
    assert_int_equal(all[1].verdict, COMPARE_FASTER);
    assert_int_equal(all[2].verdict, COMPARE_UNDECIDED);
    assert_int_equal(all[3].verdict, COMPARE_SLOWER);
    assert_int_equal(all[4].verdict, COMPARE_FASTER);
    results_release(&before);
    results_release(&after);
}

int main(int argument_count, char *arguments[])
{
    if (argument_count > 1) cases = atoi(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machines_own_speed_is_allowed_for),
        cmocka_unit_test(rank_sums_are_counted_exactly),
        cmocka_unit_test(signs_are_counted_exactly),
        cmocka_unit_test(nothing_is_found_where_nothing_is),
        cmocka_unit_test(five_percent_are_found),
        cmocka_unit_test(the_estimate_and_the_slowdown),
        cmocka_unit_test(many_launches_are_compared_too),
        cmocka_unit_test(holm_adjusts_step_by_step),
        cmocka_unit_test(what_cannot_be_compared_says_why),
        cmocka_unit_test(too_few_launches_for_so_many_configurations),
        cmocka_unit_test(a_launch_is_the_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
