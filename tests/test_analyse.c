/* Statistics against exact values; samples into groups; the lesson's pairing; and sentences that say what was measured,
 * on good machines and bad ones. */
#include "../src/analyse/convergence.h"
#include "../src/analyse/lesson.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Statistics */

static void test_quantiles(void **state)
{
    (void)state;
    const double values[] = {7, 1, NAN, 3, 5};
    assert_true(median(5, values) == 4);
    assert_true(median(1, values) == 7);
    assert_true(quantile(5, values, 0) == 1);
    assert_true(quantile(5, values, 1) == 7);
    assert_true(fabs(quantile(5, values, 0.25) - 2.5) < 1e-12); /* R: quantile(c(1,3,5,7), 0.25) */
    assert_true(fabs(quantile(5, values, 0.9) - 6.4) < 1e-12);
    assert_true(values[0] == 7 && values[4] == 5);
    assert_true(isnan(median(0, values)));
    assert_true(isnan(median(1, values + 2)));
}

static void test_interval_ranks(void **state)
{
    (void)state;
    static const int known[][3] = {{6, 1, 6},   {9, 2, 8},   {10, 2, 9},   {12, 3, 10},
                                   {15, 4, 12}, {20, 6, 15}, {30, 10, 21}, {50, 18, 33}};
    int low, high;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(median_interval_ranks(known[i][0], &low, &high));
        assert_int_equal(low, known[i][1]);
        assert_int_equal(high, known[i][2]);
    }
    for (int n = 0; n < 6; n++) assert_false(median_interval_ranks(n, &low, &high));
}

static void test_convergence(void **state)
{
    (void)state;
    int low, high;
    assert_false(order_interval_ranks(CONVERGENCE_LAUNCHES_MIN - 1, CONFIDENCE_STOPPING, &low, &high));
    assert_true(order_interval_ranks(CONVERGENCE_LAUNCHES_MIN, CONFIDENCE_STOPPING, &low, &high));
    assert_true(low == 1 && high == 7);
    assert_true(order_interval_ranks(12, CONFIDENCE_STOPPING, &low, &high));
    assert_true(low == 2 && high == 11);
    double values[] = {1.02, 0.98, 1, 1, 1.01, 0.99, 1};
    struct spread spread = spread_of(6, values, CONFIDENCE_STOPPING);
    assert_true(!spread.interval && spread.low == 0.98 && spread.high == 1.02);
    assert_true(isnan(spread_half_width(&spread)) && !spread_converged(&spread, 1));
    spread = spread_of(7, values, CONFIDENCE_STOPPING);
    assert_true(spread.interval && spread.middle == 1);
    assert_true(fabs(spread_half_width(&spread) - 0.02) < 1e-12);
    assert_true(spread_converged(&spread, 0.0201) && !spread_converged(&spread, 0.0199));
    spread = spread_of(0, values, CONFIDENCE_STOPPING);
    assert_false(spread_converged(&spread, 1));
}

/* P(Bin(n, 1/2) < low) in whole numbers, as a share of 2^n. */
static double exact_tail(int n, int low)
{
    uint64_t ways = 1, sum = 0;
    for (int k = 0; k < low; k++) {
        sum += ways;
        ways = (uint64_t)((unsigned __int128)ways * (unsigned)(n - k) / (unsigned)(k + 1));
    }
    return ldexp((double)sum, -n);
}

static void test_interval_ranks_are_narrowest(void **state)
{
    (void)state;
    int low, high, before = 0;
    for (int n = 6; n <= 60; n++) {
        assert_true(median_interval_ranks(n, &low, &high));
        assert_true(exact_tail(n, low) <= 0.025);
        assert_true(exact_tail(n, low + 1) > 0.025);
        assert_int_equal(low + high, n + 1);
    }
    for (int n = 6; n <= 5000; n++) { /* also where 2^-n is no double */
        assert_true(median_interval_ranks(n, &low, &high));
        assert_true(low == before || low == before + 1);
        before = low;
    }
    assert_true(abs(low - (int)(2500 - 0.98 * sqrt(5000))) <= 1);
}

