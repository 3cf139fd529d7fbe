/* Numbers of timelines that were made by hand, so that each is known. */
#include "../src/analyse/timeline_summary.h"
#include "timelines.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

static const double tiny = 1e-9;

/* cmocka compares floats. */
#define assert_near(value, expected, error) assert_true(fabs((value) - (expected)) <= (error))

static void summarise(const struct timeline_record *record, struct timeline_summary *summary_p)
{
    assert_int_equal(timeline_summarise_record(record, summary_p), 0);
}

static void test_turns(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_turns(&record, 4, 0.004, 76);
    for (int t = 0; t < 4; t++) record.timeline.tasks[t].accounted_wait_s = 0.5 * record.timeline.length_s;
    summarise(&record, &summary);
    assert_int_equal(summary.workers, 4);
    assert_near(summary.length_s, 0.304, tiny);
    assert_near(summary.concurrency, 4, tiny);
    assert_near(summary.parallelism, 1, tiny);
    assert_int_equal(summary.most_running, 1);
    assert_near(summary.response_mean_s, 0.006, tiny);
    assert_near(summary.response_last_s, 0.012, tiny);
    assert_near(summary.overlap, 0, tiny);
    assert_int_equal(summary.slice_count, 74); /* without the first and the last, which the ends cut */
    assert_near(summary.slice_p5_s, 0.004, tiny);
    assert_near(summary.slice_p50_s, 0.004, tiny);
    assert_near(summary.slice_p95_s, 0.004, tiny);
    assert_near(summary.slice_usual_s, 0.004, tiny);
    assert_near(summary.preempted_hz, 75 / 0.304, 1e-6); /* the last slice ends with the view */
    assert_near(summary.yielded_hz, 0, tiny);
    assert_near(summary.blocked_hz, 0, tiny);
    assert_int_equal(summary.migrations, 0);
    assert_near(summary.running, 0.25, tiny);
    assert_near(summary.ready, 0.75, tiny);
    assert_near(summary.blocked, 0, tiny);
    assert_near(summary.accounted_wait, 0.5, tiny);
    assert_true(isnan(summary.voluntary_hz)); /* not told */
    assert_int_equal(summary.cpu_count, 2);
    assert_near(summary.cpus[0].workers, 1, tiny);
    assert_near(summary.cpus[0].foreign, 0, tiny);
    assert_near(summary.cpus[0].idle, 0, tiny);
    assert_near(summary.cpus[1].workers, 0, tiny);
    assert_true(isnan(summary.cpus[1].foreign) && isnan(summary.cpus[1].idle));
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

static void test_cores(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    struct timeline_view view;
    scene_cores(&record, 0.3);
    record.timeline.cpus[1].busy_s = 0.2; /* less than ours: the counter is coarse */
    summarise(&record, &summary);
    assert_near(summary.parallelism, 2, tiny);
    assert_near(summary.overlap, 1, tiny);
    assert_int_equal(summary.most_running, 2);
    assert_int_equal(summary.slice_count, 0);
    assert_true(isnan(summary.slice_p50_s));
    assert_near(summary.slice_usual_s, 0.3, tiny);
    assert_near(summary.cpus[1].foreign, 0, tiny);
    timeline_summary_release(&summary);
    assert_int_equal(timeline_view_of(1, &record, NAN, NAN, &view), 0);
    assert_near(timeline_overlap(&view, 0, 1), 1, tiny);
    timeline_view_release(&view);
    timeline_record_release(&record);
}

static void test_overlap_of_pairs(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_view view;
    scene_init(&record, MODE_THREADS, 2, 1);
    for (int t = 0; t < 3; t++) scene_task(&record, 0, t, "toy");
    scene_span(&record, 0, 0.6, SPAN_RUNNING, 0);
    scene_span(&record, 0, 1, SPAN_READY, -1);
    scene_span(&record, 1, 0.5, SPAN_BLOCKED, -1);
    scene_span(&record, 1, 0.7, SPAN_RUNNING, 1); /* of 0.2 s, 0.1 s beside the first */
    scene_span(&record, 1, 0.8, SPAN_READY, -1);
    scene_span(&record, 1, 1.0, SPAN_RUNNING, 1);
    scene_span(&record, 2, 1, SPAN_BLOCKED, -1);
    assert_int_equal(timeline_view_of(1, &record, NAN, NAN, &view), 0);
    assert_near(timeline_overlap(&view, 0, 1), 0.1 / 0.4, tiny);
    assert_near(timeline_overlap(&view, 1, 0), 0.1 / 0.4, tiny);
    assert_true(isnan(timeline_overlap(&view, 0, 2)));
    timeline_view_release(&view);
    timeline_record_release(&record);
}

static void test_blocking(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_waiting(&record, 20);
    summarise(&record, &summary);
    assert_near(summary.concurrency, 4, tiny);
    assert_near(summary.parallelism, 0.8, tiny);
    assert_near(summary.blocked, 0.8, tiny);
    assert_near(summary.blocked_hz, 800, 1e-6);
    assert_near(summary.preempted_hz + summary.yielded_hz, 0, tiny);
    assert_int_equal(summary.slice_count, 79); /* the first begins with the view */
    assert_near(summary.cpus[0].foreign, 0.2, 1e-6);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

/* Two tasks in turns of 50 us, which no tick ends: they yield. A slice that begins with the view may be longer. */
static void test_yielding(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_turns(&record, 2, 50e-6, 100);
    summarise(&record, &summary);
    assert_near(summary.yielded_hz * summary.length_s, 98, 1e-6);
    assert_near(summary.preempted_hz * summary.length_s, 1, 1e-6);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

/* The same, but who comes next has woken up: that preempts. */
static void test_woken_is_no_yield(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_init(&record, MODE_MULTITASK, 2, 1);
    scene_task(&record, 0, 0, "toy");
    scene_task(&record, 0, 1, "toy");
    scene_span(&record, 0, 0.1, SPAN_READY, -1);
    scene_span(&record, 0, 0.10005, SPAN_RUNNING, 0);
    scene_span(&record, 0, 1, SPAN_READY, -1);
    scene_span(&record, 1, 0.10005, SPAN_BLOCKED, -1);
    scene_span(&record, 1, 1, SPAN_RUNNING, 0);
    summarise(&record, &summary);
    assert_near(summary.preempted_hz, 1, tiny);
    assert_near(summary.yielded_hz, 0, tiny);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

/* Another program took the core for a moment: that preempts, however short what it cut off. */
static void test_own_return_is_no_yield(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_init(&record, MODE_SERIAL, 1, 1);
    scene_task(&record, 0, 0, "toy");
    scene_span(&record, 0, 0.1, SPAN_READY, -1);
    scene_span(&record, 0, 0.10005, SPAN_RUNNING, 0);
    scene_span(&record, 0, 0.2, SPAN_READY, -1);
    scene_span(&record, 0, 1, SPAN_RUNNING, 0);
    summarise(&record, &summary);
    assert_near(summary.preempted_hz, 1, tiny);
    assert_near(summary.yielded_hz, 0, tiny);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

static void test_migrations(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_init(&record, MODE_THREADS, 1, 1);
    scene_task(&record, 0, 0, "toy");
    scene_task(&record, -1, -1, "mpirun");
    for (int i = 0; i < 10; i++) {
        scene_span(&record, 0, 0.1 * i + 0.05, SPAN_RUNNING, i % 3 == 0 ? 0 : 7);
        scene_span(&record, 0, 0.1 * i + 0.1, SPAN_BLOCKED, -1);
        scene_span(&record, 1, 0.1 * i + 0.1, SPAN_RUNNING, i % 2); /* another task's do not count */
    }
    summarise(&record, &summary);
    assert_int_equal(summary.migrations, 6); /* 0 7 7 0 7 7 0 7 7 0 */
    assert_int_equal(summary.others, 1);
    assert_near(summary.concurrency, 1, tiny);
    assert_int_equal(summary.cpu_count, 3); /* none was named as watched */
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

static void test_part(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_view view;
    struct timeline_summary summary;
    scene_turns(&record, 4, 0.004, 76);
    for (int t = 0; t < 4; t++) record.timeline.tasks[t].accounted_wait_s = 0.1;
    assert_int_equal(timeline_view_of(1, &record, 0.010, 0.030, &view), 0);
    assert_false(view.whole);
    assert_int_equal(timeline_summarise(&view, &summary), 0);
    assert_near(summary.length_s, 0.020, tiny);
    assert_near(summary.parallelism, 1, tiny);
    assert_int_equal(summary.slice_count, 4); /* 12-16, 16-20, 20-24, 24-28 ms */
    assert_near(summary.preempted_hz, 5 / 0.020, 1e-6);
    assert_true(isnan(summary.accounted_wait)); /* known of the whole alone */
    assert_true(isnan(summary.cpus[0].foreign));
    timeline_summary_release(&summary);
    timeline_view_release(&view);
    assert_int_equal(timeline_view_of(1, &record, 5, 6, &view), 0); /* beyond the end */
    assert_int_equal(view.task_count, 0);
    timeline_view_release(&view);
    timeline_record_release(&record);
}

/* Two hosts, the second of which began 0.1 s later: the launch lasts until its end. */
static void test_hosts(void **state)
{
    (void)state;
    struct timeline_record records[2];
    struct timeline_view view;
    struct timeline_summary summary;
    for (int h = 0; h < 2; h++) {
        scene_init(&records[h], MODE_MPI, 1, 0.4);
        scene_task(&records[h], 1 - h, 0, "toy");
        scene_span(&records[h], 0, 0.4, SPAN_RUNNING, 3);
        scene_cpu(&records[h], 3, NAN);
        records[h].timeline.start_s = 1000 + 0.1 * h;
    }
    records[1].timeline.clock_error_s = 3e-5;
    snprintf(records[1].timeline.host, sizeof records[1].timeline.host, "node2");
    assert_int_equal(timeline_view_of(2, records, NAN, NAN, &view), 0);
    assert_near(view.length_s, 0.5, 1e-6);
    assert_int_equal(view.tasks[0].task->rank, 0);
    assert_int_equal(view.tasks[0].host, 1);
    assert_int_equal(view.cpu_count, 2);
    assert_int_equal(timeline_summarise(&view, &summary), 0);
    assert_near(summary.parallelism, 1.6, 1e-6);
    assert_near(summary.overlap, 0.6, 1e-6);
    assert_near(summary.clock_error_s, 3e-5, tiny);
    assert_near(summary.cpus[0].workers, 1, 1e-6); /* of the time in which that host was watched */
    timeline_summary_release(&summary);
    timeline_view_release(&view);
    for (int h = 0; h < 2; h++) timeline_record_release(&records[h]);
}

static void test_sampled(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_turns(&record, 2, 0.01, 10);
    record.timeline.tier = TIMELINE_SAMPLED;
    for (int t = 0; t < 2; t++) {
        record.timeline.tasks[t].voluntary = 1;
        record.timeline.tasks[t].involuntary = 20;
    }
    summarise(&record, &summary);
    assert_true(isnan(summary.preempted_hz) && isnan(summary.yielded_hz) && isnan(summary.blocked_hz));
    assert_near(summary.voluntary_hz, 20, 1e-6);
    assert_near(summary.involuntary_hz, 400, 1e-6);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

static void test_nothing(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_init(&record, MODE_THREADS, 2, 0.1);
    summarise(&record, &summary);
    assert_int_equal(summary.workers, 0);
    assert_true(isnan(summary.running) && isnan(summary.slice_usual_s));
    assert_near(summary.parallelism, 0, tiny);
    timeline_summary_release(&summary);
    scene_task(&record, 0, 0, "toy"); /* without spans */
    summarise(&record, &summary);
    assert_int_equal(summary.workers, 0);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

/* A record may come from anywhere. */
static void test_senseless_numbers(void **state)
{
    (void)state;
    static const double wild[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e300};
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        for (size_t j = 0; j < sizeof wild / sizeof *wild; j++) {
            struct timeline_record records[2];
            struct timeline_view view;
            struct timeline_summary summary;
            for (int h = 0; h < 2; h++) {
                scene_turns(&records[h], 3, 0.004, 9);
                scene_cpu(&records[h], -5, wild[i]);
                records[h].timeline.cpus[0].busy_s = wild[i];
            }
            records[0].timeline.length_s = wild[i];
            records[1].timeline.start_s = wild[j];
            assert_int_equal(timeline_view_of(2, records, wild[i], wild[j], &view), 0);
            assert_int_equal(timeline_summarise(&view, &summary), 0);
            assert_true(!(summary.parallelism < 0) && !(summary.parallelism > 2));
            for (int c = 0; c < summary.cpu_count; c++) {
                assert_true(!(summary.cpus[c].idle < 0) && !(summary.cpus[c].idle > 1));
                assert_true(!(summary.cpus[c].foreign < 0) && !(summary.cpus[c].foreign > 1));
            }
            timeline_summary_release(&summary);
            timeline_view_release(&view);
            for (int h = 0; h < 2; h++) timeline_record_release(&records[h]);
        }
}

/* What is seen coarsely may say that two ran on one CPU. */
static void test_one_at_a_time(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_view view;
    scene_init(&record, MODE_MULTITASK, 3, 1);
    for (int t = 0; t < 3; t++) {
        scene_task(&record, 0, t, "toy");
        scene_span(&record, t, 0.1 * t + 0.1, SPAN_READY, -1);
        scene_span(&record, t, t == 1 ? 0.4 : 0.6, SPAN_RUNNING, 0);
    }
    assert_int_equal(timeline_view_of(1, &record, NAN, NAN, &view), 0);
    assert_int_equal(view.run_count, 1); /* 0.1-0.6; the others lie inside */
    for (int r = 1; r < view.run_count; r++) assert_true(view.runs[r].begin_s >= view.runs[r - 1].end_s);
    timeline_view_release(&view);
    timeline_record_release(&record);
}

static void test_levels_and_steps(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_view view;
    struct timeline_level levels[7], all = {0};
    struct timeline_step *steps;
    int count;
    scene_waiting(&record, 20);
    assert_int_equal(timeline_view_of(1, &record, NAN, NAN, &view), 0);
    timeline_levels(&view, 0, 0.1, 7, levels);
    for (int c = 0; c < 7; c++) {
        all.running += levels[c].running / 7;
        all.blocked += levels[c].blocked / 7;
        assert_near(levels[c].running + levels[c].ready + levels[c].blocked, 4, 1e-6);
    }
    assert_near(all.running, 0.8, 1e-6);
    timeline_levels(&view, 0.0005, 0.0015, 2, levels); /* A, then B */
    assert_near(levels[0].running, 1, 1e-6);
    timeline_levels(&view, 0.004, 0.005, 1, levels); /* none */
    assert_near(levels[0].running, 0, 1e-6);

    assert_int_equal(timeline_steps(&view, &count, &steps), 0);
    double running_s = 0;
    for (int i = 0; i + 1 < count; i++) {
        assert_true(steps[i + 1].at_s > steps[i].at_s);
        assert_int_equal(steps[i].running + steps[i].ready + steps[i].blocked, 4);
        running_s += steps[i].running * (steps[i + 1].at_s - steps[i].at_s);
    }
    assert_near(running_s, 0.08, 1e-6);
    assert_int_equal(steps[count - 1].running + steps[count - 1].blocked, 0); /* all have ended */
    free(steps);
    timeline_view_release(&view);
    timeline_record_release(&record);
}

/* A quadratic step would take minutes. */
static void test_many_spans(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_summary summary;
    scene_turns(&record, 2, 0.001, 300000);
    summarise(&record, &summary);
    assert_int_equal(summary.slice_count, 299998);
    assert_near(summary.parallelism, 1, 1e-6);
    timeline_summary_release(&summary);
    timeline_record_release(&record);
}

static void test_hosts_of_a_launch(void **state)
{
    (void)state;
    struct timeline_record records[4];
    for (int i = 0; i < 4; i++) {
        timeline_record_init(&records[i]);
        records[i].launch = i < 3 ? 1 : 2;
        snprintf(records[i].timeline.host, sizeof records[i].timeline.host, "node%d", i);
    }
    const struct results results = {.timeline_count = 4, .timelines = records};
    assert_int_equal(timeline_host_count(&results, 0), 3);
    assert_int_equal(timeline_host_count(&results, 2), 1);
    assert_int_equal(timeline_host_count(&results, 3), 1);
    records[1].timeline.host[4] = '0'; /* the same host again is another run */
    assert_int_equal(timeline_host_count(&results, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_cores),
        cmocka_unit_test(test_overlap_of_pairs),
        cmocka_unit_test(test_blocking),
        cmocka_unit_test(test_yielding),
        cmocka_unit_test(test_woken_is_no_yield),
        cmocka_unit_test(test_own_return_is_no_yield),
        cmocka_unit_test(test_migrations),
        cmocka_unit_test(test_part),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_sampled),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_senseless_numbers),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_levels_and_steps),
        cmocka_unit_test(test_many_spans),
        cmocka_unit_test(test_hosts_of_a_launch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
