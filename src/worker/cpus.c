/* Which CPUs are this rank's, and which others must be watched.
 *
 * A foreign launcher gives each rank a set of CPUs, which some ranks of a node may share. A rank's place among those of
 * its node with the same set decides which of them are its own, as the local rank does in a job of our own.
 */
#include "texts.h"
#include "worker.h"

#include "../place/file.h"
#include "../place/machine.h"
#include "../record/record.h"

#include <stdlib.h>
#include <string.h>

/* What a rank of a foreign launcher's job may use, as two hashes. */
struct offer {
    uint64_t host, cpus;
};

int worker_agree_place(struct worker *worker)
{
    struct team *team = worker->team;
    const struct mode *mode = &worker->request.config.mode;
    struct offer mine = {.host = record_hash(strlen(worker->host), worker->host),
                         .cpus = record_hash((size_t)mode->cpus.count * sizeof(int), mode->cpus.cpus)};
    size_t bytes = (size_t)team_size(team) * sizeof mine;
    struct team_request request;
    struct offer *all = malloc(bytes);
    if (!all) return worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "out of memory"));
    int status = team_gather(team, sizeof mine, &mine, all);
    if (status == 0) status = team_broadcast_start(team, NULL, 0, bytes, all, &request);
    if (status == 0) status = team_wait(team, &request);
    bool alike = true;
    worker->place = 0;
    for (int rank = 0; rank < team_size(team) && status == 0; rank++) {
        if (all[rank].host != mine.host) continue;
        if (all[rank].cpus != mine.cpus)
            alike = false;
        else if (rank < team_rank(team))
            worker->place++;
    }
    free(all);
    if (status < 0)
        return worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "the ranks' CPUs cannot be gathered"));
    if (mode->name == MODE_MULTITASK_MPI && !alike)
        return error_set(
            &worker->error, STATUS_USAGE,
            "mode multitask-mpi needs all ranks on one CPU, but the launcher bound them to different ones: "
            "start it with mpirun --bind-to none");
    return STATUS_OK;
}

int worker_adopt_cpus(struct worker *worker)
{
    struct cpu_list allowed, *asked = &worker->request.config.mode.cpus;
    int have = bind_read(&allowed), missing = 0;
    for (int i = 0; i < asked->count; i++) {
        bool found = false;
        for (int k = 0; k < allowed.count && !found; k++) found = allowed.cpus[k] == asked->cpus[i];
        missing += !found;
    }
    if (have < 0 || have > CPUS_MAX || missing == 0) return STATUS_OK; /* where they cannot be had, binding says so */
    struct cpu_list own;
    struct machine *machine = malloc(sizeof *machine);
    if (!machine) return error_set(&worker->error, STATUS_FAILED, "out of memory");
    int status = machine_read(machine, &worker->error);
    if (!status) machine_cpu_order(machine, asked->count > machine->core_count, &own);
    free(machine);
    if (status) return status;
    if (own.count < asked->count)
        return error_set(&worker->error, STATUS_FAILED,
                         "%s lets its ranks use %d CPU%s, and the first node %d: take --ranks-per-node that all nodes "
                         "have CPUs for, or whole nodes",
                         worker->host, own.count, own.count == 1 ? "" : "s", asked->count);
    own.count = asked->count;
    *asked = own;
    return STATUS_OK;
}

int worker_check_nodes(struct worker *worker)
{
    uint64_t nodes = worker->team->node == worker->team->rank;
    int asked = mode_nodes(&worker->request.config.mode);
    if (team_sum_u64(worker->team, 1, &nodes))
        return worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "the ranks' nodes cannot be counted"));
    if (nodes == (uint64_t)asked) return STATUS_OK;
    return error_set(&worker->error, STATUS_FAILED,
                     "the ranks are on %llu node%s, and %d were asked for: the launcher placed them otherwise (a host "
                     "file, or settings of its own?)",
                     (unsigned long long)nodes, nodes == 1 ? "" : "s", asked);
}

static int compare_u64(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Each start of a kernel has a number of its own, which all that runs on it reads. */
int worker_count_machines(struct worker *worker)
{
    char boot[64] = "";
    size_t size = (size_t)team_size(worker->team);
    uint64_t *all = malloc(size * sizeof *all);
    if (!all) return worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "out of memory"));
    file_read(sizeof boot, boot, "/proc/sys/kernel/random/boot_id");
    uint64_t mine = *boot ? record_hash(strlen(boot), boot) : 0;
    if (team_collect_u64(worker->team, mine, all)) {
        free(all);
        return worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "the machines cannot be counted"));
    }
    qsort(all, size, sizeof *all, compare_u64);
    int count = 1;
    for (size_t i = 1; i < size; i++) count += all[i] != all[i - 1];
    worker->machines = all[0] == 0 ? -1 : count;
    free(all);
    return STATUS_OK;
}

void worker_watch_siblings(struct worker *worker)
{
    const struct cpu_list *ours = &worker->request.config.mode.cpus;
    int threads = worker->request.config.mode.threads;
    worker->watched_count = threads;
    for (int t = 0; t < threads; t++) {
        int siblings[SIBLINGS_MAX], count = cpu_siblings_read(worker->cpus[t], SIBLINGS_MAX, siblings);
        for (int s = 0; s < count; s++) {
            bool is_ours = false;
            for (int i = 0; i < ours->count && !is_ours; i++) is_ours = ours->cpus[i] == siblings[s];
            if (is_ours) continue;
            worker->watched_for[worker->watched_count] = t;
            worker->cpus[worker->watched_count++] = siblings[s];
        }
    }
}
