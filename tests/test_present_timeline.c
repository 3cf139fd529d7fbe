/* What is shown of a timeline: on a terminal, in a page, as JSON. */
#include "../src/present/html.h"
#include "../src/present/present.h"
#include "timelines.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

static const struct style plain = {.colour = false, .utf8 = false, .width = 80};

/* Heap text. */
static char *print(int count, const struct timeline_record *records, const struct style *style, double begin_s,
                   double end_s)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    present_timeline_part(file, style, count, records, begin_s, end_s);
    assert_int_equal(fclose(file), 0);
    return text;
}

static char *draw(int count, const struct timeline_record *const records[], double scale_s, bool caption)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    if (caption)
        figure_timeline_caption(file, records, count, scale_s);
    else
        figure_timeline(file, records, count, scale_s, "one");
    assert_int_equal(fclose(file), 0);
    return text;
}

static void check_widths(const char *text, int most)
{
    int width = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '\x1b') /* colours take no room */
            while (*c != 'm') c++;
        else if (*c == '\n')
            width = 0;
        else if (((unsigned char)*c & 0xc0) != 0x80)
            assert_true(++width <= most);
    }
}

static int count(const char *text, const char *part)
{
    int found = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) found++;
    return found;
}

/* Whether the phrase is there, wherever lines break. */
static bool says(const char *text, const char *phrase)
{
    char *line = strdup(text);
    assert_non_null(line);
    size_t used = 0;
    for (const char *c = text; *c; c++) {
        bool blank = *c == ' ' || *c == '\n';
        if (!blank || (used > 0 && line[used - 1] != ' ')) line[used++] = blank ? ' ' : *c;
    }
    line[used] = '\0';
    bool found = strstr(line, phrase) != NULL;
    free(line);
    return found;
}

static void test_page(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_turns(&record, 4, 0.004, 76);
    char *text = print(1, &record, &plain, NAN, NAN);
    assert_string_equal(text, "toy (plain, size 1000), mode multitask: 4 threads on CPU 0, 304 ms\n"
                              "A zoom into the first 124 ms of 304 ms: a column is 2 ms, and a time slice 4 ms.\n"
                              "--from and --to of 'speedup timeline' show other parts.\n"
                              "\n"
                              "           |0 ms                    |50                      |100            ran\n"
                              "CPU 0      AABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCC  100 %\n"
                              "CPU 1      ..............................................................  0.0 %\n"
                              "\n"
                              "A thread 0 ##------##------##------##------##------##------##------##----   26 %\n"
                              "B thread 1 --##------##------##------##------##------##------##------##--   26 %\n"
                              "C thread 2 ----##------##------##------##------##------##------##------##   26 %\n"
                              "D thread 3 ------##------##------##------##------##------##------##------   23 %\n"
                              "\n"
                              "running    11111111111111111111111111111111111111111111111111111111111111   1.00\n"
                              "ready      33333333333333333333333333333333333333333333333333333333333333   3.00\n"
                              "\n"
                              "CPUs: A-D the worker that ran there most of the column; . none of this run\n"
                              "  (idle, or another program).\n"
                              "Workers: # running; - ready, but without a core; . blocked, or woken and not on\n"
                              "  a core yet.\n"
                              "running, ready: how many workers at once. ran: share of the time shown.\n"
                              "\n"
                              "  concurrency  4.00        workers started and not finished, on average\n"
                              "  parallelism  1.00        workers running at the same instant, on average;\n"
                              "                           never two at once: they took turns\n"
                              "  response     12 ms       until the last worker first ran; on average 6 ms.\n"
                              "                           First on the core: A 0 s, B 4 ms, C 8 ms, D 12 ms\n"
                              "  time slices  4 ms        median of 74; p5 4 ms, p95 4 ms\n"
                              "  switches     247 /s      of all workers, a second: 247 preempted, 0 yielded\n"
                              "                           (inferred), 0 blocked\n"
                              "  migrations   0           times that a worker went on, but on another CPU\n"
                              "  waiting      75 %        of the workers' time they were ready, and waited for\n"
                              "                           a core; blocked: 0.0 %\n"
                              "  CPU 0        0.0 % idle  workers 100 %, other programs 0.0 %\n"
                              "  CPU 1        100 % free  workers 0.0 %; other programs: not known\n"
                              "How it was seen: exact: the kernel's own context-switch records; instants within\n"
                              "1 us.\n");
    free(text);
    timeline_record_release(&record);
}

static void test_page_of_waiting_tasks(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_waiting(&record, 6);
    int launcher = scene_task(&record, -1, -1, "mpirun");
    scene_span(&record, launcher, 0.0045, SPAN_BLOCKED, -1);
    scene_span(&record, launcher, 0.005, SPAN_RUNNING, 0);
    char *text = print(1, &record, &plain, NAN, NAN);
    assert_non_null(strstr(text, "CPU 0      AABBCCDD.*AABBCCCDD..AABBCCDD"));
    assert_true(says(text, "* another task of this run (mpirun)"));
    assert_true(says(text, "B thread 1 ..##........##.........##"));
    assert_true(says(text, "800 blocked"));
    free(text);
    timeline_record_release(&record);
}

