/* Commands seen from outside, on timelines that were made up: what is asked for can be told by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/observe/outside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double start_s = 1000, before_s = 0.5, close_s = 1e-9;
static const int two_cpus[] = {0, 1};

struct scene {
    struct timeline timeline;
    struct cpu_counters before[2], after[2];
    struct outside outside;
    struct sample sample;
};

/* A command of 4 s on CPU 0 or CPUs 0 and 1, for so many workers. The recording began before it and ended after it. */
static void scene_init(struct scene *scene, int workers, int cpus)
{
    memset(scene, 0, sizeof *scene);
    timeline_init(&scene->timeline);
    strcpy(scene->timeline.host, "node1");
    scene->timeline.start_s = start_s - before_s;
    scene->timeline.length_s = 5;
    sample_init(&scene->sample);
    struct config *config = &scene->sample.config;
    config->command.word_count = 1;
    config->command.bind = true;
    config->mode.ranks = 1;
    config->mode.threads = workers;
    config->mode.cpus.count = cpus;
    for (int i = 0; i < cpus; i++) {
        config->mode.cpus.cpus[i] = i;
        scene->after[i] = (struct cpu_counters){.busy_s = 4};
    }
    scene->outside = (struct outside){.timeline = &scene->timeline,
                                      .process_s = 4,
                                      .start_s = start_s,
                                      .user_s = 3,
                                      .system_s = 0.5,
                                      .peak_memory_bytes = 1 << 20,
                                      .voluntary = 7,
                                      .involuntary = 9,
                                      .cpu_count = cpus,
                                      .cpus = two_cpus,
                                      .before = scene->before,
                                      .after = scene->after};
}

/* A task that begins so long after the command; spans follow without gaps. */
struct part {
    double length_s;
    enum span_state state;
    int cpu;
};

static void add_task(struct scene *scene, int pid, int tid, double begin_s, int count, const struct part parts[])
{
    struct timeline_task task = {.pid = pid, .tid = tid, .rank = -1, .thread = -1};
    assert_int_equal(timeline_add_task(&scene->timeline, &task), 0);
    struct timeline_task *added = &scene->timeline.tasks[scene->timeline.task_count - 1];
    double at_s = before_s + begin_s;
    for (int i = 0; i < count; i++) {
        struct timeline_span span = {at_s, at_s + parts[i].length_s, parts[i].state,
                                     parts[i].state == SPAN_RUNNING ? parts[i].cpu : -1};
        assert_int_equal(timeline_add_span(added, &span), 0);
        at_s += parts[i].length_s;
    }
}

static struct sample *fill(struct scene *scene)
{
    assert_int_equal(outside_fill(&scene->outside, &scene->sample), 0);
    scene->sample.wall_s = scene->outside.process_s;
    scene->sample.work = 8;
    sample_derive(&scene->sample);
    return &scene->sample;
}

static void scene_release(struct scene *scene)
{
    timeline_release(&scene->timeline);
    sample_release(&scene->sample);
}

#define assert_close(a, b) assert_true(fabs((a) - (b)) < close_s)

/* The factors of factors.h, of this sample. */
static void assert_factors(const struct sample *sample, double balance, double communication, double share)
{
    double cpu_s = 0, wall_most_s = 0, cpu_most_s = 0;
    for (int i = 0; i < sample->worker_count; i++) {
        cpu_s += sample->workers[i].cpu_s;
        wall_most_s = fmax(wall_most_s, sample->workers[i].wall_s);
        cpu_most_s = fmax(cpu_most_s, sample->workers[i].cpu_s);
    }
    assert_close(cpu_s, sample->cpu_s);
    assert_close(cpu_s / sample->worker_count / cpu_most_s, balance);
    assert_close(wall_most_s / sample->process_s, communication);
    assert_close(cpu_most_s / wall_most_s, share);
}

