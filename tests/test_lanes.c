/* The lane code of the Monte Carlo kernels (kernels/montecarlo/code.h) in every instruction set of this machine: random
 * words and counts against plain C, bit for bit; deviates, payoffs, paths and sums near plain C, and the same bits
 * wherever there is fused multiply-add. (The functions alone: test_functions.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/montecarlo/ars.h"
#include "../kernels/random.h"
#include "montecarlo_codes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTERS = 1032, PAIRS = 256, VALUES = 2 * PAIRS, PATHS = VALUES / 4 };
#define NPB_SEED UINT64_C(271828183)

struct bench {
    struct named_code codes[CODES_MAX];
    int count;
};

static const uint64_t seeds[] = {0, 1, UINT64_MAX, UINT64_C(0x243f6a8885a308d3)};
enum { SEEDS = sizeof seeds / sizeof *seeds };

/* First words leave room for the most counters that are asked for; the others take part in full. */
static const struct counters starts[] = {
    {{0, 0, 0, 0}},
    {{0x100, 0, 0, 0}},
    {{0x7fffff00, 0xffffffff, 0, 0}},
    {{0xfffffb00, 1, 0, 0}},
    {{0xfffffb00, 0xffffffff, 0xffffffff, 0xffffffff}},
    {{0x243f6a00, 0x85a308d3, 0x13198a2e, 0x03707344}},
    {{0x80000000, 0, 1, 0}},
    {{0x80000000, 0, 0, 1}},
};
enum { STARTS = sizeof starts / sizeof *starts };

static void draw_plainly(enum generator generator, uint64_t seed, const struct counters *start, int64_t number,
                         uint32_t words_p[4])
{
    const uint32_t key[4] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t counter[4];
    memcpy(counter, start->word, sizeof counter);
    counter[0] += (uint32_t)number;
    if (generator == GENERATOR_PHILOX)
        philox4x32(counter, key, words_p);
    else
        ars4x32(counter, key, words_p);
}

/* By ars4x32_R(7, ...) of ars.h in Random123 1.14 (Debian's librandom123-dev), on the counters and keys of its
 * kat_vectors; for 10 rounds that header gives the published "ars4x32 10" of those. */
static void ars_gives_the_words_of_random123(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[4], words[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0, 0, 0}, {0xdacf61ff, 0xc45798f3, 0x113c7eeb, 0x101e27f3}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xfbaaff1f, 0xbb547ef9, 0x13d8cd78, 0x7aaa969b}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89},
         {0xd1df87af, 0xf67d43ba, 0x4f66afdb, 0x393dcb2d}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t words[4];
        ars4x32(vectors[i].counter, vectors[i].key, words);
        assert_memory_equal(words, vectors[i].words, sizeof words);
    }
}

static void check_draw(const struct montecarlo_code *code, enum generator generator, uint64_t seed,
                       const struct counters *start, int64_t count)
{
    static uint64_t radius[2 * COUNTERS + 1], angle[2 * COUNTERS + 1];
    radius[2 * count] = angle[2 * count] = UINT64_C(0x5555555555555555);
    code->draw[generator](seed, start, count, radius, angle);
    assert_true(radius[2 * count] == UINT64_C(0x5555555555555555) && angle[2 * count] == radius[2 * count]);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i / CODE_LANES * (2 * CODE_LANES) + i % CODE_LANES;
        uint32_t words[4];
        draw_plainly(generator, seed, start, i, words);
        assert_int_equal((uint32_t)radius[at], words[0]);
        assert_int_equal((uint32_t)angle[at], words[1]);
        assert_int_equal((uint32_t)radius[at + CODE_LANES], words[2]);
        assert_int_equal((uint32_t)angle[at + CODE_LANES], words[3]);
    }
}

static void words_are_those_of_the_generators(void **state)
{
    static const int64_t counts[] = {0, 8, 16, 40, 48, 56, 96, 128, 256, 264};
    const struct bench *bench = *state;
    for (int c = 0; c < bench->count; c++)
        for (int g = 0; g < GENERATOR_COUNT; g++) {
            const struct montecarlo_code *code = &bench->codes[c].code;
            if (!code->draw[g]) continue;
            for (int start = 0; start < STARTS; start++)
                for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
                    check_draw(code, (enum generator)g, seeds[(start + (int)i) % SEEDS], &starts[start], counts[i]);
            /* A start that is a multiple of the lanes and no more; the last words before the first one overflows. */
            check_draw(code, (enum generator)g, 5, &(struct counters){{24, 1, 2, 3}}, 24);
            check_draw(code, (enum generator)g, 5, &(struct counters){{0xfffffff8, 9, 8, 7}}, 8);
        }
}

