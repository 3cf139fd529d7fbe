/* Compares the Monte Carlo kernels with what people use, and with what the core can do at most, in turns (bench.h),
 * each thread bound to a CPU.
 *
 *     bench_montecarlo                              all three kernels, one thread
 *     bench_montecarlo --kernels ep --class S
 *     bench_montecarlo --threads 2                  two threads against one
 *     bench_montecarlo --oversubscribe 16           16 threads on one CPU against one thread
 *
 * For steady numbers leave the machine alone meanwhile. Everybody's answer is checked, each time: status 3 where one is
 * wrong.
 */
#include "sampling.h"

#include <stdlib.h>
#include <string.h>

struct wish {
    int threads, repeats, oversubscribe;
    const char *kernels, *class, *isa, *csv;
    double min_time_s;
    struct cpu_list cpus;
    bool smoke;
};

static const double THREADS_GAP_S = 0.15;

static int run_kernel(const struct wish *wish, const struct sampling_wish *how, const char *kernel, enum isa isa,
                      struct error *error_p)
{
    struct question question;
    struct samplers samplers = {.count = 0};
    struct sampling *sampling = malloc(sizeof *sampling);
    int status = sampling ? 0 : error_set(error_p, STATUS_FAILED, "out of memory");
    if (status == 0) status = question_open(kernel, wish->class, isa, &question, error_p);
    if (status == 0) status = samplers_open(&question, wish->threads, &samplers, error_p);
    if (status == 0) status = sampling_run(&question, &samplers, how, sampling, error_p);
    if (status == 0 || status == STATUS_WRONG) sampling_print(&question, &samplers, sampling);
    samplers_close(&samplers);
    free(sampling);
    return status;
}

static int check_kernels(const struct wish *wish, enum isa isa, struct error *error_p)
{
    struct question question;
    const char *list = wish->kernels;
    char kernel[16];
    int status = 0;
    while (status == 0 && bench_next_word(&list, sizeof kernel, kernel))
        status = question_open(kernel, wish->class, isa, &question, error_p);
    return status == 0 && *list ? question_open(list, wish->class, isa, &question, error_p) : status;
}

static int run_kernels(const struct wish *wish, const struct sampling_wish *how, enum isa isa, struct error *error_p)
{
    const char *list = wish->kernels;
    char kernel[16];
    bool wrong = false;
    int status = 0;
    while (status == 0 && bench_next_word(&list, sizeof kernel, kernel)) {
        status = run_kernel(wish, how, kernel, isa, error_p);
        wrong = wrong || status == STATUS_WRONG;
        if (status == STATUS_WRONG) status = 0;
    }
    return status == 0 && wrong ? error_set(error_p, STATUS_WRONG, "wrong results: see WRONG above") : status;
}

static int run(const struct wish *wish, struct error *error_p)
{
    struct sampling_wish how = {.rounds = wish->repeats,
                                .min_time_s = wish->min_time_s,
                                .gap_s = wish->threads > 1 && !wish->oversubscribe && !wish->smoke ? THREADS_GAP_S : 0};
    enum isa isa;
    int status = bench_print_machine(error_p);
    if (status == 0) status = bench_choose_cpus(wish->threads, wish->oversubscribe, &wish->cpus, &how.cpus, error_p);
    if (status == 0) status = bench_choose_isa(wish->isa, &isa, error_p);
    if (status == 0) status = check_kernels(wish, isa, error_p);
    if (status == 0 && wish->csv) {
        how.csv = fopen(wish->csv, "w");
        if (how.csv)
            sampling_print_csv_header(how.csv);
        else
            status = error_set(error_p, STATUS_FAILED, "--csv: cannot write %s", wish->csv);
    }
    if (status == 0) status = run_kernels(wish, &how, isa, error_p);
    if (how.csv && fclose(how.csv) && status == 0)
        status = error_set(error_p, STATUS_FAILED, "--csv: cannot write all");
    return status;
}

static void complete(struct wish *wish)
{
    if (wish->oversubscribe) wish->threads = wish->oversubscribe;
    if (wish->min_time_s == 0) wish->min_time_s = wish->threads > 1 ? 1 : 0.1;
    if (wish->smoke) {
        wish->class = "S";
        wish->repeats = 1;
        wish->min_time_s = 1e-3;
    }
}

int main(int argc, char *argv[])
{
    static struct wish wish = {.threads = 1, .repeats = 9, .kernels = "pi,ep,option", .class = "A"};
    static const struct option options[] = {
        {.name = "kernels",
         .type = OPT_TEXT,
         .value = &wish.kernels,
         .argument = "LIST",
         .help = "pi, ep, option. Default: all."},
        {.name = "class",
         .type = OPT_TEXT,
         .value = &wish.class,
         .argument = "NAME",
         .help = "Of ep: S, W, A or B, whose published sums every run must give. Default: A. Who would "
                 "take more than 2 seconds for it runs S."},
        {.name = "threads",
         .type = OPT_COUNT,
         .value = &wish.threads,
         .min = 1,
         .max = CPUS_MAX,
         .argument = "N",
         .help = "Threads, each on a CPU of its own. Default: 1. With more, the variants in vectors are compared with "
                 "themselves on one."},
        {.name = "oversubscribe",
         .type = OPT_COUNT,
         .value = &wish.oversubscribe,
         .min = 2,
         .max = 1024,
         .argument = "N",
         .help = "N threads on one CPU against one."},
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "min-time",
         .type = OPT_DURATION,
         .value = &wish.min_time_s,
         .min = 1e-6,
         .max = 60,
         .argument = "T",
         .help = "A measurement has as many samples as take that long. Default: 100ms; 1s with several threads."},
        {.name = "isa",
         .type = OPT_TEXT,
         .value = &wish.isa,
         .argument = "NAME",
         .help = "Instruction set of the variants and of SLEEF: sse2, avx2, avx512. Default: SPEEDUP_ISA, or the "
                 "best."},
        BENCH_OPTION_CPUS(&wish.cpus),
        {.name = "csv",
         .type = OPT_TEXT,
         .value = &wish.csv,
         .argument = "FILE",
         .help = "Writes a line for each measurement."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A run of some seconds, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_montecarlo",
        "Compares the Monte Carlo kernels with the random numbers of the C library, the GSL and Random123, with the "
        "functions of SLEEF, with NASA's EP as a plain program, and with what the core can do at most: everybody in "
        "turns, in random order, each thread bound to a CPU. Ratios are medians over rounds of the ratio within a "
        "round. The port bound is the rate at which the code's vector operations would be done two a cycle; it is "
        "stated where they are counted: AVX-512 with IFMA and VAES on Intel's processors.\n"
        "Ends with status 3 where an answer is wrong.",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (status == 0) {
        complete(&wish);
        if (wish.oversubscribe) bench_start_anew_with_passive_waits(argv);
        status = run(&wish, &error);
    }
    if (status < 0) fprintf(stderr, "bench_montecarlo: %s\n", error.text);
    return -status;
}
