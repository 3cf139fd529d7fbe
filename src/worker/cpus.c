/* Which CPUs are this rank's, and which others must be watched.
 *
 * A foreign launcher gives each rank a set of CPUs, which some ranks of a node may share. A rank's place among those of
 * its node with the same set decides which of them are its own, as the local rank does in a job of our own.
 */
#include "worker.h"

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
