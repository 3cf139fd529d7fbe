/* Ranks that watch themselves: how clocks are compared (simulated: the truth is known), how what several ranks saw
 * becomes one timeline, and the real threads of this process. */
#include "../src/observe/switches.h"
#include "../src/observe/thread.h"
#include "../src/place/machine.h"
#include "../src/worker/clocks.h"
#include "../src/worker/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums of doubles of this size. */
static const double rounding_s = 1e-9;

/* --- Clocks. ----------------------------------------------------------------------------------------------------- */

static double random_share(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
}

/* A clock that is `offset_s` ahead at time 0, and runs faster by `drift`. */
struct clock {
    double offset_s, drift;
};

static double offset_at(const struct clock *clock, double time_s)
{
    return clock->offset_s + clock->drift * time_s;
}

/* Round trips from time_s on; returns the time after them. The first rank's clock is the time itself. */
static double make_trips(const struct clock *clock, double time_s, int count, double forth_s, double back_s,
                         uint64_t *state, struct round_trip trips_p[])
{
    for (int i = 0; i < count; i++) {
        trips_p[i].sent_s = time_s;
        time_s += forth_s * (1 + 5 * random_share(state));
        trips_p[i].remote_s = time_s + offset_at(clock, time_s);
        time_s += back_s * (1 + 5 * random_share(state));
        trips_p[i].returned_s = time_s;
    }
    return time_s;
}

static void test_the_offset_is_within_its_bound(void **state)
{
    (void)state;
    static const double delays_s[][2] = {{10e-6, 10e-6}, {0, 100e-6}, {100e-6, 0}, {1e-6, 5e-3}, {0, 0}};
    static const double offsets_s[] = {0, 1e-6, -3.5, 86400, -1e7};
    uint64_t random = 1;
    for (size_t d = 0; d < sizeof delays_s / sizeof *delays_s; d++)
        for (size_t o = 0; o < sizeof offsets_s / sizeof *offsets_s; o++)
            for (int repeat = 0; repeat < 20; repeat++) {
                struct round_trip trips[30];
                const struct clock clock = {.offset_s = offsets_s[o]};
                make_trips(&clock, 1000, 30, delays_s[d][0], delays_s[d][1], &random, trips);
                struct clock_offset found = clock_offset_find(30, trips);
                double fastest_s = INFINITY;
                for (int i = 0; i < 30; i++) fastest_s = fmin(fastest_s, trips[i].returned_s - trips[i].sent_s);
                assert_true(fabs(found.offset_s - clock.offset_s) <= found.error_s + 4 * rounding_s);
                assert_true(fabs(found.error_s - fastest_s / 2) <= rounding_s);
            }
}

/* All the time on one way: the truth is at the end of what is allowed, so that no smaller bound would do. */
static void test_the_bound_is_not_larger_than_need_be(void **state)
{
    (void)state;
    const struct round_trip late = {.sent_s = 10, .returned_s = 10.5, .remote_s = 13.5}; /* 3 s ahead, read at 10.5 */
    const struct round_trip early = {.sent_s = 10, .returned_s = 10.5, .remote_s = 13};  /* 3 s ahead, read at 10 */
    const struct clock_offset a = clock_offset_find(1, &late), b = clock_offset_find(1, &early);
    assert_true(a.offset_s == 3.25 && a.error_s == 0.25);
    assert_true(b.offset_s == 2.75 && b.error_s == 0.25);
}

static void test_a_slow_trip_does_no_harm(void **state)
{
    (void)state;
    const struct round_trip trips[] = {{0, 1, 5.9}, {2, 2.25, 7.125}, {3, 5, 8.1}};
    const struct clock_offset found = clock_offset_find(3, trips);
    assert_true(found.offset_s == 5 && found.error_s == 0.125);
}

static void test_drift_is_within_the_bound(void **state)
{
    (void)state;
    static const double drifts[] = {0, 1e-5, -1e-5, 5e-4, -1e-3};
    uint64_t random = 2;
    for (size_t d = 0; d < sizeof drifts / sizeof *drifts; d++)
        for (int repeat = 0; repeat < 50; repeat++) {
            struct round_trip trips[30];
            const struct clock clock = {.offset_s = -77.7, .drift = drifts[d]};
            double begin_s = make_trips(&clock, 100, 30, 20e-6, 3e-6, &random, trips);
            const struct clock_offset before = clock_offset_find(30, trips);
            make_trips(&clock, begin_s + 10, 30, 2e-6, 40e-6, &random, trips);
            const struct clock_offset after = clock_offset_find(30, trips);
            const struct clock_offset both = clock_offset_span(before, after);
            for (double time_s = begin_s; time_s <= begin_s + 10; time_s += 0.5)
                assert_true(fabs(both.offset_s - offset_at(&clock, time_s)) <= both.error_s + rounding_s);
            /* Half of how far it went, and no more than the larger bound. */
            double most_s = fabs(before.offset_s - after.offset_s) / 2 + fmax(before.error_s, after.error_s);
            assert_true(both.error_s <= most_s + rounding_s);
        }
}

