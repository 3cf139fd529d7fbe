/* Timelines from /proc: what is built from made-up counters against the schedule they were made from, and a live run.
 * No time is asserted but what must hold on a busy machine too: against the tasks' own clocks, within the error told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/observe/sampler.h"
#include "../src/observe/sampler_build.h"
#include "../src/observe/thread.h"
#include "../src/place/machine.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A schedule: who has which CPU from when to when, and since when it had been ready. In ms. */
struct turn {
    int task, cpu;
    double ready, begin, end;
};

enum { TASKS_MAX = 8, TURNS_MAX = 4000 };
static const double tick_ms = 4;

struct schedule {
    int tasks, count;
    struct turn turns[TURNS_MAX];
    double born[TASKS_MAX], gone[TASKS_MAX]; /* -1: lives on */
};

static void add(struct schedule *schedule, int task, int cpu, double ready, double begin, double end)
{
    assert_true(schedule->count < TURNS_MAX);
    schedule->turns[schedule->count++] = (struct turn){task, cpu, ready, begin, end};
}

/* What the system would tell of a task at a moment: time on the core is charged at departures and ticks, a wait when it
 * ends. */
static struct sighting tell(const struct schedule *schedule, int task, double ms)
{
    struct sighting sighting = {.first_s = 1e-3 * ms, .last_s = 1e-3 * ms};
    double ran = 0, waited = 0;
    for (int i = 0; i < schedule->count; i++) {
        const struct turn *turn = &schedule->turns[i];
        if (turn->task != task || turn->ready > ms) continue;
        sighting.runnable = ms < turn->end;
        sighting.cpu = turn->cpu;
        if (turn->begin > ms) continue;
        sighting.turns++;
        waited += turn->begin - turn->ready;
        double charged = ms >= turn->end ? turn->end : floor(ms / tick_ms) * tick_ms;
        ran += fmax(0, charged - turn->begin);
    }
    sighting.ran_ns = (uint64_t)llround(1e6 * ran);
    sighting.waited_ns = (uint64_t)llround(1e6 * waited);
    return sighting;
}

/* Looks as the sampler does: what is unchanged is the same sighting. */
static void look(struct sampled_task *task, const struct sighting *now)
{
    struct sighting *last = task->count > 0 ? &task->sightings[task->count - 1] : NULL;
    if (last && last->ran_ns == now->ran_ns && last->waited_ns == now->waited_ns && last->turns == now->turns) {
        last->last_s = now->last_s;
        return;
    }
    task->sightings = realloc(task->sightings, (size_t)(task->count + 1) * sizeof *task->sightings);
    assert_non_null(task->sightings);
    task->sightings[task->count++] = *now;
}

/* Looks at the schedule's tasks at these moments, and builds. */
static struct timeline build(const struct schedule *schedule, int looks, const double at_ms[], double *error_s_p)
{
    struct sampled_task tasks[TASKS_MAX];
    struct timeline timeline;
    memset(tasks, 0, sizeof tasks);
    for (int t = 0; t < schedule->tasks; t++) {
        tasks[t].tid = tasks[t].pid = 100 + t;
        tasks[t].gone_s = NAN;
        for (int i = 0; i < looks; i++) {
            if (at_ms[i] < schedule->born[t]) {
                tasks[t].born_after_s = 1e-3 * at_ms[i];
            } else if (schedule->gone[t] >= 0 && at_ms[i] >= schedule->gone[t]) {
                tasks[t].gone_s = 1e-3 * at_ms[i];
                break;
            } else {
                const struct sighting now = tell(schedule, t, at_ms[i]);
                look(&tasks[t], &now);
            }
        }
    }
    timeline_init(&timeline);
    assert_int_equal(sampler_build(true, 0, schedule->tasks, tasks, &timeline, error_s_p), 0);
    for (int t = 0; t < schedule->tasks; t++) free(tasks[t].sightings);
    return timeline;
}

static struct timeline build_every_ms(const struct schedule *schedule, int looks, double *error_s_p)
{
    double at_ms[1000];
    for (int i = 0; i < looks; i++) at_ms[i] = i + 0.3;
    return build(schedule, looks, at_ms, error_s_p);
}

static double sum_s(const struct timeline_task *task, enum span_state state)
{
    double sum = 0;
    for (int i = 0; i < task->span_count; i++)
        if (task->spans[i].state == state) sum += task->spans[i].end_s - task->spans[i].begin_s;
    return sum;
}

