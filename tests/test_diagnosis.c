/* The diagnosis on scenes that are made: which verdict, which findings, and what must not be claimed. */
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
    char variables[1024]; /* of all processes */
};

static struct scene *scene_new(void)
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

static void scene_free(struct scene *scene)
{
    timeline_release(&scene->timeline);
    tree_release(&scene->tree);
    hotspots_release(&scene->hotspots);
    free(scene);
}

/* "A=1|B=2": variables of a process, as tree.h has them; heap. */
static char *variables(const char *text)
{
    size_t length = strlen(text);
    char *copy = calloc(1, length + 2);
    if (!copy) abort();
    memcpy(copy, text, length);
    for (char *c = copy; *c; c++)
        if (*c == '|') *c = '\0';
    return copy;
}

static void add_process(struct scene *scene, pid_t pid, const char *environment, unsigned libraries)
{
    size_t count = (size_t)scene->tree.process_count + 1;
    scene->tree.processes = realloc(scene->tree.processes, count * sizeof *scene->tree.processes);
    if (!scene->tree.processes) abort();
    scene->tree.processes[scene->tree.process_count++] = (struct tree_process){
        .pid = pid, .name = "app", .readable = true, .environment = variables(environment), .libraries = libraries};
}

/* Returns its index in the timeline. */
static int add_task(struct scene *scene, pid_t pid, pid_t tid, const char *mask)
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

static void add_span(struct scene *scene, int task, double end_s, enum span_state state, int cpu)
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

static void add_hotspots(struct scene *scene, enum library library, double share)
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
static void take_turns(struct scene *scene, int first, int count, int cpu)
{
    for (int turn = 0; turn < 250; turn++)
        for (int t = 0; t < count; t++)
            add_span(scene, first + t, 0.004 * (turn + 1), turn % count == t ? SPAN_RUNNING : SPAN_READY, cpu);
}

static void run_all_along(struct scene *scene, int task, int cpu)
{
    add_span(scene, task, 1, SPAN_RUNNING, cpu);
}

static const struct finding *find(const struct diagnosis *diagnosis, const char *name)
{
    for (int i = 0; i < diagnosis->finding_count; i++)
        if (strcmp(diagnosis->findings[i].name, name) == 0) return &diagnosis->findings[i];
    return NULL;
}

static struct diagnosis diagnose(struct scene *scene)
{
    struct diagnosis diagnosis;
    assert_int_equal(diagnosis_make(&scene->evidence, &diagnosis), 0);
    return diagnosis;
}

static void expect(struct scene *scene, enum verdict_kind verdict, const char *headline)
{
    struct diagnosis diagnosis = diagnose(scene);
    assert_string_equal(verdict_kind_text(diagnosis.verdict), verdict_kind_text(verdict));
    assert_string_equal(diagnosis.headline, headline);
}

/* It is found as a fault, with that in its fix, and none of the others is. */
static void expect_fault(struct scene *scene, const char *name, const char *fix)
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

static void expect_no_fault(struct scene *scene)
{
    struct diagnosis diagnosis = diagnose(scene);
    for (int i = 0; i < diagnosis.finding_count; i++)
        if (diagnosis.findings[i].fault)
            fail_msg("claimed: %s: %s", diagnosis.findings[i].name, diagnosis.findings[i].text);
}

/* So many threads of process 100 with that mask. Returns the index of the first. */
static int add_threads(struct scene *scene, int count, const char *environment, unsigned libraries, const char *mask)
{
    add_process(scene, 100, environment, libraries);
    for (int t = 0; t < count; t++) add_task(scene, 100, 100 + t, mask);
    return scene->timeline.task_count - count;
}

/* So many processes of one thread. */
static void add_ranks(struct scene *scene, int count, const char *environment, unsigned libraries, const char *mask)
{
    for (int r = 0; r < count; r++) {
        char text[512];
        snprintf(text, sizeof text, "OMPI_COMM_WORLD_RANK=%d|OMPI_COMM_WORLD_SIZE=%d%s%s", r, count,
                 *environment ? "|" : "", environment);
        add_process(scene, 100 + r, text, libraries);
        add_task(scene, 100 + r, 100 + r, mask);
    }
}

