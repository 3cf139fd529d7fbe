/* Does a study recover what is known? The dials of the kernel synthetic are turned, `speedup study` measures on this
 * machine, and what its record tells is put beside what was set: the serial share by Karp and Flatt's formula, the
 * imbalance by the load balance, the share of waiting by what one task alone does, and the speedup of waiting tasks by
 * min(k, cores (C + Z) / C). Of the other dials, what the study says is printed, for 2 workers.
 */
#include "../../src/analyse/curve.h"
#include "bench.h"

#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPERATIONS = 4000000 }; /* of an item: long beside what a timer is late by */

struct wish {
    int runs;
    double time_s;
    bool smoke, fifo;
};

struct bench {
    struct wish wish;
    const char *only;
    char program[512], folder[64], record[128];
    double item_s; /* CPU time of an item, as the last study without waits told it */
    int rows, inside;
};

/* One study; what it printed is not shown. */
static int run_study(const struct bench *bench, const char *words, const char *dials, struct results *results_p,
                     struct curves *curves_p, struct error *error)
{
    char command[1536];
    /* Such that all shares of two workers are whole numbers. */
    double items = 20 * fmax(1, round(bench->wish.time_s / bench->item_s / 20));
    unlink(bench->record);
    snprintf(command, sizeof command,
             "'%s' study synthetic --operations %d --size %.0f %s %s%s --runs %d -o '%s' > '%s/out' 2> '%s/err'",
             bench->program, (int)OPERATIONS, items, words, dials, bench->wish.fifo ? " --policy fifo" : "",
             bench->wish.runs, bench->record, bench->folder, bench->folder);
    int status = system(command);
    /* 4: no valid measurement; the record tells why. */
    if (status != 0 && WEXITSTATUS(status) != 4)
        return error_set(error, STATUS_FAILED, "%s ended with status %d", command, WEXITSTATUS(status));
    status = results_read(bench->record, results_p, error);
    if (status) return status;
    return curves_build(results_p, 0, curves_p) ? error_set(error, STATUS_FAILED, "out of memory") : STATUS_OK;
}

static void print_row(struct bench *bench, const char *dial, double set, const char *what, double middle, double low,
                      double high)
{
    bool known = isfinite(low) && isfinite(high), inside = low <= set && set <= high;
    printf("%-28s %6.3f   %-34s %6.3f [%6.3f, %6.3f]   %s\n", dial, set, what, middle, low, high,
           !known   ? "no interval"
           : inside ? "inside"
                    : "outside");
    fflush(stdout);
    bench->rows += known;
    bench->inside += known && inside;
}

static void print_spread(struct bench *bench, const char *dial, double set, const char *what,
                         const struct spread *spread)
{
    double none = spread->interval ? 1 : NAN;
    print_row(bench, dial, set, what, spread->middle, none * spread->low, none * spread->high);
}

/* The balance as an imbalance. */
static void print_imbalance(struct bench *bench, const char *dial, double set, const struct factors *factors)
{
    print_row(bench, dial, set, "load balance, as 1 / b - 1", 1 / factors->value[FACTOR_BALANCE] - 1,
              1 / factors->high[FACTOR_BALANCE] - 1, 1 / factors->low[FACTOR_BALANCE] - 1);
}

static const struct curve *curve_of(const struct curves *curves, enum mode_name mode)
{
    for (int c = 0; c < curves->count; c++)
        if (curves->curves[c].config->mode.name == mode) return &curves->curves[c];
    return NULL;
}

/* Of two workers; NULL: there is none. */
static const struct curve_point *point_of_two(const struct curve *curve)
{
    for (int i = 0; curve && i < curve->count; i++)
        if (curve->points[i].workers == 2) return &curve->points[i];
    return NULL;
}

static double sample_item(const struct sample *sample)
{
    return sample->cpu_s / sample->work;
}

static int try_two_workers(struct bench *bench, const char *name, double value, struct error *error)
{
    struct results results;
    struct curves curves = {.count = 0};
    char dials[64], row[64];
    results_init(&results);
    snprintf(dials, sizeof dials, "--%s %g", name, value);
    int status = run_study(bench, "--modes threads --workers 2", dials, &results, &curves, error);
    const struct curve *curve = status ? NULL : curve_of(&curves, MODE_THREADS);
    const struct curve_point *point = point_of_two(curve);
    snprintf(row, sizeof row, "%s, 2 threads", name);
    if (point && strcmp(name, "serial") == 0) print_spread(bench, row, value, "Karp-Flatt", &point->karp_flatt);
    if (point) print_imbalance(bench, row, value, &point->factors);
    double item_s = curve && curve->serial ? group_median(curve->serial, ANY_BLOCK, sample_item) : NAN;
    if (item_s > 0) bench->item_s = item_s;
    if (curve) printf("    %s\n", curve->sentence);
    curves_release(&curves);
    results_release(&results);
    return status;
}

