/* What the operating system tells of threads and CPUs, against what is really done to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/observe/sample.h"
#include "../src/observe/thread.h"
#include "../src/place/machine.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double HOG_WALL_S = 0.6;

static void burn_wall(double duration_s)
{
    for (double end_s = clock_wall_s() + duration_s; clock_wall_s() < end_s;) continue;
}

static void sleep_ms(long duration_ms)
{
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = duration_ms * 1000000L}, NULL);
}

static void schedstat_texts_are_parsed(void **state)
{
    (void)state;
    assert_float_equal(schedstat_parse_wait("123456789 2500000000 17\n"), 2.5, 1e-12);
    assert_true(isnan(schedstat_parse_wait("0 0 0"))); /* switched off */
    assert_true(isnan(schedstat_parse_wait("")));
    assert_true(isnan(schedstat_parse_wait("12 34")));
    assert_true(isnan(schedstat_parse_wait("none of these")));
}

static void cpu_stat_texts_are_parsed(void **state)
{
    (void)state;
    assert_float_equal(cgroup_parse_throttled("usage_usec 5\nnr_throttled 3\nthrottled_usec 1500000\n"), 1.5, 1e-12);
    assert_float_equal(cgroup_parse_throttled("nr_periods 0\nnr_throttled 0\nthrottled_time 250000000\n"), 0.25, 1e-12);
    assert_true(isnan(cgroup_parse_throttled("usage_usec 5\n")));
    assert_true(isnan(cgroup_parse_throttled("core_throttled_usec 5\n")));
    assert_true(isnan(cgroup_parse_throttled("")));
}

static void clocks_and_counters_never_go_back(void **state)
{
    (void)state;
    struct thread_counters begin, end;
    double wall_s = clock_wall_s();
    assert_true(clock_date_s() > 1.6e9);
    thread_counters_read(&begin);
    for (int i = 0; i < 200; i++) {
        thread_counters_read(&end);
        assert_true(end.cpu_s > begin.cpu_s);
        assert_true(end.cpu >= 0);
        assert_true(end.voluntary >= begin.voluntary && end.involuntary >= begin.involuntary);
        assert_false(end.runqueue_wait_s < begin.runqueue_wait_s);
        assert_true(clock_wall_s() > wall_s);
        begin = end;
    }
}

static void sleeps_are_voluntary_switches_and_take_no_cpu_time(void **state)
{
    (void)state;
    struct thread_counters begin, end;
    double wall_s = clock_wall_s();
    thread_counters_read(&begin);
    for (int i = 0; i < 20; i++) sleep_ms(5);
    thread_counters_read(&end);
    wall_s = clock_wall_s() - wall_s;
    assert_true(end.voluntary - begin.voluntary >= 20);
    assert_true(end.cpu_s - begin.cpu_s < wall_s / 2);
}

static void *note_thread(void *argument)
{
    struct thread_counters *counters = argument;
    thread_counters_read(counters);
    return NULL;
}

static void counters_are_those_of_the_calling_thread(void **state)
{
    (void)state;
    struct thread_counters mine, others = {.cpu_s = NAN};
    pthread_t thread;
    burn_wall(0.05);
    assert_int_equal(pthread_create(&thread, NULL, note_thread, &others), 0);
    pthread_join(thread, NULL);
    thread_counters_read(&mine);
    assert_true(others.cpu_s < mine.cpu_s);
    assert_int_equal(thread_id(), getpid());
}

/* What a worker would report of the time between two sets of counters, all of it useful. */
static void fill_worker(struct worker_times *worker_p, int cpu, double wall_s, const struct thread_counters *begin,
                        const struct thread_counters *end)
{
    *worker_p = (struct worker_times){.host = "here",
                                      .end_s = wall_s,
                                      .wall_s = wall_s,
                                      .cpu_s = end->cpu_s - begin->cpu_s,
                                      .wait_s = end->runqueue_wait_s - begin->runqueue_wait_s,
                                      .cpu_asked = cpu,
                                      .mask_as_asked = true,
                                      .cpu_seen_count = 1,
                                      .cpus_seen = {cpu},
                                      .cpu_total_busy_s = NAN,
                                      .cpu_steal_s = NAN};
}

static pid_t start_hog(int cpu)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (bind_thread(cpu) < 0) _exit(1);
    for (;;) continue;
}

/* A real hog on the core of a worker that has it for itself: seen by the counters, and judged so. */
static void a_real_hog_shows_in_wait_and_judgement(void **state)
{
    (void)state;
    struct cpu_list before;
    struct thread_counters begin, end;
    struct cpu_counters cpu_begin, cpu_end;
    struct worker_times worker;
    struct sample sample;

    thread_counters_read(&begin);
    if (isnan(begin.runqueue_wait_s)) skip();
    assert_true(bind_read(&before) > 0);
    int cpu = before.cpus[0];
    assert_int_equal(bind_thread(cpu), 0);
    pid_t hog = start_hog(cpu);
    assert_true(hog > 0);
    sleep_ms(20);
    double wall_s = clock_wall_s();
    cpu_counters_read(1, &cpu, &cpu_begin);
    thread_counters_read(&begin);
    burn_wall(HOG_WALL_S);
    thread_counters_read(&end);
    cpu_counters_read(1, &cpu, &cpu_end);
    wall_s = clock_wall_s() - wall_s;
    kill(hog, SIGKILL);
    waitpid(hog, NULL, 0);
    bind_process(&before);

    fill_worker(&worker, cpu, wall_s, &begin, &end);
    assert_true(worker.wait_s > 0.1 * wall_s);
    assert_true(worker.cpu_s + worker.wait_s > 0.8 * wall_s);
    assert_true(worker.cpu_s + worker.wait_s < 1.02 * wall_s);
    assert_true(end.involuntary > begin.involuntary);
    assert_int_equal(end.cpu, cpu);
    assert_true(cpu_end.busy_s - cpu_begin.busy_s > worker.cpu_s);

    sample_init(&sample);
    sample.correct = true;
    sample.wall_s = wall_s;
    sample.throttled_s = NAN;
    sample.worker_count = 1;
    sample.workers = &worker;
    sample_derive(&sample);
    sample_judge(&sample);
    assert_int_equal(sample.validity, SAMPLE_INVALID);
    assert_non_null(strstr(sample.invalid_reason, "another program held CPU"));
}

