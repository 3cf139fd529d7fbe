/* A worker's life: bind, team, agree, prepare, warm up, measure, tell.
 *
 * The process binds itself to its own CPUs before MPI starts, so that MPI's helper threads stay there too; the launcher
 * tells the rank on the node by an environment variable, which the team confirms afterwards. A foreign launcher has
 * bound its ranks already: they agree on the rest later (cpus.c). Each thread then binds itself to its one CPU, and
 * takes the scheduling that was asked for, and reads both back, before the first use of the kernel. MPI's helper
 * threads keep the scheduling that they had.
 *
 * Whatever may fail on one rank alone is followed by an agreement, so that no rank waits for one that has given up.
 */
#include "worker.h"

#include "../launch/launch.h"
#include "../place/machine.h"
#include "../place/schedule.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

int worker_abandon(struct worker *worker, int status)
{
    if (team_size(worker->team) == 1) return status;
    if (team_rank(worker->team) == 0)
        output_error(worker->lines, status, &worker->error);
    else
        fprintf(stderr, "speedup worker: %s\n", worker->error.text);
    team_abort(worker->team, status);
    return status;
}

int worker_agree(struct worker *worker, int status)
{
    struct failure {
        int status;
        struct error error;
    } mine = {.status = status, .error = worker->error}, *all = NULL;
    struct team *team = worker->team;
    int size = team_size(team);
    double worst = -status;
    int failed = team_max_double(team, 1, &worst);
    if (failed) return worker_abandon(worker, STATUS_FAILED);
    if (worst <= 0 || size == 1) return status;

    if (team_rank(team) == 0) {
        all = malloc((size_t)size * sizeof *all);
        if (!all) return worker_abandon(worker, STATUS_FAILED);
    }
    failed = team_gather(team, sizeof mine, &mine, all);
    for (int rank = 0; all && !failed; rank++) {
        if (all[rank].status == 0) continue;
        worker->error = all[rank].error;
        break;
    }
    free(all);
    return failed ? worker_abandon(worker, STATUS_FAILED) : -(int)worst;
}

/* Where this fails, binding the threads will too, and then there is a team to say so. */
static void bind_before_team(const struct request *request, const struct foreign_job *job)
{
    struct cpu_list own = {.count = 0};
    int local_rank = job->size > 0 ? job->local_rank : 0;
    if (local_rank < 0 || request->own_cpus) return;
    for (int t = 0; t < request->config.mode.threads && t < CPUS_MAX; t++)
        own.cpus[own.count++] = mode_cpu_of_worker(&request->config.mode, local_rank, t);
    bind_process(&own);
}

static int start_team(struct worker *worker, const struct foreign_job *job)
{
    int status =
        team_new_ranks(worker->request.config.mode.wait_policy, &worker->team, sizeof worker->library, worker->library);
    if (status == 0) return STATUS_OK;
    error_set(&worker->error, STATUS_FAILED, "%s",
              status == -ENOTSUP
                  ? "this MPI offers no MPI_THREAD_FUNNELED, which Speedup needs: use one that was built "
                    "with support for threads"
              : status == -ENOMEM ? "out of memory when the ranks were started"
                                  : "MPI could not be started");
    if (job->size <= 1 || job->rank == 0) output_error(worker->lines, STATUS_FAILED, &worker->error);
    return STATUS_FAILED;
}

static int check_size(struct worker *worker)
{
    int asked = worker->request.config.mode.ranks, got = team_size(worker->team);
    if (got == asked) return STATUS_OK;
    return error_set(
        &worker->error, STATUS_FAILED,
        "%d ranks were asked for, but this worker finds itself in a team of %d%s%s: start it by the mpirun "
        "of the MPI library that it was built with",
        asked, got, worker->library[0] ? ", with " : "", worker->library);
}

static int start_threads(struct worker *worker)
{
    const struct request *request = &worker->request;
    int threads = request->config.mode.threads, got = 0;
    size_t count = (size_t)threads, total = count * (size_t)team_size(worker->team);

    int status = team_set_threads(worker->team, threads);
    worker->cpus = calloc(count * (1 + SIBLINGS_MAX), sizeof *worker->cpus);
    worker->watched_for = calloc(count * (1 + SIBLINGS_MAX), sizeof *worker->watched_for);
    worker->cpus_begin = calloc(count * (1 + SIBLINGS_MAX), sizeof *worker->cpus_begin);
    worker->cpus_end = calloc(count * (1 + SIBLINGS_MAX), sizeof *worker->cpus_end);
    worker->threads_begin = calloc(count, sizeof *worker->threads_begin);
    worker->reports = calloc(count, sizeof *worker->reports);
    if (team_rank(worker->team) == 0) worker->all_reports = calloc(total, sizeof *worker->all_reports);
    if (status < 0 || !worker->cpus || !worker->watched_for || !worker->cpus_begin || !worker->cpus_end ||
        !worker->threads_begin || !worker->reports || (team_rank(worker->team) == 0 && !worker->all_reports))
        return error_set(&worker->error, STATUS_FAILED, "out of memory for %d threads", threads);

    for (int t = 0; t < threads; t++) worker->cpus[t] = mode_cpu_of_worker(&request->config.mode, worker->place, t);
    worker_watch_siblings(worker);
    omp_set_dynamic(0);
    omp_set_num_threads(threads);
#pragma omp parallel
#pragma omp master
    got = omp_get_num_threads();
    if (got == threads) return STATUS_OK;
    return error_set(&worker->error, STATUS_FAILED,
                     "OpenMP gives %d threads where %d were asked for (is OMP_THREAD_LIMIT set?)", got, threads);
}

