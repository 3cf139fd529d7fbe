/* The vector functions of the Monte Carlo kernels (kernels/montecarlo/functions.h) against MPFR, over the domains that
 * they state, in every instruction set of this machine; and that those with fused multiply-add give the same bits.
 *
 *     test_functions [EVERY]     only one of EVERY arguments, for slow surroundings such as valgrind
 *
 * Each test tells the largest error, in units in the last place. Arguments come from a seeded generator: every run
 * tests the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/random.h"
#include "montecarlo_codes.h"

#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 1 << 17, RANDOM_ARGUMENTS = 20000, PRECISION = 200, WIDEST = 2 };

/* A function of up to two arguments, with up to two values. */
struct function {
    const char *name;
    double fused_bound, base_bound; /* of the error */
    int values;
    void (*compute)(const struct montecarlo_code *, int64_t count, double *const arguments[WIDEST],
                    double *const values_p[WIDEST]);
    void (*exact)(const double arguments[WIDEST], mpfr_t values_p[WIDEST]);
};

struct arguments {
    int64_t count;
    double *of[WIDEST];
};

struct bench {
    struct named_code codes[CODES_MAX];
    int codes_count;
    int64_t every, seen;
    struct arguments arguments;
    double *values[CODES_MAX][WIDEST];
};

static void add_pair(struct bench *bench, double x, double y)
{
    struct arguments *arguments = &bench->arguments;
    if (bench->seen++ % bench->every != 0) return;
    assert_true(arguments->count < ARGUMENTS_MAX);
    arguments->of[0][arguments->count] = x;
    arguments->of[1][arguments->count] = y;
    arguments->count++;
}

static void add(struct bench *bench, double x)
{
    add_pair(bench, x, 1);
}

/* With its neighbours, as far as they are in the domain. */
static void add_around(struct bench *bench, double x, double least, double most)
{
    enum { NEIGHBOURS = 3 };
    double below = x, above = x;
    if (x >= least && x <= most) add(bench, x);
    for (int i = 0; i < NEIGHBOURS; i++) {
        below = nextafter(below, -INFINITY);
        above = nextafter(above, INFINITY);
        if (below >= least && below <= most) add(bench, below);
        if (above >= least && above <= most) add(bench, above);
    }
}

/* Evenly in [0, 1). */
static double pick(uint64_t *random_p)
{
    return (double)(hash_mix(++*random_p) >> 11) * 0x1p-53;
}

/* Evenly distributed logarithm. */
static double pick_log(uint64_t *random_p, double low_exponent, double high_exponent)
{
    return exp2(low_exponent + (high_exponent - low_exponent) * pick(random_p));
}

/* `difference` is for its use. */
static double error_in_ulp(double value, mpfr_t exact, mpfr_t difference)
{
    if (mpfr_zero_p(exact)) return value == 0 ? 0 : INFINITY;
    if (!isfinite(value)) return INFINITY;
    mpfr_sub_d(difference, exact, value, MPFR_RNDN);
    mpfr_mul_2si(difference, difference, 53 - (long)mpfr_get_exp(exact), MPFR_RNDN);
    return fabs(mpfr_get_d(difference, MPFR_RNDN));
}

struct worst {
    double error, argument[WIDEST];
};

static void measure(const struct bench *bench, const struct function *function, struct worst worst_p[CODES_MAX][WIDEST])
{
    mpfr_t exact[WIDEST], difference;
    memset(worst_p, 0, CODES_MAX * sizeof *worst_p);
    mpfr_init2(difference, PRECISION);
    for (int v = 0; v < WIDEST; v++) mpfr_init2(exact[v], PRECISION);
    for (int64_t i = 0; i < bench->arguments.count; i++) {
        const double argument[WIDEST] = {bench->arguments.of[0][i], bench->arguments.of[1][i]};
        function->exact(argument, exact);
        for (int c = 0; c < bench->codes_count; c++)
            for (int v = 0; v < function->values; v++) {
                double error = error_in_ulp(bench->values[c][v][i], exact[v], difference);
                if (error > worst_p[c][v].error) worst_p[c][v] = (struct worst){error, {argument[0], argument[1]}};
            }
    }
    for (int v = 0; v < WIDEST; v++) mpfr_clear(exact[v]);
    mpfr_clear(difference);
    mpfr_free_cache();
}

static void expect_the_same_bits(const struct bench *bench, const struct function *function)
{
    int first = -1;
    for (int c = 0; c < bench->codes_count; c++) {
        if (!bench->codes[c].code.fused) continue;
        if (first < 0) first = c;
        for (int v = 0; v < function->values; v++)
            assert_memory_equal(bench->values[c][v], bench->values[first][v],
                                (size_t)bench->arguments.count * sizeof(double));
    }
}

