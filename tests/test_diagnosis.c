/* The diagnosis on scenes that are made: which verdict, in which words. */
#include "scenes.h"

static void test_two_on_two(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 3);
    expect(scene, VERDICT_MULTIPROCESSING, "2 threads on 2 cores, 2.00 executing");
    expect_no_fault(scene);
    assert_int_equal(diagnose(scene).finding_count, 0);
    scene_free(scene);
}

static void test_one_task(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 1, "OMP_NUM_THREADS=1", 1u << LIBRARY_GOMP, "0-3");
    run_all_along(scene, 0, 0);
    expect(scene, VERDICT_ONE_TASK, "1 task on 1 core; 3 other cores idle");
    expect_no_fault(scene);
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "idle-cores"));
    assert_string_equal(find(&diagnosis, "idle-cores")->fix, "env OMP_NUM_THREADS=4 ./app -x");
    scene_free(scene);
}

static void test_waiting(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 4, "", 0, "0-3");
    for (int t = 0; t < 4; t++)
        for (int i = 0; i < 10; i++) {
            add_span(scene, t, 0.1 * i + 0.01, SPAN_RUNNING, t);
            add_span(scene, t, 0.1 * (i + 1), SPAN_BLOCKED, -1);
        }
    expect(scene, VERDICT_MOSTLY_WAITING, "4 threads, each blocked 90 % of the time");
    expect_no_fault(scene);
    scene_free(scene);
}

static void test_nothing_ran(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 1, "", 0, "0-3");
    add_span(scene, 0, 0.002, SPAN_RUNNING, 0);
    add_span(scene, 0, 1, SPAN_BLOCKED, -1);
    expect(scene, VERDICT_MOSTLY_WAITING, "1 task, blocked 99.8 % of the time");
    scene->timeline.length_s = scene->evidence.wall_s = 0.003;
    expect(scene, VERDICT_IDLE, "it ended after 3 ms, too soon to tell");
    assert_int_equal(diagnose(scene).finding_count, 0);
    scene_free(scene);
}

static void test_phases(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    add_span(scene, 1, 0.6, SPAN_BLOCKED, -1);
    add_span(scene, 1, 1, SPAN_RUNNING, 1);
    expect(scene, VERDICT_MIXED, "2 threads on 2 cores: one alone was active for 60 % of the time, several for 40 %");
    expect_no_fault(scene);
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "serial-part"));
    scene_free(scene);
}

/* A hundred compilers, two at a time, each for 20 ms, and a make that waits. */
static void test_build(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_process(scene, 50, "", 0);
    add_task(scene, 50, 50, "0-3");
    add_span(scene, 0, 0.001, SPAN_RUNNING, 0);
    add_span(scene, 0, 1, SPAN_BLOCKED, -1);
    for (int i = 0; i < 100; i++) {
        add_process(scene, 100 + i, "", 0);
        int task = add_task(scene, 100 + i, 100 + i, "0-3");
        double begin_s = 0.02 * (i / 2);
        const struct timeline_span span = {begin_s, begin_s + 0.02, SPAN_RUNNING, i % 2};
        assert_int_equal(timeline_add_span(&scene->timeline.tasks[task], &span), 0);
    }
    expect(scene, VERDICT_MULTIPROCESSING, "100 short-lived tasks (2 at a time) on 2 cores, 2.00 executing");
    expect_no_fault(scene);
    scene_free(scene);
}

/* Four at once on two cores, and then the same with a core each. */
static void test_shared(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 4, "", 0, "0-1");
    take_turns(scene, 0, 2, 0);
    take_turns(scene, 2, 2, 1);
    expect(scene, VERDICT_MIXED, "4 threads shared 2 cores: each ran 50 % of the time");
    scene_free(scene);

    scene = scene_new();
    add_threads(scene, 4, "", 0, "0-3");
    for (int t = 0; t < 4; t++) run_all_along(scene, t, t);
    expect(scene, VERDICT_MULTIPROCESSING, "4 threads on 4 cores, 4.00 executing");
    scene_free(scene);
}

/* One after the other are several tasks, and yet one at a time. */
static void test_one_after_the_other(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    for (int i = 0; i < 50; i++) {
        add_process(scene, 100 + i, "", 0);
        int task = add_task(scene, 100 + i, 100 + i, "0-3");
        const struct timeline_span span = {0.02 * i, 0.02 * (i + 1), SPAN_RUNNING, i % 4};
        assert_int_equal(timeline_add_span(&scene->timeline.tasks[task], &span), 0);
    }
    expect(scene, VERDICT_ONE_TASK, "50 tasks, one at a time; 3 other cores idle");
    expect_no_fault(scene);
    scene_free(scene);
}

/* Shells of a wrapper, each for a moment, before two processes that do the work: of these alone is the verdict. */
static void test_wrapper(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    for (int p = 0; p < 2; p++) {
        add_process(scene, 50 + p, "", 0);
        add_task(scene, 50 + p, 50 + p, "0-3");
        run_all_along(scene, p, p);
    }
    for (int i = 0; i < 40; i++) {
        add_process(scene, 100 + i, "", 0);
        int task = add_task(scene, 100 + i, 100 + i, "0-3");
        const struct timeline_span span = {0.001 * i, 0.001 * (i + 1), SPAN_RUNNING, 2};
        assert_int_equal(timeline_add_span(&scene->timeline.tasks[task], &span), 0);
    }
    expect(scene, VERDICT_MULTIPROCESSING, "2 processes on 2 cores, 2.00 executing");
    assert_int_equal(diagnose(scene).workers, 2);
    scene_free(scene);
}

/* Nobody works: the numbers are of those that wait. */
static void test_sleepers(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 4, "", 0, "0-3");
    for (int t = 0; t < 4; t++) {
        add_span(scene, t, 0.0005, SPAN_RUNNING, t);
        add_span(scene, t, 1, SPAN_BLOCKED, -1);
    }
    expect(scene, VERDICT_MOSTLY_WAITING, "4 tasks, each blocked 99.9 % of the time");
    struct diagnosis diagnosis = diagnose(scene);
    assert_int_equal(diagnosis.workers, 0);
    assert_true(fabs(diagnosis.concurrency - 4) < 1e-6);
    assert_true(diagnosis.blocked > 0.99);
    assert_non_null(find(&diagnosis, "waiting"));
    scene_free(scene);
}

/* Nothing at all, and tasks without spans. */
static void test_empty(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    assert_int_equal(diagnose(scene).verdict, VERDICT_MOSTLY_WAITING);
    add_threads(scene, 2, "", 0, "0-3");
    assert_int_equal(diagnose(scene).verdict, VERDICT_MOSTLY_WAITING);
    scene->timeline.length_s = 0;
    assert_int_equal(diagnose(scene).verdict, VERDICT_IDLE);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_on_two), cmocka_unit_test(test_one_task),
        cmocka_unit_test(test_waiting),    cmocka_unit_test(test_nothing_ran),
        cmocka_unit_test(test_phases),     cmocka_unit_test(test_build),
        cmocka_unit_test(test_shared),     cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_wrapper),    cmocka_unit_test(test_sleepers),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
