/* The Chrome trace, parsed again: every event has what its phase requires, tracks never overlap, counters are right. */
#include "../src/present/present.h"
#include "timelines.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

static json_t *export_and_parse(int count, const struct timeline_record *records)
{
    char path[] = "/tmp/test_trace.XXXXXX";
    struct error error;
    json_error_t where;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(export_chrome_trace(path, count, records, &error), 0);
    json_t *trace = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!trace) fail_msg("line %d: %s", where.line, where.text);
    unlink(path);
    return trace;
}

static const char *text_of(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    assert_non_null(text);
    return text;
}

static double number_of(const json_t *event, const char *name)
{
    const json_t *number = json_object_get(event, name);
    assert_true(json_is_number(number));
    return json_number_value(number);
}

/* The document's requirements, phase by phase. */
static void check_event(const json_t *event)
{
    const char *phase = text_of(event, "ph");
    text_of(event, "name");
    assert_true(json_is_integer(json_object_get(event, "pid")) && json_is_integer(json_object_get(event, "tid")));
    assert_true(number_of(event, "ts") >= 0);
    const json_t *arguments = json_object_get(event, "args");
    assert_true(json_is_object(arguments));
    if (strcmp(phase, "X") == 0) {
        assert_true(number_of(event, "dur") >= 0);
        text_of(arguments, "state");
        number_of(arguments, "tid");
        text_of(event, "cat");
    } else if (strcmp(phase, "C") == 0) {
        assert_true(json_is_integer(json_object_get(arguments, "workers")));
    } else {
        assert_string_equal(phase, "M");
        bool name = strstr(text_of(event, "name"), "_name") != NULL;
        assert_true(name ? json_is_string(json_object_get(arguments, "name"))
                         : json_is_integer(json_object_get(arguments, "sort_index")));
    }
}

enum { TRACKS_MOST = 200 };

/* Checks all events; counts the complete ones. */
static int check_trace(const json_t *trace)
{
    static double ends[TRACKS_MOST]; /* of tracks: tid are unlike each other */
    static int named[TRACKS_MOST];
    const json_t *events = json_object_get(trace, "traceEvents");
    double before = 0;
    int complete = 0;
    memset(ends, 0, sizeof ends);
    memset(named, 0, sizeof named);
    assert_string_equal(text_of(trace, "displayTimeUnit"), "ms");
    assert_true(json_is_object(json_object_get(trace, "otherData")));
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        check_event(event);
        int tid = (int)number_of(event, "tid");
        assert_in_range(tid, 0, TRACKS_MOST - 1);
        if (strcmp(text_of(event, "name"), "thread_name") == 0) named[tid]++;
        if (strcmp(text_of(event, "ph"), "M") == 0) continue;
        assert_int_equal(named[tid], 1);
        if (strcmp(text_of(event, "ph"), "X")) continue;
        double ts = number_of(event, "ts");
        assert_true(ts >= before); /* sorted */
        before = ts;
        assert_true(ts > ends[tid] - 1e-4); /* microseconds in whole nanoseconds */
        ends[tid] = ts + number_of(event, "dur");
        complete++;
    }
    return complete;
}

/* What a counter says at an instant. */
static int counter_at(const json_t *trace, const char *name, double at_us)
{
    const json_t *events = json_object_get(trace, "traceEvents");
    int value = -1;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (strcmp(text_of(event, "ph"), "C") || strcmp(text_of(event, "name"), name)) continue;
        if (number_of(event, "ts") <= at_us)
            value = (int)json_integer_value(json_object_get(json_object_get(event, "args"), "workers"));
    }
    return value;
}

static void test_turns(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_turns(&record, 4, 0.004, 76);
    json_t *trace = export_and_parse(1, &record);
    /* 76 on the CPU; of the tasks' states 76 running, and ready between and around them: 19 or 20 each. */
    assert_int_equal(check_trace(trace), 76 + 76 + 19 + 20 + 20 + 19);
    assert_int_equal(counter_at(trace, "concurrency", 100000), 4);
    assert_int_equal(counter_at(trace, "parallelism", 100000), 1);
    assert_int_equal(counter_at(trace, "parallelism", 304001), 0);
    assert_int_equal(counter_at(trace, "concurrency", 304001), 0);
    json_decref(trace);
    timeline_record_release(&record);
}

