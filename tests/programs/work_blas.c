/* work_blas PROCESSES SECONDS: so many processes, each of which multiplies matrices by the BLAS of its library
 * ($SPEEDUP_BLAS, else libopenblas.so.0) until SECONDS have passed. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef void gemm(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double *a, int lda,
                  const double *b, int ldb, double beta, double *c, int ldc);

enum { ROW_MAJOR = 101, NO_TRANS = 111, SIZE = 700 };

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int multiply(double seconds)
{
    const char *name = getenv("SPEEDUP_BLAS");
    void *library = dlopen(name ? name : "libopenblas.so.0", RTLD_NOW);
    gemm *multiply_matrices = NULL;
    if (library) *(void **)&multiply_matrices = dlsym(library, "cblas_dgemm");
    double *memory = calloc(3 * (size_t)SIZE * SIZE, sizeof *memory);
    if (!multiply_matrices || !memory) return 1;
    double *b = memory + SIZE * SIZE, *c = b + SIZE * SIZE;
    for (double end_s = now_s() + seconds; now_s() < end_s;)
        multiply_matrices(ROW_MAJOR, NO_TRANS, NO_TRANS, SIZE, SIZE, SIZE, 1, memory, SIZE, b, SIZE, 0, c, SIZE);
    free(memory);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) return fputs("usage: work_blas PROCESSES SECONDS\n", stderr), 2;
    int failed = 0, processes = atoi(argv[1]);
    for (int i = 0; i < processes; i++)
        if (fork() == 0) _exit(multiply(strtod(argv[2], NULL)));
    for (int status; wait(&status) > 0;) failed |= status != 0;
    return failed;
}
