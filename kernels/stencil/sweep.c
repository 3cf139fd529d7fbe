/* Steps for a rectangle of points, each thread some of its rows.
 *
 * One step goes row by row from one grid to the other. Several steps (of the variant blocked) go over the rows in a
 * wave: when row i of the first step is done, row i - radius of the second can be, row i - 2 radius of the third, and
 * so on. Of the steps in between only the last few rows are kept, in a ring that stays in the cache; so that the grids
 * are read and written once for all steps together. Around its own points a thread, as a rank, computes what it needs
 * of the steps in between by itself, though the neighbour does the same: nobody waits for anybody within a pass.
 * (Overlapped tiles in a wavefront: Wellein, Hager, Zeiser, Wittmann, Fehske: Efficient temporal blocking for stencil
 * computations by multicore-aware wavefront parallelization, COMPSAC 2009.)
 *
 * Cost in time for n points and k steps: 16 n bytes from and to memory with stores that bypass the caches, else 24 n,
 * for a store then first fetches what it overwrites.
 */
#include "../share.h"
#include "stencil.h"

#include <omp.h>
#include <string.h>

enum { PROGRESS_ROWS = 32, LINE_DOUBLES = 8 };

static const int64_t NOWHERE = INT64_MAX / 4; /* a grid's edge that this rank does not see */

/* One thread's piece of a pass. Columns are counted from its first one. */
struct wave {
    const struct stencil *stencil;
    const double *from;
    double *to, *ring;
    int steps;
    int64_t row, row_end, columns;
    int64_t top, bottom, left, right; /* edges of the whole grid: its first points, and the ends */
};

static int64_t round_up(int64_t count)
{
    return (count + LINE_DOUBLES - 1) / LINE_DOUBLES * LINE_DOUBLES;
}

/* What a step in between reaches beyond a tile, and the frame there. */
static int64_t ring_margin(const struct stencil *stencil)
{
    return round_up((int64_t)stencil->pass_steps * stencil->radius + stencil->radius);
}

int64_t stencil_ring_doubles(const struct stencil *stencil, int64_t *stride_p)
{
    int64_t tile = stencil->part.columns < TILE_COLUMNS ? stencil->part.columns : TILE_COLUMNS;
    *stride_p = round_up(tile + 2 * ring_margin(stencil));
    return (stencil->pass_steps - 1) * (2 * stencil->radius + 1) * *stride_p;
}

/* Row `row` after `step` steps. */
static double *row_of(const struct wave *wave, int step, int64_t row)
{
    const struct stencil *stencil = wave->stencil;
    int64_t kept = 2 * stencil->radius + 1;
    if (step == wave->steps) return wave->to + row * stencil->stride;
    int64_t slot = (row % kept + kept) % kept;
    return wave->ring + ((step - 1) * kept + slot) * stencil->ring_stride + ring_margin(stencil);
}

static const double *read_row(const struct wave *wave, int step, int64_t row)
{
    return step == 0 ? wave->from + row * wave->stencil->stride : row_of(wave, step, row);
}

static void mirror_row(int64_t begin, int64_t end, const double *edge, const double *inside, double *outside)
{
    for (int64_t j = begin; j < end; j++) outside[j] = 2 * edge[j] - inside[j];
}

/* The ends of a row that lie on the frame. */
static void frame_ends(const struct wave *wave, const double *before, int64_t begin, int64_t end, double *row)
{
    bool mirrors = wave->stencil->radius > 1;
    if (begin == wave->left) {
        row[begin - 1] = before[begin - 1];
        if (mirrors) row[begin - 2] = 2 * row[begin - 1] - row[begin];
    }
    if (end == wave->right) {
        row[end] = before[end];
        if (mirrors) row[end + 1] = 2 * row[end] - row[end - 1];
    }
}

/* A row of the frame; the one behind the top's first has to wait for row `top`. */
static void frame_row(const struct wave *wave, int step, int64_t row, int64_t begin, int64_t end)
{
    if (row == wave->top - 1 || row == wave->bottom)
        memcpy(row_of(wave, step, row) + begin, read_row(wave, 0, row) + begin, (size_t)(end - begin) * sizeof(double));
    else if (row == wave->bottom + 1)
        mirror_row(begin, end, row_of(wave, step, row - 1), row_of(wave, step, row - 2), row_of(wave, step, row));
}

/* Where a step in between is needed on the frame, it is made there too. */
static bool is_needed(const struct wave *wave, int step, int64_t row)
{
    int64_t radius = wave->stencil->radius, reach = (wave->steps - step) * radius;
    int64_t frame = step < wave->steps ? radius : 0;
    return row >= wave->row - reach && row < wave->row_end + reach && row >= wave->top - frame &&
           row < wave->bottom + frame;
}

