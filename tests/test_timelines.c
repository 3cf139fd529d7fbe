/* Timelines in records: written, read back, and what is no timeline refused by name. */
#include "../src/analyse/results.h"
#include "record_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_span(struct timeline_task *task, double begin_s, double end_s, enum span_state state, int cpu)
{
    assert_int_equal(timeline_add_span(task, &(struct timeline_span){begin_s, end_s, state, cpu}), 0);
}

/* Two tasks, of which one is a worker. */
static void make(struct timeline_record *record_p)
{
    timeline_record_init(record_p);
    snprintf(record_p->study, sizeof record_p->study, "toy");
    snprintf(record_p->config.kernel, sizeof record_p->config.kernel, "pi");
    record_p->config.mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = MODE_THREADS, .ranks = 1, .threads = 2, .cpus = {2, {0, 1}}};
    record_p->launch = 4;
    record_p->wall_s = 0.25;
    record_p->validity = SAMPLE_INVALID;
    snprintf(record_p->invalid_reason, sizeof record_p->invalid_reason, "a neighbour");
    struct timeline *timeline = &record_p->timeline;
    snprintf(timeline->host, sizeof timeline->host, "here");
    snprintf(timeline->degraded, sizeof timeline->degraded, "not allowed");
    timeline->tier = TIMELINE_SAMPLED;
    timeline->error_s = 2e-3;
    timeline->clock_error_s = 1e-5;
    timeline->start_s = 12345.678901234;
    timeline->length_s = 0.25;
    assert_int_equal(timeline_add_cpu(timeline, 0, 0.125), 0);
    assert_int_equal(timeline_add_cpu(timeline, 1, NAN), 0);
    struct timeline_task task = {.pid = 7,
                                 .tid = 8,
                                 .rank = 0,
                                 .thread = 1,
                                 .name = "a \"name\"",
                                 .accounted_wait_s = 0.01,
                                 .voluntary = 3,
                                 .involuntary = 4};
    assert_int_equal(timeline_add_task(timeline, &task), 0);
    add_span(&timeline->tasks[0], 0.001, 0.002000001, SPAN_READY, -1);
    add_span(&timeline->tasks[0], 0.002000001, 0.1, SPAN_RUNNING, 1);
    add_span(&timeline->tasks[0], 0.1, 0.2, SPAN_BLOCKED, -1);
    add_span(&timeline->tasks[0], 0.2, 0.25, SPAN_RUNNING, 0);
    task = (struct timeline_task){
        .pid = 7, .tid = 9, .rank = -1, .thread = -1, .accounted_wait_s = NAN, .voluntary = -1, .involuntary = -1};
    assert_int_equal(timeline_add_task(timeline, &task), 0);
}

static void assert_same(const struct timeline_record *a, const struct timeline_record *b)
{
    json_t *left = record_encode_timeline(a), *right = record_encode_timeline(b);
    assert_non_null(left);
    assert_true(json_equal(left, right));
    json_decref(left);
    json_decref(right);
}

static void test_both_ways(void **state)
{
    (void)state;
    struct timeline_record record, back;
    struct error error;
    make(&record);
    timeline_record_init(&back);
    json_t *line = record_encode_timeline(&record);
    assert_non_null(line);
    assert_int_equal(record_decode_timeline(line, &back, &error), 0);
    json_decref(line);
    assert_same(&record, &back);
    assert_int_equal(back.timeline.tasks[0].span_count, 4);
    assert_int_equal(back.timeline.tasks[0].spans[1].cpu, 1);
    assert_int_equal(back.timeline.tasks[0].spans[2].state, SPAN_BLOCKED);
    assert_true(fabs(back.timeline.tasks[0].spans[1].begin_s - 0.002000001) < 1e-12);
    assert_int_equal(back.timeline.tasks[1].rank, -1);
    assert_true(isnan(back.timeline.cpus[1].busy_s));
    timeline_record_release(&record);
    timeline_record_release(&back);
}