/* Samples to order */

struct recipe {
    const char *kernel;
    enum mode_name mode;
    int workers, cpus, block;
    double wall_s, parallelism;
    enum validity validity;
    const char *reason;
};

static void fill_config(const struct recipe *recipe, struct config *config_p)
{
    *config_p = (struct config){.variant = "plain", .size = "1000", .seed = 1, .isa = "generic", .mode = {.nodes = 1}};
    strcpy(config_p->kernel, recipe->kernel);
    strcpy(config_p->mode.map, "cores-first");
    bool processes = recipe->mode == MODE_MPI || recipe->mode == MODE_MULTITASK_MPI;
    config_p->mode.name = recipe->mode;
    config_p->mode.ranks = processes ? recipe->workers : 1;
    config_p->mode.threads = processes ? 1 : recipe->workers;
    config_p->mode.cpus.count = recipe->cpus;
    for (int i = 0; i < recipe->cpus; i++) config_p->mode.cpus.cpus[i] = i;
    if (strcmp(recipe->kernel, "synthetic") == 0) {
        config_p->option_count = 1;
        config_p->options[0] = (struct config_option){"wait", "4ms"};
    }
}

static void add_sample(struct results *results, const struct recipe *recipe)
{
    struct sample sample;
    sample_init(&sample);
    fill_config(recipe, &sample.config);
    sample.block = recipe->block;
    sample.wall_s = recipe->wall_s;
    sample.work = 1000;
    sample.rate = sample.work / sample.wall_s;
    sample.concurrency = recipe->workers;
    sample.parallelism = recipe->parallelism;
    sample.cpu_s = recipe->parallelism * recipe->wall_s;
    sample.correct = true;
    sample.checksum = 42;
    sample.voluntary = 10;
    sample.involuntary = 90;
    sample.validity = recipe->validity;
    if (recipe->reason) strcpy(sample.invalid_reason, recipe->reason);
    sample.worker_count = recipe->workers;
    sample.workers = calloc((size_t)recipe->workers, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int i = 0; i < recipe->workers; i++) sample.workers[i].cpu_s = sample.cpu_s / recipe->workers;
    assert_int_equal(results_add(results, &sample), 0);
    sample_release(&sample);
}

static void add(struct results *results, const char *kernel, enum mode_name mode, int workers, int cpus, double wall_s,
                double parallelism)
{
    for (int block = 0; block < 3; block++)
        add_sample(results,
                   &(struct recipe){kernel, mode, workers, cpus, block, wall_s, parallelism, SAMPLE_VALID, NULL});
}

static void add_invalid(struct results *results, const char *kernel, enum mode_name mode, int workers, int cpus,
                        const char *reason)
{
    for (int block = 0; block < 3; block++)
        add_sample(results, &(struct recipe){kernel, mode, workers, cpus, block, 2, 1, SAMPLE_INVALID, reason});
}

static void set_cores(struct results *results, int cores)
{
    results->context = json_pack("{s:s, s:{s:i}}", "type", "context", "machine", "cores", cores);
    assert_non_null(results->context);
}

