/* The definition as written: row of A times column of B, i-j-k.
 *
 * Neighbouring elements of a column of B lie a whole row apart, so that each multiplication fetches a cache line of 64
 * bytes for 8 of them, and nothing can be computed in vectors: the slowest order of three loops.
 */
#include "matmul.h"

void matmul_naive(const struct matmul_block *block)
{
    const double *a = block->a, *b = block->b;
    for (int64_t i = 0; i < block->rows; i++)
        for (int64_t j = 0; j < block->columns; j++) {
            double sum = block->c[i * block->ldc + j];
            for (int64_t k = 0; k < block->depth; k++) sum += a[i * block->lda + k] * b[k * block->ldb + j];
            block->c[i * block->ldc + j] = sum;
        }
}