/* Rounding to nanoseconds must not add up over a hundred thousand spans. */
static void test_rounding_does_not_add_up(void **state)
{
    (void)state;
    enum { SPANS = 100000 };
    struct timeline_record record, back;
    struct error error;
    make(&record);
    timeline_record_init(&back);
    struct timeline_task *task = &record.timeline.tasks[1];
    for (int i = 0; i < SPANS; i++)
        add_span(task, i * 1.0000004e-6, (i + 1) * 1.0000004e-6, i % 2 ? SPAN_READY : SPAN_RUNNING, i % 2 ? -1 : 0);
    json_t *line = record_encode_timeline(&record);
    assert_int_equal(record_decode_timeline(line, &back, &error), 0);
    assert_int_equal(back.timeline.tasks[1].span_count, SPANS);
    assert_true(fabs(back.timeline.tasks[1].spans[SPANS - 1].end_s - SPANS * 1.0000004e-6) < 2e-9);
    json_decref(line);
    timeline_record_release(&record);
    timeline_record_release(&back);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;  /* of the line, or after a dot of its first task */
        const char *value; /* JSON */
        const char *says;
    } cases[] = {
        {"tier", "\"guessed\"", "tier"},
        {"tier", "null", "tier"},
        {"cpus", "3", "cpus"},
        {"cpus", "[\"0\"]", "cpus"},
        {"tasks", "{}", "tasks"},
        {"tasks", "[1]", "tasks."},
        {"config", "null", "config"},
        {"length_s", "\"long\"", "length_s"},
        {".states", "\"QRBX\"", "states"},
        {".states", "\"RQ\"", "lengths_ns"},
        {".lengths_ns", "[1, 2, -3, 4]", "lengths_ns"},
        {".lengths_ns", "[1, 2, 3.5, 4]", "lengths_ns"},
        {".cpus", "[1]", "cpus"},
        {".cpus", "[1, -1]", "cpus"},
        {".begin_ns", "0.5", "begin_ns"},
        {".begin_ns", "9223372036854775807", "begin_ns"},
        {".lengths_ns", "[1152921504606846976, 1152921504606846976, 3, 4]", "lengths_ns"},
        {"cpus", "[-1]", "cpus"},
        {"cpus", "[4294967296]", "cpus"},
        {".tid", "\"x\"", "tid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct timeline_record record, back;
        struct error error = {""};
        make(&record);
        timeline_record_init(&back);
        back.launch = 99;
        json_t *line = record_encode_timeline(&record), *home = line;
        const char *name = cases[i].name;
        if (*name == '.') home = json_array_get(json_object_get(line, "tasks"), 0), name++;
        json_object_set_new(home, name, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        assert_int_equal(record_decode_timeline(line, &back, &error), -EINVAL);
        if (!strstr(error.text, cases[i].says)) fail_msg("%s: %s", cases[i].name, error.text);
        assert_int_equal(back.launch, 99); /* left alone */
        json_decref(line);
        timeline_record_release(&record);
        timeline_record_release(&back);
    }
}

static void test_file(void **state)
{
    (void)state;
    struct timeline_record record;
    struct results results;
    struct error error;
    struct record_writer *writer;
    make(&record);
    assert_int_equal(record_writer_new(path, &writer, &error), STATUS_OK);
    json_t *context = json_pack("{s:i, s:s}", "schema", RECORD_SCHEMA, "type", "context");
    json_t *line = record_encode_timeline(&record);
    assert_int_equal(record_write(writer, context, &error), STATUS_OK);
    assert_int_equal(record_write(writer, line, &error), STATUS_OK);
    assert_int_equal(record_write(writer, line, &error), STATUS_OK);
    json_object_set_new(line, "tier", json_string("guessed"));
    assert_int_equal(results_read(path, &results, &error), STATUS_OK);
    assert_int_equal(results.timeline_count, 2);
    assert_same(&results.timelines[1], &record);
    results_release(&results);
    assert_int_equal(record_write(writer, line, &error), STATUS_OK);
    assert_int_equal(record_writer_free(writer, &error), STATUS_OK);
    assert_int_equal(results_read(path, &results, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "line 4: tier"));
    json_decref(context);
    json_decref(line);
    timeline_record_release(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_rounding_does_not_add_up),
        cmocka_unit_test(test_refused),
        cmocka_unit_test_setup_teardown(test_file, make_directory, remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
