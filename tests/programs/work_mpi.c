/* work_mpi SECONDS [KIND]: an MPI program whose ranks (and their OpenMP threads) each need SECONDS of CPU time. KIND:
 * "plain"; "barriers", with a barrier of all ranks every 2 ms of work; "uneven", where rank 0 has it all and the others
 * wait for it. Prints how many ranks there are. */
#include "work.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int rank, size, provided;
    double cpu_s = argc > 1 ? strtod(argv[1], NULL) : 0.5;
    const char *kind = argc > 2 ? argv[2] : "plain";
    const double step_s = 2e-3;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (strcmp(kind, "barriers") == 0) {
        for (double done_s = 0; done_s < cpu_s; done_s += step_s) {
            work(step_s);
            MPI_Barrier(MPI_COMM_WORLD);
        }
    } else if (strcmp(kind, "uneven") == 0) {
        if (rank == 0) work(cpu_s);
    } else {
#pragma omp parallel
        work(cpu_s);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) printf("%d ranks\n", size);
    MPI_Finalize();
    return 0;
}
