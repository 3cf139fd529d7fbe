/* The page of nodes and cores, on a terminal, as JSON and as HTML: it fits, it names, and nothing of a record escapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/present/present.h"
#include "../src/present/report_study.h"
#include "html_checks.h"
#include "made_nodes.h"

#include <unistd.h>

static struct made_fault third_node_computes(int node, int core, int launch)
{
    (void)core;
    (void)launch;
    return (struct made_fault){.cpu_time = node == 2 ? 0.31 : 0};
}

static struct made_fault some_of_many(int node, int core, int launch)
{
    (void)launch;
    return (struct made_fault){.cpu_time = node == 61 ? 0.31 : 0, .waited = node < 30 && core == 7 ? 0.5 : 0};
}

static void make_study(struct results *results, const struct made_nodes *made, int launches)
{
    results_init(results);
    make_node_launches(results, made, launches);
    results->study = json_pack("{s:s, s:b, s:i, s:i, s:s, s:s, s:s, s:[s], s:[i]}", "type", "study", "per_node", 1,
                               "runs_min", 6, "runs_max", 30, "kernel", "pi", "variant", "philox", "size", "1000",
                               "modes", "mpi", "workers", made->nodes * made->cores);
    results->context = json_pack("{s:s, s:{s:s, s:s, s:i, s:i}}", "start", "2024-06-07T08:09:10Z", "machine",
                                 "hostname", "node1", "cpu_model", "Toy CPU", "cores", 2, "kinds", 2);
    assert_non_null(results->study);
    assert_non_null(results->context);
}

/* Heap. */
static char *print(const struct results *results, bool utf8)
{
    const struct style style = {.utf8 = utf8, .width = 80};
    struct curves curves;
    char *text = NULL;
    size_t length;
    assert_int_equal(curves_build(results, 0.02, &curves), 0);
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    present_study(stream, &style, results, &curves);
    assert_int_equal(fclose(stream), 0);
    curves_release(&curves);
    return text;
}

static void assert_fits(const char *text)
{
    int width = 0;
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' && *text != '\n') fail_msg("a control character %d", *text);
        width = *text == '\n' ? 0 : width + ((*text & 0xc0) != 0x80);
        if (width > 80) fail_msg("wider than 80: ...%.60s", text - 60);
    }
}

static void expect_part(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

static int count_lines(const char *text)
{
    int count = 0;
    for (; *text; text++) count += *text == '\n';
    return count;
}

static void the_verdict_stands_first_and_the_table_names(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = third_node_computes};
    struct results results;
    make_study(&results, &made, 12);
    char *text = print(&results, true);
    assert_fits(text);
    expect_part(text, "\n\nnode3 is slow: 1.31 [1.31, 1.31] times as long as the others; ");
    expect_part(text, "\npi (philox, size 1000): the same work on 8 cores of 4 nodes at once; 12 launches\n");
    expect_part(text, "\n  node1    1.00 1.00-1.00     1.00   0.0 %   0.0 %   0.0 %  alike\n");
    expect_part(text, "\n  node3    1.31 1.31-1.31     1.31   0.0 %   0.0 %   0.0 %  slow\n"
                      "    CPU 0  1.31 1.31-1.31     1.31   0.0 %   0.0 %   0.0 %  slow\n");
    expect_part(text, "cores of several kinds");
    assert_null(strstr(text, "disturbed"));
    free(text);
    for (int s = 0; s < 3; s++) results.groups[0].samples[s].validity = SAMPLE_INVALID;
    text = print(&results, true);
    expect_part(text, "\n3 of 12 launches were disturbed.");
    free(text);
    results_release(&results);
}

static void thousands_fit_on_a_page(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 100, .cores = 20, .noise = 0.003, .fault = some_of_many};
    struct results results;
    make_study(&results, &made, 20);
    char *text = print(&results, true);
    assert_fits(text);
    expect_part(text, "1 of 100 nodes is slow, and 30 cores of other nodes: node62 1.3");
    expect_part(text, "2000 cores: the fastest 1.00");
    expect_part(text, "\n  CPU 7 of node");
    expect_part(text, "\n  and 11 more;");
    assert_null(strstr(text, "CPU 3 of"));
    if (count_lines(text) > 55) fail_msg("%d lines", count_lines(text));
    free(text);
    results_release(&results);
}

static void json_has_all(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = third_node_computes, .host = "h\xff\x1b%d"};
    struct results results;
    make_study(&results, &made, 12);
    json_t *list = present_nodes_json(&results);
    const json_t *object = json_array_get(list, 0), *place;
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(object, "type")), "nodes");
    assert_true(json_is_true(json_object_get(object, "slow")));
    assert_int_equal(json_array_size(json_object_get(object, "nodes")), 4);
    assert_int_equal(json_array_size(json_object_get(object, "cores")), 8);
    place = json_array_get(json_object_get(object, "nodes"), 2);
    assert_string_equal(json_string_value(json_object_get(place, "cause")), "cpu_time");
    assert_string_equal(json_string_value(json_object_get(place, "state")), "slow");
    assert_true(json_is_null(json_object_get(place, "sibling")));
    place = json_array_get(json_object_get(object, "cores"), 0);
    assert_true(json_is_null(json_object_get(place, "cause")));
    assert_int_equal(json_integer_value(json_object_get(place, "cpu")), 0);
    json_decref(list);
    results_release(&results);
}

static char *write_report(const struct results *results)
{
    char path[] = "/tmp/speedup-nodes-XXXXXX";
    struct error error = {""};
    struct curves curves;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(curves_build(results, 0.02, &curves), 0);
    const struct study_part part = {results, &curves};
    assert_int_equal(present_study_report(path, 1, &part, &error), STATUS_OK);
    curves_release(&curves);
    char *html = read_whole(path);
    assert_int_equal(unlink(path), 0);
    return html;
}

static void the_report_has_the_table(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = third_node_computes},
                            hostile = {.nodes = 3, .cores = 2, .host = "</td><script>\x01%d\"'&\xff"};
    struct results results;
    make_study(&results, &made, 12);
    char *html = write_report(&results);
    assert_well_formed(html);
    expect_part(html, "Which node or core is slow: pi");
    expect_part(html, "node3 is slow: 1.31 [1.31, 1.31] times as long as the others");
    expect_part(html, "<th scope=\"row\">node3</th>");
    expect_part(html, "speedup study pi --per-node --size 1000");
    assert_null(strstr(html, "scales"));
    free(html);
    results_release(&results);
    make_study(&results, &hostile, 12);
    html = write_report(&results);
    assert_well_formed(html);
    assert_null(strstr(html, "<script"));
    free(html);
    html = print(&results, true);
    assert_fits(html);
    free(html);
    results_release(&results);
}

static void nothing_to_compare_is_said(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 2, .cores = 2};
    struct results results;
    make_study(&results, &made, 2);
    for (int s = 0; s < 2; s++) results.groups[0].samples[s].correct = false;
    char *text = print(&results, false);
    assert_fits(text);
    expect_part(text, "There is nothing to compare");
    free(text);
    char *html = write_report(&results);
    assert_well_formed(html);
    free(html);
    results_release(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_stands_first_and_the_table_names),
        cmocka_unit_test(thousands_fit_on_a_page),
        cmocka_unit_test(json_has_all),
        cmocka_unit_test(the_report_has_the_table),
        cmocka_unit_test(nothing_to_compare_is_said),
    };
    return cmocka_run_group_tests_name("present nodes", tests, NULL, NULL);
}
