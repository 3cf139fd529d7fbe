/* Lists of workers; from a request to configurations, on made-up machines; and which configuration is launched next. */
#include "../src/plan/blocks.h"
#include "../src/plan/study.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void lists_of_workers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count, workers[16];
    } good[] = {
        {"1", 1, {1}},
        {"1,2,4", 3, {1, 2, 4}},
        {"4,2,1,2", 3, {1, 2, 4}},
        {"1-8", 8, {1, 2, 3, 4, 5, 6, 7, 8}},
        {"3-3", 1, {3}},
        {"1..64*2", 7, {1, 2, 4, 8, 16, 32, 64}},
        {"3..100*3", 4, {3, 9, 27, 81}},
        {"5..7*2", 1, {5}},
        {"1-4,8..32*2,6", 8, {1, 2, 3, 4, 6, 8, 16, 32}},
        {"1000000", 1, {1000000}},
        {"900000..1000000*999999", 1, {900000}},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int workers[16], count = -1;
        assert_int_equal(study_parse_workers(good[i].text, 16, workers, &count), 0);
        assert_int_equal(count, good[i].count);
        assert_memory_equal(workers, good[i].workers, (size_t)count * sizeof *workers);
    }
}

static void no_lists_of_workers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } bad[] = {
        {"", -EINVAL},
        {",", -EINVAL},
        {"1,", -EINVAL},
        {",1", -EINVAL},
        {"1,,2", -EINVAL},
        {"a", -EINVAL},
        {"1 ", -EINVAL},
        {" 1", -EINVAL},
        {"1;2", -EINVAL},
        {"-1", -EINVAL},
        {"+1", -EINVAL},
        {"1.5", -EINVAL},
        {"1-", -EINVAL},
        {"4-1", -EINVAL},
        {"1-2-3", -EINVAL},
        {"1..", -EINVAL},
        {"1..8", -EINVAL},
        {"1..8*", -EINVAL},
        {"1..8*1", -EINVAL},
        {"1..8*0", -EINVAL},
        {"8..1*2", -EINVAL},
        {"1..8+2", -EINVAL},
        {"0x4", -ERANGE},
        {"0", -ERANGE},
        {"0-4", -ERANGE},
        {"0..8*2", -ERANGE},
        {"1000001", -ERANGE},
        {"1-1000001", -ERANGE},
        {"1-17", -ERANGE},
        {"99999999999999999999", -ERANGE},
        {"1..8*9999999", -ERANGE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int workers[16], count = -1;
        int status = study_parse_workers(bad[i].text, 16, workers, &count);
        if (status != bad[i].status) fail_msg("\"%s\": %d", bad[i].text, status);
        assert_int_equal(count, -1);
    }
}

/* Plans */

static struct machine make_machine(int cores)
{
    struct machine machine = {.cpu_count = cores,
                              .core_count = cores,
                              .package_count = 1,
                              .kind_count = 1,
                              .memory_available_bytes = INT64_C(8) << 30};
    for (int i = 0; i < cores; i++) machine.cpus[i] = (struct cpu){.os_index = i, .core = i};
    return machine;
}

static struct study_request make_request(const char *kernel, const char *workers)
{
    struct study_request request = {
        .mode_count = 2, .modes = {MODE_THREADS, MODE_MPI}, .base = 1, .placement = {.wait_policy = -1}, .mpi = true};
    problem_init(kernel_find(kernel), &request.problem);
    assert_int_equal(study_parse_workers(workers, STUDY_CONFIGS_MAX, request.workers, &request.worker_count), 0);
    return request;
}

struct row {
    enum mode_name mode;
    int workers, cpus;
    bool base;
};

static void assert_plan(const struct study_plan *plan, int count, const struct row rows[])
{
    assert_int_equal(plan->count, count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(plan->configs[i].mode.name, rows[i].mode);
        assert_int_equal(mode_workers(&plan->configs[i].mode), rows[i].workers);
        assert_int_equal(plan->configs[i].mode.cpus.count, rows[i].cpus);
        assert_int_equal(plan->configs[i].base, rows[i].base);
    }
}

struct shape_row {
    int nodes, ranks, threads;
    bool base;
};

