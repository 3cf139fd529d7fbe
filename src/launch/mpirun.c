#include "mpirun.h"

#include <stdio.h>
#include <stdlib.h>
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
/* What sbatch sets for srun, against which the line's own numbers would be held. */
static const char *const srun_unset[] = {OPENMP_UNSET,
                                         "SLURM_CPU_BIND",
                                         "SLURM_DISTRIBUTION",
                                         "SLURM_NTASKS_PER_NODE",
                                         "SRUN_CPUS_PER_TASK",
                                         "SLURM_CPUS_PER_TASK",
                                         NULL};
const char *const mpich_unset[] = {OPENMP_UNSET, "HYDRA_BINDING", "I_MPI_PIN_DOMAIN", "I_MPI_PIN_PROCESSOR_LIST", NULL};

static int ranks_per_node(const struct mode *mode)
{
    return (mode->ranks + mode_nodes(mode) - 1) / mode_nodes(mode);
}

/* The first `nodes` names of the list, each with what stands behind a host. */
static void add_hosts(const struct mode *mode, const char *hosts, const char *option, const char *behind,
                      struct words *argv)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    for (int n = 0; stream && n < mode_nodes(mode) && *hosts; n++) {
        size_t name = strcspn(hosts, ",");
        fprintf(stream, "%s%.*s%s", n > 0 ? "," : "", (int)name, hosts, behind);
        hosts += name + (hosts[name] == ',');
    }
    argv->failed |= !stream || ferror(stream);
    argv->failed |= stream && fclose(stream) != 0;
    words_add(argv, "%s", option);
    words_add(argv, "%s", text ? text : "");
    free(text);
}

/* A node takes as many ranks as each other, and is left out where none remain; ranks are numbered node after node, or
 * dealt out. A connection to a node that is gone is given up after 6 s: else mpirun never notices. */
static void add_openmpi_nodes(const struct mode *mode, const struct launch_site *site, struct words *argv,
                              struct words *environment)
{
    const char *prefix = site->flavour == MPI_OPENMPI_5 ? "PRTE" : "OMPI";
    char slots[16];
    snprintf(slots, sizeof slots, ":%d", ranks_per_node(mode));
    words_add(argv, "--map-by");
    words_add(argv, "ppr:%d:node", ranks_per_node(mode));
    if (strcmp(mode->map, "nodes-first") == 0) words_add_all(argv, (const char *const[]){"--rank-by", "node", NULL});
    if (site->hosts) add_hosts(mode, site->hosts, "--host", slots, argv);
    words_add(environment, "%s_MCA_oob_tcp_keepalive_time=3", prefix);
    words_add(environment, "%s_MCA_oob_tcp_keepalive_intvl=1", prefix);
    words_add(environment, "%s_MCA_oob_tcp_keepalive_probes=3", prefix);
}

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
    if (config->mode.nodes > 1) add_openmpi_nodes(&config->mode, site, argv, environment);
    if (config->mode.nodes <= 1) {
        words_add(argv, "--host");
        words_add(argv, "localhost:%d", config->mode.ranks);
    }
    if (config->mode.nodes <= 1 && lean) {
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

static void add_mpich(const struct config *config, const struct launch_site *site, struct words *argv,
                      struct words *environment)
{
    bool dealt = strcmp(config->mode.map, "nodes-first") == 0;
    words_add_all(argv, (const char *const[]){"-bind-to", "none", NULL});
    if (config->mode.nodes > 1) {
        /* One a node and round again; without names of hosts over all nodes of the job. */
        words_add(argv, "-ppn");
        words_add(argv, "%d", dealt ? 1 : ranks_per_node(&config->mode));
        if (site->hosts) add_hosts(&config->mode, site->hosts, "-hosts", "", argv);
    }
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
        add_mpich(config, site, argv, environment);
        *unset_p = mpich_unset;
        break;
    case MPI_UNKNOWN:
        break;
    }
}

void srun_add(const struct config *config, const struct launch_site *site, struct words *argv,
              struct words *environment, const char *const **unset_p)
{
    const struct mode *mode = &config->mode;
    bool dealt = strcmp(mode->map, "nodes-first") == 0, yields = mode->wait_policy != WAIT_SPIN;
    words_add_all(argv, (const char *const[]){*site->srun ? site->srun : "srun", NULL});
    words_add(argv, "--mpi=%s", site->flavour == MPI_MPICH ? "pmi2" : "pmix");
    words_add(argv, "--nodes=%d", mode_nodes(mode));
    words_add(argv, "--ntasks=%d", mode->ranks);
    words_add(argv, "--distribution=%s", dealt ? "cyclic" : "block");
    /* The CPUs of the job, though another step runs, or there are more ranks than CPUs; and all end when one does. */
    words_add_all(argv, (const char *const[]){"--overlap", "--overcommit", "--cpu-bind=none", "--kill-on-bad-exit=1",
                                              "--export=ALL", NULL});
    words_add(environment, "OMPI_MCA_mpi_yield_when_idle=%d", yields);
    words_add(environment, "MPIR_CVAR_POLLS_BEFORE_YIELD=%d", yields);
    if (mode_nodes(mode) > 1 && site->hosts) add_hosts(mode, site->hosts, "--nodelist", "", argv);
    *unset_p = srun_unset;
}
