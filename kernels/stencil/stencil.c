/* Heat that spreads in a plate, as a kernel: its sizes, its memory, its table. stencil.h says where the rest is.
 *
 * The heat equation u_t = u_xx + u_yy on a grid of N x M points within a frame that keeps its values, in explicit steps
 * (Jacobi's): a point's next value is made of its own and of those of a star around it.
 *
 *     5 points   u + 1/8 (sum of the 4 beside - 4 u)                          second order
 *     9 points   u + 3/32 (4/3 sum of the 4 beside - 1/12 sum of the 4 behind - 5 u)   fourth order (Abramowitz,
 * Stegun: Handbook of Mathematical Functions, 25.3.24); the star of radius 2 of the ParRes Kernels
 *
 * Both are as long steps as let no wave grow or change its sign. Work is counted in points: one for each point and
 * step, of 7 or 13 flop.
 *
 * The roofline: a step reads a grid and writes one, which do not fit into the caches, so that a point takes
 *
 *     plain      24 bytes: a store first fetches what it overwrites
 *     streaming  16 bytes
 *     blocked    16 / k bytes: k steps while the points pass through the cache once
 *
 * and memory of B bytes a second allows B / 16 points a second. What two cores have in common is B.
 */
#include "stencil.h"
#include "../memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXTENT_MAX = 1 << 24, STEPS_MAX = 1 << 24, LINE_DOUBLES = 8 };
/* Both grids, of a thread's points: over this they are taken not to fit into a core's share of the caches. */
enum { CACHED_BYTES = 8 << 20 };
/* Between the grids: a load whose address ends as that of a store before it waits for that, if it is not done yet. */
enum { SHIFT_DOUBLES = 256 };

enum { OPTION_STEPS, OPTION_POINTS, OPTION_OVERLAP };
enum { POINTS_5, POINTS_9 };
enum { OVERLAP_ON, OVERLAP_OFF };
enum { PLAIN, STREAMING, BLOCKED }; /* in the order of the variants */

static int64_t variant_of(const struct problem *problem)
{
    return problem->variant - problem->kernel->variants;
}

static void extents_of(const struct problem *problem, int64_t *rows_p, int64_t *columns_p)
{
    *rows_p = problem->size.dim[0];
    *columns_p = problem->size.dim[problem->size.dims - 1];
}

static int stencil_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    int status = size_parse_extents(text, 2, &size);
    if (status < 0) return status;
    for (int i = 0; i < size.dims; i++)
        if (size.dim[i] > EXTENT_MAX) return -ERANGE;
    if (size.dims == 2 && size.dim[0] == size.dim[1]) size = (struct size){.dims = 1, .dim = {size.dim[0]}};
    *size_p = size;
    return 0;
}

static double stencil_work(const struct problem *problem)
{
    int64_t rows, columns;
    extents_of(problem, &rows, &columns);
    return (double)rows * (double)columns * problem->options[OPTION_STEPS];
}

/* The shape is kept; what rounding does to the rows the columns make good. */
static int stencil_size_for(const struct problem *problem, double work, struct size *size_p)
{
    int64_t rows, columns;
    double steps = problem->options[OPTION_STEPS];
    extents_of(problem, &rows, &columns);
    if (!(work >= 1 && work <= steps * EXTENT_MAX * EXTENT_MAX)) return -ERANGE;
    double scale = sqrt(work / stencil_work(problem));
    struct size size = {.dims = problem->size.dims, .dim = {(int64_t)fmax(1, round(scale * (double)rows))}};
    if (size.dims == 2) size.dim[1] = (int64_t)fmax(1, round(work / steps / (double)size.dim[0]));
    for (int i = 0; i < size.dims; i++)
        if (size.dim[i] > EXTENT_MAX) return -ERANGE;
    *size_p = size;
    return 0;
}

static int64_t round_up(int64_t count)
{
    return (count + LINE_DOUBLES - 1) / LINE_DOUBLES * LINE_DOUBLES;
}

int stencil_pass_steps(int64_t extent, int radius)
{
    int64_t most = extent / (4 * radius);
    if (most < 1) return 1;
    return most < PASS_STEPS_MAX ? (int)most : PASS_STEPS_MAX;
}