/* The demo on a good machine with two cores, in shuffled order. */
static void add_good(struct results *results)
{
    set_cores(results, 2);
    add(results, "matmul", MODE_MPI, 2, 2, 1.00, 1.98);
    add(results, "matmul", MODE_SERIAL, 1, 1, 1.92, 1.00);
    add(results, "pi", MODE_MULTITASK, 2, 1, 2.02, 1.00);
    add(results, "synthetic", MODE_MULTITASK, 4, 1, 0.625, 0.64);
    add(results, "pi", MODE_THREADS, 2, 2, 1.01, 1.99);
    add(results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add(results, "matmul", MODE_MULTITASK, 2, 1, 1.96, 1.00);
    add(results, "matmul", MODE_MULTITASK_MPI, 2, 1, 1.98, 1.00);
    add(results, "matmul", MODE_THREADS, 2, 2, 0.98, 1.97);
    add(results, "pi", MODE_MULTITASK_MPI, 2, 1, 2.04, 1.00);
    add(results, "pi", MODE_MPI, 2, 2, 1.02, 1.99);
    add(results, "synthetic", MODE_SERIAL, 1, 1, 2.00, 0.20);
}

#define SAYS(sentence, piece)                                                                                          \
    do {                                                                                                               \
        if (!strstr(sentence, piece)) fail_msg("\"%s\" lacks \"%s\"", sentence, piece);                                \
    } while (0)
#define SAYS_NOT(sentence, piece)                                                                                      \
    do {                                                                                                               \
        if (strstr(sentence, piece)) fail_msg("\"%s\" has \"%s\"", sentence, piece);                                   \
    } while (0)

static void conclude(const struct results *results, struct lesson *lesson_p)
{
    lesson_build(results, lesson_p);
    for (int i = 0; i < LESSON_SENTENCES; i++) {
        const char *sentence = lesson_p->sentences[i];
        size_t length = strlen(sentence);
        if (getenv("SHOW_SENTENCES")) print_message("%3zu %s\n", length, sentence);
        if (length == 0) continue;
        assert_true(length <= 300);
        assert_int_equal(sentence[length - 1], '.');
        SAYS_NOT(sentence, "nan");
        SAYS_NOT(sentence, "inf");
    }
}

/* Results */

static void test_grouping(void **state)
{
    (void)state;
    struct results results;
    results_init(&results);
    add_good(&results);
    add(&results, "pi", MODE_SERIAL, 1, 1, 2.1, 1.00);
    assert_int_equal(results.group_count, 12);
    assert_int_equal(results.groups[0].count, 3);
    const struct group *group = results_find(&results, "pi", MODE_SERIAL);
    assert_non_null(group);
    assert_int_equal(group->count, 6);
    assert_true(group->samples[2].wall_s == 2.00 && group->samples[3].wall_s == 2.1);
    char key[17];
    assert_string_equal(record_config_key(&group->config, key), group->key);
    assert_null(results_find(&results, "pi", MODE_HYBRID));
    add_invalid(&results, "pi", MODE_SERIAL, 1, 1, "x");
    double walls[10];
    assert_int_equal(group_valid_walls(results_find(&results, "pi", MODE_SERIAL), 10, walls), 6);
    assert_int_equal(group_valid_walls(results_find(&results, "pi", MODE_SERIAL), 4, walls), 4);
    results_release(&results);
}

static void write_results(const struct results *results, FILE *file)
{
    fputs("{\"schema\":1,\"type\":\"context\",\"machine\":{\"cores\":2}}\n{\"type\":\"of a later version\"}\n", file);
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++) {
            json_t *line = record_encode_sample(&results->groups[g].samples[s]);
            json_dumpf(line, file, RECORD_DUMP_FLAGS);
            fputc('\n', file);
            json_decref(line);
        }
}

static void test_reading_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/test_analyse.XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    struct results made, read;
    results_init(&made);
    add_good(&made);
    write_results(&made, file);
    fputs("{\"schema\":1,\"type\":\"sam", file);
    fflush(file);

    struct error error = {""};
    assert_int_equal(results_read(path, &read, &error), 0);
    assert_true(read.torn);
    assert_non_null(read.context);
    assert_int_equal(read.group_count, made.group_count);
    struct lesson lesson, again;
    lesson_build(&made, &lesson);
    lesson_build(&read, &again);
    assert_memory_equal(lesson.sentences, again.sentences, sizeof lesson.sentences);
    results_release(&read);

    fputs("\n{\"schema\":1,\"type\":\"sample\"}\n", file);
    fflush(file);
    assert_int_equal(results_read(path, &read, &error), STATUS_USAGE);
    SAYS(error.text, "line 39");
    fclose(file);
    unlink(path);
    results_release(&made);
}

