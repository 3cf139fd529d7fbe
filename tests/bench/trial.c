/* At each size, every contestant first multiplies once into a C full of NaN, and its result is compared with a
 * library's; so are those of all measurements. Then it finds its number of calls a measurement. A round measures each
 * once, in an order drawn anew. A call that is not timed comes before each measurement, and warms caches and threads,
 * unless one takes longer than WARM_MAX_S.
 */
#include "trial.h"

#include "../../src/observe/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEW_ROWS = 16, MORE_ROWS = 48 };
static const double WARM_MAX_S = 0.25;

struct run {
    struct contestants *all;
    const struct trial_wish *wish;
    struct trial *trial;
    struct product product;
    double *a, *b, *c, *reference;
    uint64_t random;
};

static int64_t elements(const struct shape *shape)
{
    return shape->m * shape->n;
}

static void leave_out(struct run *run, int i, const char *why)
{
    run->trial->of[i].calls = 0;
    snprintf(run->trial->of[i].why, sizeof run->trial->of[i].why, "%s", why);
}

static double time_calls(const struct contestant *contestant, const struct product *product, int64_t calls)
{
    double start_s = clock_wall_s();
    contestant->kind->multiply(contestant, product, calls);
    return clock_wall_s() - start_s;
}

/* By CPU time, which other tasks lengthen less. */
static double time_rows(const struct run *run, const struct contestant *contestant, int64_t rows)
{
    struct product part = run->product;
    if (part.shape.m > rows) part.shape.m = rows;
    double start_s = clock_thread_cpu_s();
    contestant->kind->multiply(contestant, &part, 1);
    return clock_thread_cpu_s() - start_s;
}

/* Some rows tell how long a call would take. What does not depend on the number of rows (packing B, pages that are
 * touched first) shows where few rows and more of them differ little. */
static bool is_too_slow(const struct run *run, const struct contestant *contestant)
{
    double rows = (double)run->product.shape.m, patience_s = run->wish->patience_s;
    if (time_rows(run, contestant, FEW_ROWS) * fmax(1, rows / FEW_ROWS) <= patience_s) return false;
    double few_s = time_rows(run, contestant, FEW_ROWS), more_s = time_rows(run, contestant, MORE_ROWS);
    return more_s + (more_s - few_s) / (MORE_ROWS - FEW_ROWS) * fmax(0, rows - MORE_ROWS) > patience_s;
}

static void compare(struct run *run, int i)
{
    struct trial *trial = run->trial;
    double bound = bench_product_bound(trial->shape.k);
    double difference = bench_largest_difference(elements(&trial->shape), run->c, run->reference);
    if (difference > trial->of[i].difference) trial->of[i].difference = difference;
    if (difference <= bound) return;
    trial->of[i].wrong = true;
    snprintf(trial->of[i].why, sizeof trial->of[i].why, "WRONG: differs by %.2g from %s; rounding allows %.2g",
             difference, run->all->list[trial->reference].name, bound);
}

static void spoil_result(struct run *run)
{
    for (int64_t at = 0; at < elements(&run->trial->shape); at++) run->c[at] = NAN;
}

static void call_first(struct run *run, int i)
{
    const struct contestant *contestant = &run->all->list[i];
    struct trial *trial = run->trial;
    spoil_result(run);
    double time_s = time_calls(contestant, &run->product, 1);
    if (trial->reference < 0) {
        trial->reference = i;
        memcpy(run->reference, run->c, (size_t)elements(&trial->shape) * sizeof *run->c);
    }
    compare(run, i);

    int64_t calls = 1;
    while (time_s < run->wish->min_time_s / 8) {
        calls *= 4;
        time_s = time_calls(contestant, &run->product, calls);
    }
    trial->of[i].call_s = time_s / (double)calls;
    trial->of[i].calls = (int64_t)fmax(1, round(run->wish->min_time_s / trial->of[i].call_s));
}

static void enter(struct run *run, int i)
{
    struct contestant *contestant = &run->all->list[i];
    const struct contestant_kind *kind = contestant->kind;
    if (kind->takes && !kind->takes(&run->trial->shape)) return;
    if (kind->prepare && kind->prepare(contestant, &run->trial->shape) < 0) {
        leave_out(run, i, "it could not be prepared");
        return;
    }
    run->trial->of[i].calls = 1;
    if (kind->rate) return;
    kind->settle(contestant);
    if (is_too_slow(run, contestant)) {
        char why[80];
        snprintf(why, sizeof why, "a call would take longer than %g s (--patience)", run->wish->patience_s);
        leave_out(run, i, why);
    } else
        call_first(run, i);
}