static void assert_near(double value, double expected, double allowed)
{
    if (!(fabs(value - expected) <= allowed)) fail_msg("%g is not within %g of %g", value, allowed, expected);
}

/* One behind the other without gaps, with a CPU where and only where they run. */
static void assert_spans_sound(const struct timeline_task *task)
{
    assert_true(task->span_count > 0);
    for (int i = 0; i < task->span_count; i++) {
        const struct timeline_span *span = &task->spans[i];
        assert_true(span->end_s > span->begin_s);
        assert_true(span->begin_s >= 0);
        assert_int_equal(span->cpu >= 0, span->state == SPAN_RUNNING);
        if (i > 0) assert_near(span->begin_s, task->spans[i - 1].end_s, 1e-12);
    }
}

/* How long two tasks had the same CPU at once. */
static double shared_s(const struct timeline_task *a, const struct timeline_task *b)
{
    double sum = 0;
    for (int i = 0; i < a->span_count; i++)
        for (int k = 0; k < b->span_count; k++) {
            const struct timeline_span *x = &a->spans[i], *y = &b->spans[k];
            if (x->state != SPAN_RUNNING || y->state != SPAN_RUNNING || x->cpu != y->cpu) continue;
            sum += fmax(0, fmin(x->end_s, y->end_s) - fmax(x->begin_s, y->begin_s));
        }
    return sum;
}

static void assert_never_two_at_once(const struct timeline *timeline)
{
    for (int i = 0; i < timeline->task_count; i++) {
        assert_spans_sound(&timeline->tasks[i]);
        for (int k = 0; k < i; k++) assert_near(shared_s(&timeline->tasks[i], &timeline->tasks[k]), 0, 1e-9);
    }
}

/* The begin of the running span that begins nearest to the instant. */
static double nearest_begin_s(const struct timeline_task *task, double instant_s)
{
    double nearest_s = INFINITY;
    for (int i = 0; i < task->span_count; i++)
        if (task->spans[i].state == SPAN_RUNNING &&
            fabs(task->spans[i].begin_s - instant_s) < fabs(nearest_s - instant_s))
            nearest_s = task->spans[i].begin_s;
    return nearest_s;
}

/* Four tasks share a CPU for 4.01 ms each: slices are found, and placed far better than the time between looks. */
static void test_taking_turns(void **state)
{
    (void)state;
    struct schedule schedule = {.tasks = 4, .gone = {-1, -1, -1, -1}};
    for (int i = 0; i < 32; i++) {
        double begin = 4.01 * i;
        add(&schedule, i % 4, 1, i < 4 ? 0 : begin - 3 * 4.01, begin, begin + 4.01);
    }
    double error_s;
    struct timeline timeline = build_every_ms(&schedule, 97, &error_s);
    assert_int_equal(timeline.task_count, 4);
    assert_near(error_s, 1e-3, 1e-6);
    assert_never_two_at_once(&timeline);
    for (int i = 0; i < 24; i++)
        assert_near(nearest_begin_s(&timeline.tasks[i % 4], 4.01e-3 * i), 4.01e-3 * i, 0.05e-3);
    for (int t = 0; t < 4; t++) {
        assert_near(sum_s(&timeline.tasks[t], SPAN_RUNNING), 6 * 4.01e-3, 1e-3);
        assert_near(sum_s(&timeline.tasks[t], SPAN_BLOCKED), 0, 1e-12);
    }
    timeline_release(&timeline);
}

static void test_two_at_once(void **state)
{
    (void)state;
    struct schedule schedule = {.tasks = 2, .gone = {-1, -1}};
    add(&schedule, 0, 0, 0, 0, 1000);
    add(&schedule, 1, 1, 0, 0, 1000);
    double error_s;
    struct timeline timeline = build_every_ms(&schedule, 80, &error_s);
    assert_int_equal(timeline.task_count, 2);
    for (int t = 0; t < 2; t++) {
        assert_near(sum_s(&timeline.tasks[t], SPAN_RUNNING), 79e-3, 1e-3);
        assert_int_equal(timeline.tasks[t].spans[timeline.tasks[t].span_count - 1].cpu, t);
    }
    timeline_release(&timeline);
}

