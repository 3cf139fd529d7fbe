/* Finds the worker programs and mpirun, once per run of the harness, by looking at files alone: asking mpirun for its
 * version would cost a start each time, so its flavour is settled when the MPI worker is built against its library.
 */
#include "launch.h"

#include "speedup_config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* The first directory of $PATH that has the program. */
static bool find_in_path(const char *name, size_t length, char *path_p)
{
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t directory_length = strcspn(at, ":");
        int needed = snprintf(path_p, length, "%.*s/%s", (int)directory_length, at, name);
        if (directory_length > 0 && needed > 0 && (size_t)needed < length && is_program(path_p)) return true;
        at += directory_length;
        if (*at == ':') at++;
    }
    path_p[0] = '\0';
    return false;
}

static bool find_worker(const char *directory, const char *name, size_t length, char *path_p)
{
    static const char *const places[] = {"", "../libexec/speedup/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int needed = snprintf(path_p, length, "%s/%s%s", directory, places[i], name);
        if (needed > 0 && (size_t)needed < length && is_program(path_p)) return true;
    }
    path_p[0] = '\0';
    return false;
}

/* Of this program; "" where it cannot be known. */
static void find_directory(size_t length, char *directory_p)
{
    ssize_t used = readlink("/proc/self/exe", directory_p, length - 1);
    directory_p[used > 0 ? used : 0] = '\0';
    char *slash = strrchr(directory_p, '/');
    if (slash) *slash = '\0';
}

static void find_mpirun(struct launch_site *site_p)
{
    static const char *const names[] = {"mpirun", "mpiexec"};
    const char *named = getenv("SPEEDUP_MPIRUN");
    if (named && *named) {
        if (!strchr(named, '/')) {
            if (find_in_path(named, sizeof site_p->mpirun, site_p->mpirun)) return;
        } else if (strlen(named) < sizeof site_p->mpirun && is_program(named)) {
            memcpy(site_p->mpirun, named, strlen(named) + 1);
            return;
        }
        snprintf(site_p->mpi_reason, sizeof site_p->mpi_reason,
                 "SPEEDUP_MPIRUN=%.100s is not an executable program; unset it, or let it name your mpirun", named);
        return;
    }
    if (is_program(SPEEDUP_MPIRUN)) {
        snprintf(site_p->mpirun, sizeof site_p->mpirun, "%s", SPEEDUP_MPIRUN);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (find_in_path(names[i], sizeof site_p->mpirun, site_p->mpirun)) return;
    snprintf(site_p->mpi_reason, sizeof site_p->mpi_reason,
             "there is no mpirun on this machine's PATH; install Open MPI, load its module, or name it in "
             "SPEEDUP_MPIRUN");
}

/* Slurm's launcher needs no mpirun: where that alone is missing, the modes with ranks can be had all the same. */
static void find_srun(struct launch_site *site_p)
{
    if (!find_in_path("srun", sizeof site_p->srun, site_p->srun)) return;
    if (!getenv("SLURM_JOB_ID") || site_p->mpirun[0] || getenv("SPEEDUP_MPIRUN")) return;
    site_p->by_srun = true;
    site_p->mpi_reason[0] = '\0';
}

int launch_find_site(struct launch_site *site_p, struct error *error)
{
    char directory[PATH_MAX];
    *site_p = (struct launch_site){.flavour = SPEEDUP_MPI_FLAVOUR, .root = geteuid() == 0};
    find_directory(sizeof directory, directory);
    if (!find_worker(directory, "speedup-worker", sizeof site_p->worker, site_p->worker))
        return error_set(error, STATUS_FAILED,
                         "speedup-worker is neither in %s nor in %s/../libexec/speedup; build or install speedup again",
                         directory, directory);
    if (SPEEDUP_WITH_MPI && find_worker(directory, "speedup-worker-mpi", sizeof site_p->worker_mpi, site_p->worker_mpi))
        find_mpirun(site_p), find_srun(site_p);
    else
        snprintf(site_p->mpi_reason, sizeof site_p->mpi_reason,
                 "speedup was built without MPI; install Open MPI (libopenmpi-dev) and build it again");
    return STATUS_OK;
}