/* All of a run with short slices, because it was asked for: the picture says what it hides. */
static void test_part_with_coarse_columns(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_turns(&record, 4, 0.004, 76);
    char *text = print(1, &record, &plain, 0.001, NAN);
    assert_true(says(text, "from 1 ms to 304 ms of 304 ms"));
    assert_true(says(text, "hides the turns"));
    free(text);
    text = print(1, &record, &plain, 0.050, 0.090);
    assert_true(says(text, "|50 ms"));
    assert_false(says(text, "hides the turns"));
    assert_false(says(text, "zoom"));
    free(text);
    timeline_record_release(&record);
}

static void test_colours_and_letters(void **state)
{
    (void)state;
    const struct style rich = {.colour = true, .utf8 = true, .width = 80};
    struct timeline_record record;
    scene_turns(&record, 3, 0.004, 9);
    char *text = print(1, &record, &rich, NAN, NAN);
    assert_true(says(text, "48;5;"));
    assert_non_null(strstr(text, "\u2588"));
    check_widths(text, 80);
    free(text);
    timeline_record_release(&record);
}

static void test_faults_come_first(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_turns(&record, 2, 0.01, 10);
    snprintf(record.timeline.incomplete, sizeof record.timeline.incomplete, "a ring was full");
    snprintf(record.timeline.degraded, sizeof record.timeline.degraded, "perf_event_paranoid is 4");
    record.timeline.tier = TIMELINE_SAMPLED;
    record.timeline.error_s = 0.002;
    record.validity = SAMPLE_INVALID;
    snprintf(record.invalid_reason, sizeof record.invalid_reason, "CPU 0 was busy\x1b[2J");
    char *text = print(1, &record, &plain, NAN, NAN);
    assert_ptr_equal(strstr(text, "INCOMPLETE: a ring was full.\nDISTURBED: CPU 0 was busy"), text);
    assert_true(says(text, "sampled: what /proc tells"));
    assert_true(says(text, "within 2 ms"));
    assert_true(says(text, "perf_event_paranoid is 4"));
    assert_null(strchr(text, '\x1b'));
    free(text);
    timeline_record_release(&record);
}

static void test_many_workers(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_turns(&record, 70, 0.001, 140);
    for (int c = 2; c < 200; c++) scene_cpu(&record, c, NAN);
    char *text = print(1, &record, &plain, NAN, NAN);
    check_widths(text, 80);
    assert_int_equal(count(text, "\nCPU "), 1); /* those that nothing ran on are only counted */
    assert_true(says(text, "31 more workers have no row here"));
    assert_true(says(text, "? is one of the workers from the 63rd on"));
    assert_true(says(text, "199 further CPUs were watched: no task of this run ran there"));
    free(text);
    text = print(1, &record, &plain, 0.05, 0.11);
    assert_true(says(text, "789????"));
    assert_true(says(text, "????AB"));
    assert_true(says(text, "A-Z, a-z, 0-9, ? the worker"));
    free(text);
    timeline_record_release(&record);
}

static void test_hosts(void **state)
{
    (void)state;
    struct timeline_record records[2];
    for (int h = 0; h < 2; h++) {
        scene_init(&records[h], MODE_MPI, 1, 0.4);
        records[h].config.mode.ranks = 2;
        records[h].config.mode.nodes = 2;
        scene_task(&records[h], h, 0, "toy");
        scene_span(&records[h], 0, 0.4, SPAN_RUNNING, 3);
        scene_cpu(&records[h], 3, NAN);
        snprintf(records[h].timeline.host, sizeof records[h].timeline.host, h ? "node2\xc3" : "node1");
        records[h].timeline.clock_error_s = 3e-5 * h;
    }
    char *text = print(2, records, &plain, NAN, NAN);
    assert_non_null(strstr(text, "\nnode1 CPU 3"));
    assert_true(says(text, "agree within 30 us"));
    check_widths(text, 80);
    free(text);
    for (int h = 0; h < 2; h++) timeline_record_release(&records[h]);
}

static void test_nothing(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_init(&record, MODE_THREADS, 2, 0.1);
    char *text = print(1, &record, &plain, NAN, NAN);
    assert_true(says(text, "Nothing of this run was seen"));
    free(text);
    const struct timeline_record *one = &record;
    text = draw(1, &one, 0, false);
    assert_false(says(text, "<svg"));
    free(text);
    record.timeline.length_s = NAN;
    text = print(1, &record, &plain, NAN, NAN);
    free(text);
    text = draw(1, &one, NAN, true);
    free(text);
    timeline_record_release(&record);
}

