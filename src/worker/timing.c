/* One timed execution.
 *
 *     CPUs' counters; threads' counters; barrier; master's counters; START; run; END; barrier; all counters
 *
 * The time between START and END of a node is the sample. The counters' window is a little wider, for two reasons:
 * their reading must not be timed, and a rank that is done waits (perhaps spinning) until all are done: that is idle
 * time of the sample, and it takes the core from our other workers, which judge.c must know. The master reads its
 * counters after the barrier, so that its wait there does not count; that keeps START within some microseconds
 * of it.
 *
 * A kernel whose run fails on one rank leaves the others in the midst of a collective call: nothing can be agreed on
 * then, so the ranks are ended.
 */
#include "worker.h"

#include "../place/machine.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

static int kernel_status(struct worker *worker, int status, const char *what)
{
    if (status == 0) return STATUS_OK;
    return error_set(&worker->error, STATUS_FAILED, "%s on rank %d could not %s: %s", worker->problem.kernel->name,
                     worker->team->rank, what, strerror(-status));
}

struct instants {
    double date_s, start_s, end_s;
    double throttled_s;
    double comm_wall_s, comm_cpu_s;
};

static void read_begin_counters(struct worker *worker, struct instants *instants_p)
{
    cpu_counters_read(worker->watched_count, worker->cpus, worker->cpus_begin);
    instants_p->throttled_s = cgroup_throttled_s();
#pragma omp parallel
    if (omp_get_thread_num() > 0) thread_counters_read(&worker->threads_begin[omp_get_thread_num()]);
}

/* By the thread itself. */
static void report_thread(const struct worker *worker, int thread, const struct instants *instants,
                          struct worker_report *report_p)
{
    struct thread_counters end;
    struct cpu_list mask;
    const struct thread_counters *begin = &worker->threads_begin[thread];
    struct thread_stamps *stamps = &worker->team->stamps[thread];
    struct worker_times *times = &report_p->times;

    thread_counters_read(&end);
    team_stamps_see(stamps, begin->cpu);
    team_stamps_see(stamps, end.cpu);
    memset(report_p, 0, sizeof *report_p);
    memcpy(times->host, worker->host, sizeof times->host);
    times->rank = worker->team->rank;
    times->thread = thread;
    times->tid = thread_id();
    times->start_s = instants->start_s;
    times->end_s = fmax(stamps->last_done_s, instants->start_s);
    times->response_s = stamps->first_begin_s > 0 ? stamps->first_begin_s : NAN;
    times->wall_s = stamps->useful_wall_s;
    times->cpu_s = stamps->useful_cpu_s;
    times->serial_s = stamps->serial_wall_s;
    times->comm_s = thread == 0 ? instants->comm_wall_s : 0;
    times->comm_cpu_s = thread == 0 ? instants->comm_cpu_s : 0;
    times->idle_cpu_s = fmax(end.cpu_s - begin->cpu_s - times->cpu_s - times->comm_cpu_s, 0);
    times->wait_s = end.runqueue_wait_s - begin->runqueue_wait_s;
    times->voluntary = begin->voluntary < 0 ? -1 : end.voluntary - begin->voluntary;
    times->involuntary = begin->involuntary < 0 ? -1 : end.involuntary - begin->involuntary;
    times->cpu_asked = worker->cpus[thread];
    times->mask_as_asked = bind_read(&mask) == 1 && mask.cpus[0] == times->cpu_asked;
    times->cpu_seen_count = stamps->seen_count;
    memcpy(times->cpus_seen, stamps->seen, sizeof times->cpus_seen);
    report_p->rank_end_s = instants->end_s;
}

