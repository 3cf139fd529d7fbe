/* One multiplication by one variant, checked bit by bit: test_matmul.c makes hundreds of thousands of them. */
#ifndef TESTS_MATMUL_TRIAL_H
#define TESTS_MATMUL_TRIAL_H

#include "../kernels/matmul/matmul.h"

enum { TRIAL_THREADS_MAX = 7 };

enum rounding { ROUNDS_TWICE, ROUNDS_AS_ISA, ROUNDS_FREELY };

struct contender {
    const char *name; /* NULL ends a table */
    matmul_multiply *multiply;
    enum rounding rounding;
    bool needs_workspace;
};

/* Matrices, and the answers that are right. Extents of 0 are allowed. */
struct product {
    int64_t m, n, k;
    double *a, *b, *c;              /* m x k, k x n, m x n: C before */
    double *twice[2], *once[2];     /* C after, [add]: product and sum rounded each, or together; m x n */
    long double *exact, *magnitude; /* A B and |A| |B|, m x n; of VALUES_ORDINARY */
};

enum values {
    VALUES_ORDINARY, /* evenly in [-1, 1) */
    VALUES_EXTREME,  /* finite: signed zeros, denormals, and what over- or underflows in products */
    VALUES_INFECTED  /* a third zeros, with infinities and NaNs at a few places, rather in last rows and columns */
};

/* Also tests that the answers keep the error bound. */
void product_init(struct product *product_p, enum values, int64_t m, int64_t n, int64_t k, uint64_t seed);
void product_release(struct product *);
/* |C - (C0 + A B)| <= gamma (|C0| + |A| |B|), gamma_r = r u / (1 - r u), where a term is rounded r times at most
 * (Higham 2002, sections 3.1 and 3.5). Of VALUES_ORDINARY. */
bool product_is_within_bound(const struct product *, bool add, int64_t at, double value);

/* Where a matrix lies. What is around it belongs to nobody, or to others. */
enum place {
    PLACE_INSIDE,      /* `offset` doubles after the begin of a cache line */
    PLACE_AT_END,      /* its last element is the last of a page, and the next page faults */
    PLACE_AT_BEGIN,    /* its first is the first of a page, and the page before faults */
    PLACE_FENCED_END,  /* every row alone on a page, at its end, and the next page faults */
    PLACE_FENCED_BEGIN /* every row alone on a page, at its begin, and the page before faults */
};

struct layout {
    enum place place;
    int64_t ld; /* fenced rows have one of their own */
    int offset;
};

struct trial {
    const struct contender *contender;
    enum isa isa;
    const struct product *product;
    int64_t m, n; /* the first rows and columns of the product, in all its depth */
    bool add;
    int threads;
    struct layout a, b, c;
    int64_t piece[3];   /* rows, columns and depth that are multiplied at a time; 0: all */
    bool own_workspace; /* made for the pieces' extents; else one that is larger */
    bool stamps;        /* with a team, which threads stamp their waits in; else without */
};

/* What trials share: memory for the matrices, workspaces, a team, a BLAS. */
struct trial_bench;
struct trial_bench *trial_bench_new(void);
void trial_bench_free(struct trial_bench *);
bool trial_bench_has_blas(const struct trial_bench *);

/* 0 ... below - 1. */
int64_t trial_pick(uint64_t *random_p, int64_t below);
/* Any layouts, workspace and stamps; the rest is kept. */
void trial_shuffle(struct trial *, uint64_t *random_p);
/* Fails the running test, with a message that names all of the trial, unless C is right, what is around it is as it
 * was, A and B too, and nothing was allocated. */
void trial_run(struct trial_bench *, const struct trial *);

#endif
