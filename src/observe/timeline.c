/* A timeline as data: storage, cutting, and the order of its tasks. */
#include "timeline.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tiers[TIMELINE_TIERS] = {[TIMELINE_EXACT] = "exact", [TIMELINE_SAMPLED] = "sampled"};

const char *timeline_tier_text(enum timeline_tier tier)
{
    return tiers[tier];
}

int timeline_tier_parse(const char *text, enum timeline_tier *tier_p)
{
    for (int i = 0; i < TIMELINE_TIERS; i++)
        if (strcmp(text, tiers[i]) == 0) {
            *tier_p = (enum timeline_tier)i;
            return 0;
        }
    return -1;
}

void timeline_init(struct timeline *timeline)
{
    *timeline = (struct timeline){.tier = TIMELINE_EXACT};
}

void timeline_release(struct timeline *timeline)
{
    for (int i = 0; i < timeline->task_count; i++) free(timeline->tasks[i].spans);
    free(timeline->tasks);
    free(timeline->cpus);
    timeline_init(timeline);
}

/* Room for one more in an array that doubles: its capacity is the power of two that holds the count. */
static void *grown(void *array, int count, size_t size)
{
    if (count > 0 && (count & (count - 1)) != 0) return array;
    return realloc(array, (count > 0 ? 2 * (size_t)count : 1) * size);
}

int timeline_add_task(struct timeline *timeline, const struct timeline_task *task)
{
    struct timeline_task *tasks = grown(timeline->tasks, timeline->task_count, sizeof *tasks);
    if (!tasks) return -ENOMEM;
    timeline->tasks = tasks;
    tasks[timeline->task_count] = *task;
    tasks[timeline->task_count].span_count = 0;
    tasks[timeline->task_count++].spans = NULL;
    return 0;
}

int timeline_add_span(struct timeline_task *task, const struct timeline_span *span)
{
    if (!(span->end_s > span->begin_s)) return 0;
    struct timeline_span *last = task->span_count > 0 ? &task->spans[task->span_count - 1] : NULL;
    if (last && last->state == span->state && last->cpu == span->cpu) {
        last->end_s = span->end_s;
        return 0;
    }
    struct timeline_span *spans = grown(task->spans, task->span_count, sizeof *spans);
    if (!spans) return -ENOMEM;
    task->spans = spans;
    spans[task->span_count++] = *span;
    return 0;
}

int timeline_add_cpu(struct timeline *timeline, int cpu, double busy_s)
{
    struct timeline_cpu *cpus = grown(timeline->cpus, timeline->cpu_count, sizeof *cpus);
    if (!cpus) return -ENOMEM;
    timeline->cpus = cpus;
    cpus[timeline->cpu_count++] = (struct timeline_cpu){cpu, busy_s};
    return 0;
}

/* In place. What is left is fewer, so the array still has the room that `grown` counts on, or more. */
static void cut_task(struct timeline_task *task, double begin_s, double end_s)
{
    int kept = 0;
    for (int i = 0; i < task->span_count; i++) {
        struct timeline_span span = task->spans[i];
        span.begin_s = fmax(span.begin_s, begin_s) - begin_s;
        span.end_s = fmin(span.end_s, end_s) - begin_s;
        if (span.end_s > span.begin_s) task->spans[kept++] = span;
    }
    task->span_count = kept;
}

