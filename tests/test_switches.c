/* Timelines from context-switch records: from records made by hand, and from real tasks of known pattern, which tell
 * themselves what the system's accounts say of them: schedstat, getrusage, and clocks. test_switches SECONDS: how long
 * sixteen tasks take turns without a loss. */
#include "../src/observe/switches.h"
#include "../src/observe/thread.h"
#include "../src/place/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TASKS_MAX = 16, MS = 1000000 };

/* --- Records by hand. ------------------------------------------------------------------------------------------- */

static void assert_near(double value, double expected, double allowed)
{
    if (!(fabs(value - expected) <= allowed))
        fail_msg("%.9g where %.9g +- %.3g was expected", value, expected, allowed);
}

static struct switch_event event(double time_ms, pid_t pid, pid_t tid, int cpu, enum switch_kind kind)
{
    return (struct switch_event){.time_ns = (int64_t)(time_ms * MS), .pid = pid, .tid = tid, .cpu = cpu, .kind = kind};
}

static struct timeline built(int count, struct switch_event events[], double end_ms)
{
    static char list[2][16] = {"first", "second"};
    const struct switch_names names = {2, list};
    struct timeline timeline;
    timeline_init(&timeline);
    for (int i = 0; i < count; i++)
        if (events[i].kind != SWITCH_NAME) events[i].number = 0;
    assert_int_equal(switches_build(count, events, &names, 0, (int64_t)(end_ms * MS), &timeline), 0);
    return timeline;
}

static void assert_span(const struct timeline_task *task, int index, double begin_ms, double end_ms,
                        enum span_state state, int cpu)
{
    assert_true(index < task->span_count);
    const struct timeline_span *span = &task->spans[index];
    assert_near(1e3 * span->begin_s, begin_ms, 1e-9);
    assert_near(1e3 * span->end_s, end_ms, 1e-9);
    assert_int_equal(span->state, state);
    assert_int_equal(span->cpu, cpu);
}

static void test_two_take_turns(void **state)
{
    (void)state;
    /* As they come from rings: out of order. */
    struct switch_event events[] = {
        event(4, 10, 10, 0, SWITCH_OUT_READY), event(8, 10, 11, 0, SWITCH_OUT_READY), event(1, 10, 10, 0, SWITCH_IN),
        event(4, 10, 11, 0, SWITCH_IN),        event(8, 10, 10, 0, SWITCH_IN),        event(1, 10, 11, 0, SWITCH_START),
        event(9, 10, 10, 0, SWITCH_END),       event(10, 10, 11, 1, SWITCH_IN),
    };
    struct timeline timeline = built(8, events, 12);
    assert_int_equal(timeline.task_count, 2);
    assert_near(timeline.length_s, 0.012, 1e-12);
    const struct timeline_task *a = &timeline.tasks[0], *b = &timeline.tasks[1];
    assert_int_equal(a->tid, 10);
    assert_int_equal(a->span_count, 4);
    assert_span(a, 0, 0, 1, SPAN_BLOCKED, -1);
    assert_span(a, 1, 1, 4, SPAN_RUNNING, 0);
    assert_span(a, 2, 4, 8, SPAN_READY, -1);
    assert_span(a, 3, 8, 9, SPAN_RUNNING, 0);
    assert_int_equal(b->span_count, 4);
    assert_span(b, 0, 1, 4, SPAN_READY, -1);
    assert_span(b, 1, 4, 8, SPAN_RUNNING, 0);
    assert_span(b, 2, 8, 10, SPAN_READY, -1);
    assert_span(b, 3, 10, 12, SPAN_RUNNING, 1);
    timeline_release(&timeline);
}

