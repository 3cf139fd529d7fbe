/* Slow nodes and cores among equals, in launches made in memory: named where they are, with the cause, and nowhere
 * else. test_nodes STUDIES: how many are simulated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/analyse/convergence.h"
#include "made_nodes.h"

static int studies = 100;

static struct nodes build(const struct made_nodes *made, int launches, double confidence)
{
    struct results results;
    struct nodes nodes;
    results_init(&results);
    make_node_launches(&results, made, launches);
    assert_int_equal(results.group_count, 1);
    assert_int_equal(nodes_build(results.groups, confidence, &nodes), 0);
    results_release(&results);
    return nodes;
}

static void expect_sentence(struct nodes *nodes, const char *expected)
{
    char text[1400];
    assert_string_equal(nodes_sentence(nodes, sizeof text, text), expected);
    nodes_release(nodes);
}

/* The verdict of 12 launches on 4 nodes of 2 cores. */
static void expect_of_four(made_faults *fault, const char *expected)
{
    const struct made_nodes made = {.nodes = 4, .cores = 2, .noise = 0.002, .fault = fault};
    struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
    expect_sentence(&nodes, expected);
}

static void equals_are_alike(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .noise = 0.005};
    struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
    assert_int_equal(nodes.launches, 12);
    assert_int_equal(nodes.node_count, 4);
    assert_int_equal(nodes.core_count, 8);
    assert_int_equal(nodes.nodes[1].core_count, 2);
    assert_true(nodes.cores_agree && nodes.nodes_agree && nodes_decided(&nodes));
    assert_true(nodes.within > 0 && nodes.within < 0.02);
    assert_true(fabs(nodes.own_confidence - (1 - 0.05 / 12)) < 1e-12);
    expect_sentence(&nodes, "All 4 nodes and 8 cores are alike within 2 %.");
}

static struct made_fault third_node_computes(int node, int core, int launch)
{
    (void)core;
    (void)launch;
    return (struct made_fault){.cpu_time = node == 2 ? 0.31 : 0};
}

static void a_slow_node_is_named_and_its_cores_are_not(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = third_node_computes};
    struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
    assert_int_equal(nodes.slow_nodes, 1);
    assert_int_equal(nodes.slow_cores, 0);
    assert_int_equal(nodes.nodes[2].state, NODES_SLOW);
    assert_int_equal(nodes.nodes[2].slow_cores, 2);
    assert_int_equal(nodes.nodes[2].cause, NODES_COMPUTED);
    assert_true(nodes.cores[4].by_node && nodes.cores[5].by_node && !nodes.cores[3].by_node);
    expect_sentence(&nodes, "node3 is slow: 1.31 [1.31, 1.31] times as long as the others; it needs 1.31 times the CPU "
                            "time for the same work, and no other program shows there: a slower clock (power or heat "
                            "limit, governor), another kind of processor, or a neighbour that uses its caches and "
                            "memory.");
}

static bool is_core(int node, int core)
{
    return node == 1 && core == 1;
}

static struct made_fault core_waits(int node, int core, int launch)
{
    (void)launch;
    return is_core(node, core) ? (struct made_fault){.waited = 1, .foreign = 1} : (struct made_fault){0};
}

static struct made_fault core_is_stolen(int node, int core, int launch)
{
    (void)launch;
    return is_core(node, core) ? (struct made_fault){.stolen = 0.25} : (struct made_fault){0};
}

static struct made_fault core_has_a_sibling(int node, int core, int launch)
{
    (void)launch;
    return is_core(node, core) ? (struct made_fault){.cpu_time = 0.6, .sibling = 1.6} : (struct made_fault){0};
}

static struct made_fault core_stands(int node, int core, int launch)
{
    (void)launch;
    return is_core(node, core) ? (struct made_fault){.stood = 0.25} : (struct made_fault){0};
}

static struct made_fault core_is_mixed(int node, int core, int launch)
{
    (void)launch;
    return is_core(node, core) ? (struct made_fault){.stood = 0.1, .waited = 0.1, .cpu_time = 0.1}
                               : (struct made_fault){0};
}

