/* C = A B by SUMMA on a 1 x p grid (van de Geijn, Watts: SUMMA: scalable universal matrix multiplication algorithm.
 * Concurrency: Practice and Experience 9, 1997).
 *
 * Each rank holds a block of columns of B and C, and some of A's panels of PANEL_WIDTH columns. Panel after panel is
 * broadcast by its owner, and multiplied by the matching rows of B; while one is multiplied, the next is on its way.
 * The threads of a rank split the rows of C, or its columns where rows are few. Every element of C is the work of one
 * thread, and takes its products in the order of k, so that its bits are the same in every mode.
 * Cost: 2 m n k flop over all; each rank receives at most m k doubles.
 */
#include "matmul.h"
#include "../random.h"
#include "../share.h"
#include "../team.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    EXTENT_MAX = 1 << 24,
    ROWS_FEW = 32,      /* a thread with fewer rows would rather have columns */
    PROGRESS_POINTS = 4 /* a panel */
};

int64_t matmul_panel_width(const struct matmul *matmul, int64_t panel)
{
    int64_t left = matmul->k - panel * PANEL_WIDTH;
    return left < PANEL_WIDTH ? left : PANEL_WIDTH;
}

double matmul_element(uint64_t seed, char matrix, int64_t i, int64_t j)
{
    return hash_to_double(hash_pair(hash_pair(seed, (uint64_t)matrix), (uint64_t)i << 32 | (uint64_t)j));
}

static int matmul_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    int status = size_parse_extents(text, 3, &size);
    if (status < 0) return status;
    if (size.dims == 2) return -EINVAL;
    for (int i = 0; i < size.dims; i++)
        if (size.dim[i] > EXTENT_MAX) return -ERANGE;
    if (size.dims == 3 && size.dim[0] == size.dim[1] && size.dim[1] == size.dim[2])
        size = (struct size){.dims = 1, .dim = {size.dim[0]}};
    *size_p = size;
    return 0;
}

static void extents_of(const struct problem *problem, int64_t extents_p[3])
{
    for (int i = 0; i < 3; i++) extents_p[i] = problem->size.dim[problem->size.dims == 1 ? 0 : i];
}

static double matmul_work(const struct problem *problem)
{
    int64_t extents[3];
    extents_of(problem, extents);
    return 2.0 * (double)extents[0] * (double)extents[1] * (double)extents[2];
}

static double matmul_memory(const struct problem *problem, int ranks)
{
    int64_t extents[3];
    extents_of(problem, extents);
    double m = (double)extents[0], n = (double)extents[1], k = (double)extents[2];
    double buffers = ranks == 1 ? 0 : 2.0 * ranks * m * fmin(k, PANEL_WIDTH);
    double scratch = (ranks - 1) * matmul_check_doubles(extents[0], 0, extents[2]) +
                     matmul_check_doubles(extents[0], extents[1], extents[2]);
    return sizeof(double) * (m * k + k * n + m * n + buffers + scratch);
}

/* The shape is kept; what rounding does to the square or to m and k, n makes good. */
static int matmul_size_for(const struct problem *problem, double work, struct size *size_p)
{
    int64_t extents[3];
    extents_of(problem, extents);
    if (!(work >= 1 && work <= 2.0 * EXTENT_MAX * EXTENT_MAX * EXTENT_MAX)) return -ERANGE;
    double scale = cbrt(work / matmul_work(problem));
    struct size size = {.dims = problem->size.dims};
    for (int i = 0; i < size.dims; i++) size.dim[i] = (int64_t)fmax(1, round(scale * (double)extents[i]));
    if (size.dims == 3) size.dim[1] = (int64_t)fmax(1, round(work / (2.0 * (double)size.dim[0] * (double)size.dim[2])));
    for (int i = 0; i < size.dims; i++)
        if (size.dim[i] > EXTENT_MAX) return -ERANGE;
    *size_p = size;
    return 0;
}

/* The part of C that the calling thread computes. */
static void thread_part(const struct matmul *matmul, int64_t *i_p, int64_t *rows_p, int64_t *j_p, int64_t *columns_p)
{
    int threads = omp_get_num_threads(), thread = omp_get_thread_num();
    bool by_rows = matmul->m >= (int64_t)ROWS_FEW * threads || matmul->m >= matmul->columns;
    int row_shares = by_rows ? threads : 1, column_shares = by_rows ? 1 : threads;
    *i_p = share_begin(matmul->m, row_shares, by_rows ? thread : 0);
    *rows_p = share_begin(matmul->m, row_shares, by_rows ? thread + 1 : 1) - *i_p;
    *j_p = share_begin(matmul->columns, column_shares, by_rows ? 0 : thread);
    *columns_p = share_begin(matmul->columns, column_shares, by_rows ? 1 : thread + 1) - *j_p;
}