static void test_two_tasks_on_one_core(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2, 1);
    const struct part a[] = {{1, SPAN_RUNNING, 0}, {1, SPAN_READY, -1}, {1, SPAN_RUNNING, 0}, {1, SPAN_READY, -1}};
    const struct part b[] = {{1, SPAN_READY, -1}, {1, SPAN_RUNNING, 0}, {1, SPAN_READY, -1}, {1, SPAN_RUNNING, 0}};
    add_task(&scene, 10, 10, 0, 4, a);
    add_task(&scene, 10, 11, 0, 4, b);
    const struct sample *sample = fill(&scene);
    assert_int_equal(sample->worker_count, 2);
    assert_factors(sample, 1, 1, 0.5);
    assert_close(sample->cpu_s, 4);
    assert_close(sample->wait_s, 4);
    assert_close(sample->concurrency, 2);
    assert_close(sample->parallelism, 1);
    assert_close(sample->held_s, 0);
    assert_close(sample->foreign_cpu_s, 0);
    assert_close(sample->steal_s, 0);
    assert_close(sample->rate, 2);
    assert_int_equal(sample->processes, 1);
    assert_int_equal(sample->tasks, 2);
    assert_int_equal(sample->voluntary, 7);
    assert_int_equal(sample->involuntary, 9);
    assert_true(sample->placed_as_asked);
    assert_string_equal(sample->unobserved, "");
    const struct worker_times *first = &sample->workers[0], *second = &sample->workers[1];
    assert_string_equal(first->host, "node1");
    assert_int_equal(second->rank, 1);
    assert_close(first->wait_s, 2);
    assert_close(first->end_s - first->start_s, 4);
    assert_close(first->idle_s, 0);
    assert_true(first->cpu_seen_count == 1 && first->cpus_seen[0] == 0 && second->cpu_seen_count == 0);
    scene_release(&scene);
}

static void test_two_tasks_on_two_cores(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2, 2);
    const struct part a[] = {{4, SPAN_RUNNING, 0}}, b[] = {{4, SPAN_RUNNING, 1}};
    add_task(&scene, 10, 10, 0, 1, a);
    add_task(&scene, 11, 11, 0, 1, b);
    scene.outside.user_s = 8;
    const struct sample *sample = fill(&scene);
    assert_factors(sample, 1, 1, 1);
    assert_close(sample->parallelism, 2);
    assert_close(sample->concurrency, 2);
    assert_close(sample->wait_s, 0);
    assert_int_equal(sample->processes, 2);
    assert_int_equal(sample->workers[0].cpus_seen[0], 0);
    assert_int_equal(sample->workers[1].cpus_seen[0], 1);
    scene_release(&scene);
}

/* One second alone, then two at once for two, then one second of waiting for something else. */
static void test_serial_part(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2, 2);
    const struct part a[] = {{3, SPAN_RUNNING, 0}, {1, SPAN_BLOCKED, -1}}, b[] = {{2, SPAN_RUNNING, 1}};
    const struct part idler[] = {{0.001, SPAN_RUNNING, 1}, {3.999, SPAN_BLOCKED, -1}};
    add_task(&scene, 10, 10, 0, 2, a);
    add_task(&scene, 10, 11, 1, 1, b);
    const struct sample *sample = fill(&scene);
    assert_factors(sample, 5.0 / 6, 0.75, 1);
    assert_close(sample->workers[0].idle_s, 1);
    assert_close(sample->workers[1].start_s, 1);
    assert_close(sample->workers[1].end_s, 3);
    assert_close(sample->concurrency, 1.5);
    assert_close(sample->parallelism, 1.25);
    /* One that only waits does not count as started work. */
    add_task(&scene, 12, 12, 0, 2, idler);
    sample = fill(&scene);
    assert_close(sample->concurrency, 1.5);
    assert_int_equal(sample->tasks, 3);
    scene_release(&scene);
}

/* Another program had the core for half of the time. */
static void test_hog(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 1, 2);
    const struct part a[] = {{1, SPAN_RUNNING, 0}, {1, SPAN_READY, -1}, {1, SPAN_RUNNING, 0}, {1, SPAN_READY, -1}};
    const struct part b[] = {{1.5, SPAN_RUNNING, 1}, {2.5, SPAN_BLOCKED, -1}};
    add_task(&scene, 10, 10, 0, 4, a);
    scene.outside.user_s = 1.5;
    scene.after[1].busy_s = 0;
    const struct sample *sample = fill(&scene);
    assert_close(sample->held_s, 2);
    assert_close(sample->foreign_cpu_s, 2);
    assert_factors(sample, 1, 1, 0.5);
    /* Work of its own elsewhere is no excuse; on that core it is. */
    add_task(&scene, 10, 11, 0, 2, b);
    assert_close(fill(&scene)->held_s, 2);
    const struct part c[] = {{1, SPAN_READY, -1}, {0.75, SPAN_RUNNING, 0}, {2.25, SPAN_BLOCKED, -1}};
    add_task(&scene, 10, 12, 0, 3, c);
    assert_close(fill(&scene)->held_s, 1.25);
    scene_release(&scene);
}

