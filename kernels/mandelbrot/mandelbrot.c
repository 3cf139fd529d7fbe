/* The Mandelbrot set by escape time: for each pixel, how many steps of z <- z^2 + c it takes until |z| > 2, up to
 * `iterations`.
 *
 * Pixels need not know of each other, but some take `iterations` steps and some none, and those alike lie side by side:
 * whoever deals out the rows without a look at the work gives one worker much more than another. Rows are dealt to
 * ranks in even blocks, in turn, or from a queue that all ranks share; and a rank's rows to its threads by an OpenMP
 * schedule, or from the rows that the rank took out of the queue.
 *
 * Variants: scalar computes point by point; vector groups of points in vectors (code.inc). Cost: 6 to 10 operations a
 * step, each step waiting for the one before; no memory traffic but 4 bytes written a pixel; between ranks nothing, or
 * the queue's number for each chunk of rows.
 */
#include "mandelbrot.h"

#include "../memory.h"
#include "../share.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS, X, Y, WIDTH, SCHEDULE, DEAL, CHUNK }; /* rows of the table of options */
enum { EXTENT_MAX = 1 << 18 };
#define PIXELS_MAX ((double)EXTENT_MAX * EXTENT_MAX)

static const omp_sched_t schedules[] = {omp_sched_static, omp_sched_dynamic, omp_sched_guided};

/* ---- The algorithm, and how it is split. ---- */

static void compute_slot(struct mandelbrot *mandelbrot, int64_t slot)
{
    const struct view *view = &mandelbrot->view;
    double im = view_im(view, mandelbrot_row(mandelbrot, slot));
    uint32_t *counts = mandelbrot->counts + slot * view->columns;
    if (mandelbrot->code)
        mandelbrot->code->count(view->columns, mandelbrot->re, im, mandelbrot->iterations, counts);
    else
        for (int64_t i = 0; i < view->columns; i++)
            counts[i] = count_point(mandelbrot->re[i], im, mandelbrot->iterations);
    mandelbrot->times[slot]++;
}

/* Blocks and turns: which rows are this rank's is settled before. */
static void run_own_rows(struct team *team, struct mandelbrot *mandelbrot)
{
    omp_set_schedule((omp_sched_t)mandelbrot->schedule, (int)mandelbrot->chunk);
#pragma omp parallel
    {
        team_work_begin(team);
#pragma omp for schedule(runtime) nowait
        for (int64_t slot = 0; slot < mandelbrot->slots; slot++) compute_slot(mandelbrot, slot);
        team_work_done(team);
    }
}

/* Rows that are taken at a time. */
static int64_t turn_length(const struct mandelbrot *mandelbrot)
{
    return mandelbrot->chunk > 0 ? mandelbrot->chunk : 1;
}

struct rows {
    int64_t next, end;
};

/* What this rank has taken out of the queue. Only the master thread may call the team: it takes a chunk of rows for
 * each thread at a time, and the next before the threads have used up those. */
struct pool {
    struct team *team;
    int64_t all, chunk; /* rows of the picture; that are taken out of the queue at a time */
    bool reserves;      /* there are threads that cannot take rows out of the queue themselves */
    struct rows now, later;
    bool empty; /* the queue */
    int status;
};

static void refill(struct pool *pool)
{
    int64_t first = pool->all;
    bool enough;
#pragma omp critical(mandelbrot_pool)
    enough = pool->empty || pool->later.next < pool->later.end || (!pool->reserves && pool->now.next < pool->now.end);
    if (enough) return;
    int status = team_queue_next(pool->team, pool->chunk, &first);
    int64_t end = first < pool->all - pool->chunk ? first + pool->chunk : pool->all;
#pragma omp critical(mandelbrot_pool)
    {
        if (status < 0) pool->status = status;
        pool->empty = status < 0 || first >= pool->all;
        if (!pool->empty) pool->later = (struct rows){first, end};
    }
}