/* Returns flop/s; *waited_p is the share of the time for which threads waited for their CPUs. */
static double measure_once(const struct run *run, int i, double *waited_p)
{
    const struct contestant *contestant = &run->all->list[i];
    const struct contestant_kind *kind = contestant->kind;
    const struct shape *shape = &run->trial->shape;
    int64_t calls = run->trial->of[i].calls;
    double flop = 2.0 * (double)shape->m * (double)shape->n * (double)shape->k * (double)calls;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = (long)(run->wish->gap_s * 1e9)}, NULL);
    kind->settle(contestant);
    if (kind->multiply && run->trial->of[i].call_s < WARM_MAX_S) kind->multiply(contestant, &run->product, 1);

    double rate = 0, waited_s = bench_waited_s(), start_s = clock_wall_s(), time_s;
    if (kind->rate)
        rate = kind->rate(contestant, run->wish->min_time_s);
    else
        kind->multiply(contestant, &run->product, calls);
    time_s = clock_wall_s() - start_s;
    *waited_p = (bench_waited_s() - waited_s) / time_s;
    return kind->rate ? rate : flop / time_s;
}

/* Threads that share a CPU wait for each other. */
static double measure(struct run *run, int i)
{
    bool shared = run->all->list[i].threads > run->all->cpus.count;
    double waited, rate;
    int tries = 0;
    if (!run->all->list[i].kind->rate) spoil_result(run);
    do {
        rate = measure_once(run, i, &waited);
    } while (bench_must_repeat(shared ? 0 : waited, &tries, &run->trial->disturbances));
    if (!run->all->list[i].kind->rate) compare(run, i);
    return rate;
}

static void run_round(struct run *run, int round)
{
    int order[CONTESTANTS_MAX];
    bench_shuffle(run->all->count, &run->random, order);
    for (int turn = 0; turn < run->all->count; turn++) {
        int i = order[turn];
        const struct shape *shape = &run->trial->shape;
        if (run->trial->of[i].calls == 0) continue;
        double rate = measure(run, i);
        run->trial->of[i].rates[round] = rate;
        if (run->wish->csv)
            fprintf(run->wish->csv, "%lld,%lld,%lld,\"%s\",%d,%d,%d,%lld,%.6g\n", (long long)shape->m,
                    (long long)shape->n, (long long)shape->k, run->all->list[i].name, run->all->list[i].threads,
                    round + 1, turn + 1, (long long)run->trial->of[i].calls, rate);
    }
}

/* Libraries first: one of them is the reference. */
static void enter_all(struct run *run)
{
    for (int i = 0; i < run->all->count; i++)
        if (run->all->list[i].library) enter(run, i);
    for (int i = 0; i < run->all->count; i++)
        if (!run->all->list[i].library) enter(run, i);
}

static int allocate(struct run *run)
{
    const struct shape *shape = &run->trial->shape;
    bool huge = run->wish->huge_pages;
    run->a = bench_new_doubles(shape->m * shape->k, huge);
    run->b = bench_new_doubles(shape->k * shape->n, huge);
    run->c = bench_new_doubles(elements(shape), huge);
    run->reference = bench_new_doubles(elements(shape), huge);
    if (!run->a || !run->b || !run->c || !run->reference) return -1;
    bench_fill(shape->m * shape->k, run->a, 'A');
    bench_fill(shape->k * shape->n, run->b, 'B');
    run->product = (struct product){.shape = *shape, .a = run->a, .b = run->b, .c = run->c};
    return 0;
}

int trial_run(struct contestants *all, const struct trial_wish *wish, const struct shape *shape, struct trial *trial_p,
              struct error *error_p)
{
    struct run run = {.all = all, .wish = wish, .trial = trial_p, .random = (uint64_t)elements(shape)};
    int status = 0;
    *trial_p = (struct trial){.shape = *shape, .rounds = wish->rounds, .reference = -1};
    if (allocate(&run) < 0)
        status = error_set(error_p, STATUS_FAILED, "not enough memory for %lldx%lldx%lld", (long long)shape->m,
                           (long long)shape->n, (long long)shape->k);
    if (status == 0) enter_all(&run);
    for (int round = 0; status == 0 && round < wish->rounds; round++) run_round(&run, round);
    for (int i = 0; i < all->count; i++) {
        if (all->list[i].kind->finish) all->list[i].kind->finish(&all->list[i]);
        if (status == 0 && trial_p->of[i].wrong) status = STATUS_WRONG;
    }
    free(run.reference);
    free(run.c);
    free(run.b);
    free(run.a);
    return status;
}

void trial_print_csv_header(FILE *csv)
{
    fputs("m,n,k,contestant,threads,round,turn,calls,flop_per_s\n", csv);
}