/* Tasks that hand the core over to each other two thousand times: the gaps are the switches. */
static void test_handing_over(void **state)
{
    (void)state;
    enum { TURNS = 2000 };
    struct scene scene;
    struct part a[TURNS], b[TURNS + 1];
    scene_init(&scene, 2, 1);
    scene.outside.user_s = 1.5;
    b[0] = (struct part){0.001, SPAN_READY, -1};
    for (int i = 0; i < TURNS; i++) {
        a[i] = i % 2 ? (struct part){0.001002, SPAN_READY, -1} : (struct part){0.000998, SPAN_RUNNING, 0};
        b[i + 1] = i % 2 ? (struct part){0.001002, SPAN_READY, -1} : (struct part){0.000998, SPAN_RUNNING, 0};
    }
    add_task(&scene, 10, 10, 0, TURNS, a);
    add_task(&scene, 10, 11, 0, TURNS, b); /* to its last turn */
    assert_close(fill(&scene)->held_s, 0);
    assert_true(scene.sample.wait_s > 1.9);
    scene_release(&scene);
}

static void test_many_short_tasks(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    struct scene scene;
    scene_init(&scene, 2, 2);
    const struct part waits[] = {{0.001, SPAN_RUNNING, 0}, {3.999, SPAN_BLOCKED, -1}};
    add_task(&scene, 9, 9, 0, 2, waits);
    for (int i = 0; i < COUNT; i++) {
        const struct part part[] = {{0.02, SPAN_RUNNING, i % 2}};
        add_task(&scene, 10 + i, 10 + i, 0.02 * (i / 2), 1, part);
    }
    const struct sample *sample = fill(&scene);
    assert_int_equal(sample->processes, COUNT + 1);
    assert_int_equal(sample->tasks, COUNT + 1);
    assert_true(fabs(sample->concurrency - 2) < 1e-6);
    assert_true(fabs(sample->cpu_s - 8.001) < 1e-6);
    assert_true(fabs(sample->workers[0].wall_s - 4) < 1e-6 && fabs(sample->workers[1].wall_s - 4) < 1e-6);
    scene_release(&scene);
}

/* More tasks than workers: a place gets more than a core. */
static void test_more_tasks_than_workers(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 1, 2);
    const struct part a[] = {{4, SPAN_RUNNING, 0}}, b[] = {{4, SPAN_RUNNING, 1}};
    add_task(&scene, 10, 10, 0, 1, a);
    add_task(&scene, 10, 11, 0, 1, b);
    const struct sample *sample = fill(&scene);
    assert_factors(sample, 1, 1, 2);
    assert_close(sample->workers[0].wait_s, 0);
    assert_int_equal(sample->workers[0].cpu_seen_count, 2);
    scene_release(&scene);
}

/* Outside of its CPUs; but where the first task was before it went there is not the command's. */
static void test_placement(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 1, 1);
    const struct part born[] = {{0.001, SPAN_RUNNING, 3}, {0.001, SPAN_READY, -1}, {3.9, SPAN_RUNNING, 0}};
    add_task(&scene, 10, 10, 0, 3, born);
    const struct sample *sample = fill(&scene);
    assert_true(sample->placed_as_asked);
    assert_int_equal(sample->workers[0].cpu_seen_count, 1);
    const struct part visits[] = {{0.5, SPAN_READY, -1}, {0.001, SPAN_RUNNING, 3}};
    add_task(&scene, 10, 11, 0, 2, visits);
    sample = fill(&scene);
    assert_true(sample->placed_as_asked);
    const struct part strays[] = {{0.5, SPAN_READY, -1}, {0.05, SPAN_RUNNING, 3}};
    add_task(&scene, 10, 12, 0, 2, strays);
    sample = fill(&scene);
    assert_false(sample->placed_as_asked);
    assert_int_equal(sample->workers[0].cpus_seen[0], 3);
    scene_release(&scene);
}