/* It works 0.4 ms every 5 ms, and takes the core from one that never sleeps. */
static void test_sleeper(void **state)
{
    (void)state;
    struct schedule schedule = {.tasks = 2, .gone = {-1, -1}};
    for (int i = 0; i < 20; i++) {
        double begin = 5.02 * i;
        add(&schedule, 0, 0, begin - 0.1 * (i > 0), begin, begin + 0.4);
        add(&schedule, 1, 0, begin, begin + 0.4, begin + 5.02);
    }
    double error_s;
    struct timeline timeline = build_every_ms(&schedule, 100, &error_s);
    const struct timeline_task *sleeper = &timeline.tasks[0], *other = &timeline.tasks[1];
    assert_never_two_at_once(&timeline);
    assert_near(sum_s(sleeper, SPAN_RUNNING), 20 * 0.4e-3, 1e-3);
    assert_near(sum_s(sleeper, SPAN_READY), 19 * 0.1e-3, 1e-3);
    assert_near(sum_s(sleeper, SPAN_BLOCKED), 90e-3, 2e-3);
    assert_near(sum_s(other, SPAN_RUNNING), 92e-3, 2e-3);
    assert_near(sum_s(other, SPAN_BLOCKED), 0, 1e-3);
    for (int i = 1; i < 20; i++) assert_near(nearest_begin_s(sleeper, 5.02e-3 * i), 5.02e-3 * i, error_s);
    timeline_release(&timeline);
}

static void test_starts_and_ends(void **state)
{
    (void)state;
    struct schedule schedule = {.tasks = 3, .born = {0, 10.6, 20.1}, .gone = {-1, 31.7, 20.2}};
    add(&schedule, 0, 0, 0, 0, 10.6);
    add(&schedule, 1, 0, 10.6, 10.6, 31.7);
    add(&schedule, 0, 0, 10.6, 31.7, 100);
    double error_s;
    struct timeline timeline = build_every_ms(&schedule, 60, &error_s);
    /* One that lives between two looks is not seen. */
    assert_int_equal(timeline.task_count, 2);
    const struct timeline_task *late = &timeline.tasks[1];
    assert_int_equal(late->tid, 101);
    assert_never_two_at_once(&timeline);
    assert_near(late->spans[0].begin_s, 10.6e-3, 1e-3);
    assert_near(late->spans[late->span_count - 1].end_s, 31.7e-3, 1e-3);
    assert_near(sum_s(late, SPAN_RUNNING), 21.1e-3, 1e-3);
    assert_near(sum_s(&timeline.tasks[0], SPAN_READY), 21.1e-3, 1e-3);
    assert_near(sum_s(&timeline.tasks[0], SPAN_RUNNING), 59.3e-3 - 21.1e-3, 1e-3);
    timeline_release(&timeline);
}

/* Last seen able to run, charged long ago while looks went on: it waits, though nobody else of the run has the core. */
static void test_waits_for_a_stranger(void **state)
{
    (void)state;
    struct schedule schedule = {.tasks = 1, .gone = {-1}};
    add(&schedule, 0, 0, 0, 0, 12);
    add(&schedule, 0, 0, 12, 500, 501);
    double error_s;
    struct timeline timeline = build_every_ms(&schedule, 90, &error_s);
    assert_near(sum_s(&timeline.tasks[0], SPAN_RUNNING), 12e-3, 1e-3);
    assert_near(sum_s(&timeline.tasks[0], SPAN_READY), 77e-3, 1e-3);
    timeline_release(&timeline);
}

/* Turns far shorter than the time between looks: sums alone are known. */
static void test_yielding(void **state)
{
    (void)state;
    struct schedule schedule = {.tasks = 2, .gone = {-1, -1}};
    for (int i = 0; i < 1600; i++) {
        double begin = 0.05 * i;
        add(&schedule, i % 2, 0, i < 2 ? 0 : begin - 0.05, begin, begin + 0.05);
    }
    double error_s;
    struct timeline timeline = build_every_ms(&schedule, 80, &error_s);
    assert_never_two_at_once(&timeline);
    for (int t = 0; t < 2; t++) {
        assert_near(sum_s(&timeline.tasks[t], SPAN_RUNNING), 40e-3, 4e-3);
        assert_near(sum_s(&timeline.tasks[t], SPAN_READY), 40e-3, 4e-3);
    }
    timeline_release(&timeline);
}

static double random_between(double low, double high)
{
    return low + (high - low) * (double)(rand() % 100000) / 1e5;
}

