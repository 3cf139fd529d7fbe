/* Placement: what we set and read is compared with what the operating system itself says, here and in children that run
 * under other masks; the order of CPUs is pure. */
#include "../src/place/file.h"
#include "../src/place/host.h"
#include "../src/place/machine.h"
#include "../src/place/schedule.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

/* As /proc/thread-self/status has it: "0-1", "3". */
static void read_allowed_list(size_t length, char *text_p)
{
    char text[8192];
    assert_true(file_read(sizeof text, text, "/proc/thread-self/status") > 0);
    const char *line = strstr(text, "Cpus_allowed_list:");
    assert_non_null(line);
    line += strlen("Cpus_allowed_list:");
    line += strspn(line, "\t ");
    snprintf(text_p, length, "%.*s", (int)strcspn(line, "\n"), line);
}

static void assert_only_cpu(int cpu)
{
    char said[256], expected[32];
    cpu_set_t set;
    CPU_ZERO(&set);
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    assert_int_equal(CPU_COUNT(&set), 1);
    assert_true(CPU_ISSET((size_t)cpu, &set));
    read_allowed_list(sizeof said, said);
    snprintf(expected, sizeof expected, "%d", cpu);
    assert_string_equal(said, expected);
}

/* Runs a check in a child process, which may spoil its own mask and environment. 0: passed; else the line that failed.
 */
static int run_in_child(int (*check)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(check());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define NEED(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

static void bind_thread_sets_what_the_system_reads(void **state)
{
    struct cpu_list all, now;
    (void)state;
    int count = bind_read(&all);
    assert_int_equal(count, all.count);
    for (int i = 0; i < all.count; i++) {
        assert_int_equal(bind_thread(all.cpus[i]), 0);
        assert_only_cpu(all.cpus[i]);
        assert_int_equal(sched_getcpu(), all.cpus[i]);
        assert_int_equal(bind_read(&now), 1);
        assert_int_equal(now.cpus[0], all.cpus[i]);
        assert_int_equal(bind_process(&all), 0);
        assert_int_equal(bind_read(&now), all.count);
        assert_memory_equal(now.cpus, all.cpus, (size_t)all.count * sizeof(int));
    }
}

static void binding_to_no_cpu_is_refused(void **state)
{
    static const int wrong[] = {-1, 65535, 65536, 1000000};
    struct cpu_list before, after, empty = {.count = 0};
    (void)state;
    bind_read(&before);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_int_equal(bind_thread(wrong[i]), -EINVAL);
    assert_int_equal(bind_process(&empty), -EINVAL);
    bind_read(&after);
    assert_int_equal(before.count, after.count);
    assert_memory_equal(before.cpus, after.cpus, (size_t)before.count * sizeof(int));
}

/* The operating system would drop the missing CPU silently; reading back finds it. Leaves the mask changed. */
static int check_partly_missing(void)
{
    struct cpu_list list;
    NEED(bind_read(&list) > 0);
    list.cpus[1] = 65535;
    list.count = 2;
    NEED(bind_process(&list) == -EINVAL);
    return 0;
}

static void a_list_with_a_missing_cpu_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(check_partly_missing), 0);
}

static void *bind_other_thread(void *cpu_p)
{
    struct cpu_list list;
    intptr_t fine = bind_thread(*(int *)cpu_p) == 0 && bind_read(&list) == 1 && list.cpus[0] == *(int *)cpu_p;
    return (void *)fine;
}

static void bind_thread_is_about_the_calling_thread(void **state)
{
    struct cpu_list before, after;
    pthread_t thread;
    void *fine;
    (void)state;
    bind_read(&before);
    assert_int_equal(pthread_create(&thread, NULL, bind_other_thread, &before.cpus[before.count - 1]), 0);
    assert_int_equal(pthread_join(thread, &fine), 0);
    assert_non_null(fine);
    bind_read(&after);
    assert_int_equal(after.count, before.count);
}

