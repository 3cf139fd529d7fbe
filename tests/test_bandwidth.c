/* What is said of the memory's bandwidth and of caches: where it is the loss, where it is the gain, and where neither
 * is known. */
#include "../src/analyse/factors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024.0
#define MIB (1024 * KIB)

/* Workers that have nothing but useful time. */
struct recipe {
    const char *kernel, *unit, *size;
    int workers, cpus;
    double wall_s, ceiling_rate;
};

static const double work = 24e9;
static const double caches[3] = {48 * KIB, 2 * MIB, 0};

static void add(struct results *results, const struct recipe *recipe)
{
    struct sample sample;
    struct problem problem;
    sample_init(&sample);
    problem_init(kernel_find(recipe->kernel), &problem);
    assert_int_equal(problem.kernel->parse_size(recipe->size, &problem.size), 0);
    config_from_problem(&problem, &sample.config);
    sample.config.mode = (struct mode){.nodes = 1,
                                       .map = "cores-first",
                                       .name = recipe->workers > 1 ? MODE_THREADS : MODE_SERIAL,
                                       .ranks = 1,
                                       .threads = recipe->workers};
    sample.config.mode.cpus.count = recipe->cpus;
    for (int i = 0; i < recipe->cpus; i++) sample.config.mode.cpus.cpus[i] = i;
    sample.validity = SAMPLE_VALID;
    sample.wall_s = recipe->wall_s;
    sample.work = work;
    snprintf(sample.work_unit, sizeof sample.work_unit, "%s", recipe->unit);
    sample.rate = work / recipe->wall_s;
    sample.ceiling_rate = recipe->ceiling_rate;
    sample.worker_count = recipe->workers;
    sample.workers = calloc((size_t)recipe->workers, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int w = 0; w < recipe->workers; w++) sample.workers[w].wall_s = sample.workers[w].cpu_s = recipe->wall_s;
    assert_int_equal(results_add(results, &sample), 0);
    sample_release(&sample);
}

static struct bandwidth sentence_of(const struct recipe *base, const struct recipe *recipe, const double cache_bytes[3],
                                    char sentence_p[512])
{
    struct results results;
    struct factors factors;
    results_init(&results);
    add(&results, base);
    add(&results, recipe);
    assert_int_equal(results.group_count, 2);
    const struct group *groups = results.groups;
    factors_of(&groups[0], &groups[1], &factors);
    bandwidth_find_caches(cache_bytes, &groups[0].config, &groups[1].config, &factors.bandwidth);
    factors_sentence(&factors, &groups[1], 512, sentence_p);
    if (getenv("SHOW_SENTENCES")) print_message("%3zu %s\n", strlen(sentence_p), sentence_p);
    assert_in_range(strlen(sentence_p), 1, 300);
    assert_null(strstr(sentence_p, "nan"));
    results_release(&results);
    return factors.bandwidth;
}

static bool says(const char *sentence, const char *piece)
{
    return strstr(sentence, piece) != NULL;
}

static const struct recipe one = {"triad", "byte", "64000000", 1, 1, 1, 25e9};

/* Two cores that get 1.25 times the bandwidth of one, and use it. */
static void shared_bandwidth_is_the_loss(void **state)
{
    (void)state;
    struct recipe two = {"triad", "byte", "64000000", 2, 2, 0.8, 32e9};
    char sentence[512];
    struct bandwidth bandwidth = sentence_of(&one, &two, caches, sentence);
    assert_true(fabs(bandwidth.share - 30.0 / 32) < 1e-12 && bandwidth.ceiling_rate == 32e9);
    assert_true(says(sentence, "2 workers: 1.25 times as fast as one task; most of the loss (100 %) is computation: "
                               "memory bandwidth, which these cores share: they reach 94 % of the most that they can "
                               "get (32 GB/s), so the same work took 1.60 times as much CPU time."));
    /* Far from what they can get, or beyond it: something else. */
    static const double others[] = {60e9, 20e9, NAN, 0, -1, INFINITY};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        two.ceiling_rate = others[i];
        sentence_of(&one, &two, caches, sentence);
        assert_false(says(sentence, "memory bandwidth"));
        assert_true(says(sentence, "as where cores share memory or caches"));
    }
}

