/* Known words of Open MPI, MPICH, Slurm, the loader and the kernel, the most telling first, each with what helps. */
#include "hints.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *words, *hint;
} hints[] = {
    {"error while loading shared libraries",
     "a library is missing on that node: load the modules that it was built with, in the job script too (speedup job "
     "--module)"},
    {"GLIBC_", "it was built on a newer system than that of this node: build it on a node"},
    {"not enough slots",
     "the job has room for fewer ranks: ask the batch system for more (--ntasks-per-node), or take fewer workers"},
    {"more processes than the ppr",
     "mpirun knows of fewer nodes than were asked for, as an MPI that was built without support for this batch system "
     "does: give --hosts node1,node2,..., or load another MPI"},
    {"attempt to run as root", "mpirun refuses root: be an ordinary user, or set OMPI_ALLOW_RUN_AS_ROOT=1 and "
                               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 in containers"},
    {"Unreachable in file ext",
     "srun gave the ranks no PMI that their MPI understands: srun --mpi=pmix ('srun --mpi=list' names what there is)"},
    {"pmix_init failed",
     "srun gave the ranks no PMI that their MPI understands: srun --mpi=pmix ('srun --mpi=list' names what there is)"},
    {"direct launched using \"srun\"",
     "srun --mpi=pmix may suit its MPI ('srun --mpi=list' names what there is); else start it by mpirun"},
    {"invalid MPI plugin",
     "this Slurm has no such PMI: 'srun --mpi=list' names what there is; else start it by mpirun"},
    {"No space left on device", "a disk is full: remove what is not needed, or let -o and TMPDIR name another"},
    {"Disk quota exceeded", "your quota is used up: remove what is not needed, or let -o and TMPDIR name another disk"},
    {"oom-kill", "memory ran out: take a smaller size, or ask for more memory (--mem=0 is all of a node)"},
    {"oom_kill", "memory ran out: take a smaller size, or ask for more memory (--mem=0 is all of a node)"},
    {"Illegal instruction",
     "it was built for another processor than that of this node: build it without -march=native"},
};

const char *launch_hint(const char *said, int signal)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strstr(said, hints[i].words)) return hints[i].hint;
    if (signal == SIGKILL) return "where nobody sent it, the kernel did as memory ran out: dmesg or sacct tells";
    if (signal == SIGILL) return launch_hint("Illegal instruction", 0);
    return NULL;
}