static void machine_read_agrees_with_the_system(void **state)
{
    struct machine machine;
    struct cpu_list allowed;
    struct error error;
    (void)state;
    assert_int_equal(machine_read(&machine, &error), STATUS_OK);
    assert_int_equal(machine.allowed_cpu_count, bind_read(&allowed));
    assert_int_equal(machine.cpu_count, allowed.count);
    assert_true(machine.online_cpu_count >= machine.cpu_count);
    assert_true(machine.core_count >= 1 && machine.core_count <= machine.cpu_count);
    assert_true(machine.package_count >= 1 && machine.package_count <= machine.core_count);
    assert_true(machine.numa_count >= 1 && machine.kind_count >= 1);
    assert_true(machine.memory_bytes > 0 && machine.memory_available_bytes <= machine.memory_bytes);
    assert_true(machine.hostname[0] != '\0' && machine.cpu_model[0] != '\0');
    int first_threads = 0;
    for (int i = 0; i < machine.cpu_count; i++) {
        const struct cpu *cpu = &machine.cpus[i];
        assert_int_equal(cpu->os_index, allowed.cpus[i]);
        assert_ptr_equal(machine_find_cpu(&machine, cpu->os_index), cpu);
        assert_in_range(cpu->core, 0, machine.core_count - 1);
        assert_in_range(cpu->kind, 0, machine.kind_count - 1);
        first_threads += cpu->smt == 0;
    }
    assert_int_equal(first_threads, machine.core_count);
    assert_null(machine_find_cpu(&machine, 1048575));
}

static int check_one_cpu(void)
{
    struct cpu_list all;
    struct machine machine;
    struct error error;
    NEED(bind_read(&all) > 0);
    for (int i = 0; i < all.count; i++) {
        NEED(bind_process(&all) == 0);
        NEED(bind_thread(all.cpus[i]) == 0);
        NEED(machine_read(&machine, &error) == STATUS_OK);
        NEED(machine.cpu_count == 1 && machine.allowed_cpu_count == 1 && machine.core_count == 1);
        NEED(machine.cpus[0].os_index == all.cpus[i] && machine.cpus[0].core == 0 && machine.cpus[0].smt == 0);
        NEED(machine.online_cpu_count >= all.count);
    }
    return 0;
}

static void machine_read_keeps_to_the_affinity_mask(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(check_one_cpu), 0);
}

/* hwloc pretends; the mask stays the real one, so the topologies have the CPUs 0 and 1 in different roles. */
static int check_pretended(void)
{
    static const struct {
        const char *topology;
        int cores, packages, numa_nodes, second_smt;
    } cases[] = {{"pack:1 core:1 pu:2", 1, 1, 1, 1},
                 {"pack:2 core:1 pu:1", 2, 2, 1, 0},
                 {"pack:2 numa:1 core:4 pu:1(indexes=0,2,4,6,1,3,5,7)", 2, 2, 2, 0},
                 {"pack:1 core:4 pu:2(indexes=0,4,1,5,2,6,3,7)", 2, 1, 1, 0}};
    struct machine machine;
    struct error error;
    const struct cpu_list two = {.count = 2, .cpus = {0, 1}};
    if (bind_process(&two)) return 77;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setenv("HWLOC_SYNTHETIC", cases[i].topology, 1);
        NEED(machine_read(&machine, &error) == STATUS_OK);
        NEED(machine.cpu_count == 2 && machine.cpus[0].os_index == 0 && machine.cpus[1].os_index == 1);
        NEED(machine.core_count == cases[i].cores && machine.package_count == cases[i].packages);
        NEED(machine.numa_count == cases[i].numa_nodes && machine.cpus[1].smt == cases[i].second_smt);
    }
    setenv("HWLOC_SYNTHETIC", "core:2 pu:1(indexes=7,8)", 1);
    NEED(machine_read(&machine, &error) == STATUS_FAILED && strstr(error.text, "HWLOC_SYNTHETIC"));
    return 0;
}

static void machine_read_follows_hwloc(void **state)
{
    (void)state;
    int status = run_in_child(check_pretended);
    if (status == 77) skip(); /* CPUs 0 and 1 are not both ours */
    assert_int_equal(status, 0);
}

