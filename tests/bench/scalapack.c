/* What must be linked together is chosen by loading the BLAS first, for all to see: ScaLAPACK asks for libblas.so.3,
 * and Debian's OpenBLAS has a file of that name. What is called then is looked up, and must come from there.
 */
#include "scalapack.h"

#include "../../kernels/matmul/matmul.h"

#include <dlfcn.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#ifdef OMPI_MAJOR_VERSION
#    define FLAVOUR "openmpi"
#else
#    define FLAVOUR "mpich"
#endif
#define DEBIAN "/usr/lib/x86_64-linux-gnu/"

enum { SAMPLES = 199 };

static void *open_first(const char *const files[], int flags)
{
    void *library = NULL;
    for (int i = 0; files[i] && !library; i++) library = dlopen(files[i], flags);
    return library;
}

static const char *file_of(const void *symbol)
{
    Dl_info info;
    return symbol && dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : "?";
}

static bool find_calls(struct scalapack *scalapack)
{
    const struct {
        const char *name;
        void *call;
    } calls[] = {
        {"Cblacs_get", &scalapack->blacs_get},
        {"Cblacs_gridinit", &scalapack->blacs_gridinit},
        {"Cblacs_gridinfo", &scalapack->blacs_gridinfo},
        {"Cblacs_gridexit", &scalapack->blacs_gridexit},
        {"numroc_", &scalapack->numroc},
        {"descinit_", &scalapack->descinit},
        {"pdgemm_", &scalapack->pdgemm},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        void *symbol = dlsym(scalapack->library, calls[i].name);
        if (!symbol) return false;
        memcpy(calls[i].call, &symbol, sizeof symbol);
    }
    return true;
}

/* pdgemm calls dgemm_ by the rules of the loader: the first that is global. */
static void make_single_threaded(void)
{
    void (*set)(int);
    void (*set_blis)(int64_t);
    *(void **)&set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    *(void **)&set_blis = dlsym(RTLD_DEFAULT, "bli_thread_set_num_threads");
    if (set) set(1);
    if (set_blis) set_blis(1);
}

static void describe(const struct scalapack *scalapack)
{
    const char *(*config)(void);
    void *symbol = NULL, *dgemm = dlsym(RTLD_DEFAULT, "dgemm_");
    memcpy(&symbol, &scalapack->pdgemm, sizeof symbol);
    *(void **)&config = dlsym(RTLD_DEFAULT, "openblas_get_config");
    printf("pdgemm: %s; dgemm of %s%s%s\n", file_of(symbol), file_of(dgemm), config ? ": " : "",
           config ? config() : "");
}

int scalapack_open(struct scalapack *scalapack_p, const char *blas, int rank, struct error *error_p)
{
    const char *const named[] = {blas, NULL};
    const char *const blas_files[] = {DEBIAN "openblas-pthread/libblas.so.3", "libopenblas.so.0", NULL};
    const char *const files[] = {"libscalapack-" FLAVOUR ".so.2.2",
                                 "libscalapack-" FLAVOUR ".so.2.1",
                                 "libscalapack-" FLAVOUR ".so",
                                 "libscalapack.so.2.2",
                                 "libscalapack.so",
                                 NULL};
    *scalapack_p = (struct scalapack){.library = NULL};
    scalapack_p->blas = open_first(blas ? named : blas_files, RTLD_NOW | RTLD_GLOBAL);
    if (!scalapack_p->blas)
        return error_set(error_p, STATUS_FAILED, "%s", blas ? dlerror() : "no OpenBLAS; install libopenblas0-pthread");
    scalapack_p->library = open_first(files, RTLD_NOW | RTLD_GLOBAL);
    if (!scalapack_p->library || !find_calls(scalapack_p)) {
        scalapack_close(scalapack_p);
        return error_set(error_p, STATUS_FAILED, "no ScaLAPACK for this MPI; install libscalapack-" FLAVOUR "2.2");
    }
    make_single_threaded();
    if (rank == 0) describe(scalapack_p);
    return 0;
}

