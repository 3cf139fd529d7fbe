/* The tables of bench_matmul: one a size, and geometric means over sets of sizes. */
#ifndef BENCH_TABLES_H
#define BENCH_TABLES_H

#include "trial.h"

enum { BASES_MAX = 8, SHAPES_MAX = 256 };

/* What rates are divided by. */
struct base {
    char title[40];
    int contestant; /* its index; -1: that variant itself with one thread */
    bool ceiling;
};

struct tables {
    const struct contestants *all;
    int rounds, base_count;
    struct base bases[BASES_MAX];
    int shape_count;
    struct shape shapes[SHAPES_MAX];
    double (*ratios)[CONTESTANTS_MAX][BASES_MAX]; /* of each shape; medians; NAN where there is none */
};

/* Bases are those contestants of the list `names` that there are, the ceilings, and (where `solos`) one thread. 0 or
 * STATUS_FAILED. */
int tables_init(struct tables *tables_p, const struct contestants *, const char *names, bool solos, struct error *);
void tables_release(struct tables *);

/* Prints the trial's table, and keeps its ratios. */
void tables_add(struct tables *, const struct trial *);
void tables_print_means(const struct tables *);

#endif
