/* A tile of C that fits into the vector registers (8 x 24 in AVX-512) is summed there over the whole depth, then stored
 * once: a row of B and a column of A are loaded for each step, instead of C, and every instruction does 2, 4 or 8
 * multiplications. A and B are read in place.
 *
 * Large matrices do not fit into the caches, and this does nothing about that.
 */
#include "micro.h"

#include "matmul.h"

const struct micro *micro_find(enum isa isa)
{
#ifdef __x86_64__
    if (isa == ISA_AVX512) return &micro_avx512;
    if (isa == ISA_AVX2) return &micro_avx2;
#endif
    (void)isa;
    return &micro_base;
}

void matmul_vector(const struct matmul_block *whole)
{
    const struct matmul_block part = matmul_part(whole);
    const struct micro *micro = micro_find(part.tools->isa);
    int64_t width = micro->vectors * micro->width;
    for (int64_t j = 0; j < part.columns; j += width) {
        int64_t columns = part.columns - j < width ? part.columns - j : width;
        int vectors = (int)(columns - 1) / micro->width + 1, last = (int)columns - (vectors - 1) * micro->width;
        for (int64_t i = 0; i < part.rows; i += micro->rows) {
            int64_t rows = part.rows - i < micro->rows ? part.rows - i : micro->rows;
            struct micro_tile tile = {
                .depth = part.depth,
                .a = part.a + i * part.lda,
                .b = part.b + j,
                .c = part.c + i * part.ldc + j,
                .lda = part.lda,
                .ldb = part.ldb,
                .ldc = part.ldc,
                .last = last,
                .add = part.add,
                .c_next = part.c + (i + rows) * part.ldc + j,
                .ahead = (const char *)(part.b + j),
            };
            (last == micro->width ? micro->whole : micro->ragged)[rows - 1][vectors - 1](&tile);
        }
    }
}
