/* Are we one rank of a job that somebody else's launcher started? Each launcher says so by variables of its own. They
 * are tried from the inside out: mpirun inside a Slurm job starts its ranks through steps, whose variables then speak
 * of its daemons.
 */
#include "launch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct launcher_variables {
    const char *launcher, *size, *rank, *local_rank, *local_size;
} launchers[] = {
    {"Open MPI mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"MPICH mpiexec", "PMI_SIZE", "PMI_RANK", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
};

static const char *find(char *const environment[], const char *name)
{
    size_t length = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
    return NULL;
}

/* -1 where it is not set or no such number. */
static int find_number(char *const environment[], const char *name)
{
    const char *text = find(environment, name);
    if (!text || text[0] < '0' || text[0] > '9') return -1;
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    return *end || errno || number > INT_MAX ? -1 : (int)number;
}

/* Batch scripts and the shells of salloc are steps without a number, or with a reserved one from 0xfffffff0 on. */
static bool in_slurm_step(char *const environment[])
{
    return find_number(environment, "SLURM_STEP_ID") >= 0 || find_number(environment, "SLURM_STEPID") >= 0;
}

static void find_slurm_step(char *const environment[], struct foreign_job *job_p)
{
    if (!in_slurm_step(environment)) return;
    int size = find_number(environment, "SLURM_STEP_NUM_TASKS");
    if (size < 0) size = find_number(environment, "SLURM_NTASKS");
    int rank = find_number(environment, "SLURM_PROCID");
    if (size < 2 || rank < 0 || rank >= size) return;
    bool one_node = find_number(environment, "SLURM_STEP_NUM_NODES") == 1;
    *job_p = (struct foreign_job){.size = size,
                                  .rank = rank,
                                  .local_rank = find_number(environment, "SLURM_LOCALID"),
                                  .local_size = one_node ? size : -1,
                                  .launcher = "Slurm srun"};
}

void launch_find_foreign_job(char *const environment[], struct foreign_job *job_p)
{
    *job_p = (struct foreign_job){.local_rank = -1, .local_size = -1};
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const struct launcher_variables *names = &launchers[i];
        int size = find_number(environment, names->size), rank = find_number(environment, names->rank);
        if (size < 1 || rank < 0 || rank >= size) continue;
        job_p->size = size;
        job_p->rank = rank;
        job_p->local_rank = find_number(environment, names->local_rank);
        job_p->local_size = find_number(environment, names->local_size);
        memcpy(job_p->launcher, names->launcher, strlen(names->launcher) + 1);
        return;
    }
    find_slurm_step(environment, job_p);
}
