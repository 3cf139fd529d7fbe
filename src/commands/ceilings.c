/* Measures what one core, and all cores at once, can do at most: one thread bound to each core, and for the memory's
 * bandwidth arrays of its own that are much larger than the caches. Repeats of all rows are interleaved, so that a slow
 * moment of the machine hits all of them alike. */
#include "ceilings.h"

#include "../../kernels/ceilings/ceilings.h"
#include "../analyse/results.h"
#include "../options/options.h"
#include "../present/present.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Bandwidth may be shared out in slices of milliseconds (virtual machines), which a repeat must average over. */
static const double arithmetic_s = 10e-3, triad_s = 100e-3;
enum { QUICK_REPEATS = 3 };
static const int64_t quick_bytes = INT64_C(256) << 20; /* of a core's arrays: to touch them takes time, too */

struct bench {
    const struct cpu_list *cpus;
    int64_t count;   /* doubles of one array */
    double **arrays; /* one a core: a, then b, then c */
};

/* Four times the largest cache that a core sees, but no more than half of the memory for all. A multiple of what the
 * triad's count must be. */
static int64_t choose_count(const struct machine *machine, int cores, bool quick)
{
    int64_t bytes = INT64_C(64) << 20;
    for (int i = 0; i < 3; i++)
        if (4 * machine->cache_bytes[i] > bytes) bytes = 4 * machine->cache_bytes[i];
    if (quick && bytes > quick_bytes) bytes = quick_bytes;
    int64_t share = machine->memory_available_bytes / 2 / cores;
    if (machine->memory_available_bytes > 0 && bytes > share) bytes = share;
    int64_t step = 3 * (int64_t)sizeof(double) * CEILING_TRIAD_STEP;
    return (bytes < step ? 1 : bytes / step) * CEILING_TRIAD_STEP;
}

static int bench_allocate(struct bench *bench)
{
    size_t bytes = 3 * (size_t)bench->count * sizeof(double);
    int failures = 0;
#pragma omp parallel num_threads(bench->cpus->count) reduction(+ : failures)
    {
        int thread = omp_get_thread_num();
        failures += bind_thread(bench->cpus->cpus[thread]) < 0;
        double *arrays = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (arrays == MAP_FAILED) {
            failures++;
        } else {
            bench->arrays[thread] = arrays;
            madvise(arrays, bytes, MADV_HUGEPAGE);
            for (int64_t i = 0; i < 3 * bench->count; i++) arrays[i] = 1;
        }
        if (thread == 0 && omp_get_num_threads() != bench->cpus->count) failures++;
    }
    return failures;
}

static void bench_release(struct bench *bench)
{
    for (int i = 0; bench->arrays && i < bench->cpus->count; i++)
        if (bench->arrays[i]) munmap(bench->arrays[i], 3 * (size_t)bench->count * sizeof(double));
    free(bench->arrays);
}

static double run_row(const struct bench *bench, const struct ceiling_row *row, int cores)
{
    struct ceiling_reading all = CEILING_NOTHING;
#pragma omp parallel num_threads(cores)
    {
        double *a = bench->arrays[omp_get_thread_num()];
        struct ceiling_reading mine = {.done = 0};
#pragma omp barrier
        switch (row->kind) {
        case CEILING_PEAK:
            mine = ceiling_run_peak(row->isa, arithmetic_s);
            break;
        case CEILING_FED:
            mine = ceiling_run_fed(row->isa, arithmetic_s);
            break;
        case CEILING_TRIAD:
            mine = ceiling_run_triad(row->isa, triad_s, bench->count, a, a + bench->count, a + 2 * bench->count);
            break;
        }
#pragma omp critical
        all = ceiling_join(all, mine);
    }
    return ceiling_rate(all);
}

static void run_rows(const struct bench *bench, struct ceilings *ceilings)
{
    struct style err;
    style_for(stderr, &err);
    for (int repeat = 0; repeat < ceilings->repeats; repeat++) {
        present_progress(stderr, &err, "measuring the ceilings", (double)repeat / ceilings->repeats, -1);
        for (int all = 0; all < (bench->cpus->count > 1 ? 2 : 1); all++)
            for (int i = 0; i < ceilings->row_count; i++)
                ceilings->rows[i].rates[all][repeat] = run_row(bench, &ceilings->rows[i], all ? bench->cpus->count : 1);
    }
    present_progress(stderr, &err, NULL, 0, 0);
}

