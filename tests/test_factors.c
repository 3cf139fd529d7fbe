/* The product of the factors is the speedup, on samples of every kind of loss; and the sentences name that loss. */
#include "../src/analyse/factors.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 8 };

/* One configuration; block by block the same, unless noise is wanted. */
struct recipe {
    int workers, cpus;
    double wall_s, work;
    double useful_wall_s[WORKERS], useful_cpu_s[WORKERS];
};

/* Of a command. */
struct outside {
    const char *time;       /* what is timed */
    const char *unobserved; /* nothing was seen of its tasks; NULL */
};

/* outside NULL: of a kernel. */
static void add_block_of(struct results *results, const struct recipe *recipe, const struct outside *outside, int block,
                         double stretch)
{
    struct sample sample;
    sample_init(&sample);
    struct config *config = &sample.config;
    *config =
        (struct config){.kernel = "pi", .variant = "philox", .size = "1000", .isa = "generic", .mode = {.nodes = 1}};
    config->mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = recipe->workers > 1 ? MODE_THREADS : MODE_SERIAL, .ranks = 1};
    config->mode.threads = recipe->workers;
    config->mode.cpus.count = recipe->cpus;
    for (int i = 0; i < recipe->cpus; i++) config->mode.cpus.cpus[i] = i;
    sample.block = block;
    sample.wall_s = recipe->wall_s * stretch;
    sample.work = recipe->work;
    sample.rate = sample.work / sample.wall_s;
    sample.validity = SAMPLE_VALID;
    if (outside) {
        *config->variant = '\0';
        snprintf(config->command.words, sizeof config->command.words, "./app");
        config->command.word_count = 1;
        snprintf(config->command.time, sizeof config->command.time, "%s", outside->time);
        snprintf(config->command.launcher, sizeof config->command.launcher, recipe->workers > 1 ? "mpirun" : "none");
    }
    if (outside && outside->unobserved)
        snprintf(sample.unobserved, sizeof sample.unobserved, "%s", outside->unobserved);
    sample.worker_count = outside && outside->unobserved ? 0 : recipe->workers;
    sample.workers = calloc((size_t)recipe->workers, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int w = 0; w < sample.worker_count; w++) {
        sample.workers[w].wall_s = recipe->useful_wall_s[w] * stretch;
        sample.workers[w].cpu_s = recipe->useful_cpu_s[w] * stretch;
    }
    assert_int_equal(results_add(results, &sample), 0);
    sample_release(&sample);
}

static void add_block(struct results *results, const struct recipe *recipe, int block, double stretch)
{
    add_block_of(results, recipe, NULL, block, stretch);
}

static const struct recipe one = {1, 1, 3, 3000, {3}, {3}};

/* Factors of a recipe against `base`, from one block. */
static struct factors factors_outside(const struct recipe *base, const struct outside *base_outside,
                                      const struct recipe *recipe, const struct outside *outside, char sentence_p[512])
{
    struct results results;
    struct factors factors;
    results_init(&results);
    add_block_of(&results, base, base_outside, 0, 1);
    add_block_of(&results, recipe, outside, 0, 1);
    const struct group *group = &results.groups[results.group_count - 1];
    factors_of(&results.groups[0], group, &factors);
    factors_sentence(&factors, group, 512, sentence_p);
    size_t length = strlen(sentence_p);
    if (getenv("SHOW_SENTENCES")) print_message("%3zu %s\n", length, sentence_p);
    assert_in_range(length, 1, 300);
    assert_int_equal(sentence_p[length - 1], '.');
    assert_null(strstr(sentence_p, "nan"));
    results_release(&results);
    return factors;
}

static struct factors factors_against(const struct recipe *base, const struct recipe *recipe, char sentence_p[512])
{
    return factors_outside(base, NULL, recipe, NULL, sentence_p);
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fabs(b))) fail_msg("%.17g is not %.17g", a, b);
}

static void assert_says(const char *sentence, const char *piece)
{
    if (!strstr(sentence, piece)) fail_msg("\"%s\" lacks \"%s\"", sentence, piece);
}

struct expectation {
    struct recipe recipe;
    enum factor worst;
    double speedup, value, share;
    const char *says;
};