/* Anything: the CPU goes to a random task after a random time, some wait for it and some sleep; looks come unevenly. */
static void make_random(struct schedule *schedule, double length_ms)
{
    double free_at[TASKS_MAX] = {0};
    for (int t = 0; t < schedule->tasks; t++) schedule->gone[t] = -1;
    for (int cpu = 0; cpu < 2; cpu++)
        for (double at = 0; at < length_ms;) {
            int task = 2 * (rand() % (schedule->tasks / 2)) + cpu;
            double length = rand() % 4 == 0 ? random_between(0.02, 0.5) : random_between(0.5, 6);
            double ready = rand() % 3 == 0 ? random_between(free_at[task], at) : free_at[task];
            add(schedule, task, cpu, ready, at, at + length);
            at += length;
            free_at[task] = at;
            if (rand() % 3 == 0) at += random_between(0, 3);
        }
}

/* How many turns that are not short there were, and how many of them are placed within the error. */
struct placed {
    int count, good;
};

static void count_placed(const struct schedule *schedule, const struct timeline *timeline, double error_s,
                         struct placed *placed)
{
    for (int i = 0; i < schedule->count; i++) {
        const struct turn *turn = &schedule->turns[i];
        if (turn->end - turn->begin < 0.5 || turn->begin > 190) continue;
        for (int t = 0; t < timeline->task_count; t++) {
            if (timeline->tasks[t].tid != 100 + turn->task) continue;
            double differs_s = fabs(nearest_begin_s(&timeline->tasks[t], 1e-3 * turn->begin) - 1e-3 * turn->begin);
            placed->count++;
            placed->good += differs_s <= error_s;
        }
    }
}

static void test_random_schedules(void **state)
{
    (void)state;
    struct placed placed = {.count = 0};
    struct schedule *schedule = calloc(1, sizeof *schedule);
    assert_non_null(schedule);
    srand(7);
    for (int round = 0; round < 100; round++) {
        double at_ms[600] = {0.2}, longest_ms = 0;
        *schedule = (struct schedule){.tasks = 6};
        make_random(schedule, 200);
        int looks = 1;
        for (; looks < 600 && at_ms[looks - 1] < 200; looks++) {
            at_ms[looks] = at_ms[looks - 1] + (rand() % 20 == 0 ? random_between(1, 8) : random_between(0.9, 1.1));
            longest_ms = fmax(longest_ms, at_ms[looks] - at_ms[looks - 1]);
        }
        double error_s;
        struct timeline timeline = build(schedule, looks, at_ms, &error_s);
        assert_true(error_s <= 1e-3 * longest_ms + 1e-9);
        assert_never_two_at_once(&timeline);
        count_placed(schedule, &timeline, error_s, &placed);
        for (int t = 0; t < timeline.task_count; t++) {
            const struct timeline_task *task = &timeline.tasks[t];
            double ran_ms = 0;
            for (int i = 0; i < schedule->count; i++)
                if (schedule->turns[i].task == task->tid - 100 && schedule->turns[i].begin < at_ms[looks - 1])
                    ran_ms += fmin(schedule->turns[i].end, at_ms[looks - 1]) - schedule->turns[i].begin;
            assert_near(sum_s(task, SPAN_RUNNING), 1e-3 * ran_ms, fmax(2 * error_s, 0.05e-3 * ran_ms));
        }
        timeline_release(&timeline);
    }
    assert_true(placed.count > 1000);
    assert_true(placed.good >= 0.97 * placed.count);
    free(schedule);
}

/* Counters that no system should tell. */
static void test_odd_counters(void **state)
{
    (void)state;
    struct sighting sightings[] = {
        {.first_s = 1, .last_s = 1.001, .ran_ns = UINT64_MAX, .waited_ns = 5, .turns = UINT64_MAX, .runnable = true},
        {.first_s = 1.002, .last_s = 1.001, .ran_ns = 7, .waited_ns = UINT64_MAX, .turns = 3},
        {.first_s = 1.003, .last_s = 1.9, .ran_ns = UINT64_MAX, .waited_ns = 0, .turns = 4, .cpu = 700},
    };
    struct sampled_task tasks[] = {{.tid = 1, .born_after_s = 0.9, .gone_s = 2, .count = 3, .sightings = sightings},
                                   {.tid = 2, .gone_s = NAN}};
    struct timeline timeline;
    double error_s;
    timeline_init(&timeline);
    assert_int_equal(sampler_build(true, 0.5, 2, tasks, &timeline, &error_s), 0);
    assert_int_equal(timeline.task_count, 1);
    assert_spans_sound(&timeline.tasks[0]);
    assert_true(timeline.tasks[0].spans[timeline.tasks[0].span_count - 1].end_s <= 1.5);
    timeline_release(&timeline);
    assert_int_equal(sampler_build(true, 0, 0, NULL, &timeline, &error_s), 0);
    assert_int_equal(timeline.task_count, 0);
    assert_int_equal(sampler_build(false, 0, 0, NULL, &timeline, &error_s), 0);
    timeline_release(&timeline);
}

