/* The report of a study and the proposal, from launches made in memory: well-formed whatever the record holds, in need
 * of nothing else, and silent about what is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/present/present.h"
#include "../src/present/report_study.h"
#include "../src/present/rules.h"
#include "html_checks.h"
#include "made_launches.h"
#include "timelines.h"

#include <math.h>
#include <unistd.h>

enum { BLOCKS = 7 };

static const char hostile[] = "</script><script>alert(1)</script>&\"'`$(reboot)\x01\xff";

/* Each test's own: with a study of matmul on two cores. */
struct fixture {
    struct results results;
};

static void add_study(struct results *results)
{
    const struct made serial = {.mode = MODE_SERIAL, .workers = 1}, one = {.mode = MODE_THREADS, .workers = 1},
                      two = {.mode = MODE_THREADS, .workers = 2},
                      turns = {.mode = MODE_MULTITASK, .workers = 2, .cpus = 1};
    make_even(results, &serial, BLOCKS, 1);
    make_even(results, &one, BLOCKS, 1);
    make_even(results, &two, BLOCKS, 0.5);
    make_even(results, &turns, BLOCKS, 1);
    results->study = json_pack("{s:s, s:s, s:s, s:s, s:[s,s], s:[i,i], s:i, s:s, s:s, s:s, s:i, s:i, s:f}", "type",
                               "study", "kernel", "matmul", "variant", "packed", "size", "1000", "modes", "multitask",
                               "threads", "workers", 1, 2, "base", 1, "scaling", "strong", "seed", "1", "isa", "avx512",
                               "runs_min", BLOCKS, "runs_max", BLOCKS, "precision", 0.02);
    results->context = json_pack("{s:s, s:{s:s, s:s, s:i}, s:{s:s}, s:[s]}", "start", "2024-06-07T08:09:10Z", "machine",
                                 "hostname", "toy", "cpu_model", "Toy CPU", "cores", 2, "program", "version", "0.1.0",
                                 "launches", "env speedup-worker matmul");
    assert_non_null(results->study);
    assert_non_null(results->context);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture) return -1;
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

static char *write_parts(bool proposal, int count, const struct study_part parts[])
{
    const struct proposal_request request = {.criterion = -1, .runs_planned = 100};
    char path[] = "/tmp/speedup-report-XXXXXX";
    struct error error = {""};
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(proposal ? present_proposal(path, &request, count, parts, &error)
                              : present_study_report(path, count, parts, &error),
                     STATUS_OK);
    char *html = read_whole(path);
    assert_int_equal(unlink(path), 0);
    return html;
}

/* Whatever the page is of. */
static void check_page(const char *html)
{
    assert_well_formed(html);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "href=\"http"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "url("));
    assert_null(strstr(html, ">nan"));
    assert_null(strstr(html, " nan"));
    assert_null(strstr(html, "-nan"));
    assert_non_null(strstr(html, "<html lang=\"en\""));
    assert_non_null(strstr(html, "<main>"));
}

/* Heading levels go down by one at a time. */
static void check_headings(const char *html)
{
    int level = 0;
    for (const char *at = html; (at = strstr(at, "<h")) != NULL; at++) {
        if (at[2] < '1' || at[2] > '6') continue;
        assert_true(at[2] - '0' <= level + 1);
        level = at[2] - '0';
    }
}

static char *report(const struct results *results, bool proposal)
{
    struct curves curves;
    assert_int_equal(curves_build(results, 0, &curves), 0);
    const struct study_part part = {results, &curves};
    char *html = write_parts(proposal, 1, &part);
    check_page(html);
    check_headings(html);
    curves_release(&curves);
    return html;
}

static void assert_has(const char *html, const char *piece)
{
    if (!strstr(html, piece)) fail_msg("'%s' is not in the page", piece);
}

static void assert_lacks(const char *html, const char *piece)
{
    if (strstr(html, piece)) fail_msg("'%s' is in the page", piece);
}

/* The place of a piece in the page. */
static size_t place_of(const char *html, const char *piece)
{
    assert_has(html, piece);
    return (size_t)(strstr(html, piece) - html);
}

