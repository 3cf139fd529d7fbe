/* The judge, fed with samples that hold what it must detect, and with those that it must leave in peace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/observe/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An undisturbed sample: `workers` workers dealt to `cpus` CPUs, all busy to the end, sharing each CPU fairly. */
static void make_sample(struct sample *sample_p, double wall_s, int workers, int cpus)
{
    sample_init(sample_p);
    sample_p->config.mode.wait_policy = WAIT_YIELD;
    sample_p->wall_s = wall_s;
    sample_p->throttled_s = 0;
    sample_p->correct = true;
    sample_p->work = 1e9;
    sample_p->worker_count = workers;
    sample_p->workers = calloc((size_t)workers, sizeof *sample_p->workers);
    assert_non_null(sample_p->workers);
    for (int i = 0; i < workers; i++) {
        struct worker_times *worker = &sample_p->workers[i];
        int sharing = (workers - i % cpus + cpus - 1) / cpus;
        strcpy(worker->host, "node1");
        worker->rank = i;
        worker->tid = 100 + i;
        worker->end_s = wall_s;
        worker->wall_s = wall_s;
        worker->cpu_s = wall_s / sharing;
        worker->wait_s = wall_s - worker->cpu_s;
        worker->involuntary = 10;
        worker->cpu_asked = i % cpus;
        worker->mask_as_asked = true;
        worker->cpu_seen_count = 1;
        worker->cpus_seen[0] = i % cpus;
        worker->cpu_total_busy_s = wall_s;
    }
}

static void expect(struct sample *sample, enum validity validity, const char *reason)
{
    sample_derive(sample);
    sample_judge(sample);
    if (validity == SAMPLE_VALID && sample->validity != validity) print_error("reason: %s\n", sample->invalid_reason);
    assert_int_equal(sample->validity, validity);
    if (!strstr(sample->invalid_reason, reason))
        fail_msg("the reason is \"%s\", not \"%s\"", sample->invalid_reason, reason);
    sample_release(sample);
}

static void expect_valid(struct sample *sample)
{
    expect(sample, SAMPLE_VALID, "");
}

static void undisturbed_samples_are_valid(void **state)
{
    (void)state;
    static const struct {
        int workers, cpus;
    } shapes[] = {{1, 1}, {2, 1}, {4, 1}, {16, 1}, {2, 2}, {3, 2}, {8, 4}, {5, 3}};
    struct sample sample;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (double wall_s = 0.2; wall_s < 5; wall_s *= 2) {
            make_sample(&sample, wall_s, shapes[i].workers, shapes[i].cpus);
            expect_valid(&sample);
        }
}

static void a_verdict_is_made_anew_each_time(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 1, 1);
    sample.validity = SAMPLE_INVALID;
    strcpy(sample.invalid_reason, "left over");
    sample_derive(&sample);
    sample_judge(&sample);
    assert_int_equal(sample.validity, SAMPLE_VALID);
    assert_string_equal(sample.invalid_reason, "");
    sample_release(&sample);
}

/* A hog takes a fair share of CPU 0 beside our workers there. */
static void add_hog(struct sample *sample)
{
    int ours = 0;
    for (int i = 0; i < sample->worker_count; i++) ours += sample->workers[i].cpu_asked == 0;
    for (int i = 0; i < sample->worker_count; i++) {
        struct worker_times *worker = &sample->workers[i];
        if (worker->cpu_asked != 0) continue;
        worker->cpu_s = sample->wall_s / (ours + 1);
        worker->wait_s = sample->wall_s - worker->cpu_s;
    }
}

static void a_hog_on_a_dedicated_core_is_found(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 0.25, 1, 1);
    add_hog(&sample);
    expect(&sample, SAMPLE_INVALID, "another program held CPU 0 for at least 50 % of the time");
    make_sample(&sample, 0.25, 4, 4);
    add_hog(&sample);
    expect(&sample, SAMPLE_INVALID, "CPU 0");
}

static void a_hog_on_a_shared_core_is_found(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 0.25, 2, 1);
    add_hog(&sample);
    expect(&sample, SAMPLE_INVALID, "another program held CPU 0 for at least 33 % of the time");
    make_sample(&sample, 0.25, 4, 1);
    add_hog(&sample);
    expect(&sample, SAMPLE_INVALID, "at least 20 %");
    make_sample(&sample, 0.25, 3, 2);
    add_hog(&sample);
    expect(&sample, SAMPLE_INVALID, "at least 33 %");
    /* Spinning costs some resolution, but a hog does not hide in it. */
    make_sample(&sample, 0.25, 4, 1);
    sample.config.mode.wait_policy = WAIT_SPIN;
    add_hog(&sample);
    expect(&sample, SAMPLE_INVALID, "at least 20 %");
}