static void assert_nothing_seen(const struct sample *sample, const char *reason)
{
    assert_int_equal(sample->worker_count, 0);
    assert_true(isnan(sample->wait_s) && isnan(sample->held_s) && isnan(sample->concurrency));
    assert_int_equal(sample->tasks, -1);
    assert_int_equal(sample->processes, -1);
    assert_close(sample->cpu_s, 3.5);
    assert_close(sample->parallelism, 3.5 / 4);
    if (!strstr(sample->unobserved, reason)) fail_msg("%s", sample->unobserved);
}

static void test_without_timeline(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2, 2);
    scene.outside.timeline = NULL;
    scene.outside.reason = "kernel.perf_event_paranoid is 3, and 2 or less is needed";
    scene.outside.peak_memory_bytes = -1;
    scene.outside.throttled_s = NAN;
    const struct sample *sample = fill(&scene);
    assert_nothing_seen(sample, "concurrency, tasks, placement: kernel.perf_event_paranoid is 3, and 2");
    assert_non_null(strstr(sample->unobserved, "peak_memory_bytes: "));
    assert_close(sample->foreign_cpu_s, 8 - 3.5);
    assert_int_equal(sample->peak_memory_bytes, -1);
    /* Free to run elsewhere, it may have used its CPU time there. */
    scene.sample.config.command.bind = false;
    sample = fill(&scene);
    assert_true(isnan(sample->foreign_cpu_s));
    assert_non_null(strstr(sample->unobserved, "foreign_cpu_s: "));
    scene_release(&scene);
}

/* Sums over a timeline with holes would be wrong. */
static void test_timeline_with_holes(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2, 2);
    const struct part a[] = {{3.5, SPAN_RUNNING, 0}};
    add_task(&scene, 10, 10, 0, 1, a);
    strcpy(scene.timeline.incomplete, "7 records were lost: they came faster than they could be taken");
    assert_nothing_seen(fill(&scene), "7 records were lost");
    scene.timeline.incomplete[0] = '\0';
    assert_int_equal(fill(&scene)->worker_count, 2);
    scene.timeline.tasks[0].spans[0].end_s -= 2;
    assert_nothing_seen(fill(&scene), "part of its CPU time is not in the records");
    scene.timeline.tasks[0].spans[0].end_s += 2;
    scene.sample.config.mode.nodes = 2;
    const struct sample *sample = fill(&scene);
    assert_true(isnan(sample->cpu_s) && sample->worker_count == 0);
    scene_release(&scene);
}

/* A recording that is longer than the command, and one that nothing is in. */
static void test_window(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 1, 1);
    const struct part a[] = {{0.4, SPAN_RUNNING, 0}, {4.1, SPAN_RUNNING, 0}, {0.3, SPAN_RUNNING, 0}};
    add_task(&scene, 10, 10, -0.4, 3, a);
    const struct sample *sample = fill(&scene);
    assert_close(sample->cpu_s, 4);
    assert_close(sample->workers[0].end_s, 4);
    scene_release(&scene);

    scene_init(&scene, 3, 0);
    scene.outside.user_s = scene.outside.system_s = 0;
    sample = fill(&scene);
    assert_int_equal(sample->worker_count, 3);
    assert_int_equal(sample->tasks, 0);
    assert_close(sample->cpu_s, 0);
    assert_close(sample->concurrency, 0);
    assert_true(isnan(sample->held_s) && isnan(sample->steal_s));
    scene_release(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_tasks_on_one_core),
        cmocka_unit_test(test_two_tasks_on_two_cores),
        cmocka_unit_test(test_serial_part),
        cmocka_unit_test(test_hog),
        cmocka_unit_test(test_handing_over),
        cmocka_unit_test(test_many_short_tasks),
        cmocka_unit_test(test_more_tasks_than_workers),
        cmocka_unit_test(test_placement),
        cmocka_unit_test(test_without_timeline),
        cmocka_unit_test(test_timeline_with_holes),
        cmocka_unit_test(test_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
