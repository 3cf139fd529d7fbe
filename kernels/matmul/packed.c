/* Blocks of A and B are copied so that the micro-kernel reads them from the caches, without conflicts and from few
 * pages (Goto, van de Geijn: Anatomy of high-performance matrix multiplication. ACM Transactions on Mathematical
 * Software 34, 2008; Van Zee, van de Geijn: BLIS. Ibid. 41, 2015). Five loops around the micro-kernel:
 *
 *     columns                 a block of B: packed into panels as wide as a tile; third cache; by all threads together
 *       depth
 *         rows                a block of A: copied by the thread that takes it; second cache
 *           panels of B
 *             slices of A     as many rows as a tile has; first cache
 *
 * Nothing is copied before it is used: the first slice to meet a panel of B reads it in place, and packs it on the way;
 * the first panel to meet a slice of A reads that in place, and then it is copied, while the caches hold it.
 * Blocks of A go to threads as they become free. B has two buffers, so that threads meet once for each block of B.
 */
#include "../memory.h"
#include "../team.h"
#include "matmul.h"
#include "micro.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE = 8,              /* doubles in a cache line */
    IN_PLACE = 384,        /* matrices of up to so many rows and columns are not copied: all is in the caches anyway */
    DEPTH_MOST = 512,      /* a longer tile has less to load and store for its work, but its panel of B leaves the L2 */
    ROWS_MOST = 240,       /* of a block of A */
    COLUMNS_MOST = 3072,   /* of a block of B */
    L2_DEFAULT = 1 << 20,  /* bytes, where the system does not tell */
    L3_DEFAULT = 16 << 20, /* bytes */
    AHEAD_STEPS = 4        /* depth a line that the micro-kernel fetches ahead */
};

/* Of glibc. */
#ifndef _SC_LEVEL2_CACHE_SIZE
#    define _SC_LEVEL2_CACHE_SIZE -1
#    define _SC_LEVEL3_CACHE_SIZE -1
#endif

/* The largest blocks that are worth it: of rows x depth of A, of depth x columns of B. */
struct blocking {
    int64_t rows, columns, depth;
};

struct matmul_workspace {
    const struct micro *micro;
    struct blocking most;
    int64_t a_stride; /* from one thread's copy of A to the next */
    double *a, *b[2];
    _Atomic int64_t next[2]; /* the next block of A to be taken, for each buffer of B */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* n / unit, rounded up. */
static int64_t parts(int64_t n, int64_t unit)
{
    return n <= 0 ? 0 : (n - 1) / unit + 1;
}

static int64_t round_up(int64_t n, int64_t unit)
{
    return parts(n, unit) * unit;
}

/* The largest of equal parts of n that are no larger than `most`; a multiple of unit. */
static int64_t even(int64_t n, int64_t most, int64_t unit)
{
    return round_up(parts(n, parts(n, most)), unit);
}

static int64_t tile_width(const struct micro *micro)
{
    return micro->vectors * micro->width;
}

/* Rows of a copy of A begin in different sets of the caches. */
static int64_t copy_lda(int64_t depth)
{
    return round_up(depth, LINE) + LINE;
}

static int64_t cache_doubles(int name, int64_t fallback_bytes)
{
    long bytes = name < 0 ? -1 : sysconf(name);
    return (bytes > 0 ? bytes : fallback_bytes) / (int64_t)sizeof(double);
}

/* A block of A has half of the second cache; two panels of B, the present and the next, have part of the rest. One of B
 * has a third of the last cache. */
static struct blocking choose_blocking(const struct micro *micro, int64_t rows, int64_t columns, int64_t depth)
{
    struct blocking most = {.depth = even(depth, DEPTH_MOST, LINE)};
    int64_t width = tile_width(micro), fit = most.depth > 0 ? most.depth : 1;
    int64_t l2_rows = cache_doubles(_SC_LEVEL2_CACHE_SIZE, L2_DEFAULT) / 2 / fit;
    int64_t l3_columns = cache_doubles(_SC_LEVEL3_CACHE_SIZE, L3_DEFAULT) / 3 / fit;
    l2_rows = l2_rows < 4 * micro->rows ? 4 * micro->rows : least(l2_rows, ROWS_MOST);
    l3_columns = l3_columns < 8 * width ? 8 * width : least(l3_columns, COLUMNS_MOST);
    most.rows = round_up(least(rows, l2_rows), micro->rows);
    most.columns = round_up(least(columns, l3_columns), width);
    return most;
}

static int64_t copy_doubles(const struct blocking *most)
{
    return round_up(most->rows * copy_lda(most->depth), 64 * LINE) + LINE;
}

double matmul_workspace_bytes(enum isa isa, int threads, int64_t rows, int64_t columns, int64_t depth)
{
    struct blocking most = choose_blocking(micro_find(isa), rows, columns, depth);
    return sizeof(double) *
               ((double)threads * (double)copy_doubles(&most) + 2.0 * (double)(most.columns * most.depth)) +
           sizeof(struct matmul_workspace);
}

/* First touch by those who will write there. */
static void touch(struct matmul_workspace *workspace, int threads)
{
    int64_t panel = tile_width(workspace->micro) * workspace->most.depth;
    int64_t panels = workspace->most.columns / tile_width(workspace->micro);
#pragma omp parallel num_threads(threads)
    {
        double *a = workspace->a + omp_get_thread_num() * workspace->a_stride;
        memset(a, 0, (size_t)workspace->a_stride * sizeof *a);
        for (int64_t j = omp_get_thread_num(); j < 2 * panels; j += omp_get_num_threads())
            memset(workspace->b[j / panels] + j % panels * panel, 0, (size_t)panel * sizeof(double));
    }
}

struct matmul_workspace *matmul_workspace_new(enum isa isa, int threads, int64_t rows, int64_t columns, int64_t depth)
{
    struct matmul_workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace) return NULL;
    workspace->micro = micro_find(isa);
    workspace->most = choose_blocking(workspace->micro, rows, columns, depth);
    workspace->a_stride = copy_doubles(&workspace->most);
    size_t b_bytes = (size_t)(workspace->most.columns * workspace->most.depth) * sizeof(double);
    workspace->a = memory_new((size_t)threads * (size_t)workspace->a_stride * sizeof(double));
    for (int i = 0; i < 2; i++) workspace->b[i] = memory_new(b_bytes);
    if (!workspace->a || !workspace->b[0] || !workspace->b[1]) {
        matmul_workspace_free(workspace);
        return NULL;
    }
    touch(workspace, threads);
    return workspace;
}

