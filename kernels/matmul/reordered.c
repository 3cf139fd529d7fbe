/* The same loops as i-k-j: the innermost goes along rows of B and C, so that every byte of a cache line is used, and
 * the compiler computes several neighbours at once. Each element of C is now loaded and stored for each product.
 */
#include "matmul.h"

void matmul_reordered(const struct matmul_block *whole)
{
    const struct matmul_block part = matmul_part(whole);
    for (int64_t i = 0; i < part.rows; i++) {
        double *restrict c = part.c + i * part.ldc;
        for (int64_t j = 0; j < part.columns && !part.add; j++) c[j] = 0;
        for (int64_t k = 0; k < part.depth; k++) {
            const double a = part.a[i * part.lda + k], *restrict b = part.b + k * part.ldb;
            for (int64_t j = 0; j < part.columns; j++) c[j] += a * b[j];
        }
    }
}