static void losses_are_named_and_multiply_to_the_speedup(void **state)
{
    (void)state;
    static const struct expectation expectations[] = {
        /* Two of three workers take turns on a core. */
        {{3, 2, 2, 3000, {2, 1, 2}, {1, 1, 1}}, FACTOR_SHARE, 1.5, 0.5, 1, "time slicing: 3 tasks had 2 cores"},
        {{2, 1, 3, 3000, {3, 3}, {1.5, 1.5}}, FACTOR_SHARE, 1, 0.5, 1, "time slicing: 2 tasks had 1 core."},
        /* A hog on one of two cores. */
        {{2, 2, 3, 3000, {3, 1.5}, {1.5, 1.5}}, FACTOR_SHARE, 1, 0.5, 1, "had its own for 50 % of its time"},
        {{2, 2, 2, 3000, {2, 1}, {2, 1}}, FACTOR_BALANCE, 1.5, 0.75, 1, "1.33 times as much to do as the average"},
        {{2, 2, 2, 3000, {1.5, 1.5}, {1.5, 1.5}}, FACTOR_COMMUNICATION, 1.5, 0.75, 1, "they filled 25 % of the time"},
        {{2, 2, 2, 3000, {2, 2}, {2, 2}}, FACTOR_COMPUTATION, 1.5, 0.75, 1, "took 1.33 times as much CPU time"},
        /* All at once: 2 * 0.625 * 0.8 * 0.75 * 0.8. */
        {{2, 2, 5, 3000, {3.75, 3.2}, {3, 1.8}},
         FACTOR_COMPUTATION,
         0.6,
         0.625,
         0,
         "the largest part of the loss (39 %)"},
        /* Weak scaling: twice the work, a third more CPU time for each unit of it. */
        {{2, 2, 4, 6000, {4, 4}, {4, 4}},
         FACTOR_COMPUTATION,
         1.5,
         0.75,
         1,
         "1.50 times as much work a second as one task"},
    };
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        const struct expectation *expected = &expectations[i];
        char sentence[512];
        struct factors factors = factors_against(&one, &expected->recipe, sentence);
        assert_int_equal(factors.blocks, 1);
        assert_string_equal(factors.missing, "");
        assert_near(factors.speedup, expected->speedup);
        assert_near(factors.product, expected->speedup);
        assert_int_equal(factors.worst, expected->worst);
        assert_near(factors.value[factors.worst], expected->value);
        if (expected->share > 0) assert_near(factors.worst_share, expected->share);
        assert_says(sentence, expected->says);
    }
}

/* What looks alike in the factors is told apart by what else was stamped, here of the first worker. */
static void kinds_of_waits_are_told_apart(void **state)
{
    (void)state;
    static const struct recipe unequal = {2, 2, 2, 3000, {2, 1}, {2, 1}},
                               waits = {2, 2, 2, 3000, {1.5, 1.5}, {1.5, 1.5}};
    static const struct {
        const struct recipe *recipe;
        double serial_s, comm_s, idle_s;
        const char *says;
    } cases[] = {
        {&unequal, 1, 0, 0,
         "is serial work: for 50.0 % of the time one worker computed alone, while the others waited."},
        /* Less than half of the excess is serial. */
        {&unequal, 0.25, 0, 0, "load balance: the busiest worker had 1.33 times as much to do as the average."},
        {&unequal, NAN, 0, 0, "load balance: the busiest worker had 1.33 times as much to do as the average."},
        /* Who did the serial work had less of the rest, so that the other is the busiest, and waited. */
        {&waits, 0.5, 0, 0.5, "is serial work: for 25.0 % of the time one worker computed alone"},
        {&waits, 0, 0.45, 0.05, "communication: messages between ranks, and waits for them, filled 25 % of the time"},
        {&waits, 0, 0.05, 0.45, "waiting: for 25 % of the time the busiest worker had nothing to compute"},
        {&waits, 0, 0.25, 0.25, "communication and waiting: they filled 25 % of the time"},
        {&waits, 0, NAN, 0.5, "communication and waiting: they filled 25 % of the time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct results results;
        struct factors factors;
        char sentence[512];
        results_init(&results);
        add_block(&results, &one, 0, 1);
        add_block(&results, cases[i].recipe, 0, 1);
        struct worker_times *first = &results.groups[1].samples[0].workers[0];
        first->serial_s = cases[i].serial_s;
        first->comm_s = cases[i].comm_s;
        first->idle_s = cases[i].idle_s;
        factors_of(&results.groups[0], &results.groups[1], &factors);
        factors_sentence(&factors, &results.groups[1], sizeof sentence, sentence);
        assert_near(factors.product, 1.5);
        assert_says(sentence, cases[i].says);
        assert_in_range(strlen(sentence), 1, 300);
        results_release(&results);
    }
}

/* Whatever the times: the product telescopes. */
static void the_product_is_the_speedup_for_any_times(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct recipe pair[2];
        for (int i = 0; i < 2; i++) {
            uint64_t key = hash_pair(seed, (uint64_t)i);
            struct recipe *recipe = &pair[i];
            *recipe = (struct recipe){.workers = i == 0 ? 1 + (int)(key % 2) : 3 + (int)(key % 6), .cpus = 2};
            recipe->work = 1000 * (1 + noise_even(key, 0));
            recipe->wall_s = 1 + noise_even(key, 1);
            for (int w = 0; w < recipe->workers; w++) {
                recipe->useful_wall_s[w] = noise_even(key, 2 + (uint64_t)w) * recipe->wall_s;
                recipe->useful_cpu_s[w] = noise_even(key, 20 + (uint64_t)w) * recipe->useful_wall_s[w];
            }
        }
        char sentence[512];
        struct factors factors = factors_against(&pair[0], &pair[1], sentence);
        assert_near(factors.product, factors.speedup);
        assert_near(factors.speedup, pair[1].work / pair[1].wall_s / (pair[0].work / pair[0].wall_s));
    }
}

