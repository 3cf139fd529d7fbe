/* Matrix multiplication C = A B, distributed by SUMMA; what its files share. Matrices are of doubles, by rows. */
#ifndef KERNELS_MATMUL_MATMUL_H
#define KERNELS_MATMUL_MATMUL_H

#include "../kernel.h"

enum { PANEL_WIDTH = 256 };

/* cblas_dgemm of a library found at run time. */
struct matmul_blas {
    void *library; /* NULL: not open */
    void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double *a, int lda,
                  const double *b, int ldb, double beta, double *c, int ldc);
};

/* C += A B, where A is rows x depth, B depth x columns, C rows x columns: parts of larger matrices, whose rows are lda,
 * ldb and ldc doubles apart. All may be 0. */
struct matmul_block {
    int64_t rows, columns, depth;
    const double *a, *b;
    double *c;
    int64_t lda, ldb, ldc;
    const struct matmul_blas *blas; /* for that variant */
};

/* A variant is one such function. Every element of C takes its products one by one in the order of A's columns, each
 * rounded: then its bits do not depend on how rows, columns and depth are cut into blocks. (matmul_blas is exempt.) */
typedef void matmul_multiply(const struct matmul_block *);
matmul_multiply matmul_naive, matmul_reordered, matmul_tiled, matmul_blas;

/* blas.c. NULL where a library can be opened, else why not. */
const char *matmul_blas_unavailable(void);
/* Makes the library single-threaded: the threads are ours. 0 or -ENOENT. */
int matmul_blas_open(struct matmul_blas *blas_p);
void matmul_blas_close(struct matmul_blas *);
/* The file that dgemm is in. */
const char *matmul_blas_name(const struct matmul_blas *);

/* This rank's part: columns of B and C, and whole panels of A. */
struct matmul {
    int64_t m, n, k; /* C is m x n, the products are k deep */
    uint64_t seed;
    int ranks, rank;
    int64_t first_column, columns; /* of B and C */
    int64_t panel_count;           /* of A, over all ranks */
    int64_t first_panel, panels;
    double *a;         /* the panels one after the other, each m x its width */
    double *b, *c;     /* k x columns, m x columns */
    double *buffer[2]; /* a panel of another rank, m x PANEL_WIDTH; with one rank NULL */
    double *scratch;   /* of the check: matmul_check_doubles */
    matmul_multiply *multiply;
    struct matmul_blas blas;
};

int64_t matmul_panel_width(const struct matmul *, int64_t panel);
/* Element (i, j) of matrix 'A' or 'B', evenly in [-1, 1). */
double matmul_element(uint64_t seed, char matrix, int64_t i, int64_t j);

/* check.c */
double matmul_check_doubles(int64_t m, int64_t columns, int64_t k);
int matmul_check(struct team *, void *state, struct verdict *verdict_p);
bool matmul_corrupt(void *state, int kind);

#endif
