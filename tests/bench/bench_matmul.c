/* Compares the variants of matmul with each other, with the dgemm of OpenBLAS, BLIS and libxsmm, and with what the
 * cores can do at most, in turns (bench.h), each thread bound to a CPU.
 *
 *     bench_matmul                                  the usual squares, one thread
 *     bench_matmul --threads 2 --sets squares,skinny
 *     bench_matmul --variants packed --peers openblas --sizes 2048,64x2048x2048 --repeats 15 --csv rates.csv
 *     bench_matmul --oversubscribe 16               16 threads on one CPU against one thread
 *
 * For steady numbers leave the machine alone meanwhile. OPENBLAS_CORETYPE and BLIS_ARCH_TYPE choose the libraries'
 * kernels. Ends with status 3 where a result differs from the libraries' by more than rounding can explain.
 */
#include "tables.h"

#include "../../src/place/machine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wish {
    int threads, repeats, oversubscribe;
    const char *sizes, *sets, *variants, *peers, *bases, *isa, *csv;
    double min_time_s, patience_s, gap_s;
    struct cpu_list cpus;
    bool huge_pages, smoke;
};

static const struct {
    const char *name, *sizes;
} sets[] = {
    {"squares", "64,96,128,192,256,384,512,768,1000,1023,1024,1537,2048,3000,4096"},
    {"tiny", "4,8,16,24,32,48,64"},
    {"skinny", "2048x2048x64,2048x64x2048,64x2048x2048,4096x4096x32,10000x24x24,16x16x100000"},
    {"smoke", "1,7,33,64,130x70x9,5x300x41"},
};
enum { SETS = sizeof sets / sizeof *sets };

/* Each once. */
static void add_shape(const struct shape *shape, int *count_p, struct shape shapes_p[SHAPES_MAX])
{
    for (int i = 0; i < *count_p; i++)
        if (shapes_p[i].m == shape->m && shapes_p[i].n == shape->n && shapes_p[i].k == shape->k) return;
    shapes_p[(*count_p)++] = *shape;
}

static int add_sizes(const char *list, int *count_p, struct shape shapes_p[SHAPES_MAX], struct error *error_p)
{
    char word[64];
    while (bench_next_word(&list, sizeof word, word)) {
        struct size size;
        if (size_parse_extents(word, 3, &size) < 0 || size.dims == 2)
            return error_set(error_p, STATUS_USAGE, "--sizes: '%s' is no size; give N, or MxNxK", word);
        if (*count_p == SHAPES_MAX)
            return error_set(error_p, STATUS_USAGE, "--sizes: at most %d in one run", SHAPES_MAX);
        for (int i = 0; i < size.dims; i++)
            if (size.dim[i] > INT32_MAX)
                return error_set(error_p, STATUS_USAGE, "--sizes: '%s' is more than libraries take (%d)", word,
                                 INT32_MAX);
        bool square = size.dims == 1;
        struct shape shape = {size.dim[0], size.dim[square ? 0 : 1], size.dim[square ? 0 : 2]};
        add_shape(&shape, count_p, shapes_p);
    }
    return *list ? error_set(error_p, STATUS_USAGE, "--sizes: '%.40s' is no size; give N, or MxNxK", list) : 0;
}

static int add_sets(const char *list, int *count_p, struct shape shapes_p[SHAPES_MAX], struct error *error_p)
{
    char word[32];
    while (bench_next_word(&list, sizeof word, word)) {
        bool all = strcmp(word, "issue") == 0, known = false;
        for (int i = 0; i < SETS; i++) {
            if (strcmp(word, sets[i].name) != 0 && !(all && strcmp(sets[i].name, "smoke") != 0)) continue;
            known = true;
            int status = add_sizes(sets[i].sizes, count_p, shapes_p, error_p);
            if (status < 0) return status;
        }
        if (!known)
            return error_set(error_p, STATUS_USAGE, "--sets: there is no '%s'; there are squares, tiny, skinny, issue",
                             word);
    }
    return 0;
}

