/* C = A B on a grid of ranks (van de Geijn, Watts: SUMMA: scalable universal matrix multiplication algorithm.
 * Concurrency: Practice and Experience 9, 1997).
 *
 * Depth is cut into steps. In each, a column of the grid owns the panel of A, and a row the panel of B; every rank
 * multiplies the panels of its own row and column, and adds the product to its part of C. With one rank there is one
 * step. A rank gets at the panels of others in one of two ways:
 *   - in place, where all ranks of its row (column) share memory with it: nothing is copied, and nobody waits;
 *   - by broadcast along the row (column): while one panel is multiplied, the next is on its way.
 * Every element of C takes its products in the order of depth, on every grid: its bits are the same in every mode.
 * Cost: 2 m n k flop over all; m k (columns - 1) + k n (rows - 1) doubles are read from, or sent to, other ranks.
 */
#include "../memory.h"
#include "../share.h"
#include "../team.h"
#include "matmul.h"

#include <errno.h>
#include <omp.h>
#include <string.h>

enum {
    PIECES = 4,     /* of a multiplication: between them broadcasts advance */
    PIECE_ROWS = 32 /* least of a piece */
};

struct step {
    int64_t begin, end; /* of depth; empty: there is none */
    double *a_buffer, *b_buffer;
    struct team_request a_request, b_request;
};

static double *new_doubles(int64_t count)
{
    return memory_new((size_t)count * sizeof(double));
}

double summa_buffer_doubles(const struct grid *grid, double rows, double columns, double depth)
{
    double width = depth < SUMMA_PANEL_DEPTH ? depth : SUMMA_PANEL_DEPTH;
    return 2 * width * ((grid->columns > 1 ? rows : 0) + (grid->rows > 1 ? columns : 0));
}

static bool all_in_place(const struct team_shared *shared, int first, int stride, int count)
{
    for (int i = 0; i < count && count > 1; i++)
        if (!shared || !team_shared_part(shared, first + i * stride)) return false;
    return true;
}

static int new_inputs(struct team *team, bool shared, struct matmul *matmul)
{
    struct summa *summa = &matmul->summa;
    int64_t a_count = matmul->rows * matmul->a_depth, b_count = matmul->b_depth * matmul->columns;
    if (!shared) {
        matmul->a = new_doubles(a_count);
        matmul->b = new_doubles(b_count);
        return matmul->a && matmul->b ? 0 : -ENOMEM;
    }
    int status = team_shared_new(team, (size_t)a_count * sizeof(double), &summa->shared_a);
    if (status == 0) status = team_shared_new(team, (size_t)b_count * sizeof(double), &summa->shared_b);
    if (status < 0) return status;
    matmul->a = team_shared_part(summa->shared_a, team_rank(team));
    matmul->b = team_shared_part(summa->shared_b, team_rank(team));
    return 0;
}

/* Collective over the ranks of a row, then over those of a column, which come to the same decision on their own. */
static int find_groups(struct team *team, struct matmul *matmul)
{
    struct summa *summa = &matmul->summa;
    int columns = matmul->grid.columns, rows = matmul->grid.rows, first = matmul->row * columns, status = 0;
    summa->broadcasts_a = !all_in_place(summa->shared_a, first, 1, columns);
    summa->broadcasts_b = !all_in_place(summa->shared_b, matmul->column, columns, rows);
    int other = 0; /* the column waits for this rank whatever became of the row */
    if (summa->broadcasts_a) status = team_group_find(team, first, 1, columns, &summa->row_group);
    if (summa->broadcasts_b) other = team_group_find(team, matmul->column, columns, rows, &summa->column_group);
    return status < 0 ? status : other;
}

/* All ranks make the collective calls, whatever became of their own memory. */
int summa_prepare(struct team *team, bool shared, struct matmul *matmul)
{
    struct summa *summa = &matmul->summa;
    int inputs = new_inputs(team, shared, matmul), groups = 0;
    if (inputs == 0 || !shared) groups = find_groups(team, matmul);
    if (inputs < 0 || groups < 0) return inputs < 0 ? inputs : groups;

    bool broadcasts = summa->broadcasts_a || summa->broadcasts_b;
    summa->step_limit = broadcasts ? SUMMA_PANEL_DEPTH : INT64_MAX;
    for (int64_t begin = 0, end; begin < matmul->k; begin = end) {
        end = grid_step_end(&matmul->grid, matmul->k, summa->step_limit, begin);
        if (end - begin > summa->step_most) summa->step_most = end - begin;
    }
    for (int i = 0; i < 2; i++) {
        if (summa->broadcasts_a) summa->a_buffer[i] = new_doubles(matmul->rows * summa->step_most);
        if (summa->broadcasts_b) summa->b_buffer[i] = new_doubles(summa->step_most * matmul->columns);
        if (summa->broadcasts_a && !summa->a_buffer[i]) return -ENOMEM;
        if (summa->broadcasts_b && !summa->b_buffer[i]) return -ENOMEM;
    }
    return 0;
}

/* Other ranks still read A and B where they share them: they have what they see until they free it too. */
void summa_release(struct matmul *matmul)
{
    struct summa *summa = &matmul->summa;
    for (int i = 0; i < 2; i++) {
        free(summa->b_buffer[i]);
        free(summa->a_buffer[i]);
    }
    if (!summa->shared_b) free(matmul->b);
    if (!summa->shared_a) free(matmul->a);
    team_shared_free(summa->shared_b);
    team_shared_free(summa->shared_a);
}

