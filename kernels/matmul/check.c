/* Freivalds' test (Probabilistic machines can use less running time. IFIP Congress 1977): C x = A (B x) for random x,
 * in O(n^2). The entries of x lie in +-[1/2, 1), so that no error hides behind a small entry, and two errors cancel
 * only by a rare coincidence (with +-1 they would in every second vector); two vectors are tried.
 *
 * Rounding: with u = 2^-53, a sum of n products errs by at most n u / (1 - n u) times the sum of their absolute values
 * (Higham: Accuracy and stability of numerical algorithms, 2002, section 3.1), whatever its order. C takes k products;
 * C x n; B x n; A (B x) k. Hence |C x - A (B x)| <= (2 k + 2 n + 16) u |A| |B| 1, row by row, as |x| <= 1.
 *
 * What this check cannot catch: errors below that bound, which for random entries is about u k n (k + n) / 2.
 */
#include "../random.h"
#include "../team.h"
#include "matmul.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VECTORS = 2, SUMS = VECTORS + 1 }; /* the last sum is that of absolute values */

/* x is of this rank's columns; the others are of whole columns of the matrices, to which each rank adds what its parts
 * contribute. */
struct check {
    double *x;  /* columns x VECTORS */
    double *bx; /* k x SUMS: B x, and |B| 1 */
    double *cx; /* m x VECTORS */
    double *ax; /* m x SUMS: A (B x), and |A| |B| 1; right behind cx */
};

/* As a double, as it may be more than an integer holds before memory was checked. */
double matmul_check_doubles(int64_t m, int64_t columns, int64_t k)
{
    return VECTORS * (double)columns + SUMS * (double)k + (VECTORS + SUMS) * (double)m;
}

static struct check check_layout(const struct matmul *matmul)
{
    struct check check = {.x = matmul->scratch};
    check.bx = check.x + VECTORS * matmul->columns;
    check.cx = check.bx + SUMS * matmul->k;
    check.ax = check.cx + VECTORS * matmul->m;
    return check;
}

static void draw_vectors(const struct matmul *matmul, const struct check *check)
{
    for (int64_t j = 0; j < matmul->columns; j++)
        for (int v = 0; v < VECTORS; v++) {
            double drawn = matmul_element(matmul->seed, 'x', v, matmul->first_column + j);
            check->x[j * VECTORS + v] = drawn / 2 + copysign(0.5, drawn);
        }
}

static void multiply_b(const struct matmul *matmul, const struct check *check)
{
    memset(check->bx, 0, (size_t)(matmul->k * SUMS) * sizeof(double));
#pragma omp parallel for schedule(static)
    for (int64_t l = 0; l < matmul->b_depth; l++) {
        const double *row = matmul->b + l * matmul->columns;
        double sums[SUMS] = {0};
        for (int64_t j = 0; j < matmul->columns; j++) {
            for (int v = 0; v < VECTORS; v++) sums[v] += row[j] * check->x[j * VECTORS + v];
            sums[VECTORS] += fabs(row[j]);
        }
        memcpy(check->bx + (matmul->b_first + l) * SUMS, sums, sizeof sums);
    }
}

static void multiply_a(const struct matmul *matmul, const struct check *check)
{
    const double *bx = check->bx + matmul->a_first * SUMS;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < matmul->rows; i++) {
        const double *row = matmul->a + i * matmul->a_depth;
        double sums[SUMS] = {0};
        for (int64_t l = 0; l < matmul->a_depth; l++) {
            for (int v = 0; v < VECTORS; v++) sums[v] += row[l] * bx[l * SUMS + v];
            sums[VECTORS] += fabs(row[l]) * bx[l * SUMS + VECTORS];
        }
        memcpy(check->ax + (matmul->first_row + i) * SUMS, sums, sizeof sums);
    }
}

/* Also the checksum, keyed by the place in the whole matrix. */
static uint64_t multiply_c(const struct matmul *matmul, const struct check *check)
{
    uint64_t checksum = 0;
#pragma omp parallel for schedule(static) reduction(+ : checksum)
    for (int64_t i = 0; i < matmul->rows; i++) {
        const double *row = matmul->c + i * matmul->columns;
        double sums[VECTORS] = {0};
        for (int64_t j = 0; j < matmul->columns; j++) {
            uint64_t place = (uint64_t)(matmul->first_row + i) << 32 | (uint64_t)(matmul->first_column + j);
            checksum += hash_pair(place, bits_of_double(row[j]));
            for (int v = 0; v < VECTORS; v++) sums[v] += row[j] * check->x[j * VECTORS + v];
        }
        memcpy(check->cx + (matmul->first_row + i) * VECTORS, sums, sizeof sums);
    }
    return checksum;
}

