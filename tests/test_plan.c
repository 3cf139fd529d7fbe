/* From requests to modes, on made-up machines. */
#include "../src/plan/blocks.h"
#include "../src/plan/lesson_plan.h"
#include "../src/plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Cores numbered 0 ..., each with `threads` hardware threads, core by core. */
static struct machine make_machine(int cores, int threads)
{
    struct machine machine = {.cpu_count = cores * threads,
                              .core_count = cores,
                              .package_count = 1,
                              .kind_count = 1,
                              .memory_available_bytes = INT64_C(8) << 30};
    for (int i = 0; i < machine.cpu_count; i++)
        machine.cpus[i] = (struct cpu){.os_index = i, .core = i / threads, .smt = i % threads};
    return machine;
}

#define NOTHING .mode = -1, .wait_policy = -1

static void what_is_named_implies_the_mode(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4, 1);
    const struct {
        struct mode_request request;
        enum mode_name name;
        int ranks, threads, cpus;
        enum wait_policy policy;
    } cases[] = {
        {{NOTHING}, MODE_SERIAL, 1, 1, 1, WAIT_SPIN},
        {{NOTHING, .workers = 1}, MODE_SERIAL, 1, 1, 1, WAIT_SPIN},
        {{NOTHING, .workers = 3}, MODE_THREADS, 1, 3, 3, WAIT_SPIN},
        {{NOTHING, .threads = 2}, MODE_THREADS, 1, 2, 2, WAIT_SPIN},
        {{NOTHING, .ranks = 2}, MODE_MPI, 2, 1, 2, WAIT_SPIN},
        {{NOTHING, .ranks = 2, .threads = 2}, MODE_HYBRID, 2, 2, 4, WAIT_SPIN},
        {{NOTHING, .ranks = 2, .threads = 1}, MODE_MPI, 2, 1, 2, WAIT_SPIN},
        {{.mode = MODE_MULTITASK, .wait_policy = -1, .workers = 8}, MODE_MULTITASK, 1, 8, 1, WAIT_YIELD},
        {{.mode = MODE_MULTITASK, .wait_policy = -1}, MODE_MULTITASK, 1, 4, 1, WAIT_YIELD},
        {{.mode = MODE_MULTITASK_MPI, .wait_policy = WAIT_SPIN}, MODE_MULTITASK_MPI, 4, 1, 1, WAIT_SPIN},
        {{.mode = MODE_THREADS, .wait_policy = -1}, MODE_THREADS, 1, 4, 4, WAIT_SPIN},
        {{.mode = MODE_THREADS, .wait_policy = -1, .workers = 6}, MODE_THREADS, 1, 6, 4, WAIT_YIELD},
        {{.mode = MODE_MPI, .wait_policy = WAIT_BLOCK}, MODE_MPI, 4, 1, 4, WAIT_BLOCK},
        {{.mode = MODE_HYBRID, .wait_policy = -1}, MODE_HYBRID, 2, 2, 4, WAIT_SPIN},
        {{.mode = MODE_HYBRID, .wait_policy = -1, .workers = 6, .threads = 3}, MODE_HYBRID, 2, 3, 4, WAIT_YIELD},
        {{.mode = MODE_HYBRID, .wait_policy = -1, .workers = 3}, MODE_HYBRID, 1, 3, 3, WAIT_SPIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mode mode;
        struct error error;
        assert_int_equal(plan_mode(&machine, &cases[i].request, &mode, &error), STATUS_OK);
        assert_int_equal(mode.name, cases[i].name);
        assert_int_equal(mode.ranks, cases[i].ranks);
        assert_int_equal(mode.threads, cases[i].threads);
        assert_int_equal(mode.cpus.count, cases[i].cpus);
        assert_int_equal(mode.wait_policy, cases[i].policy);
    }
}

