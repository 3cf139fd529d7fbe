/* One pass over all instants at which a task begins or ends to run or to be ready, in the order of time, which costs
 * n log n of n spans. Between two of them A tasks are active and R run, so min(A, P) places are active; the times are
 * added up by that number, and place i has those of all numbers over i.
 *
 * Held. A task that lost its core and could go on waits in that core's queue, and the scheduler leaves no core idle
 * that has a task queued: while none of ours runs there, another's does. Where a new or woken task waits is not told,
 * so such waits are left out; what is found is a lower bound. A gap as short as a switch between two tasks is one.
 */
#include "outside_sweep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const double SWITCH_S = 5e-6;

struct edge {
    double time_s;
    int cpu; /* index into the window's; -1: another, or not known */
    signed char step;
    bool running;
};

struct held_cpu {
    int ready, running;
    double since_s, held_s; /* since_s: NAN while one of ours runs, or none is ready */
};

struct level {
    double wall_s, cpu_s, first_s, last_s;
};

static int compare_edges(const void *left, const void *right)
{
    double a = ((const struct edge *)left)->time_s, b = ((const struct edge *)right)->time_s;
    return (a > b) - (a < b);
}

static int index_of(const struct sweep_window *window, int cpu)
{
    for (int i = 0; i < window->cpu_count; i++)
        if (window->cpus[i] == cpu) return i;
    return -1;
}

static size_t add_edges(const struct timeline_task *task, const struct sweep_window *window, size_t used,
                        struct edge edges[])
{
    int last_cpu = -1;
    for (int i = 0; i < task->span_count; i++) {
        const struct timeline_span *span = &task->spans[i];
        double begin_s = fmax(span->begin_s, window->begin_s), end_s = fmin(span->end_s, window->end_s);
        bool running = span->state == SPAN_RUNNING;
        if (running)
            last_cpu = index_of(window, span->cpu);
        else if (span->state == SPAN_BLOCKED)
            last_cpu = -1;
        if (span->state == SPAN_BLOCKED || !(end_s > begin_s)) continue;
        edges[used++] = (struct edge){begin_s - window->begin_s, last_cpu, 1, running};
        edges[used++] = (struct edge){end_s - window->begin_s, last_cpu, -1, running};
    }
    return used;
}

static void step_cpu(struct held_cpu *cpu, const struct edge *edge)
{
    *(edge->running ? &cpu->running : &cpu->ready) += edge->step;
    bool held = cpu->ready > 0 && cpu->running == 0;
    if (held && isnan(cpu->since_s)) cpu->since_s = edge->time_s;
    if (held || isnan(cpu->since_s)) return;
    if (edge->time_s - cpu->since_s > SWITCH_S) cpu->held_s += edge->time_s - cpu->since_s;
    cpu->since_s = NAN;
}

/* levels[n]: while n places were active. */
static void walk_edges(size_t count, const struct edge edges[], int place_count, struct level levels[],
                       struct held_cpu cpus[])
{
    int active = 0, running = 0;
    double since_s = 0;
    for (size_t i = 0; i < count; i++) {
        const struct edge *edge = &edges[i];
        int places = active < place_count ? active : place_count;
        struct level *level = &levels[places];
        double passed_s = edge->time_s - since_s;
        if (places > 0 && passed_s > 0) {
            level->wall_s += passed_s;
            level->cpu_s += passed_s * running / places;
            level->first_s = fmin(level->first_s, since_s);
            level->last_s = edge->time_s;
        }
        active += edge->step;
        if (edge->running) running += edge->step;
        if (edge->cpu >= 0) step_cpu(&cpus[edge->cpu], edge);
        since_s = edge->time_s;
    }
}

static void fill_places(int place_count, const struct level levels[], struct sweep_place places_p[])
{
    struct level above = {.first_s = INFINITY};
    for (int i = place_count - 1; i >= 0; i--) {
        const struct level *level = &levels[i + 1];
        above.wall_s += level->wall_s;
        above.cpu_s += level->cpu_s;
        above.first_s = fmin(above.first_s, level->first_s);
        above.last_s = fmax(above.last_s, level->last_s);
        places_p[i] =
            (struct sweep_place){above.wall_s, above.cpu_s, above.wall_s > 0 ? above.first_s : 0, above.last_s};
    }
}

int sweep_timeline(const struct timeline *timeline, const struct sweep_window *window, int place_count,
                   struct sweep_place places_p[], double *held_p)
{
    size_t spans = 0, used = 0;
    for (int i = 0; i < timeline->task_count; i++) spans += (size_t)timeline->tasks[i].span_count;
    struct edge *edges = malloc((2 * spans + 1) * sizeof *edges);
    struct level *levels = calloc((size_t)place_count + 1, sizeof *levels);
    struct held_cpu *cpus = calloc((size_t)window->cpu_count + 1, sizeof *cpus);
    int status = edges && levels && cpus ? 0 : -ENOMEM;
    if (status) goto release;
    for (int i = 0; i <= place_count; i++) levels[i].first_s = INFINITY;
    for (int i = 0; i < window->cpu_count; i++) cpus[i].since_s = NAN;
    for (int i = 0; i < timeline->task_count; i++) used = add_edges(&timeline->tasks[i], window, used, edges);
    qsort(edges, used, sizeof *edges, compare_edges);
    walk_edges(used, edges, place_count, levels, cpus);
    fill_places(place_count, levels, places_p);
    *held_p = window->cpu_count > 0 ? 0 : NAN;
    for (int i = 0; i < window->cpu_count; i++) *held_p = fmax(*held_p, cpus[i].held_s);
release:
    free(edges);
    free(levels);
    free(cpus);
    return status;
}