static void test_first_record_tells_what_was_before(void **state)
{
    (void)state;
    struct switch_event events[] = {event(3, 10, 10, 5, SWITCH_OUT_BLOCKED), event(4, 11, 11, 2, SWITCH_IN)};
    struct timeline timeline = built(2, events, 6);
    assert_span(&timeline.tasks[0], 0, 0, 3, SPAN_RUNNING, 5);
    assert_span(&timeline.tasks[0], 1, 3, 6, SPAN_BLOCKED, -1);
    assert_span(&timeline.tasks[1], 0, 0, 4, SPAN_BLOCKED, -1);
    timeline_release(&timeline);
}

static void test_numbers_are_used_again(void **state)
{
    (void)state;
    struct switch_event events[] = {
        event(1, 10, 10, 0, SWITCH_START), event(1, 10, 10, 0, SWITCH_IN), event(2, 10, 10, 0, SWITCH_END),
        event(3, 10, 10, 1, SWITCH_START), event(4, 10, 10, 1, SWITCH_IN), event(5, 10, 10, 1, SWITCH_START),
    };
    struct timeline timeline = built(6, events, 9);
    assert_int_equal(timeline.task_count, 3);
    assert_span(&timeline.tasks[0], 0, 1, 2, SPAN_RUNNING, 0);
    assert_span(&timeline.tasks[1], 1, 4, 5, SPAN_RUNNING, 1); /* its end was lost */
    assert_span(&timeline.tasks[2], 0, 5, 9, SPAN_READY, -1);
    timeline_release(&timeline);
}

static void test_names(void **state)
{
    (void)state;
    struct switch_event events[] = {event(1, 10, 10, 0, SWITCH_START), event(1, 10, 10, 0, SWITCH_IN),
                                    event(2, 10, 10, 0, SWITCH_NAME),  event(3, 10, 11, 0, SWITCH_START),
                                    event(4, 10, 10, 0, SWITCH_NAME),  event(5, 12, 12, 0, SWITCH_START)};
    events[2].number = 0;
    events[4].number = 1;
    struct timeline timeline = built(6, events, 9);
    assert_string_equal(timeline.tasks[0].name, "second");
    assert_string_equal(timeline.tasks[1].name, "second"); /* a thread: its process's */
    assert_string_equal(timeline.tasks[2].name, "");
    timeline_release(&timeline);
}

static void test_nothing(void **state)
{
    (void)state;
    struct switch_event outside = event(20, 10, 10, 0, SWITCH_IN);
    struct timeline timeline = built(0, &outside, 9);
    assert_int_equal(timeline.task_count, 0);
    timeline_release(&timeline);
    timeline = built(1, &outside, 9);
    assert_int_equal(timeline.task_count, 0);
    timeline_release(&timeline);
}

/* --- The timeline as data. --------------------------------------------------------------------------------------- */

static void add_turns(struct timeline *timeline, pid_t tid, int turns)
{
    const struct timeline_task task = {.pid = 1, .tid = tid, .rank = -1, .thread = -1};
    assert_int_equal(timeline_add_task(timeline, &task), 0);
    for (int i = 0; i < turns; i++) {
        const struct timeline_span span = {i, i + 1, i % 2 ? SPAN_READY : SPAN_RUNNING, i % 2 ? -1 : 3};
        assert_int_equal(timeline_add_span(&timeline->tasks[timeline->task_count - 1], &span), 0);
    }
    timeline->length_s = fmax(timeline->length_s, turns);
}

static void test_cut(void **state)
{
    (void)state;
    struct timeline timeline;
    timeline_init(&timeline);
    timeline.start_s = 100;
    add_turns(&timeline, 1, 2);
    add_turns(&timeline, 2, 9);
    timeline_cut(&timeline, 2.5, 5.5);
    assert_int_equal(timeline.task_count, 1); /* the other one had ended */
    assert_near(timeline.start_s, 102.5, 1e-12);
    assert_near(timeline.length_s, 3, 1e-12);
    assert_int_equal(timeline.tasks[0].tid, 2);
    assert_int_equal(timeline.tasks[0].span_count, 4);
    assert_span(&timeline.tasks[0], 0, 0, 500, SPAN_RUNNING, 3);
    assert_span(&timeline.tasks[0], 3, 2500, 3000, SPAN_READY, -1);
    timeline_cut(&timeline, 0, 99);
    assert_near(timeline.length_s, 3, 1e-12);
    /* It can still grow. */
    for (int i = 0; i < 100; i++) {
        const struct timeline_span span = {3 + i, 4 + i, i % 2 ? SPAN_READY : SPAN_BLOCKED, -1};
        assert_int_equal(timeline_add_span(&timeline.tasks[0], &span), 0);
    }
    assert_int_equal(timeline.tasks[0].span_count, 104);
    timeline_release(&timeline);
}

