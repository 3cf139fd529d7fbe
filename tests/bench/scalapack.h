/* ScaLAPACK's pdgemm, found when the program runs: C = A B of square matrices, in square blocks dealt to a grid of
 * ranks (Blackford and others: ScaLAPACK users' guide, 1997, section 4.3). MPI runs already. */
#ifndef BENCH_SCALAPACK_H
#define BENCH_SCALAPACK_H

#include "../../src/error.h"

#include <stdint.h>

struct scalapack {
    void *library, *blas;
    void (*blacs_get)(int context, int what, int *value_p);
    void (*blacs_gridinit)(int *context, const char *order, int rows, int columns);
    void (*blacs_gridinfo)(int context, int *rows_p, int *columns_p, int *row_p, int *column_p);
    void (*blacs_gridexit)(int context);
    int (*numroc)(const int *n, const int *block, const int *mine, const int *first, const int *count);
    void (*descinit)(int *descriptor_p, const int *m, const int *n, const int *mb, const int *nb, const int *first_row,
                     const int *first_column, const int *context, const int *leading, int *status_p);
    void (*pdgemm)(const char *trans_a, const char *trans_b, const int *m, const int *n, const int *k,
                   const double *alpha, const double *a, const int *ia, const int *ja, const int *descriptor_a,
                   const double *b, const int *ib, const int *jb, const int *descriptor_b, const double *beta,
                   double *c, const int *ic, const int *jc, const int *descriptor_c);
};

/* Opens the BLAS (a file, NULL: OpenBLAS), sets it to one thread, and opens ScaLAPACK upon it. On rank 0 the versions
 * are printed. 0; STATUS_FAILED with what to install. */
int scalapack_open(struct scalapack *scalapack_p, const char *blas, int rank, struct error *);
void scalapack_close(struct scalapack *);

/* One distribution: its grid, and the matrices' local parts, in memory that others use after it. */
struct scalapack_job {
    const struct scalapack *scalapack;
    int n, block, grid_rows, grid_columns;
    int context, row, column;      /* this rank's place in the grid */
    int local_rows, local_columns; /* of this rank's part */
    int descriptor[9];
    double *a, *b, *c;
};

/* Collective. 0 or STATUS_FAILED. */
int scalapack_job_init(struct scalapack_job *job_p, const struct scalapack *, int n, int block, int grid_rows,
                       int grid_columns);
void scalapack_job_release(struct scalapack_job *);
/* Doubles of one local matrix. */
int64_t scalapack_job_doubles(const struct scalapack_job *);
/* `memory` is for three local matrices. */
void scalapack_job_use(struct scalapack_job *, double *memory);
/* The inputs that matmul has with this seed; C becomes NaN. */
void scalapack_job_fill(struct scalapack_job *, uint64_t seed);
/* Collective. */
void scalapack_job_run(const struct scalapack_job *);
/* The largest error of some hundred elements of this rank's part of C. */
double scalapack_job_error(const struct scalapack_job *, uint64_t seed);

#endif