/* --- Timelines of several ranks. --------------------------------------------------------------------------------- */

/* One that was watched from start_s on for 10 s: a worker, and a helper that is blocked; each changes every second. */
static struct timeline make_seen(double start_s, int rank, int cpu)
{
    struct timeline timeline;
    timeline_init(&timeline);
    timeline.start_s = start_s;
    timeline.length_s = 10;
    timeline.error_s = 1e-6 * (1 + rank);
    for (int t = 0; t < 2; t++) {
        const struct timeline_task task = {.pid = 100 * rank,
                                           .tid = 100 * rank + t,
                                           .rank = t == 0 ? rank : -1,
                                           .thread = t == 0 ? 0 : -1,
                                           .accounted_wait_s = NAN};
        assert_int_equal(timeline_add_task(&timeline, &task), 0);
        for (int i = 0; i < 10; i++) {
            bool runs = t == 0 && i % 2 == 0;
            const struct timeline_span span = {i, i + 1, runs ? SPAN_RUNNING : SPAN_READY, runs ? cpu : -1};
            assert_int_equal(timeline_add_span(&timeline.tasks[t], &span), 0);
        }
    }
    assert_int_equal(timeline_unite_cpu(&timeline, cpu, 1), 0);
    return timeline;
}

static void test_ranks_become_one_timeline(void **state)
{
    (void)state;
    struct timeline host, seen = make_seen(1000, 1, 3);
    timeline_init(&host);
    assert_int_equal(timeline_merge(&host, &seen), 0);
    timeline_release(&seen);
    seen = make_seen(1000.5, 0, 1);
    assert_int_equal(timeline_merge(&host, &seen), 0);
    timeline_release(&seen);
    seen = make_seen(998, 2, 3);
    assert_int_equal(timeline_merge(&host, &seen), 0);
    timeline_release(&seen);
    /* What all three have: from 1000.5 to 1008. */
    assert_true(host.start_s == 1000.5 && fabs(host.length_s - 7.5) < rounding_s);
    assert_true(host.error_s == 3e-6);
    assert_int_equal(host.cpu_count, 2);
    assert_int_equal(host.cpus[0].cpu, 1);
    assert_int_equal(host.cpus[1].cpu, 3);
    assert_int_equal(host.task_count, 6);
    for (int i = 0; i < 6; i++) assert_int_equal(host.tasks[i].rank, i < 3 ? i : -1);
    const struct timeline_span *first = host.tasks[1].spans, *last = &first[host.tasks[1].span_count - 1];
    assert_true(first->begin_s == 0 && fabs(first->end_s - 0.5) < rounding_s && first->cpu == 3);
    assert_true(fabs(last->end_s - 7.5) < rounding_s);
    timeline_release(&host);
}

static void test_a_rank_that_saw_nothing_brings_its_reason(void **state)
{
    (void)state;
    struct timeline host, seen = make_seen(1000, 0, 1), nothing;
    timeline_init(&host);
    timeline_init(&nothing);
    strcpy(nothing.incomplete, "not allowed");
    assert_int_equal(timeline_unite_cpu(&nothing, 0, NAN), 0);
    assert_int_equal(timeline_merge(&host, &nothing), 0);
    assert_int_equal(timeline_merge(&host, &seen), 0);
    assert_int_equal(timeline_merge(&host, &nothing), 0);
    assert_string_equal(host.incomplete, "not allowed");
    assert_true(host.start_s == 1000 && host.length_s == 10);
    assert_int_equal(host.task_count, 2);
    assert_int_equal(host.cpu_count, 2);
    timeline_release(&nothing);
    timeline_release(&seen);
    timeline_release(&host);
}

static void test_cpus_are_united(void **state)
{
    (void)state;
    struct timeline timeline;
    timeline_init(&timeline);
    for (int i = 0; i < 20; i++)
        assert_int_equal(timeline_unite_cpu(&timeline, 7 * i % 10, i < 10 ? NAN : (double)i), 0);
    assert_int_equal(timeline.cpu_count, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(timeline.cpus[i].cpu, i);
        assert_true(timeline.cpus[i].busy_s >= 10);
    }
    timeline_release(&timeline);
}

/* --- Threads of this process. ------------------------------------------------------------------------------------ */

static void spin(double until_s)
{
    while (clock_wall_s() < until_s) continue;
}

static const struct timeline_task *task_of(const struct timeline *timeline, pid_t tid)
{
    for (int i = 0; i < timeline->task_count; i++)
        if (timeline->tasks[i].tid == tid) return &timeline->tasks[i];
    fail_msg("task %d is not in the timeline", (int)tid);
    return NULL;
}

