/* The variants side by side, from samples made by hand: ratios by block, reasons instead of numbers that were not
 * obtained, letters for equal bits, and what is printed of it. */
#include "../src/analyse/ladder.h"
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

enum { PLAIN, BETTER, OTHER, BEST, VARIANTS };

static const struct variant variants[] = {
    {.name = "plain", .summary = "as in the book", .exact = true},
    {.name = "better", .summary = "the same in another order", .exact = true},
    {.name = "other", .summary = "in blocks that fit into the caches", .exact = true},
    {.name = "best", .summary = "somebody else's, whoever that may be", .exact = false},
    {.name = NULL},
};
static const struct kernel kernel = {.name = "toy", .work_unit = "flop", .variants = variants};
static const double work = 1e9;

static void assert_near(double value, double expected, double tolerance)
{
    assert_true(fabs(value - expected) <= tolerance);
}

struct fixture {
    struct results results;
    const char *reasons[VARIANTS];
    struct ladder ladder;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    results_init(&fixture->results);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    results_release(&fixture->results);
    free(fixture);
    return 0;
}

static struct sample make_sample(const char *kernel_name, const char *variant, int block, double wall_s)
{
    struct sample sample;
    sample_init(&sample);
    snprintf(sample.config.kernel, sizeof sample.config.kernel, "%s", kernel_name);
    snprintf(sample.config.variant, sizeof sample.config.variant, "%s", variant);
    snprintf(sample.config.size, sizeof sample.config.size, "1000");
    sample.config.mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = MODE_SERIAL, .ranks = 1, .threads = 1, .cpus = {.count = 1}};
    sample.block = block;
    sample.wall_s = wall_s;
    sample.work = work;
    sample.rate = work / wall_s;
    sample.correct = true;
    sample.checksum = 7;
    sample.validity = SAMPLE_VALID;
    snprintf(sample.check_detail, sizeof sample.check_detail, "compared; product of libfast");
    return sample;
}

static void add(struct fixture *fixture, const struct sample *sample)
{
    assert_int_equal(results_add(&fixture->results, sample), 0);
}

static void add_valid(struct fixture *fixture, int variant, int block, double wall_s)
{
    struct sample sample = make_sample("toy", variants[variant].name, block, wall_s);
    add(fixture, &sample);
}

static void add_unlike(struct fixture *fixture, int variant, int block, double wall_s, enum validity validity,
                       const char *reason)
{
    struct sample sample = make_sample("toy", variants[variant].name, block, wall_s);
    sample.validity = validity;
    snprintf(sample.invalid_reason, sizeof sample.invalid_reason, "%s", reason);
    add(fixture, &sample);
}

static const struct ladder *build(struct fixture *fixture)
{
    ladder_build(&kernel, &fixture->results, fixture->reasons, &fixture->ladder);
    return &fixture->ladder;
}

/* As heap text. */
static char *print(const struct ladder *ladder, bool utf8, bool colour, int width)
{
    const struct style style = {.colour = colour, .utf8 = utf8, .width = width};
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    present_ladder(file, &style, ladder, "A remark. ");
    assert_int_equal(fclose(file), 0);
    return text;
}

/* The line that begins with `start`, counted from the first, as heap text; NULL: none. */
static char *line_of(const char *text, const char *start, int number)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        if (strncmp(text, start, strlen(start)) == 0 && number-- == 0) return strndup(text, strcspn(text, "\n"));
    return NULL;
}

static void assert_line(const char *text, const char *start, int number, const char *expected)
{
    char *line = line_of(text, start, number);
    assert_non_null(line);
    assert_string_equal(line, expected);
    free(line);
}

/* --- numbers ---------------------------------------------------------------------------------------------------- */