/* Of all arguments that were added; then forgets them. */
static void examine(struct bench *bench, const struct function *function)
{
    struct worst worst[CODES_MAX][WIDEST];
    while (bench->arguments.count % CODE_LANES != 0) {
        for (int i = 0; i < WIDEST; i++) bench->arguments.of[i][bench->arguments.count] = bench->arguments.of[i][0];
        bench->arguments.count++;
    }
    for (int c = 0; c < bench->codes_count; c++)
        function->compute(&bench->codes[c].code, bench->arguments.count, bench->arguments.of, bench->values[c]);
    measure(bench, function, worst);
    bool within = true;
    for (int c = 0; c < bench->codes_count; c++)
        for (int v = 0; v < function->values; v++) {
            const struct worst *w = &worst[c][v];
            print_message("%s%s, %s: at most %.3f ULP, of %a, %a\n", function->name, v ? " (second)" : "",
                          bench->codes[c].name, w->error, w->argument[0], w->argument[1]);
            within = within && w->error <= (bench->codes[c].code.fused ? function->fused_bound : function->base_bound);
        }
    expect_the_same_bits(bench, function);
    bench->arguments.count = bench->seen = 0;
    assert_true(within);
}

static void compute_log(const struct montecarlo_code *code, int64_t count, double *const arguments[WIDEST],
                        double *const values_p[WIDEST])
{
    code->minus_two_log(count, arguments[0], values_p[0]);
}

static void exact_log(const double arguments[WIDEST], mpfr_t values_p[WIDEST])
{
    mpfr_set_d(values_p[0], arguments[0], MPFR_RNDN);
    mpfr_log(values_p[0], values_p[0], MPFR_RNDN);
    mpfr_mul_si(values_p[0], values_p[0], -2, MPFR_RNDN);
}

static void minus_two_log_is_accurate(void **state)
{
    /* Without fused multiply-adds c m is rounded before 1 is taken from it. */
    static const struct function function = {"minus_two_log", 1.6, 17, 1, compute_log, exact_log};
    const double least = 0x1p-1022;
    struct bench *bench = *state;
    uint64_t random = 1;
    for (int i = 0; i < RANDOM_ARGUMENTS; i++) {
        add(bench, pick(&random) + 0x1p-54);
        add(bench, pick_log(&random, -1022, 0));
        add(bench, ((double)(hash_mix(++random) >> 32) + 0.5) * 0x1p-32);
        add(bench, 1 - pick_log(&random, -53, -1));
    }
    for (int exponent = -1022; exponent <= 0; exponent++) {
        add_around(bench, ldexp(1, exponent), least, 1);
        add_around(bench, ldexp(4.0 / 3, exponent), least, 1);
    }
    for (int exponent = -20; exponent <= 0; exponent++)
        for (int interval = 0; interval < 16; interval++)
            add_around(bench, ldexp(1 + interval / 16.0, exponent), least, 1);
    for (int i = 1; i <= 1000; i++) add(bench, 1 - i * 0x1p-53);
    add(bench, 0.5 * 0x1p-32);
    add(bench, 1 - 0x1p-33);
    examine(bench, &function);
}

static void compute_exp(const struct montecarlo_code *code, int64_t count, double *const arguments[WIDEST],
                        double *const values_p[WIDEST])
{
    code->exponential(count, arguments[0], values_p[0]);
}

static void exact_exp(const double arguments[WIDEST], mpfr_t values_p[WIDEST])
{
    mpfr_set_d(values_p[0], arguments[0], MPFR_RNDN);
    mpfr_exp(values_p[0], values_p[0], MPFR_RNDN);
}

static void exponential_is_accurate(void **state)
{
    static const struct function function = {"exponential", 1.3, 1.3, 1, compute_exp, exact_exp};
    struct bench *bench = *state;
    uint64_t random = 2;
    for (int i = 0; i < RANDOM_ARGUMENTS; i++) {
        add(bench, 1400 * pick(&random) - 700);
        add(bench, 20 * pick(&random) - 10);
        double x = pick_log(&random, -60, log2(700));
        add(bench, i % 2 ? x : -x);
    }
    /* Where the power of 2^(1/16) changes, and where it is all. */
    for (int n = -2000; n <= 2000; n++) add_around(bench, n * M_LN2 / 32, -700, 700);
    for (int n = -32300; n <= 32300; n += 19) add_around(bench, n * M_LN2 / 32, -700, 700);
    for (int exponent = -1022; exponent < 9; exponent++) {
        add(bench, ldexp(1, exponent));
        add(bench, -ldexp(1, exponent));
    }
    add_around(bench, 700, -700, 700);
    add_around(bench, -700, -700, 700);
    add_around(bench, 0, -700, 700);
    add(bench, -0.0);
    examine(bench, &function);
}

static void compute_root(const struct montecarlo_code *code, int64_t count, double *const arguments[WIDEST],
                         double *const values_p[WIDEST])
{
    code->root_of_quotient(count, arguments[0], arguments[1], values_p[0]);
}

