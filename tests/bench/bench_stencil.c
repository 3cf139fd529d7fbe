/* Compares the variants of the kernel stencil with the plain loops of the ParRes Kernels, and with what memory can
 * deliver, in turns (bench.h), each thread bound to a CPU.
 *
 *     bench_stencil                         5 points, one thread
 *     bench_stencil --points 9 --threads 2
 *
 * Memory's part is measured as the kernel's ceiling is (kernels/ceilings), with arrays as large as the grid. For steady
 * numbers leave the machine alone meanwhile. Everybody's answer is checked, each time: status 3 where one is wrong.
 */
#include "bench.h"
#include "peer_stencil.h"

#include "../../kernels/ceilings/ceilings.h"
#include "../../kernels/kernel.h"
#include "../../src/observe/thread.h"
#include "../../src/worker/team.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN, STREAMING, BLOCKED, PEER, TRIAD, CONTESTANTS };
enum { TRIAD_ARRAYS = 3, TRIAD_BYTES = 24 };

static const struct {
    const char *name;
    double bytes; /* of memory, that a point of a step takes where the grids fit into no cache; 0: fewer (several steps
                     at a time) */
} facts[CONTESTANTS] = {[PLAIN] = {"plain", 24},
                        [STREAMING] = {"streaming", 16},
                        [BLOCKED] = {"blocked", 0},
                        [PEER] = {"plain loops, -march=native", 24},
                        [TRIAD] = {"triad", TRIAD_BYTES}};

struct wish {
    int threads, repeats;
    const char *size, *points, *steps, *isa;
    struct cpu_list cpus;
    bool smoke;
};

struct contest {
    const struct wish *wish;
    struct cpu_list cpus;
    enum isa isa;
    struct team *team;
    struct problem problems[PEER];
    void *states[PEER];
    struct peer_stencil peer;
    int64_t triad_count; /* elements of a thread's arrays */
    double *triad;
    double work; /* of a run */
    uint64_t random;
    struct bench_disturbances disturbances;
    bool wrong[CONTESTANTS];
    double rates[CONTESTANTS][BENCH_ROUNDS_MAX]; /* points a second; of the triad, bytes */
};

static int set_option(struct problem *problem, const char *name, const char *text, struct error *error_p)
{
    const struct kernel_option *options = problem->kernel->options;
    for (int i = 0; options[i].name; i++)
        if (strcmp(options[i].name, name) == 0 && kernel_option_parse(&options[i], text, &problem->options[i]) == 0)
            return 0;
    return error_set(error_p, STATUS_USAGE, "--%s: '%s' is none of the kernel's (see 'speedup run stencil --help')",
                     name, text);
}

static int pose(const struct wish *wish, enum isa isa, struct problem *problem_p, struct error *error_p)
{
    problem_init(kernel_find("stencil"), problem_p);
    problem_p->isa = isa_name(isa);
    if (problem_p->kernel->parse_size(wish->size, &problem_p->size) < 0)
        return error_set(error_p, STATUS_USAGE, "--size: '%s' is no size; give %s", wish->size,
                         problem_p->kernel->size_help);
    int status = set_option(problem_p, "points", wish->points, error_p);
    return status < 0 ? status : set_option(problem_p, "steps", wish->steps, error_p);
}

/* So that the threads that measure it are the first to touch it. */
static int new_triad(struct contest *contest)
{
    int threads = contest->wish->threads;
    const struct size *size = &contest->problems[0].size;
    int64_t points = size->dim[0] * size->dim[size->dims - 1];
    contest->triad_count = (points / threads / CEILING_TRIAD_STEP + 1) * CEILING_TRIAD_STEP;
    contest->triad = bench_new_doubles(contest->triad_count * threads * TRIAD_ARRAYS, true);
    if (!contest->triad) return -1;
#pragma omp parallel num_threads(threads)
    {
        double *mine = contest->triad + omp_get_thread_num() * contest->triad_count * TRIAD_ARRAYS;
        for (int64_t i = 0; i < contest->triad_count * TRIAD_ARRAYS; i++) mine[i] = 1;
    }
    return 0;
}

