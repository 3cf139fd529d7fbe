/* Lists of CPUs, names of modes, and configurations to problems and back. */
#include "../src/plan/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void cpu_lists_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
        int count;
    } cases[] = {{"0", "0", 1},
                 {"0,1", "0,1", 2},
                 {"0-3", "0-3", 4},
                 {"3,1-2,0", "3,1,2,0", 4},
                 {"7,0-2,9", "7,0-2,9", 5},
                 {"1048575", "1048575", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cpu_list list;
        char text[64];
        assert_int_equal(cpu_list_parse(cases[i].text, &list), 0);
        assert_int_equal(list.count, cases[i].count);
        assert_string_equal(cpu_list_format(&list, sizeof text, text), cases[i].canonical);
    }
}

static void bad_cpu_lists_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {{"", -EINVAL},
                 {",", -EINVAL},
                 {"0,", -EINVAL},
                 {"a", -EINVAL},
                 {"-1", -EINVAL},
                 {"2-1", -EINVAL},
                 {"0,0", -EINVAL},
                 {"0-2,1", -EINVAL},
                 {"1 2", -EINVAL},
                 {"0x1", -EINVAL},
                 {"0-1024", -ERANGE},
                 {"1048576", -ERANGE},
                 {"99999999999999999999", -ERANGE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cpu_list list = {.count = 77};
        assert_int_equal(cpu_list_parse(cases[i].text, &list), cases[i].status);
        assert_int_equal(list.count, 77);
    }
}

static void a_text_too_short_for_a_list_is_cut_at_a_whole_entry(void **state)
{
    (void)state;
    struct cpu_list list;
    char text[6];
    assert_int_equal(cpu_list_parse("10,20,30", &list), 0);
    assert_string_equal(cpu_list_format(&list, sizeof text, text), "10,20");
}

static void mode_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < MODE_COUNT; i++) {
        enum mode_name name;
        assert_int_equal(mode_name_parse(mode_name_text((enum mode_name)i), &name), 0);
        assert_int_equal(name, i);
        assert_true(strlen(mode_summary(name)) > 0);
    }
    for (int i = 0; i < WAIT_COUNT; i++) {
        enum wait_policy policy;
        assert_int_equal(wait_policy_parse(wait_policy_text((enum wait_policy)i), &policy), 0);
        assert_int_equal(policy, i);
    }
    enum mode_name name;
    enum wait_policy policy;
    assert_int_equal(mode_name_parse("thread", &name), -1);
    assert_int_equal(wait_policy_parse("", &policy), -1);
}

