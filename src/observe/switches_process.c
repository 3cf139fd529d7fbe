/* A process that runs already: its threads have states that no record tells. A thread's first record tells what was
 * before: one that loses a core had it, one that gets a core waited for it where it could run when all began. One that
 * has no record at all ran all the time where its CPU time moved, and else was what it was.
 */
#include "switches_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct first {
    int64_t time_ns; /* -1: there is none */
    enum switch_kind kind;
    int cpu;
};

int switches_open_process(pid_t root, int cpu_count, const int cpus[], struct switches **switches_p, size_t length,
                          char *reason_p)
{
    struct attached attached;
    struct rings rings;
    struct switches *switches = NULL;
    bool inherited = false;
    int status = attach_list(root, &attached);
    if (status == 0) {
        bool shared = (long)attached.count * cpu_count <= ATTACH_MAX;
        const struct source pages = {.pages_max = shared ? PAGES_MAX : switches_fair_pages(attached.count, 0, 1),
                                     .pages_min = PAGES_MIN};
        status = attach_open(&switches_attribute, &attached, cpu_count, cpus, &pages, &rings, &inherited);
        if (status == 0) switches = switches_begin(&rings, true);
        if (status == 0 && !switches) status = -ENOMEM;
    }
    if (status < 0) {
        attach_explain(status, length, reason_p);
        attach_release(&attached);
        return status;
    }
    switches->attached = attached;
    switches->inherited = inherited;
    *switches_p = switches;
    return 0;
}

static void note(struct switches *switches, const struct attached_thread *thread, enum switch_kind kind, int cpu)
{
    unsigned name = kind == SWITCH_NAME ? switches_add_name(&switches->names, thread->name) : 0;
    struct switch_event *event = switches_add_event(switches);
    if (!event) return;
    event->time_ns = switches->start_ns;
    event->pid = thread->pid;
    event->tid = thread->tid;
    event->cpu = cpu;
    event->kind = kind;
    if (kind == SWITCH_NAME) event->number = name;
}

static void complete_thread(struct switches *switches, const struct attached_thread *thread, const struct first *first)
{
    struct attached_thread now;
    if (first->time_ns >= 0) {
        bool lost = first->kind == SWITCH_OUT_READY || first->kind == SWITCH_OUT_BLOCKED || first->kind == SWITCH_END;
        if (lost) note(switches, thread, SWITCH_IN, first->cpu);
        if (!lost && thread->runnable) note(switches, thread, SWITCH_OUT_READY, first->cpu);
    } else if (attach_read(thread->pid, thread->tid, &now)) {
        bool moved = now.ran_ns > thread->ran_ns;
        if (moved) note(switches, thread, SWITCH_IN, now.cpu);
        if (!moved && thread->runnable) note(switches, thread, SWITCH_OUT_READY, thread->cpu);
    }
    note(switches, thread, SWITCH_NAME, thread->cpu);
}

void switches_complete(struct switches *switches)
{
    const struct attached *attached = &switches->attached;
    if (attached->count == 0) return;
    struct first *firsts = calloc((size_t)attached->count, sizeof *firsts);
    switches->no_memory |= !firsts;
    if (!firsts) return;
    for (int i = 0; i < attached->count; i++) firsts[i].time_ns = -1;
    for (int i = 0; i < switches->event_count; i++) {
        const struct switch_event *event = &switches->events[i];
        const struct attached_thread *thread = attach_find(attached, event->tid);
        if (!thread || event->kind == SWITCH_NAME || event->kind == SWITCH_START) continue;
        struct first *first = &firsts[thread - attached->list];
        if (first->time_ns >= 0 && first->time_ns <= event->time_ns) continue;
        *first = (struct first){event->time_ns, event->kind, event->cpu};
    }
    for (int i = 0; i < attached->count; i++) complete_thread(switches, &attached->list[i], &firsts[i]);
    free(firsts);
}