/* The lesson */

static void test_rows_in_order(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add_good(&results);
    conclude(&results, &lesson);
    static const struct {
        const char *kernel;
        enum mode_name mode;
    } order[] = {{"matmul", MODE_SERIAL},  {"matmul", MODE_MULTITASK}, {"matmul", MODE_MULTITASK_MPI},
                 {"matmul", MODE_THREADS}, {"matmul", MODE_MPI},       {"pi", MODE_SERIAL},
                 {"pi", MODE_MULTITASK},   {"pi", MODE_MULTITASK_MPI}, {"pi", MODE_THREADS},
                 {"pi", MODE_MPI},         {"synthetic", MODE_SERIAL}, {"synthetic", MODE_MULTITASK}};
    assert_int_equal(lesson.row_count, 12);
    for (int r = 0; r < 12; r++) {
        const struct lesson_row *row = &lesson.rows[r];
        assert_string_equal(row->kernel, order[r].kernel);
        assert_int_equal(row->mode, order[r].mode);
        assert_int_equal(row->valid_count, 3);
        assert_string_equal(row->reason, "");
        assert_true(row->checksums_agree);
        assert_int_equal(row->checksum, 42);
        assert_int_equal(row->waits, strcmp(row->kernel, "synthetic") == 0);
        assert_true(row->base->config.mode.name == MODE_SERIAL);
        if (row->mode == MODE_SERIAL) assert_true(row->speedup == 1 && row->base == row->group);
    }
    assert_true(fabs(lesson.rows[8].speedup - 2.00 / 1.01) < 1e-12);
    assert_true(fabs(lesson.rows[8].switches_per_s - 100 / 1.01) < 1e-9);
    assert_true(fabs(lesson.waiting_bound - 4) < 1e-12); /* (C + Z) / C is 5, the tasks are 4 */
    assert_true(fabs(lesson.waiting_share - 0.8) < 1e-12);
    assert_int_equal(lesson.cores, 2);
    results_release(&results);
}

static void test_pairs_are_of_one_block(void **state)
{
    (void)state;
    /* Block 0: the clock was slow for both. 1: base invalid. 2: no base. 3: invalid. 4: repeats. 5: too short. */
    static const struct recipe recipes[] = {
        {"pi", MODE_SERIAL, 1, 1, 0, 4.0, 1, SAMPLE_VALID, NULL},
        {"pi", MODE_SERIAL, 1, 1, 1, 9.0, 1, SAMPLE_INVALID, "foreign tasks took 3.1 s of CPU 0"},
        {"pi", MODE_SERIAL, 1, 1, 3, 2.0, 1, SAMPLE_VALID, NULL},
        {"pi", MODE_SERIAL, 1, 1, 4, 2.0, 1, SAMPLE_VALID, NULL},
        {"pi", MODE_SERIAL, 1, 1, 4, 2.2, 1, SAMPLE_VALID, NULL},
        {"pi", MODE_SERIAL, 1, 1, 5, 2.0, 1, SAMPLE_VALID, NULL},
        {"pi", MODE_THREADS, 2, 2, 0, 2.0, 2, SAMPLE_VALID, NULL},
        {"pi", MODE_THREADS, 2, 2, 1, 1.0, 2, SAMPLE_VALID, NULL},
        {"pi", MODE_THREADS, 2, 2, 2, 1.0, 2, SAMPLE_VALID, NULL},
        {"pi", MODE_THREADS, 2, 2, 3, 8.0, 2, SAMPLE_INVALID, "busy"},
        {"pi", MODE_THREADS, 2, 2, 4, 1.4, 2, SAMPLE_VALID, NULL},
        {"pi", MODE_THREADS, 2, 2, 5, 0.1, 2, SAMPLE_NOT_JUDGED, "too short"},
    };
    struct results results;
    struct lesson lesson;
    results_init(&results);
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) add_sample(&results, &recipes[i]);
    conclude(&results, &lesson);
    const struct lesson_row *row = &lesson.rows[1];
    assert_false(row->speedup_interval);
    assert_true(fabs(row->speedup_low - 2.1 / 1.4) < 1e-12);
    assert_true(fabs(row->speedup_high - 2.0) < 1e-12);
    assert_true(fabs(row->speedup - 1.75) < 1e-12);
    assert_int_equal(row->valid_count, 4);
    assert_int_equal(row->invalid_count, 1);
    assert_int_equal(row->not_judged_count, 1);
    results_release(&results);
}

