/* A sample's storage, and what follows from its workers' times. What one worker could not observe makes the sum over
 * all workers unobserved too: a sum with holes would be a wrong number. */
#include "sample.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A rate further above its ceiling says that the ceiling was measured while something else ran. (Or that the work used
 * other instructions than it was asked to: another library's may; or that its bytes came from caches, not from memory.)
 */
#define CEILING_NOISE 1.05

void sample_init(struct sample *sample_p)
{
    memset(sample_p, 0, sizeof *sample_p);
    sample_p->validity = SAMPLE_NOT_JUDGED;
    sample_p->ceiling_rate = NAN;
    sample_p->machines = -1;
    sample_p->launch_s = NAN;
    sample_p->process_s = sample_p->user_s = sample_p->system_s = sample_p->held_s = NAN;
    sample_p->peak_memory_bytes = -1;
    sample_p->processes = sample_p->tasks = sample_p->exit_status = -1;
}

static const char failed_lead[] = "failed: ";

void sample_fail(struct sample *sample, const char *cause)
{
    sample->wall_s = sample->cpu_s = sample->wait_s = sample->comm_s = sample->rate = sample->result = NAN;
    sample->concurrency = sample->parallelism = sample->steal_s = sample->foreign_cpu_s = NAN;
    sample->start_skew_s = sample->throttled_s = NAN;
    sample->voluntary = sample->involuntary = -1;
    sample->placed_as_asked = true; /* of no worker anything else was seen */
    sample->correct = false;
    strcpy(sample->check_detail, "there was no answer");
    strcpy(sample->unobserved, "all: the launch failed");
    sample->validity = SAMPLE_INVALID;
    int length = snprintf(sample->invalid_reason, sizeof sample->invalid_reason, "%s%s", failed_lead, cause);
    if (length >= (int)sizeof sample->invalid_reason)
        strcpy(sample->invalid_reason + sizeof sample->invalid_reason - 4, "...");
}

bool sample_failed(const struct sample *sample)
{
    return sample->validity == SAMPLE_INVALID &&
           strncmp(sample->invalid_reason, failed_lead, sizeof failed_lead - 1) == 0;
}

void sample_release(struct sample *sample)
{
    free(sample->points);
    free(sample->workers);
    sample_init(sample);
}

/* NULL: no bytes, or no memory. */
static void *copy_bytes(size_t count, const void *bytes)
{
    void *copy = count > 0 ? malloc(count) : NULL;
    if (copy) memcpy(copy, bytes, count);
    return copy;
}

int sample_copy(const struct sample *sample, struct sample *copy_p)
{
    size_t workers_bytes = (size_t)sample->worker_count * sizeof *sample->workers;
    size_t points_bytes = (size_t)sample->point_count * sizeof *sample->points;
    struct worker_times *workers = copy_bytes(workers_bytes, sample->workers);
    struct kernel_point *points = copy_bytes(points_bytes, sample->points);
    if ((workers_bytes > 0 && !workers) || (points_bytes > 0 && !points)) {
        free(points);
        free(workers);
        return -ENOMEM;
    }
    *copy_p = *sample;
    copy_p->workers = workers;
    copy_p->points = points;
    return 0;
}

double sample_ceiling_share(const struct sample *sample)
{
    double share = sample->ceiling_rate > 0 ? sample->rate / sample->ceiling_rate : NAN;
    return share <= CEILING_NOISE ? share : NAN;
}

double worker_cpu_s(const struct worker_times *worker)
{
    return worker->cpu_s + worker->comm_cpu_s + worker->idle_cpu_s;
}

bool worker_placed_as_asked(const struct worker_times *worker)
{
    if (worker->cpu_asked < 0) return true;
    for (int i = 0; i < worker->cpu_seen_count; i++)
        if (worker->cpus_seen[i] != worker->cpu_asked) return false;
    return worker->mask_as_asked;
}