/* Of the smallest part, in a direction that is cut; where none is, all that there can be. */
static int64_t least_extent(struct parts parts, int64_t rows, int64_t columns)
{
    int64_t least = EXTENT_MAX;
    if (parts.rows > 1) least = rows / parts.rows;
    if (parts.columns > 1 && columns / parts.columns < least) least = columns / parts.columns;
    return least;
}

static struct stencil lay_out(const struct problem *problem, int ranks, int rank, int threads)
{
    struct stencil stencil = {.seed = problem->seed,
                              .steps = (int64_t)problem->options[OPTION_STEPS],
                              .radius = problem->options[OPTION_POINTS] == POINTS_5 ? 1 : 2,
                              .pass_steps = 1,
                              .overlaps = problem->options[OPTION_OVERLAP] == OVERLAP_ON,
                              .threads = threads};
    extents_of(problem, &stencil.rows, &stencil.columns);
    struct parts parts = parts_choose(ranks, stencil.rows, stencil.columns, stencil.radius);
    stencil.part = part_of(parts, rank, stencil.rows, stencil.columns);
    if (variant_of(problem) == BLOCKED)
        stencil.pass_steps = stencil_pass_steps(least_extent(parts, stencil.rows, stencil.columns), stencil.radius);
    stencil.halo = stencil.pass_steps * stencil.radius;
    if (stencil.halo < stencil.radius) stencil.halo = stencil.radius;
    stencil.stride = round_up(stencil.part.columns + 2 * round_up(stencil.halo));
    stencil.ring_doubles = stencil_ring_doubles(&stencil, &stencil.ring_stride);
    double grids = 2 * (double)stencil.part.rows * (double)stencil.part.columns * sizeof(double);
    stencil.streams = variant_of(problem) != PLAIN && grids > (double)CACHED_BYTES * threads;
    return stencil;
}

static int64_t grid_doubles(const struct stencil *stencil)
{
    return (stencil->part.rows + 2 * stencil->halo) * stencil->stride + SHIFT_DOUBLES;
}

/* Of the first rank, which has one of the largest parts, and one thread: each further thread has its rings, up to
 * 1.2 MiB. */
static double stencil_memory(const struct problem *problem, int ranks)
{
    struct stencil stencil = lay_out(problem, ranks, 0, 1);
    double doubles = 2 * (double)grid_doubles(&stencil) + (double)stencil.ring_doubles +
                     (double)(stencil.part.rows + stencil.part.columns);
    for (int i = 0; i < DIRECTIONS; i++) doubles += (double)stencil_swap_doubles(&stencil, i);
    return ranks * (doubles * sizeof(double) + (double)sizeof stencil);
}

static void stencil_teardown(void *state)
{
    struct stencil *stencil = state;
    if (!stencil) return;
    closed_form_release(&stencil->form);
    free(stencil->messages);
    free(stencil->rings);
    for (int i = 0; i < 2; i++) free(stencil->memory[i]);
    free(stencil);
}

static int allocate(struct stencil *stencil)
{
    int64_t doubles = 0;
    for (int i = 0; i < DIRECTIONS; i++) doubles += stencil_swap_doubles(stencil, i);
    stencil->messages = memory_new((size_t)doubles * sizeof(double));
    stencil->rings = memory_new((size_t)(stencil->threads * stencil->ring_doubles) * sizeof(double));
    for (int i = 0; i < 2; i++) {
        stencil->memory[i] = memory_new((size_t)grid_doubles(stencil) * sizeof(double));
        if (!stencil->memory[i]) return -ENOMEM;
        stencil->grid[i] =
            stencil->memory[i] + i * SHIFT_DOUBLES + stencil->halo * stencil->stride + round_up(stencil->halo);
    }
    if (!stencil->messages || !stencil->rings) return -ENOMEM;
    double *message = stencil->messages;
    for (int i = 0; i < DIRECTIONS; i++) {
        int64_t both = stencil_swap_doubles(stencil, i);
        stencil->swaps[i] = (struct swap){.sent = message, .received = message + both / 2, .request = {-1}};
        message += both;
    }
    return 0;
}