/* Bytes of messages, and operations, have no such ceiling. */
static void other_work_has_no_bandwidth(void **state)
{
    (void)state;
    struct recipe base = {"matmul", "flop", "500", 1, 1, 1, 25e9}, two = base;
    char sentence[512];
    two.workers = two.cpus = 2;
    two.wall_s = 0.8;
    struct bandwidth bandwidth = sentence_of(&base, &two, caches, sentence);
    assert_true(isnan(bandwidth.share) && isnan(bandwidth.ceiling_rate));
    assert_false(bandwidth_is_used_up(&bandwidth) || bandwidth_is_exceeded(&bandwidth));
    assert_false(says(sentence, "bandwidth"));
    two.wall_s = 0.4;
    bandwidth = sentence_of(&base, &two, caches, sentence);
    assert_int_equal(bandwidth.cache_level, 0);
    assert_true(says(sentence, "as where smaller parts fit into the caches"));
}

/* 3 MiB: more than the L2 cache of one core, and less than those of two. */
static void caches_of_several_cores_explain_more_than_ideal(void **state)
{
    (void)state;
    struct recipe base = {"triad", "byte", "131000", 1, 1, 1, 20e9}, two = base;
    char sentence[512];
    two.workers = two.cpus = 2;
    two.wall_s = 0.25;
    struct bandwidth bandwidth = sentence_of(&base, &two, caches, sentence);
    assert_int_equal(bandwidth.cache_level, 2);
    assert_int_equal(bandwidth.cache_count, 2);
    assert_true(bandwidth_is_exceeded(&bandwidth));
    assert_true(says(sentence, "more than the ideal 2: superlinear: the arrays (3.06 MiB) fit into 2 L2 caches (2 MiB "
                               "each), not into those of the base, and the same work took 0.50 times the CPU time."));
    /* No faster than ideal: nothing is to be explained. */
    two.wall_s = 0.5;
    sentence_of(&base, &two, caches, sentence);
    assert_false(says(sentence, "superlinear"));
}

static void caches_that_explain_nothing_are_not_named(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        int workers, cpus;
        double caches[3];
    } cases[] = {
        {"64000000", 2, 2, {48 * KIB, 2 * MIB, 0}}, /* fit nowhere */
        {"1000", 2, 2, {2048 * KIB, 2 * MIB, 0}},   /* into one already */
        {"131000", 2, 1, {48 * KIB, 2 * MIB, 0}},   /* two tasks have no more caches than one */
        {"131000", 2, 2, {0, 0, 0}},                /* not known */
        {"131000", 2, 2, {NAN, -1, NAN}},           /* nonsense */
        {"131000", 2, 2, {48 * KIB, 0, 2 * MIB}},   /* the last cache is one for both */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recipe base = {"triad", "byte", cases[i].size, 1, 1, 1, 20e9}, two = base;
        char sentence[512];
        two.workers = cases[i].workers;
        two.cpus = cases[i].cpus;
        two.wall_s = 0.25;
        struct bandwidth bandwidth = sentence_of(&base, &two, cases[i].caches, sentence);
        if (bandwidth.cache_level != 0) fail_msg("case %zu: L%d", i, bandwidth.cache_level);
        assert_true(says(sentence, "as where smaller parts fit into the caches"));
    }
}

/* A part of the same size for each worker fits or does not, as before. */
static void weak_scaling_does_not_gain_caches(void **state)
{
    (void)state;
    struct recipe base = {"triad", "byte", "131000", 1, 1, 1, 20e9}, two = base;
    char sentence[512];
    two.size = "150000";
    two.workers = two.cpus = 2;
    two.wall_s = 0.25;
    assert_int_equal(sentence_of(&base, &two, caches, sentence).cache_level, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_bandwidth_is_the_loss),
        cmocka_unit_test(other_work_has_no_bandwidth),
        cmocka_unit_test(caches_of_several_cores_explain_more_than_ideal),
        cmocka_unit_test(caches_that_explain_nothing_are_not_named),
        cmocka_unit_test(weak_scaling_does_not_gain_caches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