/* The machine is twice as fast in the second block: ratios of medians over all would not be 4 and 8. */
static void test_ratios_are_of_blocks(void **state)
{
    struct fixture *fixture = *state;
    add_valid(fixture, PLAIN, 0, 8);
    add_valid(fixture, BETTER, 0, 2);
    add_valid(fixture, OTHER, 0, 1);
    add_valid(fixture, BETTER, 1, 1);
    add_valid(fixture, PLAIN, 1, 4);
    add_valid(fixture, OTHER, 2, 0.3);
    add_valid(fixture, BETTER, 2, 0.6);
    const struct ladder *ladder = build(fixture);
    const struct ladder_rung *rungs = ladder->rungs;
    assert_int_equal(ladder->rung_count, VARIANTS);
    assert_int_equal(ladder->first, PLAIN);
    assert_int_equal(ladder->blocks, 3);
    assert_int_equal(rungs[PLAIN].state, RUNG_MEASURED);
    assert_near(rungs[PLAIN].wall_s, 6, 1e-12);
    assert_near(rungs[PLAIN].on_first.middle, 1, 0);
    assert_true(isnan(rungs[PLAIN].on_before.middle));
    assert_int_equal(rungs[BETTER].on_first.count, 2);
    assert_near(rungs[BETTER].on_first.middle, 4, 1e-12);
    assert_near(rungs[BETTER].on_first.low, 4, 1e-12);
    assert_near(rungs[BETTER].on_first.high, 4, 1e-12);
    assert_int_equal(rungs[OTHER].on_first.count, 1);
    assert_near(rungs[OTHER].on_first.middle, 8, 1e-12);
    assert_int_equal(rungs[OTHER].on_before.count, 2);
    assert_near(rungs[OTHER].on_before.middle, 2, 1e-12);
}

static void test_interval_from_six_blocks_on(void **state)
{
    struct fixture *fixture = *state;
    for (int block = 0; block < 9; block++) {
        add_valid(fixture, PLAIN, block, 10 + block);
        add_valid(fixture, BETTER, block, 1);
        if (block < 5) add_valid(fixture, OTHER, block, 1);
    }
    const struct ladder *ladder = build(fixture);
    const struct spread *spread = &ladder->rungs[BETTER].on_first;
    assert_true(spread->interval);
    assert_near(spread->middle, 14, 1e-12);
    assert_near(spread->low, 11, 1e-12); /* of 9 the second and the eighth */
    assert_near(spread->high, 17, 1e-12);
    spread = &ladder->rungs[OTHER].on_first;
    assert_false(spread->interval);
    assert_near(spread->low, 10, 1e-12);
    assert_near(spread->high, 14, 1e-12);
}

static void test_rungs_without_samples(void **state)
{
    struct fixture *fixture = *state;
    fixture->reasons[PLAIN] = "it took longer than the time limit";
    fixture->reasons[BEST] = "not available here: no library";
    add_valid(fixture, BETTER, 0, 2);
    const struct ladder *ladder = build(fixture);
    assert_int_equal(ladder->first, BETTER);
    assert_int_equal(ladder->rungs[PLAIN].state, RUNG_UNMEASURED);
    assert_string_equal(ladder->rungs[PLAIN].reason, "it took longer than the time limit");
    assert_true(isnan(ladder->rungs[PLAIN].wall_s));
    assert_true(isnan(ladder->rungs[PLAIN].on_first.middle));
    assert_int_equal(ladder->rungs[PLAIN].bits, ' ');
    assert_string_equal(ladder->rungs[OTHER].reason, "no sample was made");
    assert_string_equal(ladder->rungs[BEST].reason, "not available here: no library");
    assert_near(ladder->rungs[BETTER].on_first.middle, 1, 0);
}

