/* The definition as written: row of A times column of B, i-j-k.
 *
 * Neighbouring elements of a column of B lie a whole row apart, so that each multiplication fetches a cache line of 64
 * bytes for 8 of them, and nothing can be computed in vectors: the slowest order of three loops.
 */
#include "matmul.h"

void matmul_naive(const struct matmul_block *whole)
{
    const struct matmul_block part = matmul_part(whole);
    const double *a = part.a, *b = part.b;
    for (int64_t i = 0; i < part.rows; i++)
        for (int64_t j = 0; j < part.columns; j++) {
            double sum = part.add ? part.c[i * part.ldc + j] : 0;
            for (int64_t k = 0; k < part.depth; k++) sum += a[i * part.lda + k] * b[k * part.ldb + j];
            part.c[i * part.ldc + j] = sum;
        }
}