static void exact_root(const double arguments[WIDEST], mpfr_t values_p[WIDEST])
{
    mpfr_set_d(values_p[0], arguments[0], MPFR_RNDN);
    mpfr_div_d(values_p[0], values_p[0], arguments[1], MPFR_RNDN);
    mpfr_sqrt(values_p[0], values_p[0], MPFR_RNDN);
}

static void add_root(struct bench *bench, double x, double y)
{
    if (x >= 0 && x < 0x1p100 && y > 0x1p-100 && y <= 1 && (x == 0 || x * y >= 0x1p-100)) add_pair(bench, x, y);
}

static void root_of_quotient_is_accurate(void **state)
{
    static const struct function function = {"root_of_quotient", 1.3, 1.7, 1, compute_root, exact_root};
    struct bench *bench = *state;
    uint64_t random = 3;
    for (int i = 0; i < RANDOM_ARGUMENTS; i++) {
        double t = pick(&random) + 0x1p-54, y = pick_log(&random, -100, 0);
        add_root(bench, -2 * log(t), t); /* as EP asks for it */
        add_root(bench, pick_log(&random, -100, 100), y);
        add_root(bench, 4 * pick(&random), pick(&random) + 0x1p-54);
        add_root(bench, pick_log(&random, -100, -99) / y, y); /* about the least product */
    }
    static const double mantissas[] = {1, 1 + 0x1p-52, 1.5, 2 - 0x1p-52};
    for (int ex = -100; ex <= 100; ex++)
        for (int ey = -100; ey <= 0; ey += 3)
            for (int m = 0; m < 4; m++)
                add_root(bench, ldexp(mantissas[m], ex), ldexp(mantissas[(m + ey + 100) % 4], ey));
    for (int ey = -99; ey <= 0; ey++) add_root(bench, 0, ldexp(1, ey));
    for (int i = 0; i < 1000; i++) { /* near 1, where the logarithm is near 0 */
        double y = 1 - i * 0x1p-53;
        add_root(bench, -2 * log1p(y - 1), y);
    }
    examine(bench, &function);
}

static void compute_sine_cosine(const struct montecarlo_code *code, int64_t count, double *const arguments[WIDEST],
                                double *const values_p[WIDEST])
{
    uint64_t *words = malloc((size_t)count * sizeof *words);
    assert_non_null(words);
    for (int64_t i = 0; i < count; i++) words[i] = (uint64_t)arguments[0][i];
    code->sine_cosine(count, words, values_p[0], values_p[1]);
    free(words);
}

static void exact_sine_cosine(const double arguments[WIDEST], mpfr_t values_p[WIDEST])
{
    mpfr_t angle;
    mpfr_init2(angle, PRECISION);
    mpfr_const_pi(angle, MPFR_RNDN);
    mpfr_mul_d(angle, angle, 2 * arguments[0] + 1, MPFR_RNDN);
    mpfr_div_2si(angle, angle, 32, MPFR_RNDN);
    mpfr_sin_cos(values_p[0], values_p[1], angle, MPFR_RNDN);
    mpfr_clear(angle);
}

static void sine_and_cosine_are_accurate(void **state)
{
    static const struct function function = {"sine_cosine", 1.5, 1.5, 2, compute_sine_cosine, exact_sine_cosine};
    struct bench *bench = *state;
    uint64_t random = 4;
    for (int i = 0; i < 2 * RANDOM_ARGUMENTS; i++) add(bench, (double)(hash_mix(++random) >> 32));
    for (int eighth = 0; eighth < 8; eighth++) {
        double border = eighth * 0x1p29;
        for (int i = 0; i < 500; i++) {
            add(bench, border + i);
            add(bench, (eighth > 0 ? border : 0x1p32) - 1 - i);
            add(bench, border + floor(pick_log(&random, 0, 29)));
            add(bench, border + 0x1p29 - floor(pick_log(&random, 0, 29)));
        }
    }
    examine(bench, &function);
}

int main(int argc, char **argv)
{
    struct bench bench = {.every = argc > 1 ? atoll(argv[1]) : 1};
    if (bench.every < 1) {
        fprintf(stderr, "Usage: test_functions [EVERY]\n");
        return 2;
    }
    bench.codes_count = montecarlo_codes(bench.codes);
    double *memory = malloc((CODES_MAX + 1) * WIDEST * ARGUMENTS_MAX * sizeof *memory);
    if (!memory) return 1;
    for (int i = 0; i < WIDEST; i++) {
        bench.arguments.of[i] = memory + i * ARGUMENTS_MAX;
        for (int c = 0; c < CODES_MAX; c++) bench.values[c][i] = memory + ((c + 1) * WIDEST + i) * ARGUMENTS_MAX;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(minus_two_log_is_accurate, &bench),
        cmocka_unit_test_prestate(exponential_is_accurate, &bench),
        cmocka_unit_test_prestate(root_of_quotient_is_accurate, &bench),
        cmocka_unit_test_prestate(sine_and_cosine_are_accurate, &bench),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failures;
}