/* An older kernel stops real-time tasks for 50 ms of a second, and nobody else need have run. */
static void a_real_time_sample_may_have_met_the_systems_limit(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 1, 1);
    sample.config.mode.scheduling.policy = POLICY_FIFO;
    sample.workers[0].cpu_s = 0.95;
    sample.workers[0].wait_s = 0.05;
    expect(&sample, SAMPLE_INVALID, "at least 5 % of the time, or the system's limit for real-time tasks did");
    make_sample(&sample, 1, 1, 1);
    sample.workers[0].cpu_s = 0.95;
    sample.workers[0].wait_s = 0.05;
    expect(&sample, SAMPLE_INVALID, "at least 5 % of the time");
    /* One task after the other: the second has waited for all of the first. */
    make_sample(&sample, 0.8, 2, 1);
    sample.config.mode.scheduling.policy = POLICY_FIFO;
    sample.config.mode.wait_policy = WAIT_BLOCK;
    sample.workers[0].wait_s = 0;
    sample.workers[0].end_s = sample.workers[0].wall_s = 0.4;
    expect_valid(&sample);
}

/* Spinning workers let each other run after a slice, however long it was chosen; a nice of its own disturbs nobody. */
static void a_chosen_slice_is_tolerated_and_a_nice_is_no_disturbance(void **state)
{
    (void)state;
    struct sample sample;
    for (int slice_ns = 0; slice_ns <= 40000000; slice_ns += 40000000) {
        make_sample(&sample, 0.5, 2, 1);
        sample.config.mode.wait_policy = WAIT_SPIN;
        sample.config.mode.scheduling.slice_ns = slice_ns;
        sample.workers[0].wait_s += 0.045;
        expect(&sample, slice_ns ? SAMPLE_VALID : SAMPLE_INVALID, "");
    }
    make_sample(&sample, 1.5, 1, 1);
    sample.config.mode.scheduling.nice = 19;
    expect_valid(&sample);
}

static void a_hog_that_lets_us_run_is_found_in_proc_stat(void **state)
{
    (void)state;
    struct sample sample;
    for (int own_percent = 10; own_percent < 60; own_percent += 10) {
        make_sample(&sample, 1.5, 2, 2);
        sample.workers[1].cpu_s = own_percent * 0.01 * 1.5;
        sample.workers[1].wait_s = 0;
        sample.workers[1].cpu_total_busy_s = sample.workers[1].cpu_s + 0.3;
        expect(&sample, SAMPLE_INVALID, "other programs used 20 % of the time of CPU 1");
    }
    /* In less than a second the counters are too coarse for that. */
    make_sample(&sample, 0.9, 1, 1);
    sample.workers[0].cpu_s = 0.5;
    sample.workers[0].wait_s = 0;
    expect_valid(&sample);
}

static void wrong_placement_is_found(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 2, 2);
    sample.workers[1].cpus_seen[sample.workers[1].cpu_seen_count++] = 3;
    expect(&sample, SAMPLE_INVALID, "worker 1 was to run on CPU 1 but was seen on CPU 3");
    make_sample(&sample, 1, 2, 2);
    sample.workers[0].mask_as_asked = false;
    expect(&sample, SAMPLE_INVALID, "worker 0 was to be bound to CPU 0 alone");
    /* Also in samples too short for anything else. */
    make_sample(&sample, 0.001, 2, 2);
    sample.workers[1].cpus_seen[0] = 0;
    expect(&sample, SAMPLE_INVALID, "seen on CPU 0");
    /* Where nothing was asked, nothing can be wrong. */
    make_sample(&sample, 1, 1, 1);
    sample.workers[0].cpu_asked = -1;
    sample.workers[0].mask_as_asked = false;
    expect_valid(&sample);
}

static void more_cpu_time_than_cpus_is_found(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 2, 1);
    for (int i = 0; i < 2; i++) {
        sample.workers[i].cpu_s = 0.95;
        sample.workers[i].wait_s = 0;
    }
    expect(&sample, SAMPLE_INVALID, "2 workers used 1.90 s of CPU time within 1.00 s: more than CPU 0 has");
}

