/* The dials of the kernel synthetic, as a study sees them: launches with a fake clock, in which every item takes what
 * the dials say, and noise. Each dial must come back within the interval that the program prints, as often as such
 * intervals promise; and the sentence must name it. (bench_synthetic does the same with the kernel on a real machine.)
 */
#include "../src/analyse/curve.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 4000, BLOCKS = 10, WORKERS_MAX = 8 };

static int studies = 100;

struct dials {
    double serial, imbalance, compute_s, wait_s; /* of an item */
};

/* How many items of those that are dealt out. */
static double share_of(const struct dials *dials, int workers, int worker)
{
    double most = (1 + dials->imbalance) / workers;
    if (workers == 1) return ITEMS;
    return ITEMS * (worker == 0 ? most : (1 - most) / (workers - 1));
}

static void describe(int workers, int cores, struct config *config)
{
    *config = (struct config){.kernel = "synthetic", .variant = "blocking", .size = "4000", .isa = "generic"};
    config->mode = (struct mode){.nodes = 1, .map = "cores-first", .ranks = 1, .threads = workers};
    config->mode.name = workers == 1 ? MODE_SERIAL : cores == 1 ? MODE_MULTITASK : MODE_THREADS;
    config->mode.cpus.count = cores;
    for (int i = 0; i < cores; i++) config->mode.cpus.cpus[i] = i;
}

/* The fake launcher. Tasks that share cores compute and wait beside one another, until a core has no time left. */
static void add_launch(struct results *results, const struct dials *dials, int workers, int cores, int block,
                       uint64_t seed)
{
    struct worker_times times[WORKERS_MAX];
    struct sample sample;
    uint64_t key = hash_pair(hash_pair(seed, (uint64_t)block), (uint64_t)workers);
    double speed = noise_factor(0.01, hash_pair(seed, (uint64_t)block), 99) * noise_factor(0.003, key, 98);
    double serial_s = dials->serial * ITEMS * dials->compute_s * speed, needed_s = 0, most_s = 0;
    memset(times, 0, sizeof times);
    for (int w = 0; w < workers; w++) {
        double items = share_of(dials, workers, w) * noise_factor(0.0002, key, (uint64_t)w);
        times[w].cpu_s = items * (1 - dials->serial) * dials->compute_s * speed;
        needed_s += times[w].cpu_s;
        most_s = fmax(most_s, times[w].cpu_s + items * dials->wait_s);
    }
    sample_init(&sample);
    describe(workers, cores, &sample.config);
    sample.wall_s = serial_s + fmax(most_s, needed_s / cores);
    for (int w = 0; w < workers; w++) {
        times[w].serial_s = w == 0 ? serial_s : 0;
        times[w].cpu_s += times[w].serial_s;
        times[w].wait_s = fmax(0, needed_s / cores - most_s);
        times[w].wall_s = times[w].cpu_s + times[w].wait_s;
        times[w].idle_s = sample.wall_s - times[w].wall_s;
        times[w].end_s = sample.wall_s;
    }
    sample.worker_count = workers;
    sample.workers = times;
    sample.block = sample.launch = block;
    sample.work = ITEMS;
    sample.validity = SAMPLE_VALID;
    sample_derive(&sample);
    assert_int_equal(results_add(results, &sample), 0);
    sample.workers = NULL;
}

/* One task alone, then 2, 4 and 8, each with a core of its own or all on one. */
static void study(const struct dials *dials, bool one_core, uint64_t seed, struct results *results_p,
                  struct curves *curves_p)
{
    results_init(results_p);
    for (int block = 0; block < BLOCKS; block++)
        for (int workers = 1; workers <= WORKERS_MAX; workers *= 2)
            add_launch(results_p, dials, workers, one_core ? 1 : workers, block, seed);
    assert_int_equal(curves_build(results_p, 0, curves_p), 0);
}

static const struct curve *parallel_curve(const struct curves *curves)
{
    for (int c = 0; c < curves->count; c++)
        if (curves->curves[c].config->mode.name != MODE_SERIAL) return &curves->curves[c];
    fail_msg("there is no curve");
    return NULL;
}

static bool holds(double low, double high, double value)
{
    return low <= value && value <= high;
}

static void expect_often(const char *what, double value, int count)
{
    double chance = 3 * sqrt(studies * 0.93 * 0.07);
    print_message("%s %g: within its interval in %d of %d studies\n", what, value, count, studies);
    assert_true(count >= 0.93 * studies - chance);
}

static void assert_says(const char *sentence, const char *piece)
{
    if (!strstr(sentence, piece)) fail_msg("\"%s\" lacks \"%s\"", sentence, piece);
}

