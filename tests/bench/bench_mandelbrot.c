/* Compares mandelbrot's variants with each other and with what the core can do at most; and the ways to deal out its
 * rows, to threads or to ranks, with one worker: in turns (bench.h), each worker bound to a CPU.
 *
 *     bench_mandelbrot                   the variants, then the schedules of 2 threads
 *     mpirun -n 2 bench_mandelbrot       the deals among 2 ranks
 *
 * For steady numbers leave the machine alone meanwhile. A call's time is that of the slowest rank; ranks that have
 * nothing to do sleep. Every answer is checked: status 3 where one is wrong.
 */
#include "../../kernels/ceilings/ceilings.h"
#include "../../kernels/mandelbrot/mandelbrot.h"
#include "../../src/place/machine.h"
#include "../../src/worker/team.h"
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 8, SETTINGS_MAX = 8, NAME = 34, COLUMN = 24 };

/* Vector operations of a step and its part of the look after each block: 3 products, 3 sums, of which one is a fused
 * multiply-add; 2 products, a sum, a comparison, a count. */
static const double OPERATIONS = 6 + 5.0 / CODE_STEPS;

struct contestant {
    const char *name, *variant;
    bool alone;                         /* one rank with one thread */
    const char *settings[SETTINGS_MAX]; /* options: name, value, ... */
};

static const char INSIDE_X[] = "-0.15", INSIDE_WIDTH[] = "0.3"; /* of the main cardioid */

static const struct contestant variants[] = {
    {"scalar", "scalar", true, {NULL}},
    {"vector", "vector", true, {NULL}},
    {"scalar, all inside", "scalar", true, {"x", INSIDE_X, "y", "0", "width", INSIDE_WIDTH}},
    {"vector, all inside", "vector", true, {"x", INSIDE_X, "y", "0", "width", INSIDE_WIDTH}},
    {.name = NULL}};
static const struct contestant schedules[] = {{"one thread", "vector", true, {NULL}},
                                              {"static", "vector", false, {NULL}},
                                              {"static, rows in turn", "vector", false, {"chunk", "1"}},
                                              {"dynamic", "vector", false, {"schedule", "dynamic"}},
                                              {"guided", "vector", false, {"schedule", "guided"}},
                                              {"queue", "vector", false, {"deal", "queue"}},
                                              {.name = NULL}};
static const struct contestant deals[] = {
    {"one rank", "vector", true, {NULL}},
    {"block", "vector", false, {NULL}},
    {"cyclic", "vector", false, {"deal", "cyclic"}},
    {"queue", "vector", false, {"deal", "queue"}},
    {"queue, 16 rows at a time", "vector", false, {"deal", "queue", "chunk", "16"}},
    {.name = NULL}};

struct wish {
    const char *size, *isa;
    int threads, repeats;
    double min_time_s;
    struct cpu_list cpus;
    bool smoke;
};

struct entry {
    const struct contestant *contestant;
    struct problem problem;
    void *state;
    double steps; /* of a call, over all ranks */
    bool wrong;
    double rates[BENCH_ROUNDS_MAX], bounds[BENCH_ROUNDS_MAX]; /* steps a second */
};

struct bench {
    const struct wish *wish;
    struct team *team, *solo;
    enum isa isa;
    int count;
    struct entry entries[ENTRIES_MAX];
    struct bench_disturbances disturbances;
};

static struct team *team_of(const struct bench *bench, const struct entry *entry)
{
    return entry->contestant->alone ? bench->solo : bench->team;
}

/* Whether this rank works for the entry. */
static bool takes_part(const struct bench *bench, const struct entry *entry)
{
    return !entry->contestant->alone || team_rank(bench->team) == 0;
}

static int set_options(const struct contestant *contestant, struct problem *problem)
{
    int failed = 0;
    for (int i = 0; i < SETTINGS_MAX && contestant->settings[i]; i += 2)
        for (int o = 0; problem->kernel->options[o].name; o++)
            if (strcmp(problem->kernel->options[o].name, contestant->settings[i]) == 0)
                failed |= kernel_option_parse(&problem->kernel->options[o], contestant->settings[i + 1],
                                              &problem->options[o]);
    return failed;
}

static void use_threads(const struct bench *bench, const struct entry *entry)
{
    omp_set_num_threads(entry->contestant->alone ? 1 : team_threads(bench->team));
}

static int prepare(struct bench *bench, const struct contestant *contestant, struct entry *entry)
{
    const struct kernel *kernel = kernel_find("mandelbrot");
    *entry = (struct entry){.contestant = contestant};
    problem_init(kernel, &entry->problem);
    entry->problem.variant = kernel_find_variant(kernel, contestant->variant);
    entry->problem.isa = isa_name(bench->isa);
    int status = kernel->parse_size(bench->wish->size, &entry->problem.size);
    if (status == 0) status = set_options(contestant, &entry->problem);
    use_threads(bench, entry);
    if (status == 0 && takes_part(bench, entry))
        status = kernel->prepare(team_of(bench, entry), &entry->problem, &entry->state);
    double failed = status < 0;
    team_max_double(bench->team, 1, &failed);
    return failed > 0 ? -EINVAL : 0;
}

