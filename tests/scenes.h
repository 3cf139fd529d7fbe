/* Made evidence for the diagnosis: a machine, tasks, what they did; and what is to be found of it. */
#ifndef SPEEDUP_TESTS_SCENES_H
#define SPEEDUP_TESTS_SCENES_H

#include "../src/analyse/diagnosis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CORES = 4 };

/* A scene: a machine of 4 cores (smt: 2, of two hardware threads each), 1 s, and tasks as they are added. */
struct scene {
    struct machine machine;
    struct timeline timeline;
    struct tree tree;
    struct hotspots hotspots;
    struct evidence evidence;
};

static inline struct scene *scene_new(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    if (!scene) abort();
    scene->machine.cpu_count = scene->machine.core_count = CORES;
    for (int i = 0; i < CORES; i++) scene->machine.cpus[i] = (struct cpu){.os_index = i, .core = i};
    timeline_init(&scene->timeline);
    scene->timeline.length_s = 1;
    for (int i = 0; i < CORES; i++)
        if (timeline_add_cpu(&scene->timeline, i, 0)) abort();
    tree_init(&scene->tree);
    hotspots_init(&scene->hotspots);
    scene->evidence = (struct evidence){.machine = &scene->machine,
                                        .machine_cpus = {{(1u << CORES) - 1}},
                                        .timeline = &scene->timeline,
                                        .tree = &scene->tree,
                                        .hotspots = &scene->hotspots,
                                        .wall_s = 1,
                                        .quota_cpus = NAN,
                                        .throttled_s = 0,
                                        .command = "./app -x"};
    return scene;
}

static inline void scene_free(struct scene *scene)
{
    timeline_release(&scene->timeline);
    tree_release(&scene->tree);
    hotspots_release(&scene->hotspots);
    free(scene);
}

/* "A=1|B=2": variables of a process, as tree.h has them; heap. */
static inline char *variables(const char *text)
{
    size_t length = strlen(text);
    char *copy = calloc(1, length + 2);
    if (!copy) abort();
    memcpy(copy, text, length);
    for (char *c = copy; *c; c++)
        if (*c == '|') *c = '\0';
    return copy;
}

static inline void add_process(struct scene *scene, pid_t pid, const char *environment, unsigned libraries)
{
    size_t count = (size_t)scene->tree.process_count + 1;
    scene->tree.processes = realloc(scene->tree.processes, count * sizeof *scene->tree.processes);
    if (!scene->tree.processes) abort();
    scene->tree.processes[scene->tree.process_count++] = (struct tree_process){
        .pid = pid, .name = "app", .readable = true, .environment = variables(environment), .libraries = libraries};
}

/* Returns its index in the timeline. */
static inline int add_task(struct scene *scene, pid_t pid, pid_t tid, const char *mask)
{
    size_t count = (size_t)scene->tree.task_count + 1;
    struct tree_task task = {.pid = pid, .tid = tid, .name = "app"};
    if (cpu_mask_parse(mask, &task.mask)) abort();
    scene->tree.tasks = realloc(scene->tree.tasks, count * sizeof *scene->tree.tasks);
    if (!scene->tree.tasks) abort();
    scene->tree.tasks[scene->tree.task_count++] = task;
    struct timeline_task own = {.pid = pid, .tid = tid, .rank = -1, .thread = -1, .name = "app"};
    if (timeline_add_task(&scene->timeline, &own)) abort();
    return scene->timeline.task_count - 1;
}

static inline void add_span(struct scene *scene, int task, double end_s, enum span_state state, int cpu)
{
    struct timeline_task *own = &scene->timeline.tasks[task];
    double begin_s = own->span_count > 0 ? own->spans[own->span_count - 1].end_s : 0;
    const struct timeline_span span = {begin_s, end_s, state, state == SPAN_RUNNING ? cpu : -1};
    if (timeline_add_span(own, &span)) abort();
    if (state == SPAN_RUNNING) {
        scene->timeline.cpus[cpu].busy_s += end_s - begin_s;
        scene->evidence.user_s += end_s - begin_s;
    }
}