/* Two threads that share a CPU, watched by their own process: never both at once, and no instant of theirs is missing.
 */
static void test_threads_of_this_process(void **state)
{
    (void)state;
    enum { THREADS = 2 };
    struct watch *watch = watch_new();
    struct timeline timeline;
    struct thread_counters begin[THREADS], end[THREADS];
    struct cpu_list cpus;
    pid_t tids[THREADS];
    assert_non_null(watch);
    assert_true(bind_read(&cpus) > 0);
    omp_set_num_threads(THREADS);
#pragma omp parallel
    bind_thread(cpus.cpus[0]);
    watch_start(watch, 1);
    double begin_s = clock_wall_s();
#pragma omp parallel
    {
        int thread = omp_get_thread_num();
        tids[thread] = thread_id();
        thread_counters_read(&begin[thread]);
        spin(begin_s + 0.2);
        thread_counters_read(&end[thread]);
    }
    double end_s = clock_wall_s();
    watch_stop(watch);
    if (watch_refusal(watch)) fail_msg("%s", watch_refusal(watch));
    assert_int_equal(watch_timeline(watch, &timeline), 0);
    watch_free(watch);
    if (timeline.incomplete[0]) fail_msg("incomplete: %s", timeline.incomplete);
    timeline_cut(&timeline, begin_s - timeline.start_s, end_s - timeline.start_s);
    double running_s = 0;
    for (int t = 0; t < THREADS; t++) {
        const struct timeline_task *task = task_of(&timeline, tids[t]);
        double state_s[3] = {0};
        for (int i = 0; i < task->span_count; i++)
            state_s[task->spans[i].state] += task->spans[i].end_s - task->spans[i].begin_s;
        running_s += state_s[SPAN_RUNNING];
        assert_true(fabs(state_s[0] + state_s[1] + state_s[2] - timeline.length_s) < 1e-6);
        /* Before and after its spinning it may have run for a while, which is not counted here. */
        assert_true(state_s[SPAN_RUNNING] > end[t].cpu_s - begin[t].cpu_s - 1e-3);
        assert_true(strlen(task->name) > 0);
    }
    assert_true(running_s <= timeline.length_s + 1e-6);
    bool drained = false;
    for (int i = 0; i < timeline.task_count; i++) drained |= strcmp(timeline.tasks[i].name, "speedup-drainer") == 0;
    assert_true(drained);
    timeline_release(&timeline);
}

/* One that keeps its CPU for so short a time leaves no record of its own: it is there by its own word. */
static void test_a_thread_without_a_switch_is_seen(void **state)
{
    (void)state;
    struct switches *switches;
    struct timeline timeline;
    char reason[128];
    const pid_t tid = thread_id();
    if (switches_open_threads(1, &tid, 1, 1, &switches, sizeof reason, reason)) fail_msg("%s", reason);
    switches_note_running(switches, tid, 5, clock_wall_s());
    assert_int_equal(switches_timeline(switches, &timeline), 0);
    switches_close(switches);
    assert_int_equal(timeline.task_count, 1);
    assert_int_equal(timeline.tasks[0].tid, tid);
    assert_int_equal(timeline.cpu_count, 0);
    bool ran = false;
    for (int i = 0; i < timeline.tasks[0].span_count; i++) ran |= timeline.tasks[0].spans[i].state == SPAN_RUNNING;
    assert_true(ran);
    timeline_release(&timeline);
}

/* Stops and frees in any state. */
static void test_a_watch_may_end_early(void **state)
{
    (void)state;
    struct watch *watch = watch_new();
    assert_non_null(watch_refusal(watch));
    watch_stop(watch);
    watch_free(watch);
    watch = watch_new();
    watch_start(watch, 1000);
    watch_free(watch);
    watch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(test_the_offset_is_within_its_bound),
        cmocka_unit_test(test_the_bound_is_not_larger_than_need_be),
        cmocka_unit_test(test_a_slow_trip_does_no_harm),
        cmocka_unit_test(test_drift_is_within_the_bound),
        cmocka_unit_test(test_ranks_become_one_timeline),
        cmocka_unit_test(test_a_rank_that_saw_nothing_brings_its_reason),
        cmocka_unit_test(test_cpus_are_united),
        cmocka_unit_test(test_a_watch_may_end_early),
    };
    const struct CMUnitTest real[] = {
        cmocka_unit_test(test_threads_of_this_process),
        cmocka_unit_test(test_a_thread_without_a_switch_is_seen),
    };
    char reason[128];
    int failed = cmocka_run_group_tests(pure, NULL, NULL);
    if (switches_available(sizeof reason, reason)) return failed + cmocka_run_group_tests(real, NULL, NULL);
    printf("Real threads were not watched: %s\n", reason);
    return failed;
}