static void several_hosts_are_kept_apart(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 2, 1);
    strcpy(sample.workers[1].host, "node2");
    for (int i = 0; i < 2; i++) {
        sample.workers[i].cpu_s = 1;
        sample.workers[i].wait_s = 0;
    }
    sample_derive(&sample);
    assert_float_equal(sample.parallelism, 2, 1e-12);
    sample.workers[1].wait_s = 0.4;
    sample.workers[1].cpu_s = 0.6;
    expect(&sample, SAMPLE_INVALID, "another program held CPU 0 of node2 for at least 40 % of the time");
}

/* The way for many workers finds what the plain one does. */
static void loads_of_all_are_those_of_each(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 60, 7);
    for (int machines = -1; machines <= 1; machines++) {
        sample.machines = machines;
        for (int i = 0; i < 60; i++) {
            snprintf(sample.workers[i].host, sizeof sample.workers[i].host, "node%d", i % 3);
            sample.workers[i].wait_s = i % 5 ? 0.1 * i : NAN;
            sample.workers[i].cpu_total_busy_s = i % 11 ? 1 + 0.01 * i : NAN;
            sample.workers[i].cpu_asked = i % 13 ? i % 7 : -1;
        }
        struct cpu_load *loads = sample_cpu_loads(&sample), each, all;
        assert_non_null(loads);
        for (int i = 0; i < 60; i++) {
            bool first = sample_cpu_load(&sample, i, &each);
            assert_int_equal(sample_cpu_load_of(&sample, loads, i, &all), first);
            if (!first) continue;
            assert_int_equal(all.workers, each.workers);
            assert_true(all.own_s == each.own_s);
            assert_memory_equal(&all.busy_s, &each.busy_s, sizeof all.busy_s);
            assert_memory_equal(&all.steal_s, &each.steal_s, sizeof all.steal_s);
            assert_memory_equal(&all.held_s, &each.held_s, sizeof all.held_s);
            assert_true(sample_cpu_load_of(&sample, NULL, i, &all));
            assert_int_equal(all.workers, each.workers);
        }
        free(loads);
    }
    sample_release(&sample);
}

/* A sample of a large machine is judged in no time: each with each would be 10^10 comparisons. */
static void many_workers_are_judged(void **state)
{
    (void)state;
    enum { WORKERS = 100000, CORES = 64 };
    struct sample sample;
    make_sample(&sample, 1, WORKERS, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        struct worker_times *worker = &sample.workers[i];
        snprintf(worker->host, sizeof worker->host, "node%d", i / CORES);
        worker->cpu_asked = worker->cpus_seen[0] = i % CORES;
    }
    sample.workers[WORKERS - 1].wait_s = 0.4;
    sample.workers[WORKERS - 1].cpu_s = 0.6;
    expect(&sample, SAMPLE_INVALID, "another program held CPU 31 of node1562 for at least 40 % of the time");
}

static void imbalance_and_waiting_are_no_disturbance(void **state)
{
    (void)state;
    struct sample sample;
    /* Two workers of one core, one with a third of the other's work. */
    make_sample(&sample, 1.2, 2, 1);
    sample.workers[0] = (struct worker_times){.host = "node1",
                                              .end_s = 0.6,
                                              .wall_s = 0.6,
                                              .cpu_s = 0.3,
                                              .wait_s = 0.3,
                                              .mask_as_asked = true,
                                              .cpu_seen_count = 1,
                                              .cpu_total_busy_s = 1.2};
    sample.workers[1].cpu_s = 0.9;
    sample.workers[1].wait_s = 0.3;
    expect_valid(&sample);
    /* The light one spins while it waits for the heavy one: idle time, but ours. */
    make_sample(&sample, 1.2, 2, 1);
    sample.workers[0].wall_s = sample.workers[0].end_s = 0.6;
    sample.workers[0].cpu_s = 0.3;
    sample.workers[0].idle_cpu_s = 0.3;
    sample.workers[0].wait_s = 0.6;
    sample.workers[1].cpu_s = 0.6;
    sample.workers[1].wait_s = 0.6;
    expect_valid(&sample);
    /* Four workers that mostly sleep, on one core. */
    make_sample(&sample, 1.2, 4, 1);
    for (int i = 0; i < 4; i++) {
        sample.workers[i].cpu_s = 0.2;
        sample.workers[i].wait_s = 0.1;
        sample.workers[i].cpu_total_busy_s = 0.81;
    }
    expect_valid(&sample);
}

