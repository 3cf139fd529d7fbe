/* What needs the timeline comes from it, clipped to the command's own time; what the system's accounts tell comes from
 * them. A timeline with holes is none: sums over it would be wrong numbers.
 */
#include "outside.h"

#include "outside_sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of its life, from which a task counts as one that worked. */
static const double WORKED_SHARE = 0.05;
/* Of the time that tasks ran, so much may be outside of the mode's CPUs: libraries that look at the machine (hwloc in
 * MPI) visit each CPU for a moment. */
static const double VISITS_SHARE = 0.01;
/* CPU time in the accounts that may be missing from the records. */
static const double MISSING_SHARE = 0.1, MISSING_S = 0.05;

struct seen_cpu {
    int cpu;
    bool outside; /* of the mode's CPUs */
    double ran_s;
};

/* Where and how long tasks ran. */
struct seen {
    int cpu_count;
    struct seen_cpu cpus[CPUS_MAX]; /* in which a task ran in the window */
    double own_s;                   /* on the mode's CPUs, in all that was recorded */
    double all_s;                   /* wherever, in all that was recorded */
    double wait_s;                  /* ready without a core, in the window */
    double concurrency;
    int processes, tasks;
};

static void note(struct sample *sample, const char *what, const char *why)
{
    size_t used = strlen(sample->unobserved);
    snprintf(sample->unobserved + used, sizeof sample->unobserved - used, "%s%s: %s", used > 0 ? "; " : "", what, why);
}

static bool is_of_mode(const struct outside *outside, int cpu)
{
    for (int i = 0; i < outside->cpu_count; i++)
        if (outside->cpus[i] == cpu) return true;
    return false;
}

static double clipped_s(const struct timeline_span *span, const struct sweep_window *window)
{
    return fmax(0, fmin(span->end_s, window->end_s) - fmax(span->begin_s, window->begin_s));
}

static void see_cpu(struct seen *seen, int cpu, bool outside, double ran_s)
{
    int at = 0;
    while (at < seen->cpu_count && seen->cpus[at].cpu != cpu) at++;
    if (at == CPUS_MAX) return;
    if (at == seen->cpu_count) seen->cpus[seen->cpu_count++] = (struct seen_cpu){.cpu = cpu, .outside = outside};
    seen->cpus[at].ran_s += ran_s;
}

/* Times of one task. Returns whether it was there in the window. The first one of all is born where this program is,
 * and goes to the mode's CPUs before it becomes the command: until then it is nowhere. */
static bool see_task(const struct timeline_task *task, const struct outside *outside, const struct sweep_window *window,
                     bool first, struct seen *seen, double *life_p, double *active_p)
{
    bool arrived = !first;
    double begin_s = INFINITY, end_s = 0, active_s = 0;
    for (int i = 0; i < task->span_count; i++) {
        const struct timeline_span *span = &task->spans[i];
        double time_s = clipped_s(span, window);
        if (span->state == SPAN_RUNNING) {
            bool of_mode = is_of_mode(outside, span->cpu);
            arrived |= of_mode;
            seen->all_s += span->end_s - span->begin_s;
            if (of_mode) seen->own_s += span->end_s - span->begin_s;
            if (arrived && time_s > 0) see_cpu(seen, span->cpu, !of_mode, time_s);
        }
        if (!(time_s > 0)) continue;
        begin_s = fmin(begin_s, span->begin_s);
        end_s = span->end_s;
        if (span->state != SPAN_BLOCKED) active_s += time_s;
        if (span->state == SPAN_READY) seen->wait_s += time_s;
    }
    if (!(end_s > begin_s)) return false;
    *life_p = fmin(end_s, window->end_s) - fmax(begin_s, window->begin_s);
    *active_p = active_s;
    return true;
}

static int compare_pids(const void *left, const void *right)
{
    pid_t a = *(const pid_t *)left, b = *(const pid_t *)right;
    return (a > b) - (a < b);
}

/* Numbers may come again, and then their first threads do, too. */
static int count_processes(int count, pid_t pids[], int leaders)
{
    int distinct = 0;
    qsort(pids, (size_t)count, sizeof *pids, compare_pids);
    for (int i = 0; i < count; i++) distinct += i == 0 || pids[i] != pids[i - 1];
    return distinct > leaders ? distinct : leaders;
}

static int first_task(const struct timeline *timeline)
{
    int first = -1;
    double first_s = INFINITY;
    for (int i = 0; i < timeline->task_count; i++) {
        const struct timeline_task *task = &timeline->tasks[i];
        if (task->span_count == 0 || !(task->spans[0].begin_s < first_s)) continue;
        first = i;
        first_s = task->spans[0].begin_s;
    }
    return first;
}