static void assert_shapes(const struct study_request *request, int mode_index, int count, const struct shape_row rows[])
{
    const struct machine machine = make_machine(4);
    struct study_shape *shapes;
    int got = study_shapes(&machine, request, request->modes[mode_index], &shapes);
    for (int i = 0; i < got && i < count; i++) {
        struct mode mode;
        struct error error;
        const struct mode_request asked = study_mode_request(request, request->modes[mode_index], &shapes[i]);
        if (plan_mode(&machine, &asked, &mode, &error)) fail_msg("shape %d: %s", i, error.text);
        assert_int_equal(mode.nodes, rows[i].nodes);
        assert_int_equal(mode.ranks, rows[i].ranks);
        assert_int_equal(mode.threads, rows[i].threads);
        assert_int_equal(shapes[i].base, rows[i].base);
        assert_true(mode_dedicated(&mode));
    }
    assert_int_equal(got, count);
    free(shapes);
}

/* More than an int can count. */
static void too_many_workers_on_nodes_are_refused(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4);
    struct study_request request = make_request("pi", "12");
    struct study_plan plan = {.seed = 1};
    struct error error;
    request.worker_count = 0;
    request.mode_count = 1;
    request.modes[0] = MODE_HYBRID;
    request.node_count = request.thread_count = 1;
    request.nodes[0] = request.ranks_per_node = request.threads[0] = MODE_WORKERS_MAX;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_USAGE);
    if (!strstr(error.text, "workers were asked for; at most 1000000 ")) fail_msg("%s", error.text);
    request.ranks_per_node = 0;
    request.thread_count = 0;
    request.modes[0] = MODE_MPI;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_USAGE);
    if (!strstr(error.text, "4000000 workers were asked for; at most 1000000 ")) fail_msg("%s", error.text);
    request.nodes[0] = 4;
    request.ranks_per_node = 10001;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_USAGE);
    if (!strstr(error.text, "10001 workers on one node were asked for; at most 10000 ")) fail_msg("%s", error.text);
}

/* As large as machines are. */
static void thousands_of_nodes_are_planned(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4);
    struct study_request request = make_request("pi", "1000000");
    struct study_plan plan = {.seed = 1};
    struct error error;
    request.worker_count = 0;
    request.mode_count = 1;
    request.modes[0] = MODE_MPI;
    request.node_count = 2;
    request.nodes[0] = 1024;
    request.nodes[1] = 15000;
    request.ranks_per_node = 64;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_OK);
    assert_int_equal(plan.configs[plan.count - 1].mode.ranks, 960000);
    assert_int_equal(plan.configs[plan.count - 1].mode.nodes, 15000);
    assert_int_equal(plan.configs[plan.count - 2].mode.ranks, 65536);
    study_plan_release(&plan);
}

/* Nodes of 4 cores. */
static void nodes_are_filled(void **state)
{
    (void)state;
    struct study_request request = make_request("pi", "12");
    request.worker_count = 0;
    request.mode_count = 2;
    request.modes[0] = MODE_MPI;
    request.modes[1] = MODE_HYBRID;
    request.node_count = 2;
    request.nodes[0] = 1;
    request.nodes[1] = 3;
    assert_shapes(&request, 0, 3, (const struct shape_row[]){{1, 1, 1, true}, {1, 4, 1, false}, {3, 12, 1, false}});
    assert_shapes(&request, 1, 2, (const struct shape_row[]){{1, 1, 4, true}, {3, 3, 4, false}});
    request.ranks_per_node = 2;
    assert_shapes(&request, 0, 3, (const struct shape_row[]){{1, 1, 1, true}, {1, 2, 1, false}, {3, 6, 1, false}});
    assert_shapes(&request, 1, 2, (const struct shape_row[]){{1, 2, 2, true}, {3, 6, 2, false}});
    request.ranks_per_node = 0;
    request.thread_count = 3;
    memcpy(request.threads, (const int[]){1, 2, 4}, sizeof(int[3]));
    assert_shapes(&request, 1, 6,
                  (const struct shape_row[]){{1, 4, 1, true},
                                             {1, 2, 2, false},
                                             {1, 1, 4, false},
                                             {3, 12, 1, false},
                                             {3, 6, 2, false},
                                             {3, 3, 4, false}});
    request.thread_count = 0;
    request.worker_count = 2;
    request.workers[0] = 2;
    request.workers[1] = 4;
    request.node_count = 1;
    request.nodes[0] = 2;
    assert_shapes(&request, 0, 3, (const struct shape_row[]){{1, 1, 1, true}, {2, 2, 1, false}, {2, 4, 1, false}});
}

