/* The page of a scaling study, from curves made by hand: what stands where, that it fits, and that what is not known is
 * never a number. */
#include "../src/present/present.h"
#include "../src/present/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIAL, MULTITASK, THREADS, CURVES, POINTS = 4 };

struct fixture {
    struct results results;
    struct curves curves;
    struct curve own[CURVES];
    struct group groups[CURVES][POINTS];
    struct curve_point points[CURVES][POINTS];
    struct sample sample; /* of all groups */
};

static struct spread spread(double middle, double half)
{
    return (struct spread){.count = 9, .middle = middle, .low = middle - half, .high = middle + half, .interval = true};
}

static const struct spread unknown = {.middle = NAN, .low = NAN, .high = NAN};

static void set_config(struct config *config, enum mode_name mode, int workers)
{
    snprintf(config->kernel, sizeof config->kernel, "toy");
    snprintf(config->variant, sizeof config->variant, "plain");
    snprintf(config->size, sizeof config->size, "1000");
    config->mode = (struct mode){.nodes = 1, .map = "cores-first", .name = mode, .ranks = 1, .threads = workers};
    config->mode.cpus.count = mode == MODE_THREADS ? (workers < 4 ? workers : 4) : 1;
}

/* Of a machine of 4 cores, on which one task takes a second. */
static void set_point(struct fixture *fixture, int c, int i, int workers, double speedup)
{
    struct group *group = &fixture->groups[c][i];
    struct curve_point *point = &fixture->points[c][i];
    static const enum mode_name modes[] = {MODE_SERIAL, MODE_MULTITASK, MODE_THREADS};
    set_config(&group->config, modes[c], workers);
    snprintf(group->key, sizeof group->key, "%08d%08d", c, i);
    group->samples = &fixture->sample;
    group->count = 1;
    *point =
        (struct curve_point){.group = group, .workers = workers, .cpus = group->config.mode.cpus.count, .valid = 9};
    point->dedicated = workers <= point->cpus;
    point->wall_s = spread(1 / speedup, 0.01 / speedup);
    point->rate = spread(2e9 * speedup, 2e7 * speedup);
    point->work = 2e9;
    point->concurrency = workers;
    point->parallelism = point->cpus;
    point->speedup = point->own = spread(speedup, 0.01 * speedup);
    point->efficiency = spread(speedup / workers, 0.01 * speedup / workers);
    point->karp_flatt = unknown;
    if (point->dedicated && workers > 1)
        point->karp_flatt = spread((1 / speedup - 1.0 / workers) / (1 - 1.0 / workers), 0.001);
    point->half_width = 0.01;
    point->converged = true;
    point->factors = (struct factors){.blocks = 9,
                                      .scale = workers,
                                      .value = {0.99, 1, 0.995, point->dedicated ? 1 : (double)point->cpus / workers},
                                      .product = speedup,
                                      .speedup = speedup,
                                      .missing = ""};
}

static void set_fits(struct curve *curve)
{
    for (int m = 0; m < MODEL_COUNT; m++) {
        struct model_fit *fit = &curve->fits[m];
        *fit =
            (struct model_fit){.model = (enum model)m, .state = MODEL_TOO_FEW, .points = 3, .aicc = NAN, .peak = NAN};
        snprintf(fit->reason, sizeof fit->reason, "%s needs more", model_name(fit->model));
    }
    curve->chosen = -1;
}

