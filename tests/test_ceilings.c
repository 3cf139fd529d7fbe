/* Instruction sets by name, and the ceilings in each that this machine has: what they count is what was done. */
#include "../kernels/ceilings/ceilings.h"
#include "../kernels/ceilings/code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ceiling_code *const codes[ISA_COUNT] = {
    [ISA_BASE] = &ceiling_code_base,
#ifdef __x86_64__
    [ISA_AVX2] = &ceiling_code_avx2,
    [ISA_AVX512] = &ceiling_code_avx512,
#endif
};

static void sets_are_found_by_name(void **state)
{
    (void)state;
    enum isa found;
    assert_int_equal(isa_find(NULL, &found), 0);
    assert_int_equal(found, isa_best());
    assert_int_equal(isa_find("", &found), 0);
    assert_int_equal(found, isa_best());
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        found = ISA_COUNT;
        int status = isa_find(isa_name((enum isa)isa), &found);
        assert_int_equal(status, isa <= (int)isa_best() ? 0 : -ENOTSUP);
        assert_int_equal(found, isa <= (int)isa_best() ? isa : ISA_COUNT); /* untouched in failure */
    }
}

static void names_of_none_are_told_from_those_of_others(void **state)
{
    (void)state;
    static const char *const none[] = {"sse3", "AVX2", "avx", "avx2 ", "avx512f", "baseline", "native", " "};
    static const char *const bases[] = {"sse2", "neon", "generic"};
    enum isa found;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (isa_find(none[i], &found) != -EINVAL) fail_msg("'%s' was taken", none[i]);
    int here = 0;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        int status = isa_find(bases[i], &found);
        assert_true(status == 0 || status == -ENOTSUP);
        here += status == 0;
    }
    assert_int_equal(here, 1);
}

static void the_list_names_those_of_this_machine(void **state)
{
    (void)state;
    char list[64], expected[64] = "", little[5];
    for (int isa = 0; isa <= (int)isa_best(); isa++) {
        strcat(expected, isa ? ", " : "");
        strcat(expected, isa_name((enum isa)isa));
    }
    assert_string_equal(isa_list(sizeof list, list), expected);
    isa_list(sizeof little, little);
    assert_memory_equal(little, expected, sizeof little - 1);
    assert_int_equal(strlen(little), sizeof little - 1);
}

static void operations_are_counted_as_done(void **state)
{
    (void)state;
    static _Alignas(64) double panels[CEILING_PANELS];
    for (int i = 0; i < CEILING_PANELS; i++) panels[i] = 1;
    for (int isa = 0; isa <= (int)isa_best(); isa++) {
        assert_true(codes[isa]->round_flop > 0);
        for (int rounds = 0; rounds < 6; rounds++) {
            assert_true(codes[isa]->peak(rounds) == rounds * codes[isa]->round_flop);
            assert_true(codes[isa]->fed(rounds, panels) == rounds * codes[isa]->round_flop);
        }
        /* Each operand counts: the sums are of the panels' products. */
        panels[0] = 2;
        assert_true(codes[isa]->fed(1, panels) > codes[isa]->round_flop);
        panels[0] = 1;
        panels[CEILING_PANELS - 1] = 2;
        assert_true(codes[isa]->fed(1, panels) > codes[isa]->round_flop);
        panels[CEILING_PANELS - 1] = 1;
    }
}

static void expect_reading(struct ceiling_reading reading, double seconds)
{
    assert_true(reading.done > 0 && isfinite(reading.done));
    assert_true(reading.end_s - reading.start_s >= seconds);
    assert_true(ceiling_rate(reading) > 0 && isfinite(ceiling_rate(reading)));
}

static void every_set_runs_for_a_while(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)isa_best(); isa++) {
        expect_reading(ceiling_run_peak((enum isa)isa, 1e-3), 1e-3);
        expect_reading(ceiling_run_fed((enum isa)isa, 1e-3), 1e-3);
        expect_reading(ceiling_run_peak((enum isa)isa, 0), 0); /* at least a little */
    }
}

static void the_triad_computes_and_counts(void **state)
{
    (void)state;
    enum { COUNT = 5 * CEILING_TRIAD_STEP };
    static _Alignas(64) double a[COUNT + 1], b[COUNT], c[COUNT];
    for (int i = 0; i < COUNT; i++) {
        b[i] = i;
        c[i] = 1000 - 2 * i;
    }
    for (int isa = 0; isa <= (int)isa_best(); isa++) {
        for (int i = 0; i <= COUNT; i++) a[i] = -1;
        struct ceiling_reading reading = ceiling_run_triad((enum isa)isa, 0, COUNT, a, b, c);
        expect_reading(reading, 0);
        assert_true(reading.done == 24.0 * COUNT);
        for (int i = 0; i < COUNT; i++) assert_true(a[i] == b[i] + 3 * c[i]);
        assert_true(a[COUNT] == -1);
    }
}

static void readings_are_joined_over_the_time_that_they_span(void **state)
{
    (void)state;
    struct ceiling_reading one = {.start_s = 10, .end_s = 12, .done = 6},
                           other = {.start_s = 11, .end_s = 14, .done = 2};
    struct ceiling_reading both = ceiling_join(ceiling_join(CEILING_NOTHING, one), other);
    assert_true(both.start_s == 10);
    assert_true(both.end_s == 14);
    assert_true(both.done == 8);
    assert_true(ceiling_rate(both) == 2);
    assert_true(ceiling_rate(ceiling_join(CEILING_NOTHING, one)) == 3);
}

static void the_text_names_the_set(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)isa_best(); isa++) {
        char text[64]; /* as long as the record's */
        ceiling_peak_text((enum isa)isa, sizeof text, text);
        assert_non_null(strstr(text, isa_name((enum isa)isa)));
        assert_int_equal(strstr(text, "fused") != NULL, codes[isa]->fused);
        assert_true(strlen(text) < sizeof text - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_found_by_name),
        cmocka_unit_test(names_of_none_are_told_from_those_of_others),
        cmocka_unit_test(the_list_names_those_of_this_machine),
        cmocka_unit_test(operations_are_counted_as_done),
        cmocka_unit_test(every_set_runs_for_a_while),
        cmocka_unit_test(the_triad_computes_and_counts),
        cmocka_unit_test(readings_are_joined_over_the_time_that_they_span),
        cmocka_unit_test(the_text_names_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
