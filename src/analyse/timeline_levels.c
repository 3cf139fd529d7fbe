/* How many workers are in each state. A span adds to the columns that it touches, so columns cost O(spans + workers x
 * columns). Steps are the sorted instants at which a span begins or ends: O(n log n). */
#include "timeline_summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static double *level_of(struct timeline_level *level, bool worker, enum span_state state)
{
    if (!worker) return state == SPAN_RUNNING ? &level->others_running : NULL;
    return state == SPAN_RUNNING ? &level->running : state == SPAN_READY ? &level->ready : &level->blocked;
}

void timeline_levels(const struct timeline_view *view, double begin_s, double end_s, int count,
                     struct timeline_level levels_p[])
{
    double column_s = (end_s - begin_s) / count;
    for (int c = 0; c < count; c++) levels_p[c] = (struct timeline_level){0};
    if (!(column_s > 0)) return;
    for (int t = 0; t < view->task_count; t++)
        for (int s = view->tasks[t].first_span; s < view->tasks[t].end_span; s++) {
            struct timeline_span span = timeline_view_span(view, t, s);
            double from = fmax((span.begin_s - begin_s) / column_s, 0), to = (span.end_s - begin_s) / column_s;
            for (int c = from < count ? (int)from : count; c < count && c < to; c++) {
                double *level = level_of(&levels_p[c], t < view->worker_count, span.state);
                if (level) *level += fmax(fmin(to, c + 1) - fmax(from, c), 0);
            }
        }
}

struct change {
    double at_s;
    enum span_state state;
    int by;
};

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    return (a->at_s > b->at_s) - (a->at_s < b->at_s);
}

static size_t find_changes(const struct timeline_view *view, struct change changes[])
{
    size_t count = 0;
    for (int t = 0; t < view->worker_count; t++)
        for (int s = view->tasks[t].first_span; s < view->tasks[t].end_span; s++) {
            struct timeline_span span = timeline_view_span(view, t, s);
            if (!(span.end_s > span.begin_s)) continue;
            changes[count++] = (struct change){span.begin_s, span.state, 1};
            changes[count++] = (struct change){span.end_s, span.state, -1};
        }
    qsort(changes, count, sizeof *changes, compare_changes);
    return count;
}

int timeline_steps(const struct timeline_view *view, int *count_p, struct timeline_step **steps_p)
{
    size_t most = 0;
    for (int t = 0; t < view->worker_count; t++)
        most += 2 * (size_t)(view->tasks[t].end_span - view->tasks[t].first_span);
    struct change *changes = malloc((most + 1) * sizeof *changes);
    struct timeline_step *steps = malloc((most + 1) * sizeof *steps);
    if (!changes || !steps) {
        free(changes);
        free(steps);
        return -ENOMEM;
    }
    size_t changed = find_changes(view, changes);
    int count = 1;
    steps[0] = (struct timeline_step){view->begin_s, 0, 0, 0};
    for (size_t i = 0; i < changed; i++) {
        if (changes[i].at_s > steps[count - 1].at_s) {
            steps[count] = steps[count - 1];
            steps[count++].at_s = changes[i].at_s;
        }
        struct timeline_step *step = &steps[count - 1];
        *(changes[i].state == SPAN_RUNNING ? &step->running
          : changes[i].state == SPAN_READY ? &step->ready
                                           : &step->blocked) += changes[i].by;
    }
    free(changes);
    *count_p = count;
    *steps_p = steps;
    return 0;
}