static int open_contest(struct contest *contest, struct error *error_p)
{
    const struct wish *wish = contest->wish;
    int status = 0, failed = team_new_solo(&contest->team);
    omp_set_num_threads(wish->threads);
    bench_settle_threads(wish->threads, &contest->cpus);
    if (failed == 0) failed = team_set_threads(contest->team, wish->threads);
    for (int i = 0; i < PEER && status == 0 && failed == 0; i++) {
        struct problem *problem = &contest->problems[i];
        status = pose(wish, contest->isa, problem, error_p);
        if (status < 0) return status;
        problem->variant = kernel_find_variant(problem->kernel, facts[i].name);
        failed = problem->kernel->prepare(contest->team, problem, &contest->states[i]);
        contest->work = problem->kernel->work(problem);
    }
    const struct size *size = &contest->problems[0].size;
    contest->peer = (struct peer_stencil){.rows = size->dim[0],
                                          .columns = size->dim[size->dims - 1],
                                          .radius = strcmp(wish->points, "5") == 0 ? 1 : 2,
                                          .threads = wish->threads};
    contest->peer.steps = (int64_t)(contest->work / (double)(contest->peer.rows * contest->peer.columns));
    if (failed == 0) failed = peer_stencil_prepare(&contest->peer);
    if (failed == 0) failed = new_triad(contest);
    return failed < 0 ? error_set(error_p, STATUS_FAILED, "out of memory; a smaller --size needs less") : status;
}

static void close_contest(struct contest *contest)
{
    for (int i = 0; i < PEER; i++)
        if (contest->problems[i].kernel) contest->problems[i].kernel->teardown(contest->states[i]);
    peer_stencil_free(&contest->peer);
    free(contest->triad);
    team_free(contest->team);
    free(contest);
}

static double run_triad(const struct contest *contest, double seconds)
{
    struct ceiling_reading all = CEILING_NOTHING;
    int64_t count = contest->triad_count;
#pragma omp parallel num_threads(contest->wish->threads)
    {
        double *mine = contest->triad + omp_get_thread_num() * count * TRIAD_ARRAYS;
#pragma omp barrier
        struct ceiling_reading reading =
            ceiling_run_triad(contest->isa, seconds, count, mine, mine + count, mine + 2 * count);
#pragma omp critical
        all = ceiling_join(all, reading);
    }
    return ceiling_rate(all);
}

/* Points (bytes) a second. */
static double run_own(struct contest *contest, int i)
{
    const struct kernel *kernel = contest->problems[i].kernel;
    struct verdict verdict = {.correct = false};
    kernel->reset(contest->team, contest->states[i]);
    double start_s = clock_wall_s();
    int failed = kernel->run(contest->team, contest->states[i]);
    double time_s = clock_wall_s() - start_s;
    if (failed < 0 || kernel->check(contest->team, contest->states[i], &verdict) < 0 || !verdict.correct)
        contest->wrong[i] = true;
    return contest->work / time_s;
}

static double run_peer(struct contest *contest)
{
    peer_stencil_reset(&contest->peer);
    double start_s = clock_wall_s();
    peer_stencil_run(&contest->peer);
    double time_s = clock_wall_s() - start_s;
    if (peer_stencil_wrong(&contest->peer) > 0) contest->wrong[PEER] = true;
    return contest->work / time_s;
}

static void run_round(struct contest *contest, int round)
{
    int order[CONTESTANTS];
    bench_shuffle(CONTESTANTS, &contest->random, order);
    for (int turn = 0; turn < CONTESTANTS; turn++) {
        int i = order[turn], tries = 0;
        double waited;
        do {
            double waited_s = bench_waited_s(), start_s = clock_wall_s();
            contest->rates[i][round] = i == TRIAD  ? run_triad(contest, contest->wish->smoke ? 0.001 : 0.3)
                                       : i == PEER ? run_peer(contest)
                                                   : run_own(contest, i);
            waited = (bench_waited_s() - waited_s) / (clock_wall_s() - start_s);
        } while (bench_must_repeat(waited, &tries, &contest->disturbances));
    }
}

