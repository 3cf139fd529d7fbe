/* Timelines of a process that runs already, by records and by looks: threads that compute, take turns, sleep, end and
 * begin meanwhile. Against what the threads' own clocks say. */
#include "../src/observe/attach.h"
#include "../src/observe/sampler.h"
#include "../src/observe/switches.h"
#include "../src/observe/thread.h"
#include "../src/place/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum actor { ACTOR_SPIN, ACTOR_TURNS_A, ACTOR_TURNS_B, ACTOR_SLEEP, ACTOR_NAPS, ACTOR_LATE, ACTORS };

/* In memory that is shared with the child. */
struct scene {
    atomic_int ready;
    atomic_bool late; /* now */
    int cpu_spin, cpu_turns;
    _Atomic pid_t tids[ACTORS];
    _Atomic double cpu_s[ACTORS]; /* its own clock, as it last told it */
};

struct part {
    struct scene *scene;
    enum actor actor;
};

static void nap(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))};
    nanosleep(&time, NULL);
}

static void bind(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void *act(void *context)
{
    struct part *part = context;
    struct scene *scene = part->scene;
    enum actor actor = part->actor;
    if (actor == ACTOR_SPIN) bind(scene->cpu_spin);
    if (actor == ACTOR_TURNS_A || actor == ACTOR_TURNS_B) bind(scene->cpu_turns);
    if (actor == ACTOR_SPIN) pthread_setname_np(pthread_self(), "spinner");
    scene->tids[actor] = thread_id();
    scene->ready++;
    for (;;) {
        if (actor == ACTOR_SLEEP) pause();
        if (actor == ACTOR_NAPS) nap(0.01);
        scene->cpu_s[actor] = clock_thread_cpu_s();
    }
    return NULL;
}

static void begin(struct scene *scene, enum actor actor)
{
    pthread_t thread;
    struct part *part = malloc(sizeof *part);
    *part = (struct part){scene, actor};
    if (pthread_create(&thread, NULL, act, part)) _exit(9);
}

/* The child: its main thread only starts others. */
static void play(struct scene *scene)
{
    /* Also where the test fails half way, or is killed. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(30);
    for (int actor = 0; actor < ACTOR_LATE; actor++) begin(scene, (enum actor)actor);
    while (!scene->late) nap(0.01);
    begin(scene, ACTOR_LATE);
    for (;;) pause();
}

/* Of the test that runs: ended also where it fails. */
static int end_child(void **state)
{
    pid_t *child = *state;
    if (*child > 0 && kill(*child, SIGKILL) == 0) waitpid(*child, NULL, 0);
    *child = 0;
    return 0;
}

static struct scene *scene_new(pid_t *child_p)
{
    struct scene *scene = mmap(NULL, sizeof *scene, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct machine *machine = calloc(1, sizeof *machine);
    struct error error;
    assert_ptr_not_equal(scene, MAP_FAILED);
    assert_int_equal(machine_read(machine, &error), 0);
    scene->cpu_spin = machine->cpus[0].os_index;
    scene->cpu_turns = machine->cpus[machine->cpu_count - 1].os_index;
    free(machine);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) play(scene);
    while (scene->ready < ACTOR_LATE) nap(0.01);
    nap(0.05);
    *child_p = child;
    return scene;
}

static void scene_free(struct scene *scene, pid_t *child)
{
    kill(*child, SIGKILL);
    waitpid(*child, NULL, 0);
    *child = 0;
    munmap(scene, sizeof *scene);
}

static void read_clocks(struct scene *scene, double cpu_s[ACTORS])
{
    for (int i = 0; i < ACTORS; i++) cpu_s[i] = scene->cpu_s[i];
}

static const struct timeline_task *find_task(const struct timeline *timeline, pid_t tid)
{
    for (int t = 0; t < timeline->task_count; t++)
        if (timeline->tasks[t].tid == tid) return &timeline->tasks[t];
    return NULL;
}

static double sum_s(const struct timeline_task *task, enum span_state state)
{
    double sum = 0;
    for (int i = 0; i < task->span_count; i++)
        if (task->spans[i].state == state) sum += task->spans[i].end_s - task->spans[i].begin_s;
    return sum;
}

static void assert_whole(const struct timeline *timeline, const struct timeline_task *task)
{
    assert_true(task->spans[0].begin_s < 0.01);
    assert_true(task->spans[task->span_count - 1].end_s > timeline->length_s - 0.05);
    for (int i = 1; i < task->span_count; i++)
        assert_true(fabs(task->spans[i].begin_s - task->spans[i - 1].end_s) < 1e-9);
}

static int all_cpus(int cpus[CPUS_MAX])
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct error error;
    assert_int_equal(machine_read(machine, &error), 0);
    int count = machine->cpu_count;
    for (int i = 0; i < count; i++) cpus[i] = machine->cpus[i].os_index;
    free(machine);
    return count;
}

/* Within what the clocks were not read at the same time as the timeline, and the CPU was taken by others meanwhile. */
static void check(struct scene *scene, const struct timeline *timeline, const double before_s[], const double after_s[],
                  bool late)
{
    for (int actor = 0; actor < ACTORS; actor++) {
        const struct timeline_task *task = find_task(timeline, scene->tids[actor]);
        if (actor == ACTOR_LATE && !late) continue;
        if (!task) fail_msg("actor %d is not in the timeline", actor);
        double ran_s = sum_s(task, SPAN_RUNNING), expected_s = after_s[actor] - before_s[actor];
        double allowed_s = 0.02 + 4 * timeline->error_s + 0.05 * expected_s;
        if (fabs(ran_s - expected_s) > allowed_s)
            fail_msg("actor %d ran %.4f s of %.4f, by its own clock %.4f s", actor, ran_s, timeline->length_s,
                     expected_s);
        if (actor == ACTOR_LATE) continue;
        assert_whole(timeline, task);
        if (actor == ACTOR_SLEEP) assert_true(sum_s(task, SPAN_BLOCKED) > 0.95 * timeline->length_s);
        if (actor == ACTOR_NAPS) assert_true(sum_s(task, SPAN_BLOCKED) > 0.2 * timeline->length_s);
        if (actor == ACTOR_TURNS_A) assert_true(sum_s(task, SPAN_READY) > 0.2 * timeline->length_s);
    }
    assert_string_equal(find_task(timeline, scene->tids[ACTOR_SPIN])->name, "spinner");
}

static void test_sampled(void **state)
{
    pid_t *child = *state;
    struct sampler *sampler;
    struct timeline timeline;
    double before_s[ACTORS], after_s[ACTORS];
    int cpus[CPUS_MAX], count = all_cpus(cpus);
    struct scene *scene = scene_new(child);
    read_clocks(scene, before_s);
    assert_int_equal(sampler_new(count, cpus, 0, *child, &sampler), 0);
    nap(0.15);
    scene->late = true;
    nap(0.25);
    timeline_init(&timeline);
    assert_int_equal(sampler_stop(sampler, &timeline), 0);
    read_clocks(scene, after_s);
    sampler_free(sampler);
    check(scene, &timeline, before_s, after_s, true);
    timeline_release(&timeline);
    scene_free(scene, child);
}

static struct timeline record(struct scene *scene, pid_t child, int count, const int cpus[], bool late)
{
    struct switches *switches;
    struct timeline timeline;
    double before_s[ACTORS], after_s[ACTORS];
    const int *descriptors;
    char reason[128];
    read_clocks(scene, before_s);
    if (switches_open_process(child, count, cpus, &switches, sizeof reason, reason)) fail_msg("%s", reason);
    assert_int_equal(switches_descriptors(switches, &descriptors), 0);
    for (int i = 0; i < 4; i++) {
        nap(0.1);
        scene->late = true;
        switches_drain(switches);
    }
    assert_int_equal(switches_timeline(switches, &timeline), 0);
    read_clocks(scene, after_s);
    switches_close(switches);
    check(scene, &timeline, before_s, after_s, late);
    return timeline;
}

static void test_exact(void **state)
{
    pid_t *child = *state;
    int cpus[CPUS_MAX], count = all_cpus(cpus);
    char reason[128];
    if (!switches_available(sizeof reason, reason)) {
        printf("%s\n", reason);
        skip();
    }
    if (count * (ACTORS + 1) > ATTACH_MAX) skip();
    struct scene *scene = scene_new(child);
    struct timeline timeline = record(scene, *child, count, cpus, true);
    assert_string_equal(timeline.incomplete, "");
    assert_int_equal(timeline.cpu_count, count);
    timeline_release(&timeline);
    scene_free(scene, child);
}

/* Too many CPUs for the threads: each thread's records alone. */
static void test_exact_without_newcomers(void **state)
{
    pid_t *child = *state;
    int cpus[CPUS_MAX];
    char reason[128];
    if (!switches_available(sizeof reason, reason)) skip();
    for (int i = 0; i < CPUS_MAX; i++) cpus[i] = i;
    struct scene *scene = scene_new(child);
    struct timeline timeline = record(scene, *child, CPUS_MAX, cpus, false);
    assert_non_null(strstr(timeline.incomplete, "missing"));
    assert_null(find_task(&timeline, scene->tids[ACTOR_LATE]));
    timeline_release(&timeline);
    scene_free(scene, child);
}

/* What never switches leaves no record. */
static void test_states_without_records(void **state)
{
    pid_t *child = *state;
    int cpus[CPUS_MAX], count = all_cpus(cpus);
    struct switches *switches;
    struct timeline timeline;
    char reason[128];
    if (!switches_available(sizeof reason, reason)) skip();
    struct scene *scene = scene_new(child);
    if (switches_open_process(*child, count, cpus, &switches, sizeof reason, reason)) fail_msg("%s", reason);
    assert_int_equal(switches_timeline(switches, &timeline), 0); /* at once: most have none */
    switches_close(switches);
    assert_int_equal(timeline.task_count, ACTORS); /* the main thread and five */
    for (int i = 0; i < timeline.task_count; i++) assert_true(timeline.tasks[i].name[0]);
    timeline_release(&timeline);
    scene_free(scene, child);
}

/* It ends while it is watched, which ends its tasks and nothing else; then there is nothing to attach to. */
static void test_ends(void **state)
{
    pid_t *child = *state;
    int cpus[CPUS_MAX], count = all_cpus(cpus);
    struct sampler *sampler;
    struct switches *switches = NULL;
    struct timeline timeline;
    char reason[128];
    struct scene *scene = scene_new(child);
    bool exact = switches_available(sizeof reason, reason);
    if (exact) assert_int_equal(switches_open_process(*child, count, cpus, &switches, sizeof reason, reason), 0);
    assert_int_equal(sampler_new(count, cpus, 0, *child, &sampler), 0);
    nap(0.05);
    const pid_t gone = *child;
    *child = 0;
    kill(gone, SIGKILL);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    nap(0.1);
    timeline_init(&timeline);
    assert_int_equal(sampler_stop(sampler, &timeline), 0);
    sampler_free(sampler);
    for (int tier = 0; tier < 1 + exact; tier++) {
        const struct timeline_task *task = find_task(&timeline, scene->tids[ACTOR_SPIN]);
        assert_non_null(task);
        assert_true(task->spans[task->span_count - 1].end_s < timeline.length_s - 0.05);
        timeline_release(&timeline);
        if (tier == 0 && exact) assert_int_equal(switches_timeline(switches, &timeline), 0);
    }
    switches_close(switches);
    assert_int_equal(sampler_new(count, cpus, 0, gone, &sampler), -ESRCH);
    assert_int_equal(switches_open_process(gone, count, cpus, &switches, sizeof reason, reason), -ESRCH);
    assert_string_equal(reason, "there is no such process");
    munmap(scene, sizeof *scene);
}

/* Another user may look, but not record. */
static void test_other_user(void **state)
{
    pid_t *child = *state;
    if (geteuid() != 0) skip();
    struct scene *scene = scene_new(child);
    pid_t watcher = fork();
    assert_true(watcher >= 0);
    if (watcher == 0) {
        int cpus[CPUS_MAX], count = all_cpus(cpus);
        struct sampler *sampler;
        struct switches *switches;
        struct timeline timeline;
        char reason[128];
        timeline_init(&timeline);
        if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)) _exit(2);
        bool available = switches_available(sizeof reason, reason);
        int status = switches_open_process(*child, count, cpus, &switches, sizeof reason, reason);
        if (available && (status >= 0 || !strstr(reason, "another user"))) _exit(3);
        double before_s = scene->cpu_s[ACTOR_SPIN];
        if (sampler_new(count, cpus, 0, *child, &sampler)) _exit(4);
        nap(0.1);
        if (sampler_stop(sampler, &timeline)) _exit(5);
        const struct timeline_task *task = find_task(&timeline, scene->tids[ACTOR_SPIN]);
        double own_s = scene->cpu_s[ACTOR_SPIN] - before_s; /* nothing, where others have the CPU all the time */
        bool good = task && fabs(sum_s(task, SPAN_RUNNING) - own_s) < 0.03 + 4 * timeline.error_s;
        sampler_free(sampler);
        timeline_release(&timeline);
        _exit(good ? 0 : 6);
    }
    int status;
    assert_int_equal(waitpid(watcher, &status, 0), watcher);
    scene_free(scene, child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    static pid_t child;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(test_sampled, NULL, end_child, &child),
        cmocka_unit_test_prestate_setup_teardown(test_exact, NULL, end_child, &child),
        cmocka_unit_test_prestate_setup_teardown(test_exact_without_newcomers, NULL, end_child, &child),
        cmocka_unit_test_prestate_setup_teardown(test_states_without_records, NULL, end_child, &child),
        cmocka_unit_test_prestate_setup_teardown(test_ends, NULL, end_child, &child),
        cmocka_unit_test_prestate_setup_teardown(test_other_user, NULL, end_child, &child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