/* Not a number, wherever nobody has computed or sent anything. By the threads that will compute it. */
static void fill(const struct stencil *stencil)
{
    int64_t halo = stencil->halo, rows = stencil->part.rows, before = round_up(halo);
    const int *neighbours = stencil->part.neighbours;
    int64_t top = neighbours[0] < 0 ? -1 : 0, bottom = rows + (neighbours[1] < 0 ? 1 : 0);
    int64_t left = neighbours[2] < 0 ? -1 : 0, right = stencil->part.columns + (neighbours[3] < 0 ? 1 : 0);
#pragma omp parallel for schedule(static) num_threads(stencil->threads)
    for (int64_t i = -halo; i < rows + halo; i++)
        for (int64_t j = -before; j < stencil->stride - before; j++) {
            bool known = i >= top && i < bottom && j >= left && j < right;
            bool point = i >= 0 && i < rows && j >= 0 && j < stencil->part.columns;
            double value = known ? closed_form_start(stencil, i, j) : NAN;
            stencil->grid[0][i * stencil->stride + j] = value;
            stencil->grid[1][i * stencil->stride + j] = point ? NAN : value;
        }
}

static int stencil_reset(struct team *team, void *state)
{
    struct stencil *stencil = state;
    (void)team;
    stencil->now = 0;
    if (stencil->part.rows == 0) return 0;
    fill(stencil);
    stencil_mirror(stencil);
    return 0;
}

static int stencil_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    enum isa isa;
    *state_p = NULL;
    int status = isa_find(problem->isa, &isa);
    if (status < 0) return status;
    struct stencil *stencil = malloc(sizeof *stencil);
    if (!stencil) return -ENOMEM;
    *stencil = lay_out(problem, team_size(team), team_rank(team), team_threads(team));
    stencil->code = stencil_code_find(isa);
    status = allocate(stencil);
    if (status == 0) status = closed_form_init(stencil, &stencil->form);
    if (status < 0) {
        stencil_teardown(stencil);
        return status;
    }
    stencil_reset(team, stencil);
    *state_p = stencil;
    return 0;
}

const struct kernel stencil_kernel = {
    .name = "stencil",
    .summary = "Spreads heat in a plate: each point takes a mean of those around it, step by step.",
    .lesson = "Neighbours must be told after every step what changed at the edge. The edge grows slower than the "
              "surface: large parts hide what small ones pay for. Compare --overlap on and off, and large and small "
              "sizes.",
    .size_help = "N for N x N points, or NxM for N rows of M; each 1 to 16777216",
    .size_default = "4096",
    .work_unit = "point",
    .seed_default = 1,
    .variant_default = "streaming",
    .variants =
        (const struct variant[]){
            [PLAIN] = {.name = "plain",
                       .summary = "a loop over rows as the compiler makes it: 24 bytes of memory for a point",
                       .exact = true},
            [STREAMING] = {.name = "streaming",
                           .summary = "stores past the caches where the grids do not fit into them: 16 bytes",
                           .exact = true},
            [BLOCKED] = {.name = "blocked",
                         .summary = "up to eight steps while a row is in the cache, and deeper halos for them: 2 bytes",
                         .exact = true},
            {.name = NULL}},
    .options =
        (const struct kernel_option[]){
            [OPTION_STEPS] = {.name = "steps",
                              .type = OPTION_COUNT,
                              .min = 1,
                              .max = STEPS_MAX,
                              .fallback = 20,
                              .help = "how many steps in time"},
            [OPTION_POINTS] = {.name = "points",
                               .type = OPTION_CHOICE,
                               .min = POINTS_5,
                               .max = POINTS_9,
                               .fallback = POINTS_5,
                               .choices = (const char *const[]){"5", "9", NULL},
                               .help = "of the star: 5 reaches one point far, 9 two, and sends twice as much"},
            [OPTION_OVERLAP] = {.name = "overlap",
                                .type = OPTION_CHOICE,
                                .min = OVERLAP_ON,
                                .max = OVERLAP_OFF,
                                .fallback = OVERLAP_ON,
                                .choices = (const char *const[]){"on", "off", NULL},
                                .help = "on: inner points are computed while halos travel; off: after they came"},
            {.name = NULL}},
    .parse_size = stencil_parse_size,
    .work = stencil_work,
    .memory = stencil_memory,
    .size_for = stencil_size_for,
    .prepare = stencil_prepare,
    .reset = stencil_reset,
    .run = stencil_run,
    .check = stencil_check,
    .teardown = stencil_teardown,
    .corrupt = stencil_corrupt,
};