static void test_limit(void **state)
{
    (void)state;
    struct timeline timeline;
    timeline_init(&timeline);
    add_turns(&timeline, 1, 50);
    add_turns(&timeline, 2, 50);
    timeline_limit(&timeline, 100);
    assert_string_equal(timeline.incomplete, "");
    assert_near(timeline.length_s, 50, 1e-12);
    timeline_limit(&timeline, 20);
    assert_non_null(strstr(timeline.incomplete, "of 50 s are kept"));
    assert_true(timeline.tasks[0].span_count + timeline.tasks[1].span_count <= 22);
    assert_true(timeline.tasks[0].span_count >= 9);
    timeline_release(&timeline);
}

static void test_spans_join(void **state)
{
    (void)state;
    struct timeline timeline;
    timeline_init(&timeline);
    add_turns(&timeline, 1, 1);
    struct timeline_task *task = &timeline.tasks[0];
    assert_int_equal(timeline_add_span(task, &(struct timeline_span){1, 1, SPAN_READY, -1}), 0);
    assert_int_equal(timeline_add_span(task, &(struct timeline_span){1, 2, SPAN_RUNNING, 3}), 0);
    assert_int_equal(task->span_count, 1);
    assert_int_equal(timeline_add_span(task, &(struct timeline_span){2, 3, SPAN_RUNNING, 4}), 0);
    assert_int_equal(task->span_count, 2);
    timeline_release(&timeline);
}

static void test_workers_come_first(void **state)
{
    (void)state;
    struct timeline timeline;
    struct worker_times workers[] = {{.host = "here", .rank = 1, .tid = 7, .wait_s = 0.5, .voluntary = 3},
                                     {.host = "here", .rank = 0, .tid = 9},
                                     {.host = "there", .rank = 2, .tid = 8}};
    timeline_init(&timeline);
    snprintf(timeline.host, sizeof timeline.host, "here");
    for (pid_t tid = 6; tid < 10; tid++) add_turns(&timeline, tid, 1);
    timeline_name_workers(&timeline, 3, workers);
    const pid_t expected[] = {9, 7, 6, 8};
    for (int i = 0; i < 4; i++) assert_int_equal(timeline.tasks[i].tid, expected[i]);
    assert_int_equal(timeline.tasks[1].rank, 1);
    assert_near(timeline.tasks[1].accounted_wait_s, 0.5, 0);
    assert_int_equal(timeline.tasks[1].voluntary, 3);
    assert_int_equal(timeline.tasks[3].rank, -1); /* that number belongs to a worker on another host */
    assert_true(isnan(timeline.tasks[3].accounted_wait_s));
    timeline_release(&timeline);
}

/* --- Real tasks. ------------------------------------------------------------------------------------------------- */

enum pattern { PATTERN_SPIN, PATTERN_SLEEP, PATTERN_YIELD };

/* What a task tells of itself, in memory that is shared with the test. */
struct account {
    pid_t tid;
    double begin_s, end_s;
    struct thread_counters begin, end;
};

struct scene {
    int tasks, cpus[TASKS_MAX];
    enum pattern pattern;
    double duration_s;
    struct account *accounts;
    struct timeline timeline;
};

struct actor {
    const struct scene *scene;
    int index;
    pthread_barrier_t *together;
};

