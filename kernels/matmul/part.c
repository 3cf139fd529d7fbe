#include "../share.h"
#include "matmul.h"

enum { ROWS_FEW = 32 }; /* a thread with fewer rows would rather have columns */

struct matmul_block matmul_part(const struct matmul_block *whole)
{
    struct matmul_block part = *whole;
    if (whole->threads == 1) return part;
    bool by_rows = whole->rows >= (int64_t)ROWS_FEW * whole->threads || whole->rows >= whole->columns;
    int64_t count = by_rows ? whole->rows : whole->columns;
    int64_t first = share_begin(count, whole->threads, whole->thread);
    int64_t share = share_begin(count, whole->threads, whole->thread + 1) - first;
    part.a += by_rows ? first * whole->lda : 0;
    part.b += by_rows ? 0 : first;
    part.c += by_rows ? first * whole->ldc : first;
    part.rows = by_rows ? share : whole->rows;
    part.columns = by_rows ? whole->columns : share;
    part.thread = 0;
    part.threads = 1;
    return part;
}