/* The rung after one that was disturbed is compared with the last that was measured. */
static void test_disturbed(void **state)
{
    struct fixture *fixture = *state;
    add_valid(fixture, PLAIN, 0, 8);
    add_unlike(fixture, BETTER, 0, 2, SAMPLE_INVALID, "worker 0 was moved");
    add_unlike(fixture, BETTER, 0, 2, SAMPLE_INVALID, "another program held CPU 0 for at least 50 % of the time");
    add_unlike(fixture, BETTER, 0, 2, SAMPLE_INVALID, "another program held CPU 0 for at least 40 % of the time");
    add_valid(fixture, OTHER, 0, 1);
    const struct ladder *ladder = build(fixture);
    assert_int_equal(ladder->rungs[BETTER].state, RUNG_UNMEASURED);
    assert_string_equal(ladder->rungs[BETTER].reason, "another program held CPU 0 for at least 50 % of the time");
    assert_true(isnan(ladder->rungs[BETTER].wall_s));
    assert_true(isnan(ladder->rungs[BETTER].on_first.middle));
    assert_near(ladder->rungs[OTHER].on_before.middle, 8, 1e-12);
}

/* Time and rate, as they were seen, and no conclusion; a disturbed sample beside it changes nothing. */
static void test_too_short(void **state)
{
    struct fixture *fixture = *state;
    add_valid(fixture, PLAIN, 0, 8);
    add_unlike(fixture, BETTER, 0, 0.3, SAMPLE_INVALID, "another program held CPU 0");
    add_unlike(fixture, BETTER, 0, 0.3, SAMPLE_INVALID, "another program held CPU 0");
    add_unlike(fixture, BETTER, 0, 0.1, SAMPLE_NOT_JUDGED, "too short: 0.1 s; disturbance is judged from 0.2 s on");
    const struct ladder_rung *rung = &build(fixture)->rungs[BETTER];
    assert_int_equal(rung->state, RUNG_NOT_JUDGED);
    assert_string_equal(rung->reason, "too short");
    assert_near(rung->wall_s, 0.1, 1e-12);
    assert_near(rung->rate, 1e10, 1);
    assert_true(isnan(rung->on_first.middle));
    assert_true(isnan(rung->share));
    assert_int_equal(rung->bits, 'A'); /* the answer was right, however long it took */
}

/* One wrong answer is enough: no other sample of that rung gives a time. */
static void test_wrong_answer(void **state)
{
    struct fixture *fixture = *state;
    add_valid(fixture, PLAIN, 0, 8);
    add_valid(fixture, BETTER, 0, 2);
    struct sample wrong = make_sample("toy", "better", 1, NAN);
    wrong.correct = false;
    wrong.validity = SAMPLE_INVALID;
    wrong.checksum = 9;
    snprintf(wrong.check_detail, sizeof wrong.check_detail, "row 3 is wrong");
    snprintf(wrong.invalid_reason, sizeof wrong.invalid_reason, "wrong answer: row 3 is wrong");
    add(fixture, &wrong);
    add_valid(fixture, OTHER, 0, 1);
    const struct ladder *ladder = build(fixture);
    assert_int_equal(ladder->rungs[BETTER].state, RUNG_WRONG);
    assert_string_equal(ladder->rungs[BETTER].reason, "row 3 is wrong");
    assert_true(isnan(ladder->rungs[BETTER].wall_s));
    assert_true(isnan(ladder->rungs[BETTER].on_first.middle));
    assert_near(ladder->rungs[OTHER].on_before.middle, 8, 1e-12);
    char *text = print(ladder, false, false, 80);
    assert_line(text, "better", 0, "better   WRONG ANSWER: row 3 is wrong");
    assert_line(text, "better", 1, "better   wrong answer");
    free(text);
}

static void test_bits(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t checksums[VARIANTS][2] = {{7, 7}, {8, 8}, {7, 7}, {9, 10}};
    for (int variant = 0; variant < VARIANTS; variant++)
        for (int block = 0; block < 2; block++) {
            struct sample sample = make_sample("toy", variants[variant].name, block, 1);
            sample.checksum = checksums[variant][block];
            add(fixture, &sample);
        }
    const struct ladder *ladder = build(fixture);
    assert_int_equal(ladder->rungs[PLAIN].bits, 'A');
    assert_int_equal(ladder->rungs[BETTER].bits, 'B');
    assert_int_equal(ladder->rungs[OTHER].bits, 'A');
    assert_int_equal(ladder->rungs[BEST].bits, '?');
}