static void nap(double seconds)
{
    const struct timespec time = {.tv_nsec = (long)(1e9 * seconds)};
    nanosleep(&time, NULL);
}

/* The counters and the instant at which they were read, which must not lie apart. */
static void read_account(struct thread_counters *counters_p, double *when_p)
{
    double before_s;
    do {
        before_s = clock_wall_s();
        thread_counters_read(counters_p);
        *when_p = clock_wall_s();
    } while (*when_p - before_s > 100e-6);
}

static void *act(void *context)
{
    const struct actor *actor = context;
    const struct scene *scene = actor->scene;
    struct account *account = &scene->accounts[actor->index];
    if (bind_thread(scene->cpus[actor->index])) _exit(9);
    account->tid = thread_id();
    pthread_barrier_wait(actor->together);
    read_account(&account->begin, &account->begin_s);
    double end_s = account->begin_s + scene->duration_s;
    for (double next_s = account->begin_s + 1e-3; clock_wall_s() < end_s;) {
        if (scene->pattern == PATTERN_SPIN || clock_wall_s() < next_s) continue;
        if (scene->pattern == PATTERN_SLEEP)
            nap(2e-3);
        else
            sched_yield();
        next_s = clock_wall_s() + 1e-3;
    }
    read_account(&account->end, &account->end_s);
    return NULL;
}

static void play(const struct scene *scene)
{
    pthread_t threads[TASKS_MAX];
    struct actor actors[TASKS_MAX];
    pthread_barrier_t together;
    pthread_barrier_init(&together, NULL, (unsigned)scene->tasks);
    for (int i = 0; i < scene->tasks; i++) {
        actors[i] = (struct actor){scene, i, &together};
        if (pthread_create(&threads[i], NULL, act, &actors[i])) _exit(8);
    }
    for (int i = 0; i < scene->tasks; i++) pthread_join(threads[i], NULL);
    _exit(0);
}

/* The test is the harness: it records, drains, and makes the timeline. */
static void watch(struct scene *scene)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct switches *switches;
    struct error error;
    char reason[128];
    int cpus[CPUS_MAX], status = 0;
    assert_int_equal(machine_read(machine, &error), 0);
    for (int i = 0; i < machine->cpu_count; i++) cpus[i] = machine->cpus[i].os_index;
    if (switches_open(machine->cpu_count, cpus, &switches, sizeof reason, reason)) fail_msg("%s", reason);
    free(machine);
    const int *descriptors;
    int count = switches_descriptors(switches, &descriptors);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) play(scene);
    for (pid_t ended = 0; ended != child; ended = waitpid(child, &status, WNOHANG)) {
        struct pollfd polled[64];
        for (int i = 0; i < count && i < 64; i++) polled[i] = (struct pollfd){descriptors[i], POLLIN, 0};
        if (poll(polled, (nfds_t)(count < 64 ? count : 64), 20) > 0) switches_drain(switches);
    }
    assert_int_equal(status, 0);
    assert_int_equal(switches_timeline(switches, &scene->timeline), 0);
    switches_close(switches);
}

static void prepare(struct scene *scene, int tasks, int cpus, enum pattern pattern, double duration_s)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct cpu_list order;
    struct error error;
    assert_int_equal(machine_read(machine, &error), 0);
    machine_cpu_order(machine, true, &order);
    free(machine);
    if (order.count < cpus) skip();
    *scene = (struct scene){.tasks = tasks, .pattern = pattern, .duration_s = duration_s};
    for (int i = 0; i < tasks; i++) scene->cpus[i] = order.cpus[i % cpus];
    scene->accounts =
        mmap(NULL, TASKS_MAX * sizeof *scene->accounts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(scene->accounts, MAP_FAILED);
    watch(scene);
}

static void scene_release(struct scene *scene)
{
    munmap(scene->accounts, TASKS_MAX * sizeof *scene->accounts);
    timeline_release(&scene->timeline);
}