static void test_waiting(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_waiting(&record, 20);
    json_t *trace = export_and_parse(1, &record);
    check_trace(trace);
    assert_int_equal(counter_at(trace, "parallelism", 500), 1);
    assert_int_equal(counter_at(trace, "parallelism", 4500), 0);
    assert_int_equal(counter_at(trace, "concurrency", 4500), 4);
    json_decref(trace);
    timeline_record_release(&record);
}

/* One after the other, in processes of their own. */
static void test_several_launches(void **state)
{
    (void)state;
    struct timeline_record records[3];
    scene_turns(&records[0], 4, 0.004, 10);
    scene_cores(&records[1], 0.04);
    scene_cores(&records[2], 0.04);
    records[1].launch = records[2].launch = 1;
    snprintf(records[2].timeline.host, sizeof records[2].timeline.host, "node2");
    json_t *trace = export_and_parse(3, records);
    check_trace(trace);
    const json_t *events = json_object_get(trace, "traceEvents");
    int processes = 0;
    double first[16];
    for (int i = 0; i < 16; i++) first[i] = INFINITY;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        int pid = (int)number_of(event, "pid");
        assert_in_range(pid, 1, 15);
        processes += strcmp(text_of(event, "name"), "process_name") == 0;
        if (strcmp(text_of(event, "ph"), "X") == 0) first[pid] = fmin(first[pid], number_of(event, "ts"));
    }
    assert_int_equal(processes, 3 + 5); /* counters, CPUs and tasks; of two hosts the latter twice */
    assert_true(first[2] == 0 && first[5] > 40000 && first[7] == first[5]);
    assert_int_equal(json_array_size(json_object_get(json_object_get(trace, "otherData"), "timelines")), 3);
    json_decref(trace);
    for (int i = 0; i < 3; i++) timeline_record_release(&records[i]);
}

/* Names are data; what is missing is said. */
static void test_strange_names(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_cores(&record, 0.1);
    int task = scene_task(&record, -1, -1, "a\"b\\c\n\xff</script>");
    scene_span(&record, task, 0.05, SPAN_RUNNING, 0); /* which cannot be: a worker has that CPU */
    snprintf(record.timeline.host, sizeof record.timeline.host, "\"\x01");
    snprintf(record.timeline.incomplete, sizeof record.timeline.incomplete, "a \"ring\" was full");
    json_t *trace = export_and_parse(1, &record);
    check_trace(trace);
    const json_t *own = json_array_get(json_object_get(json_object_get(trace, "otherData"), "timelines"), 0);
    assert_string_equal(text_of(own, "incomplete"), "a \"ring\" was full");
    assert_string_equal(text_of(own, "tier"), "exact");
    json_decref(trace);
    timeline_record_release(&record);
}

static void test_nothing(void **state)
{
    (void)state;
    struct timeline_record record;
    scene_init(&record, MODE_THREADS, 2, NAN);
    json_t *trace = export_and_parse(1, &record);
    assert_int_equal(check_trace(trace), 0);
    json_decref(trace);
    timeline_record_release(&record);
}

static void test_cannot_write(void **state)
{
    (void)state;
    struct timeline_record record;
    struct error error;
    scene_cores(&record, 0.1);
    assert_int_equal(export_chrome_trace("/nowhere/t.json", 1, &record, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/nowhere/t.json"));
    assert_int_equal(export_chrome_trace("/dev/full", 1, &record, &error), STATUS_FAILED);
    timeline_record_release(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),         cmocka_unit_test(test_waiting), cmocka_unit_test(test_several_launches),
        cmocka_unit_test(test_strange_names), cmocka_unit_test(test_nothing), cmocka_unit_test(test_cannot_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