static int set_up(void **state)
{
    static const int workers[] = {1, 2, 4, 8};
    static const double speedups[CURVES][POINTS] = {{1}, {0.99, 0.98, 0.97, 0.96}, {1, 1.9, 3.4, 3.5}};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    sample_init(&fixture->sample);
    snprintf(fixture->sample.work_unit, sizeof fixture->sample.work_unit, "flop");
    fixture->sample.validity = SAMPLE_VALID;
    results_init(&fixture->results);
    for (int c = 0; c < CURVES; c++) {
        struct curve *curve = &fixture->own[c];
        curve->count = c == SERIAL ? 1 : POINTS;
        curve->points = fixture->points[c];
        for (int i = 0; i < curve->count; i++) set_point(fixture, c, i, workers[i], speedups[c][i]);
        curve->config = &fixture->groups[c][0].config;
        curve->serial = &fixture->groups[SERIAL][0];
        curve->own = &fixture->groups[c][0];
        curve->waiting_bound = curve->roof_rate = curve->roof_share = NAN;
        set_fits(curve);
    }
    fixture->points[SERIAL][0].is_base = true;
    snprintf(fixture->own[THREADS].sentence, sizeof fixture->own[THREADS].sentence, "8 workers had 4 cores.");
    fixture->curves = (struct curves){.count = CURVES, .curves = fixture->own, .cores = 4, .precision = 0.02};
    snprintf(fixture->curves.machine, sizeof fixture->curves.machine, "Toy CPU (toyhost)");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

/* As heap text. */
static char *print(const struct fixture *fixture, bool utf8, bool colour, int width)
{
    const struct style style = {.colour = colour, .utf8 = utf8, .width = width};
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    present_study(file, &style, &fixture->results, &fixture->curves);
    assert_int_equal(fclose(file), 0);
    char *copy = strdup(text);
    assert_non_null(copy);
    free(text);
    return copy;
}

/* Wherever it is wrapped: runs of blanks and line ends are one blank. */
static void assert_says(const char *text, const char *sentence)
{
    char *folded = strdup(text), *end = folded;
    assert_non_null(folded);
    for (const char *c = text; *c; c++)
        if (*c != ' ' && *c != '\n')
            *end++ = *c;
        else if (end == folded || end[-1] != ' ')
            *end++ = ' ';
    *end = '\0';
    if (!strstr(folded, sentence)) print_message("'%s' is not in:\n%s", sentence, text);
    assert_non_null(strstr(folded, sentence));
    free(folded);
}

static void assert_has(const char *text, const char *piece)
{
    if (!strstr(text, piece)) print_message("'%s' is not in:\n%s", piece, text);
    assert_non_null(strstr(text, piece));
}

static void assert_lacks(const char *text, const char *piece)
{
    if (strstr(text, piece)) print_message("'%s' is in:\n%s", piece, text);
    assert_null(strstr(text, piece));
}

static void assert_fits(const char *text, int width)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char *copy = strndup(line, strcspn(line, "\n"));
        assert_non_null(copy);
        if (text_width(copy) > width) print_message("wider than %d: %s\n", width, copy);
        assert_true(text_width(copy) <= width);
        free(copy);
    }
}

/* --- the whole page --------------------------------------------------------------------------------------------- */