/* A node is not to be without ranks, nor a mode of one node on several. */
static void nodes_that_cannot_be_filled(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4);
    const struct {
        struct mode_request asked;
        const char *text;
    } cases[] = {
        {{.mode = MODE_MPI, .nodes = 4, .ranks = 5, .wait_policy = -1}, "the last node has none"},
        {{.mode = MODE_MPI, .nodes = 4, .ranks = 3, .wait_policy = -1}, "a node would have none"},
        {{.mode = MODE_THREADS, .nodes = 2, .threads = 4, .wait_policy = -1}, "mode threads is of one node"},
        {{.mode = MODE_MPI, .nodes = 2, .ranks = 4, .map = "diagonal", .wait_policy = -1}, "cores-first, nodes-first"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mode mode;
        struct error error;
        assert_int_equal(plan_mode(&machine, &cases[i].asked, &mode, &error), STATUS_USAGE);
        assert_non_null(strstr(error.text, cases[i].text));
    }
}

static void cores_are_compared_in_one_configuration(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4);
    struct study_request request = make_request("pi", "12");
    struct study_plan plan = {.seed = 1};
    struct error error;
    static const struct row rows[] = {{MODE_MPI, 12, 4, false}};
    request.modes[0] = MODE_MPI;
    request.mode_count = 1;
    request.nodes[0] = 3;
    request.node_count = 1;
    request.per_node = true;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_OK);
    assert_plan(&plan, 1, rows);
    assert_int_equal(plan.configs[0].mode.nodes, 3);
    assert_true(mode_dedicated(&plan.configs[0].mode));
    study_plan_release(&plan);
}

static void every_mode_has_its_own_base_beside_the_serial_one(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4);
    struct study_request request = make_request("pi", "2,3,8");
    struct study_plan plan = {.seed = 5, .runs_min = 6, .runs_max = 30, .tries_max = 3};
    struct error error;
    static const struct row rows[] = {
        {MODE_SERIAL, 1, 1, true},     {MODE_THREADS, 1, 1, true},    {MODE_THREADS, 2, 2, false},
        {MODE_THREADS, 3, 3, false},   {MODE_THREADS, 8, 4, false},   {MODE_HYBRID, 1, 1, true},
        {MODE_HYBRID, 2, 2, false},    {MODE_HYBRID, 3, 3, false},    {MODE_HYBRID, 8, 4, false},
        {MODE_MULTITASK, 1, 1, true},  {MODE_MULTITASK, 2, 1, false}, {MODE_MULTITASK, 3, 1, false},
        {MODE_MULTITASK, 8, 1, false},
    };
    request.mode_count = 4;
    request.modes[1] = MODE_SERIAL; /* comes of itself */
    request.modes[2] = MODE_HYBRID;
    request.modes[3] = MODE_MULTITASK;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_OK);
    assert_plan(&plan, 13, rows);
    assert_true(plan.seed == 5 && plan.runs_max == 30 && plan.tries_max == 3);
    assert_int_equal(plan.configs[6].mode.ranks, 2);
    assert_int_equal(plan.configs[7].mode.ranks, 1); /* 3 is odd */
    study_plan_release(&plan);
    assert_null(plan.configs);
}

static void a_base_of_several_workers_has_no_serial_program(void **state)
{
    (void)state;
    const struct machine machine = make_machine(8);
    struct study_request request = make_request("pi", "2,4,8");
    struct study_plan plan = {0};
    struct error error;
    static const struct row rows[] = {{MODE_THREADS, 2, 2, true},  {MODE_THREADS, 4, 4, false},
                                      {MODE_THREADS, 8, 8, false}, {MODE_MPI, 2, 2, true},
                                      {MODE_MPI, 4, 4, false},     {MODE_MPI, 8, 8, false}};
    request.base = 2;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_OK);
    assert_plan(&plan, 6, rows);
    study_plan_release(&plan);
}

