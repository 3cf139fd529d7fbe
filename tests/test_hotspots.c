/* In which libraries CPU time went: from events by hand, then of a real program whose threads wait for one another at a
 * barrier of OpenMP, or compute. test_hotspots play WAIT TO-DO_s: that program. */
#include "../src/observe/hotspots.h"
#include "../src/observe/hotspots_count.h"
#include "../src/observe/switches.h"
#include "../src/observe/thread.h"
#include "../src/place/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- By hand. ---------------------------------------------------------------------------------------------------- */

static struct hotspot_event sample(uint64_t time_ns, pid_t pid, uint64_t address)
{
    return (struct hotspot_event){
        .kind = HOTSPOT_SAMPLE, .time_ns = time_ns, .pid = pid, .tid = pid, .address = address};
}

static struct hotspot_event map(uint64_t time_ns, pid_t pid, uint64_t address, int library)
{
    return (struct hotspot_event){.kind = HOTSPOT_MAP,
                                  .time_ns = time_ns,
                                  .pid = pid,
                                  .address = address,
                                  .length = 100,
                                  .library = (int16_t)library};
}

static struct hotspot_event other(uint64_t time_ns, int kind, pid_t pid, pid_t parent)
{
    struct hotspot_event event = {.time_ns = time_ns, .pid = pid, .parent = parent};
    event.kind = kind == HOTSPOT_FORK ? HOTSPOT_FORK : kind == HOTSPOT_END ? HOTSPOT_END : HOTSPOT_EXECUTE;
    return event;
}

static void assert_samples(const struct hotspots *hotspots, int index, pid_t pid, double gomp, double all)
{
    assert_true(index < hotspots->count);
    assert_int_equal(hotspots->list[index].pid, pid);
    assert_true(hotspots->list[index].samples[LIBRARY_GOMP] == gomp);
    assert_true(hotspots->list[index].all == all);
}

static void test_by_hand(void **state)
{
    (void)state;
    struct hotspots hotspots;
    struct hotspot_event events[] = {
        sample(3, 10, 1050),            /* in the library: comes first, from another CPU's ring */
        map(0, 10, 1000, LIBRARY_GOMP), /* what it had when all began */
        sample(3, 10, 1100),            /* behind the mapping's end */
        sample(3, 10, 999),             /* before its begin */
        other(4, HOTSPOT_FORK, 11, 10), /* a child has the same */
        sample(5, 11, 1000),
        other(6, HOTSPOT_EXECUTE, 11, 0), /* until it is another program */
        sample(7, 11, 1000),
        map(8, 11, 1000, LIBRARY_OPENBLAS),
        map(9, 11, 1050, LIBRARY_GOMP), /* in the place of a part of another */
        sample(10, 11, 1049),
        sample(10, 11, 1050),
        sample(11, 10, 1000), /* its parent has kept its own */
        other(12, HOTSPOT_END, 10, 0),
        sample(13, 10, 1000), /* a number that is used again */
        sample(14, 12, 1000), /* nothing is known of it */
    };
    hotspots_init(&hotspots);
    assert_int_equal(hotspots_count((int)(sizeof events / sizeof events[0]), events, &hotspots), 0);
    assert_int_equal(hotspots.count, 3);
    assert_samples(&hotspots, 0, 10, 2, 5);
    assert_samples(&hotspots, 1, 11, 2, 4);
    assert_true(hotspots.list[1].samples[LIBRARY_OPENBLAS] == 1);
    assert_samples(&hotspots, 2, 12, 0, 1);
    hotspots_release(&hotspots);
    assert_int_equal(hotspots_count(0, events, &hotspots), 0);
    assert_int_equal(hotspots.count, 0);
}

/* --- Real tasks. -------------------------------------------------------------------------------------------------- */

static void compute(double cpu_s)
{
    volatile double sum = 0;
    for (double end_s = clock_thread_cpu_s() + cpu_s; clock_thread_cpu_s() < end_s;)
        for (int i = 0; i < 200000; i++) sum = sum + i;
}

/* The first thread computes; the other does so too, or waits for it at the barrier that ends the region. */
static int play(bool waits, double cpu_s)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(30);
#pragma omp parallel num_threads(2)
    {
        bool first = thread_id() == getpid();
        if (first || !waits) compute(cpu_s);
    }
    return 0;
}

static pid_t start(const char *wait, const char *cpu_s)
{
    char own[4096];
    ssize_t got = readlink("/proc/self/exe", own, sizeof own - 1);
    assert_true(got > 0);
    own[got] = '\0';
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0) return child;
    setenv("OMP_WAIT_POLICY", "active", 1);
    setenv("GOMP_SPINCOUNT", "infinity", 1);
    setenv("KMP_BLOCKTIME", "infinite", 1);
    execl(own, "test_hotspots", "play", wait, cpu_s, NULL);
    _exit(127);
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

static void nap(double seconds)
{
    const struct timespec time = {.tv_nsec = (long)(1e9 * seconds)};
    nanosleep(&time, NULL);
}

/* Until the child ends, or for some time. */
static void drain_until_end(struct hotspot_watch *watch, pid_t child)
{
    int status = -1;
    while (waitpid(child, &status, WNOHANG) == 0) {
        nap(0.05);
        hotspot_watch_drain(watch);
    }
    assert_int_equal(status, 0);
}

