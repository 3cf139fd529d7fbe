#include "contestants.h"

#include "../../kernels/ceilings/ceilings.h"

#include <errno.h>
#include <omp.h>
#include <string.h>

static const struct {
    const char *name;
    matmul_multiply *multiply;
} variants[] = {
    {"naive", matmul_naive},   {"reordered", matmul_reordered}, {"tiled", matmul_tiled},
    {"vector", matmul_vector}, {"packed", matmul_packed},       {"blas", matmul_blas},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static void settle_threads(const struct contestant *contestant)
{
    bench_settle_threads(contestant->threads, contestant->cpus);
}

static int variant_prepare(struct contestant *contestant, const struct shape *shape)
{
    struct matmul_tools *tools = &contestant->tools;
    if (contestant->multiply == matmul_blas && !tools->blas.library) return matmul_blas_open(&tools->blas);
    if (contestant->multiply != matmul_packed) return 0;
    tools->workspace = matmul_workspace_new(tools->isa, contestant->threads, shape->m, shape->n, shape->k);
    return tools->workspace ? 0 : -ENOMEM;
}

static void variant_finish(struct contestant *contestant)
{
    if (contestant->tools.workspace) matmul_workspace_free(contestant->tools.workspace);
    contestant->tools.workspace = NULL;
}

static void variant_multiply(const struct contestant *contestant, const struct product *product, int64_t calls)
{
    const struct shape *shape = &product->shape;
    const struct matmul_block block = {
        .rows = shape->m,
        .columns = shape->n,
        .depth = shape->k,
        .a = product->a,
        .b = product->b,
        .c = product->c,
        .lda = shape->k,
        .ldb = shape->n,
        .ldc = shape->n,
        .threads = contestant->threads,
        .tools = (struct matmul_tools *)&contestant->tools,
    };
    if (contestant->threads == 1) {
        for (int64_t call = 0; call < calls; call++) contestant->multiply(&block);
        return;
    }
    for (int64_t call = 0; call < calls; call++) {
#pragma omp parallel num_threads(contestant->threads)
        {
            struct matmul_block mine = block;
            mine.thread = omp_get_thread_num();
            contestant->multiply(&mine);
        }
    }
}

static void variant_close(struct contestant *contestant)
{
    matmul_blas_close(&contestant->tools.blas);
}

static double measure_ceiling(const struct contestant *contestant, double seconds,
                              struct ceiling_reading (*run)(enum isa, double))
{
    struct ceiling_reading all = CEILING_NOTHING;
#pragma omp parallel num_threads(contestant->threads)
    {
        struct ceiling_reading mine = run(contestant->tools.isa, seconds);
#pragma omp critical
        all = ceiling_join(all, mine);
    }
    return ceiling_rate(all);
}

static double rate_fed(const struct contestant *contestant, double seconds)
{
    return measure_ceiling(contestant, seconds, ceiling_run_fed);
}

static double rate_peak(const struct contestant *contestant, double seconds)
{
    return measure_ceiling(contestant, seconds, ceiling_run_peak);
}

static const struct contestant_kind variant_kind = {
    .prepare = variant_prepare,
    .settle = settle_threads,
    .multiply = variant_multiply,
    .finish = variant_finish,
    .close = variant_close,
};
static const struct contestant_kind fed_kind = {.settle = settle_threads, .rate = rate_fed};
static const struct contestant_kind peak_kind = {.settle = settle_threads, .rate = rate_peak};

struct contestant *contestants_add(struct contestants *all, const char *name, const struct contestant_kind *kind,
                                   int threads)
{
    struct contestant *contestant = &all->list[all->count++];
    *contestant = (struct contestant){.kind = kind, .threads = threads, .solo = -1, .cpus = &all->cpus};
    snprintf(contestant->name, sizeof contestant->name, "%s", name);
    return contestant;
}

static void add_variant(struct contestants *all, const struct contestants_wish *wish, int variant)
{
    const char *name = variants[variant].name;
    const char *missing = variants[variant].multiply == matmul_blas ? matmul_blas_unavailable() : NULL;
    if (missing) {
        printf("%s: left out: %s\n", name, missing);
        return;
    }
    struct contestant *contestant = contestants_add(all, name, &variant_kind, wish->threads);
    contestant->multiply = variants[variant].multiply;
    if (wish->solos) {
        char solo_name[32];
        snprintf(solo_name, sizeof solo_name, "%s, 1", name);
        contestant->solo = all->count;
        contestants_add(all, solo_name, &variant_kind, 1)->multiply = variants[variant].multiply;
    }
}

static bool is_variant(const char *name)
{
    for (int i = 0; i < VARIANTS; i++)
        if (strcmp(variants[i].name, name) == 0) return true;
    return false;
}

static bool is_library(const char *name)
{
    for (int i = 0; library_names[i]; i++)
        if (strcmp(library_names[i], name) == 0) return true;
    return false;
}

static bool is_either(const char *name)
{
    return is_variant(name) || is_library(name);
}

static int check_names(const char *flag, const char *list, bool (*known)(const char *), const char *allowed,
                       struct error *error_p)
{
    char word[64];
    while (list && bench_next_word(&list, sizeof word, word))
        if (!known(word) && strcmp(word, "none") != 0)
            return error_set(error_p, STATUS_USAGE, "--%s: there is no '%s'; there are %s, and 'none'", flag, word,
                             allowed);
    return 0;
}

#define VARIANT_NAMES "naive, reordered, tiled, vector, packed, blas"
#define LIBRARY_NAMES "openblas, blis, blis-skx, libxsmm"

int contestants_open(struct contestants *all, const struct contestants_wish *wish, struct error *error_p)
{
    int status = check_names("variants", wish->variants, is_variant, VARIANT_NAMES, error_p);
    if (status == 0) status = check_names("peers", wish->peers, is_library, LIBRARY_NAMES, error_p);
    if (status == 0) status = check_names("bases", wish->bases, is_either, VARIANT_NAMES ", " LIBRARY_NAMES, error_p);
    if (status < 0) return status;
    for (int i = 0; i < VARIANTS; i++)
        if (bench_list_has(wish->variants, variants[i].name)) add_variant(all, wish, i);
    libraries_open(all, wish);
    xsmm_open(all, wish);
    int cores = wish->threads < all->cpus.count ? wish->threads : all->cpus.count;
    contestants_add(all, "fed peak", &fed_kind, cores);
    contestants_add(all, "register peak", &peak_kind, cores);
    for (int i = 0; i < all->count; i++) all->list[i].tools.isa = wish->isa;
    return 0;
}

void contestants_close(struct contestants *all)
{
    for (int i = 0; i < all->count; i++)
        if (all->list[i].kind->close) all->list[i].kind->close(&all->list[i]);
    all->count = 0;
}

int contestants_find(const struct contestants *all, const char *name)
{
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, name) == 0) return i;
    return -1;
}
