/* Matrix multiplication C = A B, distributed by SUMMA; what its files share. Matrices are of doubles, by rows. */
#ifndef KERNELS_MATMUL_MATMUL_H
#define KERNELS_MATMUL_MATMUL_H

#include "../isa.h"
#include "../kernel.h"
#include "grid.h"

/* cblas_dgemm of a library found at run time. */
struct matmul_blas {
    void *library; /* NULL: not open */
    void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double *a, int lda,
                  const double *b, int ldb, double beta, double *c, int ldc);
};

/* What the variants work with; one for all threads of a rank. */
struct matmul_tools {
    enum isa isa;
    struct matmul_blas blas;            /* of the variant blas */
    struct matmul_workspace *workspace; /* of the variant packed */
    struct team *team;                  /* where threads stamp their waits, and let broadcasts advance; NULL: nowhere */
};

/* C = A B, or C += A B: A is rows x depth, B depth x columns, C rows x columns. They are parts of larger matrices whose
 * rows are lda, ldb and ldc doubles apart. C overlaps neither A nor B. All extents may be 0. */
struct matmul_block {
    int64_t rows, columns, depth;
    const double *a, *b;
    double *c;
    int64_t lda, ldb, ldc;
    bool add; /* C += A B; else what C held is not read */
    int thread, threads;
    struct matmul_tools *tools;
};

/* A variant is one such function. All threads of a parallel region call it with the same block, each with its own
 * number, and together they compute it; one returns when its own part is done. (With `threads` 1 no region is needed;
 * with more, a barrier must come before the next call.) It does not allocate.
 *
 * Every element of C takes its products one by one in the order of A's columns, starting from what it was: then its
 * bits depend neither on how rows, columns and depth are cut into blocks nor on who computes them. naive, reordered and
 * tiled round each product and each sum; vector and packed round once for both where the instruction set has fused
 * multiply-add, and all sets that have it give the same bits. (blas is exempt.) */
typedef void matmul_multiply(const struct matmul_block *);
matmul_multiply matmul_naive, matmul_reordered, matmul_tiled, matmul_vector, matmul_packed, matmul_blas;

/* part.c: the calling thread's part of C, with its rows of A and its columns of B, as a block for one thread. */
struct matmul_block matmul_part(const struct matmul_block *);

/* packed.c: memory for packed panels of A and B, for blocks of up to these extents. NULL: out of memory. */
struct matmul_workspace *matmul_workspace_new(enum isa, int threads, int64_t rows, int64_t columns, int64_t depth);
void matmul_workspace_free(struct matmul_workspace *);
/* Its size in bytes, as a double, as it may be more than an integer holds before memory was checked. */
double matmul_workspace_bytes(enum isa, int threads, int64_t rows, int64_t columns, int64_t depth);

/* blas.c. NULL where a library can be opened, else why not. */
const char *matmul_blas_unavailable(void);
/* Makes the library single-threaded: the threads are ours. 0 or -ENOENT. */
int matmul_blas_open(struct matmul_blas *blas_p);
void matmul_blas_close(struct matmul_blas *);
/* The file that dgemm is in. */
const char *matmul_blas_name(const struct matmul_blas *);

/* How a rank gets at the parts of A of those in its row of the grid, and of B of those in its column. */
struct summa {
    struct team_shared *shared_a, *shared_b;     /* that a and b are parts of; NULL: they are this rank's alone */
    bool broadcasts_a, broadcasts_b;             /* else all that is needed is read in place */
    struct team_group *row_group, *column_group; /* of the ranks that take part in the broadcasts of A, of B */
    double *a_buffer[2], *b_buffer[2];           /* panels on their way and in use */
    int64_t step_limit, step_most;               /* the depth of a step at most: as allowed, and as it comes */
};

/* A rank's part of the problem (grid.h says which). All matrices are by rows, without gaps. */
struct matmul {
    int64_t m, n, k; /* C is m x n, the products are k deep */
    uint64_t seed;
    struct grid grid;
    int row, column;                                /* in the grid */
    int64_t first_row, rows, first_column, columns; /* of C */
    int64_t a_first, a_depth;                       /* columns of A: A's part is rows x a_depth */
    int64_t b_first, b_depth;                       /* rows of B: B's part is b_depth x columns */
    double *a, *b, *c;
    struct summa summa;
    double *scratch; /* of the check: matmul_check_doubles */
    matmul_multiply *multiply;
    bool advances; /* multiply itself lets broadcasts advance */
    struct matmul_tools tools;
};

/* Element (i, j) of matrix 'A' or 'B', evenly in [-1, 1). */
double matmul_element(uint64_t seed, char matrix, int64_t i, int64_t j);

enum { SUMMA_PANEL_DEPTH = 512 }; /* of what is broadcast at a time, at most: as deep as packed's blocks */

/* summa.c. Collective: allocates A and B, in memory that the ranks of a node share or not, and what it takes to get at
 * the others'. 0; -ENOMEM on this rank or on all; else one failure on all ranks (see team_shared_new). In any case
 * summa_release is to be called, which is not collective. */
int summa_prepare(struct team *, bool shared, struct matmul *);
void summa_release(struct matmul *);
/* Collective: C = A B. After a collective call since A and B were written; and they must not change before another. */
int summa_run(struct team *, void *state);
/* How many doubles the buffers of a rank may hold at most, whose C is rows x columns. */
double summa_buffer_doubles(const struct grid *, double rows, double columns, double depth);

/* predict.c. As kernel.predict, for ranks whose parts of C are of at most these extents, and which broadcast all
 * panels: 0 or -ENOMEM. Pure. */
int summa_predict(const struct grid *, const struct kernel_network *, int64_t rows, int64_t columns, int64_t k,
                  double work_s, double *time_s_p);

/* check.c */
double matmul_check_doubles(int64_t m, int64_t columns, int64_t k);
int matmul_check(struct team *, void *state, struct verdict *verdict_p);
bool matmul_corrupt(void *state, int kind);

#endif