/* The time of the slowest rank. */
static double time_call(struct bench *bench, struct entry *entry)
{
    const struct kernel *kernel = entry->problem.kernel;
    struct team *team = team_of(bench, entry);
    double values[2] = {0, 0};
    team_meet(bench->team);
    use_threads(bench, entry);
    if (takes_part(bench, entry)) {
        struct verdict verdict = {.correct = false};
        int status = kernel->reset(team, entry->state);
        team_barrier(team);
        double start_s = clock_wall_s();
        if (status == 0) status = kernel->run(team, entry->state);
        values[0] = clock_wall_s() - start_s;
        if (status == 0) status = kernel->check(team, entry->state, &verdict);
        entry->steps = verdict.result;
        values[1] = status < 0 || !verdict.correct;
    }
    team_meet(bench->team);
    team_max_double(bench->team, 2, values);
    entry->wrong = entry->wrong || values[1] > 0;
    return values[0];
}

static double measure(struct bench *bench, struct entry *entry, double *waited_p)
{
    double time_s = 0, calls = 0, before_s = bench_waited_s(), start_s = clock_wall_s(), over;
    do {
        time_s += time_call(bench, entry);
        calls++;
        over = time_s >= bench->wish->min_time_s;
        team_max_double(bench->team, 1, &over);
    } while (over == 0);
    *waited_p = (bench_waited_s() - before_s) / (clock_wall_s() - start_s);
    team_max_double(bench->team, 1, waited_p);
    return entry->steps * calls / time_s;
}

/* Steps a second, if the core did nothing but two vector operations a cycle, as it does fused multiply-adds. */
static double measure_bound(const struct bench *bench, const struct entry *entry)
{
    bool counted = bench->isa != ISA_BASE && strcmp(entry->contestant->variant, "vector") == 0;
    if (!counted || !entry->contestant->alone) return NAN;
    return ceiling_rate(ceiling_run_peak(bench->isa, 0.02)) / 2 / OPERATIONS;
}

static void run_round(struct bench *bench, int round, uint64_t *random)
{
    int order[ENTRIES_MAX];
    bench_shuffle(bench->count, random, order);
    for (int turn = 0; turn < bench->count; turn++) {
        struct entry *entry = &bench->entries[order[turn]];
        double waited;
        int tries = 0;
        do {
            entry->bounds[round] = measure_bound(bench, entry);
            entry->rates[round] = measure(bench, entry, &waited);
        } while (bench_must_repeat(waited, &tries, &bench->disturbances));
    }
}

static void print_table(const struct bench *bench, const char *title, const char *reference)
{
    int rounds = bench->wish->repeats;
    char text[80], ratio[64];
    snprintf(ratio, sizeof ratio, "/ %s", reference);
    printf("\n%s, size %s; %s\n%-*s%*s%*s%*s\n", title, bench->wish->size,
           bench_interval_text(rounds, sizeof text, text), NAME, "", COLUMN, "Gstep/s", COLUMN, ratio, COLUMN,
           "/ instruction bound");
    for (int i = 0; i < bench->count; i++) {
        const struct entry *entry = &bench->entries[i];
        double rates[BENCH_ROUNDS_MAX];
        for (int round = 0; round < rounds; round++) rates[round] = entry->rates[round] * 1e-9;
        printf("%-*s", NAME, entry->contestant->name);
        if (entry->wrong) {
            puts("  WRONG");
            continue;
        }
        printf("%*s", COLUMN, bench_format(bench_estimate(rounds, rates), 2, sizeof text, text));
        struct estimate against = bench_estimate_ratio(rounds, entry->rates, bench->entries[0].rates);
        printf("%*s", COLUMN, bench_format(against, 2, sizeof text, text));
        if (!isnan(entry->bounds[0]))
            printf("%*s", COLUMN,
                   bench_format(bench_estimate_ratio(rounds, entry->rates, entry->bounds), 2, sizeof text, text));
        putchar('\n');
    }
    bench_print_disturbances(&bench->disturbances);
    fflush(stdout);
}

static int run_contest(struct bench *bench, const struct contestant *contestants, const char *title,
                       struct error *error_p)
{
    uint64_t random = 1;
    int status = 0;
    bool wrong = false;
    bench->disturbances = (struct bench_disturbances){0};
    for (bench->count = 0; contestants[bench->count].name && status == 0; bench->count++)
        status = prepare(bench, &contestants[bench->count], &bench->entries[bench->count]);
    for (int round = 0; round < bench->wish->repeats && status == 0; round++) run_round(bench, round, &random);
    if (status == 0 && team_rank(bench->team) == 0) print_table(bench, title, contestants[0].name);
    for (int i = 0; i < bench->count; i++) {
        bench->entries[i].problem.kernel->teardown(bench->entries[i].state);
        wrong = wrong || bench->entries[i].wrong;
    }
    if (status < 0)
        return error_set(error_p, STATUS_USAGE, "--size %s cannot be had: it is N or WIDTHxHEIGHT, and has to fit",
                         bench->wish->size);
    return wrong ? error_set(error_p, STATUS_WRONG, "wrong results: see WRONG above") : 0;
}

