/* Timelines of scenes that are known in advance, for tests: who ran where and when is what the functions say. */
#ifndef TESTS_TIMELINES_H
#define TESTS_TIMELINES_H

#include "../src/record/timelines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Empty, of so many threads; release it with timeline_record_release. */
static inline void scene_init(struct timeline_record *record_p, enum mode_name mode, int threads, double length_s)
{
    timeline_record_init(record_p);
    struct config *config = &record_p->config;
    snprintf(config->kernel, sizeof config->kernel, "toy");
    snprintf(config->variant, sizeof config->variant, "plain");
    snprintf(config->size, sizeof config->size, "1000");
    snprintf(config->isa, sizeof config->isa, "base");
    config->mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = mode, .ranks = 1, .threads = threads, .cpus = {.count = 1}};
    record_p->validity = SAMPLE_VALID;
    record_p->wall_s = record_p->timeline.length_s = length_s;
    record_p->timeline.error_s = 1e-6;
    snprintf(record_p->timeline.host, sizeof record_p->timeline.host, "node1");
    record_config_key(config, record_p->key);
}

/* rank -1: another task of the run. Returns its index. */
static inline int scene_task(struct timeline_record *record, int rank, int thread, const char *name)
{
    int index = record->timeline.task_count;
    struct timeline_task task = {.pid = 100,
                                 .tid = 100 + index,
                                 .rank = rank,
                                 .thread = thread,
                                 .accounted_wait_s = NAN,
                                 .voluntary = -1,
                                 .involuntary = -1};
    snprintf(task.name, sizeof task.name, "%s", name);
    if (timeline_add_task(&record->timeline, &task)) abort();
    return index;
}

/* Behind the task's last span. */
static inline void scene_span(struct timeline_record *record, int task, double end_s, enum span_state state, int cpu)
{
    struct timeline_task *own = &record->timeline.tasks[task];
    double begin_s = own->span_count > 0 ? own->spans[own->span_count - 1].end_s : 0;
    const struct timeline_span span = {begin_s, end_s, state, state == SPAN_RUNNING ? cpu : -1};
    if (timeline_add_span(own, &span)) abort();
}

static inline void scene_cpu(struct timeline_record *record, int cpu, double busy_s)
{
    if (timeline_add_cpu(&record->timeline, cpu, busy_s)) abort();
}

/* So many threads take turns of slice_s on CPU 0, in order, from the first to the last instant. */
static inline void scene_turns(struct timeline_record *record_p, int threads, double slice_s, int turns)
{
    scene_init(record_p, MODE_MULTITASK, threads, slice_s * turns);
    for (int t = 0; t < threads; t++) scene_task(record_p, 0, t, "toy");
    for (int turn = 0; turn < turns; turn++)
        for (int t = 0; t < threads; t++)
            scene_span(record_p, t, slice_s * (turn + 1), t == turn % threads ? SPAN_RUNNING : SPAN_READY, 0);
    scene_cpu(record_p, 0, slice_s * turns);
    scene_cpu(record_p, 1, NAN);
}

/* Two threads on two CPUs, from the first to the last instant. */
static inline void scene_cores(struct timeline_record *record_p, double length_s)
{
    scene_init(record_p, MODE_THREADS, 2, length_s);
    record_p->config.mode.cpus = (struct cpu_list){2, {0, 1}};
    for (int t = 0; t < 2; t++) {
        scene_task(record_p, 0, t, "toy");
        scene_span(record_p, t, length_s, SPAN_RUNNING, t);
        scene_cpu(record_p, t, length_s);
    }
}

/* Four threads on CPU 0, each runs 1 ms and is blocked for 4 ms: never two at once, and nobody waits for the core. */
static inline void scene_waiting(struct timeline_record *record_p, int rounds)
{
    scene_init(record_p, MODE_MULTITASK, 4, 0.005 * rounds);
    for (int t = 0; t < 4; t++) {
        scene_task(record_p, 0, t, "toy");
        for (int round = 0; round < rounds; round++) {
            scene_span(record_p, t, 0.005 * round + 0.001 * t, SPAN_BLOCKED, -1);
            scene_span(record_p, t, 0.005 * round + 0.001 * (t + 1), SPAN_RUNNING, 0);
        }
        scene_span(record_p, t, 0.005 * rounds, SPAN_BLOCKED, -1);
    }
    scene_cpu(record_p, 0, 0.005 * rounds);
}

#endif
