/* One axis for all hosts: time 0 is the earliest start. Spans stay where they are, and are cut to the view when they
 * are read; what ran is copied, and sorted by host, CPU and time: O(n log n). */
#include "timeline_view.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Nobody watches switches for eleven days: what says so is no time. */
static const double time_most_s = 1e6;

static double usable_length(const struct timeline *timeline)
{
    return timeline->length_s > 0 && timeline->length_s <= time_most_s ? timeline->length_s : 0;
}

/* Clocks that cannot be compared are taken to start together. */
static double find_offset(const struct timeline_view *view, const struct timeline *timeline)
{
    double first_s = INFINITY;
    for (int h = 0; h < view->host_count; h++) first_s = fmin(first_s, view->hosts[h]->timeline.start_s);
    double offset_s = timeline->start_s - first_s;
    return offset_s >= 0 && offset_s <= time_most_s ? offset_s : 0;
}

static void find_part(struct timeline_view *view, double begin_s, double end_s)
{
    for (int h = 0; h < view->host_count; h++) {
        const struct timeline *timeline = &view->hosts[h]->timeline;
        view->length_s = fmax(view->length_s, find_offset(view, timeline) + usable_length(timeline));
    }
    view->begin_s = begin_s > 0 ? fmin(begin_s, view->length_s) : 0;
    view->end_s = end_s < view->length_s ? fmax(end_s, view->begin_s) : view->length_s;
    view->whole = !(view->begin_s > 0) && !(view->end_s < view->length_s);
}

/* By rank and thread, the others behind; what is equal stays in order. */
static int compare_tasks(const void *left, const void *right)
{
    const struct view_task *a = left, *b = right;
    if ((a->task->rank < 0) != (b->task->rank < 0)) return a->task->rank < 0 ? 1 : -1;
    if (a->task->rank >= 0 && a->task->rank != b->task->rank) return a->task->rank < b->task->rank ? -1 : 1;
    if (a->task->rank >= 0 && a->task->thread != b->task->thread) return a->task->thread < b->task->thread ? -1 : 1;
    if (a->host != b->host) return a->host < b->host ? -1 : 1;
    return a->task < b->task ? -1 : a->task > b->task;
}

static int find_tasks(struct timeline_view *view)
{
    size_t most = 1;
    for (int h = 0; h < view->host_count; h++) most += (size_t)view->hosts[h]->timeline.task_count;
    view->tasks = calloc(most, sizeof *view->tasks);
    if (!view->tasks) return -ENOMEM;
    for (int h = 0; h < view->host_count; h++) {
        const struct timeline *timeline = &view->hosts[h]->timeline;
        double offset_s = find_offset(view, timeline), end_s = offset_s + usable_length(timeline);
        for (int t = 0; t < timeline->task_count; t++) {
            struct view_task task = {&timeline->tasks[t], h, offset_s, 0, 0, 0, 0};
            task.low_s = fmax(offset_s, view->begin_s);
            task.high_s = fmin(end_s, view->end_s);
            while (task.first_span < task.task->span_count &&
                   !(task.task->spans[task.first_span].end_s + offset_s > task.low_s))
                task.first_span++;
            task.end_span = task.first_span;
            while (task.end_span < task.task->span_count &&
                   task.task->spans[task.end_span].begin_s + offset_s < task.high_s)
                task.end_span++;
            if (task.end_span > task.first_span) view->tasks[view->task_count++] = task;
        }
    }
    qsort(view->tasks, (size_t)view->task_count, sizeof *view->tasks, compare_tasks);
    while (view->worker_count < view->task_count && view->tasks[view->worker_count].task->rank >= 0)
        view->worker_count++;
    return 0;
}

struct timeline_span timeline_view_span(const struct timeline_view *view, int task, int span)
{
    const struct view_task *own = &view->tasks[task];
    struct timeline_span cut = own->task->spans[span];
    cut.begin_s = fmax(cut.begin_s + own->offset_s, own->low_s);
    cut.end_s = fmin(cut.end_s + own->offset_s, own->high_s);
    return cut;
}

static int compare_runs(const void *left, const void *right)
{
    const struct view_run *a = left, *b = right;
    if (a->host != b->host) return a->host < b->host ? -1 : 1;
    if (a->cpu != b->cpu) return a->cpu < b->cpu ? -1 : 1;
    if (a->begin_s < b->begin_s || a->begin_s > b->begin_s) return a->begin_s < b->begin_s ? -1 : 1;
    return a->task < b->task ? -1 : a->task > b->task;
}

/* A CPU runs one task at a time. Where a coarse observation says otherwise, the first one is believed. */
static void cut_overlaps(struct timeline_view *view)
{
    int kept = 0;
    for (int r = 0; r < view->run_count; r++) {
        struct view_run run = view->runs[r];
        const struct view_run *last = kept > 0 ? &view->runs[kept - 1] : NULL;
        if (last && last->host == run.host && last->cpu == run.cpu) run.begin_s = fmax(run.begin_s, last->end_s);
        if (run.end_s > run.begin_s) view->runs[kept++] = run;
    }
    view->run_count = kept;
}