static int find_shapes(const struct wish *wish, int *count_p, struct shape shapes_p[SHAPES_MAX], struct error *error_p)
{
    *count_p = 0;
    int status = wish->sizes ? add_sizes(wish->sizes, count_p, shapes_p, error_p) : 0;
    if (status == 0 && wish->sets) status = add_sets(wish->sets, count_p, shapes_p, error_p);
    return status == 0 && *count_p == 0 ? error_set(error_p, STATUS_USAGE, "--sizes: the list is empty") : status;
}

static int run_trials(const struct wish *wish, struct contestants *all, int count, const struct shape shapes[],
                      FILE *csv, struct error *error_p)
{
    const struct trial_wish trial_wish = {.rounds = wish->repeats,
                                          .min_time_s = wish->min_time_s,
                                          .patience_s = wish->patience_s,
                                          .gap_s = wish->gap_s,
                                          .huge_pages = wish->huge_pages,
                                          .csv = csv};
    struct tables tables;
    bool wrong = false;
    struct trial *trial = malloc(sizeof *trial);
    int status = tables_init(&tables, all, wish->bases, wish->threads > 1, error_p);
    if (status == 0 && !trial) status = error_set(error_p, STATUS_FAILED, "out of memory");
    for (int i = 0; i < count && status == 0; i++) {
        status = trial_run(all, &trial_wish, &shapes[i], trial, error_p);
        if (status == 0 || status == STATUS_WRONG) tables_add(&tables, trial);
        wrong = wrong || status == STATUS_WRONG;
        if (status == STATUS_WRONG) status = 0;
    }
    if (status == 0 && count > 1) tables_print_means(&tables);
    if (status == 0 && wrong) status = error_set(error_p, STATUS_WRONG, "wrong results: see WRONG above");
    tables_release(&tables);
    free(trial);
    return status;
}

static int run(const struct wish *wish, struct error *error_p)
{
    static struct shape shapes[SHAPES_MAX];
    struct contestants *all = calloc(1, sizeof *all);
    struct contestants_wish who = {.threads = wish->threads,
                                   .variants = wish->variants,
                                   .peers = wish->oversubscribe ? "none" : wish->peers,
                                   .bases = wish->bases,
                                   .solos = wish->threads > 1};
    FILE *csv = NULL;
    int count;
    int status = all ? 0 : error_set(error_p, STATUS_FAILED, "out of memory");
    if (status == 0) status = find_shapes(wish, &count, shapes, error_p);
    if (status == 0) status = bench_print_machine(error_p);
    if (status == 0) status = bench_choose_cpus(wish->threads, wish->oversubscribe, &wish->cpus, &all->cpus, error_p);
    if (status == 0) status = bench_choose_isa(wish->isa, &who.isa, error_p);
    if (status == 0) status = contestants_open(all, &who, error_p);
    if (status == 0 && wish->csv) {
        csv = fopen(wish->csv, "w");
        if (csv)
            trial_print_csv_header(csv);
        else
            status = error_set(error_p, STATUS_FAILED, "--csv: cannot write %s", wish->csv);
    }
    if (status == 0) status = run_trials(wish, all, count, shapes, csv, error_p);
    if (csv && fclose(csv) && status == 0) status = error_set(error_p, STATUS_FAILED, "--csv: cannot write all");
    if (all) contestants_close(all);
    free(all);
    return status;
}

static void complete(struct wish *wish)
{
    if (wish->smoke) {
        wish->sets = "smoke";
        wish->sizes = NULL;
        wish->repeats = 1;
        wish->min_time_s = 1e-4;
        wish->gap_s = 0;
    }
    if (wish->oversubscribe) {
        wish->threads = wish->oversubscribe;
        if (!wish->variants) wish->variants = "packed";
        if (!wish->sizes && !wish->sets) wish->sizes = "2048";
    }
    if (!wish->sizes && !wish->sets) wish->sets = "squares";
    if (wish->gap_s < 0) wish->gap_s = wish->threads > 1 && !wish->oversubscribe ? 0.15 : 0;
}