static void short_samples_are_not_judged(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 0.003, 1, 1);
    expect(&sample, SAMPLE_NOT_JUDGED, "too short: 3 ms; disturbance is judged from 200 ms on");
    make_sample(&sample, 0.19, 1, 1);
    add_hog(&sample);
    expect(&sample, SAMPLE_NOT_JUDGED, "too short");
    make_sample(&sample, 0, 1, 1);
    expect(&sample, SAMPLE_NOT_JUDGED, "too short");
    make_sample(&sample, NAN, 1, 1);
    sample_derive(&sample);
    sample_judge(&sample);
    assert_int_not_equal(sample.validity, SAMPLE_VALID);
    sample_release(&sample);
}

static void a_wrong_answer_comes_before_all(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 0.003, 1, 1);
    sample.correct = false;
    sample.workers[0].mask_as_asked = false;
    strcpy(sample.check_detail, "block 7 counts 12, not 13");
    expect(&sample, SAMPLE_INVALID, "wrong answer: block 7 counts 12, not 13");
}

static void quota_and_steal_are_found(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 1, 2, 2);
    sample.config.mode.cpus.count = 2;
    sample.throttled_s = 0.5; /* on two CPUs at once */
    expect(&sample, SAMPLE_INVALID, "the control group's CPU quota was used up: it was stopped for 0.25 s of 1.00 s");
    make_sample(&sample, 1, 2, 2);
    sample.throttled_s = 0.001;
    expect_valid(&sample);
    make_sample(&sample, 1, 2, 2);
    sample.workers[1].cpu_steal_s = 0.12;
    expect(&sample, SAMPLE_INVALID, "the hypervisor took 12 % of the time of CPU 1 (steal)");
    /* One step of the counter is no evidence. */
    make_sample(&sample, 0.25, 2, 2);
    sample.workers[1].cpu_steal_s = 0.01;
    expect_valid(&sample);
}

static void what_was_not_observed_is_named_and_not_judged(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 2, 2, 2);
    sample.throttled_s = NAN;
    for (int i = 0; i < 2; i++) {
        sample.workers[i].wait_s = NAN;
        sample.workers[i].cpu_total_busy_s = NAN;
        sample.workers[i].cpu_steal_s = NAN;
        sample.workers[i].voluntary = -1;
    }
    sample_derive(&sample);
    assert_true(isnan(sample.wait_s) && isnan(sample.steal_s) && isnan(sample.foreign_cpu_s));
    assert_int_equal(sample.voluntary, -1);
    assert_int_equal(sample.involuntary, -1);
    static const char *const names[] = {"wait_s:", "switches:", "steal_s:", "foreign_cpu_s:", "throttled_s:"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) assert_non_null(strstr(sample.unobserved, names[i]));
    expect(&sample, SAMPLE_NOT_JUDGED,
           "cannot be judged: this system does not tell how long tasks wait for a core; samples of 1 s or more can be, "
           "by /proc/stat");
    /* Where /proc/stat tells, a long sample can be judged by it, and a short one cannot. */
    make_sample(&sample, 2, 2, 2);
    for (int i = 0; i < 2; i++) sample.workers[i].wait_s = NAN;
    expect_valid(&sample);
    make_sample(&sample, 0.5, 2, 2);
    for (int i = 0; i < 2; i++) sample.workers[i].wait_s = NAN;
    expect(&sample, SAMPLE_NOT_JUDGED,
           "cannot be judged: this system does not tell how long tasks wait for a core; samples of 1 s or more can be, "
           "by /proc/stat");
    /* One unobserved worker does not hide what the other saw. */
    make_sample(&sample, 2, 2, 1);
    add_hog(&sample);
    sample.workers[0].wait_s = NAN;
    expect(&sample, SAMPLE_INVALID, "another program held CPU 0");
}

