/* Fairness, response, waiting and the cost of a switch, on numbers whose answers are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/analyse/sharing.h"

#include <math.h>
#include <stdlib.h>

static void assert_near(double value, double expected)
{
    if (isnan(expected) && isnan(value)) return;
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected)))) fail_msg("%.17g, not %.17g", value, expected);
}

static void jains_index_is_as_published(void **state)
{
    (void)state;
    /* k of n have equal shares, the others nothing: k / n (Jain, Chiu, Hawe, section 3). */
    double shares[10] = {0};
    for (int k = 1; k <= 10; k++) {
        shares[k - 1] = 7;
        assert_near(sharing_fairness(10, shares), k / 10.0);
    }
    assert_near(sharing_fairness(1, (double[]){0.3}), 1);
    assert_near(sharing_fairness(2, (double[]){1, 3}), 16.0 / 20);
    assert_near(sharing_fairness(4, (double[]){1, 0.5, 1.0 / 3, 0.25}), 625.0 / 820); /* (25/12)^2 / (4 * 205/144) */
    /* No unit matters, however large. */
    assert_near(sharing_fairness(2, (double[]){1e-300, 3e-300}), 0.8);
    assert_near(sharing_fairness(2, (double[]){1e300, 3e300}), 0.8);
}

static void what_is_no_share_has_no_fairness(void **state)
{
    (void)state;
    assert_near(sharing_fairness(0, NULL), NAN);
    assert_near(sharing_fairness(2, (double[]){0, 0}), NAN);
    assert_near(sharing_fairness(2, (double[]){1, NAN}), NAN);
    assert_near(sharing_fairness(2, (double[]){1, -1}), NAN);
    assert_near(sharing_fairness(2, (double[]){1, INFINITY}), NAN);
}

/* Four tasks with a second of work each, one behind the other: as first in, first out leaves them. */
static struct sample one_behind_the_other(void)
{
    struct sample sample;
    sample_init(&sample);
    sample.worker_count = 4;
    sample.workers = calloc(4, sizeof *sample.workers);
    assert_non_null(sample.workers);
    for (int i = 0; i < 4; i++)
        sample.workers[i] = (struct worker_times){
            .rank = 3 - i, .response_s = 3 - i, .end_s = 4 - i, .wall_s = 1, .cpu_s = 0.75, .comm_cpu_s = 0.25};
    return sample;
}

static void tasks_one_behind_the_other_wait_for_those_before(void **state)
{
    (void)state;
    struct sample sample = one_behind_the_other();
    struct sharing sharing;
    sharing_of(&sample, &sharing);
    assert_near(sharing.response_mean_s, 1.5);
    assert_near(sharing.response_last_s, 3);
    assert_near(sharing.done_mean_s, 2.5);
    assert_near(sharing.done_last_s, 4);
    assert_near(sharing.share_low, 0.25);
    assert_near(sharing.share_high, 1);
    assert_near(sharing.fairness, 625.0 / 820);
    double first[4];
    for (int most = 0; most <= 4; most++) {
        assert_int_equal(sharing_responses(&sample, most, first), 4);
        for (int i = 0; i < most; i++) assert_near(first[i], i);
    }
    sample_release(&sample);
}

static void tasks_in_turns_share_evenly(void **state)
{
    (void)state;
    struct sample sample = one_behind_the_other();
    struct sharing sharing;
    for (int i = 0; i < 4; i++) {
        sample.workers[i].end_s = 4;
        sample.workers[i].response_s = 0.004 * i;
    }
    sharing_of(&sample, &sharing);
    assert_near(sharing.fairness, 1);
    assert_near(sharing.response_last_s, 0.012);
    assert_near(sharing.response_mean_s, 0.006);
    assert_near(sharing.done_mean_s, 4);
    sample_release(&sample);
}

static void what_was_not_seen_of_one_task_is_not_known_of_all(void **state)
{
    (void)state;
    struct sample sample = one_behind_the_other();
    struct sharing sharing;
    double first[4];
    sample.workers[1].response_s = NAN;
    sample.workers[2].cpu_s = NAN;
    sharing_of(&sample, &sharing);
    assert_near(sharing.response_mean_s, NAN);
    assert_near(sharing.response_last_s, NAN);
    assert_near(sharing.share_low, NAN);
    assert_near(sharing.share_high, NAN);
    assert_near(sharing.fairness, NAN);
    assert_near(sharing.done_last_s, 4);
    assert_int_equal(sharing_responses(&sample, 4, first), 3);
    assert_near(first[0], 0);
    assert_near(first[1], 1);
    assert_near(first[2], 3);
    sample.workers[0].end_s = 0;
    sharing_of(&sample, &sharing);
    assert_near(sharing.fairness, NAN);
    sample_release(&sample);
    sample_init(&sample);
    sharing_of(&sample, &sharing);
    assert_near(sharing.fairness, NAN);
    assert_near(sharing.response_last_s, NAN);
    assert_int_equal(sharing_responses(&sample, 4, first), 0);
}

static void waiting_together_gains_until_the_core_is_busy(void **state)
{
    (void)state;
    static const struct {
        int tasks;
        double compute_s, wait_s, bound;
    } cases[] = {{1, 1e-3, 4e-3, 1}, {2, 1e-3, 4e-3, 2}, {4, 1e-3, 4e-3, 4}, {8, 1e-3, 4e-3, 5},
                 {8, 1e-3, 0, 1},    {8, 0, 4e-3, 8},    {8, 1, 1.5, 2.5},   {0, 1, 1, NAN},
                 {2, 0, 0, NAN},     {2, NAN, 1, NAN},   {2, 1, NAN, NAN},   {2, -1, 1, NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_near(sharing_waiting_bound(cases[i].tasks, cases[i].compute_s, cases[i].wait_s), cases[i].bound);
}

static void a_switch_costs_what_a_hop_takes_longer(void **state)
{
    (void)state;
    struct worker_times one[1] = {{.wall_s = 0.2}}, two[2] = {{.wall_s = 0.25}, {.wall_s = 0.35}};
    struct sample alone, ring;
    struct switching switching;
    sample_init(&alone);
    sample_init(&ring);
    alone.work = 1e5, alone.wall_s = 0.3, alone.workers = one, alone.worker_count = 1;
    ring.work = 2e5, ring.wall_s = 1, ring.workers = two, ring.worker_count = 2;
    ring.voluntary = 190000, ring.involuntary = 10000;
    switching_of(&alone, &ring, &switching);
    assert_near(switching.alone_s, 3e-6);
    assert_near(switching.ring_s, 5e-6);
    assert_near(switching.cost_s, 2e-6);
    assert_near(switching.walk_s, 1e-6);
    assert_near(switching.bare_s, 1e-6);
    assert_near(switching.switches, 1);
    ring.voluntary = -1;
    switching_of(&alone, &ring, &switching);
    assert_near(switching.switches, NAN);
    ring.work = 0;
    switching_of(&alone, &ring, &switching);
    assert_near(switching.cost_s, NAN);
    assert_near(switching.ring_s, NAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jains_index_is_as_published),
        cmocka_unit_test(what_is_no_share_has_no_fairness),
        cmocka_unit_test(tasks_one_behind_the_other_wait_for_those_before),
        cmocka_unit_test(tasks_in_turns_share_evenly),
        cmocka_unit_test(what_was_not_seen_of_one_task_is_not_known_of_all),
        cmocka_unit_test(waiting_together_gains_until_the_core_is_busy),
        cmocka_unit_test(a_switch_costs_what_a_hop_takes_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