/* Without an account of turns: two take turns of 4 ms, a third has a CPU of its own; CPU time moves in steps of 10 ms.
 */
static void test_without_counters(void **state)
{
    (void)state;
    struct sampled_task tasks[3];
    memset(tasks, 0, sizeof tasks);
    for (int t = 0; t < 3; t++) {
        tasks[t].tid = t + 1;
        tasks[t].gone_s = NAN;
        for (int ms = 1; ms <= 400; ms++) {
            int ran_ms =
                t == 2 ? ms : ms / 8 * 4 + (t == 0 ? (ms % 8 < 4 ? ms % 8 : 4) : (ms % 8 < 4 ? 0 : ms % 8 - 4));
            const struct sighting now = {.first_s = 1e-3 * ms,
                                         .last_s = 1e-3 * ms,
                                         .ran_ns = 10000000u * (unsigned)(ran_ms / 10),
                                         .cpu = t == 2,
                                         .runnable = true};
            look(&tasks[t], &now);
        }
    }
    struct timeline timeline;
    double error_s;
    timeline_init(&timeline);
    assert_int_equal(sampler_build(false, 0, 3, tasks, &timeline, &error_s), 0);
    assert_int_equal(timeline.task_count, 3);
    assert_never_two_at_once(&timeline);
    /* The error is the time between rises, far longer than that between looks. */
    assert_true(error_s >= 10e-3);
    for (int t = 0; t < 2; t++) assert_near(sum_s(&timeline.tasks[t], SPAN_RUNNING), 200e-3, 20e-3);
    assert_near(sum_s(&timeline.tasks[2], SPAN_READY), 0, 1e-12);
    assert_near(sum_s(&timeline.tasks[2], SPAN_RUNNING), 400e-3, 2e-3);
    timeline_release(&timeline);
    for (int t = 0; t < 3; t++) free(tasks[t].sightings);
}

/* A live run: a child with threads on one CPU, three of which never sleep. What they tell of themselves. */
enum { THREADS = 4 };
struct account {
    pid_t tid;
    double cpu_s;
};

struct actor {
    struct account *account;
    int cpu;
    bool sleeps;
};

static void *act(void *context)
{
    const struct actor *actor = context;
    const struct timespec nap = {.tv_nsec = 3000000};
    if (bind_thread(actor->cpu)) _exit(9);
    actor->account->tid = thread_id();
    double end_s = clock_wall_s() + 0.3;
    for (double next_s = 0; clock_wall_s() < end_s;)
        if (actor->sleeps && clock_wall_s() > next_s) {
            nanosleep(&nap, NULL);
            next_s = clock_wall_s() + 1e-3;
        }
    actor->account->cpu_s = clock_thread_cpu_s();
    return NULL;
}