static void contradictions_are_refused_and_named(void **state)
{
    (void)state;
    const struct machine machine = make_machine(2, 1);
    const struct {
        struct mode_request request;
        const char *must_say;
    } cases[] = {
        {{.mode = MODE_SERIAL, .wait_policy = -1, .workers = 4}, "4"},
        {{.mode = MODE_THREADS, .wait_policy = -1, .ranks = 2}, "--ranks 2"},
        {{.mode = MODE_MPI, .wait_policy = -1, .threads = 3}, "--threads 3"},
        {{.mode = MODE_THREADS, .wait_policy = -1, .workers = 2, .threads = 3}, "--threads 3"},
        {{.mode = MODE_HYBRID, .wait_policy = -1, .workers = 5, .ranks = 2, .threads = 2}, "--workers 5"},
        {{.mode = MODE_HYBRID, .wait_policy = -1, .workers = 5, .ranks = 2}, "--workers 5"},
        {{.mode = MODE_HYBRID, .wait_policy = -1, .ranks = 1000000, .threads = 10000}, "10000000000 workers"},
        {{.mode = MODE_MPI, .wait_policy = -1, .ranks = 10001}, "10001 workers on one node"},
        {{NOTHING, .workers = 2, .cpus = {.count = 2, .cpus = {0, 5}}}, "CPU 5"},
        {{.mode = MODE_MULTITASK, .wait_policy = -1, .cpus = {.count = 2, .cpus = {0, 1}}}, "--cpus names 2"},
        {{NOTHING, .policy = POLICY_FIFO, .slice_s = 0.02}, "--slice does not go with --policy fifo"},
        {{NOTHING, .policy = POLICY_RR, .slice_s = 0.02}, "--slice does not go with --policy rr"},
        {{NOTHING, .policy = POLICY_RR, .nice = -3}, "--nice -3 does not go with --policy rr"},
        {{.mode = -1, .wait_policy = WAIT_SPIN, .policy = POLICY_FIFO}, "--wait-policy spin does not go with"},
        {{.mode = -1, .wait_policy = WAIT_YIELD, .policy = POLICY_RR}, "--wait-policy yield does not go with"},
        {{NOTHING, .nice = 20}, "--nice 20"},
        {{NOTHING, .slice_s = 1e9}, "0.1 to 100 ms"},
        {{NOTHING, .slice_s = 1e-5}, "0.1 to 100 ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mode mode;
        struct error error;
        assert_int_equal(plan_mode(&machine, &cases[i].request, &mode, &error), STATUS_USAGE);
        assert_non_null(strstr(error.text, cases[i].must_say));
    }
}

static void scheduling_is_part_of_the_mode(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4, 1);
    const struct {
        struct mode_request request;
        struct scheduling scheduling;
        enum wait_policy policy;
    } cases[] = {
        {{NOTHING}, {POLICY_OTHER, 0, 0}, WAIT_SPIN},
        {{NOTHING, .slice_s = 0.5e-3}, {POLICY_OTHER, 0, 500000}, WAIT_SPIN},
        {{NOTHING, .slice_s = 100e-6}, {POLICY_OTHER, 0, 100000}, WAIT_SPIN}, /* which is not 1e-4 to the last bit */
        {{.mode = MODE_MULTITASK, .wait_policy = -1, .nice = 5, .policy = POLICY_BATCH},
         {POLICY_BATCH, 5, 0},
         WAIT_YIELD},
        /* A real-time worker may wait in one way only. */
        {{NOTHING, .policy = POLICY_FIFO}, {POLICY_FIFO, 0, 0}, WAIT_BLOCK},
        {{.mode = MODE_MULTITASK, .wait_policy = -1, .policy = POLICY_RR}, {POLICY_RR, 0, 0}, WAIT_BLOCK},
        {{.mode = MODE_MPI, .wait_policy = WAIT_BLOCK, .policy = POLICY_RR}, {POLICY_RR, 0, 0}, WAIT_BLOCK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mode mode;
        struct error error;
        assert_int_equal(plan_mode(&machine, &cases[i].request, &mode, &error), STATUS_OK);
        assert_true(scheduling_same(&mode.scheduling, &cases[i].scheduling));
        assert_int_equal(mode.wait_policy, cases[i].policy);
    }
}

static void siblings_are_used_only_when_asked_for(void **state)
{
    (void)state;
    const struct machine machine = make_machine(2, 2);
    struct mode mode;
    struct error error;
    assert_int_equal(plan_mode(&machine, &(struct mode_request){NOTHING, .workers = 4}, &mode, &error), STATUS_OK);
    assert_int_equal(mode.cpus.count, 2);
    assert_int_equal(mode.cpus.cpus[0], 0);
    assert_int_equal(mode.cpus.cpus[1], 2);
    assert_int_equal(plan_mode(&machine, &(struct mode_request){NOTHING, .workers = 4, .smt = true}, &mode, &error),
                     STATUS_OK);
    assert_int_equal(mode.cpus.count, 4);
    assert_int_equal(mode.cpus.cpus[2], 1);
}

static void cpus_keep_the_order_in_which_they_were_named(void **state)
{
    (void)state;
    const struct machine machine = make_machine(4, 1);
    struct mode mode;
    struct error error;
    const struct mode_request request = {NOTHING, .workers = 2, .cpus = {.count = 3, .cpus = {3, 1, 0}}};
    assert_int_equal(plan_mode(&machine, &request, &mode, &error), STATUS_OK);
    assert_int_equal(mode.cpus.count, 2);
    assert_int_equal(mode.cpus.cpus[0], 3);
    assert_int_equal(mode.cpus.cpus[1], 1);
}

static void what_does_not_fit_into_memory_is_refused(void **state)
{
    (void)state;
    struct machine machine = make_machine(2, 1);
    const struct mode mode = {.ranks = 2, .threads = 1};
    struct problem problem;
    struct error error;
    problem_init(kernel_find("matmul"), &problem);
    assert_int_equal(problem.kernel->parse_size("200000", &problem.size), 0);
    assert_int_equal(plan_check_memory(&machine, &problem, &mode, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "200000"));
    assert_non_null(strstr(error.text, "8.00 GiB"));
    assert_int_equal(problem.kernel->parse_size("100", &problem.size), 0);
    assert_int_equal(plan_check_memory(&machine, &problem, &mode, &error), STATUS_OK);
}

static int count_scenes(const struct lesson_plan *plan, enum mode_name name)
{
    int count = 0;
    for (int i = 0; i < plan->scene_count; i++) count += plan->scenes[i].mode.name == name;
    return count;
}

static void the_lesson_leaves_out_what_the_machine_cannot_show(void **state)
{
    (void)state;
    struct lesson_plan plan;
    struct error error;
    const struct machine two = make_machine(2, 1), one = make_machine(1, 2), many = make_machine(64, 2);
    assert_int_equal(plan_lesson(&two, 0, false, true, &plan, &error), STATUS_OK);
    assert_int_equal(plan.scene_count, 12);
    assert_int_equal(plan.workers, 2);
    assert_int_equal(plan_lesson(&two, 0, false, false, &plan, &error), STATUS_OK);
    assert_int_equal(plan.scene_count, 8);
    assert_int_equal(count_scenes(&plan, MODE_MPI) + count_scenes(&plan, MODE_MULTITASK_MPI), 0);
    assert_int_equal(plan_lesson(&one, 0, true, true, &plan, &error), STATUS_OK);
    assert_int_equal(count_scenes(&plan, MODE_THREADS) + count_scenes(&plan, MODE_MPI), 0);
    assert_int_equal(count_scenes(&plan, MODE_MULTITASK), 3);
    assert_int_equal(plan_lesson(&many, 0, true, true, &plan, &error), STATUS_OK);
    assert_int_equal(plan.workers, 8);
    /* The shortest scene can still be judged. */
    assert_true(plan.times.base_s / plan.workers >= 0.2);
    assert_int_equal(plan_lesson(&two, 4, true, true, &plan, &error), STATUS_OK);
    for (int i = 0; i < plan.scene_count; i++)
        if (plan.scenes[i].mode.name == MODE_THREADS) {
            assert_int_equal(plan.scenes[i].mode.threads, 4);
            assert_int_equal(plan.scenes[i].mode.cpus.count, 2);
            assert_string_equal(plan.scenes[i].text, "4 threads on 2 cores");
        }
}

static void operations_are_scaled_to_the_time_wanted(void **state)
{
    (void)state;
    assert_true(plan_operations(1000000, 2e-3, 1e-3) == 500000);
    assert_true(plan_operations(1000000, 0.7e-3, 1e-3) == 1400000);
    assert_true(plan_operations(10, 1, 1e-3) == 1);
}

/* Each block has every configuration once; blocks and seeds differ; the same seed gives the same orders; and every
 * configuration comes first now and then. */
static void test_block_orders(void **state)
{
    (void)state;
    enum { COUNT = 6, BLOCKS = 200 };
    int firsts[COUNT] = {0}, other_blocks = 0, other_seeds = 0, before[COUNT] = {0};
    for (int block = 0; block < BLOCKS; block++) {
        int order[COUNT], again[COUNT], other[COUNT], seen[COUNT] = {0};
        plan_block_order(1, block, COUNT, order);
        plan_block_order(1, block, COUNT, again);
        plan_block_order(2, block, COUNT, other);
        assert_memory_equal(order, again, sizeof order);
        for (int i = 0; i < COUNT; i++) {
            assert_in_range(order[i], 0, COUNT - 1);
            assert_int_equal(seen[order[i]]++, 0);
        }
        firsts[order[0]]++;
        other_blocks += memcmp(order, before, sizeof order) != 0;
        other_seeds += memcmp(order, other, sizeof order) != 0;
        memcpy(before, order, sizeof before);
    }
    for (int i = 0; i < COUNT; i++) assert_in_range(firsts[i], BLOCKS / COUNT / 2, 2 * BLOCKS / COUNT);
    assert_true(other_blocks > BLOCKS * 9 / 10);
    assert_true(other_seeds > BLOCKS * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_named_implies_the_mode),
        cmocka_unit_test(contradictions_are_refused_and_named),
        cmocka_unit_test(scheduling_is_part_of_the_mode),
        cmocka_unit_test(siblings_are_used_only_when_asked_for),
        cmocka_unit_test(cpus_keep_the_order_in_which_they_were_named),
        cmocka_unit_test(what_does_not_fit_into_memory_is_refused),
        cmocka_unit_test(the_lesson_leaves_out_what_the_machine_cannot_show),
        cmocka_unit_test(operations_are_scaled_to_the_time_wanted),
        cmocka_unit_test(test_block_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