/* Returns false where there is none; *over_p: nor will there be one. */
static bool take_row(struct pool *pool, int64_t *row_p, bool *over_p)
{
    bool got;
#pragma omp critical(mandelbrot_pool)
    {
        if (pool->now.next == pool->now.end) {
            pool->now = pool->later;
            pool->later = (struct rows){0, 0};
        }
        got = pool->now.next < pool->now.end;
        if (got) *row_p = pool->now.next++;
        *over_p = !got && pool->empty;
    }
    return got;
}

/* The next row for this thread; false where there is none any more. To wait is no work. */
static bool next_row(struct pool *pool, bool master, int64_t *row_p)
{
    bool over;
    if (master) refill(pool);
    bool got = take_row(pool, row_p, &over);
    if (got || over) return got;
    team_work_done(pool->team);
    while (!got && !over) {
        if (master)
            refill(pool);
        else
            sched_yield();
        got = take_row(pool, row_p, &over);
    }
    team_work_begin(pool->team);
    return got;
}

/* The queue: whoever is free takes the next row. */
static int run_queue(struct team *team, struct mandelbrot *mandelbrot)
{
    int threads = team_threads(team);
    struct pool pool = {.team = team,
                        .all = mandelbrot->view.rows,
                        .chunk = turn_length(mandelbrot) * threads,
                        .reserves = threads > 1};
#pragma omp parallel
    {
        bool master = omp_get_thread_num() == 0;
        int64_t row;
        team_work_begin(team);
        while (next_row(&pool, master, &row)) {
            compute_slot(mandelbrot, row);
            if (master) team_progress(team); /* others may wait for an answer of ours */
        }
        team_work_done(team);
    }
    int status = team_queue_end(team);
    return pool.status < 0 ? pool.status : status;
}

static int mandelbrot_run(struct team *team, void *state)
{
    struct mandelbrot *mandelbrot = state;
    if (mandelbrot->deal == DEAL_QUEUE) return run_queue(team, mandelbrot);
    run_own_rows(team, mandelbrot);
    return 0;
}

/* ---- Who has which rows. ---- */

int64_t mandelbrot_row(const struct mandelbrot *mandelbrot, int64_t slot)
{
    int64_t length = turn_length(mandelbrot);
    switch (mandelbrot->deal) {
    case DEAL_BLOCK:
        return share_begin(mandelbrot->view.rows, mandelbrot->ranks, mandelbrot->rank) + slot;
    case DEAL_CYCLIC:
        return (slot / length * mandelbrot->ranks + mandelbrot->rank) * length + slot % length;
    case DEAL_QUEUE:
        break;
    }
    return slot; /* any may come */
}

static int64_t count_slots(const struct mandelbrot *mandelbrot)
{
    int64_t rows = mandelbrot->view.rows, length = turn_length(mandelbrot), round = length * mandelbrot->ranks;
    switch (mandelbrot->deal) {
    case DEAL_BLOCK:
        return share_begin(rows, mandelbrot->ranks, mandelbrot->rank + 1) -
               share_begin(rows, mandelbrot->ranks, mandelbrot->rank);
    case DEAL_CYCLIC: {
        int64_t last = rows % round - length * mandelbrot->rank; /* of the last round, which may be cut off */
        return rows / round * length + (last < 0 ? 0 : last < length ? last : length);
    }
    case DEAL_QUEUE:
        break;
    }
    return rows;
}

struct view view_of(const struct problem *problem)
{
    struct view view = {.columns = problem->size.dim[0],
                        .rows = problem->size.dims > 1 ? problem->size.dim[1] : problem->size.dim[0]};
    view.half_step = problem->options[WIDTH] / (double)view.columns / 2;
    view.left = llround(problem->options[X] / view.half_step) - (view.columns - 1);
    view.top = llround(problem->options[Y] / view.half_step) + (view.rows - 1);
    return view;
}

/* ---- Bookkeeping. ---- */

static int mandelbrot_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    int status = size_parse_extents(text, 2, &size);
    if (status == 0 && (size.dim[0] > EXTENT_MAX || size.dim[1] > EXTENT_MAX)) status = -ERANGE;
    if (status == 0) *size_p = size;
    return status;
}