static struct account *map_accounts(int memory)
{
    struct account *accounts =
        mmap(NULL, (size_t)THREADS * sizeof *accounts, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (accounts == MAP_FAILED) _exit(7);
    return accounts;
}

/* Another start of this program: test_sampler play MEMORY CPU. */
static int play(int memory, int cpu)
{
    struct account *accounts = map_accounts(memory);
    pthread_t threads[THREADS];
    struct actor actors[THREADS];
    for (int i = 0; i < THREADS; i++) {
        actors[i] = (struct actor){&accounts[i], cpu, i == THREADS - 1};
        if (pthread_create(&threads[i], NULL, act, &actors[i])) _exit(8);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return 0;
}

static const struct timeline_task *find_task(const struct timeline *timeline, pid_t tid)
{
    for (int t = 0; t < timeline->task_count; t++)
        if (timeline->tasks[t].tid == tid) return &timeline->tasks[t];
    return NULL;
}

static struct timeline watch(int memory, int cpu)
{
    struct sampler *sampler;
    struct timeline timeline;
    int status = 0;
    double before_s = clock_wall_s();
    timeline_init(&timeline);
    assert_int_equal(sampler_new(1, &cpu, 0, 0, &sampler), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char memory_text[16], cpu_text[16];
        snprintf(memory_text, sizeof memory_text, "%d", memory);
        snprintf(cpu_text, sizeof cpu_text, "%d", cpu);
        execl("/proc/self/exe", "test_sampler", "play", memory_text, cpu_text, NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(sampler_stop(sampler, &timeline), 0);
    if (!sampler_note(sampler)[0]) assert_true(timeline.error_s > 0);
    sampler_free(sampler);
    assert_int_equal(timeline.tier, TIMELINE_SAMPLED);
    assert_true(timeline.start_s >= before_s && timeline.start_s + timeline.length_s <= clock_wall_s());
    assert_int_equal(timeline.cpu_count, 1);
    assert_int_equal(timeline.cpus[0].cpu, cpu);
    assert_string_equal(timeline.incomplete, "");
    return timeline;
}

/* Whether running times are those of the tasks' own clocks. */
static bool is_true_to_clocks(const struct timeline *timeline, const struct account accounts[])
{
    for (int i = 0; i < THREADS; i++) {
        const struct timeline_task *task = find_task(timeline, accounts[i].tid);
        if (!task) return false;
        double differs_s = fabs(sum_s(task, SPAN_RUNNING) - accounts[i].cpu_s);
        if (differs_s > fmax(2 * timeline->error_s, 0.05 * accounts[i].cpu_s)) return false;
    }
    return true;
}

static void test_live(void **state)
{
    (void)state;
    int memory = memfd_create("accounts", 0);
    assert_true(memory >= 0);
    assert_int_equal(ftruncate(memory, (off_t)((size_t)THREADS * sizeof(struct account))), 0);
    struct account *accounts = map_accounts(memory);
    bool right = false;
    int cpu = sched_getcpu();
    for (int attempt = 0; attempt < 3 && !right; attempt++) {
        struct timeline timeline = watch(memory, cpu);
        assert_never_two_at_once(&timeline);
        right = is_true_to_clocks(&timeline, accounts);
        timeline_release(&timeline);
    }
    assert_true(right);
    close(memory);
    munmap(accounts, (size_t)THREADS * sizeof *accounts);
}

/* Ends, and leaves a child behind that has left its session; its number goes through the pipe. */
static void leave_orphan(const int ends[2])
{
    pid_t orphan = fork();
    if (orphan == 0) {
        setsid();
        pause();
        _exit(0);
    }
    if (write(ends[1], &orphan, sizeof orphan) != (ssize_t)sizeof orphan) _exit(9);
    _exit(0);
}

/* Grandchildren are watched, whose parent has gone; children that were there before are not. We are the subreaper, as
 * the harness is. */
static void test_descendants(void **state)
{
    (void)state;
    struct sampler *sampler;
    struct timeline timeline;
    int ends[2];
    pid_t orphan = 0;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t bystander = fork();
    if (bystander == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(sampler_new(0, NULL, 0, 0, &sampler), 0);
    pid_t child = fork();
    if (child == 0) leave_orphan(ends);
    assert_int_equal(read(ends[0], &orphan, sizeof orphan), sizeof orphan);
    assert_int_equal(waitpid(child, NULL, 0), child);
    timeline_init(&timeline);
    assert_int_equal(sampler_stop(sampler, &timeline), 0);
    sampler_free(sampler);
    kill(bystander, SIGKILL);
    kill(orphan, SIGKILL);
    assert_int_equal(waitpid(bystander, NULL, 0), bystander);
    assert_int_equal(waitpid(orphan, NULL, 0), orphan);
    assert_non_null(find_task(&timeline, orphan));
    assert_null(find_task(&timeline, bystander));
    timeline_release(&timeline);
    close(ends[0]);
    close(ends[1]);
}

static void test_stopped_by_free(void **state)
{
    (void)state;
    struct sampler *sampler;
    int cpu = 0;
    assert_int_equal(sampler_new(1, &cpu, 10, 0, &sampler), 0);
    sampler_free(sampler); /* at once, not after ten seconds */
    sampler_free(NULL);
}

int main(int argc, char *argv[])
{
    if (argc == 4 && strcmp(argv[1], "play") == 0) return play(atoi(argv[2]), atoi(argv[3]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taking_turns),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_sleeper),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_waits_for_a_stranger),
        cmocka_unit_test(test_yielding),
        cmocka_unit_test(test_random_schedules),
        cmocka_unit_test(test_odd_counters),
        cmocka_unit_test(test_without_counters),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_descendants),
        cmocka_unit_test(test_stopped_by_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
