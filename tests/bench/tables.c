#include "tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 15, RATE = 22, RATIO = 23, SHARE = 18 };

/* By what is asked of matmul there. A shape is in every set that it fits; one that is no square, in the last. */
static const struct {
    const char *title;
    bool square;
    int64_t least, most;
} sets[] = {
    {"squares, N >= 64", true, 64, INT64_MAX},     {"squares, N >= 1000", true, 1000, INT64_MAX},
    {"squares, N >= 2048", true, 2048, INT64_MAX}, {"squares, N <= 64", true, 1, 64},
    {"other shapes", false, 1, INT64_MAX},
};

static void add_base(struct tables *tables, const char *name, int contestant, bool ceiling)
{
    if (tables->base_count == BASES_MAX) return;
    struct base *base = &tables->bases[tables->base_count++];
    *base = (struct base){.contestant = contestant, .ceiling = ceiling};
    snprintf(base->title, sizeof base->title, "/ %s", name);
}

int tables_init(struct tables *tables_p, const struct contestants *all, const char *names, bool solos,
                struct error *error_p)
{
    static const char *const ceilings[] = {"fed peak", "register peak"};
    char name[32];
    *tables_p = (struct tables){.all = all};
    tables_p->ratios = malloc(SHAPES_MAX * sizeof *tables_p->ratios);
    if (!tables_p->ratios) return error_set(error_p, STATUS_FAILED, "out of memory");
    while (bench_next_word(&names, sizeof name, name)) {
        int contestant = contestants_find(all, name);
        if (contestant >= 0) add_base(tables_p, name, contestant, false);
    }
    if (solos) add_base(tables_p, "its 1 thread", -1, false);
    for (int i = 0; i < 2; i++) add_base(tables_p, ceilings[i], contestants_find(all, ceilings[i]), true);
    return 0;
}

void tables_release(struct tables *tables)
{
    free(tables->ratios);
}

static bool is_square(const struct shape *shape)
{
    return shape->m == shape->n && shape->n == shape->k;
}

static int column_width(const struct tables *tables, int b)
{
    return tables->bases[b].ceiling ? SHARE : RATIO;
}

static bool is_ceiling(const struct tables *tables, int i)
{
    return tables->all->list[i].kind->rate;
}

static int cores(const struct tables *tables, int i)
{
    int threads = tables->all->list[i].threads, cpus = tables->all->cpus.count;
    return threads < cpus ? threads : cpus;
}

/* Whether a ratio to that base says something. */
static bool is_compared(const struct tables *tables, int i, int b)
{
    const struct base *base = &tables->bases[b];
    if (base->contestant < 0) return tables->all->list[i].solo >= 0;
    if (base->contestant == i || (is_ceiling(tables, i) && !base->ceiling)) return false;
    return cores(tables, i) == cores(tables, base->contestant);
}

static struct estimate ratio_to(const struct tables *tables, const struct trial *trial, int i, int b)
{
    int base = tables->bases[b].contestant;
    int other = base >= 0 ? base : tables->all->list[i].solo;
    if (!is_compared(tables, i, b) || trial->of[i].calls == 0 || trial->of[other].calls == 0)
        return (struct estimate){.median = NAN};
    if (trial->of[i].wrong || trial->of[other].wrong) return (struct estimate){.median = NAN};
    return bench_estimate_ratio(trial->rounds, trial->of[i].rates, trial->of[other].rates);
}

/* A base that takes no part at this size has no column. */
static bool has_column(const struct tables *tables, const struct trial *trial, int b)
{
    int base = tables->bases[b].contestant;
    return base < 0 || trial->of[base].calls > 0;
}

static void print_heading(const struct tables *tables, const struct trial *trial)
{
    const struct shape *shape = &trial->shape;
    char text[80];
    if (is_square(shape))
        printf("\nN = %lld", (long long)shape->n);
    else
        printf("\n%lldx%lldx%lld", (long long)shape->m, (long long)shape->n, (long long)shape->k);
    printf("; %s\n%-*s%*s", bench_interval_text(trial->rounds, sizeof text, text), NAME, "", RATE, "GFLOP/s");
    for (int b = 0; b < tables->base_count; b++)
        if (has_column(tables, trial, b)) printf("%*s", column_width(tables, b), tables->bases[b].title);
    putchar('\n');
}