static void drift_that_hits_a_whole_block_changes_nothing(void **state)
{
    (void)state;
    static const struct recipe recipe = {3, 2, 2, 3000, {2, 1, 2}, {1, 1, 1}};
    struct results results;
    struct factors factors;
    results_init(&results);
    for (int block = 0; block < 9; block++) {
        double stretch = noise_factor(0.1, 1, (uint64_t)block);
        add_block(&results, &one, block, stretch);
        if (block != 4) add_block(&results, &recipe, block, stretch);
    }
    factors_of(&results.groups[0], &results.groups[1], &factors);
    assert_int_equal(factors.blocks, 8);
    assert_near(factors.speedup, 1.5);
    assert_near(factors.product, 1.5);
    factors_of(&results.groups[0], &results.groups[0], &factors);
    assert_int_equal(factors.blocks, 9);
    for (int f = 0; f < FACTOR_COUNT; f++) assert_near(factors.value[f], 1);
    assert_true(factors.scale == 1 && factors.product == 1 && factors.worst_share == 0);
    factors_of(NULL, &results.groups[0], &factors);
    assert_int_equal(factors.blocks, 0);
    assert_true(isnan(factors.speedup) && isnan(factors.product) && isnan(factors.worst_share));
    results_release(&results);
}

static void what_was_not_observed_is_unknown_and_said(void **state)
{
    (void)state;
    char sentence[512];
    struct recipe recipe = {2, 2, 2, 3000, {1.5, 1.5}, {NAN, 1.5}};
    struct factors factors = factors_against(&one, &recipe, sentence);
    assert_true(isnan(factors.value[FACTOR_COMPUTATION]) && isnan(factors.value[FACTOR_BALANCE]));
    assert_true(isnan(factors.value[FACTOR_SHARE]) && isnan(factors.product) && isnan(factors.worst_share));
    assert_near(factors.value[FACTOR_COMMUNICATION], 0.75);
    assert_near(factors.speedup, 1.5);
    assert_says(factors.missing, "CPU times");
    assert_says(sentence, "1.50 times as fast as one task; why is not known: the workers' CPU times");
    recipe.useful_wall_s[1] = NAN;
    factors = factors_against(&one, &recipe, sentence);
    assert_true(isnan(factors.value[FACTOR_COMMUNICATION]));
    assert_says(factors.missing, "workers' times");
    recipe.useful_cpu_s[0] = recipe.useful_cpu_s[1] = 0; /* below what the clock can tell */
    factors = factors_against(&one, &recipe, sentence);
    assert_true(isnan(factors.value[FACTOR_BALANCE]));
}

static const struct outside whole = {.time = "process"};