static void test_ceiling(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = make_sample("toy", "plain", 0, 1);
    sample.ceiling_rate = 4e9;
    snprintf(sample.ceiling, sizeof sample.ceiling, "multiply-adds");
    add(fixture, &sample);
    add_valid(fixture, BETTER, 0, 0.5); /* without one */
    const struct ladder *ladder = build(fixture);
    assert_near(ladder->ceiling_rate, 4e9, 1);
    assert_string_equal(ladder->ceiling, "multiply-adds");
    assert_near(ladder->rungs[PLAIN].share, 0.25, 1e-12);
    assert_true(isnan(ladder->rungs[BETTER].share));
}

static void test_no_samples(void **state)
{
    struct fixture *fixture = *state;
    const struct ladder *ladder = build(fixture);
    assert_null(ladder->config);
    assert_int_equal(ladder->first, -1);
    assert_int_equal(ladder->rung_count, VARIANTS);
    char *text = print(ladder, true, true, 80);
    assert_string_equal(text, "");
    free(text);
}

/* --- sizes ------------------------------------------------------------------------------------------------------ */

static void test_size_that_can_be_judged(void **state)
{
    (void)state;
    struct problem problem;
    struct size size;
    problem_init(kernel_find("matmul"), &problem);
    problem.size = (struct size){.dims = 1, .dim = {1000}};
    assert_int_equal(ladder_size(&problem, 0.25 / 8, &size), 0);
    assert_int_equal(size.dims, 1);
    assert_int_equal(size.dim[0], 2000);
    assert_int_equal(ladder_size(&problem, 0.25 / 1.5, &size), 0); /* 1145 */
    assert_int_equal(size.dim[0], 1100);
    assert_int_equal(ladder_size(&problem, 0.25 * 1000 * 1000, &size), 0);
    assert_int_equal(size.dim[0], 10);
    assert_true(ladder_size(&problem, NAN, &size) < 0);
    assert_true(ladder_size(&problem, 0, &size) < 0);
    assert_true(ladder_size(&problem, 1e-30, &size) < 0);
}

/* It follows from the fastest sample of all. */
static void test_size_hint(void **state)
{
    struct fixture *fixture = *state;
    const struct kernel *matmul = kernel_find("matmul");
    const char *reasons[LADDER_RUNGS_MAX] = {NULL};
    struct sample sample = make_sample("matmul", matmul->variants[0].name, 0, 0.25);
    add(fixture, &sample);
    ladder_build(matmul, &fixture->results, reasons, &fixture->ladder);
    assert_string_equal(fixture->ladder.size_hint, "");
    sample = make_sample("matmul", matmul->variants[1].name, 0, 0.25 / 27);
    sample.validity = SAMPLE_NOT_JUDGED;
    add(fixture, &sample);
    sample = make_sample("matmul", matmul->variants[2].name, 0, 0.25 / 8);
    sample.validity = SAMPLE_NOT_JUDGED;
    add(fixture, &sample);
    ladder_build(matmul, &fixture->results, reasons, &fixture->ladder);
    assert_string_equal(fixture->ladder.size_hint, "3000");
    char *text = print(&fixture->ladder, false, false, 80);
    assert_non_null(strstr(text, "--size 3000 would"));
    free(text);
}

/* --- pages ------------------------------------------------------------------------------------------------------ */

/* One rung of each kind: measured, disturbed, too short, and somebody else's. */
static const struct ladder *build_page(struct fixture *fixture)
{
    for (int block = 0; block < 3; block++) {
        struct sample plain = make_sample("toy", "plain", block, 8 + 0.1 * block);
        struct sample best = make_sample("toy", "best", block, 0.25);
        plain.ceiling_rate = best.ceiling_rate = 5e9;
        best.checksum = 8;
        snprintf(plain.ceiling, sizeof plain.ceiling, "multiply-adds");
        memcpy(best.ceiling, plain.ceiling, sizeof best.ceiling);
        add(fixture, &plain);
        add(fixture, &best);
    }
    add_unlike(fixture, BETTER, 0, 2, SAMPLE_INVALID, "another program held CPU 0 for at least 50 % of the time");
    add_unlike(fixture, OTHER, 0, 0.1, SAMPLE_NOT_JUDGED, "too short: 0.1 s; disturbance is judged from 0.2 s on");
    return build(fixture);
}