static void fill_part(const struct matmul *matmul, double value)
{
    int64_t i, rows, j, columns;
    thread_part(matmul, &i, &rows, &j, &columns);
    for (int64_t row = i; row < i + rows; row++)
        for (int64_t column = j; column < j + columns; column++) matmul->c[row * matmul->columns + column] = value;
}

static double *panel_of(const struct matmul *matmul, int64_t panel)
{
    bool mine = panel >= matmul->first_panel && panel < matmul->first_panel + matmul->panels;
    return mine ? matmul->a + (panel - matmul->first_panel) * PANEL_WIDTH * matmul->m : matmul->buffer[panel % 2];
}

static void fill_inputs(struct matmul *matmul)
{
#pragma omp parallel
    {
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < matmul->m; i++)
            for (int64_t panel = matmul->first_panel; panel < matmul->first_panel + matmul->panels; panel++) {
                int64_t width = matmul_panel_width(matmul, panel);
                double *row = panel_of(matmul, panel) + i * width;
                for (int64_t l = 0; l < width; l++)
                    row[l] = matmul_element(matmul->seed, 'A', i, panel * PANEL_WIDTH + l);
            }
#pragma omp for schedule(static) nowait
        for (int64_t k = 0; k < matmul->k; k++)
            for (int64_t j = 0; j < matmul->columns; j++)
                matmul->b[k * matmul->columns + j] = matmul_element(matmul->seed, 'B', k, matmul->first_column + j);
        fill_part(matmul, 0);
    }
}

static double *new_doubles(int64_t count)
{
    size_t bytes = ((size_t)count * sizeof(double) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    return aligned_alloc(ALIGNMENT, bytes);
}

static int allocate(struct matmul *matmul)
{
    int64_t last = matmul->first_panel + matmul->panels - 1;
    int64_t a_width = matmul->panels == 0 ? 0 : (matmul->panels - 1) * PANEL_WIDTH + matmul_panel_width(matmul, last);
    int64_t buffer_width = matmul->ranks == 1 ? 0 : matmul_panel_width(matmul, 0);
    matmul->a = new_doubles(matmul->m * a_width);
    matmul->b = new_doubles(matmul->k * matmul->columns);
    matmul->c = new_doubles(matmul->m * matmul->columns);
    for (int i = 0; i < 2; i++) matmul->buffer[i] = new_doubles(matmul->m * buffer_width);
    matmul->scratch = new_doubles((int64_t)matmul_check_doubles(matmul->m, matmul->columns, matmul->k));
    bool all = matmul->a && matmul->b && matmul->c && matmul->buffer[0] && matmul->buffer[1] && matmul->scratch;
    return all ? 0 : -ENOMEM;
}

static void matmul_teardown(void *state)
{
    struct matmul *matmul = state;
    if (!matmul) return;
    matmul_blas_close(&matmul->blas);
    free(matmul->scratch);
    for (int i = 0; i < 2; i++) free(matmul->buffer[i]);
    free(matmul->c);
    free(matmul->b);
    free(matmul->a);
    free(matmul);
}

static matmul_multiply *find_multiply(const char *variant)
{
    static const struct {
        const char *name;
        matmul_multiply *multiply;
    } table[] = {
        {"naive", matmul_naive}, {"reordered", matmul_reordered}, {"tiled", matmul_tiled}, {"blas", matmul_blas}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, variant) == 0) return table[i].multiply;
    return NULL;
}

static int matmul_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    struct matmul *matmul = calloc(1, sizeof *matmul);
    int64_t extents[3];
    *state_p = NULL;
    if (!matmul) return -ENOMEM;
    extents_of(problem, extents);
    matmul->m = extents[0];
    matmul->n = extents[1];
    matmul->k = extents[2];
    matmul->seed = problem->seed;
    matmul->ranks = team_size(team);
    matmul->rank = team_rank(team);
    matmul->first_column = share_begin(matmul->n, matmul->ranks, matmul->rank);
    matmul->columns = share_begin(matmul->n, matmul->ranks, matmul->rank + 1) - matmul->first_column;
    matmul->panel_count = (matmul->k - 1) / PANEL_WIDTH + 1;
    matmul->first_panel = share_begin(matmul->panel_count, matmul->ranks, matmul->rank);
    matmul->panels = share_begin(matmul->panel_count, matmul->ranks, matmul->rank + 1) - matmul->first_panel;
    matmul->multiply = find_multiply(problem->variant->name);

    int status = allocate(matmul);
    if (status == 0 && matmul->multiply == matmul_blas) status = matmul_blas_open(&matmul->blas);
    if (status < 0) {
        matmul_teardown(matmul);
        return status;
    }
    fill_inputs(matmul);
    *state_p = matmul;
    return 0;
}