static void scheduling_is_checked_and_told(void **state)
{
    (void)state;
    static const struct {
        struct scheduling scheduling;
        bool possible;
        const char *text;
    } cases[] = {
        {{POLICY_OTHER, 0, 0}, true, ""},
        {{POLICY_OTHER, -20, 100000}, true, "nice -20, slice 0.1 ms"},
        {{POLICY_BATCH, 19, 100000000}, true, "policy batch, nice 19, slice 100 ms"},
        {{POLICY_OTHER, 0, 500001}, true, "slice 0.500001 ms"},
        {{POLICY_FIFO, 0, 0}, true, "policy fifo"},
        {{POLICY_RR, 0, 0}, true, "policy rr"},
        {{POLICY_OTHER, -21, 0}, false, NULL},
        {{POLICY_OTHER, 20, 0}, false, NULL},
        {{POLICY_OTHER, 0, 99999}, false, NULL},
        {{POLICY_OTHER, 0, 100000001}, false, NULL},
        {{POLICY_OTHER, 0, -1}, false, NULL},
        {{POLICY_FIFO, 1, 0}, false, NULL},
        {{POLICY_RR, 0, 1000000}, false, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct scheduling *scheduling = &cases[i].scheduling;
        char text[128];
        assert_int_equal(scheduling_check(scheduling), cases[i].possible ? 0 : -EINVAL);
        if (!cases[i].possible) continue;
        assert_string_equal(scheduling_format(scheduling, sizeof text, text), cases[i].text);
        assert_int_equal(scheduling_is_default(scheduling), i == 0);
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
            assert_int_equal(scheduling_same(scheduling, &cases[k].scheduling), i == k);
    }
    for (int i = 0; i < POLICY_COUNT; i++) {
        enum scheduling_policy policy;
        assert_int_equal(scheduling_policy_parse(scheduling_policy_text((enum scheduling_policy)i), &policy), 0);
        assert_int_equal(policy, i);
        assert_true(strlen(scheduling_policy_summary(policy)) > 0);
        assert_int_equal(scheduling_is_realtime(&(struct scheduling){.policy = policy}), i >= POLICY_FIFO);
    }
    enum scheduling_policy policy;
    assert_int_equal(scheduling_policy_parse("idle", &policy), -1);
}

static void workers_take_cpus_in_turn(void **state)
{
    (void)state;
    const struct mode mode = {.ranks = 2, .threads = 3, .cpus = {.count = 4, .cpus = {0, 2, 4, 6}}};
    static const int expected[2][3] = {{0, 2, 4}, {6, 0, 2}};
    for (int rank = 0; rank < 2; rank++)
        for (int thread = 0; thread < 3; thread++)
            assert_int_equal(mode_cpu_of_worker(&mode, rank, thread), expected[rank][thread]);
    assert_int_equal(mode_workers(&mode), 6);
    assert_true(mode_oversubscribed(&mode));
    assert_false(mode_dedicated(&mode));
}

static void every_problem_survives_its_config(void **state)
{
    (void)state;
    for (int k = 0; kernel_registry[k]; k++)
        for (const struct variant *variant = kernel_registry[k]->variants; variant->name; variant++) {
            struct problem problem, back;
            struct config config = {.mode = {.nodes = 1}};
            problem_init(kernel_registry[k], &problem);
            problem.variant = variant;
            problem.seed = UINT64_MAX;
            problem.isa = "baseline";
            config_from_problem(&problem, &config);
            assert_int_equal(config_to_problem(&config, &back), 0);
            assert_ptr_equal(back.kernel, problem.kernel);
            assert_ptr_equal(back.variant, variant);
            assert_memory_equal(back.size.dim, problem.size.dim, sizeof back.size.dim);
            assert_true(back.seed == UINT64_MAX);
            for (int i = 0; i < config.option_count; i++) assert_true(back.options[i] == problem.options[i]);
        }
}

static void a_config_of_another_program_is_refused(void **state)
{
    (void)state;
    struct problem problem;
    struct config good = {.mode = {.nodes = 1}}, bad;
    problem_init(kernel_registry[0], &problem);
    problem.isa = "baseline";
    config_from_problem(&problem, &good);
    bad = good;
    snprintf(bad.kernel, sizeof bad.kernel, "nosuch");
    assert_int_equal(config_to_problem(&bad, &problem), -EINVAL);
    bad = good;
    snprintf(bad.variant, sizeof bad.variant, "nosuch");
    assert_int_equal(config_to_problem(&bad, &problem), -EINVAL);
    bad = good;
    snprintf(bad.size, sizeof bad.size, "-1");
    assert_int_equal(config_to_problem(&bad, &problem), -EINVAL);
    bad = good;
    bad.option_count = 1;
    snprintf(bad.options[0].name, sizeof bad.options[0].name, "nosuch");
    assert_int_equal(config_to_problem(&bad, &problem), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_lists_go_both_ways),
        cmocka_unit_test(bad_cpu_lists_are_refused),
        cmocka_unit_test(a_text_too_short_for_a_list_is_cut_at_a_whole_entry),
        cmocka_unit_test(mode_names_go_both_ways),
        cmocka_unit_test(scheduling_is_checked_and_told),
        cmocka_unit_test(workers_take_cpus_in_turn),
        cmocka_unit_test(every_problem_survives_its_config),
        cmocka_unit_test(a_config_of_another_program_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