static const char page[] = "On Toy CPU (toyhost), 4 cores\n"
                           "\n"
                           "toy (plain, size 1000)\n"
                           "work-        time,                      speedup,       effi-  Karp-        laun-\n"
                           "  ers cores  95 % interval        rate  95 % interval  cient  Flatt   own   ches\n"
                           "serial: one task on one core: the base\n"
                           "    1     1  1.00 s 0.99-1.01     2.00  1.00 (base)    100 %      -  1.00      9\n"
                           "multitask: W threads take turns on one core\n"
                           "    1     1  1.01 s 1.00-1.02     1.98  0.99 0.98-1.00  99 %      -  0.99      9\n"
                           "    2    1*  1.02 s 1.01-1.03     1.96  0.98 0.97-0.99  49 %      -  0.98      9\n"
                           "    4    1*  1.03 s 1.02-1.04     1.94  0.97 0.96-0.98  24 %      -  0.97      9\n"
                           "    8    1*  1.04 s 1.03-1.05     1.92  0.96 0.95-0.97  12 %      -  0.96      9\n"
                           "threads: W OpenMP threads on W cores\n"
                           "    1     1  1.00 s 0.99-1.01     2.00  1.00 0.99-1.01 100 %      -  1.00      9\n"
                           "    2     2  526 ms 521-531       3.80  1.90 1.88-1.92  95 %  0.053  1.90      9\n"
                           "    4     4  294 ms 291-297       6.80  3.40 3.37-3.43  85 %  0.059  3.40      9\n"
                           "    8    4*  286 ms 283-289       7.00  3.50 3.46-3.54  44 %      -  3.50      9\n"
                           "rate: GFLOP/s. efficiency: speedup / workers. Karp-Flatt: the serial share that\n"
                           "would explain the speedup, (1/S - 1/p) / (1 - 1/p); where it rises with the\n"
                           "workers, something else grows. *: oversubscribed, more workers than cores.\n"
                           "speedup: against the best serial program, plain (1.00 s, 2.00 GFLOP/s).\n"
                           "own: against the fewest workers of the same mode, times their number: multitask\n"
                           "1 (1.01 s, 1.98 GFLOP/s), threads 1 (1.00 s, 2.00 GFLOP/s).\n"
                           "\n"
                           "speedup       1                            2                           4\n"
                           "serial 1      ●                                                          x 1.00\n"
                           "multitask 1  ├●                                                          x 0.99\n"
                           "multitask 2  ●┼                                                          x 0.98\n"
                           "multitask 4 ├●│                                                          x 0.97\n"
                           "multitask 8 ●┤│                                                          x 0.96\n"
                           "threads 1     ●                                                          x 1.00\n"
                           "threads 2                               ●┤ │                             x 1.90\n"
                           "threads 4                                                       ●┤     │ x 3.40\n"
                           "threads 8                                                        ├●    │ x 3.50\n"
                           "● median, ├─┤ its 95 % interval; │ the most that its cores could give: as many\n"
                           "as workers; tasks that take turns on one core: 1. The axis is logarithmic.\n"
                           "\n"
                           "Why: P x computation x load balance x communication x share of a core\n"
                           "                  compu-    load  comm.,   share\n"
                           "                P tation balance waiting of core product speedup\n"
                           "multitask 2  2.00   0.99    1.00    0.99    0.50    0.98    0.98\n"
                           "multitask 4  4.00   0.99    1.00    0.99    0.25    0.97    0.97\n"
                           "multitask 8  8.00   0.99    1.00    0.99    0.12    0.96    0.96\n"
                           "threads 2    2.00   0.99    1.00    0.99    1.00    1.90    1.90\n"
                           "threads 4    4.00   0.99    1.00    0.99    1.00    3.40    3.40\n"
                           "threads 8    8.00   0.99    1.00    0.99    0.50    3.50    3.50\n"
                           "\n"
                           "threads: 8 workers had 4 cores.\n"
                           "\n"
                           "Scaling laws and bounds\n"
                           "threads: not fitted: Amdahl's law needs more.\n"
                           "threads: not fitted: the universal scalability law needs more.\n"
                           "threads 4: ideal 4.00.\n"
                           "\n"
                           "How it was measured: each launch starts its workers afresh; in each block every\n"
                           "configuration is launched once, in random order; what was disturbed or misplaced\n"
                           "is invalid, and measured again. Times are medians over valid launches, with the\n"
                           "95 % interval of the median by order statistics, which assumes no distribution\n"
                           "and needs 6 values. Speedups are ratios within a block, so that slow drifts of\n"
                           "the clock cancel; their intervals are made in the same way.\n";

static void test_page(void **state)
{
    char *text = print(*state, true, false, 80);
    assert_string_equal(text, page);
    free(text);
}