/* Those outside the mode's CPUs first, then those where most was done. */
static int compare_seen(const void *left, const void *right)
{
    const struct seen_cpu *a = left, *b = right;
    if (a->outside != b->outside) return a->outside ? -1 : 1;
    if (a->ran_s < b->ran_s || a->ran_s > b->ran_s) return a->ran_s > b->ran_s ? -1 : 1;
    return (a->cpu > b->cpu) - (a->cpu < b->cpu);
}

static int see_tasks(const struct outside *outside, const struct sweep_window *window, struct seen *seen_p)
{
    const struct timeline *timeline = outside->timeline;
    pid_t *pids = calloc((size_t)timeline->task_count + 1, sizeof *pids);
    int first = first_task(timeline), leaders = 0;
    double lives_s = 0, working_s = 0;
    if (!pids) return -ENOMEM;
    for (int i = 0; i < timeline->task_count; i++) {
        const struct timeline_task *task = &timeline->tasks[i];
        double life_s, active_s;
        if (!see_task(task, outside, window, i == first, seen_p, &life_s, &active_s)) continue;
        pids[seen_p->tasks++] = task->pid;
        leaders += task->tid == task->pid;
        lives_s += life_s;
        if (active_s >= WORKED_SHARE * life_s) working_s += life_s;
    }
    seen_p->processes = count_processes(seen_p->tasks, pids, leaders);
    seen_p->concurrency = (working_s > 0 ? working_s : lives_s) / outside->process_s;
    qsort(seen_p->cpus, (size_t)seen_p->cpu_count, sizeof seen_p->cpus[0], compare_seen);
    free(pids);
    return 0;
}

static struct worker_times worker_at(int place, const struct sweep_place *times, const struct outside *outside)
{
    struct worker_times worker = {.rank = place,
                                  .start_s = times->start_s,
                                  .end_s = times->end_s,
                                  .response_s = NAN, /* places are taken in turns: each is taken at once */
                                  .wall_s = times->wall_s,
                                  .cpu_s = times->cpu_s,
                                  .serial_s = NAN,
                                  .wait_s = fmax(0, times->wall_s - times->cpu_s),
                                  .comm_s = NAN, /* is in its active time; its CPU time is in cpu_s */
                                  .idle_s = fmax(0, outside->process_s - times->wall_s),
                                  .voluntary = -1,
                                  .involuntary = -1,
                                  .cpu_asked = -1,
                                  .mask_as_asked = true,
                                  .cpu_total_busy_s = NAN,
                                  .cpu_steal_s = NAN,
                                  .sibling_busy_s = NAN};
    memcpy(worker.host, outside->timeline->host, sizeof worker.host);
    return worker;
}

static int fill_workers(const struct outside *outside, const struct sweep_window *window, const struct seen *seen,
                        struct sample *sample)
{
    int count = mode_workers(&sample->config.mode);
    if (count < 1) count = 1;
    struct sweep_place *places = calloc((size_t)count, sizeof *places);
    struct worker_times *workers = calloc((size_t)count, sizeof *workers);
    int status = places && workers ? 0 : -ENOMEM;
    if (!status) status = sweep_timeline(outside->timeline, window, count, places, &sample->held_s);
    if (!status) {
        for (int i = 0; i < count; i++) workers[i] = worker_at(i, &places[i], outside);
        for (int i = 0; i < seen->cpu_count && i < count * CPUS_SEEN_MAX; i++) {
            struct worker_times *worker = &workers[i % count];
            worker->cpus_seen[worker->cpu_seen_count++] = seen->cpus[i].cpu;
        }
        free(sample->workers);
        sample->workers = workers;
        sample->worker_count = count;
        workers = NULL;
    }
    free(places);
    free(workers);
    return status;
}

static bool is_outside(const struct seen *seen)
{
    double outside_s = 0, all_s = 0;
    for (int i = 0; i < seen->cpu_count; i++) {
        all_s += seen->cpus[i].ran_s;
        if (seen->cpus[i].outside) outside_s += seen->cpus[i].ran_s;
    }
    return outside_s > VISITS_SHARE * all_s;
}