static uint64_t count_plainly(enum generator generator, uint64_t seed, const struct counters *start, int64_t count)
{
    uint64_t hits = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t words[4];
        draw_plainly(generator, seed, start, i, words);
        for (int k = 0; k < 4; k += 2) {
            uint64_t x = words[k], y = words[k + 1];
            hits += y * y <= UINT64_MAX - x * x;
        }
    }
    return hits;
}

static void hits_are_counted(void **state)
{
    static const int64_t counts[] = {0, 8, 16, 40, 48, 248, 256, 264, 1024, COUNTERS};
    const struct bench *bench = *state;
    for (int g = 0; g < GENERATOR_COUNT; g++)
        for (int start = 0; start < STARTS; start++)
            for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
                uint64_t seed = seeds[(start + (int)i) % SEEDS];
                uint64_t hits = count_plainly((enum generator)g, seed, &starts[start], counts[i]);
                for (int c = 0; c < bench->count; c++)
                    if (bench->codes[c].code.count_hits[g])
                        assert_int_equal(bench->codes[c].code.count_hits[g](seed, &starts[start], counts[i]), hits);
            }
    /* Up to the last first word. */
    const struct counters last = {{0xffffff00, 3, 2, 1}};
    for (int g = 0; g < GENERATOR_COUNT; g++)
        for (int c = 0; c < bench->count; c++)
            if (bench->codes[c].code.count_hits[g])
                assert_int_equal(bench->codes[c].code.count_hits[g](7, &last, 256),
                                 count_plainly((enum generator)g, 7, &last, 256));
}

/* What the functions over arrays make of the same input. */
struct outcome {
    double normals[VALUES], payoffs[VALUES], log[PATHS], sum_log[PATHS], sum[PATHS], products[2];
};

static void fill(const struct montecarlo_code *code, const uint64_t *radius, const uint64_t *angle,
                 struct outcome *outcome_p)
{
    struct outcome *o = outcome_p;
    memset(o, 0, sizeof *o);
    code->normals(PAIRS, radius, angle, o->normals);
    memcpy(o->payoffs, o->normals, sizeof o->payoffs);
    code->payoffs(VALUES, o->payoffs, 4.6, 0.2, 105, o->payoffs); /* in place */
    for (int i = 0; i < PATHS; i++) o->log[i] = 4.6;
    for (int step = 0; step < 4; step++)
        code->step_paths(PATHS, o->normals + step * CODE_LANES, 0.003, 0.05, o->log, o->sum_log, o->sum);
    code->sum_products(VALUES, o->payoffs, o->normals, o->products);
}

static void expect_near(double value, double plain, double tolerance)
{
    if (!(fabs(value - plain) <= tolerance)) fail_msg("%.17g is not near %.17g", value, plain);
}

static void check_outcome(const struct outcome *o, const uint64_t *radius, const uint64_t *angle)
{
    double sum = 0, products = 0;
    for (int i = 0; i < PAIRS; i++) {
        double r = sqrt(-2 * log(((uint32_t)radius[i] + 0.5) * 0x1p-32));
        double turn = ((uint32_t)angle[i] + 0.5) * 0x1p-32;
        const double *normal = o->normals + i / CODE_LANES * (2 * CODE_LANES) + i % CODE_LANES;
        expect_near(normal[0], r * cos(2 * M_PI * turn), 2e-14);
        expect_near(normal[CODE_LANES], r * sin(2 * M_PI * turn), 2e-14);
    }
    for (int i = 0; i < VALUES; i++) {
        expect_near(o->payoffs[i], fmax(exp(4.6 + 0.2 * o->normals[i]) - 105, 0), 1e-12);
        sum += o->payoffs[i];
        products += o->payoffs[i] * o->normals[i];
    }
    expect_near(o->products[0], sum, 1e-10);
    expect_near(o->products[1], products, 1e-10);
    for (int i = 0; i < PATHS; i++) {
        double log_price = 4.6, sum_log = 0, prices = 0;
        for (int step = 0; step < 4; step++) {
            log_price +=
                0.003 + 0.05 * o->normals[i / CODE_LANES * (4 * CODE_LANES) + step * CODE_LANES + i % CODE_LANES];
            sum_log += log_price;
            prices += exp(log_price);
        }
        expect_near(o->log[i], log_price, 1e-14);
        expect_near(o->sum_log[i], sum_log, 1e-13);
        expect_near(o->sum[i], prices, 1e-11);
    }
}

static void values_are_right_and_where_fused_the_same(void **state)
{
    enum { ROUNDS = 200 };
    static struct outcome first, outcome;
    const struct bench *bench = *state;
    uint64_t radius[PAIRS], angle[PAIRS];
    for (uint64_t round = 0; round < ROUNDS; round++) {
        bool any = false;
        for (uint64_t i = 0; i < PAIRS; i++) { /* their upper halves are to be overlooked */
            radius[i] = hash_pair(2 * round, i);
            angle[i] = hash_pair(2 * round + 1, i);
        }
        radius[0] |= UINT32_MAX; /* the smallest radius, and the largest */
        radius[1] &= ~(uint64_t)UINT32_MAX;
        for (int c = 0; c < bench->count; c++) {
            fill(&bench->codes[c].code, radius, angle, &outcome);
            if (round % 20 == 0) check_outcome(&outcome, radius, angle);
            if (!bench->codes[c].code.fused) continue;
            if (any) assert_memory_equal(&outcome, &first, sizeof first);
            first = outcome;
            any = true;
        }
    }
}

