/* The ceiling of a sample: what its workers can do at most, at the same places and beside it in time, since a core's
 * clock changes within minutes and neighbours come and go.
 *
 * All threads of all ranks start together and work for some milliseconds, in windows of one. The best window of all
 * threads of a CPU is that CPU's rate: it was not interrupted, neither by others nor by the threads that take turns
 * with it. The rates of the CPUs add up, so that threads on one CPU have the ceiling of that one, however many they
 * are.
 *
 * Nothing but registers is used: caches and memory stay as the kernel left them.
 *
 * Where the work is bytes of memory, the ceiling is what a triad moves on arrays of the worker's own, which are larger
 * than the caches. All threads of a node move theirs at the same time, since they share the way to the memory, and for
 * longer, as it may be given out in slices of milliseconds: what they moved together, over the time that they span, is
 * the node's rate. The rates of nodes add up.
 */
#include "../../kernels/caches.h"
#include "../../kernels/ceilings/ceilings.h"
#include "../../kernels/memory.h"
#include "../../kernels/random.h"
#include "../place/limits.h"
#include "../record/record.h"
#include "worker.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double duration_s = 4e-3, window_s = 1e-3; /* a time slice is longer than a window */
static const double memory_s = 40e-3;

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

static int measure_peak(struct worker *worker, double *rate_p)
{
    struct team *team = worker->team;
    int count = team_threads(team) * team_size(team);
    size_t bytes = (size_t)team_threads(team) * sizeof(struct thread_ceiling);
    struct thread_ceiling *mine = malloc(bytes);
    struct thread_ceiling *all = team_rank(team) == 0 ? malloc((size_t)count * sizeof *all) : NULL;
    int status = mine && (all || team_rank(team) > 0) ? team_barrier(team) : -ENOMEM;
    if (status == 0) run_threads(worker, mine);
    if (status == 0) status = team_gather(team, bytes, mine, all);
    if (status == 0 && all) *rate_p = sum_places(count, all);
    free(all);
    free(mine);
    return status;
}

/* The memory's bandwidth */

struct rank_traffic {
    uint64_t host;
    struct ceiling_reading reading; /* of its threads together; done is NAN where it has no arrays */
};

/* Elements of each of a thread's three arrays: those of a node together take four times its largest cache, but no more
 * than a quarter of the memory that is left. A multiple of what the triad's count must be. */
static int64_t choose_count(const struct worker *worker)
{
    const int64_t least_bytes = INT64_C(64) << 20;
    int nodes = worker->request.config.mode.nodes > 0 ? worker->request.config.mode.nodes : 1;
    int64_t workers = ((int64_t)team_size(worker->team) + nodes - 1) / nodes * team_threads(worker->team);
    int64_t bytes = 4 * caches_share(1), step = 3 * (int64_t)sizeof(double) * CEILING_TRIAD_STEP;
    struct limits limits;
    limits_read("", &limits);
    if (bytes < least_bytes) bytes = least_bytes;
    if (limits.memory_available_bytes > 0 && bytes > limits.memory_available_bytes / 4)
        bytes = limits.memory_available_bytes / 4;
    return (bytes / workers / step + 1) * CEILING_TRIAD_STEP;
}

/* First touch by the threads that will use it. Where there is no memory, there is no ceiling. */
static void allocate_arrays(struct worker *worker)
{
    int64_t count = choose_count(worker);
    double *arrays = memory_new((size_t)team_threads(worker->team) * 3 * (size_t)count * sizeof *arrays);
    worker->ceiling_arrays = arrays;
    worker->ceiling_count = arrays ? count : 0;
    if (!arrays) return;
#pragma omp parallel
    {
        double *own = arrays + 3 * count * omp_get_thread_num();
        for (int64_t i = 0; i < 3 * count; i++) own[i] = 1;
    }
}

static struct ceiling_reading move_bytes(const struct worker *worker)
{
    struct ceiling_reading all = CEILING_NOTHING;
    int64_t count = worker->ceiling_count;
    if (count == 0) return (struct ceiling_reading){.done = NAN};
#pragma omp parallel
    {
        double *own = worker->ceiling_arrays + 3 * count * omp_get_thread_num();
        struct ceiling_reading mine;
#pragma omp barrier
        mine = ceiling_run_triad(worker->isa, memory_s, count, own, own + count, own + 2 * count);
#pragma omp critical
        all = ceiling_join(all, mine);
    }
    return all;
}

static int compare_hosts(const void *a, const void *b)
{
    const struct rank_traffic *left = a, *right = b;
    return (left->host > right->host) - (left->host < right->host);
}

static double sum_hosts(int count, struct rank_traffic traffic[])
{
    double sum = 0;
    qsort(traffic, (size_t)count, sizeof traffic[0], compare_hosts);
    for (int i = 0; i < count;) {
        struct ceiling_reading all = CEILING_NOTHING;
        uint64_t host = traffic[i].host;
        for (; i < count && traffic[i].host == host; i++) all = ceiling_join(all, traffic[i].reading);
        sum += ceiling_rate(all);
    }
    return sum;
}

static int measure_bandwidth(struct worker *worker, double *rate_p)
{
    struct team *team = worker->team;
    struct rank_traffic mine = {.host = record_hash(strlen(worker->host), worker->host)};
    struct rank_traffic *all = team_rank(team) == 0 ? malloc((size_t)team_size(team) * sizeof *all) : NULL;
    if (!worker->ceiling_arrays) allocate_arrays(worker);
    int status = all || team_rank(team) > 0 ? team_barrier(team) : -ENOMEM;
    if (status == 0) mine.reading = move_bytes(worker);
    if (status == 0) status = team_gather(team, sizeof mine, &mine, all);
    if (status == 0 && all) *rate_p = sum_hosts(team_size(team), all);
    free(all);
    return status;
}

int ceiling_measure(struct worker *worker, double *rate_p)
{
    const struct kernel *kernel = worker->problem.kernel;
    int status = 0;
    *rate_p = NAN;
    if (kernel->memory_bound)
        status = measure_bandwidth(worker, rate_p);
    else if (strcmp(kernel->work_unit, "flop") == 0)
        status = measure_peak(worker, rate_p);
    if (status == 0) return STATUS_OK;
    error_set(&worker->error, STATUS_FAILED, "the most that these cores can do could not be measured: %s",
              strerror(-status));
    return worker_abandon(worker, STATUS_FAILED);
}

void ceiling_set(const struct worker *worker, double rate, struct sample *sample_p)
{
    size_t used = strlen(sample_p->unobserved);
    sample_p->ceiling_rate = rate;
    if (rate > 0 && worker->problem.kernel->memory_bound)
        ceiling_triad_text(worker->isa, sizeof sample_p->ceiling, sample_p->ceiling);
    else if (rate > 0)
        ceiling_peak_text(worker->isa, sizeof sample_p->ceiling, sample_p->ceiling);
    else if (worker->problem.kernel->memory_bound)
        snprintf(sample_p->unobserved + used, sizeof sample_p->unobserved - used,
                 "%sceiling_rate: no memory for the arrays of a triad", used > 0 ? "; " : "");
}

void ceiling_release(struct worker *worker)
{
    free(worker->ceiling_arrays);
    worker->ceiling_arrays = NULL;
}