/* Not a number: what run leaves out shows. */
static int matmul_reset(struct team *team, void *state)
{
    (void)team;
#pragma omp parallel
    fill_part(state, NAN);
    return 0;
}

static int start_panel(struct team *team, const struct matmul *matmul, int64_t panel, struct team_request *request_p)
{
    size_t bytes = (size_t)(matmul->m * matmul_panel_width(matmul, panel)) * sizeof(double);
    int owner = share_owner(matmul->panel_count, matmul->ranks, panel);
    return team_broadcast_start(team, owner, bytes, panel_of(matmul, panel), request_p);
}

/* In some pieces, so that between them the broadcast under way can advance. */
static void multiply_part(struct team *team, const struct matmul *matmul, int64_t panel)
{
    int64_t i, rows, j, columns, width = matmul_panel_width(matmul, panel);
    thread_part(matmul, &i, &rows, &j, &columns);
    int pieces = rows < ROWS_FEW * PROGRESS_POINTS ? 1 : PROGRESS_POINTS;
    for (int piece = 0; piece < pieces; piece++) {
        int64_t first = i + share_begin(rows, pieces, piece), last = i + share_begin(rows, pieces, piece + 1);
        struct matmul_block block = {
            .rows = last - first,
            .columns = columns,
            .depth = width,
            .a = panel_of(matmul, panel) + first * width,
            .b = matmul->b + panel * PANEL_WIDTH * matmul->columns + j,
            .c = matmul->c + first * matmul->columns + j,
            .lda = width,
            .ldb = matmul->columns,
            .ldc = matmul->columns,
            .blas = &matmul->blas,
        };
        matmul->multiply(&block);
        if (omp_get_thread_num() == 0) team_progress(team);
    }
}

static int matmul_run(struct team *team, void *state)
{
    struct matmul *matmul = state;
    struct team_request requests[2] = {{.slot = -1}, {.slot = -1}};
    int status = start_panel(team, matmul, 0, &requests[0]);
    for (int64_t panel = 0; panel < matmul->panel_count && status == 0; panel++) {
        status = team_wait(team, &requests[panel % 2]);
        if (status == 0 && panel + 1 < matmul->panel_count)
            status = start_panel(team, matmul, panel + 1, &requests[(panel + 1) % 2]);
        if (status < 0) break;
#pragma omp parallel
        {
            team_work_begin(team);
            if (panel == 0) fill_part(matmul, 0);
            multiply_part(team, matmul, panel);
            team_work_done(team);
        }
    }
    return status;
}

const struct kernel matmul_kernel = {
    .name = "matmul",
    .summary = "Multiplies two matrices of doubles.",
    .lesson =
        "Much arithmetic on little data: it speeds up well on more cores, and yet the order of three loops matters "
        "more than many cores do. Compare the variants.",
    .size_help = "N for square matrices, or MxNxK for C (M x N) = A (M x K) B (K x N); each 1 to 16777216",
    .size_default = "2000",
    .work_unit = "flop",
    .seed_default = 1,
    .variant_default = "tiled",
    .variants =
        (const struct variant[]){
            {.name = "naive", .summary = "three loops as in the definition, i-j-k", .exact = true},
            {.name = "reordered", .summary = "the same loops as i-k-j: along rows, in vectors", .exact = true},
            {.name = "tiled", .summary = "tiles that stay in the caches, four rows at a time", .exact = true},
            {.name = "blas",
             .summary = "the dgemm of the machine's BLAS, one thread for each worker",
             .exact = false,
             .unavailable = matmul_blas_unavailable},
            {.name = NULL}},
    .options = NULL,
    .parse_size = matmul_parse_size,
    .work = matmul_work,
    .memory = matmul_memory,
    .size_for = matmul_size_for,
    .prepare = matmul_prepare,
    .reset = matmul_reset,
    .run = matmul_run,
    .check = matmul_check,
    .teardown = matmul_teardown,
    .corrupt = matmul_corrupt,
};
