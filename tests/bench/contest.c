/* All ranks begin a call together, and its time is that of the slowest. While rank 0 works alone, and between calls,
 * the others sleep: a spinning rank would take power, or the CPU, from those that work.
 */
#include "contest.h"

#include "../../src/observe/thread.h"

#include <math.h>
#include <mpi.h>
#include <time.h>

enum { CALLS_MAX = 200, NAME = 20, RATE = 22, RATIO = 24 };
static const double WARM_MAX_S = 0.1; /* of a call: a shorter one is made once before it is timed */

/* A barrier in which waiting ranks sleep. */
static void gate(void)
{
    MPI_Request request;
    int done = 0;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 200000}, NULL);
}

bool contest_any_rank(struct contest *contest, bool here)
{
    uint64_t count = here;
    return team_sum_u64(contest->team, 1, &count) < 0 || count > 0;
}

/* Returns the time of the slowest rank; *waited_p is the longest that a rank waited for its CPU. NAN: it failed. */
static double time_call(struct contest *contest, struct entry *entry, double *waited_p)
{
    gate();
    int status = entry->kind->reset(entry);
    if (!entry->alone) team_barrier(contest->team);
    struct thread_counters before, after; /* MPI's own threads may wait for us */
    thread_counters_read(&before);
    double start_s = clock_wall_s();
    if (status == 0) status = entry->kind->run(entry);
    double time_s = clock_wall_s() - start_s;
    thread_counters_read(&after);
    double values[3] = {time_s, fmax(0, after.runqueue_wait_s - before.runqueue_wait_s), status < 0};
    gate();
    team_max_double(contest->team, 3, values);
    *waited_p = values[1];
    return values[2] > 0 ? NAN : values[0];
}

static double measure_once(struct contest *contest, struct entry *entry, double flop, double *waited_p)
{
    double time_s = 0, waited_s;
    if (entry->call_s < WARM_MAX_S) time_call(contest, entry, waited_p);
    *waited_p = 0;
    for (int64_t call = 0; call < entry->calls; call++) {
        time_s += time_call(contest, entry, &waited_s);
        *waited_p += waited_s;
    }
    *waited_p /= time_s;
    return flop * (double)entry->calls / time_s;
}

static double measure(struct contest *contest, struct entry *entry, double flop)
{
    bool shared = contest->cpus < team_size(contest->team);
    double waited, rate;
    int tries = 0;
    do {
        rate = measure_once(contest, entry, flop, &waited);
    } while (bench_must_repeat(shared ? 0 : waited, &tries, &contest->disturbances));
    return rate;
}

static void check(struct contest *contest, struct entry *entry)
{
    char detail[256] = "";
    bool wrong = !entry->kind->is_right(entry, sizeof detail, detail);
    if (wrong) printf("WRONG on rank %d: %s: %s\n", contest->rank, entry->name, detail);
    if (contest_any_rank(contest, wrong)) entry->wrong = true;
}

static int prepare(struct contest *contest, struct entry *entry, int64_t n, struct error *error_p)
{
    double waited;
    entry->wrong = false;
    if (contest_any_rank(contest, entry->kind->prepare(entry, n) < 0))
        return error_set(error_p, STATUS_FAILED, "%s, N = %lld: not enough memory, or not to be had", entry->name,
                         (long long)n);
    time_call(contest, entry, &waited);
    check(contest, entry);
    entry->call_s = time_call(contest, entry, &waited);
    if (isnan(entry->call_s)) return error_set(error_p, STATUS_FAILED, "%s: it failed", entry->name);
    entry->calls = (int64_t)fmin(CALLS_MAX, fmax(1, round(contest->min_time_s / entry->call_s)));
    return 0;
}

static void run_round(struct contest *contest, int64_t n, int round, uint64_t *random)
{
    int order[ENTRIES_MAX];
    bench_shuffle(contest->entries->count, random, order);
    for (int turn = 0; turn < contest->entries->count; turn++) {
        struct entry *entry = &contest->entries->list[order[turn]];
        entry->rates[round] = measure(contest, entry, 2.0 * (double)n * (double)n * (double)n);
        check(contest, entry);
        if (contest->csv)
            fprintf(contest->csv, "%lld,\"%s\",%d,%d,%d,%lld,%.6g\n", (long long)n, entry->name,
                    team_size(contest->team), round + 1, turn + 1, (long long)entry->calls, entry->rates[round]);
    }
}

/* The pdgemm with the highest median; NULL: none. */
static const struct entry *find_best(const struct contest *contest)
{
    const struct entry *best = NULL;
    for (int i = 0; i < contest->entries->count; i++) {
        const struct entry *entry = &contest->entries->list[i];
        if (!entry->scalapack || entry->wrong) continue;
        int rounds = contest->rounds;
        if (!best || bench_estimate(rounds, entry->rates).median > bench_estimate(rounds, best->rates).median)
            best = entry;
    }
    return best;
}

static void print_table(const struct contest *contest, int64_t n)
{
    const struct entry *best = find_best(contest), *serial = &contest->entries->list[0];
    int rounds = contest->rounds;
    char text[80], title[64];
    printf("\nN = %lld; %s\n%-*s%*s", (long long)n, bench_interval_text(rounds, sizeof text, text), NAME, "", RATE,
           "GFLOP/s");
    snprintf(title, sizeof title, "/ %d x serial", contest->cpus);
    printf("%*s%*s\n", RATIO, title, RATIO, best ? "/ best pdgemm" : "");
    for (int i = 0; i < contest->entries->count; i++) {
        const struct entry *entry = &contest->entries->list[i];
        double gflops[BENCH_ROUNDS_MAX], most[BENCH_ROUNDS_MAX];
        for (int round = 0; round < rounds; round++) {
            gflops[round] = entry->rates[round] * 1e-9;
            most[round] = serial->rates[round] * contest->cpus;
        }
        printf("%-*s", NAME, entry->name);
        if (entry->wrong) {
            puts("  WRONG");
            continue;
        }
        struct estimate rate = bench_estimate(rounds, gflops);
        printf("%*s", RATE, bench_format(rate, rate.median < 9.95 ? 2 : 1, sizeof text, text));
        struct estimate none = {.median = NAN};
        struct estimate share = entry == serial ? none : bench_estimate_ratio(rounds, entry->rates, most);
        printf("%*s", RATIO, bench_format(share, 3, sizeof text, text));
        struct estimate ratio =
            !best || entry == best || entry == serial ? none : bench_estimate_ratio(rounds, entry->rates, best->rates);
        printf("%*s\n", RATIO, bench_format(ratio, 3, sizeof text, text));
    }
    bench_print_disturbances(&contest->disturbances);
    fflush(stdout);
}

int contest_run_size(struct contest *contest, int64_t n, struct error *error_p)
{
    struct entries *entries = contest->entries;
    uint64_t random = (uint64_t)n;
    int status = 0, prepared = 0;
    bool wrong = false;
    contest->disturbances = (struct bench_disturbances){0};
    for (; prepared < entries->count && status == 0; prepared++)
        status = prepare(contest, &entries->list[prepared], n, error_p);
    for (int round = 0; round < contest->rounds && status == 0; round++) run_round(contest, n, round, &random);
    if (status == 0 && contest->rank == 0) print_table(contest, n);
    for (int i = 0; i < prepared; i++) {
        entries->list[i].kind->finish(&entries->list[i]);
        wrong = wrong || entries->list[i].wrong;
    }
    return status == 0 && wrong ? STATUS_WRONG : status;
}

void contest_print_csv_header(FILE *csv)
{
    fputs("n,contestant,ranks,round,turn,calls,flop_per_s\n", csv);
}
