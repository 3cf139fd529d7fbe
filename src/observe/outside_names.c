#include "outside.h"

#include <stdlib.h>
#include <string.h>

static const double WORKED_SHARE = 0.05;

static double active_s(const struct timeline_task *task)
{
    double sum_s = 0;
    for (int i = 0; i < task->span_count; i++)
        if (task->spans[i].state != SPAN_BLOCKED) sum_s += task->spans[i].end_s - task->spans[i].begin_s;
    return sum_s;
}

/* The least activity of a worker. */
static double find_least_s(const struct timeline *timeline, int workers)
{
    double least_s = WORKED_SHARE * timeline->length_s, longest_s = 0;
    for (int i = 0; i < timeline->task_count; i++) {
        double own_s = active_s(&timeline->tasks[i]);
        if (own_s > longest_s) longest_s = own_s;
    }
    if (longest_s >= least_s) return least_s;
    /* The workers-th longest, by going down. */
    for (int taken = 0; longest_s > 0 && taken < workers;) {
        double next_s = 0;
        least_s = longest_s;
        for (int i = 0; i < timeline->task_count; i++) {
            double own_s = active_s(&timeline->tasks[i]);
            taken += own_s >= longest_s && own_s <= longest_s;
            if (own_s < longest_s && own_s > next_s) next_s = own_s;
        }
        longest_s = next_s;
    }
    return least_s;
}

static double begin_of(const struct timeline_task *task)
{
    return task->span_count > 0 ? task->spans[0].begin_s : 0;
}

static int compare_processes(const void *left, const void *right)
{
    const struct timeline_task *a = left, *b = right;
    if (a->pid != b->pid) return a->pid < b->pid ? -1 : 1;
    double begin_a = begin_of(a), begin_b = begin_of(b);
    if (begin_a < begin_b || begin_a > begin_b) return begin_a < begin_b ? -1 : 1;
    return (a->tid > b->tid) - (a->tid < b->tid);
}

static int compare_places(const void *left, const void *right)
{
    const struct timeline_task *a = left, *b = right;
    if ((a->rank < 0) != (b->rank < 0)) return a->rank < 0 ? 1 : -1;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->thread != b->thread) return a->thread < b->thread ? -1 : 1;
    double begin_a = begin_of(a), begin_b = begin_of(b);
    if (begin_a < begin_b || begin_a > begin_b) return begin_a < begin_b ? -1 : 1;
    return (a->tid > b->tid) - (a->tid < b->tid);
}

/* Processes in the order of their numbers, which is that in which they were made, unless the numbers began anew. */
void outside_name_tasks(const struct mode *mode, struct timeline *timeline)
{
    struct timeline_task *tasks = timeline->tasks;
    int count = timeline->task_count, workers = 0, processes = 0, threads = 0;
    double least_s = find_least_s(timeline, mode_workers(mode));
    if (count == 0) return;
    qsort(tasks, (size_t)count, sizeof *tasks, compare_processes);
    pid_t last = -1;
    for (int i = 0; i < count; i++) {
        tasks[i].rank = tasks[i].thread = -1;
        double own_s = active_s(&tasks[i]);
        if (!(own_s > 0 && own_s >= least_s)) continue;
        if (tasks[i].pid != last) {
            processes++;
            threads = 0;
        }
        last = tasks[i].pid;
        /* What the mode calls them: threads, ranks, or both. */
        tasks[i].rank = mode->ranks == 1 ? 0 : mode->threads == 1 ? workers : processes - 1;
        tasks[i].thread = mode->ranks == 1 ? workers : mode->threads == 1 ? 0 : threads;
        threads++;
        workers++;
    }
    qsort(tasks, (size_t)count, sizeof *tasks, compare_places);
}