static void a_hog_on_the_other_hardware_thread_is_found(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 0.5, 2, 2);
    sample.workers[0].sibling_busy_s = NAN; /* no other hardware thread */
    sample.workers[1].sibling_busy_s = 0.02;
    expect_valid(&sample);
    make_sample(&sample, 0.5, 2, 2);
    sample.workers[1].sibling_busy_s = 0.45;
    expect(&sample, SAMPLE_INVALID,
           "another program used the other hardware thread of the core of CPU 1 for 90 % of the time");
}

static void sums_follow_from_the_workers(void **state)
{
    (void)state;
    struct sample sample;
    make_sample(&sample, 2, 4, 1);
    for (int i = 0; i < 4; i++) {
        sample.workers[i].voluntary = 3;
        sample.workers[i].comm_s = 0.1;
        sample.workers[i].comm_cpu_s = 0.05;
        sample.workers[i].cpu_s = 0.4;
        sample.workers[i].idle_cpu_s = 0.05;
        sample.workers[i].cpu_total_busy_s = 2;
        sample.workers[i].cpu_steal_s = 0.5;
    }
    sample_derive(&sample);
    assert_float_equal(sample.cpu_s, 2, 1e-12);
    assert_float_equal(sample.concurrency, 4, 1e-12);
    assert_float_equal(sample.parallelism, 1, 1e-12);
    assert_float_equal(sample.rate, 5e8, 1);
    assert_float_equal(sample.comm_s, 0.4, 1e-12);
    assert_float_equal(sample.steal_s, 0.5, 1e-12);
    assert_float_equal(sample.foreign_cpu_s, 0, 1e-12);
    assert_int_equal(sample.voluntary, 12);
    assert_int_equal(sample.involuntary, 40);
    assert_true(sample.placed_as_asked);
    for (int i = 0; i < 4; i++) sample.workers[i].cpu_s = 0.2;
    sample_derive(&sample);
    assert_float_equal(sample.foreign_cpu_s, 0.8, 1e-12);
    sample_release(&sample);
}

static void cpus_seen_are_listed_once_in_order(void **state)
{
    (void)state;
    struct sample sample, copy;
    struct cpu_list list;
    make_sample(&sample, 1, 3, 3);
    sample.workers[0].cpus_seen[0] = 5;
    sample.workers[1].cpus_seen[1] = 0;
    sample.workers[1].cpu_seen_count = 2;
    sample.workers[2].cpus_seen[0] = 5;
    assert_int_equal(sample_copy(&sample, &copy), 0);
    sample_release(&sample);
    sample_cpus_seen(&copy, &list);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.cpus[0], 0);
    assert_int_equal(list.cpus[1], 1);
    assert_int_equal(list.cpus[2], 5);
    sample_release(&copy);
    assert_null(copy.workers);
}

/* Of a command on CPUs 0 and 1 that was seen whole. */
static void make_command(struct sample *sample_p, double process_s)
{
    make_sample(sample_p, process_s / 10, 2, 2);
    sample_p->config.command.word_count = 1;
    sample_p->config.command.bind = true;
    sample_p->config.mode.cpus = (struct cpu_list){.count = 2, .cpus = {0, 1}};
    sample_p->process_s = process_s;
    sample_p->held_s = sample_p->steal_s = sample_p->foreign_cpu_s = 0;
    sample_p->placed_as_asked = true;
}

static void commands_are_judged_over_the_time_of_their_processes(void **state)
{
    (void)state;
    struct sample sample;
    make_command(&sample, 0.02);
    expect_valid(&sample);
    make_command(&sample, 0.019);
    expect(&sample, SAMPLE_NOT_JUDGED, "too short: 19 ms; disturbance is judged from 20 ms on");
    /* What was to be timed may be any part of it. */
    make_command(&sample, 1);
    sample.wall_s = 1e-6;
    expect_valid(&sample);
    make_command(&sample, 1);
    sample.correct = false;
    strcpy(sample.check_detail, "it ended with status 3");
    expect(&sample, SAMPLE_INVALID, "wrong answer: it ended with status 3");
    make_command(&sample, 1);
    sample.throttled_s = 0.2;
    expect(&sample, SAMPLE_INVALID, "quota was used up: it was stopped for 0.10 s of 1.00 s");
}

static void commands_that_place_themselves_are_found(void **state)
{
    (void)state;
    struct sample sample;
    for (int bind = 0; bind < 2; bind++) {
        make_command(&sample, 1);
        sample.config.command.bind = bind;
        sample.placed_as_asked = false;
        sample.workers[1].cpus_seen[0] = 5;
        if (bind)
            expect(&sample, SAMPLE_INVALID,
                   "a task of the command ran on CPU 5, outside of CPUs 0,1: it sets its own mask (--no-bind");
        else
            expect_valid(&sample);
    }
}