static int bind_threads(struct worker *worker)
{
    int failed_cpu = -1, failure = 0;
#pragma omp parallel
    {
        int cpu = worker->cpus[omp_get_thread_num()];
        int status = bind_thread(cpu);
        if (status < 0) {
#pragma omp critical
            {
                failed_cpu = cpu;
                failure = status;
            }
        }
    }
    if (failure == 0) return STATUS_OK;
    return error_set(
        &worker->error, STATUS_FAILED,
        "rank %d on %s cannot bind a thread to CPU %d: %s (speedup machine shows the CPUs that may be used)",
        team_rank(worker->team), worker->host, failed_cpu,
        failure == -EINVAL ? "this process may not use it" : strerror(-failure));
}

static void rest_if_realtime(const struct worker *worker)
{
    if (scheduling_is_realtime(&worker->request.config.mode.scheduling)) schedule_rest_realtime();
}

/* A worker that waits for the harness or for MPI to end is an ordinary task again: leave_scheduling. */
static int take_scheduling(struct worker *worker)
{
    const struct scheduling *asked = &worker->request.config.mode.scheduling;
    int failure = 0;
    struct scheduling got = {POLICY_OTHER, 0, 0};
    if (scheduling_is_default(asked)) return STATUS_OK;
    if (scheduling_is_realtime(asked) && worker->request.realtime_limit_s > 0)
        schedule_limit_realtime(worker->request.realtime_limit_s);
#pragma omp parallel
    {
        struct scheduling own;
        int status = schedule_thread(asked, &own);
        if (status < 0) {
#pragma omp critical
            {
                failure = status;
                got = own;
            }
        }
    }
    if (failure == 0) return STATUS_OK;
    char what[128], why[400];
    return error_set(&worker->error, STATUS_FAILED, "rank %d on %s cannot have %s for its workers: %s",
                     team_rank(worker->team), worker->host, scheduling_format(asked, sizeof what, what),
                     schedule_explain(asked, &got, failure, schedule_may_realtime(), sizeof why, why));
}

static void leave_scheduling(const struct worker *worker)
{
    if (scheduling_is_realtime(&worker->request.config.mode.scheduling)) schedule_leave_realtime();
}

static int find_isa(struct worker *worker, enum isa *isa_p)
{
    char all[64];
    const char *name = worker->request.config.isa;
    int status = isa_find(name, isa_p);
    if (status == 0) return STATUS_OK;
    return error_set(&worker->error, STATUS_USAGE, "instruction set %s %s %s, which has %s", name,
                     status == -ENOTSUP ? "cannot be had on" : "is unknown to", worker->host,
                     isa_list(sizeof all, all));
}

/* Collective. Each set includes those before it: all ranks use the best that all of them have, or were asked for. */
static int agree_isa(struct worker *worker)
{
    struct config *config = &worker->request.config;
    int status = worker_agree(worker, find_isa(worker, &worker->isa));
    if (status < 0) return status;
    double lacking = -(double)worker->isa;
    if (team_max_double(worker->team, 1, &lacking) < 0) return worker_abandon(worker, STATUS_FAILED);
    int agreed = -(int)lacking;
    worker->isa = (enum isa)agreed;
    snprintf(config->isa, sizeof config->isa, "%s", isa_name(worker->isa));
    return STATUS_OK;
}

static int prepare(struct worker *worker)
{
    const struct config *config = &worker->request.config;
    if (config_to_problem(config, &worker->problem) < 0)
        return error_set(&worker->error, STATUS_USAGE,
                         "kernel %s with variant %s, size %s and these options is unknown", config->kernel,
                         config->variant, config->size);
    const struct kernel *kernel = worker->problem.kernel;
    int status = kernel->prepare(worker->team, &worker->problem, &worker->state);
    if (status == 0) return STATUS_OK;
    if (status == -ENOMEM)
        return error_set(
            &worker->error, STATUS_FAILED,
            "%s of size %s needs %.3g GiB, more than rank %d on %s could get its share of: choose a smaller "
            "--size",
            kernel->name, config->size, kernel->memory(&worker->problem, team_size(worker->team)) / (double)(1 << 30),
            team_rank(worker->team), worker->host);
    if (status == -ENOTSUP && kernel->unshared)
        return error_set(&worker->error, STATUS_FAILED,
                         "the ranks on %s cannot share memory (containers, or limits on open files, may forbid it): "
                         "%s does without",
                         worker->host, kernel->unshared);
    return error_set(&worker->error, STATUS_FAILED, "%s of size %s could not be prepared on rank %d: %s", kernel->name,
                     config->size, team_rank(worker->team), strerror(-status));
}