void matmul_workspace_free(struct matmul_workspace *workspace)
{
    if (!workspace) return;
    for (int i = 0; i < 2; i++) free(workspace->b[i]);
    free(workspace->a);
    free(workspace);
}

/* A block of C in work: `block` holds its parts of A, in place, B, in place, and C. */
struct work {
    const struct micro *micro;
    struct matmul_block block;
    double *own_a;    /* this thread's copy of the block of A */
    double *packed_b; /* panels one after the other */
    bool packs;       /* the first slice packs B; else that is done */
};

static double *packed_panel(const struct work *work, int64_t panel)
{
    return work->packed_b + panel * tile_width(work->micro) * work->block.depth;
}

/* The tile of a slice and a panel, but for where A and B are. */
static struct micro_tile place_tile(const struct work *work, int64_t row, int64_t panel, int *rows_p, int *vectors_p)
{
    const struct micro *micro = work->micro;
    const struct matmul_block *block = &work->block;
    int64_t width = tile_width(micro), columns = least(block->columns - panel * width, width);
    *rows_p = (int)least(block->rows - row, micro->rows);
    *vectors_p = (int)parts(columns, micro->width);
    bool is_last = row + *rows_p == block->rows;
    double *top = block->c + panel * width;
    return (struct micro_tile){.depth = block->depth,
                               .c = top + row * block->ldc,
                               .ldc = block->ldc,
                               .last = (int)columns - (*vectors_p - 1) * micro->width,
                               .add = block->add,
                               .c_next = is_last ? top + width : top + (row + *rows_p) * block->ldc};
}

/* The slice that begins in `row` with a panel of B in place, which is packed. */
static void multiply_and_pack(const struct work *work, int64_t row, int64_t panel)
{
    int rows, vectors;
    struct micro_tile tile = place_tile(work, row, panel, &rows, &vectors);
    tile.a = work->block.a + row * work->block.lda;
    tile.lda = work->block.lda;
    tile.b = work->block.b + panel * tile_width(work->micro);
    tile.ldb = work->block.ldb;
    tile.packed = packed_panel(work, panel);
    work->micro->packing[rows - 1][vectors - 1](&tile);
}

/* What the caches should have soon, spread over the tiles: the next slice of A, or the next panel of B. A panel in
 * place has 4 lines a row, as it may begin anywhere in a line. `count`: the tiles of this panel so far. */