static void weak_scaling_keeps_the_work_of_a_worker(void **state)
{
    (void)state;
    const struct machine machine = make_machine(8);
    static const char *const kernels[] = {"pi", "matmul"};
    for (size_t k = 0; k < 2; k++)
        for (int base = 1; base <= 2; base++) {
            struct study_request request = make_request(kernels[k], "2,3,8");
            struct study_plan plan = {0};
            struct error error;
            request.scaling = SCALING_WEAK;
            request.base = base;
            double one = request.problem.kernel->work(&request.problem) / base;
            assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_OK);
            for (int i = 0; i < plan.count; i++) {
                const struct study_config *config = &plan.configs[i];
                double work = config->problem.kernel->work(&config->problem) / mode_workers(&config->mode);
                assert_true(fabs(work / one - 1) < 0.01);
                if (mode_workers(&config->mode) == base)
                    assert_memory_equal(config->problem.size.dim, request.problem.size.dim,
                                        sizeof config->problem.size.dim);
            }
            study_plan_release(&plan);
        }
}

static void all_variants_means_those_that_can_run(void **state)
{
    (void)state;
    const struct machine machine = make_machine(2);
    struct study_request request = make_request("matmul", "1,2");
    struct study_plan plan = {0};
    struct error error;
    int available = 0;
    for (const struct variant *variant = request.problem.kernel->variants; variant->name; variant++)
        available += !variant_unavailable(variant);
    request.all_variants = true;
    assert_int_equal(study_plan_new(&machine, &request, &plan, &error), STATUS_OK);
    assert_int_equal(plan.count, available * 5);
    study_plan_release(&plan);
}

static void assert_refused(const struct study_request *request, int status, const char *says)
{
    const struct machine machine = make_machine(4);
    struct study_plan plan = {.seed = 9};
    struct error error = {""};
    assert_int_equal(study_plan_new(&machine, request, &plan, &error), status);
    if (!strstr(error.text, says)) fail_msg("\"%s\" lacks \"%s\"", error.text, says);
    assert_true(plan.seed == 9 && plan.count == 0 && !plan.configs);
}

static void what_cannot_be_had_is_refused(void **state)
{
    (void)state;
    struct study_request request = make_request("pi", "1,2");
    request.mpi = false;
    assert_refused(&request, STATUS_FAILED, "mode mpi needs MPI");
    request = make_request("pi", "1,2");
    request.mode_count = 0;
    assert_refused(&request, STATUS_USAGE, "at least one mode");
    request = make_request("pi", "1,2");
    request.base = 2;
    assert_refused(&request, STATUS_USAGE, "--base 2, but --workers begins with 1");
    request = make_request("pi", "2,4");
    request.base = 2;
    request.mode_count = 1;
    request.modes[0] = MODE_SERIAL;
    assert_refused(&request, STATUS_USAGE, "serial");
    request = make_request("matmul", "1,4");
    assert_int_equal(request.problem.kernel->parse_size("20000", &request.problem.size), 0);
    request.scaling = SCALING_WEAK;
    assert_refused(&request, STATUS_USAGE, "available here");
    request = make_request("pi", "2-1024");
    assert_refused(&request, STATUS_USAGE, "at most 1024 configurations");
    request = make_request("pi", "1,2");
    request.placement.cpus = (struct cpu_list){.count = 1, .cpus = {9}};
    assert_refused(&request, STATUS_USAGE, "CPU 9");
}

/* What comes next */

enum { CONFIGS = 5, TRIES = 3 };

static const struct study_config configs[CONFIGS] = {{.base = true}, {.base = true}, {.base = false}};
static const struct study_plan plan_of_five = {
    .seed = 3, .tries_max = TRIES, .count = CONFIGS, .configs = (struct study_config *)configs};

/* Launches a block to its end; bit k of usable[i]: whether launch k of configuration i is usable. Returns the count. */
static int run_block(int block, const bool converged[], const unsigned usable[], struct study_launch launches[])
{
    int count = 0, made[CONFIGS] = {0}, next;
    while ((next = study_next(&plan_of_five, block, converged, count, launches)) >= 0) {
        assert_true(count < CONFIGS * TRIES);
        launches[count++] = (struct study_launch){next, block, usable[next] >> made[next] & 1};
        made[next]++;
    }
    return count;
}

