/* The triad kernel's variants against STREAM's rules (peers_stream.h), in turns (bench.h), each thread bound to a CPU.
 *
 *     bench_triad                      all operations, from L1 to memory, one thread
 *     bench_triad --threads 2
 *     bench_triad --operations triad --sizes 1000,64000000
 *
 * Every contestant makes as many passes over its arrays as take the time of a measurement; each thread has its own
 * stretch of them and does not wait for others between passes. Our answers are checked: status 3 where one is wrong.
 *
 * Our arrays take turns, also where an operation has two: copy and scale go over three. At sizes of which a cache holds
 * two arrays and not three, the comparison is not of the same thing; the sizes that are the default are none of these.
 *
 * hpcc's StarSTREAM is not among the contestants: hpcc cannot be asked for it alone, and takes its size from that of
 * its Linpack, so that there are no turns to take.
 */
#include "bench.h"
#include "peers_stream.h"

#include "../../kernels/kernel.h"
#include "../../kernels/share.h"
#include "../../src/observe/thread.h"
#include "../../src/worker/team.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct wish {
    int threads, repeats;
    const char *operations, *sizes, *isa;
    double min_time_s;
    struct cpu_list cpus;
    bool smoke;
};

enum { STREAM, PLAIN, STREAMING, CONTESTANTS };
static const char *const names[CONTESTANTS] = {
    [STREAM] = "STREAM's rules", [PLAIN] = "plain", [STREAMING] = "streaming"};

static const struct operation {
    const char *name;
    int arrays; /* that a pass reads or writes */
    void (*peer)(int64_t begin, int64_t end, int64_t passes);
} operations[] = {
    {"copy", 2, stream_copy}, {"scale", 2, stream_scale}, {"add", 3, stream_add}, {"triad", 3, stream_triad}};
enum { OPERATIONS = sizeof operations / sizeof *operations };

struct contest {
    const struct wish *wish;
    const struct operation *operation;
    int64_t elements;
    struct team *team;
    const char *isa;
    int64_t passes; /* of a measurement */
    void *states[CONTESTANTS];
    struct problem problems[CONTESTANTS];
    struct bench_disturbances disturbances;
    double rates[CONTESTANTS][BENCH_ROUNDS_MAX];
    uint64_t random;
};

static void run_peer(const struct contest *contest, void (*work)(int64_t, int64_t, int64_t))
{
#pragma omp parallel
    {
        int threads = omp_get_num_threads(), thread = omp_get_thread_num();
        int64_t lines = (contest->elements + 7) / 8;
        int64_t begin = share_begin(lines, threads, thread) * 8, end = share_begin(lines, threads, thread + 1) * 8;
        work(begin, end < contest->elements ? end : contest->elements, contest->passes);
    }
}

static void fill_peer(int64_t begin, int64_t end, int64_t passes)
{
    (void)passes;
    stream_fill(begin, end);
}

static double bytes_of_pass(const struct contest *contest)
{
    return (double)contest->elements * (double)sizeof(double) * contest->operation->arrays;
}

/* Returns bytes a second. */
static double measure_once(struct contest *contest, int who, double *waited_p)
{
    double waited_s = bench_waited_s(), start_s = clock_wall_s();
    if (who == STREAM)
        run_peer(contest, contest->operation->peer);
    else
        contest->problems[who].kernel->run(contest->team, contest->states[who]);
    double time_s = clock_wall_s() - start_s;
    *waited_p = (bench_waited_s() - waited_s) / time_s;
    return bytes_of_pass(contest) * (double)contest->passes / time_s;
}

static double measure(struct contest *contest, int who)
{
    double waited, rate;
    int tries = 0;
    do {
        if (who != STREAM) contest->problems[who].kernel->reset(contest->team, contest->states[who]);
        rate = measure_once(contest, who, &waited);
    } while (bench_must_repeat(waited, &tries, &contest->disturbances));
    return rate;
}

static int check(struct contest *contest, int who, struct error *error_p)
{
    struct verdict verdict = {.correct = false};
    contest->problems[who].kernel->check(contest->team, contest->states[who], &verdict);
    if (verdict.correct) return 0;
    return error_set(error_p, STATUS_WRONG, "%s, %s, %lld elements: WRONG: %s", names[who], contest->operation->name,
                     (long long)contest->elements, verdict.detail);
}

/* As the peer takes for so many passes, everybody makes. */
static void choose_passes(struct contest *contest)
{
    double waited, time_s = 0;
    for (contest->passes = 1; time_s < contest->wish->min_time_s / 8; contest->passes *= 4)
        time_s = bytes_of_pass(contest) * (double)contest->passes / measure_once(contest, STREAM, &waited);
    double passes = contest->wish->min_time_s / time_s * (double)(contest->passes / 4);
    contest->passes = (int64_t)fmin(1e9, fmax(1, round(passes)));
}

static int prepare(struct contest *contest, struct error *error_p)
{
    run_peer(contest, fill_peer);
    choose_passes(contest);
    for (int who = PLAIN; who < CONTESTANTS; who++) {
        struct problem *problem = &contest->problems[who];
        problem_init(kernel_find("triad"), problem);
        problem->variant = kernel_find_variant(problem->kernel, names[who]);
        problem->size.dim[0] = contest->elements;
        problem->isa = contest->isa;
        for (int i = 0; problem->kernel->options[i].name; i++) {
            if (strcmp(problem->kernel->options[i].name, "operation") == 0)
                problem->options[i] = (double)(contest->operation - operations);
            if (strcmp(problem->kernel->options[i].name, "passes") == 0) problem->options[i] = (double)contest->passes;
        }
        if (problem->kernel->prepare(contest->team, problem, &contest->states[who]) < 0)
            return error_set(error_p, STATUS_FAILED, "not enough memory for %lld elements",
                             (long long)contest->elements);
    }
    return 0;
}