struct shares {
    double first, second; /* of samples in a library of OpenMP */
    double all[2];
};

static struct shares shares_of(const struct hotspots *hotspots, pid_t child)
{
    struct shares shares = {.all = {0}};
    for (int i = 0; i < hotspots->count; i++) {
        const struct hotspot *hotspot = &hotspots->list[i];
        double in = hotspot->samples[LIBRARY_GOMP] + hotspot->samples[LIBRARY_LLVM_OPENMP];
        if (hotspot->pid != child || !(hotspot->all > 0)) continue;
        int which = hotspot->tid != child;
        shares.all[which] = hotspot->all;
        *(which ? &shares.second : &shares.first) = in / hotspot->all;
    }
    return shares;
}

static struct shares observe(const char *wait)
{
    int cpus[CPUS_MAX], count = all_cpus(cpus);
    struct hotspot_watch *watch;
    struct hotspots hotspots;
    const int *descriptors;
    char reason[128];
    hotspots_init(&hotspots);
    if (hotspot_watch_new(0, count, cpus, &watch, sizeof reason, reason)) fail_msg("%s", reason);
    assert_int_equal(hotspot_watch_descriptors(watch, &descriptors), count);
    pid_t child = start(wait, "0.5");
    drain_until_end(watch, child);
    assert_int_equal(hotspot_watch_stop(watch, &hotspots), 0);
    hotspot_watch_free(watch);
    assert_true(hotspots.known);
    struct shares shares = shares_of(&hotspots, child);
    hotspots_release(&hotspots);
    return shares;
}

static void test_waits(void **state)
{
    (void)state;
    const struct shares shares = observe("yes");
    assert_true(shares.all[0] > 20 && shares.all[1] > 5);
    assert_true(shares.first < 0.2);
    assert_true(shares.second > 0.8);
}

static void test_computes(void **state)
{
    (void)state;
    const struct shares shares = observe("no");
    assert_true(shares.all[0] > 20 && shares.all[1] > 20);
    assert_true(shares.second < 0.2); /* the first one may wait for it, where it got its core later */
}

/* What it has mapped was there before it was attached to. */
static void test_attached(void **state)
{
    (void)state;
    int cpus[CPUS_MAX], count = all_cpus(cpus), status;
    struct hotspot_watch *watch;
    struct hotspots hotspots;
    const int *descriptors;
    char reason[128];
    hotspots_init(&hotspots);
    pid_t child = start("yes", "1.2");
    nap(0.3);
    if (hotspot_watch_new(child, count, cpus, &watch, sizeof reason, reason)) fail_msg("%s", reason);
    assert_int_equal(hotspot_watch_descriptors(watch, &descriptors), 0);
    drain_until_end(watch, child);
    assert_int_equal(hotspot_watch_stop(watch, &hotspots), 0);
    hotspot_watch_free(watch);
    const struct shares shares = shares_of(&hotspots, child);
    hotspots_release(&hotspots);
    assert_true(shares.all[0] > 20 && shares.all[1] > 5);
    assert_true(shares.first < 0.2);
    assert_true(shares.second > 0.8);
    status = hotspot_watch_new(child, count, cpus, &watch, sizeof reason, reason);
    assert_int_equal(status, -ESRCH);
    assert_string_equal(reason, "there is no such process");
    hotspot_watch_free(NULL);
}

/* Both observers at once, as diagnose has them: neither takes the other's memory. */
static void test_beside_switches(void **state)
{
    (void)state;
    int cpus[CPUS_MAX], count = all_cpus(cpus);
    struct switches *switches;
    struct hotspot_watch *watch;
    struct timeline timeline;
    struct hotspots hotspots;
    char reason[128];
    hotspots_init(&hotspots);
    if (switches_open(count, cpus, &switches, sizeof reason, reason)) fail_msg("%s", reason);
    if (hotspot_watch_new(0, count, cpus, &watch, sizeof reason, reason)) fail_msg("%s", reason);
    pid_t child = start("no", "0.2");
    drain_until_end(watch, child);
    assert_int_equal(switches_timeline(switches, &timeline), 0);
    assert_int_equal(hotspot_watch_stop(watch, &hotspots), 0);
    assert_string_equal(timeline.incomplete, "");
    assert_true(timeline.task_count >= 2);
    assert_true(shares_of(&hotspots, child).all[0] > 5);
    switches_close(switches);
    hotspot_watch_free(watch);
    hotspots_release(&hotspots);
    timeline_release(&timeline);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest by_hand[] = {cmocka_unit_test(test_by_hand)};
    const struct CMUnitTest real[] = {
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_computes),
        cmocka_unit_test(test_attached),
        cmocka_unit_test(test_beside_switches),
    };
    char reason[128];
    if (argc == 4 && strcmp(argv[1], "play") == 0) return play(strcmp(argv[2], "yes") == 0, strtod(argv[3], NULL));
    int failed = cmocka_run_group_tests(by_hand, NULL, NULL);
    if (switches_available(sizeof reason, reason)) return failed + cmocka_run_group_tests(real, NULL, NULL);
    printf("Real tasks were not watched: %s\n", reason);
    return failed;
}
