/* What bench_summa compares: matmul on one rank, matmul on all ranks by each way of moving panels, and pdgemm on each
 * grid with each size of blocks. All calls are collective. */
#ifndef BENCH_ENTRIES_H
#define BENCH_ENTRIES_H

#include "../../kernels/kernel.h"
#include "../../kernels/team.h"
#include "bench.h"
#include "scalapack.h"

enum { ENTRIES_MAX = 40 };

struct entry;
struct entry_kind {
    /* Ranks may differ in the outcome. 0 or negative. */
    int (*prepare)(struct entry *, int64_t n);
    int (*reset)(struct entry *);
    int (*run)(struct entry *);
    /* *detail_p: what is wrong. */
    bool (*is_right)(struct entry *, size_t length, char *detail_p);
    void (*finish)(struct entry *);
};

struct entry {
    char name[48];
    const struct entry_kind *kind;
    bool alone;        /* rank 0 works, the others sleep */
    struct team *team; /* NULL: this rank has no part in it */

    struct problem problem; /* of matmul */
    void *state;

    const struct scalapack *scalapack; /* of pdgemm */
    int block, grid_rows, grid_columns;
    struct scalapack_job job;
    double *memory;

    double call_s;
    int64_t calls; /* a measurement */
    bool wrong;
    double rates[BENCH_ROUNDS_MAX]; /* flop/s; on all ranks */
};

struct entries {
    int count;
    struct entry list[ENTRIES_MAX];
};

struct entries_wish {
    const char *variant, *isa; /* NULL: matmul's default, the best */
    const char *options;       /* "name=value,...", or NULL */
    const char *blocks;        /* of pdgemm: "64,128" */
};

/* `scalapack` may be NULL: none. The list begins with matmul on one rank. STATUS_USAGE where a wish names what there is
 * not. */
int entries_init(struct entries *entries_p, struct team *team, struct team *solo, const struct scalapack *scalapack,
                 const struct entries_wish *, struct error *);

#endif