static void test_one_core(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 8, "", 0, "2");
    take_turns(scene, 0, 8, 2);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "taskset -c 2 ./app -x");
    expect(scene, VERDICT_MULTITASKING, "8 threads took turns on 1 core");
    expect_fault(scene, "one-core", "without taskset or numactl: ./app -x");
    scene_free(scene);
}

static void test_one_core_is_all_there_is(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    scene->machine.cpu_count = scene->machine.core_count = 1;
    scene->evidence.machine_cpus.bits[0] = 1;
    add_threads(scene, 8, "", 0, "0");
    take_turns(scene, 0, 8, 0);
    expect(scene, VERDICT_MULTITASKING, "8 threads took turns on 1 core");
    expect_fault(scene, "oversubscribed", "ask it for 1 thread");
    scene_free(scene);
}

static void test_two_on_two(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 3);
    expect(scene, VERDICT_MULTIPROCESSING, "2 threads on 2 cores, 2.00 executing");
    expect_no_fault(scene);
    assert_int_equal(diagnose(scene).finding_count, 0);
    scene_free(scene);
}

static void test_one_task(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 1, "OMP_NUM_THREADS=1", 1u << LIBRARY_GOMP, "0-3");
    run_all_along(scene, 0, 0);
    expect(scene, VERDICT_ONE_TASK, "1 task on 1 core at a time, executing for 100 % of the time");
    expect_no_fault(scene);
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "idle-cores"));
    assert_string_equal(find(&diagnosis, "idle-cores")->fix, "env OMP_NUM_THREADS=4 ./app -x");
    scene_free(scene);
}

static void test_waiting(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 4, "", 0, "0-3");
    for (int t = 0; t < 4; t++)
        for (int i = 0; i < 10; i++) {
            add_span(scene, t, 0.1 * i + 0.01, SPAN_RUNNING, t);
            add_span(scene, t, 0.1 * (i + 1), SPAN_BLOCKED, -1);
        }
    expect(scene, VERDICT_MOSTLY_WAITING, "4 threads, waiting for something else than a core for 90 % of the time");
    expect_no_fault(scene);
    scene_free(scene);
}

static void test_nothing_ran(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 1, "", 0, "0-3");
    add_span(scene, 0, 0.002, SPAN_RUNNING, 0);
    add_span(scene, 0, 1, SPAN_BLOCKED, -1);
    expect(scene, VERDICT_MOSTLY_WAITING, "it hardly ran: for 0.2 % of the time");
    scene->timeline.length_s = scene->evidence.wall_s = 0.003;
    expect(scene, VERDICT_IDLE, "it ended after 3 ms, too soon to tell");
    assert_int_equal(diagnose(scene).finding_count, 0);
    scene_free(scene);
}

static void test_oversubscribed(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 8, "OMP_NUM_THREADS=8", 1u << LIBRARY_GOMP, "0-3");
    for (int cpu = 0; cpu < CORES; cpu++) take_turns(scene, 2 * cpu, 2, cpu);
    expect(scene, VERDICT_MIXED, "8 threads shared 4 cores: ready to run, they had one for 50 % of the time");
    expect_fault(scene, "oversubscribed", "env OMP_NUM_THREADS=4 ./app -x");
    scene_free(scene);
}

static void test_blas(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    for (int p = 0; p < 4; p++) {
        add_process(scene, 100 + 10 * p, "", 1u << LIBRARY_OPENBLAS);
        for (int t = 0; t < 2; t++) add_task(scene, 100 + 10 * p, 100 + 10 * p + t, "0-3");
        take_turns(scene, 2 * p, 2, p);
    }
    expect_fault(scene, "blas-oversubscribed", "OPENBLAS_NUM_THREADS=1");
    scene_free(scene);
}

static void test_nested(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 8, "OMP_NUM_THREADS=4|OMP_MAX_ACTIVE_LEVELS=2", 1u << LIBRARY_GOMP, "0-3");
    for (int cpu = 0; cpu < CORES; cpu++) take_turns(scene, 2 * cpu, 2, cpu);
    expect_fault(scene, "nested-openmp", "OMP_MAX_ACTIVE_LEVELS=1");
    scene_free(scene);
}

