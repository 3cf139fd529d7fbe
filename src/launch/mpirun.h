/* Inside launch/ alone: the words and variables with which an mpirun starts ranks so that it leaves their places to us.
 */
#ifndef SPEEDUP_LAUNCH_MPIRUN_H
#define SPEEDUP_LAUNCH_MPIRUN_H

#include "launch.h"
#include "words.h"

/* What a line takes out of the inherited environment: what steers OpenMP; that and what steers Open MPI or MPICH. */
extern const char *const openmp_unset[], *const openmpi_unset[], *const mpich_unset[];

/* program: mpirun's path or name. lean: shared memory alone on one node, no fabric being searched for, which takes most
 * of the start. environment: what is there already is handed on to other nodes. */
void mpirun_add(const struct config *, const struct launch_site *, const char *program, bool lean, struct words *argv,
                struct words *environment, const char *const **unset_p);

/* The same by Slurm's srun, inside a job. */
void srun_add(const struct config *, const struct launch_site *, struct words *argv, struct words *environment,
              const char *const **unset_p);

#endif