static void a_slow_core_is_named_with_the_cause(void **state)
{
    (void)state;
    const struct {
        made_faults *fault;
        double throttled;
        enum nodes_cause cause;
        const char *words;
    } cases[] = {
        {core_waits, 0, NODES_WAITED, "waited for the core for 50 % of its time: another program runs there."},
        {core_is_stolen, 0, NODES_STOLEN, "the hypervisor took 20 % of its time (steal)"},
        {core_has_a_sibling, 0, NODES_SIBLING, "the other hardware thread of its core for 100 % of the time"},
        {core_stands, 0, NODES_STOOD, "for 20 % of its time it neither computed nor waited"},
        {core_stands, 0.2, NODES_THROTTLED, "the CPU quota of a control group stopped it (cpu.max)"},
        {core_waits, 0.5, NODES_WAITED, "another program runs there"}, /* it was seen */
        {core_is_mixed, 0, NODES_MIXED, "no single cause: 1.10 times the CPU time, 8 % of its time waiting"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct made_nodes made = {
            .nodes = 4, .cores = 2, .fault = cases[i].fault, .throttled = cases[i].throttled};
        struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
        char text[1400];
        assert_int_equal(nodes.slow_nodes, 0);
        assert_int_equal(nodes.slow_cores, 1);
        assert_int_equal(nodes.cores[3].cause, cases[i].cause);
        nodes_sentence(&nodes, sizeof text, text);
        if (strncmp(text, "CPU 1 of node2 is slow: ", 24) || !strstr(text, cases[i].words)) fail_msg("%s", text);
        nodes_release(&nodes);
    }
}

static struct made_fault several(int node, int core, int launch)
{
    (void)launch;
    return (struct made_fault){.cpu_time = node == 3 ? 0.5 : is_core(node, core) ? 0.2 : 0};
}

static void several_are_told_the_slowest_node_first(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = several};
    struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
    char text[1400];
    nodes_sentence(&nodes, sizeof text, text);
    static const char begin[] = "1 of 4 nodes is slow, and 1 core of other nodes: node4 1.50 [1.50, 1.50] and CPU 1 of "
                                "node2 1.20 [1.20, 1.20] times as long as the others. Of node4: it needs 1.50 times";
    if (strncmp(text, begin, sizeof begin - 1)) fail_msg("%s", text);
    nodes_release(&nodes);
}

static struct made_fault second_core_computes(int node, int core, int launch)
{
    (void)node;
    (void)launch;
    return (struct made_fault){.cpu_time = core == 1 ? 0.3 : 0};
}

static void of_two_the_slower_is_told_as_such(void **state)
{
    (void)state;
    const struct made_nodes cores = {.nodes = 1, .cores = 2, .fault = second_core_computes},
                            nodes = {.nodes = 2, .cores = 1, .fault = third_node_computes};
    struct nodes made = build(&cores, 8, CONFIDENCE_STOPPING);
    char text[1400];
    nodes_sentence(&made, sizeof text, text);
    if (strncmp(text, "Of the two cores, CPU 1 is the slower: 1.30 [1.30, 1.30] times as long as CPU 0; ", 80) ||
        !strstr(text, "Times alone cannot tell which of two is the odd one."))
        fail_msg("%s", text);
    assert_int_equal(made.slow_cores, 1);
    assert_int_equal(made.cores[0].state, NODES_FAST);
    nodes_release(&made);
    made = build(&nodes, 12, CONFIDENCE_STOPPING);
    expect_sentence(&made, "All 2 nodes and 2 cores are alike within 1 %.");
}

static struct made_fault second_node_computes(int node, int core, int launch)
{
    (void)core;
    (void)launch;
    return (struct made_fault){.cpu_time = node == 1 ? 0.3 : 0};
}

static struct made_fault half_the_cores_compute(int node, int core, int launch)
{
    (void)node;
    (void)launch;
    return (struct made_fault){.cpu_time = core >= 2 ? 0.3 : 0};
}

static void without_a_majority_none_is_the_odd_one(void **state)
{
    (void)state;
    const struct made_nodes two = {.nodes = 2, .cores = 2, .fault = second_node_computes},
                            half = {.nodes = 1, .cores = 4, .fault = half_the_cores_compute};
    struct nodes nodes = build(&two, 12, CONFIDENCE_FIXED);
    char text[1400];
    nodes_sentence(&nodes, sizeof text, text);
    if (strncmp(text, "Of the two nodes, node2 is the slower: 1.30", 43)) fail_msg("%s", text);
    nodes_release(&nodes);
    nodes = build(&half, 12, CONFIDENCE_FIXED);
    nodes_sentence(&nodes, sizeof text, text);
    if (strncmp(text, "The cores differ, and most of them are not alike, so that none is the odd one: 2 of 4 take ",
                90))
        fail_msg("%s", text);
    nodes_release(&nodes);
}

static struct made_fault now_and_then(int node, int core, int launch)
{
    return launch % 2 && is_core(node, core) ? (struct made_fault){.waited = 0.5} : (struct made_fault){0};
}