static int fill_from_timeline(const struct outside *outside, const struct sweep_window *window, const struct seen *seen,
                              struct sample *sample)
{
    int status = fill_workers(outside, window, seen, sample);
    if (status) return status;
    sample->cpu_s = 0;
    for (int i = 0; i < sample->worker_count; i++) sample->cpu_s += sample->workers[i].cpu_s;
    sample->wait_s = seen->wait_s;
    sample->concurrency = seen->concurrency;
    sample->processes = seen->processes;
    sample->tasks = seen->tasks;
    sample->placed_as_asked = !is_outside(seen);
    if (isnan(sample->held_s)) note(sample, "held_s", "it is not known which CPUs are the command's");
    return 0;
}

static void fill_without_timeline(const struct outside *outside, const char *reason, struct sample *sample)
{
    free(sample->workers);
    sample->workers = NULL;
    sample->worker_count = 0;
    sample->cpu_s = outside->user_s + outside->system_s;
    sample->wait_s = sample->held_s = sample->concurrency = NAN;
    sample->processes = sample->tasks = -1;
    sample->placed_as_asked = true;
    note(sample, "workers, wait_s, held_s, concurrency, tasks, placement", reason);
}

/* Over the mode's CPUs; what the command itself used there is own_s (NAN: not known). */
static void fill_disturbance(const struct outside *outside, double own_s, struct sample *sample)
{
    double busy_s = 0;
    sample->steal_s = outside->cpu_count > 0 ? 0 : NAN;
    for (int i = 0; i < outside->cpu_count; i++) {
        busy_s += outside->after[i].busy_s - outside->before[i].busy_s;
        sample->steal_s += outside->after[i].steal_s - outside->before[i].steal_s;
    }
    sample->foreign_cpu_s = isnan(sample->steal_s) || isnan(busy_s) || isnan(own_s) ? NAN : fmax(0, busy_s - own_s);
    if (isnan(sample->steal_s))
        note(sample, "steal_s, foreign_cpu_s", "not all CPUs found in /proc/stat");
    else if (isnan(sample->foreign_cpu_s))
        note(sample, "foreign_cpu_s", "which CPU time was the command's is not known");
}

static void fill_accounts(const struct outside *outside, struct sample *sample)
{
    sample->process_s = outside->process_s;
    sample->user_s = outside->user_s;
    sample->system_s = outside->system_s;
    sample->peak_memory_bytes = outside->peak_memory_bytes;
    sample->voluntary = outside->voluntary;
    sample->involuntary = outside->involuntary;
    sample->throttled_s = outside->throttled_s;
    sample->comm_s = NAN;
    sample->start_skew_s = 0;
    sample->unobserved[0] = '\0';
}

/* Why the timeline cannot be used; NULL: it can. */
static const char *reason_against(const struct outside *outside, const struct sample *sample, const struct seen *seen)
{
    if (!outside->timeline) return outside->reason && outside->reason[0] ? outside->reason : "nothing was recorded";
    if (sample->config.mode.nodes > 1) return "the command's processes on other nodes are not seen";
    if (outside->timeline->incomplete[0]) return outside->timeline->incomplete;
    double missing_s = outside->user_s + outside->system_s - seen->all_s;
    if (missing_s > MISSING_SHARE * seen->all_s + MISSING_S) return "part of its CPU time is not in the records";
    return NULL;
}

int outside_fill(const struct outside *outside, struct sample *sample)
{
    struct sweep_window window = {.cpu_count = outside->cpu_count, .cpus = outside->cpus};
    struct seen *seen = calloc(1, sizeof *seen);
    int status = seen ? 0 : -ENOMEM;
    if (!status && outside->timeline) {
        window.begin_s = fmax(0, outside->start_s - outside->timeline->start_s);
        window.end_s = outside->start_s - outside->timeline->start_s + outside->process_s;
        status = see_tasks(outside, &window, seen);
    }
    if (status) goto release;
    fill_accounts(outside, sample);
    bool whole = sample->config.mode.nodes <= 1;
    const char *reason = reason_against(outside, sample, seen);
    if (reason)
        fill_without_timeline(outside, reason, sample);
    else
        status = fill_from_timeline(outside, &window, seen, sample);
    if (!whole) sample->cpu_s = NAN;
    sample->parallelism = outside->process_s > 0 ? sample->cpu_s / outside->process_s : NAN;
    /* Bound, it can have used its CPU time nowhere else. */
    double accounted_s = sample->config.command.bind && whole ? outside->user_s + outside->system_s : NAN;
    fill_disturbance(outside, reason ? accounted_s : seen->own_s, sample);
    if (isnan(sample->throttled_s)) note(sample, "throttled_s", "no control group tells it");
    if (sample->peak_memory_bytes < 0)
        note(sample, "peak_memory_bytes", "no process had more than this program itself");
release:
    free(seen);
    return status;
}