/* A's panel lies scattered in its owner's rows, and is sent in one piece. */
static void pack_panel(struct team *team, const struct matmul *matmul, const struct step *step)
{
    int64_t depth = step->end - step->begin;
    const double *a = matmul->a + step->begin - matmul->a_first;
#pragma omp parallel
    {
        team_work_begin(team);
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < matmul->rows; i++)
            memcpy(step->a_buffer + i * depth, a + i * matmul->a_depth, (size_t)depth * sizeof *a);
        team_work_done(team);
    }
}

/* slot: which of the buffers to use. */
static int start_step(struct team *team, const struct matmul *matmul, int64_t begin, int slot, struct step *step_p)
{
    const struct summa *summa = &matmul->summa;
    const struct grid *grid = &matmul->grid;
    int status = 0;
    *step_p = (struct step){.begin = begin,
                            .end = begin,
                            .a_buffer = summa->a_buffer[slot],
                            .b_buffer = summa->b_buffer[slot],
                            .a_request.slot = -1,
                            .b_request.slot = -1};
    if (begin == matmul->k) return 0;
    step_p->end = grid_step_end(grid, matmul->k, summa->step_limit, begin);
    int64_t depth = step_p->end - begin;
    int a_owner = share_owner(matmul->k, grid->columns, begin), b_owner = share_owner(matmul->k, grid->rows, begin);
    size_t a_bytes = (size_t)(matmul->rows * depth) * sizeof(double);
    size_t b_bytes = (size_t)(depth * matmul->columns) * sizeof(double);

    if (summa->broadcasts_a) {
        if (a_owner == matmul->column) pack_panel(team, matmul, step_p);
        status = team_broadcast_start(team, summa->row_group, a_owner, a_bytes, step_p->a_buffer, &step_p->a_request);
    }
    if (summa->broadcasts_b && status == 0) {
        if (b_owner == matmul->row) step_p->b_buffer = matmul->b + (begin - matmul->b_first) * matmul->columns;
        status =
            team_broadcast_start(team, summa->column_group, b_owner, b_bytes, step_p->b_buffer, &step_p->b_request);
    }
    return status;
}

static void locate_a(const struct matmul *matmul, const struct step *step, struct matmul_block *block)
{
    const struct summa *summa = &matmul->summa;
    int columns = matmul->grid.columns, owner = share_owner(matmul->k, columns, step->begin);
    int64_t first = share_begin(matmul->k, columns, owner);
    if (summa->broadcasts_a && owner != matmul->column) {
        block->a = step->a_buffer;
        block->lda = step->end - step->begin;
        return;
    }
    const double *part =
        owner == matmul->column ? matmul->a : team_shared_part(summa->shared_a, matmul->row * columns + owner);
    block->a = part + step->begin - first;
    block->lda = share_begin(matmul->k, columns, owner + 1) - first;
}

static void locate_b(const struct matmul *matmul, const struct step *step, struct matmul_block *block)
{
    const struct summa *summa = &matmul->summa;
    int rows = matmul->grid.rows, owner = share_owner(matmul->k, rows, step->begin);
    int64_t first = share_begin(matmul->k, rows, owner);
    block->ldb = matmul->columns;
    if (summa->broadcasts_b) {
        block->b = step->b_buffer;
        return;
    }
    const double *part = owner == matmul->row
                             ? matmul->b
                             : team_shared_part(summa->shared_b, owner * matmul->grid.columns + matmul->column);
    block->b = part + (step->begin - first) * matmul->columns;
}

/* Where broadcasts are under way and the variant does not let them advance, in some pieces. */
static void multiply(struct team *team, struct matmul *matmul, const struct step *step)
{
    bool broadcasts = matmul->summa.broadcasts_a || matmul->summa.broadcasts_b;
    int pieces = broadcasts && !matmul->advances && matmul->rows >= PIECES * PIECE_ROWS ? PIECES : 1;
    struct matmul_block whole = {.columns = matmul->columns,
                                 .depth = step->end - step->begin,
                                 .ldc = matmul->columns,
                                 .add = step->begin > 0,
                                 .tools = &matmul->tools};
    locate_a(matmul, step, &whole);
    locate_b(matmul, step, &whole);
#pragma omp parallel
    {
        struct matmul_block block = whole;
        block.thread = omp_get_thread_num();
        block.threads = omp_get_num_threads();
        team_work_begin(team);
        for (int piece = 0; piece < pieces; piece++) {
            int64_t first = share_begin(matmul->rows, pieces, piece);
            block.rows = share_begin(matmul->rows, pieces, piece + 1) - first;
            block.a = whole.a + first * whole.lda;
            block.c = matmul->c + first * whole.ldc;
            matmul->multiply(&block);
            if (broadcasts && block.thread == 0) team_progress(team);
        }
        team_work_done(team);
    }
}

int summa_run(struct team *team, void *state)
{
    struct matmul *matmul = state;
    struct step steps[2];
    int slot = 0, status = start_step(team, matmul, 0, slot, &steps[slot]);
    for (; status == 0 && steps[slot].begin < matmul->k; slot = !slot) {
        status = team_wait(team, &steps[slot].a_request);
        if (status == 0) status = team_wait(team, &steps[slot].b_request);
        if (status == 0) status = start_step(team, matmul, steps[slot].end, !slot, &steps[!slot]);
        if (status == 0) multiply(team, matmul, &steps[slot]);
    }
    return status;
}