static void compute_row(const struct wave *wave, int step, int64_t row)
{
    const struct stencil *stencil = wave->stencil;
    int radius = stencil->radius;
    bool last = step == wave->steps, mirrors = radius > 1;
    int64_t reach = (int64_t)(wave->steps - step) * radius;
    int64_t begin = -reach > wave->left ? -reach : wave->left;
    int64_t end = wave->columns + reach < wave->right ? wave->columns + reach : wave->right;
    if (row < wave->top || row >= wave->bottom) {
        frame_row(wave, step, row, begin, end);
        return;
    }
    const double *in[ROWS_READ] = {NULL};
    double *out = row_of(wave, step, row);
    for (int i = -radius; i <= radius; i++) in[RADIUS_MAX + i] = read_row(wave, step - 1, row + i) + begin;
    stencil_row *const *make = last && stencil->streams ? stencil->code->streamed : stencil->code->cached;
    make[radius - 1](end - begin, in, out + begin);
    frame_ends(wave, in[RADIUS_MAX] - begin, begin, end, out);
    if (mirrors && row == wave->top && (last || is_needed(wave, step, row - 2)))
        mirror_row(begin, end, last ? wave->from + (row - 1) * stencil->stride : row_of(wave, step, row - 1), out,
                   row_of(wave, step, row - 2));
    if (mirrors && last && row == wave->bottom - 1)
        mirror_row(begin, end, wave->from + (row + 1) * stencil->stride, out, row_of(wave, step, row + 2));
}

static void run_wave(struct team *team, const struct wave *wave, bool master)
{
    int64_t radius = wave->stencil->radius, lag = (wave->steps - 1) * radius;
    for (int64_t row = wave->row - lag; row < wave->row_end + 2 * lag; row++) {
        for (int step = 1; step <= wave->steps; step++) {
            int64_t behind = row - (step - 1) * radius;
            if (is_needed(wave, step, behind)) compute_row(wave, step, behind);
        }
        if (master && (row - wave->row) % PROGRESS_ROWS == 0) team_progress(team);
    }
}

/* The calling thread's rows of a rectangle, in tiles of columns where there are several steps. */
static void sweep_rows(struct team *team, const struct stencil *stencil, int steps, struct rectangle rectangle)
{
    const struct part *part = &stencil->part;
    const int *neighbours = part->neighbours;
    int thread = omp_get_thread_num(), threads = omp_get_num_threads();
    int64_t rows = rectangle.row_end - rectangle.row, tile = steps > 1 ? TILE_COLUMNS : part->columns;
    struct wave wave = {.stencil = stencil,
                        .ring = stencil->rings + thread * stencil->ring_doubles,
                        .steps = steps,
                        .row = rectangle.row + share_begin(rows, threads, thread),
                        .row_end = rectangle.row + share_begin(rows, threads, thread + 1),
                        .top = neighbours[0] < 0 ? 0 : -NOWHERE,
                        .bottom = neighbours[1] < 0 ? part->rows : NOWHERE};
    if (wave.row == wave.row_end) return;
    for (int64_t column = rectangle.column; column < rectangle.column_end; column += tile) {
        int64_t left = rectangle.column_end - column;
        wave.columns = left < tile ? left : tile;
        wave.from = stencil->grid[stencil->now] + column;
        wave.to = stencil->grid[!stencil->now] + column;
        wave.left = neighbours[2] < 0 ? -column : -NOWHERE;
        wave.right = neighbours[3] < 0 ? part->columns - column : NOWHERE;
        run_wave(team, &wave, thread == 0);
    }
}

void stencil_sweep(struct team *team, const struct stencil *stencil, int steps, int count,
                   const struct rectangle rectangles[])
{
#pragma omp parallel num_threads(stencil->threads)
    {
        team_work_begin(team);
        for (int i = 0; i < count; i++)
            if (!rectangle_is_empty(rectangles[i])) sweep_rows(team, stencil, steps, rectangles[i]);
        if (stencil->streams) stencil->code->fence();
        team_work_done(team);
    }
}

void stencil_mirror(const struct stencil *stencil)
{
    const struct part *part = &stencil->part;
    int64_t stride = stencil->stride, rows = part->rows, columns = part->columns;
    double *grid = stencil->grid[stencil->now];
    if (stencil->radius == 1) return;
    if (part->neighbours[0] < 0) mirror_row(0, columns, grid - stride, grid, grid - 2 * stride);
    if (part->neighbours[1] < 0)
        mirror_row(0, columns, grid + rows * stride, grid + (rows - 1) * stride, grid + (rows + 1) * stride);
    for (int64_t i = 0; i < rows; i++) {
        double *row = grid + i * stride;
        if (part->neighbours[2] < 0) row[-2] = 2 * row[-1] - row[0];
        if (part->neighbours[3] < 0) row[columns + 1] = 2 * row[columns] - row[columns - 1];
    }
}