static void test_ranks_one_core(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "", 1u << LIBRARY_OPENMPI, "1");
    take_turns(scene, 0, 2, 1);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "taskset -c 1 mpirun --bind-to none -np 2 ./app");
    expect(scene, VERDICT_MULTITASKING, "2 processes took turns on 1 core");
    expect_fault(scene, "ranks-one-core", "mpirun --bind-to core -np 2 ./app");
    scene_free(scene);
}

static void test_hybrid(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "OMPI_COMM_WORLD_RANK=0|OMPI_COMM_WORLD_SIZE=1|OMP_NUM_THREADS=2",
                1u << LIBRARY_OPENMPI | 1u << LIBRARY_GOMP, "0");
    take_turns(scene, 0, 2, 0);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "mpirun -np 1 ./app");
    expect_fault(scene, "hybrid-bound", "mpirun --map-by slot:PE=2 --bind-to core -np 1 ./app");
    scene_free(scene);
}

static void test_pinned(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "OMP_NUM_THREADS=2|OMP_PLACES={1}", 1u << LIBRARY_GOMP, "1");
    take_turns(scene, 0, 2, 1);
    expect_fault(scene, "pinned-together", "env OMP_PLACES=cores ./app -x");
    scene_free(scene);
}

static void test_shared_cores(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "OMP_NUM_THREADS=1|OMP_PLACES=cores", 1u << LIBRARY_OPENMPI | 1u << LIBRARY_GOMP, "0");
    take_turns(scene, 0, 2, 0);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "mpirun --bind-to none -np 2 ./app");
    expect_fault(scene, "shared-cores", "--map-by slot:PE=1 --bind-to core");
    scene_free(scene);
}

static void test_worlds(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "", 1u << LIBRARY_MPICH, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "mpirun -np 2 ./app");
    expect_fault(scene, "worlds-of-one", "mpirun.mpich");
    /* One rank of Open MPI's is right. */
    for (int p = 0; p < 2; p++) scene->tree.processes[p].libraries = 1u << LIBRARY_OPENMPI;
    expect_no_fault(scene);
    scene_free(scene);
}

static void test_spinning(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 1u << LIBRARY_GOMP, "0-3");
    take_turns(scene, 0, 2, 1);
    scene->machine.core_count = 4;
    add_hotspots(scene, LIBRARY_GOMP, 0.5);
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "spinning"));
    assert_true(find(&diagnosis, "spinning")->fault);
    assert_string_equal(find(&diagnosis, "spinning")->fix, "env OMP_WAIT_POLICY=passive ./app -x");
    scene_free(scene);

    scene = scene_new();
    add_ranks(scene, 2, "", 1u << LIBRARY_OPENMPI, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    add_hotspots(scene, LIBRARY_OPENMPI, 0.3);
    expect_no_fault(scene); /* each has its core: that only explains */
    diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "spinning"));
    scene->hotspots.known = false;
    diagnosis = diagnose(scene);
    assert_null(find(&diagnosis, "spinning"));
    scene_free(scene);
}

static void test_lock(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 1u << LIBRARY_PYTHON, "0-3");
    for (int turn = 0; turn < 200; turn++)
        for (int t = 0; t < 2; t++)
            add_span(scene, t, 0.005 * (turn + 1), turn % 2 == t ? SPAN_RUNNING : SPAN_BLOCKED, t);
    expect(scene, VERDICT_MULTITASKING, "2 threads took turns on 2 cores");
    expect_fault(scene, "lock", "multiprocessing");
    scene_free(scene);
}

static void test_quota(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    scene->evidence.throttled_s = 0.01;
    expect_no_fault(scene);
    scene->evidence.throttled_s = 0.5;
    scene->evidence.quota_cpus = 1.5;
    expect_fault(scene, "quota", "use 1 task");
    scene_free(scene);
}

static void test_neighbour(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    for (int i = 0; i < 10; i++) {
        add_span(scene, 1, 0.1 * i + 0.05, SPAN_RUNNING, 1);
        add_span(scene, 1, 0.1 * (i + 1), SPAN_READY, -1);
    }
    expect_no_fault(scene); /* by the accounts nobody else was there */
    scene->timeline.cpus[1].busy_s = 1;
    snprintf(scene->evidence.neighbours, sizeof scene->evidence.neighbours, "hog (process 7, 50 %% of a CPU)");
    expect_fault(scene, "neighbour", "taskset");
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(strstr(find(&diagnosis, "neighbour")->text, "hog (process 7"));
    scene_free(scene);
}