static void test_nine_pairs_have_an_interval(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    for (int block = 0; block < 9; block++) {
        /* Ratios 1.1, 1.2, ... 1.9, in an order that is not theirs. */
        double ratio = 1.1 + 0.1 * (block * 4 % 9);
        const struct recipe base = {"pi", MODE_SERIAL, 1, 1, block, ratio, 1, SAMPLE_VALID, NULL};
        const struct recipe threads = {"pi", MODE_THREADS, 2, 2, block, 1.0, 2, SAMPLE_VALID, NULL};
        add_sample(&results, &base);
        add_sample(&results, &threads);
    }
    conclude(&results, &lesson);
    assert_true(lesson.rows[1].speedup_interval);
    assert_null(strstr(lesson.sentences[0], "no difference"));
    assert_true(fabs(lesson.rows[1].speedup - 1.5) < 1e-12);
    assert_true(fabs(lesson.rows[1].speedup_low - 1.2) < 1e-12);
    assert_true(fabs(lesson.rows[1].speedup_high - 1.8) < 1e-12);
    results_release(&results);
}

static void test_an_interval_around_one_claims_nothing(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    for (int block = 0; block < 9; block++) {
        const struct recipe base = {"pi", MODE_SERIAL, 1, 1, block, 0.82 + 0.05 * block, 1, SAMPLE_VALID, NULL};
        const struct recipe turns = {"pi", MODE_MULTITASK, 2, 1, block, 1.0, 1, SAMPLE_VALID, NULL};
        add_sample(&results, &base);
        add_sample(&results, &turns);
    }
    conclude(&results, &lesson);
    assert_non_null(strstr(lesson.sentences[0], "no difference was shown (speedup pi 1.02)"));
    results_release(&results);
}

static void test_rows_without_a_pair_say_why(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add_sample(&results, &(struct recipe){"pi", MODE_SERIAL, 1, 1, 0, 2, 1, SAMPLE_VALID, NULL});
    add_sample(&results, &(struct recipe){"pi", MODE_THREADS, 2, 2, 1, 1, 2, SAMPLE_VALID, NULL});
    add_sample(&results, &(struct recipe){"pi", MODE_MULTITASK, 2, 1, 0, 2, 1, SAMPLE_INVALID, "moved to CPU 1"});
    add_sample(&results, &(struct recipe){"pi", MODE_MULTITASK, 2, 1, 1, 2, 1, SAMPLE_INVALID, "hog took 0.51 s"});
    add_sample(&results, &(struct recipe){"pi", MODE_MULTITASK, 2, 1, 2, 2, 1, SAMPLE_INVALID, "hog took 1.7 s"});
    add_sample(&results, &(struct recipe){"matmul", MODE_THREADS, 2, 2, 0, 1, 2, SAMPLE_VALID, NULL});
    conclude(&results, &lesson);
    assert_int_equal(lesson.row_count, 4);
    assert_true(isnan(lesson.rows[1].wall_s) && isnan(lesson.rows[1].speedup));
    assert_string_equal(lesson.rows[1].reason, "hog took 0.51 s"); /* twice, but for the number */
    assert_true(lesson.rows[2].wall_s == 1 && isnan(lesson.rows[2].speedup));
    SAYS(lesson.rows[2].reason, "no block");
    assert_null(lesson.rows[3].base);
    SAYS(lesson.rows[3].reason, "not run by one task");
    SAYS(lesson.sentences[0], "hog took");
    results_release(&results);
}