static int find_runs(struct timeline_view *view)
{
    size_t most = 1;
    for (int t = 0; t < view->task_count; t++) most += (size_t)(view->tasks[t].end_span - view->tasks[t].first_span);
    view->runs = calloc(most, sizeof *view->runs);
    if (!view->runs) return -ENOMEM;
    for (int t = 0; t < view->task_count; t++)
        for (int s = view->tasks[t].first_span; s < view->tasks[t].end_span; s++) {
            struct timeline_span span = timeline_view_span(view, t, s);
            if (span.state != SPAN_RUNNING || !(span.end_s > span.begin_s)) continue;
            view->runs[view->run_count++] =
                (struct view_run){span.begin_s, span.end_s, view->tasks[t].host, span.cpu, t, s};
        }
    qsort(view->runs, (size_t)view->run_count, sizeof *view->runs, compare_runs);
    cut_overlaps(view);
    return 0;
}

/* A CPU that was watched stands before its namesake that was only seen. */
static int compare_cpus(const void *left, const void *right)
{
    const struct view_cpu *a = left, *b = right;
    if (a->host != b->host) return a->host < b->host ? -1 : 1;
    if (a->cpu != b->cpu) return a->cpu < b->cpu ? -1 : 1;
    return b->run_count - a->run_count;
}

/* First all that were watched (marked by a count of 1), and the CPU of each run; then each once. */
static int find_cpus(struct timeline_view *view)
{
    size_t most = (size_t)view->run_count + 1;
    for (int h = 0; h < view->host_count; h++) most += (size_t)view->hosts[h]->timeline.cpu_count;
    view->cpus = calloc(most, sizeof *view->cpus);
    if (!view->cpus) return -ENOMEM;
    int all = 0, kept = 0, run = 0;
    for (int h = 0; h < view->host_count; h++)
        for (int c = 0; c < view->hosts[h]->timeline.cpu_count; c++) {
            const struct timeline_cpu *cpu = &view->hosts[h]->timeline.cpus[c];
            if (cpu->cpu >= 0) view->cpus[all++] = (struct view_cpu){h, cpu->cpu, cpu->busy_s, 0, 0, 0, 1};
        }
    for (int r = 0; r < view->run_count; r++)
        if (r == 0 || view->runs[r].host != view->runs[r - 1].host || view->runs[r].cpu != view->runs[r - 1].cpu)
            view->cpus[all++] = (struct view_cpu){view->runs[r].host, view->runs[r].cpu, NAN, 0, 0, 0, 0};
    qsort(view->cpus, (size_t)all, sizeof *view->cpus, compare_cpus);
    for (int c = 0; c < all; c++) {
        struct view_cpu cpu = view->cpus[c];
        if (kept > 0 && view->cpus[kept - 1].host == cpu.host && view->cpus[kept - 1].cpu == cpu.cpu) continue;
        const struct timeline *timeline = &view->hosts[cpu.host]->timeline;
        double offset_s = find_offset(view, timeline);
        cpu.low_s = fmax(offset_s, view->begin_s);
        cpu.high_s = fmin(offset_s + usable_length(timeline), view->end_s);
        cpu.first_run = run;
        while (run < view->run_count && view->runs[run].host == cpu.host && view->runs[run].cpu == cpu.cpu) run++;
        cpu.run_count = run - cpu.first_run;
        view->cpus[kept++] = cpu;
    }
    view->cpu_count = kept;
    return 0;
}

static int fill(struct timeline_view *view, double begin_s, double end_s)
{
    find_part(view, begin_s, end_s);
    int status = find_tasks(view);
    if (!status) status = find_runs(view);
    if (!status) status = find_cpus(view);
    if (status) timeline_view_release(view);
    return status;
}

int timeline_view_init(int count, const struct timeline_record *const records[], double begin_s, double end_s,
                       struct timeline_view *view_p)
{
    *view_p = (struct timeline_view){.host_count = count};
    view_p->hosts = calloc((size_t)count + 1, sizeof *view_p->hosts);
    if (!view_p->hosts) return -ENOMEM;
    for (int h = 0; h < count; h++) view_p->hosts[h] = records[h];
    return fill(view_p, begin_s, end_s);
}

int timeline_view_of(int count, const struct timeline_record *records, double begin_s, double end_s,
                     struct timeline_view *view_p)
{
    *view_p = (struct timeline_view){.host_count = count};
    view_p->hosts = calloc((size_t)count + 1, sizeof *view_p->hosts);
    if (!view_p->hosts) return -ENOMEM;
    for (int h = 0; h < count; h++) view_p->hosts[h] = &records[h];
    return fill(view_p, begin_s, end_s);
}

void timeline_view_release(struct timeline_view *view)
{
    free(view->cpus);
    free(view->runs);
    free(view->tasks);
    free(view->hosts);
    *view = (struct timeline_view){0};
}

int timeline_host_count(const struct results *results, int first)
{
    const struct timeline_record *record = &results->timelines[first];
    int count = 1;
    while (first + count < results->timeline_count) {
        const struct timeline_record *next = &results->timelines[first + count];
        if (next->launch != record->launch || strcmp(next->study, record->study) || strcmp(next->key, record->key) ||
            strcmp(next->timeline.host, record->timeline.host) == 0)
            break;
        count++;
    }
    return count;
}
