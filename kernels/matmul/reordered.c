/* The same loops as i-k-j: the innermost goes along rows of B and C, so that every byte of a cache line is used, and
 * the compiler computes several neighbours at once. Each element of C is now loaded and stored for each product.
 */
#include "matmul.h"

void matmul_reordered(const struct matmul_block *block)
{
    for (int64_t i = 0; i < block->rows; i++)
        for (int64_t k = 0; k < block->depth; k++) {
            double a = block->a[i * block->lda + k];
            const double *restrict b = block->b + k * block->ldb;
            double *restrict c = block->c + i * block->ldc;
            for (int64_t j = 0; j < block->columns; j++) c[j] += a * b[j];
        }
}