static void a_commands_losses_are_told_as_far_as_they_are_seen(void **state)
{
    (void)state;
    static const struct expectation expectations[] = {
        {{2, 2, 2, 3000, {2, 1}, {2, 1}},
         FACTOR_BALANCE,
         1.5,
         0.75,
         1,
         "2 workers: 1.50 times as fast as one worker; most of the loss (100 %) is that fewer than 2 tasks were active "
         "at a time: serial parts, unequal shares or waits for one another, which look alike from outside."},
        {{2, 2, 2, 3000, {1.5, 1.5}, {1.5, 1.5}},
         FACTOR_COMMUNICATION,
         1.5,
         0.75,
         1,
         "for 25 % of the time no task was active"},
        {{2, 1, 3, 3000, {3, 3}, {1.5, 1.5}}, FACTOR_SHARE, 1, 0.5, 1, "time slicing: tasks for 2 workers had 1 core."},
        {{2, 2, 3, 3000, {3, 1.5}, {1.5, 1.5}}, FACTOR_SHARE, 1, 0.5, 1, "active tasks had one for 50 % of their time"},
        {{2, 2, 2, 3000, {2, 2}, {2, 2}},
         FACTOR_COMPUTATION,
         1.5,
         0.75,
         1,
         "took 1.33 times as much CPU time, where spinning waits count as work"},
    };
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        const struct expectation *expected = &expectations[i];
        char sentence[512];
        struct factors factors = factors_outside(&one, &whole, &expected->recipe, &whole, sentence);
        assert_string_equal(factors.missing, "");
        assert_near(factors.product, expected->speedup);
        assert_int_equal(factors.worst, expected->worst);
        assert_near(factors.value[factors.worst], expected->value);
        assert_says(sentence, expected->says);
    }
}

static void what_was_not_seen_of_a_command_is_said(void **state)
{
    (void)state;
    char sentence[512];
    static const struct recipe two = {2, 2, 2, 3000, {2, 2}, {2, 2}};
    struct outside timed = {.time = "regex s Time: ([0-9.]+)"}, unseen = whole;
    struct factors factors = factors_outside(&one, &timed, &two, &timed, sentence);
    for (int f = 0; f < FACTOR_COUNT; f++) assert_true(isnan(factors.value[f]));
    assert_near(factors.speedup, 1.5);
    assert_says(factors.missing, "the time is the program's own, and what was observed is of the whole process");
    unseen.unobserved = "workers, wait_s: paranoid is 3; throttled_s: no group";
    factors = factors_outside(&one, &whole, &two, &unseen, sentence);
    for (int f = 0; f < FACTOR_COUNT; f++) assert_true(isnan(factors.value[f]));
    assert_string_equal(factors.missing, "its tasks could not be watched: paranoid is 3");
    assert_says(sentence, "1.50 times as fast as one worker; why is not known: its tasks could not be watched: parano");
    factors = factors_outside(&one, &unseen, &two, &whole, sentence);
    assert_string_equal(factors.missing, "its tasks could not be watched: paranoid is 3");
    unseen.unobserved = "nothing to tell";
    factors = factors_outside(&one, &whole, &two, &unseen, sentence);
    assert_string_equal(factors.missing, "its tasks could not be watched: no reason was recorded");
}

static void what_is_not_lost_is_said(void **state)
{
    (void)state;
    static const struct recipe ideal = {2, 2, 1.51, 3000, {1.505, 1.5}, {1.5, 1.5}};
    static const struct recipe better = {2, 2, 1.2, 3000, {1.2, 1.2}, {1.2, 1.2}};
    static const struct recipe four = {4, 4, 1, 3000, {1, 1, 1, 1}, {1, 1, 1, 1}};
    char sentence[512];
    factors_against(&one, &ideal, sentence);
    assert_says(sentence, "1.99 times as fast as one task, of the ideal 2: hardly anything is lost.");
    factors_against(&one, &better, sentence);
    assert_says(sentence,
                "2.50 times as fast as one task, more than the ideal 2: the same work took 0.80 times the CPU");
    factors_against(&ideal, &four, sentence);
    assert_says(sentence, "4 workers: 1.51 times as fast as 2 workers; most of the loss (100 %) is computation");
}

static void short_texts_are_cut(void **state)
{
    (void)state;
    struct results results;
    struct factors factors;
    char text[16] = "untouched......";
    results_init(&results);
    add_block(&results, &one, 0, 1);
    factors_of(&results.groups[0], &results.groups[0], &factors);
    assert_string_equal(factors_sentence(&factors, &results.groups[0], 9, text), "1 worker");
    assert_int_equal(text[9], '.');
    results_release(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_named_and_multiply_to_the_speedup),
        cmocka_unit_test(kinds_of_waits_are_told_apart),
        cmocka_unit_test(the_product_is_the_speedup_for_any_times),
        cmocka_unit_test(drift_that_hits_a_whole_block_changes_nothing),
        cmocka_unit_test(what_was_not_observed_is_unknown_and_said),
        cmocka_unit_test(a_commands_losses_are_told_as_far_as_they_are_seen),
        cmocka_unit_test(what_was_not_seen_of_a_command_is_said),
        cmocka_unit_test(what_is_not_lost_is_said),
        cmocka_unit_test(short_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