static void a_study_has_all_sections_in_order(void **state)
{
    struct fixture *fixture = *state;
    static const char *const ids[] = {"verdict", "timelines", "curves", "why", "laws", "method", "machine", "again"};
    size_t last = 0;
    add_study(&fixture->results);
    char *html = report(&fixture->results, false);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char piece[64];
        snprintf(piece, sizeof piece, "<h2 id=\"%s\">", ids[i]);
        assert_true(place_of(html, piece) > last);
        last = place_of(html, piece);
        snprintf(piece, sizeof piece, "<a href=\"#%s\">", ids[i]);
        assert_has(html, piece);
    }
    assert_has(html, "How well matmul scales");
    assert_has(html, "7 June 2024, 08:09 UTC");
    assert_has(html, "2 workers (threads) on 2 cores did the work 2.00 times as fast as one task alone (95&#160;% "
                     "interval: 2.00 to 2.00): 100&#160;% of the 2 that these cores could give.");
    assert_has(html, "the difference between multitasking and multiprocessing");
    assert_has(html, "speedup run matmul --mode multitask --workers 2 --size 1000 --timeline");
    assert_has(html,
               "speedup study matmul --modes multitask,threads --workers 1,2 --size 1000 --runs 7 -o again.jsonl");
    assert_has(html, "env speedup-worker matmul");
    assert_has(html, "All 28 samples");
    assert_has(html, "every sample of the record is valid");
    free(html);
}

static void the_command_has_the_scheduling(void **state)
{
    struct fixture *fixture = *state;
    add_study(&fixture->results);
    json_object_set_new(fixture->results.study, "scheduling",
                        json_pack("{s:s, s:i, s:i}", "policy", "batch", "nice", 5, "slice_ns", 2500000));
    char *command = report_command(&fixture->results);
    assert_non_null(command);
    assert_has(command, " --policy batch --nice 5 --slice 2.5ms -o again.jsonl");
    free(command);
    json_object_set_new(fixture->results.study, "scheduling",
                        json_pack("{s:s, s:i, s:n}", "policy", "other", "nice", -1, "slice_ns"));
    command = report_command(&fixture->results);
    assert_non_null(command);
    assert_has(command, " --nice -1 -o again.jsonl");
    assert_lacks(command, "--policy");
    assert_lacks(command, "--slice");
    free(command);
}

static void what_is_hostile_is_escaped(void **state)
{
    struct fixture *fixture = *state;
    struct results *results = &fixture->results;
    struct made made = {.kernel = hostile, .variant = hostile, .size = hostile, .mode = MODE_SERIAL, .workers = 1};
    add_study(results);
    make_even(results, &made, BLOCKS, 1);
    made.mode = MODE_THREADS;
    made.workers = 2;
    make_even(results, &made, BLOCKS, 0.5);
    made.reason = hostile;
    make_launch(results, &made, 0, 1);
    json_t *text = json_string("<b>&'\"`$(reboot)");
    json_object_set(results->study, "kernel", text);
    json_object_set(results->study, "size", text);
    json_object_set(results->study, "seed", text);
    json_object_set(results->study, "isa", text);
    json_object_set(results->context, "start", text);
    json_object_set(json_object_get(results->context, "machine"), "hostname", text);
    json_array_append(json_object_get(results->context, "launches"), text);
    json_decref(text);
    for (int proposal = 0; proposal < 2; proposal++) {
        char *html = report(results, proposal == 1);
        assert_lacks(html, "alert(1)</script>");
        assert_lacks(html, "<b>");
        free(html);
    }
    char *command = report_command(results);
    assert_non_null(command);
    assert_has(command, "speedup study '<b>&'\\''\"`$(reboot)' ");
    free(command);
}