static void test_page(void **state)
{
    char *text = print(build_page(*state), false, false, 80);
    assert_line(text, "The", 0, "The variants of toy, size 1000, mode serial: 1 task on CPU 0");
    assert_line(text, "variant", 0, "variant     time  GFLOP/s  ceiling  plain           the one before  bits");
    assert_line(text, "plain", 0, "plain     8.10 s     0.12    2.5 %  1.00            -               A");
    assert_line(text, "better", 0, "better   no valid time: another program held CPU 0 for at least 50 % of the time");
    assert_line(text, "other", 0, "other     100 ms     10.0  not judged: too short");
    assert_line(text, "best", 0, "best      250 ms     4.00     80 %  32.4 32.0-32.8  32.4 32.0-32.8  B");
    assert_line(text, "better", 1, "better   not measured");
    assert_non_null(strstr(text, "         in blocks that fit into the caches\n"));
    assert_non_null(strstr(text, "         (compared; product of libfast)\n"));
    assert_non_null(strstr(text, "GFLOP/s, on one scale. | marks the ceiling: 5.00, multiply-adds."));
    assert_non_null(strstr(text, "A remark."));
    free(text);
}

static int widest_line(const char *text)
{
    int widest = 0;
    for (; *text; text += *text == '\n') {
        char *line = strndup(text, strcspn(text, "\n"));
        int width = text_width(line);
        text += strlen(line);
        free(line);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void test_pages_fit(void **state)
{
    const struct ladder *ladder = build_page(*state);
    static const int widths[] = {60, 72, 80, 100};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            char *text = print(ladder, utf8, false, widths[i]);
            assert_true(widest_line(text) <= widths[i]);
            assert_null(strchr(text, '\033'));
            for (const char *byte = text; *byte && !utf8; byte++) assert_true((unsigned char)*byte < 0x80);
            free(text);
        }
    char *text = print(ladder, true, true, 80);
    assert_non_null(strchr(text, '\033'));
    free(text);
}

static int count_of(const char *text, const char *piece)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, piece)); at += strlen(piece)) count++;
    return count;
}

/* One scale: a bar is as long as its rate, and the ceiling's mark stands at the same place in each. */
static void test_bars(void **state)
{
    char *text = print(build_page(*state), false, false, 80);
    char *plain = line_of(text, "plain", 1), *best = line_of(text, "best", 1);
    assert_non_null(plain);
    assert_non_null(best);
    int cells = (int)(strchr(best, '|') - best) - 9;
    assert_int_equal(strchr(plain, '|') - plain, strchr(best, '|') - best);
    assert_true(abs(count_of(best, "#") - cells * 4 / 5) <= 1);
    assert_true(abs(count_of(plain, "#") - cells / 40) <= 1);
    free(plain);
    free(best);
    free(text);
}

static void test_page_without_ceiling(void **state)
{
    struct fixture *fixture = *state;
    add_valid(fixture, PLAIN, 0, 8);
    add_valid(fixture, BETTER, 0, 4);
    char *text = print(build(fixture), false, false, 80);
    assert_null(strstr(text, "ceiling"));
    assert_null(strchr(text, '|'));
    assert_line(text, "variant", 0, "variant     time  MFLOP/s  plain           the one before  bits");
    assert_line(text, "better", 0, "better    4.00 s      250  2.00            2.00            A");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ratios_are_of_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interval_from_six_blocks_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rungs_without_samples, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disturbed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_samples, set_up, tear_down),
        cmocka_unit_test(test_size_that_can_be_judged),
        cmocka_unit_test_setup_teardown(test_size_hint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bars, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_page_without_ceiling, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