static void print_row(struct tables *tables, const struct trial *trial, int i)
{
    char text[64];
    double gflops[BENCH_ROUNDS_MAX];
    double *ratios = tables->ratios[tables->shape_count][i];
    for (int round = 0; round < trial->rounds; round++) gflops[round] = trial->of[i].rates[round] * 1e-9;
    struct estimate rate = bench_estimate(trial->rounds, gflops);
    printf("%-*s%*s", NAME, tables->all->list[i].name, RATE,
           bench_format(rate, rate.median < 9.95 ? 2 : 1, sizeof text, text));
    for (int b = 0; b < tables->base_count; b++) {
        struct estimate ratio = ratio_to(tables, trial, i, b);
        ratios[b] = ratio.median;
        if (!has_column(tables, trial, b)) continue;
        if (tables->bases[b].ceiling && ratio.rounds > 1) ratio.rounds = 1;
        printf("%*s", column_width(tables, b), bench_format(ratio, 3, sizeof text, text));
    }
    putchar('\n');
}

void tables_add(struct tables *tables, const struct trial *trial)
{
    print_heading(tables, trial);
    for (int i = 0; i < tables->all->count; i++) {
        for (int b = 0; b < BASES_MAX; b++) tables->ratios[tables->shape_count][i][b] = NAN;
        if (trial->of[i].calls > 0) print_row(tables, trial, i);
    }
    for (int i = 0; i < tables->all->count; i++)
        if (*trial->of[i].why) printf("  %s: %s\n", tables->all->list[i].name, trial->of[i].why);
    bench_print_disturbances(&trial->disturbances);
    tables->shapes[tables->shape_count++] = trial->shape;
    fflush(stdout);
}

static bool set_has(int set, const struct shape *shape)
{
    return is_square(shape) == sets[set].square && shape->m >= sets[set].least && shape->m <= sets[set].most;
}

/* "1.102 (least 0.985 at 96)" */
static const char *format_mean(const struct tables *tables, int set, int i, int base, size_t length, char *text)
{
    double logs = 0, least = INFINITY;
    const struct shape *where = NULL;
    int count = 0, shapes = 0;
    for (int s = 0; s < tables->shape_count; s++) {
        double ratio = tables->ratios[s][i][base];
        if (!set_has(set, &tables->shapes[s])) continue;
        shapes++;
        if (isnan(ratio)) continue;
        count++;
        logs += log(ratio);
        if (ratio < least) {
            least = ratio;
            where = &tables->shapes[s];
        }
    }
    snprintf(text, length, "-");
    if (!where) return text;
    int used = snprintf(text, length, "%.3f (%.3f at %lld", exp(logs / count), least, (long long)where->m);
    if (!sets[set].square)
        used += snprintf(text + used, length - (size_t)used, "x%lldx%lld", (long long)where->n, (long long)where->k);
    snprintf(text + used, length - (size_t)used, count < shapes ? "; %d of %d)" : ")", count, shapes);
    return text;
}

static bool has_ratio(const struct tables *tables, int set, int i, int b)
{
    for (int s = 0; s < tables->shape_count; s++)
        if (set_has(set, &tables->shapes[s]) && !isnan(tables->ratios[s][i][b])) return true;
    return false;
}

/* Those with a ratio of their own at one of its sizes. */
static bool takes_part(const struct tables *tables, int set, int i)
{
    for (int b = 0; b < tables->base_count; b++)
        if (!is_ceiling(tables, i) && has_ratio(tables, set, i, b)) return true;
    return false;
}

static bool is_base_of(const struct tables *tables, int set, int b)
{
    for (int i = 0; i < tables->all->count; i++)
        if (!is_ceiling(tables, i) && has_ratio(tables, set, i, b)) return true;
    return false;
}

static void print_set(const struct tables *tables, int set)
{
    enum { MEAN = 34 };
    int shapes = 0;
    char text[128];
    for (int s = 0; s < tables->shape_count; s++) shapes += set_has(set, &tables->shapes[s]);
    if (shapes == 0) return;
    printf("\n%s (%d size%s)\n%-*s", sets[set].title, shapes, shapes > 1 ? "s" : "", NAME, "");
    for (int b = 0; b < tables->base_count; b++)
        if (is_base_of(tables, set, b)) printf("%*s", MEAN, tables->bases[b].title);
    putchar('\n');
    for (int i = 0; i < tables->all->count; i++) {
        if (!takes_part(tables, set, i)) continue;
        printf("%-*s", NAME, tables->all->list[i].name);
        for (int b = 0; b < tables->base_count; b++)
            if (is_base_of(tables, set, b)) printf("%*s", MEAN, format_mean(tables, set, i, b, sizeof text, text));
        putchar('\n');
    }
}

void tables_print_means(const struct tables *tables)
{
    printf(
        "\nGeometric means of the ratios (the least and its size; where a contestant was left out, how many sizes)\n");
    for (int set = 0; set < (int)(sizeof sets / sizeof *sets); set++) print_set(tables, set);
}