static void what_is_not_known_is_not_claimed(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = third_node_computes},
                            one = {.nodes = 1, .cores = 1};
    struct nodes nodes = build(&made, 3, CONFIDENCE_FIXED);
    assert_false(nodes_decided(&nodes));
    expect_sentence(&nodes, "3 launches are too few to judge 4 nodes and 8 cores: it takes 9. The slowest so far is "
                            "node3: 1.31 times as long as the others, in 3 of 3 launches more than 5 % longer.");
    nodes = build(&one, 12, CONFIDENCE_FIXED);
    assert_int_equal(nodes.core_count, 1);
    expect_sentence(&nodes, "One core alone has nothing to be compared with.");
    expect_of_four(now_and_then, "Nothing is shown to be slow, but 1 of 4 nodes and 8 cores is not known well enough. "
                                 "The slowest is CPU 1 of node2: 1.25 [1.00, 1.50] times as long as the others, in 6 "
                                 "of 12 launches more than 5 % longer.");
}

static void launches_needed_grow_with_the_cores(void **state)
{
    (void)state;
    const struct made_nodes two = {.nodes = 1, .cores = 2}, many = {.nodes = 100, .cores = 100};
    struct nodes nodes = build(&two, 8, CONFIDENCE_STOPPING);
    assert_int_equal(nodes.launches_needed, 8);
    assert_true(nodes_decided(&nodes));
    nodes_release(&nodes);
    nodes = build(&two, 7, CONFIDENCE_FIXED);
    assert_int_equal(nodes.launches_needed, 7);
    nodes_release(&nodes);
    nodes = build(&many, 1, CONFIDENCE_STOPPING);
    assert_int_equal(nodes.launches_needed, 20);
    assert_int_equal(nodes.core_count, 10000);
    nodes_release(&nodes);
    /* Known before there is one. */
    assert_int_equal(nodes_launches_needed(2, 1, CONFIDENCE_STOPPING), 8);
    assert_int_equal(nodes_launches_needed(2, 1, CONFIDENCE_FIXED), 7);
    assert_int_equal(nodes_launches_needed(10000, 100, CONFIDENCE_STOPPING), 20);
}

/* Whether a launch is used, and how many cores it tells of. */
static void expect_use(const struct sample *sample, int launches, int cores)
{
    struct group group = {.count = 1, .samples = (struct sample *)sample};
    struct nodes nodes;
    assert_int_equal(nodes_build(&group, CONFIDENCE_FIXED, &nodes), 0);
    assert_int_equal(nodes.launches, launches);
    assert_int_equal(nodes.left_out, 1 - launches);
    assert_int_equal(nodes.core_count, cores);
    nodes_release(&nodes);
}

static void disturbed_launches_are_used_and_wrong_ones_are_not(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 2, .cores = 2};
    struct sample sample = make_node_sample(&made, 0);
    sample.validity = SAMPLE_INVALID;
    expect_use(&sample, 1, 4);
    sample.correct = false;
    expect_use(&sample, 0, 0);
    sample.correct = true;
    sample.wall_s = NAN;
    expect_use(&sample, 0, 0);
    sample.wall_s = 1;
    sample.workers[0].cpus_seen[0] = 7; /* not on its core: nothing is known of that one */
    expect_use(&sample, 1, 3);
    sample.workers[1].cpu_asked = -1;
    expect_use(&sample, 1, 2);
    sample.workers[3].cpu_asked = sample.workers[3].cpus_seen[0] = 0; /* two on one core */
    expect_use(&sample, 0, 0);
    sample.workers[2].wall_s = NAN;
    sample.workers[3].wall_s = -INFINITY;
    expect_use(&sample, 0, 0);
    sample_release(&sample);
}

static void a_launch_counts_once(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 1, .cores = 2};
    struct sample samples[2] = {make_node_sample(&made, 4), make_node_sample(&made, 4)};
    struct group group = {.count = 2, .samples = samples};
    struct nodes nodes;
    assert_int_equal(nodes_build(&group, CONFIDENCE_FIXED, &nodes), 0);
    assert_int_equal(nodes.launches, 1);
    nodes_release(&nodes);
    for (int i = 0; i < 2; i++) sample_release(&samples[i]);
}

static struct made_fault unobserved(int node, int core, int launch)
{
    (void)launch;
    return is_core(node, core) ? (struct made_fault){.waited = NAN, .foreign = NAN, .stolen = NAN}
                               : (struct made_fault){0};
}

static void what_was_not_observed_is_no_number(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = unobserved, .throttled = NAN};
    struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
    assert_int_equal(nodes.core_count, 7); /* its time is NAN, too */
    assert_true(isnan(nodes.throttled));
    nodes_release(&nodes);
}