static void test_checksums(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add_good(&results);
    results.groups[4].samples[1].checksum = 43; /* pi in threads */
    results.groups[0].samples[0].checksum = 44; /* matmul in mpi, but known to be wrong */
    results.groups[0].samples[0].correct = false;
    lesson_build(&results, &lesson);
    for (int r = 0; r < lesson.row_count; r++)
        assert_int_equal(lesson.rows[r].checksums_agree, strcmp(lesson.rows[r].kernel, "pi") != 0);
    results_release(&results);
}

/* Sentences */

static void test_good_machine(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add_good(&results);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "2 tasks on one core took turns: concurrency 2.00, but only 1.00 ran at a time");
    SAYS(lesson.sentences[0], "matmul took 1.02 and pi 1.01 times as long as one task");
    SAYS(lesson.sentences[0], "speedup 0.98 and 0.99; as processes matmul 0.97 and pi 0.98");
    SAYS(lesson.sentences[1], "2 threads on 2 cores really ran at once (parallelism 1.97 to 1.99)");
    SAYS(lesson.sentences[1], "matmul ran 1.96 and pi 1.98 times as fast as one task, 98 to 99 % of the ideal 2");
    SAYS(lesson.sentences[1], "as processes matmul 1.92 and pi 1.96.");
    SAYS(lesson.sentences[2], "4 tasks that wait 80 % of their time shared one core and finished 3.20 times as fast");
    SAYS(lesson.sentences[2], "min(k, (C + Z) / C) = 4.00");
    results_release(&results);
}

static void test_bad_speedups_are_no_success(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add(&results, "pi", MODE_MULTITASK, 2, 1, 3.00, 1.00);
    add(&results, "pi", MODE_THREADS, 2, 2, 1.90, 1.95);
    add(&results, "pi", MODE_MPI, 2, 2, 2.20, 1.95);
    add(&results, "synthetic", MODE_SERIAL, 1, 1, 2.00, 0.20);
    add(&results, "synthetic", MODE_MULTITASK, 4, 1, 1.90, 0.21);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "had its price: pi took 1.50 times as long");
    SAYS(lesson.sentences[1], "gained next to nothing");
    SAYS(lesson.sentences[1], "only pi 0.91");
    SAYS_NOT(lesson.sentences[1], "really");
    SAYS(lesson.sentences[2], "yet finished only 1.05 times");
    results_release(&results);

    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add(&results, "pi", MODE_MULTITASK, 2, 1, 1.60, 1.00);
    add(&results, "pi", MODE_THREADS, 2, 2, 1.50, 1.95);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "cannot explain");
    SAYS(lesson.sentences[1], "did not gain all");
    results_release(&results);

    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add(&results, "pi", MODE_THREADS, 2, 2, 1.90, 1.05);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[1], "hardly ran at once: only 1.05");
    SAYS_NOT(lesson.sentences[1], "really");
    results_release(&results);
}

static void test_one_core(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    set_cores(&results, 1);
    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add(&results, "pi", MODE_MULTITASK, 2, 1, 2.02, 1.00);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "took turns");
    SAYS(lesson.sentences[1], "one core only");
    assert_string_equal(lesson.sentences[2], "");
    results_release(&results);
}

static void test_without_mpi(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add(&results, "pi", MODE_MULTITASK, 2, 1, 2.02, 1.00);
    add(&results, "pi", MODE_THREADS, 2, 2, 1.02, 1.98);
    conclude(&results, &lesson);
    SAYS_NOT(lesson.sentences[0], "processes");
    SAYS(lesson.sentences[1], "processes were not tried");
    results.context = json_pack("{s:{s:b}}", "mpi", "available", 0);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[1], "need MPI, which is not available here");
    add_invalid(&results, "pi", MODE_MPI, 2, 2, "busy");
    conclude(&results, &lesson);
    SAYS(lesson.sentences[1], "as processes it could not be measured");
    results_release(&results);

    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add_invalid(&results, "pi", MODE_THREADS, 2, 2, "busy");
    add(&results, "pi", MODE_MPI, 2, 2, 1.02, 1.98);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[1], "2 processes on 2 cores really ran at once");
    results_release(&results);
}