static int check_environment(void)
{
    struct machine machine;
    struct error error;
    setenv("HWLOC_PLUGINS_PATH", "/somewhere", 1);
    NEED(machine_read(&machine, &error) == STATUS_OK);
    NEED(strcmp(getenv("HWLOC_PLUGINS_PATH"), "/somewhere") == 0);
    unsetenv("HWLOC_PLUGINS_PATH");
    NEED(machine_read(&machine, &error) == STATUS_OK);
    NEED(!getenv("HWLOC_PLUGINS_PATH"));
    return 0;
}

static void machine_read_leaves_the_environment_alone(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(check_environment), 0);
}

static void assert_order(const struct machine *machine, bool smt, int count, const int expected[])
{
    struct cpu_list order;
    machine_cpu_order(machine, smt, &order);
    assert_int_equal(order.count, count);
    for (int i = 0; i < count; i++) assert_int_equal(order.cpus[i], expected[i]);
}

static void order_takes_one_cpu_a_core(void **state)
{
    (void)state;
    /* 2 cores, threads numbered 0,2 and 1,3 as Linux mostly does; then as neighbours. */
    static const struct machine apart = {.cpu_count = 4,
                                         .cpus = {{.os_index = 0, .core = 0},
                                                  {.os_index = 1, .core = 1},
                                                  {.os_index = 2, .core = 0, .smt = 1},
                                                  {.os_index = 3, .core = 1, .smt = 1}}};
    static const struct machine beside = {.cpu_count = 4,
                                          .cpus = {{.os_index = 0, .core = 0},
                                                   {.os_index = 1, .core = 0, .smt = 1},
                                                   {.os_index = 2, .core = 1},
                                                   {.os_index = 3, .core = 1, .smt = 1}}};
    assert_order(&apart, false, 2, (const int[]){0, 1});
    assert_order(&apart, true, 4, (const int[]){0, 1, 2, 3});
    assert_order(&beside, false, 2, (const int[]){0, 2});
    assert_order(&beside, true, 4, (const int[]){0, 2, 1, 3});
}

static void order_takes_fast_cores_first(void **state)
{
    (void)state;
    /* 2 slow cores, then 2 fast ones with 2 threads: a slow core comes before a fast core's second thread. */
    static const struct machine machine = {.cpu_count = 6,
                                           .cpus = {{.os_index = 0, .core = 0, .kind = 1},
                                                    {.os_index = 1, .core = 1, .kind = 1},
                                                    {.os_index = 2, .core = 2},
                                                    {.os_index = 3, .core = 2, .smt = 1},
                                                    {.os_index = 4, .core = 3},
                                                    {.os_index = 5, .core = 3, .smt = 1}}};
    assert_order(&machine, false, 4, (const int[]){2, 4, 0, 1});
    assert_order(&machine, true, 6, (const int[]){2, 4, 0, 1, 3, 5});
}

static void order_fills_package_after_package(void **state)
{
    (void)state;
    /* Even CPUs in one package, odd ones in the other. */
    static const struct machine machine = {.cpu_count = 4,
                                           .cpus = {{.os_index = 0, .core = 0},
                                                    {.os_index = 1, .core = 1, .package = 1, .numa = 1},
                                                    {.os_index = 2, .core = 2},
                                                    {.os_index = 3, .core = 3, .package = 1, .numa = 1}}};
    assert_order(&machine, false, 4, (const int[]){0, 2, 1, 3});
}

/* --- scheduling ------------------------------------------------------------------------------------------------- */

