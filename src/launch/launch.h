/* How to start a worker: argument vector, environment, CPU mask. Building the line is pure; launch_find_site looks. */
#ifndef SPEEDUP_LAUNCH_LAUNCH_H
#define SPEEDUP_LAUNCH_LAUNCH_H

#include "../error.h"
#include "request.h"

enum launcher {
    LAUNCHER_NONE,    /* the solo worker, started directly */
    LAUNCHER_MPIRUN,  /* our own mpirun, or srun */
    LAUNCHER_FOREIGN, /* somebody's mpirun or srun started us: the MPI worker inherits our place in it */
    LAUNCHER_COMMAND  /* a command of the user's own, which may have a launcher in it: it is asked to end, too */
};

enum mpi_flavour { MPI_OPENMPI_4, MPI_OPENMPI_5, MPI_MPICH, MPI_UNKNOWN };

/* What was found on this machine. */
struct launch_site {
    char worker[4096];     /* speedup-worker */
    char worker_mpi[4096]; /* speedup-worker-mpi; "" where built without MPI */
    char mpirun[4096];     /* "" where there is none */
    char mpi_reason[256];  /* why the MPI modes are unavailable; "" where they are available */
    char srun[4096];       /* "" where there is none */
    bool by_srun;          /* srun starts the ranks, not mpirun */
    const char *hosts;     /* "a,b,c": nodes to use, where nothing else tells the launcher; borrowed; NULL */
    enum mpi_flavour flavour;
    bool root; /* effective user is root: Open MPI must be allowed to run */
};

/* Where we stand in a foreign launcher's job; size 0: in none. Read from the environment of Open MPI, PMI (MPICH, Intel
 * MPI) and Slurm steps. A Slurm step of one task counts as none: an interactive shell looks the same. */
struct foreign_job {
    int size, rank, local_rank, local_size; /* local_*: -1 unknown */
    char launcher[32];                      /* "Open MPI mpirun", "Slurm srun", ... */
};

struct launch_line {
    char **argv;              /* NULL-terminated */
    char **environment;       /* "NAME=value" to set on top of the inherited one, NULL-terminated */
    const char *const *unset; /* names to take out of the inherited one, NULL-terminated, static; NULL: none */
    struct cpu_list mask;     /* set before exec; count 0: inherited */
    enum launcher launcher;
};

/* Looks for workers (beside this program or in ../libexec/speedup) and mpirun ($SPEEDUP_MPIRUN, the one found at
 * configure time, $PATH). STATUS_FAILED where not even the solo worker is there. */
int launch_find_site(struct launch_site *site_p, struct error *);
/* `environment` in the manner of environ. Pure. */
void launch_find_foreign_job(char *const environment[], struct foreign_job *job_p);

/* Pure. STATUS_FAILED where MPI is needed and unavailable (the text says why and what helps). *line_p is the caller's.
 */
int launch_line_new(const struct request *, enum launcher, const struct launch_site *, struct launch_line **line_p,
                    struct error *);
void launch_line_free(struct launch_line *);
/* As one would type it in a shell, with environment and mask, quoted where needed; heap, the caller frees. NULL: no
 * memory. */
char *launch_line_text(const struct launch_line *);

#endif