static void payoffs_are_never_negative(void **state)
{
    const struct bench *bench = *state;
    double values[CODE_LANES], normals[CODE_LANES] = {-8, -1, -0.0, 0, 0x1p-52, 1, 8, 100};
    for (int c = 0; c < bench->count; c++) {
        bench->codes[c].code.payoffs(CODE_LANES, normals, 0, 1, 1, values);
        for (int i = 0; i < 4; i++) assert_true(values[i] == 0 && !signbit(values[i]));
        for (int i = 4; i < CODE_LANES; i++) assert_true(values[i] > 0);
        bench->codes[c].code.payoffs(CODE_LANES, normals, 0, 0, 0.25, values);
        for (int i = 0; i < CODE_LANES; i++) assert_true(values[i] == 0.75);
    }
}

/* By Python's whole numbers: 271828183 * 5^(13 k) mod 2^46. */
static void lcg46_gives_the_numbers_of_npb(void **state)
{
    (void)state;
    static const struct {
        uint64_t k, number;
    } known[] = {
        {1, 32883653486115},   {2, 55063727434591},        {3, 39106144873291},
        {1000, 8661753562871}, {33554432, 53565627548887}, {UINT64_C(17592186044415), 46019801660347},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(lcg46_multiply(NPB_SEED, lcg46_power(known[i].k)) == known[i].number);
    uint64_t power = 1;
    for (uint64_t k = 0; k < 1000; k++) {
        assert_true(lcg46_power(k) == power);
        power = lcg46_multiply(power, LCG46_MULTIPLIER);
    }
    assert_true(lcg46_power(UINT64_C(1) << 44) == 1 && lcg46_power(UINT64_C(1) << 43) != 1);
    assert_true(lcg46_multiply((UINT64_C(1) << 46) - 1, (UINT64_C(1) << 46) - 1) == 1);
}

static void add_pairs_plainly(uint64_t number, int64_t pairs, struct ep_sums *sums_p)
{
    *sums_p = (struct ep_sums){.x = 0};
    for (int64_t i = 0; i < pairs; i++) {
        double x = 2 * ((double)number * 0x1p-46) - 1;
        number = lcg46_multiply(number, LCG46_MULTIPLIER);
        double y = 2 * ((double)number * 0x1p-46) - 1;
        number = lcg46_multiply(number, LCG46_MULTIPLIER);
        double t = x * x + y * y;
        if (t > 1) continue;
        double factor = sqrt(-2 * log(t) / t);
        sums_p->x += x * factor;
        sums_p->y += y * factor;
        sums_p->bins[(int)(fmax(fabs(x), fabs(y)) * factor)]++;
    }
}

static void pairs_of_ep_are_right_and_where_fused_the_same(void **state)
{
    static const int64_t counts[] = {1, 2, 7, 8, 9, 495, 496, 497, 503, 1000, 70001};
    const struct bench *bench = *state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint64_t k = 0; k < 4; k++) {
            uint64_t number = lcg46_multiply(2 * hash_pair(k, i) + 1, 1);
            struct ep_sums plain, first;
            bool any = false;
            add_pairs_plainly(number, counts[i], &plain);
            for (int c = 0; c < bench->count; c++) {
                struct ep_sums sums;
                bench->codes[c].code.ep(number, counts[i], &sums);
                assert_memory_equal(sums.bins, plain.bins, sizeof sums.bins);
                expect_near(sums.x, plain.x, 1e-10);
                expect_near(sums.y, plain.y, 1e-10);
                if (!bench->codes[c].code.fused) continue;
                if (any) assert_memory_equal(&sums, &first, sizeof first);
                first = sums;
                any = true;
            }
        }
}

int main(void)
{
    struct bench bench;
    bench.count = montecarlo_codes(bench.codes);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ars_gives_the_words_of_random123),
        cmocka_unit_test_prestate(words_are_those_of_the_generators, &bench),
        cmocka_unit_test_prestate(hits_are_counted, &bench),
        cmocka_unit_test_prestate(values_are_right_and_where_fused_the_same, &bench),
        cmocka_unit_test_prestate(payoffs_are_never_negative, &bench),
        cmocka_unit_test(lcg46_gives_the_numbers_of_npb),
        cmocka_unit_test_prestate(pairs_of_ep_are_right_and_where_fused_the_same, &bench),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