int main(int argc, char *argv[])
{
    static struct wish wish = {
        .threads = 1, .repeats = 9, .bases = "openblas,libxsmm", .min_time_s = 0.03, .patience_s = 10, .gap_s = -1};
    static const struct option options[] = {
        {.name = "threads",
         .type = OPT_COUNT,
         .value = &wish.threads,
         .min = 1,
         .max = CPUS_MAX,
         .argument = "N",
         .help = "Threads, each on a CPU of its own. Default: 1. With more, each variant is also measured with 1."},
        {.name = "sizes",
         .type = OPT_TEXT,
         .value = &wish.sizes,
         .argument = "LIST",
         .help = "N, or MxNxK for C (M x N) = A (M x K) B (K x N): 64,1000,2048x2048x64."},
        {.name = "sets",
         .type = OPT_TEXT,
         .value = &wish.sets,
         .argument = "LIST",
         .help =
             "squares: 15 from 64 to 4096 (the default); tiny: 7 from 4 to 64; skinny: 6 shapes; issue: all those."},
        {.name = "variants",
         .type = OPT_TEXT,
         .value = &wish.variants,
         .argument = "LIST",
         .help = "naive, reordered, tiled, vector, packed, blas; none. Default: all."},
        {.name = "peers",
         .type = OPT_TEXT,
         .value = &wish.peers,
         .argument = "LIST",
         .help = "openblas, blis, blis-skx (BLIS with its AVX-512 kernels, wherever it would choose others), libxsmm; "
                 "none. Default: all that are installed."},
        {.name = "bases",
         .type = OPT_TEXT,
         .value = &wish.bases,
         .argument = "LIST",
         .help = "By whose rates to divide. Default: openblas,libxsmm."},
        BENCH_OPTION_REPEATS(&wish.repeats),
        {.name = "min-time",
         .type = OPT_DURATION,
         .value = &wish.min_time_s,
         .min = 1e-6,
         .max = 60,
         .argument = "T",
         .help = "A measurement is as many calls as take that long. Default: 30ms."},
        {.name = "patience",
         .type = OPT_DURATION,
         .value = &wish.patience_s,
         .min = 1e-6,
         .max = 86400,
         .argument = "T",
         .help = "Contestants that need longer for one call are left out. Default: 10s."},
        {.name = "gap",
         .type = OPT_DURATION,
         .value = &wish.gap_s,
         .min = 0,
         .max = 0.9,
         .argument = "T",
         .help = "Pause before each measurement, so that waiting threads fall asleep. Default: 150ms with several "
                 "threads, else none."},
        {.name = "isa",
         .type = OPT_TEXT,
         .value = &wish.isa,
         .argument = "NAME",
         .help =
             "Instruction set of the variants and ceilings: sse2, avx2, avx512. Default: SPEEDUP_ISA, or the best."},
        BENCH_OPTION_CPUS(&wish.cpus),
        {.name = "oversubscribe",
         .type = OPT_COUNT,
         .value = &wish.oversubscribe,
         .min = 2,
         .max = 1024,
         .argument = "N",
         .help = "N threads on one CPU against one; packed, 2048, unless said otherwise."},
        {.name = "huge-pages",
         .type = OPT_FLAG,
         .value = &wish.huge_pages,
         .help = "Asks for matrices in pages of 2 MiB."},
        {.name = "csv",
         .type = OPT_TEXT,
         .value = &wish.csv,
         .argument = "FILE",
         .help = "Writes a line for each measurement."},
        {.name = "smoke",
         .type = OPT_FLAG,
         .value = &wish.smoke,
         .help = "A second's run at small sizes, which tells only whether all works."},
        {.name = NULL},
    };
    static const struct bench_program program = {
        "bench_matmul",
        "Compares the variants of matmul with each other, with the dgemm of OpenBLAS, BLIS and libxsmm, and with what "
        "the cores can do at most: everybody in turns, in random order, each thread bound to a CPU. Ratios are medians "
        "over rounds of the ratio within a round.\n"
        "Ends with status 3 where a result differs from the libraries' by more than rounding explains.",
        options};
    struct error error = {""};
    int status = bench_parse(&program, argc, argv, &error);
    if (status == 1) return 0;
    if (status == 0) {
        complete(&wish);
        if (wish.oversubscribe) bench_start_anew_with_passive_waits(argv);
        status = run(&wish, &error);
    }
    if (status < 0) fprintf(stderr, "bench_matmul: %s\n", error.text);
    return -status;
}