struct sharer {
    pthread_t thread;
    pthread_barrier_t *barrier;
    int cpu;
    double wall_s;
    struct thread_counters begin, end;
};

static void *share_core(void *argument)
{
    struct sharer *sharer = argument;
    bind_thread(sharer->cpu);
    pthread_barrier_wait(sharer->barrier);
    thread_counters_read(&sharer->begin);
    double begin_s = clock_wall_s();
    burn_wall(HOG_WALL_S);
    sharer->wall_s = clock_wall_s() - begin_s;
    pthread_barrier_wait(sharer->barrier);
    thread_counters_read(&sharer->end);
    return NULL;
}

/* Our own workers on one core wait for each other: with and without a hog beside them. */
static void held_by_others(int hogs, double *share_p)
{
    enum { SHARERS = 3 };
    struct sharer sharers[SHARERS];
    struct worker_times workers[SHARERS];
    struct sample sample;
    struct cpu_load load;
    struct cpu_list allowed;
    pthread_barrier_t barrier;

    assert_true(bind_read(&allowed) > 0);
    pid_t hog = hogs > 0 ? start_hog(allowed.cpus[0]) : 0;
    pthread_barrier_init(&barrier, NULL, SHARERS);
    for (int i = 0; i < SHARERS; i++) {
        sharers[i] = (struct sharer){.barrier = &barrier, .cpu = allowed.cpus[0]};
        assert_int_equal(pthread_create(&sharers[i].thread, NULL, share_core, &sharers[i]), 0);
    }
    sample_init(&sample);
    for (int i = 0; i < SHARERS; i++) {
        pthread_join(sharers[i].thread, NULL);
        fill_worker(&workers[i], allowed.cpus[0], sharers[i].wall_s, &sharers[i].begin, &sharers[i].end);
        sample.wall_s = fmax(sample.wall_s, sharers[i].wall_s);
    }
    if (hog > 0) {
        kill(hog, SIGKILL);
        waitpid(hog, NULL, 0);
    }
    pthread_barrier_destroy(&barrier);
    sample.worker_count = SHARERS;
    sample.workers = workers;
    sample_derive(&sample);
    assert_true(sample_cpu_load(&sample, 0, &load));
    assert_int_equal(load.workers, SHARERS);
    assert_false(sample_cpu_load(&sample, 1, &load));
    *share_p = load.held_s / sample.wall_s;
}

static void a_real_hog_is_told_from_our_own_workers(void **state)
{
    (void)state;
    double alone, hogged;
    struct thread_counters counters;
    thread_counters_read(&counters);
    if (isnan(counters.runqueue_wait_s)) skip();
    held_by_others(0, &alone);
    held_by_others(1, &hogged);
    assert_true(hogged > 0.05);
    assert_true(hogged > alone);
}

static void idle_and_busy_cpus_are_told_apart(void **state)
{
    (void)state;
    struct cpu_list before;
    struct cpu_counters begin, end;
    assert_true(bind_read(&before) > 0);
    int cpu = before.cpus[0];
    bind_thread(cpu);
    cpu_counters_read(1, &cpu, &begin);
    double cpu_s = clock_thread_cpu_s();
    burn_wall(0.3);
    cpu_s = clock_thread_cpu_s() - cpu_s;
    cpu_counters_read(1, &cpu, &end);
    bind_process(&before);
    assert_true(end.busy_s - begin.busy_s > cpu_s - 0.05);
    assert_true(end.steal_s >= begin.steal_s);

    const int nowhere[] = {cpu, 1000000};
    struct cpu_counters both[2];
    cpu_counters_read(2, nowhere, both);
    assert_true(both[0].busy_s >= end.busy_s);
    assert_true(isnan(both[1].busy_s) && isnan(both[1].steal_s));
}

static void throttling_only_grows(void **state)
{
    (void)state;
    double throttled_s = cgroup_throttled_s();
    if (isnan(throttled_s)) skip();
    assert_true(throttled_s >= 0);
    assert_true(cgroup_throttled_s() >= throttled_s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedstat_texts_are_parsed),
        cmocka_unit_test(cpu_stat_texts_are_parsed),
        cmocka_unit_test(clocks_and_counters_never_go_back),
        cmocka_unit_test(sleeps_are_voluntary_switches_and_take_no_cpu_time),
        cmocka_unit_test(counters_are_those_of_the_calling_thread),
        cmocka_unit_test(a_real_hog_shows_in_wait_and_judgement),
        cmocka_unit_test(a_real_hog_is_told_from_our_own_workers),
        cmocka_unit_test(idle_and_busy_cpus_are_told_apart),
        cmocka_unit_test(throttling_only_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
