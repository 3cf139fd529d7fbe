/* Matrix multiplication as a kernel: its sizes, its matrices, its table. summa.c multiplies, check.c checks.
 *
 * The elements of A and B are random numbers keyed by their place, so that every rank fills its own parts alone.
 */
#include "matmul.h"
#include "../memory.h"
#include "../random.h"
#include "../share.h"
#include "../team.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <string.h>

enum { EXTENT_MAX = 1 << 24 };

enum { OPTION_PANELS };
enum { PANELS_SHARED, PANELS_BROADCAST };

static const struct rung {
    const char *name;
    matmul_multiply *multiply;
    bool packs; /* it needs a workspace, and lets broadcasts advance */
} rungs[] = {{.name = "naive", .multiply = matmul_naive},
             {.name = "reordered", .multiply = matmul_reordered},
             {.name = "tiled", .multiply = matmul_tiled},
             {.name = "vector", .multiply = matmul_vector},
             {.name = "packed", .multiply = matmul_packed, .packs = true},
             {.name = "blas", .multiply = matmul_blas}};

static const struct rung *find_rung(const struct variant *variant)
{
    size_t i = 0;
    while (strcmp(rungs[i].name, variant->name) != 0) i++;
    return &rungs[i];
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

static int64_t share_most(int64_t count, int shares)
{
    return share_begin(count, shares, 1);
}

/* Parts of C are counted as the largest, buffers as if all were broadcast, and the copies of packed as those of one
 * thread a rank: each further thread has a block of A, some 1 MiB. */
static double matmul_memory(const struct problem *problem, int ranks)
{
    int64_t extents[3];
    extents_of(problem, extents);
    int64_t m = extents[0], n = extents[1], k = extents[2];
    struct grid grid = grid_choose(ranks, m, n);
    int64_t rows = share_most(m, grid.rows), columns = share_most(n, grid.columns);
    double matrices = (double)m * (double)k + (double)k * (double)n + (double)m * (double)n;
    double buffers = summa_buffer_doubles(&grid, (double)rows, (double)columns, (double)k);
    double total = sizeof(double) * (matrices + ranks * (buffers + matmul_check_doubles(m, columns, k)));
    enum isa isa;
    if (find_rung(problem->variant)->packs && isa_find(problem->isa, &isa) == 0)
        total += ranks * matmul_workspace_bytes(isa, 1, rows, columns, k);
    return total;
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

static int matmul_predict(const struct problem *problem, int ranks, const struct kernel_network *network, double work_s,
                          double *time_s_p)
{
    int64_t extents[3];
    extents_of(problem, extents);
    struct grid grid = grid_choose(ranks, extents[0], extents[1]);
    return summa_predict(&grid, network, share_most(extents[0], grid.rows), share_most(extents[1], grid.columns),
                         extents[2], work_s, time_s_p);
}

struct matmul_block matmul_whole(const struct matmul *matmul)
{
    return (struct matmul_block){.rows = matmul->rows,
                                 .columns = matmul->columns,
                                 .a = matmul->a,
                                 .b = matmul->b,
                                 .c = matmul->c,
                                 .lda = matmul->a_depth,
                                 .ldb = matmul->columns,
                                 .ldc = matmul->columns,
                                 .thread = omp_get_thread_num(),
                                 .threads = omp_get_num_threads()};
}

/* By the threads that will compute it. */
static void fill_c(const struct matmul *matmul, double value)
{
#pragma omp parallel
    {
        const struct matmul_block whole = matmul_whole(matmul), part = matmul_part(&whole);
        for (int64_t i = 0; i < part.rows; i++)
            for (int64_t j = 0; j < part.columns; j++) part.c[i * part.ldc + j] = value;
    }
}

static void fill_input(const struct matmul *matmul, char name, double *part, int64_t first_row, int64_t rows,
                       int64_t first_column, int64_t columns)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            part[i * columns + j] = matmul_element(matmul->seed, name, first_row + i, first_column + j);
}

static void lay_out(const struct team *team, const struct problem *problem, struct matmul *matmul_p)
{
    struct matmul matmul = {.seed = problem->seed};
    int64_t extents[3];
    extents_of(problem, extents);
    matmul.m = extents[0];
    matmul.n = extents[1];
    matmul.k = extents[2];
    matmul.grid = grid_choose(team_size(team), matmul.m, matmul.n);
    matmul.row = team_rank(team) / matmul.grid.columns;
    matmul.column = team_rank(team) % matmul.grid.columns;
    matmul.first_row = share_begin(matmul.m, matmul.grid.rows, matmul.row);
    matmul.rows = share_begin(matmul.m, matmul.grid.rows, matmul.row + 1) - matmul.first_row;
    matmul.first_column = share_begin(matmul.n, matmul.grid.columns, matmul.column);
    matmul.columns = share_begin(matmul.n, matmul.grid.columns, matmul.column + 1) - matmul.first_column;
    matmul.a_first = share_begin(matmul.k, matmul.grid.columns, matmul.column);
    matmul.a_depth = share_begin(matmul.k, matmul.grid.columns, matmul.column + 1) - matmul.a_first;
    matmul.b_first = share_begin(matmul.k, matmul.grid.rows, matmul.row);
    matmul.b_depth = share_begin(matmul.k, matmul.grid.rows, matmul.row + 1) - matmul.b_first;
    *matmul_p = matmul;
}

/* What no other rank takes part in. */
static int prepare_own(const struct problem *problem, struct matmul *matmul)
{
    const struct rung *rung = find_rung(problem->variant);
    struct matmul_tools *tools = &matmul->tools;
    int64_t scratch = (int64_t)matmul_check_doubles(matmul->m, matmul->columns, matmul->k);
    matmul->multiply = rung->multiply;
    matmul->advances = rung->packs;
    matmul->c = memory_new((size_t)(matmul->rows * matmul->columns) * sizeof(double));
    matmul->scratch = memory_new((size_t)scratch * sizeof(double));
    if (!matmul->c || !matmul->scratch) return -ENOMEM;
    int status = isa_find(problem->isa, &tools->isa);
    if (status < 0) return status;
    if (rung->packs) {
        tools->workspace = matmul_workspace_new(tools->isa, team_threads(tools->team), matmul->rows, matmul->columns,
                                                matmul->summa.step_most);
        if (!tools->workspace) return -ENOMEM;
    }
    return rung->multiply == matmul_blas ? matmul_blas_open(&tools->blas) : 0;
}

static void release(struct matmul *matmul)
{
    matmul_blas_close(&matmul->tools.blas);
    if (matmul->tools.workspace) matmul_workspace_free(matmul->tools.workspace);
    free(matmul->scratch);
    free(matmul->c);
    summa_release(matmul);
}

static void matmul_teardown(void *state)
{
    if (state) release(state);
    free(state);
}

static int matmul_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    struct matmul matmul, *kept = NULL;
    *state_p = NULL;
    lay_out(team, problem, &matmul);
    matmul.tools.team = team;
    int status = summa_prepare(team, problem->options[OPTION_PANELS] == PANELS_SHARED, &matmul);
    if (status == 0) status = prepare_own(problem, &matmul);
    if (status == 0 && !(kept = malloc(sizeof *kept))) status = -ENOMEM;
    if (status < 0) {
        release(&matmul);
        return status;
    }
    fill_input(&matmul, 'A', matmul.a, matmul.first_row, matmul.rows, matmul.a_first, matmul.a_depth);
    fill_input(&matmul, 'B', matmul.b, matmul.b_first, matmul.b_depth, matmul.first_column, matmul.columns);
    fill_c(&matmul, 0);
    *kept = matmul;
    *state_p = kept;
    return 0;
}