static void print(const struct contest *contest)
{
    int rounds = contest->wish->repeats;
    char text[3][80], interval[80];
    double roof[BENCH_ROUNDS_MAX];
    printf("\n%s points of %s in %s steps; %s\n", contest->wish->points, contest->wish->size, contest->wish->steps,
           bench_interval_text(rounds, sizeof interval, interval));
    printf("  memory, by the triad: %.1f GB/s\n\n", bench_estimate(rounds, contest->rates[TRIAD]).median / 1e9);
    printf("  %-28s %9s  %-22s %s\n", "", "Gpoint/s", "over plain loops", "of the roofline");
    for (int i = 0; i < TRIAD; i++) {
        for (int round = 0; round < rounds; round++) roof[round] = contest->rates[TRIAD][round] / facts[i].bytes;
        bool bounded = facts[i].bytes > 0;
        printf("  %-28s %9.3f  %-22s %s", facts[i].name, bench_estimate(rounds, contest->rates[i]).median / 1e9,
               bench_format(bench_estimate_ratio(rounds, contest->rates[i], contest->rates[PEER]), 3, sizeof text[0],
                            text[0]),
               bounded ? bench_format(bench_estimate_ratio(rounds, contest->rates[i], roof), 3, sizeof text[1], text[1])
                       : "-");
        if (bounded) printf("  %.0f bytes a point", facts[i].bytes);
        puts(contest->wrong[i] ? "  WRONG" : "");
    }
    bench_print_disturbances(&contest->disturbances);
}

static int run(const struct wish *wish, struct error *error_p)
{
    struct contest *contest = calloc(1, sizeof *contest);
    if (!contest) return error_set(error_p, STATUS_FAILED, "out of memory");
    contest->wish = wish;
    int status = bench_print_machine(error_p);
    if (status == 0) status = bench_choose_cpus(wish->threads, false, &wish->cpus, &contest->cpus, error_p);
    if (status == 0) status = bench_choose_isa(wish->isa, &contest->isa, error_p);
    if (status == 0) status = open_contest(contest, error_p);
    for (int round = 0; round < wish->repeats && status == 0; round++) run_round(contest, round);
    if (status == 0) print(contest);
    for (int i = 0; i < TRIAD && status == 0; i++)
        if (contest->wrong[i]) status = error_set(error_p, STATUS_WRONG, "wrong results: see WRONG above");
    close_contest(contest);
    return status;
}

int main(int argc, char *argv[])
{
    static struct wish wish = {.threads = 1, .repeats = 9, .size = "8192", .points = "5", .steps = "8"};
    static const struct option options[] = {
        {.name = "size", .type = OPT_TEXT, .value = &wish.size, .argument = "N[xM]", .help = "Points. Default: 8192."},
        {.name = "points",
         .type = OPT_TEXT,
         .value = &wish.points,
         .argument = "N",
         .help = "Of the star: 5 or 9. Default: 5."},
        {.name = "steps", .type = OPT_TEXT, .value = &wish.steps, .argument = "N", .help = "Of a run. Default: 8."},
        {.name = "threads",
         .type = OPT_COUNT,
         .value = &wish.threads,
         .min = 1,
         .max = CPUS_MAX,
         .argument = "N",
         .help = "Threads, each on a CPU of its own. Default: 1."},
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "isa",
         .type = OPT_TEXT,
         .value = &wish.isa,
         .argument = "NAME",
         .help = "Instruction set of the variants and the triad: sse2, avx2, avx512. Default: SPEEDUP_ISA, or the "
                 "best."},
        BENCH_OPTION_CPUS(&wish.cpus),
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A run of a moment, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_stencil",
        "Compares the variants of stencil with plain loops in C, as the ParRes Kernels have them, compiled for this "
        "machine, and with the roofline: the bandwidth of memory over the bytes that a point of a step takes. "
        "Everybody in turns, in random order, each thread bound to a CPU. Ratios are medians over rounds of the ratio "
        "within a round. blocked makes several steps while a row is in the cache: no share of the roofline is stated.\n"
        "Ends with status 3 where an answer is wrong.",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (status == 0 && wish.smoke) {
        wish.size = "300x200";
        wish.repeats = 1;
    }
    if (status == 0) status = run(&wish, &error);
    if (status < 0) fprintf(stderr, "bench_stencil: %s\n", error.text);
    return -status;
}