static const struct timeline_task *task_of(const struct scene *scene, int index)
{
    for (int t = 0; t < scene->timeline.task_count; t++)
        if (scene->timeline.tasks[t].tid == scene->accounts[index].tid) return &scene->timeline.tasks[t];
    fail_msg("task %d is not in the timeline", index);
    return NULL;
}

/* What the timeline says of a task while it acted. */
struct seen {
    double state_s[3];
    int blocked, ready; /* switches */
    bool elsewhere;     /* it ran on another CPU than its own */
};

static struct seen look(const struct scene *scene, int index)
{
    const struct timeline_task *task = task_of(scene, index);
    const struct account *account = &scene->accounts[index];
    double begin_s = account->begin_s - scene->timeline.start_s, end_s = account->end_s - scene->timeline.start_s;
    struct seen seen = {.blocked = 0};
    for (int i = 0; i < task->span_count; i++) {
        const struct timeline_span *span = &task->spans[i];
        double part_s = fmin(span->end_s, end_s) - fmax(span->begin_s, begin_s);
        if (part_s <= 0) continue;
        seen.state_s[span->state] += part_s;
        seen.elsewhere |= span->state == SPAN_RUNNING && span->cpu != scene->cpus[index];
        if (span->begin_s <= begin_s) continue;
        seen.blocked += span->state == SPAN_BLOCKED;
        seen.ready += span->state == SPAN_READY;
    }
    return seen;
}

static void assert_true_to_accounts(const struct scene *scene)
{
    if (scene->timeline.incomplete[0]) fail_msg("incomplete: %s", scene->timeline.incomplete);
    for (int i = 0; i < scene->tasks; i++) {
        const struct account *account = &scene->accounts[i];
        const struct seen seen = look(scene, i);
        double wall_s = account->end_s - account->begin_s;
        double wait_s = account->end.runqueue_wait_s - account->begin.runqueue_wait_s;
        double cpu_s = account->end.cpu_s - account->begin.cpu_s;
        int64_t voluntary = account->end.voluntary - account->begin.voluntary;
        int64_t involuntary = account->end.involuntary - account->begin.involuntary;
        double allowed_s = 0.5e-3 * fmax(1, wall_s / 0.3);
        assert_false(seen.elsewhere);
        /* A switch itself is on the account of the task that ran before. */
        assert_near(seen.state_s[SPAN_RUNNING], cpu_s, allowed_s + 10e-6 * (double)(voluntary + involuntary));
        /* The system's wait begins when a task is woken; the records tell only that it was blocked before it ran. A
         * task that never blocks leaves no room between the two. */
        assert_true(wait_s >= seen.state_s[SPAN_READY] - allowed_s);
        assert_true(wait_s <= seen.state_s[SPAN_READY] + seen.state_s[SPAN_BLOCKED] + allowed_s);
        assert_true(llabs(seen.blocked - voluntary) <= 1);
        assert_true(llabs(seen.ready - involuntary) <= 1);
    }
}

/* How long both ran at the same instant, after both had begun to act. (Before they bind themselves they run anywhere.)
 */
static double overlap_s(const struct scene *scene, int a, int b)
{
    const struct timeline_task *left = task_of(scene, a), *right = task_of(scene, b);
    double sum_s = 0;
    double begin_s = fmax(scene->accounts[a].begin_s, scene->accounts[b].begin_s) - scene->timeline.start_s;
    for (int i = 0, k = 0; i < left->span_count && k < right->span_count;) {
        const struct timeline_span *x = &left->spans[i], *y = &right->spans[k];
        if (x->state == SPAN_RUNNING && y->state == SPAN_RUNNING)
            sum_s += fmax(0, fmin(x->end_s, y->end_s) - fmax(begin_s, fmax(x->begin_s, y->begin_s)));
        if (x->end_s < y->end_s)
            i++;
        else
            k++;
    }
    return sum_s;
}