/* The same page with other signs. */
static void test_page_in_ascii(void **state)
{
    static const struct {
        const char *utf8;
        char ascii;
    } signs[] = {{"\u2500", '-'}, {"\u251c", '['}, {"\u2524", ']'}, {"\u2502", '|'}, {"\u253c", '+'}, {"\u25cf", 'o'}};
    char *text = print(*state, false, false, 80), *expected = strdup(page), *end = expected;
    assert_non_null(expected);
    for (const char *c = page; *c; c++) {
        *end = *c;
        for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
            if (strncmp(c, signs[i].utf8, strlen(signs[i].utf8)) == 0) {
                *end = signs[i].ascii;
                c += strlen(signs[i].utf8) - 1;
                break;
            }
        end++;
    }
    *end = '\0';
    assert_string_equal(text, expected);
    free(expected);
    free(text);
}

static void test_fits(void **state)
{
    static const int widths[] = {80, 81, 100, 200};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            char *text = print(*state, utf8, false, widths[i]);
            assert_fits(text, widths[i]);
            free(text);
        }
}

/* --- what is said of a point ------------------------------------------------------------------------------------ */

static void test_not_converged(void **state)
{
    struct fixture *fixture = *state;
    fixture->points[THREADS][1].converged = false;
    fixture->points[THREADS][1].half_width = 0.034;
    char *text = print(fixture, false, false, 80);
    assert_has(text, "\n             NOT CONVERGED: interval +-3.4 %, asked for +-2.0 %\n");
    free(text);
}

static void test_no_interval(void **state)
{
    struct fixture *fixture = *state;
    struct curve_point *point = &fixture->points[THREADS][1];
    point->wall_s.interval = point->speedup.interval = point->converged = false;
    point->half_width = NAN;
    point->valid = 3;
    char *text = print(fixture, false, false, 80);
    assert_says(text, "No interval where");
    assert_has(text, "    2     2  526 ms ");
    assert_lacks(text, "526 ms 52");
    assert_lacks(text, "NOT CONVERGED");
    free(text);
    point->valid = 9;
    point->wall_s.interval = point->speedup.interval = true;
    text = print(fixture, false, false, 80);
    assert_lacks(text, "No interval where");
    free(text);
}

static void test_no_valid_time(void **state)
{
    struct fixture *fixture = *state;
    struct curve_point *point = &fixture->points[THREADS][3];
    point->valid = 0;
    point->invalid = 4;
    point->wall_s = point->rate = point->speedup = point->own = point->efficiency = unknown;
    point->half_width = NAN;
    point->converged = false;
    point->factors = (struct factors){.scale = 8, .value = {NAN, NAN, NAN, NAN}, .product = NAN, .speedup = NAN};
    snprintf(point->reason, sizeof point->reason, "another program held CPU 0");
    char *text = print(fixture, false, false, 80);
    assert_has(text, "    8    4*  no valid time (launches: 0+4): another program held CPU 0\n");
    assert_has(text, "threads 8   no valid speedup\n");
    assert_lacks(text, "nan");
    assert_fits(text, 80);
    free(text);
}

/* Nothing at all is known: no number is invented, and nothing breaks. */
static void test_nothing_known(void **state)
{
    struct fixture *fixture = *state;
    for (int c = 0; c < CURVES; c++)
        for (int i = 0; i < fixture->own[c].count; i++) {
            struct curve_point *point = &fixture->points[c][i];
            point->wall_s = point->rate = point->speedup = point->own = point->efficiency = point->karp_flatt = unknown;
            point->half_width = point->work = point->concurrency = point->parallelism = NAN;
            point->factors = (struct factors){
                .scale = NAN, .value = {NAN, NAN, NAN, NAN}, .product = NAN, .speedup = NAN, .missing = "no times"};
        }
    char *text = print(fixture, true, false, 80);
    assert_lacks(text, "nan");
    assert_lacks(text, "inf");
    assert_has(text, "not known: no times");
    assert_lacks(text, "no valid speedup"); /* no chart of nothing */
    assert_fits(text, 80);
    free(text);
}