static void the_serial_share_comes_back(void **state)
{
    (void)state;
    static const double values[] = {0, 0.05, 0.2};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        const struct dials dials = {.serial = values[v], .compute_s = 1e-3};
        int karp_flatt = 0, balance = 0, amdahl = 0;
        bool fitted = true;
        for (int i = 0; i < studies; i++) {
            struct results results;
            struct curves curves;
            study(&dials, false, (uint64_t)i, &results, &curves);
            const struct curve *curve = parallel_curve(&curves);
            const struct curve_point *two = &curve->points[0];
            const struct model_fit *fit = &curve->fits[MODEL_AMDAHL];
            karp_flatt += holds(two->karp_flatt.low, two->karp_flatt.high, dials.serial);
            /* Two workers: a serial share of s looks like an imbalance of s. */
            const struct factors *factors = &two->factors;
            balance +=
                holds(factors->low[FACTOR_BALANCE], factors->high[FACTOR_BALANCE], 1 / (1 + dials.serial) - 1e-9);
            fitted = fit->state != MODEL_UNAVAILABLE;
            amdahl += holds(fit->parameters[1].low - 1e-6, fit->parameters[1].high, dials.serial);
            if (dials.serial > 0) assert_says(curve->sentence, "serial work: for ");
            if (dials.serial > 0) assert_says(curve->sentence, "one worker computed alone, while the others waited");
            curves_release(&curves);
            results_release(&results);
        }
        expect_often("Karp-Flatt, serial", dials.serial, karp_flatt);
        if (dials.serial > 0) expect_often("load balance of 2, serial", dials.serial, balance);
        if (fitted) expect_often("Amdahl's law, serial", dials.serial, amdahl);
    }
}

static void the_imbalance_comes_back(void **state)
{
    (void)state;
    static const double values[] = {0.2, 0.5};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
        const struct dials dials = {.imbalance = values[v], .compute_s = 1e-3};
        int balance[3] = {0};
        for (int i = 0; i < studies; i++) {
            struct results results;
            struct curves curves;
            study(&dials, false, (uint64_t)i, &results, &curves);
            const struct curve *curve = parallel_curve(&curves);
            for (int p = 0; p < 3; p++) {
                const struct factors *factors = &curve->points[p].factors;
                balance[p] +=
                    holds(1 / factors->high[FACTOR_BALANCE] - 1, 1 / factors->low[FACTOR_BALANCE] - 1, dials.imbalance);
            }
            assert_says(curve->sentence, "load balance: the busiest worker had ");
            assert_says(curve->sentence, " to ");
            curves_release(&curves);
            results_release(&results);
        }
        for (int p = 0; p < 3; p++) expect_often("imbalance", dials.imbalance, balance[p]);
    }
}

/* The noise of the workers' own is the only imbalance then: nothing is blamed. */
static void nothing_is_lost_where_no_dial_is_turned(void **state)
{
    (void)state;
    const struct dials dials = {.compute_s = 1e-3};
    for (int i = 0; i < studies; i++) {
        struct results results;
        struct curves curves;
        study(&dials, false, (uint64_t)i, &results, &curves);
        const struct curve *curve = parallel_curve(&curves);
        assert_says(curve->sentence, "hardly anything is lost");
        assert_true(curve->points[0].factors.value[FACTOR_BALANCE] > 0.995);
        assert_true(isnan(curve->waiting_bound));
        curves_release(&curves);
        results_release(&results);
    }
}

/* On one core, and with a core each. */
static void the_share_of_waiting_comes_back(void **state)
{
    (void)state;
    static const double values[] = {0, 0.5, 0.8};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (int one_core = 0; one_core < 2; one_core++) {
            const struct dials dials = {.compute_s = 1e-3, .wait_s = 1e-3 * values[v] / (1 - values[v])};
            int waiting = 0, speedups[3] = {0};
            for (int i = 0; i < studies; i++) {
                struct results results;
                struct curves curves;
                study(&dials, one_core == 1, (uint64_t)i, &results, &curves);
                const struct curve *curve = parallel_curve(&curves);
                /* Of an item, noise makes the computing longer, and not the wait. */
                waiting += holds(curve->waiting.low - 1e-9, curve->waiting.high + 1e-9, values[v]);
                for (int p = 0; p < 3; p++) {
                    double workers = curve->points[p].workers, bound = one_core ? 1 / (1 - values[v]) : workers;
                    const struct spread *speedup = &curve->points[p].speedup;
                    speedups[p] += holds(speedup->low, speedup->high, fmin(workers, bound));
                }
                curves_release(&curves);
                results_release(&results);
            }
            expect_often(one_core ? "one core, waiting" : "a core each, waiting", values[v], waiting);
            for (int p = 0; p < 3; p++) expect_often("  speedup, waiting", values[v], speedups[p]);
        }
}

/* The argument: how many studies (fewer where it is slow). */
int main(int argument_count, char *arguments[])
{
    if (argument_count > 1) studies = atoi(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_serial_share_comes_back),
        cmocka_unit_test(the_imbalance_comes_back),
        cmocka_unit_test(nothing_is_lost_where_no_dial_is_turned),
        cmocka_unit_test(the_share_of_waiting_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