static inline void add_hotspots(struct scene *scene, enum library library, double share)
{
    scene->hotspots.known = true;
    scene->hotspots.list = calloc((size_t)scene->timeline.task_count, sizeof *scene->hotspots.list);
    if (!scene->hotspots.list) abort();
    for (int t = 0; t < scene->timeline.task_count; t++) {
        struct hotspot *hotspot = &scene->hotspots.list[scene->hotspots.count++];
        *hotspot =
            (struct hotspot){.pid = scene->timeline.tasks[t].pid, .tid = scene->timeline.tasks[t].tid, .all = 100};
        hotspot->samples[library] = 100 * share;
    }
}

/* Tasks `first` and the further ones take turns of 4 ms on one CPU, all of the time. */
static inline void take_turns(struct scene *scene, int first, int count, int cpu)
{
    for (int turn = 0; turn < 250; turn++)
        for (int t = 0; t < count; t++)
            add_span(scene, first + t, 0.004 * (turn + 1), turn % count == t ? SPAN_RUNNING : SPAN_READY, cpu);
}

static inline void run_all_along(struct scene *scene, int task, int cpu)
{
    add_span(scene, task, 1, SPAN_RUNNING, cpu);
}

static inline const struct finding *find(const struct diagnosis *diagnosis, const char *name)
{
    for (int i = 0; i < diagnosis->finding_count; i++)
        if (strcmp(diagnosis->findings[i].name, name) == 0) return &diagnosis->findings[i];
    return NULL;
}

static inline struct diagnosis diagnose(struct scene *scene)
{
    struct diagnosis diagnosis;
    assert_int_equal(diagnosis_make(&scene->evidence, &diagnosis), 0);
    return diagnosis;
}

static inline void expect(struct scene *scene, enum verdict_kind verdict, const char *headline)
{
    struct diagnosis diagnosis = diagnose(scene);
    assert_string_equal(verdict_kind_text(diagnosis.verdict), verdict_kind_text(verdict));
    assert_string_equal(diagnosis.headline, headline);
}

/* It is found as a fault, with that in its fix, and none of the others is. */
static inline void expect_fault(struct scene *scene, const char *name, const char *fix)
{
    struct diagnosis diagnosis = diagnose(scene);
    const struct finding *found = find(&diagnosis, name);
    for (int i = 0; !found && i < diagnosis.finding_count; i++)
        print_message("found: %s\n", diagnosis.findings[i].name);
    assert_non_null(found);
    assert_true(found->fault);
    assert_ptr_equal(found, &diagnosis.findings[0]);
    if (!strstr(found->fix, fix)) fail_msg("the fix is: %s", found->fix);
    for (int i = 1; i < diagnosis.finding_count; i++)
        if (diagnosis.findings[i].fault) fail_msg("also claimed: %s", diagnosis.findings[i].name);
}

static inline void expect_no_fault(struct scene *scene)
{
    struct diagnosis diagnosis = diagnose(scene);
    for (int i = 0; i < diagnosis.finding_count; i++)
        if (diagnosis.findings[i].fault)
            fail_msg("claimed: %s: %s", diagnosis.findings[i].name, diagnosis.findings[i].text);
}

/* So many threads of process 100 with that mask. Returns the index of the first. */
static inline int add_threads(struct scene *scene, int count, const char *environment, unsigned libraries,
                              const char *mask)
{
    add_process(scene, 100, environment, libraries);
    for (int t = 0; t < count; t++) add_task(scene, 100, 100 + t, mask);
    return scene->timeline.task_count - count;
}

/* So many processes of one thread. */
static inline void add_ranks(struct scene *scene, int count, const char *environment, unsigned libraries,
                             const char *mask)
{
    for (int r = 0; r < count; r++) {
        char text[512];
        snprintf(text, sizeof text, "OMPI_COMM_WORLD_RANK=%d|OMPI_COMM_WORLD_SIZE=%d%s%s", r, count,
                 *environment ? "|" : "", environment);
        add_process(scene, 100 + r, text, libraries);
        add_task(scene, 100 + r, 100 + r, mask);
    }
}

#endif
