/* Lists of CPUs, and what is told of this machine's caches holds together; and the triad's code of each instruction
 * set, in each way, does what it says and nothing beyond its elements. */
#include "../kernels/caches.h"
#include "../kernels/triad/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void cpus_of_a_list_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        int count;
    } cases[] = {{"0", 1},  {"0\n", 1}, {"0-3", 4}, {"0-3,8\n", 5}, {"1,3,5", 3},     {"7-7", 1},
                 {"", 0},   {"\n", 0},  {"x", 0},   {"0-", 0},      {"3-1", 0},       {"0;1", 0},
                 {"-1", 0}, {"0,", 0},  {"0-x", 0}, {"0 1", 0},     {"0-99999999", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (caches_count_cpus(cases[i].list) != cases[i].count) fail_msg("'%s'", cases[i].list);
}

static void shares_are_parts_of_the_caches(void **state)
{
    (void)state;
    int64_t largest = caches_share(1), before = largest;
    assert_true(largest >= 0);
    assert_true(caches_first() >= 0 && caches_first() <= largest);
    assert_true(caches_share(0) == largest && caches_share(-3) == largest);
    for (int workers = 1; workers < 1000; workers *= 3) {
        int64_t share = caches_share(workers);
        assert_true(share <= before && share >= largest / workers);
        before = share;
    }
}

enum { COUNT = 600 * TRIAD_LINE }; /* more than the four pages that are read in turns */

static double expected(enum triad_operation operation, double x, double y)
{
    return operation == TRIAD_COPY ? x : operation == TRIAD_SCALE ? 3 * x : operation == TRIAD_ADD ? x + y : x + 3 * y;
}

static void sweeps_compute_their_elements_and_no_others(void **state)
{
    (void)state;
    static _Alignas(64) double target[COUNT + TRIAD_LINE], x[COUNT], y[COUNT];
    for (int i = 0; i < COUNT; i++) {
        x[i] = i;
        y[i] = 1000 - 2 * i;
    }
    for (int isa = 0; isa <= (int)isa_best(); isa++)
        for (int operation = 0; operation < TRIAD_OPERATIONS; operation++)
            for (int way = 0; way < TRIAD_WAYS; way++)
                for (int count = 0; count <= COUNT; count += count < 9 * TRIAD_LINE ? TRIAD_LINE : 59 * TRIAD_LINE) {
                    for (int i = 0; i < COUNT + TRIAD_LINE; i++) target[i] = -1;
                    triad_code_find((enum isa)isa)->sweeps[operation][way](count, target, x, y, 3);
                    for (int i = 0; i < count; i++)
                        assert_true(target[i] == expected((enum triad_operation)operation, x[i], y[i]));
                    for (int i = count; i < COUNT + TRIAD_LINE; i++) assert_true(target[i] == -1);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpus_of_a_list_are_counted),
        cmocka_unit_test(shares_are_parts_of_the_caches),
        cmocka_unit_test(sweeps_compute_their_elements_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