static void disturbance_of_commands_is_found(void **state)
{
    (void)state;
    struct sample sample;
    make_command(&sample, 1);
    sample.held_s = 0.0200;
    expect_valid(&sample);
    make_command(&sample, 1);
    sample.held_s = 0.0202;
    expect(&sample, SAMPLE_INVALID, "another program held one of CPUs 0,1 for at least 2 % of the time");
    make_command(&sample, 1);
    sample.steal_s = 0.3;
    expect(&sample, SAMPLE_INVALID, "the hypervisor took 15 % of the time of CPUs 0,1");
    make_command(&sample, 2);
    sample.foreign_cpu_s = 0.5;
    expect(&sample, SAMPLE_INVALID, "other programs used 0.50 s of CPUs 0,1 within 2.00 s");
    make_command(&sample, 0.9); /* too short for that */
    sample.foreign_cpu_s = 0.5;
    sample.wait_s = 0;
    expect_valid(&sample);
    make_command(&sample, 0.9); /* and yet in the way */
    sample.foreign_cpu_s = sample.wait_s = 0.5;
    expect(&sample, SAMPLE_INVALID, "other programs used 0.50 s of CPUs 0,1 within 0.90 s, while tasks of the command");
    make_command(&sample, 0.9); /* tasks that took turns with each other */
    sample.wait_s = 0.5;
    sample.foreign_cpu_s = 0.05;
    expect_valid(&sample);
    make_command(&sample, 0.19); /* /proc/stat's steps are too long for it */
    sample.wait_s = sample.foreign_cpu_s = 0.1;
    expect_valid(&sample);
}

static void commands_without_records_are_judged_from_a_second_on(void **state)
{
    (void)state;
    struct sample sample;
    make_command(&sample, 0.9);
    sample.held_s = NAN;
    expect(&sample, SAMPLE_NOT_JUDGED, "only samples of 1 s or more can be judged");
    make_command(&sample, 1.5);
    sample.held_s = NAN;
    expect_valid(&sample);
    make_command(&sample, 1.5);
    sample.held_s = NAN;
    sample.foreign_cpu_s = 1;
    expect(&sample, SAMPLE_INVALID, "other programs used");
    make_command(&sample, 1.5);
    sample.held_s = sample.foreign_cpu_s = NAN;
    expect(&sample, SAMPLE_NOT_JUDGED, "neither context-switch records nor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undisturbed_samples_are_valid),
        cmocka_unit_test(a_verdict_is_made_anew_each_time),
        cmocka_unit_test(a_hog_on_a_dedicated_core_is_found),
        cmocka_unit_test(a_hog_on_a_shared_core_is_found),
        cmocka_unit_test(a_real_time_sample_may_have_met_the_systems_limit),
        cmocka_unit_test(a_chosen_slice_is_tolerated_and_a_nice_is_no_disturbance),
        cmocka_unit_test(a_hog_that_lets_us_run_is_found_in_proc_stat),
        cmocka_unit_test(wrong_placement_is_found),
        cmocka_unit_test(more_cpu_time_than_cpus_is_found),
        cmocka_unit_test(several_hosts_are_kept_apart),
        cmocka_unit_test(loads_of_all_are_those_of_each),
        cmocka_unit_test(many_workers_are_judged),
        cmocka_unit_test(imbalance_and_waiting_are_no_disturbance),
        cmocka_unit_test(short_samples_are_not_judged),
        cmocka_unit_test(a_wrong_answer_comes_before_all),
        cmocka_unit_test(quota_and_steal_are_found),
        cmocka_unit_test(a_hog_on_the_other_hardware_thread_is_found),
        cmocka_unit_test(what_was_not_observed_is_named_and_not_judged),
        cmocka_unit_test(sums_follow_from_the_workers),
        cmocka_unit_test(commands_are_judged_over_the_time_of_their_processes),
        cmocka_unit_test(commands_that_place_themselves_are_found),
        cmocka_unit_test(disturbance_of_commands_is_found),
        cmocka_unit_test(commands_without_records_are_judged_from_a_second_on),
        cmocka_unit_test(cpus_seen_are_listed_once_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
