/* i-k-j in tiles: TILE_DEPTH rows and TILE_COLUMNS columns of B (512 KiB) at a time, so that the tile stays in the
 * second cache while all rows of C pass by, and the pieces of four rows of C (8 KiB) in the first.
 *
 * A step multiplies four rows of A, two columns deep: each element of B that is loaded serves four products, each of C
 * takes two. What is left of rows and depth goes through the reordered loops, which add in the same order.
 */
#include "matmul.h"

enum { TILE_COLUMNS = 256, TILE_DEPTH = 256, STEP_ROWS = 4, STEP_DEPTH = 2 };

/* C (4 x columns) += A (4 x 2) B (2 x columns); the rows of B and C do not overlap. */
static void multiply_step(int64_t columns, const double *a, int64_t lda, const double *restrict b0,
                          const double *restrict b1, double *restrict c0, double *restrict c1, double *restrict c2,
                          double *restrict c3)
{
    const double a00 = a[0], a10 = a[lda], a20 = a[2 * lda], a30 = a[3 * lda];
    const double a01 = a[1], a11 = a[lda + 1], a21 = a[2 * lda + 1], a31 = a[3 * lda + 1];
    for (int64_t j = 0; j < columns; j++) {
        c0[j] = c0[j] + a00 * b0[j] + a01 * b1[j];
        c1[j] = c1[j] + a10 * b0[j] + a11 * b1[j];
        c2[j] = c2[j] + a20 * b0[j] + a21 * b1[j];
        c3[j] = c3[j] + a30 * b0[j] + a31 * b1[j];
    }
}

static void multiply_tile(const struct matmul_block *tile)
{
    int64_t rows = tile->rows / STEP_ROWS * STEP_ROWS, depth = tile->depth / STEP_DEPTH * STEP_DEPTH;
    for (int64_t i = 0; i < rows; i += STEP_ROWS)
        for (int64_t k = 0; k < depth; k += STEP_DEPTH) {
            const double *b = tile->b + k * tile->ldb;
            double *c = tile->c + i * tile->ldc;
            multiply_step(tile->columns, tile->a + i * tile->lda + k, tile->lda, b, b + tile->ldb, c, c + tile->ldc,
                          c + 2 * tile->ldc, c + 3 * tile->ldc);
        }

    struct matmul_block deep = *tile, low = *tile;
    deep.rows = rows;
    deep.depth -= depth;
    deep.a += depth;
    deep.b += depth * tile->ldb;
    matmul_reordered(&deep);

    low.rows -= rows;
    low.a += rows * tile->lda;
    low.c += rows * tile->ldc;
    matmul_reordered(&low);
}

static void clear(const struct matmul_block *part)
{
    for (int64_t i = 0; i < part->rows; i++)
        for (int64_t j = 0; j < part->columns; j++) part->c[i * part->ldc + j] = 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void matmul_tiled(const struct matmul_block *whole)
{
    struct matmul_block part = matmul_part(whole);
    if (!part.add) clear(&part);
    part.add = true;
    for (int64_t j = 0; j < part.columns; j += TILE_COLUMNS)
        for (int64_t k = 0; k < part.depth; k += TILE_DEPTH) {
            struct matmul_block tile = part;
            tile.columns = least(part.columns - j, TILE_COLUMNS);
            tile.depth = least(part.depth - k, TILE_DEPTH);
            tile.a += k;
            tile.b += k * part.ldb + j;
            tile.c += j;
            multiply_tile(&tile);
        }
}