static int run_threads(struct bench *bench, struct error *error_p)
{
    struct cpu_list cpus;
    int threads = bench->wish->threads;
    int status = bench_choose_cpus(threads, false, &bench->wish->cpus, &cpus, error_p);
    if (status == 0 && team_set_threads(bench->team, threads) < 0)
        status = error_set(error_p, STATUS_FAILED, "out of memory");
    omp_set_num_threads(threads);
    if (status == 0) bench_settle_threads(threads, &cpus);
    if (status == 0) status = run_contest(bench, variants, "Variants, one thread", error_p);
    if (status == 0 && threads > 1) status = run_contest(bench, schedules, "Schedules of threads", error_p);
    return status;
}

/* Each rank on one of the CPUs that it may use, in turn. */
static int run_ranks(struct bench *bench, struct error *error_p)
{
    struct cpu_list cpus = bench->wish->cpus;
    if (cpus.count == 0) bind_read(&cpus);
    double failed = bind_thread(cpus.cpus[bench->team->local_rank % cpus.count]) < 0;
    team_max_double(bench->team, 1, &failed);
    if (failed > 0) return error_set(error_p, STATUS_USAGE, "--cpus: a rank could not be bound to its CPU");
    char title[64];
    snprintf(title, sizeof title, "Deals among %d ranks", team_size(bench->team));
    return run_contest(bench, deals, title, error_p);
}

static int run(const struct wish *wish, struct error *error_p)
{
    struct bench *bench = calloc(1, sizeof *bench);
    char library[1];
    int status = bench ? team_new_ranks(WAIT_SPIN, &bench->team, sizeof library, library) : -ENOMEM;
    if (status == 0) status = team_new_solo(&bench->solo);
    if (status < 0) {
        status = error_set(error_p, STATUS_FAILED, "MPI could not be started, or out of memory");
    } else {
        bool first = team_rank(bench->team) == 0;
        bench->wish = wish;
        bench->isa = isa_best();
        if (first) status = bench_print_machine(error_p);
        if (first && status == 0) status = bench_choose_isa(wish->isa, &bench->isa, error_p);
        if (!first && isa_find(wish->isa ? wish->isa : getenv("SPEEDUP_ISA"), &bench->isa) < 0) status = STATUS_USAGE;
        if (status == 0) status = team_size(bench->team) > 1 ? run_ranks(bench, error_p) : run_threads(bench, error_p);
        if (!first) error_p->text[0] = '\0'; /* rank 0 tells it */
    }
    if (bench) team_free(bench->solo);
    if (bench) team_free(bench->team);
    free(bench);
    return status;
}

int main(int argc, char *argv[])
{
    static struct wish wish = {.size = "1000", .threads = 2, .repeats = 9, .min_time_s = 0.1};
    static const struct option options[] = {
        {.name = "size",
         .type = OPT_TEXT,
         .value = &wish.size,
         .argument = "N",
         .help = "Pixels, as N or WIDTHxHEIGHT. Default: 1000."},
        {.name = "threads",
         .type = OPT_COUNT,
         .value = &wish.threads,
         .min = 1,
         .max = CPUS_MAX,
         .argument = "N",
         .help = "Threads of the schedules, each on a CPU of its own; 1: none. Default: 2."},
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "min-time",
         .type = OPT_DURATION,
         .value = &wish.min_time_s,
         .min = 1e-6,
         .max = 60,
         .argument = "T",
         .help = "A measurement is as many calls as take that long. Default: 100ms."},
        {.name = "isa",
         .type = OPT_TEXT,
         .value = &wish.isa,
         .argument = "NAME",
         .help = "Instruction set: sse2, avx2, avx512. Default: SPEEDUP_ISA, or the best."},
        {.name = "cpus",
         .type = OPT_CPUS,
         .value = &wish.cpus,
         .argument = "LIST",
         .help = "CPUs, one a worker. Default: those that the process may use."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A second's run at a small size, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_mandelbrot",
        "Compares mandelbrot's variants with each other and with what the core can do at most, and the ways to deal "
        "out its rows, to threads or (started by mpirun) to ranks, with one worker: everybody in turns, in random "
        "order. Ratios are medians over rounds of the ratio within a round. A step is one of z, of one pixel. The "
        "instruction bound is the rate of steps if the core did their vector operations as fast as fused "
        "multiply-adds, "
        "and none in vain: points that have left their vector before the others cost, too.\n"
        "Ends with status 3 where an answer is wrong.",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (wish.smoke) wish.size = "64x50", wish.repeats = 1, wish.min_time_s = 1e-3;
    if (status == 0) status = run(&wish, &error);
    if (status < 0 && error.text[0]) fprintf(stderr, "bench_mandelbrot: %s\n", error.text);
    return -status;
}
