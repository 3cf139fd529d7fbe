/* The definition: every element takes its products one by one in the order of k, with product and sum rounded each, or
 * together, by the C library's fma, which is right with and without an instruction for it. That these bits are right
 * themselves is tested by the forward error bound, against sums in extended precision. To be compiled without
 * contraction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/random.h"
#include "matmul_trial.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *new_array(int64_t count, size_t size)
{
    void *array = calloc((size_t)count + 1, size);
    assert_non_null(array);
    return array;
}

static double extreme_value(uint64_t hash)
{
    static const double values[] = {0,      0, 5e-324,          DBL_MIN / 3, DBL_MIN, 1e-300, 1e-162, 1e-154,
                                    1e-8,   1, 1 + DBL_EPSILON, 1e8,         1e154,   1e160,  1e300,  DBL_MAX * 0.75,
                                    DBL_MAX};
    double value = values[hash_mix(hash) % (sizeof values / sizeof *values)];
    return hash >> 63 ? -value : value;
}

static double value_of(enum values values, uint64_t hash)
{
    if (values == VALUES_EXTREME && hash % 4) return extreme_value(hash);
    if (values == VALUES_INFECTED && hash % 3 == 0) return hash >> 63 ? -0.0 : 0.0;
    return hash_to_double(hash);
}

static double *new_matrix(enum values values, int64_t rows, int64_t columns, uint64_t seed)
{
    static const uint64_t infections[] = {UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
                                          UINT64_C(0x7ff8000000000000), UINT64_C(0x7ff4000000000001)};
    double *matrix = new_array(rows * columns, sizeof *matrix);
    for (int64_t i = 0; i < rows * columns; i++) matrix[i] = value_of(values, hash_pair(seed, (uint64_t)i));
    if (values != VALUES_INFECTED || rows * columns == 0) return matrix;
    for (int64_t count = trial_pick(&seed, 3); count > 0; count--) {
        int64_t row = trial_pick(&seed, 2) ? rows - 1 : trial_pick(&seed, rows);
        int64_t column = trial_pick(&seed, 2) ? columns - 1 : trial_pick(&seed, columns);
        uint64_t bits = infections[trial_pick(&seed, 4)];
        memcpy(&matrix[row * columns + column], &bits, sizeof bits);
    }
    return matrix;
}

static double *new_answer(const struct product *product, bool add, bool once)
{
    int64_t m = product->m, n = product->n, k = product->k;
    double *c = new_array(m * n, sizeof *c);
    if (add && m * n > 0) memcpy(c, product->c, (size_t)(m * n) * sizeof *c);
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++) {
            const double a = product->a[i * k + l], *b = product->b + l * n;
            double *restrict sums = c + i * n;
            if (once)
                for (int64_t j = 0; j < n; j++) sums[j] = fma(a, b[j], sums[j]);
            else
                for (int64_t j = 0; j < n; j++) sums[j] = sums[j] + a * b[j];
        }
    return c;
}

static void init_bound(struct product *product)
{
    int64_t m = product->m, n = product->n, k = product->k;
    product->exact = new_array(m * n, sizeof *product->exact);
    product->magnitude = new_array(m * n, sizeof *product->magnitude);
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++)
            for (int64_t j = 0; j < n; j++) {
                long double term = (long double)product->a[i * k + l] * (long double)product->b[l * n + j];
                product->exact[i * n + j] += term;
                product->magnitude[i * n + j] += fabsl(term);
            }
}

bool product_is_within_bound(const struct product *product, bool add, int64_t at, double value)
{
    /* Some more for the rounding of the sum that is compared with: as much again where, as under valgrind and on some
     * machines, long doubles are no longer than doubles. */
    volatile long double longer = 1;
    longer += 0x1p-60L;
    long double slack = longer == 1 ? 2.002L : 1.001L;
    long double roundings = (long double)(product->k + add), u = 0x1p-53L;
    long double before = add ? product->c[at] : 0;
    long double gamma = roundings * u / (1 - roundings * u);
    return fabsl(value - (product->exact[at] + before)) <= slack * gamma * (product->magnitude[at] + fabsl(before));
}

void product_init(struct product *product_p, enum values values, int64_t m, int64_t n, int64_t k, uint64_t seed)
{
    struct product *product = product_p;
    *product = (struct product){.m = m, .n = n, .k = k};
    product->a = new_matrix(values, m, k, hash_pair(seed, 'A'));
    product->b = new_matrix(values, k, n, hash_pair(seed, 'B'));
    product->c = new_matrix(values, m, n, hash_pair(seed, 'C'));
    for (int add = 0; add <= 1; add++) {
        product->twice[add] = new_answer(product, add, false);
        product->once[add] = new_answer(product, add, true);
    }
    if (values != VALUES_ORDINARY) return;
    init_bound(product);
    for (int add = 0; add <= 1; add++)
        for (int64_t at = 0; at < m * n; at++) {
            assert_true(product_is_within_bound(product, add, at, product->twice[add][at]));
            assert_true(product_is_within_bound(product, add, at, product->once[add][at]));
        }
}

void product_release(struct product *product)
{
    void *arrays[] = {product->a,       product->b,       product->c,     product->twice[0], product->twice[1],
                      product->once[0], product->once[1], product->exact, product->magnitude};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}