static void nothing_valid_is_no_number(void **state)
{
    struct fixture *fixture = *state;
    const struct made serial = {.mode = MODE_SERIAL, .workers = 1, .reason = "another program held CPU 0"},
                      two = {.mode = MODE_THREADS, .workers = 2, .reason = "another program held CPU 1"};
    make_even(&fixture->results, &serial, BLOCKS, 1);
    make_even(&fixture->results, &two, BLOCKS, 0.5);
    char *html = report(&fixture->results, false);
    assert_has(html, "There is no speedup to tell of");
    assert_has(html, "no valid time: another program held CPU 0");
    assert_has(html, "14 of 14 launches do not count");
    assert_lacks(html, "times as fast as one task alone (");
    free(html);
    html = report(&fixture->results, true);
    assert_has(html, "no valid time with a core for each worker");
    free(html);
}

static void one_point_is_told_as_one(void **state)
{
    struct fixture *fixture = *state;
    const struct made two = {.mode = MODE_THREADS, .workers = 2};
    make_launch(&fixture->results, &two, 0, 0.5);
    char *html = report(&fixture->results, false);
    assert_has(html, "There is no speedup to tell of");
    assert_has(html, "holds no plan of a study");
    assert_has(html, "The record says nothing of the machine");
    free(html);
    html = report(&fixture->results, true);
    assert_has(html, "No doubling of the cores was measured");
    free(html);
}

static void an_empty_record_is_a_page_too(void **state)
{
    struct fixture *fixture = *state;
    fixture->results.torn = true;
    char *html = report(&fixture->results, false);
    assert_has(html, "A record without samples");
    assert_has(html, "torn off");
    free(html);
    free(report(&fixture->results, true));
}

static void of_timings_only_times_are_told(void **state)
{
    struct fixture *fixture = *state;
    const struct made one = {.kernel = "run", .variant = "", .size = "", .mode = MODE_SERIAL, .workers = 1},
                      two = {.kernel = "run", .variant = "", .size = "", .mode = MODE_THREADS, .workers = 2};
    make_even(&fixture->results, &one, BLOCKS, 8);
    make_even(&fixture->results, &two, BLOCKS, 4);
    char *html = report(&fixture->results, false);
    assert_has(html, "2 workers did the work 2.00 times as fast");
    assert_has(html, "the twelve rules for such measurements cannot be checked here");
    assert_has(html, "a list of times does not tell what the workers did meanwhile");
    assert_lacks(html, "OpenMP");
    assert_lacks(html, "CLOCK_MONOTONIC");
    free(html);
    html = report(&fixture->results, true);
    assert_has(html, "[the machine: processor, cores, memory, network]");
    assert_has(html, "what the times contain is not known");
    free(html);
}

static void a_pair_of_timelines_is_shown(void **state)
{
    struct fixture *fixture = *state;
    struct timeline_record turns, cores;
    scene_turns(&turns, 2, 0.004, 20);
    scene_cores(&cores, 0.04);
    snprintf(turns.invalid_reason, sizeof turns.invalid_reason, "%.200s", hostile);
    turns.validity = SAMPLE_INVALID;
    assert_int_equal(results_add_timeline(&fixture->results, &turns), 0);
    char *html = report(&fixture->results, false); /* of timelines alone, and of one side */
    assert_has(html, "Multitasking: 2 workers of toy on 1 core");
    assert_has(html, "For the pair, a timeline of tasks that share one core");
    free(html);
    add_study(&fixture->results);
    assert_int_equal(results_add_timeline(&fixture->results, &cores), 0);
    html = report(&fixture->results, false);
    assert_has(html, "Two launches, on one scale of time");
    assert_has(html, "Multiprocessing: 2 workers of toy on 2 cores");
    assert_true(place_of(html, "Multitasking: 2") < place_of(html, "Multiprocessing: 2"));
    assert_lacks(html, "No timeline was recorded");
    free(html);
}

static void one_task_is_neither(void **state)
{
    struct fixture *fixture = *state;
    struct timeline_record alone;
    scene_init(&alone, MODE_SERIAL, 1, 0.04);
    scene_task(&alone, 0, 0, "toy");
    scene_span(&alone, 0, 0.04, SPAN_RUNNING, 0);
    assert_int_equal(results_add_timeline(&fixture->results, &alone), 0);
    char *html = report(&fixture->results, false);
    assert_has(html, "One task alone: 1 worker of toy on 1 core");
    assert_lacks(html, "Multiprocessing: 1");
    free(html);
}