static void test_steal(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 1, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    scene->evidence.steal_s = 0.03;
    expect_no_fault(scene);
    scene->evidence.steal_s = 0.3;
    expect_fault(scene, "steal", "dedicated");
    scene_free(scene);
}

static void test_siblings(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    for (int i = 0; i < CORES; i++) scene->machine.cpus[i] = (struct cpu){.os_index = i, .core = i / 2, .smt = i % 2};
    scene->machine.core_count = 2;
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    expect_fault(scene, "smt-siblings", "taskset");
    scene_free(scene);

    scene = scene_new();
    for (int i = 0; i < CORES; i++) scene->machine.cpus[i] = (struct cpu){.os_index = i, .core = i / 2, .smt = i % 2};
    scene->machine.core_count = 2;
    add_threads(scene, 4, "", 0, "0-3");
    for (int i = 0; i < CORES; i++) run_all_along(scene, i, i);
    expect_no_fault(scene); /* no whole core was left */
    scene_free(scene);
}

static void test_phases(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 0, "0-3");
    run_all_along(scene, 0, 0);
    add_span(scene, 1, 0.6, SPAN_BLOCKED, -1);
    add_span(scene, 1, 1, SPAN_RUNNING, 1);
    expect(scene, VERDICT_MIXED, "2 threads on 2 cores: one alone was active for 60 % of the time, several for 40 %");
    expect_no_fault(scene);
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "serial-part"));
    scene_free(scene);
}

/* A hundred compilers, two at a time, each for 20 ms, and a make that waits. */
static void test_build(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_process(scene, 50, "", 0);
    add_task(scene, 50, 50, "0-3");
    add_span(scene, 0, 0.001, SPAN_RUNNING, 0);
    add_span(scene, 0, 1, SPAN_BLOCKED, -1);
    for (int i = 0; i < 100; i++) {
        add_process(scene, 100 + i, "", 0);
        int task = add_task(scene, 100 + i, 100 + i, "0-3");
        double begin_s = 0.02 * (i / 2);
        const struct timeline_span span = {begin_s, begin_s + 0.02, SPAN_RUNNING, i % 2};
        assert_int_equal(timeline_add_span(&scene->timeline.tasks[task], &span), 0);
    }
    expect(scene, VERDICT_MULTIPROCESSING, "100 short-lived tasks, 2 at a time, on 2 cores, 2.00 executing");
    expect_no_fault(scene);
    scene_free(scene);
}

static void test_mask_ignored(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "", 1u << LIBRARY_OPENMPI, "0");
    if (cpu_mask_parse("1", &scene->tree.tasks[1].mask)) abort();
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "taskset -c 1 mpirun -np 2 ./app");
    expect_no_fault(scene);
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "mask-ignored"));
    scene_free(scene);
}

/* Nothing at all, and tasks without spans. */
static void test_empty(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    assert_int_equal(diagnose(scene).verdict, VERDICT_MOSTLY_WAITING);
    add_threads(scene, 2, "", 0, "0-3");
    assert_int_equal(diagnose(scene).verdict, VERDICT_MOSTLY_WAITING);
    scene->timeline.length_s = 0;
    assert_int_equal(diagnose(scene).verdict, VERDICT_IDLE);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_core),       cmocka_unit_test(test_one_core_is_all_there_is),
        cmocka_unit_test(test_two_on_two),     cmocka_unit_test(test_one_task),
        cmocka_unit_test(test_waiting),        cmocka_unit_test(test_nothing_ran),
        cmocka_unit_test(test_oversubscribed), cmocka_unit_test(test_blas),
        cmocka_unit_test(test_nested),         cmocka_unit_test(test_ranks_one_core),
        cmocka_unit_test(test_hybrid),         cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_shared_cores),   cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_spinning),       cmocka_unit_test(test_lock),
        cmocka_unit_test(test_quota),          cmocka_unit_test(test_neighbour),
        cmocka_unit_test(test_steal),          cmocka_unit_test(test_siblings),
        cmocka_unit_test(test_phases),         cmocka_unit_test(test_build),
        cmocka_unit_test(test_mask_ignored),   cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
