/* From records to tasks. Sorted by task and time, the records of each task are walked once: every record ends the state
 * that was before it. A number that is used again by a later task begins with a record of its start.
 *
 * What comes before a task's first record is told by that record: a task that gets a core had been ready, or blocked
 * (not told: blocked is said, unless the task had just been started), one that loses it had been running.
 */
#include "switches.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one number in the system: the records of a task, or of several one after the other. */
static int compare_events(const void *left, const void *right)
{
    const struct switch_event *a = left, *b = right;
    if (a->tid != b->tid) return a->tid < b->tid ? -1 : 1;
    if (a->time_ns != b->time_ns) return a->time_ns < b->time_ns ? -1 : 1;
    /* At one instant: the kinds are in the order in which they can happen. */
    return (a->kind > b->kind) - (a->kind < b->kind);
}

struct walk {
    struct timeline *timeline;
    const struct switch_names *names;
    int64_t start_ns;
    struct timeline_task *task; /* the one that lives now; NULL */
    enum span_state state;
    int cpu;
    int64_t since_ns;
};

static int walk_begin_task(struct walk *walk, const struct switch_event *event)
{
    struct timeline_task task = {.pid = event->pid,
                                 .tid = event->tid,
                                 .rank = -1,
                                 .thread = -1,
                                 .accounted_wait_s = NAN,
                                 .voluntary = -1,
                                 .involuntary = -1};
    int status = timeline_add_task(walk->timeline, &task);
    if (status) return status;
    walk->task = &walk->timeline->tasks[walk->timeline->task_count - 1];
    walk->since_ns = walk->start_ns;
    walk->cpu = -1;
    walk->state = SPAN_BLOCKED;
    if (event->kind == SWITCH_START) {
        walk->since_ns = event->time_ns;
        walk->state = SPAN_READY;
    } else if (event->kind == SWITCH_OUT_READY || event->kind == SWITCH_OUT_BLOCKED) {
        walk->state = SPAN_RUNNING;
        walk->cpu = event->cpu;
    }
    return 0;
}

/* Ends the present state at this instant. */
static int walk_until(struct walk *walk, int64_t time_ns)
{
    const struct timeline_span span = {.begin_s = 1e-9 * (double)(walk->since_ns - walk->start_ns),
                                       .end_s = 1e-9 * (double)(time_ns - walk->start_ns),
                                       .state = walk->state,
                                       .cpu = walk->state == SPAN_RUNNING ? walk->cpu : -1};
    walk->since_ns = time_ns;
    return timeline_add_span(walk->task, &span);
}

static void take_name(const struct walk *walk, const struct switch_event *event)
{
    if ((int)event->number >= walk->names->count) return;
    snprintf(walk->task->name, sizeof walk->task->name, "%s", walk->names->list[event->number]);
}

static int walk_event(struct walk *walk, const struct switch_event *event)
{
    int status = 0;
    if (walk->task && event->kind == SWITCH_START) {
        status = walk_until(walk, event->time_ns);
        walk->task = NULL;
    }
    if (!walk->task && event->kind == SWITCH_END) return status;
    if (!status && !walk->task) status = walk_begin_task(walk, event);
    if (status || event->kind == SWITCH_START) return status;
    if (event->kind == SWITCH_NAME) {
        take_name(walk, event);
        return 0;
    }
    status = walk_until(walk, event->time_ns);
    walk->cpu = event->cpu;
    switch (event->kind) {
    case SWITCH_IN:
        walk->state = SPAN_RUNNING;
        break;
    case SWITCH_OUT_READY:
        walk->state = SPAN_READY;
        break;
    case SWITCH_OUT_BLOCKED:
        walk->state = SPAN_BLOCKED;
        break;
    default: /* it ended */
        walk->task = NULL;
        break;
    }
    return status;
}

/* A thread that says no name has its process's, which says one when it becomes another program. */
static void inherit_names(struct timeline *timeline)
{
    for (int i = 0; i < timeline->task_count; i++) {
        struct timeline_task *task = &timeline->tasks[i];
        for (int k = 0; k < timeline->task_count && !task->name[0]; k++)
            if (timeline->tasks[k].tid == task->pid) memcpy(task->name, timeline->tasks[k].name, sizeof task->name);
    }
}

int switches_build(int event_count, struct switch_event events[], const struct switch_names *names, int64_t start_ns,
                   int64_t end_ns, struct timeline *timeline_p)
{
    struct walk walk = {.timeline = timeline_p, .names = names, .start_ns = start_ns};
    int status = 0;
    if (event_count > 1) qsort(events, (size_t)event_count, sizeof *events, compare_events);
    for (int i = 0; i < event_count && !status; i++) {
        const struct switch_event *event = &events[i];
        if (event->time_ns < start_ns || event->time_ns > end_ns) continue;
        if (walk.task && walk.task->tid != event->tid) {
            status = walk_until(&walk, end_ns);
            walk.task = NULL;
        }
        if (!status) status = walk_event(&walk, event);
    }
    if (walk.task && !status) status = walk_until(&walk, end_ns);
    timeline_p->length_s = 1e-9 * (double)(end_ns - start_ns);
    timeline_p->start_s = 1e-9 * (double)start_ns;
    inherit_names(timeline_p);
    return status;
}
