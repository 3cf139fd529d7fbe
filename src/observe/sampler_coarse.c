/* Without an account of turns and waits only this is known: whether a task could run, on which CPU, and its CPU time in
 * steps of a clock tick. A task that is the only one of the run that could run on its CPU is taken to run. Of several
 * the one runs whose CPU time rises next, so that sums are right within some ticks; the others are ready.
 * Error: the longest time from one rise to the next of a task that shared its CPU, as it ran some time within it.
 * Cost: moments at which something changed, times tasks.
 */
#include "sampler_build.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* One task's place in its sightings, and what is known of it there. */
struct place {
    const struct sampled_task *task;
    struct timeline_task *shown;
    int at;                 /* sighting; -1: not there */
    double risen_s, rise_s; /* when its CPU time moved last, and moves next */
};

struct edges {
    int count;
    double *list;
};

/* A change between two looks is told in the middle. */
static double change_s(const struct sampled_task *task, int sighting)
{
    if (sighting == 0) return sampled_begin_s(task);
    if (sighting == task->count) return sampled_end_s(task);
    return 0.5 * (task->sightings[sighting - 1].last_s + task->sightings[sighting].first_s);
}

static int compare_edges(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static int find_edges(int count, const struct sampled_task tasks[], struct edges *edges_p)
{
    size_t room = 0;
    for (int i = 0; i < count; i++) room += (size_t)tasks[i].count + 1;
    double *list = malloc(room * sizeof *list + 1);
    if (!list) return -ENOMEM;
    int found = 0;
    for (int i = 0; i < count; i++)
        for (int s = 0; tasks[i].count > 0 && s <= tasks[i].count; s++) list[found++] = change_s(&tasks[i], s);
    if (found > 0) qsort(list, (size_t)found, sizeof *list, compare_edges);
    *edges_p = (struct edges){found, list};
    return 0;
}

static void move_place(struct place *place, double now_s)
{
    const struct sampled_task *task = place->task;
    if (task->count == 0 || place->at == task->count) return;
    int at = place->at;
    while (at < task->count && change_s(task, at + 1) <= now_s) at++;
    if (at == place->at) return;
    if (place->at < 0) place->risen_s = sampled_begin_s(task);
    for (int s = place->at < 0 ? 1 : place->at + 1; s <= at && s < task->count; s++)
        if (task->sightings[s].ran_ns > task->sightings[s - 1].ran_ns) place->risen_s = change_s(task, s);
    place->at = at;
    if (at == task->count) return;
    int next = at + 1;
    while (next < task->count && task->sightings[next].ran_ns <= task->sightings[at].ran_ns) next++;
    place->rise_s = next < task->count ? change_s(task, next) : INFINITY;
}

static bool could_run(const struct place *place)
{
    return place->at >= 0 && place->at < place->task->count && place->task->sightings[place->at].runnable;
}

/* Whether another one has the CPU. */
static bool is_ready(int count, const struct place places[], int which, double *error_s)
{
    const struct place *own = &places[which];
    int cpu = own->task->sightings[own->at].cpu;
    bool ready = false;
    for (int i = 0; i < count; i++) {
        if (i == which || !could_run(&places[i]) || places[i].task->sightings[places[i].at].cpu != cpu) continue;
        double rise_s = fmin(own->rise_s, sampled_end_s(own->task));
        *error_s = fmax(*error_s, rise_s - own->risen_s);
        if (places[i].rise_s < own->rise_s || (!(places[i].rise_s > own->rise_s) && i < which)) ready = true;
    }
    return ready;
}

static int tell_piece(int count, const struct place places[], double origin_s, double begin_s, double end_s,
                      double *error_s)
{
    for (int i = 0; i < count; i++) {
        const struct place *place = &places[i];
        if (place->at < 0 || place->at >= place->task->count) continue;
        struct timeline_span span = {begin_s - origin_s, end_s - origin_s, SPAN_BLOCKED, -1};
        if (could_run(place)) {
            span.state = is_ready(count, places, i, error_s) ? SPAN_READY : SPAN_RUNNING;
            if (span.state == SPAN_RUNNING) span.cpu = place->task->sightings[place->at].cpu;
        }
        if (timeline_add_span(place->shown, &span) < 0) return -ENOMEM;
    }
    return 0;
}

static int add_tasks(int count, const struct sampled_task tasks[], struct place places[], struct timeline *timeline)
{
    for (int i = 0; i < count; i++) {
        if (tasks[i].count == 0) continue;
        const struct timeline_task described = sampled_describe(&tasks[i]);
        if (timeline_add_task(timeline, &described) < 0) return -ENOMEM;
    }
    for (int i = 0, shown = 0; i < count; i++) {
        places[i] = (struct place){.task = &tasks[i], .at = -1};
        if (tasks[i].count > 0) places[i].shown = &timeline->tasks[shown++];
    }
    return 0;
}

int sampler_build_coarse(double start_s, int count, const struct sampled_task tasks[], struct timeline *timeline_p,
                         double *error_s_p)
{
    struct edges edges = {0, NULL};
    double error_s = sampled_longest_gap_s(count, tasks);
    struct place *places = calloc((size_t)count + 1, sizeof *places);
    int status = places ? find_edges(count, tasks, &edges) : -ENOMEM;
    if (status == 0) status = add_tasks(count, tasks, places, timeline_p);
    for (int i = 0; i + 1 < edges.count && status == 0; i++) {
        if (!(edges.list[i + 1] > edges.list[i])) continue;
        for (int t = 0; t < count; t++) move_place(&places[t], edges.list[i]);
        status = tell_piece(count, places, start_s, fmax(start_s, edges.list[i]), edges.list[i + 1], &error_s);
    }
    *error_s_p = error_s;
    free(edges.list);
    free(places);
    return status;
}
