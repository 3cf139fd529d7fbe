/* The rules of the diagnosis on scenes that are made: what each finds, with which fix, and what it must not claim of a
 * scene that is near. */
#include "scenes.h"

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

static void test_oversubscribed(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 8, "OMP_NUM_THREADS=8", 1u << LIBRARY_GOMP, "0-3");
    for (int cpu = 0; cpu < CORES; cpu++) take_turns(scene, 2 * cpu, 2, cpu);
    expect(scene, VERDICT_MIXED, "8 threads shared 4 cores: each ran 50 % of the time");
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
    expect_fault(scene, "neighbour", "taskset -c 0,2-3 ./app -x");
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(strstr(find(&diagnosis, "neighbour")->text, "hog (process 7"));
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "taskset -c 0,1 ./app");
    expect_fault(scene, "neighbour", "taskset -c 0,2-3 ./app");
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "mpirun -np 2 ./app");
    expect_fault(scene, "neighbour", "when they have ended");
    *scene->evidence.command = '\0';
    expect_fault(scene, "neighbour", "taskset -a -c -p 0,2-3 100");
    for (int i = 0; i < CORES; i++) scene->timeline.cpus[i].busy_s = i == 0 ? 2 : 1;
    expect_fault(scene, "neighbour", "when they have ended");
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

/* Nobody claims what is near but not so: the same number of tasks and the same masks, and no wait for a core. */
static void test_places_without_waits(void **state)
{
    (void)state;
    static const char *const environments[] = {"", "OMP_PLACES={1}", "OMP_PLACES=cores"};
    for (size_t e = 0; e < sizeof environments / sizeof *environments; e++) {
        struct scene *scene = scene_new();
        add_ranks(scene, 2, environments[e], 1u << LIBRARY_OPENMPI | 1u << LIBRARY_GOMP, "1");
        /* They hand work to each other, and are never ready at once. */
        for (int turn = 0; turn < 100; turn++)
            for (int t = 0; t < 2; t++)
                add_span(scene, t, 0.01 * (turn + 1), turn % 2 == t ? SPAN_RUNNING : SPAN_BLOCKED, 1);
        expect_no_fault(scene);
        scene_free(scene);
    }
}

/* Masks of one core each, and ranks whose threads have cores enough. */
static void test_right_places(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "OMP_PLACES=cores", 1u << LIBRARY_OPENMPI | 1u << LIBRARY_GOMP, "0");
    if (cpu_mask_parse("1", &scene->tree.tasks[1].mask)) abort();
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    expect_no_fault(scene);
    scene_free(scene);

    scene = scene_new();
    add_threads(scene, 2, "OMPI_COMM_WORLD_RANK=0|OMPI_COMM_WORLD_SIZE=1|OMP_NUM_THREADS=2",
                1u << LIBRARY_OPENMPI | 1u << LIBRARY_GOMP, "0-1");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    expect_no_fault(scene);
    scene_free(scene);
}

/* A job has two of the machine's four cores, and as many threads. */
static void test_right_numbers(void **state)
{
    (void)state;
    static const unsigned libraries[] = {0, 1u << LIBRARY_GOMP, 1u << LIBRARY_OPENBLAS};
    for (size_t l = 0; l < sizeof libraries / sizeof *libraries; l++) {
        struct scene *scene = scene_new();
        add_threads(scene, 4, "OMP_NUM_THREADS=2|OMP_MAX_ACTIVE_LEVELS=2", libraries[l], "0-3");
        for (int t = 0; t < 4; t++) run_all_along(scene, t, t);
        expect_no_fault(scene);
        scene_free(scene);
    }
}

/* taskset left two cores of four. */
static void test_oversubscribed_mask(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 4, "OMP_NUM_THREADS=4", 1u << LIBRARY_GOMP, "0-1");
    take_turns(scene, 0, 2, 0);
    take_turns(scene, 2, 2, 1);
    expect_fault(scene, "oversubscribed", "env OMP_NUM_THREADS=2 ./app -x");
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(strstr(diagnosis.findings[0].text, "2 cores are there for them by their affinity masks"));
    assert_int_equal(diagnosis.cores_allowed, 2);
    scene_free(scene);
}

/* Several that waited for each other, with one core to do it on: the core is the reason. And two that overlap. */
static void test_no_lock(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 2, "", 1u << LIBRARY_PYTHON, "0-3");
    for (int turn = 0; turn < 200; turn++)
        for (int t = 0; t < 2; t++)
            add_span(scene, t, 0.005 * (turn + 1), turn % 2 == t || turn % 4 < 2 ? SPAN_RUNNING : SPAN_BLOCKED, t);
    expect_no_fault(scene);
    scene_free(scene);
}

/* Ranks that spin with a core each, one of which another program took: the other program is the fault. */
static void test_spinning_beside_a_neighbour(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "", 1u << LIBRARY_OPENMPI, "0");
    if (cpu_mask_parse("1", &scene->tree.tasks[1].mask)) abort();
    run_all_along(scene, 0, 0);
    for (int i = 0; i < 50; i++) {
        add_span(scene, 1, 0.02 * i + 0.01, SPAN_RUNNING, 1);
        add_span(scene, 1, 0.02 * (i + 1), SPAN_READY, -1);
    }
    scene->timeline.cpus[1].busy_s = 1;
    add_hotspots(scene, LIBRARY_OPENMPI, 0.5);
    expect_fault(scene, "neighbour", "stop them");
    struct diagnosis diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "spinning"));
    scene_free(scene);
}