static double mandelbrot_work(const struct problem *problem)
{
    struct view view = view_of(problem);
    return (double)view.columns * (double)view.rows;
}

static double mandelbrot_memory(const struct problem *problem, int ranks)
{
    struct view view = view_of(problem);
    double row = (double)view.columns * sizeof(uint32_t) + 1, rows = (double)view.rows;
    double copies = problem->options[DEAL] == DEAL_QUEUE ? ranks : 1;
    return copies * rows * row + ranks * (8.0 * (double)view.columns + 8.0 * (double)mandelbrot_table_words(&view));
}

/* More pixels of the same view, at the same shape. */
static int mandelbrot_size_for(const struct problem *problem, double work, struct size *size_p)
{
    if (!(work >= 0.5 && work <= PIXELS_MAX)) return -ERANGE;
    struct size size = problem->size;
    double columns = (double)size.dim[0], rows = size.dims > 1 ? (double)size.dim[1] : columns;
    double wide = round(sqrt(work * columns / rows));
    if (wide < 1) wide = 1;
    double high = size.dims > 1 ? fmax(1, round(work / wide)) : wide;
    if (wide > EXTENT_MAX || high > EXTENT_MAX) return -ERANGE;
    size.dim[0] = (int64_t)wide;
    if (size.dims > 1) size.dim[1] = (int64_t)high;
    *size_p = size;
    return 0;
}

static void mandelbrot_teardown(void *state)
{
    struct mandelbrot *mandelbrot = state;
    if (!mandelbrot) return;
    free(mandelbrot->re);
    free(mandelbrot->counts);
    free(mandelbrot->times);
    free(mandelbrot->table);
    free(mandelbrot);
}

static int mandelbrot_reset(struct team *team, void *state)
{
    struct mandelbrot *mandelbrot = state;
#pragma omp parallel for schedule(static)
    for (int64_t slot = 0; slot < mandelbrot->slots; slot++) {
        uint32_t *counts = mandelbrot->counts + slot * mandelbrot->view.columns;
        for (int64_t i = 0; i < mandelbrot->view.columns; i++) counts[i] = COUNT_NONE;
        mandelbrot->times[slot] = 0;
    }
    return mandelbrot->deal == DEAL_QUEUE ? team_queue_reset(team) : 0;
}

static struct mandelbrot mandelbrot_of(const struct team *team, const struct problem *problem)
{
    struct mandelbrot mandelbrot = {.view = view_of(problem),
                                    .iterations = (uint32_t)problem->options[ITERATIONS],
                                    .seed = problem->seed,
                                    .deal = (enum deal)problem->options[DEAL],
                                    .chunk = (int64_t)problem->options[CHUNK],
                                    .schedule = (int)schedules[(int)problem->options[SCHEDULE]],
                                    .rank = team_rank(team),
                                    .ranks = team_size(team)};
    mandelbrot.slots = count_slots(&mandelbrot);
    return mandelbrot;
}

static int mandelbrot_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    enum isa isa;
    *state_p = NULL;
    int status = isa_find(problem->isa, &isa);
    if (status < 0) return status;
    /* What may fail on one rank alone comes after this, which makes the queue. */
    if (problem->options[DEAL] == DEAL_QUEUE) status = team_queue_reset(team);
    if (status < 0) return status;
    struct mandelbrot *mandelbrot = malloc(sizeof *mandelbrot);
    if (!mandelbrot) return -ENOMEM;
    *mandelbrot = mandelbrot_of(team, problem);
    if (strcmp(problem->variant->name, "vector") == 0) mandelbrot->code = mandelbrot_code_find(isa);
    size_t columns = (size_t)mandelbrot->view.columns, slots = (size_t)mandelbrot->slots;
    mandelbrot->re = malloc(columns * sizeof *mandelbrot->re);
    mandelbrot->counts = memory_new(slots * columns * sizeof *mandelbrot->counts);
    mandelbrot->times = calloc(slots + 1, 1);
    mandelbrot->table = malloc((size_t)mandelbrot_table_words(&mandelbrot->view) * sizeof *mandelbrot->table);
    if (!mandelbrot->re || !mandelbrot->counts || !mandelbrot->times || !mandelbrot->table) {
        mandelbrot_teardown(mandelbrot);
        return -ENOMEM;
    }
    for (int64_t i = 0; i < mandelbrot->view.columns; i++) mandelbrot->re[i] = view_re(&mandelbrot->view, i);
    *state_p = mandelbrot;
    return 0;
}