/* In a child, as nothing of it can be taken back by everybody. Its status is what `act` returns. */
static int in_child(int (*act)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(act());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int become_nice_batch(void)
{
    const struct scheduling asked = {POLICY_BATCH, getpriority(PRIO_PROCESS, 0) < 17 ? 17 : 19, 0};
    struct scheduling got;
    if (schedule_thread(&asked, &got)) return 1;
    if (sched_getscheduler(0) != SCHED_BATCH || getpriority(PRIO_PROCESS, 0) != asked.nice) return 2;
    return got.policy == POLICY_BATCH && got.nice == asked.nice ? 0 : 3;
}

static int take_slice(void)
{
    const struct scheduling asked = {POLICY_OTHER, getpriority(PRIO_PROCESS, 0), 20000000};
    const struct scheduling usual = {POLICY_OTHER, asked.nice, 0};
    struct scheduling got;
    int status = schedule_thread(&asked, &got);
    if (status == -ENOTSUP && got.slice_ns != asked.slice_ns) return 77; /* an older kernel: noticed */
    if (status || got.slice_ns != asked.slice_ns) return 1;
    if (schedule_thread(&usual, &got) || got.slice_ns == asked.slice_ns) return 2;
    return 0;
}

static void schedule_thread_sets_what_the_system_reads(void **state)
{
    (void)state;
    assert_int_equal(in_child(become_nice_batch), 0);
    int status = in_child(take_slice);
    if (status != 77) assert_int_equal(status, 0);
}

/* Without the rights to it, whoever we are. */
static int ask_in_vain(void)
{
    const struct rlimit none = {0, 0};
    const struct scheduling fifo = {POLICY_FIFO, 0, 0};
    const struct scheduling favoured = {POLICY_OTHER, getpriority(PRIO_PROCESS, 0) - 1, 0};
    struct scheduling got;
    char text[512];
    setrlimit(RLIMIT_RTPRIO, &none);
    setrlimit(RLIMIT_NICE, &none);
    if (geteuid() == 0 && setuid(65534)) return 77;
    if (schedule_may_realtime()) return 1;
    int status = schedule_thread(&fifo, &got);
    if (status != -EPERM || got.policy != POLICY_OTHER || sched_getscheduler(0) != SCHED_OTHER) return 2;
    if (!strstr(schedule_explain(&fifo, &got, status, false, sizeof text, text), "ulimit -r")) return 3;
    if (favoured.nice < NICE_LOWEST) return 0;
    status = schedule_thread(&favoured, &got);
    if (status != -EPERM || got.nice != favoured.nice + 1) return 4;
    return strstr(schedule_explain(&favoured, &got, status, false, sizeof text, text), "ulimit -e") ? 0 : 5;
}

static void what_is_refused_is_explained(void **state)
{
    (void)state;
    int status = in_child(ask_in_vain);
    if (status != 77) assert_int_equal(status, 0);

    static const struct {
        struct scheduling asked, got;
        int status;
        bool may_realtime;
        const char *says;
    } cases[] = {
        {{POLICY_RR, 0, 0}, {POLICY_OTHER, 0, 0}, -EPERM, true, "cpu.rt_runtime_us"},
        {{POLICY_RR, 0, 0}, {POLICY_OTHER, 0, 0}, -EPERM, false, "CAP_SYS_NICE"},
        {{POLICY_OTHER, -5, 0}, {POLICY_OTHER, 0, 0}, -EPERM, false, "a limit of 25 or more"},
        {{POLICY_OTHER, 0, 500000}, {POLICY_OTHER, 5, 0}, -EPERM, false, "started with nice 5"},
        {{POLICY_BATCH, 0, 0}, {POLICY_OTHER, 0, 0}, -EPERM, false, "filter"},
        {{POLICY_OTHER, 0, 500000}, {POLICY_OTHER, 0, 0}, -ENOTSUP, false, "Linux 6.12 or newer"},
        {{POLICY_OTHER, 0, 500000}, {POLICY_OTHER, 0, 3000000}, -ENOTSUP, false, "Linux 6.12 or newer"},
        {{POLICY_BATCH, 3, 0}, {POLICY_OTHER, 3, 0}, -ENOTSUP, false, "gave policy other, nice 3"},
        {{POLICY_OTHER, 3, 0}, {POLICY_OTHER, 0, 0}, -EINVAL, false, "Invalid argument"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        schedule_explain(&cases[i].asked, &cases[i].got, cases[i].status, cases[i].may_realtime, sizeof text, text);
        if (!strstr(text, cases[i].says)) fail_msg("\"%s\" does not say %s", text, cases[i].says);
    }
}

static int limit_realtime(void)
{
    struct rlimit limit;
    schedule_limit_realtime(2.5);
    if (getrlimit(RLIMIT_RTTIME, &limit) || limit.rlim_cur != 2500000 || limit.rlim_max != 3500000) return 1;
    schedule_limit_realtime(100); /* a stricter one stays */
    if (getrlimit(RLIMIT_RTTIME, &limit) || limit.rlim_cur != 2500000 || limit.rlim_max != 3500000) return 2;
    schedule_limit_realtime(1);
    return getrlimit(RLIMIT_RTTIME, &limit) || limit.rlim_cur != 1000000 || limit.rlim_max != 2000000 ? 3 : 0;
}

/* What a real-time worker does that neither ends nor sleeps. */
static int never_end(void)
{
    const struct scheduling fifo = {POLICY_FIFO, 0, 0};
    struct scheduling got;
    if (schedule_thread(&fifo, &got)) return 77;
    schedule_limit_realtime(0.1);
    alarm(20); /* should it have no end */
    for (volatile unsigned steps = 0;;) steps++;
}

static int leave_realtime(void)
{
    const struct scheduling fifo = {POLICY_FIFO, 0, 0};
    struct scheduling got;
    int nice = getpriority(PRIO_PROCESS, 0);
    if (schedule_thread(&fifo, &got)) return 77;
    if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_FIFO) return 1;
    schedule_leave_realtime();
    return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == nice ? 0
                                                                                                                 : 2;
}

static void real_time_tasks_have_an_end(void **state)
{
    (void)state;
    assert_int_equal(in_child(limit_realtime), 0);
    int status = in_child(leave_realtime);
    if (status == 77) skip(); /* nobody lets us */
    assert_int_equal(status, 0);
    assert_int_equal(in_child(never_end), 128 + SIGXCPU);
}

static void real_time_tasks_must_leave_room(void **state)
{
    (void)state;
    const struct machine machine = {.cpu_count = 2, .cpus = {{.os_index = 4}, {.os_index = 6}}};
    struct mode mode = {.scheduling = {.policy = POLICY_FIFO}, .cpus = {.count = 2, .cpus = {6, 4}}};
    struct error error = {.text = ""};
    assert_int_equal(schedule_check_room(&machine, &mode, 950000, &error), STATUS_OK);
    assert_int_equal(schedule_check_room(&machine, &mode, NAN, &error), STATUS_OK);
    assert_int_equal(schedule_check_room(&machine, &mode, -1, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "--policy fifo"));
    assert_non_null(strstr(error.text, "sysctl kernel.sched_rt_runtime_us=950000"));
    mode.cpus.count = 1; /* CPU 4 is left */
    assert_int_equal(schedule_check_room(&machine, &mode, -1, &error), STATUS_OK);
    mode.cpus.count = 2;
    mode.scheduling.policy = POLICY_BATCH;
    assert_int_equal(schedule_check_room(&machine, &mode, -1, &error), STATUS_OK);
}

/* Addresses are given as numbers, which no name server is asked for; 203.0.113.0/24 is nobody's (RFC 5737). */
static void this_machine_is_told_from_others(void **state)
{
    (void)state;
    char name[256], longer[300];
    assert_int_equal(gethostname(name, sizeof name), 0);
    assert_true(host_is_this(name));
    assert_true(host_is_this("localhost"));
    assert_true(host_is_this("127.0.0.1"));
    assert_false(host_is_this("203.0.113.7"));
    snprintf(longer, sizeof longer, "%s.cluster.example", name);
    assert_true(host_is_this(longer) || strchr(name, '.'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bind_thread_sets_what_the_system_reads),
        cmocka_unit_test(binding_to_no_cpu_is_refused),
        cmocka_unit_test(a_list_with_a_missing_cpu_is_refused),
        cmocka_unit_test(bind_thread_is_about_the_calling_thread),
        cmocka_unit_test(machine_read_agrees_with_the_system),
        cmocka_unit_test(machine_read_keeps_to_the_affinity_mask),
        cmocka_unit_test(machine_read_follows_hwloc),
        cmocka_unit_test(machine_read_leaves_the_environment_alone),
        cmocka_unit_test(this_machine_is_told_from_others),
        cmocka_unit_test(order_takes_one_cpu_a_core),
        cmocka_unit_test(order_takes_fast_cores_first),
        cmocka_unit_test(order_fills_package_after_package),
        cmocka_unit_test(schedule_thread_sets_what_the_system_reads),
        cmocka_unit_test(what_is_refused_is_explained),
        cmocka_unit_test(real_time_tasks_have_an_end),
        cmocka_unit_test(real_time_tasks_must_leave_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