/* The timeline ends early: what its CPUs did later is not somebody else's. */
static void test_neighbour_of_a_part(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_threads(scene, 8, "", 0, "2");
    take_turns(scene, 0, 8, 2);
    scene->evidence.wall_s = 10;
    scene->timeline.cpus[2].busy_s = 10;
    expect_fault(scene, "one-core", "taskset");
    scene_free(scene);
}

static void test_mask_kept(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    add_ranks(scene, 2, "", 1u << LIBRARY_OPENMPI, "0-1");
    run_all_along(scene, 0, 0);
    run_all_along(scene, 1, 1);
    snprintf(scene->evidence.command, sizeof scene->evidence.command, "taskset -c 0,1 mpirun -np 2 ./app");
    struct diagnosis diagnosis = diagnose(scene);
    assert_null(find(&diagnosis, "mask-ignored"));
    scene_free(scene);
}

/* One task, and no core to spare; and one that is told two threads. */
static void test_idle_cores(void **state)
{
    (void)state;
    struct scene *scene = scene_new();
    scene->machine.cpu_count = scene->machine.core_count = 1;
    scene->evidence.machine_cpus.bits[0] = 1;
    add_threads(scene, 1, "OMP_NUM_THREADS=1", 1u << LIBRARY_GOMP, "0");
    run_all_along(scene, 0, 0);
    struct diagnosis diagnosis = diagnose(scene);
    assert_null(find(&diagnosis, "idle-cores"));
    scene_free(scene);

    scene = scene_new();
    add_threads(scene, 1, "OMP_NUM_THREADS=2", 1u << LIBRARY_GOMP, "0-3");
    run_all_along(scene, 0, 0);
    diagnosis = diagnose(scene);
    assert_non_null(find(&diagnosis, "idle-cores"));
    assert_string_equal(find(&diagnosis, "idle-cores")->fix, "");
    scene->timeline.cpus[3].busy_s = 1;
    expect(scene, VERDICT_ONE_TASK, "1 task on 1 core; 3 other cores not used");
    scene_free(scene);
}

static const char *fix_of(struct scene *scene, const char *name, char text[500])
{
    struct diagnosis diagnosis = diagnose(scene);
    const struct finding *found = find(&diagnosis, name);
    assert_non_null(found);
    return strcpy(text, found->fix);
}

/* A command whose words cannot be told, or for which there is no room, is not told cut or wrong. */
static void test_commands(void **state)
{
    (void)state;
    char fix[500];
    struct scene *scene = scene_new();
    char *command = scene->evidence.command;
    const size_t length = sizeof scene->evidence.command;
    add_threads(scene, 8, "OMP_NUM_THREADS=8", 1u << LIBRARY_GOMP, "0-3");
    for (int cpu = 0; cpu < CORES; cpu++) take_turns(scene, 2 * cpu, 2, cpu);
    snprintf(command, length, "env OMP_NUM_THREADS=8 './my app' 'a;b' ''");
    assert_string_equal(fix_of(scene, "oversubscribed", fix), "env OMP_NUM_THREADS=4 './my app' 'a;b' ''");
    snprintf(command, length, "./app $'a\\nb'");
    assert_string_equal(fix_of(scene, "oversubscribed", fix), "OMP_NUM_THREADS=4");
    snprintf(command, length, "./app %0480d", 1);
    assert_string_equal(fix_of(scene, "oversubscribed", fix), "OMP_NUM_THREADS=4");
    *command = '\0';
    assert_string_equal(fix_of(scene, "oversubscribed", fix), "OMP_NUM_THREADS=4");
    scene_free(scene);

    scene = scene_new();
    command = scene->evidence.command;
    add_ranks(scene, 2, "", 1u << LIBRARY_OPENMPI, "1");
    take_turns(scene, 0, 2, 1);
    snprintf(command, length, "taskset -c 1 mpirun -np 2 ./app %0460d", 1);
    assert_string_equal(fix_of(scene, "ranks-one-core", fix),
                        "mpirun --bind-to core, and no taskset or numactl around it");
    scene_free(scene);

    scene = scene_new();
    command = scene->evidence.command;
    add_threads(scene, 2, "", 0, "1");
    take_turns(scene, 0, 2, 1);
    snprintf(command, length, "./app $'a\\nb'");
    assert_string_equal(fix_of(scene, "one-core", fix), "taskset -c 0-3 ./app $'a\\nb'");
    snprintf(command, length, "./app %0490d", 1);
    assert_string_equal(fix_of(scene, "one-core", fix), "taskset -c 0-3, and the command");
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_core),
        cmocka_unit_test(test_one_core_is_all_there_is),
        cmocka_unit_test(test_oversubscribed),
        cmocka_unit_test(test_blas),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_ranks_one_core),
        cmocka_unit_test(test_hybrid),
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_shared_cores),
        cmocka_unit_test(test_worlds),
        cmocka_unit_test(test_spinning),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_neighbour),
        cmocka_unit_test(test_steal),
        cmocka_unit_test(test_siblings),
        cmocka_unit_test(test_mask_ignored),
        cmocka_unit_test(test_places_without_waits),
        cmocka_unit_test(test_right_places),
        cmocka_unit_test(test_right_numbers),
        cmocka_unit_test(test_oversubscribed_mask),
        cmocka_unit_test(test_no_lock),
        cmocka_unit_test(test_spinning_beside_a_neighbour),
        cmocka_unit_test(test_neighbour_of_a_part),
        cmocka_unit_test(test_mask_kept),
        cmocka_unit_test(test_idle_cores),
        cmocka_unit_test(test_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