static void look_ahead(const struct work *work, int64_t row, int64_t panel, int64_t count, struct micro_tile *tile)
{
    const struct matmul_block *block = &work->block;
    int64_t width = tile_width(work->micro), steps = block->depth / AHEAD_STEPS,
            panel_lines = width * block->depth / LINE;
    bool last_slice = row + work->micro->rows >= block->rows;
    tile->ahead = (const char *)tile->b;
    if (panel == 0 && !last_slice) {
        tile->ahead = (const char *)(block->a + (row + work->micro->rows) * block->lda);
        tile->ahead_stride = block->lda * (int64_t)sizeof(double);
    } else if ((panel + 1) * width >= block->columns) {
        return;
    } else if (work->packs && count < AHEAD_STEPS * (width / LINE + 1)) {
        int64_t line = count / AHEAD_STEPS, quarter = count % AHEAD_STEPS;
        tile->ahead = (const char *)(block->b + (panel + 1) * width + least(line * LINE, width - 1) +
                                     quarter * steps * block->ldb);
        tile->ahead_stride = block->ldb * (int64_t)sizeof(double);
    } else if (!work->packs && count * steps < panel_lines) {
        tile->ahead = (const char *)(packed_panel(work, panel + 1) + count * steps * LINE);
        tile->ahead_stride = LINE * (int64_t)sizeof(double);
    }
}

/* A block of A with all panels of the block of B. */
static void multiply_block(const struct work *work)
{
    const struct micro *micro = work->micro;
    const struct matmul_block *block = &work->block;
    int64_t panels = parts(block->columns, tile_width(micro)), own_lda = copy_lda(block->depth);
    for (int64_t panel = 0; panel < panels; panel++)
        for (int64_t row = 0; row < block->rows; row += micro->rows) {
            int rows, vectors;
            struct micro_tile tile = place_tile(work, row, panel, &rows, &vectors);
            bool in_place = panel == 0;
            tile.a = in_place ? block->a + row * block->lda : work->own_a + row * own_lda;
            tile.lda = in_place ? block->lda : own_lda;
            tile.b = packed_panel(work, panel);
            tile.ldb = vectors * micro->width;
            look_ahead(work, row, panel, row / micro->rows, &tile);
            if (work->packs && row == 0)
                multiply_and_pack(work, row, panel);
            else
                micro->whole[rows - 1][vectors - 1](&tile);
            for (int i = 0; i < rows && in_place && panels > 1; i++)
                memcpy(work->own_a + (row + i) * own_lda, tile.a + i * tile.lda, (size_t)tile.depth * sizeof *tile.a);
        }
}

/* Where threads wait for each other: no useful time. */
static void meet(const struct matmul_block *block)
{
    struct team *team = block->tools->team;
    if (team) team_work_done(team);
#pragma omp barrier
    if (team) team_work_begin(team);
}

/* All rows of A with one block of B. */
static void multiply_by_block_of_b(const struct matmul_block *block, int buffer)
{
    struct matmul_workspace *workspace = block->tools->workspace;
    struct work work = {.micro = workspace->micro,
                        .block = *block,
                        .own_a = workspace->a + block->thread * workspace->a_stride,
                        .packed_b = workspace->b[buffer],
                        .packs = block->threads == 1};
    const bool alone = work.packs;
    int64_t first_row = 0;
    if (!alone) {
        int64_t panels = parts(block->columns, tile_width(work.micro));
        for (int64_t panel = block->thread; panel < panels; panel += block->threads) multiply_and_pack(&work, 0, panel);
        if (block->thread == 0) workspace->next[buffer] = 0;
        first_row = least(block->rows, work.micro->rows);
        meet(block);
    }
    int64_t rows = block->rows - first_row, count = parts(rows, workspace->most.rows), own = 0;
    if (!alone) count = round_up(count, block->threads);
    int64_t most = round_up(parts(rows, count), work.micro->rows);
    for (;;) {
        int64_t index = alone ? own++ : workspace->next[buffer]++, row = first_row + index * most;
        if (row >= block->rows) return;
        work.block.rows = least(block->rows - row, most);
        work.block.a = block->a + row * block->lda;
        work.block.c = block->c + row * block->ldc;
        multiply_block(&work);
        work.packs = false;
        if (block->thread == 0 && block->tools->team) team_progress(block->tools->team);
    }
}

void matmul_packed(const struct matmul_block *block)
{
    const struct blocking *most = &block->tools->workspace->most;
    bool small = block->rows <= IN_PLACE && block->columns <= IN_PLACE && block->depth <= IN_PLACE;
    if (block->rows == 0 || block->columns == 0) return;
    if (small || block->depth == 0 || block->rows <= block->tools->workspace->micro->rows) {
        matmul_vector(block);
        return;
    }
    int64_t width = tile_width(block->tools->workspace->micro);
    int64_t columns = even(block->columns, most->columns, width), depth = even(block->depth, most->depth, LINE);
    int buffer = 0;
    for (int64_t j = 0; j < block->columns; j += columns)
        for (int64_t k = 0; k < block->depth; k += depth, buffer = !buffer) {
            struct matmul_block part = *block;
            part.columns = least(block->columns - j, columns);
            part.depth = least(block->depth - k, depth);
            part.a += k;
            part.b += k * block->ldb + j;
            part.c += j;
            part.add = block->add || k > 0;
            multiply_by_block_of_b(&part, buffer);
        }
}