static void test_unobserved_numbers(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add(&results, "pi", MODE_SERIAL, 1, 1, 2.00, NAN);
    add(&results, "pi", MODE_MULTITASK, 2, 1, 2.02, NAN);
    add(&results, "pi", MODE_THREADS, 2, 2, 1.02, NAN);
    add(&results, "synthetic", MODE_SERIAL, 1, 1, 2.00, NAN);
    add(&results, "synthetic", MODE_MULTITASK, 4, 1, 0.70, NAN);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "but only unknown ran");
    SAYS(lesson.sentences[1], "parallelism unknown");
    SAYS_NOT(lesson.sentences[1], "at once");
    SAYS(lesson.sentences[2], "2.86 times");
    assert_true(isnan(lesson.waiting_bound));
    results_release(&results);
}

static void test_busy_machine(void **state)
{
    (void)state;
    static const char reason[] = "other programs took 0.8 s of CPU 1 (40 %)";
    struct results results;
    struct lesson lesson;
    results_init(&results);
    add_invalid(&results, "pi", MODE_SERIAL, 1, 1, reason);
    add_invalid(&results, "pi", MODE_THREADS, 2, 2, reason);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "not one of the samples (6) is a valid measurement");
    SAYS(lesson.sentences[0], reason);
    SAYS(lesson.sentences[2], "speedup machine");

    add(&results, "matmul", MODE_SERIAL, 1, 1, 2.00, 1.00);
    add_invalid(&results, "matmul", MODE_MULTITASK, 2, 1, reason);
    add_invalid(&results, "synthetic", MODE_MULTITASK, 4, 1, reason);
    conclude(&results, &lesson);
    for (int i = 0; i < LESSON_SENTENCES; i++) {
        SAYS(lesson.sentences[i], "could not be measured");
        SAYS(lesson.sentences[i], reason);
    }
    results_release(&results);

    struct recipe recipe = {"pi", MODE_SERIAL, 1, 1, 0, 0.01, 1, SAMPLE_NOT_JUDGED, "too short to judge (10 ms)"};
    add_sample(&results, &recipe);
    conclude(&results, &lesson);
    SAYS(lesson.sentences[0], "too short to judge");
    SAYS(lesson.sentences[2], "larger size");
    results_release(&results);
}

static void test_nothing_there(void **state)
{
    (void)state;
    struct results results;
    struct lesson lesson;
    results_init(&results);
    conclude(&results, &lesson);
    assert_int_equal(lesson.row_count, 0);
    SAYS(lesson.sentences[0], "no measurement");
    for (int i = 0; i < LESSON_ROWS_MAX + 5; i++) add(&results, "pi", MODE_THREADS, i + 1, i + 1, 1.0, 1.0);
    conclude(&results, &lesson);
    assert_int_equal(lesson.row_count, LESSON_ROWS_MAX);
    results_release(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_interval_ranks),
        cmocka_unit_test(test_interval_ranks_are_narrowest),
        cmocka_unit_test(test_convergence),
        cmocka_unit_test(test_grouping),
        cmocka_unit_test(test_reading_a_file),
        cmocka_unit_test(test_rows_in_order),
        cmocka_unit_test(test_pairs_are_of_one_block),
        cmocka_unit_test(test_nine_pairs_have_an_interval),
        cmocka_unit_test(test_an_interval_around_one_claims_nothing),
        cmocka_unit_test(test_rows_without_a_pair_say_why),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_good_machine),
        cmocka_unit_test(test_bad_speedups_are_no_success),
        cmocka_unit_test(test_one_core),
        cmocka_unit_test(test_without_mpi),
        cmocka_unit_test(test_unobserved_numbers),
        cmocka_unit_test(test_busy_machine),
        cmocka_unit_test(test_nothing_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
