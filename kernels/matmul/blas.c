/* The machine's own BLAS, found at run time, as what a program should use. Each of our threads calls it for its part of
 * C with one thread: how the work is spread is the mode's business, not the library's.
 *
 * Vector lengths, fused operations and the order of sums are the library's: bits depend on it and on how C is cut.
 */
#include "matmul.h"

#include <dlfcn.h>
#include <errno.h>
#include <omp.h>
#include <stdlib.h>

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 }; /* of cblas.h */

static const char *const candidates[] = {"libopenblas.so.0", "libblis.so.4",   "libcblas.so.3",
                                         "libblas.so.3",     "libmkl_rt.so.2", NULL};

static int open_library(const char *name, struct matmul_blas *blas_p)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) return -ENOENT;
    void *symbol = dlsym(library, "cblas_dgemm");
    if (!symbol) {
        dlclose(library);
        return -ENOENT;
    }
    blas_p->library = library;
    *(void **)&blas_p->dgemm = symbol;
    return 0;
}

static int find_library(struct matmul_blas *blas_p)
{
    const char *named = getenv("SPEEDUP_BLAS");
    if (named && *named) return open_library(named, blas_p);
    for (int i = 0; candidates[i]; i++)
        if (open_library(candidates[i], blas_p) == 0) return 0;
    return -ENOENT;
}

const char *matmul_blas_unavailable(void)
{
    struct matmul_blas blas;
    const char *named = getenv("SPEEDUP_BLAS");
    if (find_library(&blas) == 0) {
        dlclose(blas.library);
        return NULL;
    }
    if (named && *named) return "SPEEDUP_BLAS names no library that can be loaded and has cblas_dgemm";
    return "no BLAS with cblas_dgemm was found; install one (Debian, Ubuntu: libopenblas0; Fedora: openblas), or name "
           "its file in SPEEDUP_BLAS";
}

/* The environment (OPENBLAS_NUM_THREADS and others) says the same where the harness started us; not everywhere. */
static void make_single_threaded(void *library)
{
    void (*set_threads)(int);
    void (*set_threads_blis)(int64_t); /* dim_t */
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (!set_threads) *(void **)&set_threads = dlsym(library, "MKL_Set_Num_Threads");
    *(void **)&set_threads_blis = dlsym(library, "bli_thread_set_num_threads");
    if (set_threads) set_threads(1);
    if (set_threads_blis) set_threads_blis(1);
}

int matmul_blas_open(struct matmul_blas *blas_p)
{
    int status = find_library(blas_p);
    if (status < 0) return status;
    /* A library that uses OpenMP itself may set the number of our threads too. */
    int threads = omp_get_max_threads();
    make_single_threaded(blas_p->library);
    omp_set_num_threads(threads);
    return 0;
}

void matmul_blas_close(struct matmul_blas *blas)
{
    if (blas->library) dlclose(blas->library);
    blas->library = NULL;
}

const char *matmul_blas_name(const struct matmul_blas *blas)
{
    Dl_info info;
    return dladdr(*(void *const *)&blas->dgemm, &info) && info.dli_fname ? info.dli_fname : "an unnamed file";
}

void matmul_blas(const struct matmul_block *whole)
{
    const struct matmul_block part = matmul_part(whole);
    if (part.rows == 0 || part.columns == 0) return;
    part.tools->blas.dgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, (int)part.rows, (int)part.columns, (int)part.depth,
                           1.0, part.a, (int)part.lda, part.b, (int)part.ldb, part.add ? 1.0 : 0.0, part.c,
                           (int)part.ldc);
}