static void read_end_counters(struct worker *worker, const struct instants *instants)
{
    cpu_counters_read(worker->watched_count, worker->cpus, worker->cpus_end);
#pragma omp parallel
    report_thread(worker, omp_get_thread_num(), instants, &worker->reports[omp_get_thread_num()]);
    double throttled_s = cgroup_throttled_s() - instants->throttled_s;
    for (int t = 0; t < worker->team->threads; t++) {
        struct worker_times *times = &worker->reports[t].times;
        times->cpu_total_busy_s = worker->cpus_end[t].busy_s - worker->cpus_begin[t].busy_s;
        times->cpu_steal_s = worker->cpus_end[t].steal_s - worker->cpus_begin[t].steal_s;
        times->sibling_busy_s = NAN;
        worker->reports[t].throttled_s = throttled_s;
    }
    for (int i = worker->team->threads; i < worker->watched_count; i++) {
        double *busy_s = &worker->reports[worker->watched_for[i]].times.sibling_busy_s;
        *busy_s = (isnan(*busy_s) ? 0 : *busy_s) + worker->cpus_end[i].busy_s - worker->cpus_begin[i].busy_s;
    }
}

static int run_kernel(struct worker *worker, struct instants *instants_p)
{
    struct team *team = worker->team;
    thread_counters_read(&worker->threads_begin[0]);
    team_stamps_reset(team);
    instants_p->date_s = clock_date_s();
    instants_p->start_s = clock_wall_s();
    int status = worker->problem.kernel->run(team, worker->state);
    instants_p->end_s = clock_wall_s();
    instants_p->comm_wall_s = team->comm_wall_s;
    instants_p->comm_cpu_s = team->comm_cpu_s;
    return kernel_status(worker, status, "run");
}

static int compare_hosts(const void *left, const void *right)
{
    const struct worker_report *const *a = left, *const *b = right;
    return strcmp((*a)->times.host, (*b)->times.host);
}

/* firsts: the reports of each rank's first thread, of all ranks on one node. */
static void span_node(const struct worker *worker, int count, const struct worker_report **firsts,
                      struct sample *sample)
{
    double first_s = INFINITY, last_s = 0, end_s = 0;
    for (int i = 0; i < count; i++) {
        first_s = fmin(first_s, firsts[i]->times.start_s);
        last_s = fmax(last_s, firsts[i]->times.start_s);
        end_s = fmax(end_s, firsts[i]->rank_end_s);
    }
    sample->wall_s = fmax(sample->wall_s, end_s - first_s);
    sample->start_skew_s = fmax(sample->start_skew_s, last_s - first_s);
    for (int i = 0; i < count; i++)
        for (int t = 0; t < worker->team->threads; t++) {
            struct worker_times *times = &sample->workers[firsts[i] - worker->all_reports + t];
            times->start_s -= first_s;
            times->end_s -= first_s;
            times->response_s -= first_s;
        }
}

/* Makes times relative to the start of their node, and finds what spans ranks. */
static int span_nodes(struct worker *worker, struct sample *sample)
{
    int size = worker->team->size;
    const struct worker_report **firsts = malloc((size_t)size * sizeof *firsts);
    if (!firsts) return error_set(&worker->error, STATUS_FAILED, "out of memory for a sample");
    for (int rank = 0; rank < size; rank++) firsts[rank] = &worker->all_reports[rank * worker->team->threads];
    qsort(firsts, (size_t)size, sizeof *firsts, compare_hosts);
    for (int begin = 0, end; begin < size; begin = end) {
        end = begin + 1;
        while (end < size && compare_hosts(&firsts[begin], &firsts[end]) == 0) end++;
        span_node(worker, end - begin, firsts + begin, sample);
    }
    free(firsts);
    return STATUS_OK;
}

/* Started by a foreign launcher, each rank knows its own CPUs alone: the mode's are those of all ranks of rank 0's
 * node. */
static void collect_cpus(struct sample *sample)
{
    struct cpu_list *cpus = &sample->config.mode.cpus;
    cpus->count = 0;
    for (int i = 0; i < sample->worker_count && cpus->count < CPUS_MAX; i++) {
        const struct worker_times *times = &sample->workers[i];
        bool known = strcmp(times->host, sample->workers[0].host) != 0;
        for (int k = 0; k < cpus->count && !known; k++) known = cpus->cpus[k] == times->cpu_asked;
        if (!known) cpus->cpus[cpus->count++] = times->cpu_asked;
    }
}