/* Not a number: what run leaves out shows. A and B stay, as others may read them still or already. */
static int matmul_reset(struct team *team, void *state)
{
    (void)team;
    fill_c(state, NAN);
    return 0;
}

const struct kernel matmul_kernel = {
    .name = "matmul",
    .summary = "Multiplies two matrices of doubles.",
    .lesson =
        "Much arithmetic on little data: it speeds up well on more cores, and yet how the loops are written matters "
        "more than many cores do. Compare the variants: --variant all.",
    .size_help = "N for square matrices, or MxNxK for C (M x N) = A (M x K) B (K x N); each 1 to 16777216",
    .size_default = "2000",
    .work_unit = "flop",
    .unshared = "--panels broadcast",
    .seed_default = 1,
    .variant_default = "packed",
    .variants =
        (const struct variant[]){
            {.name = "naive", .summary = "three loops as in the definition, i-j-k", .exact = true},
            {.name = "reordered",
             .summary = "the loops as i-k-j: B and C are read along rows, so that every byte fetched is used",
             .exact = true},
            {.name = "tiled",
             .summary = "works on tiles of B that stay in the caches while all rows of A pass by",
             .exact = true},
            {.name = "vector",
             .summary = "keeps a tile of C in vector registers: fused multiply-adds, and few loads for each",
             .exact = true},
            {.name = "packed",
             .summary =
                 "copies A and B in the order of use: no cache conflicts, few pages, all levels of cache at work",
             .exact = true},
            {.name = "blas",
             .summary = "the dgemm of the machine's BLAS, one thread for each worker: what experts reached",
             .exact = false,
             .unavailable = matmul_blas_unavailable},
            {.name = NULL}},
    .options =
        (const struct kernel_option[]){
            [OPTION_PANELS] = {.name = "panels",
                               .type = OPTION_CHOICE,
                               .min = PANELS_SHARED,
                               .max = PANELS_BROADCAST,
                               .fallback = PANELS_SHARED,
                               .choices = (const char *const[]){"shared", "broadcast", NULL},
                               .help =
                                   "how a rank gets at others' parts of A and B: in memory that the ranks of a node "
                                   "share (between nodes: broadcast), or always by broadcast"},
            {.name = NULL}},
    .parse_size = matmul_parse_size,
    .work = matmul_work,
    .memory = matmul_memory,
    .size_for = matmul_size_for,
    .prepare = matmul_prepare,
    .reset = matmul_reset,
    .run = summa_run,
    .check = matmul_check,
    .teardown = matmul_teardown,
    .corrupt = matmul_corrupt,
    .predict = matmul_predict,
};
