#include "mpirun.h"

#include <string.h>

#define OPENMP_UNSET                                                                                                   \
    "OMP_PLACES", "OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS", "OMP_NESTED", "GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT",    \
        "KMP_AFFINITY", "KMP_HW_SUBSET", "KMP_BLOCKTIME", "KMP_LIBRARY"

const char *const openmp_unset[] = {OPENMP_UNSET, NULL};
const char *const openmpi_unset[] = {OPENMP_UNSET,
                                     "OMPI_MCA_hwloc_base_binding_policy",
                                     "OMPI_MCA_hwloc_base_cpu_list",
                                     "OMPI_MCA_rmaps_base_mapping_policy",
                                     "OMPI_MCA_rmaps_base_ranking_policy",
                                     "OMPI_MCA_rmaps_rank_file_path",
                                     "PRTE_MCA_hwloc_default_binding_policy",
                                     "PRTE_MCA_hwloc_default_cpu_list",
                                     NULL};
const char *const mpich_unset[] = {OPENMP_UNSET, "HYDRA_BINDING", "I_MPI_PIN_DOMAIN", "I_MPI_PIN_PROCESSOR_LIST", NULL};

static void add_openmpi(const struct config *config, const struct launch_site *site, bool lean, struct words *argv,
                        struct words *environment)
{
    bool version_5 = site->flavour == MPI_OPENMPI_5;
    words_add_all(argv, (const char *const[]){"--bind-to", "none", NULL});
    if (version_5)
        words_add(environment, "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe");
    else
        words_add(argv, "--oversubscribe");
    bool yields = config->mode.wait_policy != WAIT_SPIN;
    words_add_all(argv, (const char *const[]){"--mca", "mpi_yield_when_idle", yields ? "1" : "0", NULL});
    /* Stay here, though a batch system may have given us more nodes. */
    if (config->mode.nodes == 1) {
        words_add(argv, "--host");
        words_add(argv, "localhost:%d", config->mode.ranks);
    }
    if (config->mode.nodes == 1 && lean) {
        words_add_all(argv, (const char *const[]){"--mca", "pml", "ob1", "--mca", "btl",
                                                  version_5 ? "self,sm" : "self,vader", NULL});
    }
    if (!site->root) return;
    words_add_all(environment,
                  (const char *const[]){"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", NULL});
    if (version_5)
        words_add_all(environment,
                      (const char *const[]){"PRTE_ALLOW_RUN_AS_ROOT=1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1", NULL});
}

static void add_mpich(const struct config *config, struct words *argv, struct words *environment)
{
    words_add_all(argv, (const char *const[]){"-bind-to", "none", NULL});
    /* How often MPICH polls before it yields the core; 0: it never does. */
    words_add(environment, "MPIR_CVAR_POLLS_BEFORE_YIELD=%d", config->mode.wait_policy == WAIT_SPIN ? 0 : 1);
    words_add(environment, "I_MPI_PIN=0");
}

/* Open MPI hands its own environment on to the ranks of this node alone. */
static void add_exports(struct words *argv, const struct words *environment)
{
    for (int i = 0; i < environment->count; i++) {
        const char *text = environment->items[i];
        words_add(argv, "-x");
        words_add(argv, "%.*s", (int)strcspn(text, "="), text);
    }
}

void mpirun_add(const struct config *config, const struct launch_site *site, const char *program, bool lean,
                struct words *argv, struct words *environment, const char *const **unset_p)
{
    words_add_all(argv, (const char *const[]){program, "-np", NULL});
    words_add(argv, "%d", config->mode.ranks);
    switch (site->flavour) {
    case MPI_OPENMPI_4:
    case MPI_OPENMPI_5:
        if (config->mode.nodes > 1) add_exports(argv, environment);
        add_openmpi(config, site, lean, argv, environment);
        *unset_p = openmpi_unset;
        break;
    case MPI_MPICH:
        add_mpich(config, argv, environment);
        *unset_p = mpich_unset;
        break;
    case MPI_UNKNOWN:
        break;
    }
}