static void rows_are_all_or_the_outliers(void **state)
{
    (void)state;
    const struct made_nodes made = {.nodes = 4, .cores = 2, .fault = several};
    struct nodes nodes = build(&made, 12, CONFIDENCE_FIXED);
    const struct nodes_place *rows[20];
    bool whole;
    /* Four nodes, a slow core, and both of the slow node. */
    assert_int_equal(nodes_select(&nodes, 20, rows, &whole), 7);
    assert_true(whole);
    assert_ptr_equal(rows[0], &nodes.nodes[0]);
    assert_ptr_equal(rows[2], &nodes.cores[3]);
    assert_ptr_equal(rows[6], &nodes.cores[7]);
    assert_int_equal(nodes_select(&nodes, 6, rows, &whole), 2);
    assert_false(whole);
    assert_ptr_equal(rows[0], &nodes.nodes[3]);
    assert_ptr_equal(rows[1], &nodes.cores[3]);
    assert_int_equal(nodes_select(&nodes, 1, rows, &whole), 1);
    assert_true(fabs(nodes_quantile(&nodes, true, 1) - (1.5)) < 1e-9);
    assert_true(fabs(nodes_quantile(&nodes, false, 0) - (1)) < 1e-9);
    nodes_release(&nodes);
}

/* 20 cores of 220 lie just below the threshold (the median of the others is a little above 1). */
static struct made_fault just_below(int node, int core, int launch)
{
    (void)node;
    (void)launch;
    return (struct made_fault){.cpu_time = core < 20 ? 0.051 : 0};
}

static void chance_calls_hardly_any_core_slow(void **state)
{
    (void)state;
    struct made_nodes made = {.nodes = 1, .cores = 220, .noise = 0.02, .fault = just_below};
    int alarms = 0, alarms_of_each = 0;
    for (int i = 0; i < studies; i++) {
        made.seed = hash_mix((uint64_t)i + 1);
        struct nodes nodes = build(&made, 15, CONFIDENCE_FIXED);
        alarms += nodes.slow_cores > 0;
        nodes_release(&nodes);
        nodes = build(&made, 15, 1 - 220 * 0.05); /* 95 % of each for itself */
        alarms_of_each += nodes.slow_cores > 0;
        nodes_release(&nodes);
    }
    print_message("20 of 220 cores just below the threshold: %.1f %% of studies have a false alarm; %.1f %% without "
                  "allowing for their number\n",
                  100.0 * alarms / studies, 100.0 * alarms_of_each / studies);
    assert_true(alarms <= 0.025 * studies + 2);
    assert_true(alarms_of_each > 0.1 * studies);
}

static struct made_fault one_core(int node, int core, int launch)
{
    (void)node;
    (void)launch;
    return (struct made_fault){.cpu_time = core == 17 ? 0.1 : 0};
}

/* As the command does: launch by launch until all is known, 30 at most. */
static void a_core_that_is_a_tenth_slower_is_found(void **state)
{
    (void)state;
    struct made_nodes made = {.nodes = 1, .cores = 64, .noise = 0.02, .fault = one_core};
    int found = 0, others = 0, launches = 0, count = studies / 4 + 1;
    for (int i = 0; i < count; i++) {
        struct nodes nodes = {.open = 1};
        made.seed = hash_mix((uint64_t)i + 1000);
        int n = 13;
        for (; n <= 30; n++) {
            nodes = build(&made, n, CONFIDENCE_STOPPING);
            if (nodes_decided(&nodes) || n == 30) break;
            nodes_release(&nodes);
        }
        launches += n;
        found += nodes.cores[17].state == NODES_SLOW;
        others += nodes.slow_cores > (nodes.cores[17].state == NODES_SLOW);
        nodes_release(&nodes);
    }
    print_message(
        "1 of 64 cores is a tenth slower, noise 2 %%: found in %.1f %% of studies, after %.1f launches; others "
        "in %.1f %%\n",
        100.0 * found / count, (double)launches / count, 100.0 * others / count);
    assert_true(found >= 0.95 * count - 1);
    assert_int_equal(others, 0);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_are_alike),
        cmocka_unit_test(a_slow_node_is_named_and_its_cores_are_not),
        cmocka_unit_test(a_slow_core_is_named_with_the_cause),
        cmocka_unit_test(several_are_told_the_slowest_node_first),
        cmocka_unit_test(of_two_the_slower_is_told_as_such),
        cmocka_unit_test(without_a_majority_none_is_the_odd_one),
        cmocka_unit_test(what_is_not_known_is_not_claimed),
        cmocka_unit_test(launches_needed_grow_with_the_cores),
        cmocka_unit_test(disturbed_launches_are_used_and_wrong_ones_are_not),
        cmocka_unit_test(a_launch_counts_once),
        cmocka_unit_test(what_was_not_observed_is_no_number),
        cmocka_unit_test(rows_are_all_or_the_outliers),
        cmocka_unit_test(chance_calls_hardly_any_core_slow),
        cmocka_unit_test(a_core_that_is_a_tenth_slower_is_found),
    };
    if (argc > 1) studies = atoi(argv[1]);
    return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