/* No width and no numbers make it stumble. */
static void test_all_widths(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_waiting(&record, 100);
    for (int width = 40; width < 1000; width = width * 5 / 4) {
        const struct style style = {.colour = true, .utf8 = true, .width = width};
        char *text = print(1, &record, &style, NAN, NAN);
        check_widths(text, width);
        free(text);
    }
    timeline_record_release(&record);
}

static void test_json(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_turns(&record, 4, 0.004, 76);
    json_t *object = present_timeline_json(1, &record, NAN, NAN);
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "slices")), 74);
    assert_true(fabs(json_number_value(json_object_get(object, "parallelism")) - 1) < 1e-6);
    assert_true(json_is_null(json_object_get(object, "accounted_wait_share")));
    assert_true(json_is_true(json_object_get(object, "valid")));
    json_decref(object);
    timeline_record_release(&record);
}

/* ---------------------------------------------------------------------------------------------------------------- */

static void test_figure(void **state)
{
    (void)state;
    struct timeline_record record;
    const struct timeline_record *one = &record;
    scene_turns(&record, 4, 0.004, 76);
    char *text = draw(1, &one, 0.160, false);
    assert_int_equal(count(text, "<svg"), count(text, "</svg>"));
    assert_int_equal(count(text, "<g "), count(text, "</g>"));
    assert_int_equal(count(text, "<rect class=\"lane\""), 2);
    assert_int_equal(count(text, " height=\"26\" class=\"t0"), 10); /* of 40 turns in 160 ms */
    assert_int_equal(count(text, " height=\"12\"/>"), 40);
    assert_int_equal(count(text, "url(#one-mixed)"), 0);
    assert_non_null(strstr(text, "Concurrency 4.00, parallelism 1.00"));
    free(text);
    text = draw(1, &one, 0.160, true);
    assert_non_null(strstr(text, "the first 160 ms of 304 ms"));
    assert_non_null(strstr(text, "instants within 1 us"));
    assert_null(strstr(text, "merged"));
    free(text);
    timeline_record_release(&record);
}

static void test_figure_of_many_switches(void **state)
{
    (void)state;
    struct timeline_record record;
    const struct timeline_record *one = &record;
    scene_turns(&record, 16, 5e-5, 100000);
    char *text = draw(1, &one, 0, false);
    assert_true(strlen(text) < 20000);
    assert_int_equal(count(text, "url(#one-mixed)"), 1);
    free(text);
    text = draw(1, &one, 0, true);
    assert_non_null(strstr(text, "merged"));
    free(text);
    timeline_record_release(&record);
}

static void test_figure_escapes(void **state)
{
    (void)state;
    struct timeline_record record;
    const struct timeline_record *one = &record;
    scene_cores(&record, 0.1);
    snprintf(record.config.kernel, sizeof record.config.kernel, "<script>&\"");
    snprintf(record.timeline.incomplete, sizeof record.timeline.incomplete, "<b>");
    for (int caption = 0; caption < 2; caption++) {
        char *text = draw(1, &one, 0, caption);
        assert_null(strstr(text, "<script>"));
        assert_null(strstr(text, "<b>"));
        assert_non_null(strstr(text, "&lt;script&gt;&amp;&quot;"));
        free(text);
    }
    timeline_record_release(&record);
}

static void test_pick(void **state)
{
    (void)state;
    struct timeline_record records[4];
    const struct timeline_record *pair[2];
    scene_cores(&records[0], 0.2);
    scene_turns(&records[1], 4, 0.004, 76);
    scene_cores(&records[2], 0.3);
    scene_waiting(&records[3], 10);
    snprintf(records[0].config.size, sizeof records[0].config.size, "2000");
    snprintf(records[3].config.kernel, sizeof records[3].config.kernel, "other");
    const struct results results = {.timeline_count = 4, .timelines = records};
    double window_s = figure_timeline_pick(&results, pair);
    assert_ptr_equal(pair[0], &records[1]);
    assert_ptr_equal(pair[1], &records[2]); /* of the same size */
    assert_true(fabs(window_s - 0.160) < 1e-6);
    records[2].config.mode.cpus.count = 1; /* then those of another size have to do */
    window_s = figure_timeline_pick(&results, pair);
    assert_ptr_equal(pair[1], &records[0]);
    const struct results none = {.timeline_count = 1, .timelines = records};
    assert_true(isnan(figure_timeline_pick(&none, pair)));
    assert_null(pair[0]);
    for (int i = 0; i < 4; i++) timeline_record_release(&records[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_of_waiting_tasks),
        cmocka_unit_test(test_part_with_coarse_columns),
        cmocka_unit_test(test_colours_and_letters),
        cmocka_unit_test(test_faults_come_first),
        cmocka_unit_test(test_many_workers),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_all_widths),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_figure),
        cmocka_unit_test(test_figure_of_many_switches),
        cmocka_unit_test(test_figure_escapes),
        cmocka_unit_test(test_pick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
