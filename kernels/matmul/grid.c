#include "grid.h"
#include "../share.h"

struct grid grid_choose(int ranks, int64_t m, int64_t n)
{
    struct grid best = {.rows = 1, .columns = ranks};
    for (int rows = 2; rows <= ranks; rows++) {
        struct grid grid = {.rows = rows, .columns = ranks / rows};
        if (ranks % rows != 0) continue;
        if (m * grid.columns + n * grid.rows < m * best.columns + n * best.rows) best = grid;
    }
    return best;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t grid_step_end(const struct grid *grid, int64_t depth, int64_t most, int64_t begin)
{
    int a = share_owner(depth, grid->columns, begin), b = share_owner(depth, grid->rows, begin);
    int64_t first = later(share_begin(depth, grid->columns, a), share_begin(depth, grid->rows, b));
    int64_t last = earlier(share_begin(depth, grid->columns, a + 1), share_begin(depth, grid->rows, b + 1));
    int pieces = (int)((last - first - 1) / most + 1);
    return first + share_begin(last - first, pieces, share_owner(last - first, pieces, begin - first) + 1);
}