static void test_four_on_one_core_never_overlap(void **state)
{
    (void)state;
    struct scene scene;
    prepare(&scene, 4, 1, PATTERN_SPIN, 0.3);
    assert_true_to_accounts(&scene);
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < a; b++) assert_true(overlap_s(&scene, a, b) <= 0);
    scene_release(&scene);
}

/* Where nothing else wants a core, all of the time; what others took, the system's accounts tell. */
static void test_two_on_two_cores_overlap(void **state)
{
    (void)state;
    struct scene scene;
    double waited_s = 0;
    prepare(&scene, 2, 2, PATTERN_SPIN, 0.3);
    assert_true_to_accounts(&scene);
    for (int i = 0; i < 2; i++) {
        const struct account *account = &scene.accounts[i];
        waited_s += account->end.runqueue_wait_s - account->begin.runqueue_wait_s;
    }
    double both_s = fmin(scene.accounts[0].end_s, scene.accounts[1].end_s) -
                    fmax(scene.accounts[0].begin_s, scene.accounts[1].begin_s);
    assert_true(overlap_s(&scene, 0, 1) >= 0.95 * both_s - waited_s);
    scene_release(&scene);
}

static void test_sleepers(void **state)
{
    (void)state;
    struct scene scene;
    prepare(&scene, 3, 1, PATTERN_SLEEP, 0.3);
    assert_true_to_accounts(&scene);
    for (int i = 0; i < 3; i++) assert_true(look(&scene, i).blocked > 10);
    scene_release(&scene);
}

static void test_yielders(void **state)
{
    (void)state;
    struct scene scene;
    prepare(&scene, 3, 1, PATTERN_YIELD, 0.3);
    assert_true_to_accounts(&scene);
    for (int i = 0; i < 3; i++) assert_true(look(&scene, i).ready > 10);
    scene_release(&scene);
}

static double long_s = 1;

static void test_sixteen_lose_nothing(void **state)
{
    (void)state;
    struct scene scene;
    prepare(&scene, 16, 1, PATTERN_SPIN, long_s);
    assert_true_to_accounts(&scene);
    scene_release(&scene);
}

/* The same by a user without privileges: in a child that gives them up. */
static void test_ordinary_user(void **state)
{
    (void)state;
    if (geteuid() != 0) skip(); /* then all of the above is by one already */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char reason[128];
        if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)) _exit(2);
        if (!switches_available(sizeof reason, reason)) {
            printf("%s\n", reason);
            _exit(3);
        }
        struct scene scene;
        prepare(&scene, 4, 1, PATTERN_SPIN, 0.3);
        bool good = scene.timeline.incomplete[0] == '\0';
        for (int i = 0; i < 4; i++) {
            const struct account *account = &scene.accounts[i];
            double cpu_s = account->end.cpu_s - account->begin.cpu_s;
            good &= fabs(look(&scene, i).state_s[SPAN_RUNNING] - cpu_s) < 1e-3;
        }
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 3) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest by_hand[] = {
        cmocka_unit_test(test_two_take_turns),
        cmocka_unit_test(test_first_record_tells_what_was_before),
        cmocka_unit_test(test_numbers_are_used_again),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_spans_join),
        cmocka_unit_test(test_workers_come_first),
    };
    const struct CMUnitTest real[] = {
        cmocka_unit_test(test_four_on_one_core_never_overlap),
        cmocka_unit_test(test_two_on_two_cores_overlap),
        cmocka_unit_test(test_sleepers),
        cmocka_unit_test(test_yielders),
        cmocka_unit_test(test_sixteen_lose_nothing),
        cmocka_unit_test(test_ordinary_user),
    };
    char reason[128];
    if (argc > 1) long_s = strtod(argv[1], NULL);
    int failed = cmocka_run_group_tests(by_hand, NULL, NULL);
    if (switches_available(sizeof reason, reason)) return failed + cmocka_run_group_tests(real, NULL, NULL);
    printf("Real tasks were not watched: %s\n", reason);
    return failed;
}