static int copy_points(struct worker *worker, struct sample *sample)
{
    const struct kernel *kernel = worker->problem.kernel;
    if (!kernel->points) return STATUS_OK;
    sample->points = calloc(KERNEL_POINTS_MAX, sizeof *sample->points);
    if (!sample->points) return error_set(&worker->error, STATUS_FAILED, "out of memory for a sample");
    sample->point_count = kernel->points(worker->state, sample->points);
    return STATUS_OK;
}

static int build_sample(struct worker *worker, const struct instants *instants, const struct verdict *verdict,
                        struct sample *sample)
{
    int count = worker->team->size * worker->team->threads;
    sample_release(sample);
    sample->workers = calloc((size_t)count, sizeof *sample->workers);
    if (!sample->workers) return error_set(&worker->error, STATUS_FAILED, "out of memory for a sample");
    sample->worker_count = count;
    sample->config = worker->request.config;
    sample->start_s = instants->date_s;
    sample->throttled_s = NAN;
    sample->machines = worker->machines;
    for (int i = 0; i < count; i++) {
        sample->workers[i] = worker->all_reports[i].times;
        sample->throttled_s = fmax(sample->throttled_s, worker->all_reports[i].throttled_s);
    }
    if (worker->request.own_cpus) collect_cpus(sample);
    if (span_nodes(worker, sample) < 0 || copy_points(worker, sample) < 0) return STATUS_FAILED;
    for (int i = 0; i < count; i++) {
        struct worker_times *times = &sample->workers[i];
        times->idle_s = fmax(sample->wall_s - times->wall_s - times->comm_s, 0);
        /* What exceeds that was spent on the stamps, outside the sample. */
        times->idle_cpu_s = fmin(times->idle_cpu_s, times->idle_s);
    }
    sample->work = worker->problem.kernel->work(&worker->problem);
    snprintf(sample->work_unit, sizeof sample->work_unit, "%s", worker->problem.kernel->work_unit);
    sample->correct = verdict->correct;
    sample->result = verdict->result;
    sample->checksum = verdict->checksum;
    memcpy(sample->check_detail, verdict->detail, sizeof sample->check_detail);
    sample_derive(sample);
    return STATUS_OK;
}

int timing_run(struct worker *worker, bool reported, struct sample *sample_p)
{
    const struct kernel *kernel = worker->problem.kernel;
    struct team *team = worker->team;
    struct instants instants;
    struct verdict verdict = {.correct = false};

    int status = worker_agree(worker, kernel_status(worker, kernel->reset(team, worker->state), "be reset"));
    if (status < 0) return status;
    if (worker->watch) watch_start(worker->watch, worker->watchers);
    read_begin_counters(worker, &instants);
    status = kernel_status(worker, team_barrier(team), "start together with the others");
    if (status < 0) return worker_abandon(worker, status);
    status = run_kernel(worker, &instants);
    if (status < 0) return worker_abandon(worker, status);
    status = kernel_status(worker, team_barrier(team), "wait for the others");
    if (status < 0) return worker_abandon(worker, status);
    read_end_counters(worker, &instants);
    if (worker->watch) watch_stop(worker->watch);
    /* What others compute from here on must not count as this rank's wait. */
    status = kernel_status(worker, team_barrier(team), "wait for the others");
    if (status < 0) return worker_abandon(worker, status);
    if (!reported) return STATUS_OK;

    status = kernel_status(worker, kernel->check(team, worker->state, &verdict), "check its result");
    status = worker_agree(worker, status);
    if (status < 0) return status;
    size_t bytes = (size_t)team->threads * sizeof worker->reports[0];
    status = kernel_status(worker, team_gather(team, bytes, worker->reports, worker->all_reports), "gather the times");
    if (status < 0) return worker_abandon(worker, status);
    if (team->rank > 0) return STATUS_OK;
    status = build_sample(worker, &instants, &verdict, sample_p);
    return status < 0 ? worker_abandon(worker, status) : STATUS_OK;
}
