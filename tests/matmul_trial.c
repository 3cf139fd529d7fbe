/* Bits are compared with those of the definition (matmul_product.c). Of NaNs only that they are NaNs counts: IEEE 754
 * leaves their bits open.
 *
 * Around a matrix lie pages that fault when touched, or signalling NaNs: one that gets into a sum makes it NaN, and one
 * that is overwritten is missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "matmul_trial.h"

#include "../kernels/random.h"
#include "../src/worker/team.h"
#include "allocations.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A signalling NaN, and a quiet one. */
#define POISON       UINT64_C(0x7ff4dead0badbeef)
#define POISON_QUIET UINT64_C(0x7ff8dead0badbeef)
enum {
    STORE_DOUBLES = 1 << 21,
    NO_ONES_DOUBLES = 1 << 21,
    FENCED_ROWS = 64,
    FENCED_COLUMNS = 512, /* no page is smaller */
    LINE = 64 / sizeof(double),
    MARGIN = 32, /* doubles that are watched before and after a matrix */
    WORKSPACE_EXTENT = 1024
};

/* Memory for one matrix: pages between pages that fault, and again with each second page faulting. */
struct store {
    double *memory, *begin, *end, *fence;
};

struct trial_bench {
    struct store a, b, c;
    int64_t page; /* doubles */
    struct matmul_blas blas;
    struct team *team;
    struct matmul_workspace *workspaces[ISA_COUNT][TRIAL_THREADS_MAX + 1];
};

/* A matrix in its store, and how many doubles before and after it, or where `fenced` each row of it, may be touched. */
struct placed {
    double *at;
    int64_t rows, columns, ld;
    int64_t before, after;
    bool fenced;
};

static size_t store_bytes(int64_t page)
{
    return (size_t)(STORE_DOUBLES + 2 * NO_ONES_DOUBLES + (2 * FENCED_ROWS + 1) * page) * sizeof(double);
}