static void without_gnuplot_the_tables_remain(void **state)
{
    struct fixture *fixture = *state;
    char *path = strdup(getenv("PATH"));
    assert_non_null(path);
    add_study(&fixture->results);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    char *html = report(&fixture->results, false), *proposal = report(&fixture->results, true);
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_has(html, "There are no figures in this report: ");
    assert_has(html, "gnuplot");
    assert_lacks(html, "<svg");
    assert_has(html, "<caption><span>All points of matmul (packed, size 1000)");
    assert_has(proposal, "There is no figure here: ");
    assert_lacks(proposal, "<svg");
    free(html);
    free(proposal);
}

static void machines_have_a_section_each(void **state)
{
    struct fixture *fixture = *state;
    struct curves curves;
    add_study(&fixture->results);
    assert_int_equal(curves_build(&fixture->results, 0, &curves), 0);
    const struct study_part parts[] = {{&fixture->results, &curves}, {&fixture->results, &curves}};
    char *html = write_parts(false, 2, parts);
    check_page(html);
    check_headings(html);
    assert_has(html, "<h2 id=\"part-1\">Toy CPU (toy)</h2>");
    assert_has(html, "<h3 id=\"part-2-verdict\">");
    for (const char *at = html; (at = strstr(at, " id=\"")) != NULL; at++) { /* each id once */
        char id[96];
        snprintf(id, sizeof id, "%.*s", (int)(strcspn(at + 5, "\"") + 6), at);
        assert_null(strstr(at + 1, id));
    }
    free(html);
    curves_release(&curves);
}

static void two_thousand_samples_stay_small(void **state)
{
    struct fixture *fixture = *state;
    for (int workers = 1; workers <= 16; workers++) {
        const struct made made = {.mode = MODE_THREADS, .workers = workers};
        make_even(&fixture->results, &made, 125, 16.0 / workers);
    }
    char *html = report(&fixture->results, false);
    assert_has(html, "All 2000 samples");
    assert_true(strlen(html) < 3000000);
    free(html);
}

static void the_proposal_has_what_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    add_study(&fixture->results);
    char *html = report(&fixture->results, true);
    assert_has(html, "passes (1.5 needed)");
    assert_has(html, "Recommended job size: 2 cores");
    assert_has(html, "for the 100 runs planned");
    assert_has(html, "Toy CPU");
    assert_has(html, "was launched afresh 7 times");
    assert_has(html, "No measurement was left out.");
    free(html);
}

/* The README says the same as the report. */
static void the_rules_are_those_of_the_readme(void **state)
{
    (void)state;
    const char *source = getenv("SPEEDUP_SOURCE");
    char path[4096], row[1024];
    int count = 0;
    if (!source) skip();
    snprintf(path, sizeof path, "%s/README.md", source);
    char *readme = read_whole(path);
    for (; measurement_rules[count].rule; count++) {
        const struct rule *rule = &measurement_rules[count];
        snprintf(row, sizeof row, "\n| %d | %s | %s | %s |\n", count + 1, rule->rule, rule->here, rule->see);
        assert_has(readme, row);
    }
    assert_int_equal(count, 12);
    free(readme);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_study_has_all_sections_in_order),
        TEST(the_command_has_the_scheduling),
        TEST(what_is_hostile_is_escaped),
        TEST(nothing_valid_is_no_number),
        TEST(one_point_is_told_as_one),
        TEST(an_empty_record_is_a_page_too),
        TEST(of_timings_only_times_are_told),
        TEST(a_pair_of_timelines_is_shown),
        TEST(one_task_is_neither),
        TEST(without_gnuplot_the_tables_remain),
        TEST(machines_have_a_section_each),
        TEST(two_thousand_samples_stay_small),
        TEST(the_proposal_has_what_is_asked_for),
        cmocka_unit_test(the_rules_are_those_of_the_readme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