/* The largest residual as a share of its bound; INFINITY where one is not a number. Right up to 1. */
static double largest_residual(const struct matmul *matmul, const struct check *check, int64_t *row_p)
{
    double roundings = 2.0 * (double)matmul->k + 2.0 * (double)matmul->n + 16;
    double largest = 0;
    *row_p = 0;
    for (int64_t i = 0; i < matmul->m; i++)
        for (int v = 0; v < VECTORS; v++) {
            double bound = roundings * (DBL_EPSILON / 2) * check->ax[i * SUMS + VECTORS];
            double residual = fabs(check->cx[i * VECTORS + v] - check->ax[i * SUMS + v]);
            double share = residual == 0 ? 0 : isfinite(residual) ? residual / bound : INFINITY;
            if (share <= largest) continue;
            largest = share;
            *row_p = i;
        }
    return largest;
}

/* Of this rank's elements of C. */
static int64_t count_of(const struct matmul *matmul)
{
    return matmul->rows * matmul->columns;
}

int matmul_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct matmul *matmul = state;
    struct check check = check_layout(matmul);
    draw_vectors(matmul, &check);
    multiply_b(matmul, &check);
    int status = team_sum_double(team, (size_t)(matmul->k * SUMS), check.bx);
    if (status < 0) return status;
    memset(check.cx, 0, (size_t)(matmul->m * (VECTORS + SUMS)) * sizeof(double));
    multiply_a(matmul, &check);

    /* The last element of C stands for the result; the one rank that has it adds its bits to the others' zeros. */
    bool has_last = count_of(matmul) > 0 && matmul->first_row + matmul->rows == matmul->m &&
                    matmul->first_column + matmul->columns == matmul->n;
    double last = has_last ? matmul->c[count_of(matmul) - 1] : 0;
    uint64_t exact[2] = {multiply_c(matmul, &check), has_last ? bits_of_double(last) : 0};
    status = team_sum_double(team, (size_t)(matmul->m * (VECTORS + SUMS)), check.cx);
    if (status == 0) status = team_sum_u64(team, 2, exact);
    if (status < 0) return status;

    int64_t row;
    double share = largest_residual(matmul, &check, &row);
    verdict_p->correct = share <= 1;
    verdict_p->checksum = exact[0];
    verdict_p->result = double_of_bits(exact[1]);
    int used =
        snprintf(verdict_p->detail, sizeof verdict_p->detail,
                 "Freivalds' test, %d vectors: the largest residual is %.2g of its rounding bound", VECTORS, share);
    if (share > 1)
        used += snprintf(verdict_p->detail + used, sizeof verdict_p->detail - (size_t)used, "; row %lld is wrong",
                         (long long)row);
    if (matmul->tools.blas.library)
        snprintf(verdict_p->detail + used, sizeof verdict_p->detail - (size_t)used, "; dgemm of %s",
                 matmul_blas_name(&matmul->tools.blas));
    return 0;
}

static double *largest_element(const struct matmul *matmul)
{
    double *largest = matmul->c;
    for (int64_t at = 1; at < count_of(matmul); at++)
        if (fabs(matmul->c[at]) > fabs(*largest)) largest = &matmul->c[at];
    return largest;
}

static void swap(double *a, double *b)
{
    double old = *a;
    *a = *b;
    *b = old;
}

bool matmul_corrupt(void *state, int kind)
{
    struct matmul *matmul = state;
    int64_t rows = matmul->rows, columns = matmul->columns;
    if (count_of(matmul) == 0) return false;
    double *c = matmul->c, *largest = largest_element(matmul), *last_row = c + (rows - 1) * columns;
    switch (kind) {
    case 0: /* a slightly wrong element; a small one would be within the rounding of its row */
        *largest *= 1 + 1e-6;
        return true;
    case 1:
        c[count_of(matmul) / 2] = NAN;
        return true;
    case 2:
        *largest = INFINITY;
        return true;
    case 3: /* a column that nobody computed */
        for (int64_t i = 0; i < rows; i++) c[i * columns] = 0;
        return true;
    case 4: /* all products of the first k were left out */
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                c[i * columns + j] -= matmul_element(matmul->seed, 'A', matmul->first_row + i, 0) *
                                      matmul_element(matmul->seed, 'B', 0, matmul->first_column + j);
        return true;
    case 5: /* two rows swapped; with one row, two elements */
        if (count_of(matmul) == 1) return false;
        if (rows == 1) swap(c, c + columns - 1);
        for (int64_t j = 0; rows > 1 && j < columns; j++) swap(&c[j], &last_row[j]);
        return true;
    default:
        return false;
    }
}