static void store_init(struct store *store_p, int64_t page)
{
    double *memory = mmap(NULL, store_bytes(page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(memory != MAP_FAILED);
    *store_p = (struct store){.memory = memory, .begin = memory + NO_ONES_DOUBLES};
    store_p->end = store_p->begin + STORE_DOUBLES;
    store_p->fence = store_p->end + NO_ONES_DOUBLES;
    assert_int_equal(mprotect(store_p->begin, STORE_DOUBLES * sizeof(double), PROT_READ | PROT_WRITE), 0);
    for (int row = 0; row < FENCED_ROWS; row++) {
        double *begin = store_p->fence + 2 * row * page;
        assert_int_equal(mprotect(begin, (size_t)page * sizeof(double), PROT_READ | PROT_WRITE), 0);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct placed place_fenced(const struct store *store, int64_t page, bool end, int64_t rows, int64_t columns)
{
    assert_true(rows <= FENCED_ROWS && columns <= page);
    int64_t room = page - columns;
    return (struct placed){.at = store->fence + (end ? room : 0),
                           .rows = rows,
                           .columns = columns,
                           .ld = 2 * page,
                           .before = end ? least(room, MARGIN) : 0,
                           .after = end ? 0 : least(room, MARGIN),
                           .fenced = true};
}

static struct placed place_whole(const struct store *store, struct layout layout, int64_t rows, int64_t columns)
{
    int64_t extent = (rows - 1) * layout.ld + columns, room = STORE_DOUBLES - extent;
    int64_t before = layout.place == PLACE_AT_END ? room : layout.place == PLACE_INSIDE ? MARGIN + layout.offset : 0;
    assert_true(layout.ld >= columns && room >= before);
    return (struct placed){.at = store->begin + before,
                           .rows = rows,
                           .columns = columns,
                           .ld = layout.ld,
                           .before = least(before, MARGIN),
                           .after = least(room - before, MARGIN)};
}

static struct placed place_matrix(const struct store *store, int64_t page, struct layout layout, int64_t rows,
                                  int64_t columns)
{
    bool fenced = layout.place == PLACE_FENCED_END || layout.place == PLACE_FENCED_BEGIN;
    /* One without elements lies where every access faults. */
    if (rows == 0 || columns == 0) return (struct placed){.at = store->end + LINE, .ld = layout.ld};
    return fenced ? place_fenced(store, page, layout.place == PLACE_FENCED_END, rows, columns)
                  : place_whole(store, layout, rows, columns);
}

/* What is watched with a row: what may be touched before the matrix, between its rows, and after it. */
static void row_limits(const struct placed *placed, int64_t row, double **from_p, double **to_p)
{
    double *at = placed->at + row * placed->ld, *end = at + placed->columns;
    bool last = row + 1 == placed->rows;
    *from_p = row == 0 || placed->fenced ? at - placed->before : at;
    *to_p = last || placed->fenced ? end + placed->after : at + placed->ld;
}

static void set_bits(double *from, double *to, uint64_t bits)
{
    for (double *p = from; p < to; p++) memcpy(p, &bits, sizeof bits);
}

/* Poison around, and inside the values, or where there are none, what must not be read. */
static void fill_matrix(const struct placed *placed, const double *values, int64_t ld, uint64_t unread)
{
    for (int64_t i = 0; i < placed->rows; i++) {
        double *from, *to, *row = placed->at + i * placed->ld, *end = row + placed->columns;
        row_limits(placed, i, &from, &to);
        set_bits(from, row, POISON);
        set_bits(end, to, POISON);
        if (values)
            memcpy(row, values + i * ld, (size_t)placed->columns * sizeof *row);
        else
            set_bits(row, end, unread);
    }
}

static bool has_bits(const double *from, const double *to, uint64_t bits)
{
    bool same = true;
    for (const double *p = from; p < to; p++) same = same && bits_of_double(*p) == bits;
    return same;
}

static void describe_matrix(char name, const struct layout *layout, size_t length, char *text)
{
    static const char *const places[] = {"inside", "at the end", "at the begin", "fenced at the ends",
                                         "fenced at the begins"};
    snprintf(text, length, "%c %s", name, places[layout->place]);
    size_t used = strlen(text);
    if (layout->place < PLACE_FENCED_END) snprintf(text + used, length - used, ", ld %" PRId64, layout->ld);
    used = strlen(text);
    if (layout->place == PLACE_INSIDE) snprintf(text + used, length - used, ", offset %d", layout->offset);
}

static void describe(const struct trial *trial, size_t length, char *text)
{
    char a[80], b[80], c[80];
    describe_matrix('A', &trial->a, sizeof a, a);
    describe_matrix('B', &trial->b, sizeof b, b);
    describe_matrix('C', &trial->c, sizeof c, c);
    snprintf(text, length,
             "%s, %s, m n k = %" PRId64 " %" PRId64 " %" PRId64 ", %s, threads %d; %s; %s; %s; pieces %" PRId64
             " %" PRId64 " %" PRId64 "%s%s",
             trial->contender->name, isa_name(trial->isa), trial->m, trial->n, trial->product->k,
             trial->add ? "C += A B" : "C = A B", trial->threads, a, b, c, trial->piece[0], trial->piece[1],
             trial->piece[2], trial->own_workspace ? ", own workspace" : "", trial->stamps ? ", stamps" : "");
}

static void fail_trial(const struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail_trial(const struct trial *trial, const char *format, ...)
{
    char text[512], what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    describe(trial, sizeof text, text);
    fail_msg("%s: %s", text, what);
}

/* What a fault's message is to name: a signal's handler gets no argument of ours. */
static const struct trial *volatile running;

static void tell_fault(int number)
{
    char text[512];
    if (running) {
        describe(running, sizeof text, text);
        dprintf(STDERR_FILENO, "touched what is not of the matrices, %s: %s\n", strsignal(number), text);
    }
    signal(number, SIG_DFL); /* and so it ends by it, when the access is tried again */
}

static bool rounds_once(enum isa isa)
{
#ifdef __aarch64__
    (void)isa;
    return true;
#else
    return isa != ISA_BASE;
#endif
}

static bool is_right(const struct trial *trial, int64_t at, double value)
{
    const struct product *product = trial->product;
    bool once = trial->contender->rounding == ROUNDS_AS_ISA && rounds_once(trial->isa);
    if (trial->contender->rounding == ROUNDS_FREELY) return product_is_within_bound(product, trial->add, at, value);
    double want = (once ? product->once : product->twice)[trial->add][at];
    return bits_of_double(value) == bits_of_double(want) || (isnan(value) && isnan(want));
}

static void check_result(const struct trial *trial, const struct placed *c)
{
    const struct product *product = trial->product;
    for (int64_t i = 0; i < c->rows; i++) {
        double *from, *to, *row = c->at + i * c->ld;
        row_limits(c, i, &from, &to);
        if (!has_bits(from, row, POISON) || !has_bits(row + c->columns, to, POISON))
            fail_trial(trial, "wrote outside of C, beside row %" PRId64, i);
        for (int64_t j = 0; j < c->columns; j++) {
            int64_t at = i * product->n + j;
            if (!is_right(trial, at, row[j]))
                fail_trial(trial, "C[%" PRId64 "][%" PRId64 "] is %a; rounded twice %a, once %a", i, j, row[j],
                           product->twice[trial->add][at], product->once[trial->add][at]);
        }
    }
}

static void check_input(const struct trial *trial, char name, const struct placed *placed, const double *values,
                        int64_t ld)
{
    for (int64_t i = 0; i < placed->rows; i++) {
        double *from, *to, *row = placed->at + i * placed->ld, *end = row + placed->columns;
        row_limits(placed, i, &from, &to);
        if (memcmp(row, values + i * ld, (size_t)placed->columns * sizeof *row) != 0 || !has_bits(from, row, POISON) ||
            !has_bits(end, to, POISON))
            fail_trial(trial, "changed %c or what is around it, row %" PRId64, name, i);
    }
}

static void wait_for_all(const struct trial *trial)
{
    if (trial->threads > 1) {
#pragma omp barrier
    }
}

/* All pieces, with those of the depth in its order. All threads wait for each other before more is added to C, and
 * before the workspace is used again. */
static void multiply_pieces(const struct trial *trial, const struct matmul_block *whole)
{
    int64_t extents[3] = {whole->rows, whole->columns, whole->depth}, begin[3], piece[3];
    for (int d = 0; d < 3; d++) piece[d] = trial->piece[d] > 0 ? trial->piece[d] : extents[d] + 1;
    for (begin[2] = 0; begin[2] == 0 || begin[2] < extents[2]; begin[2] += piece[2]) {
        for (begin[0] = 0; begin[0] == 0 || begin[0] < extents[0]; begin[0] += piece[0])
            for (begin[1] = 0; begin[1] == 0 || begin[1] < extents[1]; begin[1] += piece[1]) {
                struct matmul_block block = *whole;
                block.rows = least(piece[0], extents[0] - begin[0]);
                block.columns = least(piece[1], extents[1] - begin[1]);
                block.depth = least(piece[2], extents[2] - begin[2]);
                block.a += begin[0] * block.lda + begin[2];
                block.b += begin[2] * block.ldb + begin[1];
                block.c += begin[0] * block.ldc + begin[1];
                block.add = whole->add || begin[2] > 0;
                trial->contender->multiply(&block);
                if (trial->contender->needs_workspace) wait_for_all(trial);
            }
        wait_for_all(trial);
    }
}

static void multiply_share(const struct trial *trial, const struct matmul_block *block)
{
    struct team *team = block->tools->team;
    if (team) team_work_begin(team);
    multiply_pieces(trial, block);
    if (team) team_work_done(team);
}

static void multiply(const struct trial *trial, const struct matmul_block *block)
{
    if (trial->threads == 1) {
        multiply_share(trial, block);
        return;
    }
    int threads = 0;
#pragma omp parallel num_threads(trial->threads)
    {
        struct matmul_block mine = *block;
        mine.thread = omp_get_thread_num();
        if (mine.thread == 0) threads = omp_get_num_threads();
        multiply_share(trial, &mine);
    }
    assert_int_equal(threads, trial->threads);
}

/* NULL: out of memory. */
static struct matmul_workspace *find_workspace(struct trial_bench *bench, const struct trial *trial)
{
    if (trial->own_workspace) {
        int64_t extents[3] = {trial->m, trial->n, trial->product->k};
        for (int d = 0; d < 3; d++)
            if (trial->piece[d] > 0) extents[d] = least(extents[d], trial->piece[d]);
        return matmul_workspace_new(trial->isa, trial->threads, extents[0], extents[1], extents[2]);
    }
    struct matmul_workspace **kept = &bench->workspaces[trial->isa][trial->threads];
    if (!*kept)
        *kept = matmul_workspace_new(trial->isa, trial->threads, WORKSPACE_EXTENT, WORKSPACE_EXTENT, WORKSPACE_EXTENT);
    return *kept;
}

void trial_run(struct trial_bench *bench, const struct trial *trial)
{
    const struct product *product = trial->product;
    struct placed a = place_matrix(&bench->a, bench->page, trial->a, trial->m, product->k);
    struct placed b = place_matrix(&bench->b, bench->page, trial->b, product->k, trial->n);
    struct placed c = place_matrix(&bench->c, bench->page, trial->c, trial->m, trial->n);
    struct matmul_tools tools = {.isa = trial->isa, .blas = bench->blas, .team = trial->stamps ? bench->team : NULL};
    struct matmul_block block = {.rows = trial->m,
                                 .columns = trial->n,
                                 .depth = product->k,
                                 .a = a.at,
                                 .b = b.at,
                                 .c = c.at,
                                 .lda = a.ld,
                                 .ldb = b.ld,
                                 .ldc = c.ld,
                                 .add = trial->add,
                                 .threads = trial->threads,
                                 .tools = &tools};
    if (trial->contender->needs_workspace) {
        tools.workspace = find_workspace(bench, trial);
        if (!tools.workspace) fail_trial(trial, "no workspace");
    }
    fill_matrix(&a, product->a, product->k, 0);
    fill_matrix(&b, product->b, product->n, 0);
    fill_matrix(&c, trial->add ? product->c : NULL, product->n, trial->m % 2 ? POISON : POISON_QUIET);

    running = trial;
    signal(SIGSEGV, tell_fault);
    signal(SIGBUS, tell_fault);
    int64_t allocations = allocations_seen()->count;
    multiply(trial, &block);
    allocations = allocations_seen()->count - allocations;
    running = NULL;

    if (trial->own_workspace) matmul_workspace_free(tools.workspace);
    if (allocations > 0) fail_trial(trial, "allocated %" PRId64 " times", allocations);
    check_result(trial, &c);
    check_input(trial, 'A', &a, product->a, product->k);
    check_input(trial, 'B', &b, product->b, product->n);
}

int64_t trial_pick(uint64_t *random_p, int64_t below)
{
    *random_p = hash_pair(*random_p, 0);
    return (int64_t)(*random_p % (uint64_t)below);
}

static int64_t power_of_two_from(int64_t count)
{
    int64_t power = 1;
    while (power < count) power *= 2;
    return power;
}

static struct layout pick_layout(const struct trial *trial, int64_t rows, int64_t columns, uint64_t *random_p)
{
    struct layout layout = {.place = (enum place)trial_pick(random_p, 5), .ld = columns > 0 ? columns : 1};
    layout.offset = (int)trial_pick(random_p, LINE);
    if (rows > FENCED_ROWS || columns > FENCED_COLUMNS) layout.place %= PLACE_FENCED_END;
    if (trial->contender->rounding == ROUNDS_FREELY) layout.place = PLACE_INSIDE; /* a library's own affair */
    switch (trial_pick(random_p, 5)) {
    case 0:
        break;
    case 1:
        layout.ld += 1;
        break;
    case 2:
        layout.ld += trial_pick(random_p, 20);
        break;
    case 3:
        layout.ld = (layout.ld + LINE - 1) / LINE * LINE;
        break;
    case 4:
        layout.ld = power_of_two_from(layout.ld);
        break;
    }
    return layout;
}

void trial_shuffle(struct trial *trial, uint64_t *random_p)
{
    trial->a = pick_layout(trial, trial->m, trial->product->k, random_p);
    trial->b = pick_layout(trial, trial->product->k, trial->n, random_p);
    trial->c = pick_layout(trial, trial->m, trial->n, random_p);
    bool large = trial->m > WORKSPACE_EXTENT || trial->n > WORKSPACE_EXTENT || trial->product->k > WORKSPACE_EXTENT;
    trial->own_workspace = trial->contender->needs_workspace && (large || trial_pick(random_p, 8) == 0);
    trial->stamps = trial_pick(random_p, 8) == 0;
}

struct trial_bench *trial_bench_new(void)
{
    struct trial_bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->page = sysconf(_SC_PAGESIZE) / (int64_t)sizeof(double);
    store_init(&bench->a, bench->page);
    store_init(&bench->b, bench->page);
    store_init(&bench->c, bench->page);
    assert_int_equal(team_new_solo(&bench->team), 0);
    assert_int_equal(team_set_threads(bench->team, TRIAL_THREADS_MAX), 0);
    if (!matmul_blas_unavailable()) assert_int_equal(matmul_blas_open(&bench->blas), 0);
    return bench;
}

bool trial_bench_has_blas(const struct trial_bench *bench)
{
    return bench->blas.library != NULL;
}

void trial_bench_free(struct trial_bench *bench)
{
    struct store *stores[] = {&bench->a, &bench->b, &bench->c};
    for (int i = 0; i < 3; i++) munmap(stores[i]->memory, store_bytes(bench->page));
    for (int isa = 0; isa < ISA_COUNT; isa++)
        for (int threads = 0; threads <= TRIAL_THREADS_MAX; threads++)
            if (bench->workspaces[isa][threads]) matmul_workspace_free(bench->workspaces[isa][threads]);
    matmul_blas_close(&bench->blas);
    team_free(bench->team);
    free(bench);
}