static int compare_ints(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

void sample_cpus_seen(const struct sample *sample, struct cpu_list *list_p)
{
    list_p->count = 0;
    for (int i = 0; i < sample->worker_count; i++) {
        const struct worker_times *worker = &sample->workers[i];
        for (int j = 0; j < worker->cpu_seen_count; j++) {
            int known = 0;
            while (known < list_p->count && list_p->cpus[known] != worker->cpus_seen[j]) known++;
            if (known == list_p->count && known < CPUS_MAX) list_p->cpus[list_p->count++] = worker->cpus_seen[j];
        }
    }
    qsort(list_p->cpus, (size_t)list_p->count, sizeof list_p->cpus[0], compare_ints);
}

static bool share_cpu(const struct sample *sample, const struct worker_times *a, const struct worker_times *b)
{
    return a->cpu_asked == b->cpu_asked && (sample->machines == 1 || strcmp(a->host, b->host) == 0);
}

static const struct cpu_load no_load = {.busy_s = NAN, .steal_s = NAN, .held_s = NAN};

static void load_add(struct cpu_load *load, const struct worker_times *worker)
{
    load->workers++;
    load->own_s += worker_cpu_s(worker);
    /* Each rank's window covers the sample; the smallest contains the least besides. */
    load->busy_s = fmin(load->busy_s, worker->cpu_total_busy_s);
    load->steal_s = fmin(load->steal_s, worker->cpu_steal_s);
}

/* When all of its workers were added. */
static void load_hold(struct cpu_load *load, const struct worker_times *worker)
{
    if (isnan(worker->wait_s)) return;
    double others_s = load->own_s - worker_cpu_s(worker);
    load->held_s = fmax(fmax(load->held_s, 0), worker->wait_s - others_s);
}

bool sample_cpu_load(const struct sample *sample, int index, struct cpu_load *load_p)
{
    const struct worker_times *first = &sample->workers[index];
    if (first->cpu_asked < 0) return false;
    for (int i = 0; i < index; i++)
        if (share_cpu(sample, &sample->workers[i], first)) return false;

    *load_p = no_load;
    for (int i = index; i < sample->worker_count; i++)
        if (share_cpu(sample, &sample->workers[i], first)) load_add(load_p, &sample->workers[i]);
    for (int i = index; i < sample->worker_count; i++)
        if (share_cpu(sample, &sample->workers[i], first)) load_hold(load_p, &sample->workers[i]);
    return true;
}

/* By CPU, and of one CPU in their order. */
static int compare_cpus(const void *a, const void *b, void *context)
{
    const struct sample *sample = context;
    int left = *(const int *)a, right = *(const int *)b;
    const struct worker_times *one = &sample->workers[left], *other = &sample->workers[right];
    if (one->cpu_asked != other->cpu_asked) return one->cpu_asked < other->cpu_asked ? -1 : 1;
    int hosts = sample->machines == 1 ? 0 : strcmp(one->host, other->host);
    return hosts ? hosts : (left > right) - (left < right);
}

struct cpu_load *sample_cpu_loads(const struct sample *sample)
{
    int count = sample->worker_count;
    int *order = malloc(((size_t)count + 1) * sizeof *order);
    struct cpu_load *loads = calloc((size_t)count + 1, sizeof *loads);
    if (!order || !loads) {
        free(order);
        free(loads);
        return NULL;
    }
    for (int i = 0; i < count; i++) order[i] = i;
    qsort_r(order, (size_t)count, sizeof *order, compare_cpus, (void *)(uintptr_t)sample);
    for (int begin = 0, end; begin < count; begin = end) {
        const struct worker_times *first = &sample->workers[order[begin]];
        struct cpu_load *load = &loads[order[begin]];
        *load = no_load;
        for (end = begin; end < count && share_cpu(sample, first, &sample->workers[order[end]]); end++)
            if (first->cpu_asked >= 0) load_add(load, &sample->workers[order[end]]);
        for (int i = begin; i < end && first->cpu_asked >= 0; i++) load_hold(load, &sample->workers[order[i]]);
    }
    free(order);
    return loads;
}

bool sample_cpu_load_of(const struct sample *sample, const struct cpu_load *loads, int index, struct cpu_load *load_p)
{
    if (!loads) return sample_cpu_load(sample, index, load_p);
    if (loads[index].workers == 0) return false;
    *load_p = loads[index];
    return true;
}

static void sum_workers(struct sample *sample)
{
    sample->cpu_s = sample->wait_s = sample->comm_s = 0;
    sample->voluntary = sample->involuntary = 0;
    sample->placed_as_asked = true;
    double task_s = 0;
    for (int i = 0; i < sample->worker_count; i++) {
        const struct worker_times *worker = &sample->workers[i];
        sample->cpu_s += worker_cpu_s(worker);
        sample->wait_s += worker->wait_s;
        sample->comm_s += worker->comm_s;
        task_s += worker->end_s - worker->start_s;
        bool counted = worker->voluntary >= 0 && worker->involuntary >= 0 && sample->voluntary >= 0;
        sample->voluntary = counted ? sample->voluntary + worker->voluntary : -1;
        sample->involuntary = counted ? sample->involuntary + worker->involuntary : -1;
        if (!worker_placed_as_asked(worker)) sample->placed_as_asked = false;
    }
    sample->concurrency = sample->wall_s > 0 ? task_s / sample->wall_s : NAN;
    sample->parallelism = sample->wall_s > 0 ? sample->cpu_s / sample->wall_s : NAN;
    sample->rate = sample->wall_s > 0 ? sample->work / sample->wall_s : NAN;
}

static void sum_cpus(struct sample *sample)
{
    struct cpu_load load, *loads = sample_cpu_loads(sample);
    sample->steal_s = sample->foreign_cpu_s = sample->worker_count > 0 ? 0 : NAN;
    for (int i = 0; i < sample->worker_count; i++) {
        if (sample->workers[i].cpu_asked < 0) sample->steal_s = sample->foreign_cpu_s = NAN;
        if (!sample_cpu_load_of(sample, loads, i, &load)) continue;
        sample->steal_s += load.steal_s;
        sample->foreign_cpu_s += isnan(load.busy_s) ? NAN : fmax(load.busy_s - load.own_s, 0);
    }
    free(loads);
}

static void list_unobserved(struct sample *sample)
{
    const struct {
        bool unobserved;
        const char *reason;
    } table[] = {
        {isnan(sample->wait_s), "wait_s: /proc/thread-self/schedstat could not be read"},
        {sample->voluntary < 0, "switches: getrusage does not count them"},
        {isnan(sample->steal_s), "steal_s: not all CPUs found in /proc/stat"},
        {isnan(sample->foreign_cpu_s), "foreign_cpu_s: not all CPUs found in /proc/stat"},
        {isnan(sample->throttled_s), "throttled_s: no control group tells it"},
    };
    size_t used = 0;
    sample->unobserved[0] = '\0';
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (!table[i].unobserved || used >= sizeof sample->unobserved) continue;
        used += (size_t)snprintf(sample->unobserved + used, sizeof sample->unobserved - used, "%s%s",
                                 used > 0 ? "; " : "", table[i].reason);
    }
}

void sample_derive(struct sample *sample)
{
    if (sample->config.command.word_count > 0) {
        sample->rate = sample->wall_s > 0 ? sample->work / sample->wall_s : NAN;
        return;
    }
    sum_workers(sample);
    sum_cpus(sample);
    list_unobserved(sample);
}
