/* Without an account of turns and waits only this is known: whether a task could run, on which CPU, and its CPU time in
 * steps of a clock tick. A task that is the only one of the run that could run on its CPU is taken to run. Where
 * several could, each is to run as long as its CPU time rises next, until then: the one whose rise comes first goes
 * first (earliest deadline first, which finds a schedule where there is one). The others are ready. Error: the longest
 * time from one rise to the next of a task that shared its CPU, as it ran some time within it. Cost: moments at which
 * something changed, times the square of tasks that share a CPU.
 */
#include "sampler_build.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Less than that is nothing. */
static const double due_min_s = 1e-6;

/* One task's place in its sightings, and what is known of it there. */
struct place {
    const struct sampled_task *task;
    struct timeline_task *shown;
    int at;                 /* sighting; -1: not there */
    double risen_s, rise_s; /* when its CPU time moved last, and moves next (never: INFINITY) */
    double due_s;           /* how long it is still to run until then */
    bool runs;
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
    double rise_s = next < task->count ? change_s(task, next) : INFINITY;
    if (rise_s > place->rise_s || place->rise_s <= 0)
        place->due_s =
            next < task->count ? 1e-9 * (double)(task->sightings[next].ran_ns - task->sightings[at].ran_ns) : INFINITY;
    place->rise_s = rise_s;
}

static bool could_run(const struct place *place)
{
    return place->at >= 0 && place->at < place->task->count && place->task->sightings[place->at].runnable;
}

/* Which of two goes first. */
static bool goes_before(const struct place *a, const struct place *b)
{
    bool due_a = a->due_s > due_min_s, due_b = b->due_s > due_min_s;
    if (due_a != due_b) return due_a;
    if (a->rise_s < b->rise_s || a->rise_s > b->rise_s) return a->rise_s < b->rise_s;
    return a < b;
}

/* Decides who runs now; returns for how long that holds at most. */
static double choose(int count, struct place places[], double *error_s)
{
    double holds_s = INFINITY;
    for (int i = 0; i < count; i++) {
        struct place *own = &places[i];
        own->runs = could_run(own);
        bool shares = false;
        for (int k = 0; k < count && could_run(own); k++) {
            const struct place *other = &places[k];
            if (k == i || !could_run(other)) continue;
            if (other->task->sightings[other->at].cpu != own->task->sightings[own->at].cpu) continue;
            shares = true;
            if (goes_before(other, own)) own->runs = false;
        }
        if (shares) *error_s = fmax(*error_s, fmin(own->rise_s, sampled_end_s(own->task)) - own->risen_s);
        if (shares && own->runs && own->due_s > due_min_s) holds_s = fmin(holds_s, own->due_s);
    }
    return holds_s;
}

static int tell_piece(int count, struct place places[], double origin_s, double begin_s, double end_s)
{
    for (int i = 0; i < count; i++) {
        struct place *place = &places[i];
        if (place->at < 0 || place->at >= place->task->count) continue;
        struct timeline_span span = {begin_s - origin_s, end_s - origin_s, SPAN_BLOCKED, -1};
        if (could_run(place)) span.state = place->runs ? SPAN_RUNNING : SPAN_READY;
        if (place->runs) {
            span.cpu = place->task->sightings[place->at].cpu;
            place->due_s = fmax(0, place->due_s - (end_s - begin_s));
        }
        if (timeline_add_span(place->shown, &span) < 0) return -ENOMEM;
    }
    return 0;
}

/* Between two moments at which something changed. */
static int tell_between(int count, struct place places[], double origin_s, double begin_s, double end_s,
                        double *error_s)
{
    int status = 0;
    for (double at_s = fmax(origin_s, begin_s); at_s < end_s && status == 0;) {
        double until_s = fmin(end_s, at_s + choose(count, places, error_s));
        status = tell_piece(count, places, origin_s, at_s, until_s);
        at_s = until_s;
    }
    return status;
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
        status = tell_between(count, places, start_s, edges.list[i], edges.list[i + 1], &error_s);
    }
    *error_s_p = error_s;
    free(edges.list);
    free(places);
    return status;
}