void scalapack_close(struct scalapack *scalapack)
{
    if (scalapack->library) dlclose(scalapack->library);
    if (scalapack->blas) dlclose(scalapack->blas);
    *scalapack = (struct scalapack){.library = NULL};
}

int scalapack_job_init(struct scalapack_job *job_p, const struct scalapack *scalapack, int n, int block, int grid_rows,
                       int grid_columns)
{
    const int first = 0;
    int status = 0;
    *job_p = (struct scalapack_job){
        .scalapack = scalapack, .n = n, .block = block, .grid_rows = grid_rows, .grid_columns = grid_columns};
    scalapack->blacs_get(-1, 0, &job_p->context);
    scalapack->blacs_gridinit(&job_p->context, "Row", grid_rows, grid_columns);
    scalapack->blacs_gridinfo(job_p->context, &grid_rows, &grid_columns, &job_p->row, &job_p->column);
    job_p->local_rows = scalapack->numroc(&n, &block, &job_p->row, &first, &grid_rows);
    job_p->local_columns = scalapack->numroc(&n, &block, &job_p->column, &first, &grid_columns);
    int leading = job_p->local_rows > 0 ? job_p->local_rows : 1;
    scalapack->descinit(job_p->descriptor, &n, &n, &block, &block, &first, &first, &job_p->context, &leading, &status);
    return status == 0 ? 0 : STATUS_FAILED;
}

void scalapack_job_release(struct scalapack_job *job)
{
    if (job->scalapack) job->scalapack->blacs_gridexit(job->context);
    job->scalapack = NULL;
}

int64_t scalapack_job_doubles(const struct scalapack_job *job)
{
    return (int64_t)job->local_rows * job->local_columns;
}

void scalapack_job_use(struct scalapack_job *job, double *memory)
{
    job->a = memory;
    job->b = job->a + scalapack_job_doubles(job);
    job->c = job->b + scalapack_job_doubles(job);
}

/* The place in the whole of what is `local` here; blocks are dealt in turn. */
static int64_t global(const struct scalapack_job *job, int local, int mine, int count)
{
    return ((int64_t)(local / job->block) * count + mine) * job->block + local % job->block;
}

void scalapack_job_fill(struct scalapack_job *job, uint64_t seed)
{
    for (int column = 0; column < job->local_columns; column++)
        for (int row = 0; row < job->local_rows; row++) {
            int64_t i = global(job, row, job->row, job->grid_rows),
                    j = global(job, column, job->column, job->grid_columns);
            int64_t at = (int64_t)column * job->local_rows + row;
            job->a[at] = matmul_element(seed, 'A', i, j);
            job->b[at] = matmul_element(seed, 'B', i, j);
            job->c[at] = NAN;
        }
}

void scalapack_job_run(const struct scalapack_job *job)
{
    const double alpha = 1, beta = 0;
    const int one = 1, n = job->n, *descriptor = job->descriptor;
    job->scalapack->pdgemm("N", "N", &n, &n, &n, &alpha, job->a, &one, &one, descriptor, job->b, &one, &one, descriptor,
                           &beta, job->c, &one, &one, descriptor);
}

double scalapack_job_error(const struct scalapack_job *job, uint64_t seed)
{
    double largest = 0;
    int64_t count = scalapack_job_doubles(job);
    for (int sample = 0; sample < SAMPLES && count > 0; sample++) {
        int64_t at = (count - 1) * sample / (SAMPLES - 1);
        int64_t i = global(job, (int)(at % job->local_rows), job->row, job->grid_rows);
        int64_t j = global(job, (int)(at / job->local_rows), job->column, job->grid_columns);
        double sum = 0;
        for (int64_t k = 0; k < job->n; k++) sum += matmul_element(seed, 'A', i, k) * matmul_element(seed, 'B', k, j);
        double error = fabs(sum - job->c[at]);
        if (!(error <= largest)) largest = isnan(error) ? INFINITY : error;
    }
    return largest;
}