static void print(const struct contest *contest)
{
    char ratio[64];
    int rounds = contest->wish->repeats;
    printf("%-7s%12lld%12lld", contest->operation->name, (long long)contest->elements, (long long)contest->passes);
    for (int who = 0; who < CONTESTANTS; who++)
        printf("%9.1f", bench_estimate(rounds, contest->rates[who]).median * 1e-9);
    for (int who = PLAIN; who < CONTESTANTS; who++)
        printf("  %-22s", bench_format(bench_estimate_ratio(rounds, contest->rates[who], contest->rates[STREAM]), 3,
                                       sizeof ratio, ratio));
    putchar('\n');
    fflush(stdout);
}

static int run_contest(struct contest *contest, struct error *error_p)
{
    int order[CONTESTANTS], status = prepare(contest, error_p);
    for (int round = 0; round < contest->wish->repeats && status == 0; round++) {
        bench_shuffle(CONTESTANTS, &contest->random, order);
        for (int turn = 0; turn < CONTESTANTS && status == 0; turn++) {
            int who = order[turn];
            contest->rates[who][round] = measure(contest, who);
            if (who != STREAM) status = check(contest, who, error_p);
        }
    }
    if (status == 0) print(contest);
    for (int who = PLAIN; who < CONTESTANTS; who++) {
        if (contest->states[who]) contest->problems[who].kernel->teardown(contest->states[who]);
        contest->states[who] = NULL;
    }
    return status;
}

static int run_sizes(struct contest *contest, struct error *error_p)
{
    const char *list = contest->wish->sizes;
    char word[24];
    struct size size;
    int status = 0;
    while (status == 0 && bench_next_word(&list, sizeof word, word)) {
        if (size_parse_extents(word, 1, &size) < 0 || size.dim[0] > STREAM_ELEMENTS_MAX)
            return error_set(error_p, STATUS_USAGE, "--sizes: '%s' is no number of elements up to %d", word,
                             STREAM_ELEMENTS_MAX);
        contest->elements = size.dim[0];
        for (int i = 0; i < OPERATIONS && status == 0; i++) {
            contest->operation = &operations[i];
            if (bench_list_has(contest->wish->operations, operations[i].name)) status = run_contest(contest, error_p);
        }
    }
    return status;
}

static int run(const struct wish *wish, struct error *error_p)
{
    static struct contest contest;
    struct cpu_list cpus;
    enum isa isa;
    char interval[96];
    contest.wish = wish;
    int status = bench_print_machine(error_p);
    if (status == 0) status = bench_choose_cpus(wish->threads, false, &wish->cpus, &cpus, error_p);
    if (status == 0) status = bench_choose_isa(wish->isa, &isa, error_p);
    if (status == 0 && (team_new_solo(&contest.team) < 0 || team_set_threads(contest.team, wish->threads) < 0))
        status = error_set(error_p, STATUS_FAILED, "out of memory");
    if (status == 0) {
        contest.isa = isa_name(isa);
        omp_set_dynamic(0);
        omp_set_num_threads(wish->threads);
        bench_settle_threads(wish->threads, &cpus);
        printf("GB/s, medians; ratios to STREAM's rules: %s\n%-7s%12s%12s%9s%9s%9s  %-22s  %s\n",
               bench_interval_text(wish->repeats, sizeof interval, interval), "", "elements", "passes", "STREAM",
               "plain", "stream.", "plain", "streaming");
        status = run_sizes(&contest, error_p);
        bench_print_disturbances(&contest.disturbances);
    }
    team_free(contest.team);
    return status;
}

int main(int argc, char *argv[])
{
    static struct wish wish = {
        .threads = 1, .repeats = 9, .min_time_s = 0.1, .sizes = "1000,20000,300000,2000000,16000000,64000000"};
    static const struct option options[] = {
        {.name = "operations",
         .type = OPT_TEXT,
         .value = &wish.operations,
         .argument = "LIST",
         .help = "copy, scale, add, triad. Default: all."},
        {.name = "sizes",
         .type = OPT_TEXT,
         .value = &wish.sizes,
         .argument = "LIST",
         .help = "Elements of each array, up to 64M. Default: from L1 to memory."},
        {.name = "threads",
         .type = OPT_COUNT,
         .value = &wish.threads,
         .min = 1,
         .max = CPUS_MAX,
         .argument = "N",
         .help = "Threads, each on a CPU of its own. Default: 1."},
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "min-time",
         .type = OPT_DURATION,
         .value = &wish.min_time_s,
         .min = 1e-6,
         .max = 60,
         .argument = "T",
         .help = "A measurement has as many passes as take that long. Default: 100ms."},
        {.name = "isa",
         .type = OPT_TEXT,
         .value = &wish.isa,
         .argument = "NAME",
         .help = "Instruction set of our variants: sse2, avx2, avx512. Default: SPEEDUP_ISA, or the best."},
        BENCH_OPTION_CPUS(&wish.cpus),
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A run of a second, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_triad",
        "Compares the triad kernel with STREAM's rules: static arrays and plain loops, by the same compiler for this "
        "machine. Everybody in turns, in random order, each thread bound to a CPU. Ratios are medians over rounds of "
        "the ratio within a round; over 1: ours is faster.\n"
        "Ends with status 3 where an answer is wrong.",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (wish.smoke) {
        wish.sizes = "1000,30000";
        wish.repeats = 1;
        wish.min_time_s = 1e-3;
    }
    if (status == 0) status = run(&wish, &error);
    if (status < 0) fprintf(stderr, "bench_triad: %s\n", error.text);
    return -status;
}