/* Collective. */
static int tell_hello(struct worker *worker)
{
    char *hosts = NULL;
    size_t length = sizeof worker->host;
    int status = STATUS_OK;
    if (team_rank(worker->team) == 0) {
        hosts = malloc((size_t)team_size(worker->team) * length);
        if (!hosts) return worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "out of memory"));
    }
    if (team_gather(worker->team, length, worker->host, hosts) < 0)
        status =
            worker_abandon(worker, error_set(&worker->error, STATUS_FAILED, "the ranks' hosts cannot be gathered"));
    else if (hosts)
        status = output_hello(worker->lines, worker, hosts, &worker->error);
    free(hosts);
    return worker_agree(worker, status);
}

/* Collective. */
static int measure(struct worker *worker)
{
    struct sample sample;
    double before = NAN, after = NAN;
    int status = STATUS_OK;
    sample_init(&sample);
    for (int i = 0; i < worker->request.warmups && status == 0; i++) status = timing_run(worker, false, NULL);
    if (status == 0) status = ceiling_measure(worker, &before);
    for (int i = 0; i < worker->request.runs && status == 0; i++, before = after) {
        rest_if_realtime(worker);
        status = timing_run(worker, true, &sample);
        if (status == 0) status = ceiling_measure(worker, &after);
        if (status == 0 && team_rank(worker->team) == 0) {
            ceiling_set(worker, fmax(before, after), &sample);
            status = output_sample(worker->lines, &sample, &worker->error);
        }
        status = worker_agree(worker, status);
    }
    sample_release(&sample);
    return status;
}

/* Collective, after the request was parsed. */
static int live(struct worker *worker)
{
    int status = worker_agree(worker, check_size(worker));
    if (status == 0 && worker->request.alive) status = worker_tell_alive(worker);
    worker->place = worker->team->local_rank;
    if (status == 0 && worker->request.own_cpus) status = worker_agree(worker, worker_agree_place(worker));
    if (status == 0 && !worker->request.own_cpus) status = worker_agree(worker, worker_check_nodes(worker));
    if (status == 0) status = worker_agree(worker, worker_count_machines(worker));
    if (status == 0) status = worker_agree(worker, start_threads(worker));
    if (status == 0) status = worker_agree(worker, bind_threads(worker));
    if (status == 0) status = worker_agree(worker, take_scheduling(worker));
    if (status == 0) status = agree_isa(worker);
    if (status == 0) status = worker_agree(worker, prepare(worker));
    if (status == 0) status = tell_hello(worker);
    if (status == 0) status = measure(worker);
    if (status == 0 && worker->request.picture) status = worker_draw(worker);
    if (status == 0 && worker->request.timeline) {
        rest_if_realtime(worker);
        status = worker_watch_sample(worker);
    }
    leave_scheduling(worker);
    return status;
}

static void release(struct worker *worker)
{
    if (worker->state) worker->problem.kernel->teardown(worker->state);
    ceiling_release(worker);
    free(worker->all_reports);
    free(worker->reports);
    free(worker->threads_begin);
    free(worker->cpus_end);
    free(worker->cpus_begin);
    free(worker->watched_for);
    free(worker->cpus);
    team_free(worker->team);
    worker_end_alive(worker);
}

/* Whatever waits, computes or hangs then: the default action of this signal is the end. */
static void start_deadline(double deadline_s)
{
    if (deadline_s <= 0) return;
    double whole_s = floor(deadline_s);
    struct itimerval timer = {.it_value = {(time_t)whole_s, (suseconds_t)(1e6 * (deadline_s - whole_s))}};
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

int worker_main(int argc, char *argv[], FILE *lines)
{
    struct worker worker = {.lines = lines, .machines = -1};
    struct foreign_job job;

    int parsed = request_parse(argc, argv, &worker.request, &worker.error);
    if (parsed == 0) start_deadline(worker.request.deadline_s);
    launch_find_foreign_job(environ, &job);
    if (gethostname(worker.host, sizeof worker.host - 1) < 0) strcpy(worker.host, "localhost");
    if (parsed == 0 && worker.request.config.mode.nodes > 1 && !worker.request.own_cpus)
        parsed = worker_adopt_cpus(&worker);
    if (parsed == 0) bind_before_team(&worker.request, &job);
    int status = start_team(&worker, &job);
    if (status < 0) return status;

    status = worker_agree(&worker, parsed);
    if (status == 0) status = live(&worker);
    if (team_rank(worker.team) == 0) {
        if (status == 0) status = output_done(lines, &worker.error);
        if (status < 0 && output_error(lines, status, &worker.error) < 0)
            fprintf(stderr, "speedup worker: %s\n", worker.error.text);
    }
    release(&worker);
    return status;
}
