/* The ceiling of a sample: what its workers can do at most, at the same places and beside it in time, since a core's
 * clock changes within minutes and neighbours come and go.
 *
 * All threads of all ranks start together and work for some milliseconds, in windows of one. The best window of all
 * threads of a CPU is that CPU's rate: it was not interrupted, neither by others nor by the threads that take turns
 * with it. The rates of the CPUs add up, so that threads on one CPU have the ceiling of that one, however many they
 * are.
 *
 * Nothing but registers is used: caches and memory stay as the kernel left them.
 */
#include "../../kernels/ceilings/ceilings.h"
#include "../../kernels/random.h"
#include "../record/record.h"
#include "worker.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static const double duration_s = 4e-3, window_s = 1e-3; /* a time slice is longer than a window */

struct thread_ceiling {
    uint64_t place; /* hash of host and CPU */
    double rate;
};

static void run_threads(const struct worker *worker, struct thread_ceiling ceilings_p[])
{
    uint64_t host = record_hash(strlen(worker->host), worker->host);
    double until_s = clock_wall_s() + duration_s;
#pragma omp parallel
    {
        int thread = omp_get_thread_num();
        struct ceiling_reading window;
        double rate = 0;
#pragma omp barrier
        do {
            window = ceiling_run_peak(worker->isa, window_s);
            rate = fmax(rate, ceiling_rate(window));
        } while (window.end_s < until_s);
        ceilings_p[thread].place = hash_pair(host, (uint64_t)worker->cpus[thread]);
        ceilings_p[thread].rate = rate;
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct thread_ceiling *left = a, *right = b;
    return (left->place > right->place) - (left->place < right->place);
}

static double sum_places(int count, struct thread_ceiling ceilings[])
{
    double sum = 0;
    qsort(ceilings, (size_t)count, sizeof ceilings[0], compare_places);
    for (int i = 0; i < count;) {
        uint64_t place = ceilings[i].place;
        double best = 0;
        for (; i < count && ceilings[i].place == place; i++) best = fmax(best, ceilings[i].rate);
        sum += best;
    }
    return sum;
}

int ceiling_measure(struct worker *worker, double *rate_p)
{
    struct team *team = worker->team;
    int count = team_threads(team) * team_size(team);
    size_t bytes = (size_t)team_threads(team) * sizeof(struct thread_ceiling);
    *rate_p = NAN;
    if (strcmp(worker->problem.kernel->work_unit, "flop") != 0) return STATUS_OK;

    struct thread_ceiling *mine = malloc(bytes);
    struct thread_ceiling *all = team_rank(team) == 0 ? malloc((size_t)count * sizeof *all) : NULL;
    int status = mine && (all || team_rank(team) > 0) ? team_barrier(team) : -ENOMEM;
    if (status == 0) run_threads(worker, mine);
    if (status == 0) status = team_gather(team, bytes, mine, all);
    if (status == 0 && all) *rate_p = sum_places(count, all);
    free(all);
    free(mine);
    if (status == 0) return STATUS_OK;
    error_set(&worker->error, STATUS_FAILED, "the peak of these cores could not be measured: %s", strerror(-status));
    return worker_abandon(worker, STATUS_FAILED);
}

void ceiling_set(const struct worker *worker, double rate, struct sample *sample_p)
{
    sample_p->ceiling_rate = rate;
    if (rate > 0) ceiling_peak_text(worker->isa, sizeof sample_p->ceiling, sample_p->ceiling);
}