static void a_block_has_each_once_in_an_order_of_its_own(void **state)
{
    (void)state;
    static const bool none[CONFIGS];
    static const unsigned all_usable[CONFIGS] = {1, 1, 1, 1, 1};
    struct study_launch launches[CONFIGS * TRIES];
    int different = 0;
    for (int block = 0; block < 20; block++) {
        int order[CONFIGS];
        plan_block_order(3, block, CONFIGS, order);
        assert_int_equal(run_block(block, none, all_usable, launches), CONFIGS);
        for (int i = 0; i < CONFIGS; i++) {
            assert_int_equal(launches[i].config, order[i]);
            different += order[i] != i;
        }
    }
    assert_true(different > 20);
}

static void unusable_launches_are_made_again_after_the_others(void **state)
{
    (void)state;
    static const bool none[CONFIGS];
    /* 0: at once; 1: the second time; 2: the third; 3: never; 4: at once. */
    static const unsigned usable[CONFIGS] = {1, 2, 4, 0, 1};
    static const int expected[CONFIGS] = {1, 2, 3, 3, 1};
    struct study_launch launches[CONFIGS * TRIES];
    int order[CONFIGS], made[CONFIGS] = {0};
    plan_block_order(3, 7, CONFIGS, order);
    assert_int_equal(run_block(7, none, usable, launches), 10);
    for (int i = 0; i < 10; i++) made[launches[i].config]++;
    assert_memory_equal(made, expected, sizeof made);
    for (int i = 0; i < CONFIGS; i++) assert_int_equal(launches[i].config, order[i]);
    for (int round = 1, at = CONFIGS; round < TRIES; round++)
        for (int i = 0; i < CONFIGS; i++)
            if (expected[order[i]] > round) assert_int_equal(launches[at++].config, order[i]);
}

static void what_has_converged_leaves_but_bases_stay(void **state)
{
    (void)state;
    static const bool converged[CONFIGS] = {true, false, true, false, true}, all[CONFIGS] = {1, 1, 1, 1, 1};
    static const unsigned usable[CONFIGS] = {1, 1, 1, 1, 1};
    struct study_launch launches[CONFIGS * TRIES];
    int made[CONFIGS] = {0}, count = run_block(2, converged, usable, launches);
    for (int i = 0; i < count; i++) made[launches[i].config]++;
    static const int expected[CONFIGS] = {1, 1, 0, 1, 0};
    assert_memory_equal(made, expected, sizeof made);
    assert_int_equal(run_block(2, all, usable, launches), 2);
}

/* Launches of other blocks count for nothing in this one. */
static void blocks_are_counted_apart(void **state)
{
    (void)state;
    static const bool none[CONFIGS];
    struct study_launch launches[2 * CONFIGS];
    for (int i = 0; i < CONFIGS; i++) launches[i] = (struct study_launch){i, 0, true};
    assert_int_equal(study_next(&plan_of_five, 0, none, CONFIGS, launches), -1);
    int order[CONFIGS];
    plan_block_order(3, 1, CONFIGS, order);
    for (int i = 0; i < CONFIGS; i++) {
        assert_int_equal(study_next(&plan_of_five, 1, none, CONFIGS + i, launches), order[i]);
        launches[CONFIGS + i] = (struct study_launch){order[i], 1, true};
    }
    assert_int_equal(study_next(&plan_of_five, 1, none, 2 * CONFIGS, launches), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_workers),
        cmocka_unit_test(no_lists_of_workers),
        cmocka_unit_test(cores_are_compared_in_one_configuration),
        cmocka_unit_test(nodes_are_filled),
        cmocka_unit_test(too_many_workers_on_nodes_are_refused),
        cmocka_unit_test(thousands_of_nodes_are_planned),
        cmocka_unit_test(nodes_that_cannot_be_filled),
        cmocka_unit_test(every_mode_has_its_own_base_beside_the_serial_one),
        cmocka_unit_test(a_base_of_several_workers_has_no_serial_program),
        cmocka_unit_test(weak_scaling_keeps_the_work_of_a_worker),
        cmocka_unit_test(all_variants_means_those_that_can_run),
        cmocka_unit_test(what_cannot_be_had_is_refused),
        cmocka_unit_test(a_block_has_each_once_in_an_order_of_its_own),
        cmocka_unit_test(unusable_launches_are_made_again_after_the_others),
        cmocka_unit_test(what_has_converged_leaves_but_bases_stay),
        cmocka_unit_test(blocks_are_counted_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