static void test_nothing_valid(void **state)
{
    struct fixture *fixture = *state;
    for (int c = 0; c < CURVES; c++)
        for (int i = 0; i < fixture->own[c].count; i++) {
            struct curve_point *point = &fixture->points[c][i];
            point->valid = 0;
            point->not_judged = 9;
            point->wall_s = point->rate = point->speedup = point->own = point->efficiency = point->karp_flatt = unknown;
            snprintf(point->reason, sizeof point->reason, "too short");
        }
    char *text = print(fixture, true, false, 80);
    assert_has(text, "    2     2  no valid time (launches: 0+9): too short\n");
    assert_has(text, "\nNo serial program has a valid time: there are no speedups.\n");
    assert_lacks(text, "own:");
    assert_lacks(text, "Why:");
    assert_lacks(text, "Scaling laws");
    assert_lacks(text, "nan");
    free(text);
}

/* Numbers that are too wide for their column stand below the row. */
static void test_wide_numbers(void **state)
{
    struct fixture *fixture = *state;
    struct curve_point *point = &fixture->points[THREADS][2];
    point->wall_s = (struct spread){9, 0.0123, 0.0001, 1234, true};
    point->speedup = (struct spread){9, 12345, 12000, 13000, true};
    char *text = print(fixture, false, false, 80);
    assert_has(text, "    4     4  (below)");
    assert_has(text, "\n             12345 12000-13000\n");
    assert_fits(text, 80);
    free(text);
}

static void test_oversubscribed(void **state)
{
    struct fixture *fixture = *state;
    char *text = print(fixture, false, false, 80);
    assert_has(text, "    8    4*  ");
    assert_has(text, "*: oversubscribed");
    free(text);
    fixture->own[THREADS].count = 3;
    fixture->curves.count = 1;
    fixture->curves.curves = &fixture->own[THREADS];
    text = print(fixture, false, false, 80);
    assert_lacks(text, "oversubscribed");
    free(text);
}

/* --- chart ------------------------------------------------------------------------------------------------------ */

static void test_linear_axis(void **state)
{
    struct fixture *fixture = *state;
    fixture->points[THREADS][1].workers = 3;
    char *text = print(fixture, true, false, 80);
    assert_lacks(text, "logarithmic");
    assert_has(text, "\nspeedup     0   ");
    free(text);
}

static void test_chart_without_serial(void **state)
{
    struct fixture *fixture = *state;
    fixture->own[THREADS].serial = NULL;
    fixture->curves.count = 1;
    fixture->curves.curves = &fixture->own[THREADS];
    for (int i = 0; i < POINTS; i++) fixture->points[THREADS][i].speedup = unknown;
    char *text = print(fixture, true, false, 80);
    assert_says(text, "No serial program was measured");
    assert_has(text, "x 3.40\n");
    free(text);
}

static void test_waiting(void **state)
{
    struct fixture *fixture = *state;
    for (int c = 0; c < CURVES; c++) fixture->own[c].waiting_bound = 5;
    char *text = print(fixture, false, false, 80);
    assert_says(text, "One task alone waits for 80 % of its time");
    assert_says(text, "min(k, 5.00)");
    free(text);
}

/* All groups share one sample: 1.9 of the 2 GB/s that the cores can get. */
static void test_bandwidth(void **state)
{
    struct fixture *fixture = *state;
    snprintf(fixture->sample.work_unit, sizeof fixture->sample.work_unit, "byte");
    fixture->sample.wall_s = 1;
    fixture->sample.rate = 1.9e9;
    fixture->sample.ceiling_rate = 2e9;
    for (int c = 0; c < CURVES; c++) fixture->own[c].roof_share = 0.95;
    char *text = print(fixture, false, false, 80);
    assert_says(text, "One task moves 95 % of the bytes that its core can get from memory (measured: 2.00 GB/s).");
    assert_says(text, "4 cores together can get 2.00 GB/s, 1.00 times as much as one; 4 workers there move 95 % of "
                      "that.");
    assert_null(strstr(text, "the most that its core can do"));
    free(text);
    fixture->sample.rate = 5e9;
    for (int c = 0; c < CURVES; c++) fixture->own[c].roof_share = NAN;
    text = print(fixture, false, false, 80);
    assert_says(text, "One task moves 250 % of the bytes that its core can get from memory (measured: 2.00 GB/s): "
                      "most come from caches.");
    free(text);
}

