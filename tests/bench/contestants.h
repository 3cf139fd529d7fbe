/* Whom bench_matmul compares: the variants of matmul, libraries with a dgemm, and the ceilings of the machine. */
#ifndef BENCH_CONTESTANTS_H
#define BENCH_CONTESTANTS_H

#include "../../kernels/matmul/matmul.h"
#include "bench.h"

struct shape {
    int64_t m, n, k;
};

/* C (m x n) = A (m x k) B (k x n), each dense, by rows. */
struct product {
    struct shape shape;
    const double *a, *b;
    double *c;
};

struct contestant;

/* How a kind of contestant works. What is NULL has nothing to do. */
struct contestant_kind {
    bool (*takes)(const struct shape *);                       /* NULL: all */
    int (*prepare)(struct contestant *, const struct shape *); /* once a size. 0 or -ENOMEM, -ENOTSUP */
    void (*settle)(const struct contestant *);                 /* before each measurement: threads onto their CPUs */
    void (*multiply)(const struct contestant *, const struct product *, int64_t calls);
    double (*rate)(const struct contestant *, double seconds); /* a ceiling, in flop/s; instead of multiply */
    void (*finish)(struct contestant *);                       /* undoes prepare */
    void (*close)(struct contestant *);
};

struct contestant {
    char name[32];
    const struct contestant_kind *kind;
    int threads;
    int solo; /* the index of the same variant with one thread, where that is measured too; else -1 */
    const struct cpu_list *cpus;
    struct matmul_tools tools;

    matmul_multiply *multiply; /* of a variant */

    void *library; /* of a dgemm elsewhere */
    void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double *a, int lda,
                  const double *b, int ldb, double beta, double *c, int ldc);
    bool wanders; /* it starts threads anew for each call, so that they cannot be bound */
    void (*jit)(const double *, const double *, double *, ...);
};

enum { CONTESTANTS_MAX = 32 };
struct contestants {
    int count;
    struct contestant list[CONTESTANTS_MAX];
    struct cpu_list cpus;
};

struct contestants_wish {
    int threads;
    enum isa isa;
    const char *variants, *peers; /* lists of names, NULL: all; "none" */
    const char *bases;            /* names of either */
    bool solos;                   /* each variant also with one thread */
};

/* Fills the list (not `cpus`, which is there already), and prints a line on each library: its version and settings, or
 * the package to install. STATUS_USAGE where a wish names what there is not. */
int contestants_open(struct contestants *, const struct contestants_wish *, struct error *);
void contestants_close(struct contestants *);
/* -1: none. */
int contestants_find(const struct contestants *, const char *name);

/* For contestants_open. Returns the new entry. */
struct contestant *contestants_add(struct contestants *, const char *name, const struct contestant_kind *, int threads);

/* libraries.c: opens the peers that are installed and wished for. */
extern const char *const library_names[]; /* NULL-terminated */
void libraries_open(struct contestants *, const struct contestants_wish *);

/* xsmm.c: libxsmm, which is linked where it was found. */
void xsmm_open(struct contestants *, const struct contestants_wish *);

#endif