static void mandelbrot_picture_size(const struct problem *problem, int64_t *width_p, int64_t *height_p)
{
    struct view view = view_of(problem);
    *width_p = view.columns;
    *height_p = view.rows;
}

static const char *const schedule_names[] = {"static", "dynamic", "guided", NULL};
static const char *const deal_names[] = {"block", "cyclic", "queue", NULL};

static const struct kernel_option mandelbrot_options[] = {
    [ITERATIONS] = {.name = "iterations",
                    .type = OPTION_COUNT,
                    .min = 1,
                    .max = 1e8,
                    .fallback = 4000,
                    .help = "steps after which a point counts as one of the set"},
    [X] = {.name = "x", .type = OPTION_NUMBER, .min = -4, .max = 4, .fallback = -0.5, .help = "centre, real part"},
    [Y] = {.name = "y",
           .type = OPTION_NUMBER,
           .min = -4,
           .max = 4,
           .fallback = 0.5,
           .help = "centre, imaginary part; at 0 the halves mirror each other, and two blocks are even by chance"},
    [WIDTH] = {.name = "width",
               .type = OPTION_NUMBER,
               .min = 1e-10,
               .max = 100,
               .fallback = 3.4,
               .help = "width of the picture in the plane"},
    [SCHEDULE] = {.name = "schedule",
                  .type = OPTION_CHOICE,
                  .choices = schedule_names,
                  .fallback = 0,
                  .help =
                      "how a rank's rows are dealt to its threads, as OpenMP calls it; with --deal queue each takes "
                      "the next"},
    [DEAL] = {.name = "deal",
              .type = OPTION_CHOICE,
              .choices = deal_names,
              .fallback = 0,
              .help = "how rows are dealt to ranks: an even block each, in turn, or to whoever is free"},
    [CHUNK] = {.name = "chunk",
               .type = OPTION_COUNT,
               .min = 0,
               .max = 1e6,
               .fallback = 0,
               .help = "rows dealt at a time; 0: one, and with schedule static an even share"},
    {.name = NULL}};

const struct kernel mandelbrot_kernel = {
    .name = "mandelbrot",
    .summary = "Draws the Mandelbrot set: how many steps each point takes to escape.",
    .lesson = "Even shares of the rows are not even shares of the work: some workers are done long before the last. "
              "Smaller pieces, dealt in turn or to whoever is free, cure it.",
    .size_help = "pixels: N, or WIDTHxHEIGHT, each 1 to 262144",
    .size_default = "2000",
    .work_unit = "pixel",
    .seed_default = 1,
    .variant_default = "vector",
    .variants =
        (const struct variant[]){
            {.name = "scalar", .summary = "point by point in plain C", .exact = true},
            {.name = "vector",
             .summary = "four vectors of points at a time, looked at every 16 steps as long as none escapes",
             .exact = true},
            {.name = NULL}},
    .options = mandelbrot_options,
    .parse_size = mandelbrot_parse_size,
    .work = mandelbrot_work,
    .memory = mandelbrot_memory,
    .size_for = mandelbrot_size_for,
    .prepare = mandelbrot_prepare,
    .reset = mandelbrot_reset,
    .run = mandelbrot_run,
    .check = mandelbrot_check,
    .teardown = mandelbrot_teardown,
    .corrupt = mandelbrot_corrupt,
    .picture_size = mandelbrot_picture_size,
    .draw = mandelbrot_draw,
};