/* --- laws ------------------------------------------------------------------------------------------------------- */

static void test_laws(void **state)
{
    struct fixture *fixture = *state;
    struct curve *curve = &fixture->own[THREADS];
    struct model_fit *amdahl = &curve->fits[MODEL_AMDAHL], *usl = &curve->fits[MODEL_USL];
    *amdahl = (struct model_fit){.model = MODEL_AMDAHL,
                                 .points = 4,
                                 .parameter_count = 2,
                                 .parameters = {{1, 0.99, 1.01, true}, {0.05, 0.04, 0.06, true}},
                                 .residual = 0.013,
                                 .aicc = NAN,
                                 .peak = NAN,
                                 .most_workers = 8};
    *usl = (struct model_fit){.model = MODEL_USL,
                              .points = 6,
                              .parameter_count = 3,
                              .parameters = {{1, NAN, NAN, false}, {0.05, 0, 0.06, false}, {0.0001, NAN, NAN, false}},
                              .residual = 0.02,
                              .aicc = NAN,
                              .peak = 6.2,
                              .most_workers = 8};
    curve->chosen = MODEL_AMDAHL;
    char *text = print(fixture, false, false, 100);
    assert_says(text, "T1 = 1.00 s (990 ms to 1.01 s), s = 0.05 (0.04 to 0.06); deviates by 1.3 % (the one to use).");
    assert_says(text, "T1 = 1.00 s (no interval: too few launches), a not identifiable (0 to 0.06), b = 0.0001 (no");
    assert_says(text, "fastest with 6 workers");
    assert_says(text,
                "threads 4: ideal 4.00; by Amdahl's law 3.48, and with 8 workers 5.93 (beyond that it says nothing)");
    assert_says(text, "* the fitted law, where no other mark covers it.");
    assert_has(text, "o*       | x 3.40\n"); /* beside the median of threads 4, and not where 8 shared 4 cores */
    assert_has(text, "[o      | x 3.50\n");
    free(text);
}

static void test_too_few_for_laws(void **state)
{
    char *text = print(*state, false, false, 80);
    assert_says(text, "threads: not fitted: Amdahl's law needs more.");
    assert_lacks(text, "multitask: not fitted");
    free(text);
}

/* --- notes ------------------------------------------------------------------------------------------------------ */

static void test_notes(void **state)
{
    struct fixture *fixture = *state;
    struct sample lost[3];
    for (int i = 0; i < 3; i++) {
        sample_init(&lost[i]);
        lost[i].validity = SAMPLE_INVALID;
        snprintf(lost[i].invalid_reason, sizeof lost[i].invalid_reason,
                 i < 2 ? "CPU 1 was held for %d %%" : "worker %d was moved", 10 + i);
    }
    fixture->groups[THREADS][1].samples = lost;
    fixture->groups[THREADS][1].count = 3;
    fixture->points[THREADS][1].outliers = 1;
    fixture->points[THREADS][2].outliers = 1;
    fixture->points[THREADS][2].slow_first = true;
    fixture->points[MULTITASK][3].trend = true;
    char *text = print(fixture, false, false, 100);
    assert_says(text, "(kept; medians hardly feel them): threads 2, threads 4 ");
    assert_says(text, "The first launch was much slower");
    assert_says(text, "neighbours): multitask 8 ");
    assert_says(text, "Left out: 2 samples, such as: CPU 1 was held for 10 % ");
    assert_says(text, "Left out: 1 sample: worker 12 was moved ");
    assert_true(strstr(text, "CPU 1 was held") < strstr(text, "worker 12 was moved"));
    free(text);
}