/* 1, 2, 4 and 8 tasks on one core, or two on two. */
static int try_waiting(struct bench *bench, double share, bool one_core, struct error *error)
{
    struct results results;
    struct curves curves = {.count = 0};
    char dials[64];
    results_init(&results);
    snprintf(dials, sizeof dials, "--wait %.0fus", 1e6 * bench->item_s * share / (1 - share));
    int status = run_study(bench, one_core ? "--modes multitask --workers 2,4,8" : "--modes threads --workers 2", dials,
                           &results, &curves, error);
    const struct curve *curve = status ? NULL : curve_of(&curves, one_core ? MODE_MULTITASK : MODE_THREADS);
    if (curve) print_spread(bench, "waiting", share, "share of time, one task", &curve->waiting);
    for (int i = 0; curve && i < curve->count; i++) {
        char row[64];
        int cores = one_core ? 1 : 2;
        if (curve->points[i].workers == 1) continue;
        snprintf(row, sizeof row, "waiting %.1f, %d on %d core%s", share, curve->points[i].workers, cores,
                 cores > 1 ? "s" : "");
        print_spread(bench, row, fmin(curve->points[i].workers, cores / (1 - share)), "speedup",
                     &curve->points[i].speedup);
    }
    curves_release(&curves);
    results_release(&results);
    return status;
}

static int tell_sentence(struct bench *bench, const char *mode, const char *dials, struct error *error)
{
    struct results results;
    struct curves curves = {.count = 0};
    char words[64];
    results_init(&results);
    snprintf(words, sizeof words, "--modes %s --workers 2", mode);
    int status = run_study(bench, words, dials, &results, &curves, error);
    enum mode_name name = MODE_SERIAL;
    mode_name_parse(mode, &name);
    const struct curve *curve = status ? NULL : curve_of(&curves, name);
    if (curve) printf("%s, %s: %s\n", dials, mode, *curve->sentence ? curve->sentence : "no valid samples");
    fflush(stdout);
    curves_release(&curves);
    results_release(&results);
    return status;
}

static int run(struct bench *bench, struct error *error)
{
    static const double shares[] = {0, 0.05, 0.2}, imbalances[] = {0, 0.2, 0.5}, waits[] = {0, 0.5, 0.8};
    static const char *const others[][2] = {{"threads", "--contend lock"},
                                            {"threads", "--contend atomic"},
                                            {"threads", "--contend false-sharing"},
                                            {"threads", "--grain 10us"},
                                            {"threads", "--wait 5ms --wait-kind disk"},
                                            {"mpi", "--message 4MiB --operations 400000"},
                                            {"mpi", "--grain 10us"}};
    int status = STATUS_OK;
    printf("%-28s %6s   %-34s %s\n", "dial", "set", "what tells it", "recovered, with its interval");
    for (int i = 0; i < 3 && !status && bench_list_has(bench->only, "serial"); i++)
        status = try_two_workers(bench, "serial", shares[i], error);
    for (int i = 0; i < 3 && !status && bench_list_has(bench->only, "imbalance"); i++)
        status = try_two_workers(bench, "imbalance", imbalances[i], error);
    for (int i = 0; i < 6 && !status && bench_list_has(bench->only, "waiting"); i++)
        status = try_waiting(bench, waits[i % 3], i < 3, error);
    printf("%d of %d inside\n", bench->inside, bench->rows);
    for (size_t i = 0; i < sizeof others / sizeof *others && !status && bench_list_has(bench->only, "others"); i++)
        status = tell_sentence(bench, others[i][0], others[i][1], error);
    return status;
}

int main(int argc, char *argv[])
{
    static struct bench bench = {
        .wish = {.runs = 9, .time_s = 1}, .item_s = 5e-3, .folder = "/tmp/bench_synthetic.XXXXXX"};
    static const struct option options[] = {
        {.name = "runs",
         .type = OPT_COUNT,
         .value = &bench.wish.runs,
         .min = 1,
         .max = 100,
         .argument = "K",
         .help = "Launches of each configuration. Default: 9. From 6 on there are intervals."},
        {.name = "time",
         .type = OPT_DURATION,
         .value = &bench.wish.time_s,
         .min = 0.01,
         .max = 600,
         .argument = "T",
         .help = "About so long one task computes. Default: 1s."},
        {.name = "only",
         .type = OPT_TEXT,
         .value = &bench.only,
         .argument = "LIST",
         .help = "Of serial,imbalance,waiting,others. Default: all."},
        {.name = "fifo",
         .type = OPT_FLAG,
         .value = &bench.wish.fifo,
         .help = "Workers come before all others (--policy fifo, as root): where the machine is in use. --time under "
                 "0.9s then."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &bench.wish.smoke,
         .help = "A run of some seconds, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_synthetic",
        "Turns the dials of the kernel synthetic, and tells whether a study recovers them: what was set, what the "
        "study's record tells, and whether the one lies in the interval of the other.",
        options};
    struct error error = {""};
    char self[400] = "";
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (bench.wish.smoke) bench.wish.runs = 1, bench.wish.time_s = 0.05;
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0 || !mkdtemp(bench.folder)) return 1;
    snprintf(bench.program, sizeof bench.program, "%s/speedup", dirname(self));
    snprintf(bench.record, sizeof bench.record, "%s/study.jsonl", bench.folder);
    if (status == 0) status = bench_print_machine(&error);
    if (status == 0) status = run(&bench, &error);
    if (status < 0) fprintf(stderr, "bench_synthetic: %s\n", error.text);
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", bench.folder);
    if (system(command)) return 1;
    return -status;
}