void timeline_cut(struct timeline *timeline, double begin_s, double end_s)
{
    int kept = 0;
    for (int i = 0; i < timeline->task_count; i++) {
        struct timeline_task *task = &timeline->tasks[i];
        cut_task(task, begin_s, end_s);
        if (task->span_count > 0)
            timeline->tasks[kept++] = *task;
        else
            free(task->spans);
    }
    timeline->task_count = kept;
    timeline->start_s += begin_s;
    timeline->length_s = fmax(0, fmin(end_s, timeline->length_s) - begin_s);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The instant before which so many spans end. No memory: the same share of the time. */
static double find_limit(const struct timeline *timeline, size_t count, int spans_max)
{
    double *ends_s = malloc(count * sizeof *ends_s), limit_s = timeline->length_s * spans_max / (double)count;
    size_t used = 0;
    for (int i = 0; i < timeline->task_count && ends_s; i++)
        for (int k = 0; k < timeline->tasks[i].span_count; k++) ends_s[used++] = timeline->tasks[i].spans[k].end_s;
    if (ends_s) {
        qsort(ends_s, used, sizeof *ends_s, compare_doubles);
        limit_s = ends_s[spans_max];
    }
    free(ends_s);
    return limit_s;
}

void timeline_limit(struct timeline *timeline, int spans_max)
{
    size_t count = 0;
    for (int i = 0; i < timeline->task_count; i++) count += (size_t)timeline->tasks[i].span_count;
    if (count <= (size_t)spans_max) return;
    double whole_s = timeline->length_s, limit_s = find_limit(timeline, count, spans_max);
    timeline_cut(timeline, 0, limit_s);
    snprintf(timeline->incomplete, sizeof timeline->incomplete,
             "only the first %.3g s of %.3g s are kept: tasks changed state %zu times, and %d are kept", limit_s,
             whole_s, count, spans_max);
}

/* qsort is not stable: tasks that are equal otherwise go by their numbers. */
static int compare_tasks(const void *left, const void *right)
{
    const struct timeline_task *a = left, *b = right;
    if ((a->rank < 0) != (b->rank < 0)) return a->rank < 0 ? 1 : -1;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->thread != b->thread) return a->thread < b->thread ? -1 : 1;
    double begin_a = a->span_count > 0 ? a->spans[0].begin_s : 0, begin_b = b->span_count > 0 ? b->spans[0].begin_s : 0;
    if (begin_a < begin_b || begin_a > begin_b) return begin_a < begin_b ? -1 : 1;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static void sort_tasks(struct timeline *timeline)
{
    if (timeline->task_count > 1)
        qsort(timeline->tasks, (size_t)timeline->task_count, sizeof *timeline->tasks, compare_tasks);
}

void timeline_name_workers(struct timeline *timeline, int count, const struct worker_times workers[])
{
    for (int i = 0; i < timeline->task_count; i++) {
        struct timeline_task *task = &timeline->tasks[i];
        task->rank = task->thread = -1;
        task->accounted_wait_s = NAN;
        task->voluntary = task->involuntary = -1;
        for (int w = 0; w < count; w++) {
            if (workers[w].tid != task->tid || strcmp(workers[w].host, timeline->host) != 0) continue;
            task->rank = workers[w].rank;
            task->thread = workers[w].thread;
            task->accounted_wait_s = workers[w].wait_s;
            task->voluntary = workers[w].voluntary;
            task->involuntary = workers[w].involuntary;
        }
    }
    sort_tasks(timeline);
}

static double active_s(const struct timeline_task *task)
{
    double sum_s = 0;
    for (int i = 0; i < task->span_count; i++)
        if (task->spans[i].state != SPAN_BLOCKED) sum_s += task->spans[i].end_s - task->spans[i].begin_s;
    return sum_s;
}

void timeline_name_busiest(struct timeline *timeline, int most)
{
    int named = 0;
    bool one_process = true;
    const struct timeline_task *first = NULL;
    for (int i = 0; i < timeline->task_count; i++) timeline->tasks[i].rank = timeline->tasks[i].thread = -1;
    for (; named < most; named++) {
        struct timeline_task *busiest = NULL;
        double busiest_s = 0;
        for (int i = 0; i < timeline->task_count; i++) {
            double own_s = timeline->tasks[i].rank < 0 ? active_s(&timeline->tasks[i]) : 0;
            if (own_s > busiest_s) busiest = &timeline->tasks[i], busiest_s = own_s;
        }
        if (!busiest) break;
        busiest->rank = 0;
        if (!first) first = busiest;
        one_process = one_process && first->pid == busiest->pid;
    }
    for (int i = 0, number = 0; i < timeline->task_count; i++) {
        struct timeline_task *task = &timeline->tasks[i];
        if (task->rank < 0) continue;
        task->rank = one_process ? 0 : number;
        task->thread = one_process ? number : 0;
        task->accounted_wait_s = NAN;
        task->voluntary = task->involuntary = -1;
        number++;
    }
    sort_tasks(timeline);
}

int timeline_unite_cpu(struct timeline *timeline, int cpu, double busy_s)
{
    int at = 0;
    while (at < timeline->cpu_count && timeline->cpus[at].cpu < cpu) at++;
    if (at < timeline->cpu_count && timeline->cpus[at].cpu == cpu) {
        timeline->cpus[at].busy_s = fmax(timeline->cpus[at].busy_s, busy_s); /* fmax(NAN, x) is x */
        return 0;
    }
    int status = timeline_add_cpu(timeline, cpu, busy_s);
    if (status) return status;
    memmove(&timeline->cpus[at + 1], &timeline->cpus[at],
            (size_t)(timeline->cpu_count - 1 - at) * sizeof *timeline->cpus);
    timeline->cpus[at] = (struct timeline_cpu){cpu, busy_s};
    return 0;
}

/* Both are cut to the time that both have. */
static void cut_to_common_time(struct timeline *timeline, struct timeline *other)
{
    double begin_s = fmax(timeline->start_s, other->start_s);
    double end_s = fmin(timeline->start_s + timeline->length_s, other->start_s + other->length_s);
    timeline_cut(timeline, begin_s - timeline->start_s, end_s - timeline->start_s);
    timeline_cut(other, begin_s - other->start_s, end_s - other->start_s);
    other->start_s = timeline->start_s = begin_s;
}

int timeline_merge(struct timeline *timeline, struct timeline *other)
{
    int status = 0;
    if (!timeline->incomplete[0]) memcpy(timeline->incomplete, other->incomplete, sizeof timeline->incomplete);
    if (!timeline->degraded[0]) memcpy(timeline->degraded, other->degraded, sizeof timeline->degraded);
    if (other->tier > timeline->tier) timeline->tier = other->tier;
    timeline->error_s = fmax(timeline->error_s, other->error_s);
    for (int i = 0; i < other->cpu_count && !status; i++)
        status = timeline_unite_cpu(timeline, other->cpus[i].cpu, other->cpus[i].busy_s);
    if (!(other->length_s > 0)) return status;
    if (timeline->length_s > 0) {
        cut_to_common_time(timeline, other);
    } else {
        timeline->start_s = other->start_s;
        timeline->length_s = other->length_s;
    }
    for (int i = 0; i < other->task_count && !status; i++) {
        status = timeline_add_task(timeline, &other->tasks[i]);
        if (status) break;
        struct timeline_task *task = &timeline->tasks[timeline->task_count - 1];
        task->spans = other->tasks[i].spans;
        task->span_count = other->tasks[i].span_count;
        other->tasks[i].spans = NULL;
        other->tasks[i].span_count = 0;
    }
    sort_tasks(timeline);
    return status;
}