/* Somebody else's record may have anything in its names and reasons. */
static void test_escapes(void **state)
{
    struct fixture *fixture = *state;
    struct config *config = &fixture->groups[THREADS][0].config;
    snprintf(config->variant, sizeof config->variant, "\x1b[31mred\n\xc3\xa9");
    fixture->points[THREADS][1].valid = 0;
    snprintf(fixture->points[THREADS][1].reason, sizeof fixture->points[THREADS][1].reason, "\x1b]0;title\x07\nhm");
    snprintf(fixture->curves.machine, sizeof fixture->curves.machine, "CPU\x1b[2J\n(host)");
    for (int utf8 = 0; utf8 < 2; utf8++) {
        char *text = print(fixture, utf8, false, 80);
        for (const char *c = text; *c; c++) assert_true(*c == '\n' || *c < 0 || (*c >= ' ' && *c != 0x7f));
        assert_has(text, "?[31mred???");
        free(text);
    }
}

static void test_colour(void **state)
{
    char *text = print(*state, true, true, 80);
    assert_has(text, "\x1b[");
    bool on = false; /* whatever is switched on is switched off in the end */
    for (const char *c = text; *c; c++)
        if (*c == '\x1b') on = strncmp(c, "\x1b[0m", 4) != 0;
    assert_false(on);
    free(text);
}

static void test_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->curves.count = 0;
    char *text = print(fixture, true, true, 80);
    assert_string_equal(text, "");
    free(text);
}

/* --- summary ---------------------------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
    struct fixture *fixture = *state;
    fixture->points[THREADS][3].speedup = unknown;
    fixture->curves.valid = 81;
    json_t *summary = present_study_summary_json(&fixture->results, &fixture->curves);
    assert_non_null(summary);
    assert_true(json_is_null(json_object_get(summary, "machine")));
    json_t *curves = json_object_get(summary, "curves"), *threads = json_array_get(curves, THREADS);
    assert_int_equal(json_array_size(curves), CURVES);
    assert_string_equal(json_string_value(json_object_get(threads, "mode")), "threads");
    assert_string_equal(json_string_value(json_object_get(threads, "serial")), "0000000000000000");
    assert_string_equal(json_string_value(json_object_get(threads, "sentence")), "8 workers had 4 cores.");
    assert_int_equal(json_array_size(json_object_get(threads, "models")), 2);
    json_t *points = json_object_get(threads, "points");
    assert_int_equal(json_array_size(points), POINTS);
    json_t *two = json_array_get(points, 1);
    assert_int_equal(json_integer_value(json_object_get(two, "workers")), 2);
    assert_true(json_number_value(json_object_get(json_object_get(two, "speedup"), "median")) == 1.9);
    assert_true(json_number_value(json_object_get(json_object_get(two, "factors"), "load_balance")) == 1);
    assert_true(json_is_null(json_object_get(json_array_get(points, 3), "speedup")));
    assert_true(json_is_null(json_object_get(threads, "waiting_bound")));
    char *text = json_dumps(summary, JSON_COMPACT);
    assert_non_null(text);
    free(text);
    json_decref(summary);
}

#define page_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        page_test(test_page),          page_test(test_page_in_ascii),
        page_test(test_fits),          page_test(test_not_converged),
        page_test(test_no_interval),   page_test(test_no_valid_time),
        page_test(test_nothing_known), page_test(test_nothing_valid),
        page_test(test_wide_numbers),  page_test(test_oversubscribed),
        page_test(test_linear_axis),   page_test(test_chart_without_serial),
        page_test(test_waiting),       page_test(test_bandwidth),
        page_test(test_laws),          page_test(test_too_few_for_laws),
        page_test(test_notes),         page_test(test_escapes),
        page_test(test_colour),        page_test(test_nothing),
        page_test(test_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