int ceilings_measure(const struct machine *machine, bool quick, struct ceilings *ceilings_p, struct error *error_p)
{
    struct cpu_list before;
    memset(ceilings_p, 0, sizeof *ceilings_p);
    machine_cpu_order(machine, false, &ceilings_p->cpus);
    int cores = ceilings_p->cpus.count, status = STATUS_OK;
    ceilings_p->repeats = quick ? QUICK_REPEATS : CEILING_REPEATS;
    for (int isa = quick ? (int)isa_best() : 0; isa <= (int)isa_best(); isa++)
        for (enum ceiling_kind kind = CEILING_PEAK; kind <= CEILING_FED; kind++)
            ceilings_p->rows[ceilings_p->row_count++] = (struct ceiling_row){.kind = kind, .isa = (enum isa)isa};
    ceilings_p->rows[ceilings_p->row_count++] = (struct ceiling_row){.kind = CEILING_TRIAD, .isa = isa_best()};

    struct bench bench = {.cpus = &ceilings_p->cpus, .count = choose_count(machine, cores, quick)};
    ceilings_p->triad_bytes = 3 * bench.count * (int64_t)sizeof(double);
    bench.arrays = calloc((size_t)cores, sizeof *bench.arrays);
    bool known = bind_read(&before) > 0;
    omp_set_dynamic(0);
    if (bench.arrays && bench_allocate(&bench) == 0)
        run_rows(&bench, ceilings_p);
    else
        status =
            error_set(error_p, STATUS_FAILED,
                      "the ceilings need a thread bound to each of %d cores, with %lld MiB of memory each, and not "
                      "all of that can be had (is OMP_THREAD_LIMIT set?)",
                      cores, (long long)(ceilings_p->triad_bytes >> 20));
    bench_release(&bench);
    if (known) bind_process(&before);
    return status;
}

static double best_of(int repeats, const double rates[])
{
    return quantile(repeats, rates, 1);
}

double ceilings_best(const struct ceilings *ceilings, enum ceiling_kind kind, enum isa isa, bool all)
{
    for (int i = 0; i < ceilings->row_count && (!all || ceilings->cpus.count > 1); i++)
        if (ceilings->rows[i].kind == kind && ceilings->rows[i].isa == isa)
            return best_of(ceilings->repeats, ceilings->rows[i].rates[all]);
    return NAN;
}

/* "58.1 GFLOP/s (57.9)": the best, and the median. */
static const char *format_rates(int repeats, const struct ceiling_row *row, const double rates[], size_t length,
                                char *text)
{
    double giga = 1e-9;
    snprintf(text, length, "%.1f %s (%.1f)", best_of(repeats, rates) * giga,
             row->kind == CEILING_TRIAD ? "GB/s" : "GFLOP/s", median(repeats, rates) * giga);
    return text;
}

void ceilings_print(const struct ceilings *ceilings)
{
    static const char *const kinds[] = {
        [CEILING_PEAK] = "in registers", [CEILING_FED] = "fed from L1", [CEILING_TRIAD] = "triad"};
    int cores = ceilings->cpus.count, width = cores > 1 ? 24 : 0;
    char one[64], all[64] = "";
    printf("Ceilings: the best of %d repeats, in brackets their median\n\n", ceilings->repeats);
    if (cores > 1) snprintf(all, sizeof all, "%d cores at once", cores);
    printf("%24s%-*s%s\n", "", width, "one core", all);
    for (int i = 0; i < ceilings->row_count; i++) {
        const struct ceiling_row *row = &ceilings->rows[i];
        format_rates(ceilings->repeats, row, row->rates[0], sizeof one, one);
        if (cores > 1) format_rates(ceilings->repeats, row, row->rates[1], sizeof all, all);
        printf("  %-8s%-14s%-*s%s\n",
               row->kind == CEILING_TRIAD  ? "memory"
               : row->kind == CEILING_PEAK ? isa_name(row->isa)
                                           : "",
               kinds[row->kind], width, one, all);
    }
    char bytes[32], text[512];
    format_bytes((double)ceilings->triad_bytes, sizeof bytes, bytes);
    snprintf(
        text, sizeof text,
        "In registers: independent multiply-adds, the most there is. Fed from L1: the same as in a matrix "
        "multiplication, with operands from the first cache. Triad: a = b + 3 c with %s of arrays a core, 24 bytes "
        "counted for an element, as STREAM does.%s",
        bytes, cores > 1 ? "" : " This process may use one core only: there is nothing to compare it with.");
    putchar('\n');
    options_print_wrapped(stdout, 0, 0, text);
}

static json_t *encode_rates(int repeats, const double rates[])
{
    return json_pack("{s:f, s:f}", "best", best_of(repeats, rates), "median", median(repeats, rates));
}

json_t *ceilings_encode(const struct ceilings *ceilings)
{
    static const char *const kinds[] = {[CEILING_PEAK] = "registers", [CEILING_FED] = "l1", [CEILING_TRIAD] = "triad"};
    json_t *rows = json_array(), *cpus = json_array();
    for (int i = 0; i < ceilings->cpus.count; i++) json_array_append_new(cpus, json_integer(ceilings->cpus.cpus[i]));
    for (int i = 0; i < ceilings->row_count; i++) {
        const struct ceiling_row *row = &ceilings->rows[i];
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:o, s:o}", "kind", kinds[row->kind], "isa", isa_name(row->isa), "unit",
                            row->kind == CEILING_TRIAD ? "byte/s" : "flop/s", "one_core",
                            encode_rates(ceilings->repeats, row->rates[0]), "all_cores",
                            ceilings->cpus.count > 1 ? encode_rates(ceilings->repeats, row->rates[1]) : json_null()));
    }
    return json_pack("{s:o, s:i, s:I, s:o}", "cpus", cpus, "repeats", ceilings->repeats, "triad_bytes_per_core",
                     (json_int_t)ceilings->triad_bytes, "rows", rows);
}
