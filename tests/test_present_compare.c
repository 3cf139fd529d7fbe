/* Comparisons on a page and as JSON, from comparisons made by hand. */
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

enum { COUNT = 5 };

struct fixture {
    struct group groups[COUNT];
    struct comparison comparisons[COUNT];
};

static int set_up(void **state)
{
    static const enum mode_name modes[COUNT] = {MODE_SERIAL, MODE_THREADS, MODE_MULTITASK_MPI, MODE_THREADS, MODE_MPI};
    static const enum comparison_verdict verdicts[COUNT] = {COMPARE_FASTER, COMPARE_SLOWER, COMPARE_UNDECIDED,
                                                            COMPARE_IMPOSSIBLE, COMPARE_UNDECIDED};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    for (int i = 0; i < COUNT; i++) {
        struct config *config = &fixture->groups[i].config;
        struct comparison *comparison = &fixture->comparisons[i];
        snprintf(config->kernel, sizeof config->kernel, i < 3 ? "toy" : "other");
        snprintf(config->variant, sizeof config->variant, "plain");
        snprintf(config->size, sizeof config->size, "1000");
        config->mode = (struct mode){
            .nodes = 1, .map = "cores-first", .name = modes[i], .ranks = 1, .threads = i ? 2 : 1, .cpus = {.count = 1}};
        *comparison = (struct comparison){.before = &fixture->groups[i],
                                          .after = &fixture->groups[i],
                                          .before_count = 9,
                                          .after_count = 12,
                                          .ratio = {9, 1.1, 1.05, 1.15, true},
                                          .p = 0.01,
                                          .p_adjusted = 0.04,
                                          .verdict = verdicts[i]};
    }
    fixture->comparisons[1].ratio = (struct spread){9, 0.95, 0.904, 0.996, true};
    struct comparison *none = &fixture->comparisons[3];
    none->before = NULL;
    none->before_count = 0;
    none->ratio = (struct spread){0, NAN, NAN, NAN, false};
    none->p = none->p_adjusted = NAN;
    snprintf(none->reason, sizeof none->reason, "measured only after");
    snprintf(fixture->comparisons[4].reason, sizeof none->reason, "launches: 4 and 5, of which no order decides");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

/* As heap text. */
static char *print(const struct fixture *fixture, int count, bool colour, int width)
{
    const struct style style = {.colour = colour, .utf8 = false, .width = width};
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    present_comparisons(file, &style, count, fixture->comparisons);
    assert_int_equal(fclose(file), 0);
    char *copy = strdup(text);
    assert_non_null(copy);
    free(text);
    return copy;
}

static void test_page(void **state)
{
    char *text = print(*state, COUNT, false, 80);
    assert_string_equal(text, "  mode, workers     old, new  times as fast     verdict\n"
                              "toy (plain, size 1000)\n"
                              "  serial 1             9, 12  1.100 1.050-1.150 faster\n"
                              "  threads 2            9, 12  0.950 0.904-0.996 slower\n"
                              "  multitask-mpi 2      9, 12  1.100 1.050-1.150 no difference shown\n"
                              "other (plain, size 1000)\n"
                              "  threads 2            0, 12  -                 measured only after\n"
                              "  mpi 2                9, 12  1.100 1.050-1.150 no difference shown: launches: 4\n"
                              "                                                and 5, of which no order decides\n"
                              "\n"
                              "4 configurations compared: 1 faster, 1 slower, 2 without a difference shown. The\n"
                              "largest slowdown is at least 0.4 %. 1 could not be compared.\n"
                              "Launches are compared, whatever their blocks (Mann and Whitney's test); the\n"
                              "verdicts allow for the number of configurations (Holm): the chance of a wrong\n"
                              "one among all is at most 5 %, if the machine was as fast both times. How much\n"
                              "its speed differed, as far as the reference loops of both studies tell, is\n"
                              "allowed for; --paired compares what one study measured side by side.\n");
    free(text);
}

static void test_page_of_pairs(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < COUNT; i++) fixture->comparisons[i].paired = true;
    char *text = print(fixture, COUNT, true, 80);
    assert_non_null(strstr(text, "pairs"));
    assert_non_null(strstr(text, "sign test"));
    assert_non_null(strchr(text, '\x1b'));
    free(text);
}

static void test_nothing_to_compare(void **state)
{
    struct fixture *fixture = *state;
    fixture->comparisons[0] = fixture->comparisons[3];
    char *text = print(fixture, 1, false, 80);
    assert_non_null(strstr(text, "\nNothing could be compared.\n"));
    assert_null(strstr(text, "nan"));
    free(text);
}

static void test_escapes(void **state)
{
    struct fixture *fixture = *state;
    snprintf(fixture->groups[0].config.kernel, sizeof fixture->groups[0].config.kernel, "\x1b[31mred\n");
    snprintf(fixture->comparisons[4].reason, sizeof fixture->comparisons[4].reason, "\x1b]0;title\x07");
    char *text = print(fixture, COUNT, false, 80);
    for (const char *c = text; *c; c++) assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
    free(text);
}

static void test_json(void **state)
{
    const struct fixture *fixture = *state;
    json_t *list = present_comparisons_json(COUNT, fixture->comparisons), *first = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), COUNT);
    assert_string_equal(json_string_value(json_object_get(first, "verdict")), "faster");
    assert_true(json_real_value(json_object_get(first, "ratio")) == 1.1);
    assert_true(json_is_null(json_object_get(first, "reason")));
    assert_true(json_is_object(json_object_get(first, "config")));
    json_t *none = json_array_get(list, 3);
    assert_true(json_is_null(json_object_get(none, "ratio")));
    assert_true(json_is_null(json_object_get(none, "p")));
    assert_string_equal(json_string_value(json_object_get(none, "reason")), "measured only after");
    json_decref(list);
}

#define page_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        page_test(test_page),    page_test(test_page_of_pairs), page_test(test_nothing_to_compare),
        page_test(test_escapes), page_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
