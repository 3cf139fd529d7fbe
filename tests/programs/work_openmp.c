/* work_openmp SECONDS [KIND]: an OpenMP program whose threads each need SECONDS of CPU time. KIND: "plain"; "barriers",
 * with a barrier every 2 ms of work; "uneven", where thread 0 has it all and the others wait for it; "nested", where
 * each thread opens a region of its own. */
#include "work.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double step_s = 2e-3;

static void run_barriers(double cpu_s)
{
#pragma omp parallel
    for (double done_s = 0; done_s < cpu_s; done_s += step_s) {
        work(step_s);
#pragma omp barrier
    }
}

static void run_uneven(double cpu_s)
{
#pragma omp parallel
    if (omp_get_thread_num() == 0) work(cpu_s);
}

static void run_nested(double cpu_s)
{
#pragma omp parallel
    {
#pragma omp parallel
        work(cpu_s);
    }
}

static void run_plain(double cpu_s)
{
#pragma omp parallel
    work(cpu_s);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(double);
    } kinds[] = {{"plain", run_plain}, {"barriers", run_barriers}, {"uneven", run_uneven}, {"nested", run_nested}};
    const char *kind = argc > 2 ? argv[2] : "plain";
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i].name) == 0) {
            kinds[i].run(strtod(argv[1], NULL));
            return 0;
        }
    fputs("usage: work_openmp SECONDS [plain|barriers|uneven|nested]\n", stderr);
    return 2;
}
