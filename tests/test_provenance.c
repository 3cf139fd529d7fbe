/* What is read of the system, against the system; what is tried, by forbidding it; warnings, on made-up machines: one
 * on which all is well, and the same with one thing wrong at a time. */
#include "../src/observe/provenance.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static void provenance_read_agrees_with_the_system(void **state)
{
    struct provenance provenance;
    struct utsname system;
    (void)state;
    provenance_read(&provenance);
    assert_int_equal(uname(&system), 0);
    assert_string_equal(provenance.kernel_release, system.release);
    assert_int_equal(provenance.schedstat, access("/proc/thread-self/schedstat", R_OK) == 0);
    assert_int_equal(provenance.timelines_exact, provenance.timelines_reason[0] == '\0');
    assert_int_equal(provenance.slices_settable, provenance.slices_reason[0] == '\0');
    assert_int_equal(provenance.realtime_allowed, provenance.realtime_reason[0] == '\0');
    assert_true(provenance.tick_s >= 1e-4 && provenance.tick_s <= 0.01);
    assert_int_equal(isnan(provenance.load_1min), access("/proc/loadavg", R_OK) != 0);
    assert_false(provenance.steal_share < 0 || provenance.steal_share > 1);
    assert_in_range(provenance.turbo + 1, 0, 2);
    assert_in_range(provenance.virtualised + 1, 0, 2);
    assert_in_range(provenance.smt_active + 1, 0, 2);
    if (provenance.hypervisor[0]) assert_int_equal(provenance.virtualised, 1);
}

/* As a container engine's default filter does. Returns false where no filter can be set. */
static bool forbid_call(unsigned number, unsigned error_number)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error_number),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* 0: noticed; 1: not; 77: could not be forbidden. */
static int notice_forbidden(unsigned error_number)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct provenance provenance;
        if (!forbid_call(SYS_perf_event_open, error_number)) _exit(77);
        provenance_read(&provenance);
        _exit(provenance.timelines_exact || provenance.timelines_reason[0] == '\0');
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void forbidden_timelines_are_noticed(void **state)
{
    (void)state;
    int status = notice_forbidden(EPERM);
    if (status == 77) skip();
    assert_int_equal(status, 0);
    assert_int_equal(notice_forbidden(ENOSYS), 0);
}

/* As above: 0, 1 or 77. Nobody's SIGCHLD handling may matter to the child that tries. */
static int notice_forbidden_scheduling(unsigned error_number, const char *says)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct provenance provenance;
        signal(SIGCHLD, SIG_IGN);
        if (!forbid_call(SYS_sched_setattr, error_number)) _exit(77);
        provenance_read(&provenance);
        bool told =
            strstr(provenance.slices_reason, says) && strstr(provenance.realtime_reason, strerror((int)error_number));
        _exit(provenance.slices_settable || provenance.realtime_allowed || !told);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void forbidden_scheduling_is_noticed(void **state)
{
    (void)state;
    int status = notice_forbidden_scheduling(EPERM, "container's filter");
    if (status == 77) skip();
    assert_int_equal(status, 0);
    assert_int_equal(notice_forbidden_scheduling(ENOSYS, "container's filter"), 0);
    assert_int_equal(notice_forbidden_scheduling(EINVAL, strerror(EINVAL)), 0);
}

/* Four cores of one kind, all ours, bare metal, quiet. */
static void make_good(struct machine *machine_p, struct provenance *provenance_p)
{
    *machine_p = (struct machine){.hostname = "good",
                                  .cpu_count = 4,
                                  .allowed_cpu_count = 4,
                                  .core_count = 4,
                                  .package_count = 1,
                                  .numa_count = 1,
                                  .kind_count = 1,
                                  .online_cpu_count = 4,
                                  .memory_bytes = (int64_t)16 << 30,
                                  .memory_available_bytes = (int64_t)12 << 30,
                                  .quota_cpus = NAN};
    for (int i = 0; i < 4; i++) machine_p->cpus[i] = (struct cpu){.os_index = i, .core = i};
    *provenance_p = (struct provenance){.kernel_release = "6.1",
                                        .governor = "performance",
                                        .driver = "intel_pstate",
                                        .turbo = 0,
                                        .virtualised = 0,
                                        .steal_share = 0,
                                        .load_1min = 0.1,
                                        .perf_event_paranoid = 2,
                                        .schedstat = true,
                                        .timelines_exact = true,
                                        .smt_active = 0};
}

static void a_good_machine_has_no_warnings(void **state)
{
    struct machine machine;
    struct provenance provenance;
    struct warning warnings[WARNINGS_MAX];
    (void)state;
    make_good(&machine, &provenance);
    assert_int_equal(provenance_warnings(&machine, &provenance, warnings), 0);
    /* What cannot be read is no reason to warn. */
    provenance.governor[0] = '\0';
    provenance.turbo = provenance.virtualised = provenance.smt_active = -1;
    provenance.steal_share = provenance.load_1min = NAN;
    machine.quota_cpus = 4; /* and a quota for all CPUs takes nothing away */
    assert_int_equal(provenance_warnings(&machine, &provenance, warnings), 0);
}

static void spoil_one_cpu(struct machine *machine, struct provenance *provenance)
{
    (void)provenance;
    machine->cpu_count = machine->allowed_cpu_count = machine->core_count = 1;
}

static void spoil_affinity(struct machine *machine, struct provenance *provenance)
{
    (void)provenance;
    machine->online_cpu_count = 64;
}

static void spoil_size(struct machine *machine, struct provenance *provenance)
{
    (void)provenance;
    machine->allowed_cpu_count = machine->online_cpu_count = 1536;
}

static void spoil_quota(struct machine *machine, struct provenance *provenance)
{
    (void)provenance;
    machine->quota_cpus = 2.5;
}

static void spoil_smt(struct machine *machine, struct provenance *provenance)
{
    machine->core_count = 2;
    provenance->smt_active = 1;
    for (int i = 0; i < 4; i++) machine->cpus[i] = (struct cpu){.os_index = i, .core = i / 2, .smt = i % 2};
}

static void spoil_smt_neighbour(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->smt_active = 1;
}

static void spoil_kinds(struct machine *machine, struct provenance *provenance)
{
    (void)provenance;
    machine->kind_count = 2;
    machine->cpus[0].kind = machine->cpus[3].kind = 1;
}

static void spoil_load(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->load_1min = 1.3;
}

static void spoil_steal(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->steal_share = 0.02;
}

static void spoil_wsl(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->virtualised = 1;
    strcpy(provenance->hypervisor, "Hyper-V");
    strcpy(provenance->container, "wsl");
}

static void spoil_virtual(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->virtualised = 1;
    strcpy(provenance->hypervisor, "KVM");
}

static void spoil_container(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    strcpy(provenance->container, "docker");
}

static void spoil_governor(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    strcpy(provenance->governor, "schedutil");
}

static void spoil_turbo(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->turbo = 1;
}

static void spoil_memory(struct machine *machine, struct provenance *provenance)
{
    (void)provenance;
    machine->memory_available_bytes = (int64_t)300 << 20;
}

static void spoil_schedstat(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->schedstat = false;
}

static void spoil_timelines(struct machine *machine, struct provenance *provenance)
{
    (void)machine;
    provenance->timelines_exact = false;
    provenance->perf_event_paranoid = 4;
    strcpy(provenance->timelines_reason, "kernel.perf_event_paranoid is 4");
}

static const struct {
    const char *name, *says, *fix; /* parts of the text and of the fix */
    void (*spoil)(struct machine *, struct provenance *);
} causes[] = {
    {"one-cpu", "Only one CPU", "taskset", spoil_one_cpu},
    {"affinity", "4 of the machine's 64", "taskset", spoil_affinity},
    {"cpus-cut-off", "1536", "taskset", spoil_size},
    {"quota", "2.5 CPUs", "at most 2 workers", spoil_quota},
    {"smt-shared", "only 2 cores", "--smt", spoil_smt},
    {"smt-foreign", "hardware thread", "smt/control", spoil_smt_neighbour},
    {"mixed-cores", "2 kinds", "--cpus 1,2", spoil_kinds},
    {"busy", "1.30", "Stop", spoil_load},
    {"steal", "2.0 %", "dedicated", spoil_steal},
    {"wsl", "WSL2", "native Linux", spoil_wsl},
    {"virtual-machine", "KVM", "bare metal", spoil_virtual},
    {"container", "docker", "--cpuset-cpus", spoil_container},
    {"governor", "schedutil", "cpupower", spoil_governor},
    {"turbo", "Turbo", "no_turbo", spoil_turbo},
    {"memory", "300 MiB", "--size", spoil_memory},
    {"no-schedstat", "schedstat", "sysctl", spoil_schedstat},
    {"no-timelines", "paranoid is 4", "perf_event_paranoid=2", spoil_timelines},
};
enum { CAUSE_COUNT = sizeof causes / sizeof causes[0] };

static const struct warning *find_warning(int count, const struct warning warnings[], const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(warnings[i].name, name) == 0) return &warnings[i];
    return NULL;
}

static void each_cause_has_its_warning_and_fix(void **state)
{
    (void)state;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        struct machine machine;
        struct provenance provenance;
        struct warning warnings[WARNINGS_MAX];
        make_good(&machine, &provenance);
        causes[i].spoil(&machine, &provenance);
        int count = provenance_warnings(&machine, &provenance, warnings);
        const struct warning *warning = find_warning(count, warnings, causes[i].name);
        assert_non_null(warning);
        assert_non_null(strstr(warning->text, causes[i].says));
        assert_non_null(strstr(warning->fix, causes[i].fix));
        assert_int_equal(count, 1);
    }
}

/* Everything at once, with the longest texts and numbers: all fits and ends as a sentence does. */
static void many_warnings_fit(void **state)
{
    struct machine machine;
    struct provenance provenance;
    struct warning warnings[WARNINGS_MAX];
    (void)state;
    make_good(&machine, &provenance);
    for (int i = 0; i < CAUSE_COUNT; i++)
        if (causes[i].spoil != spoil_one_cpu && causes[i].spoil != spoil_wsl) causes[i].spoil(&machine, &provenance);
    machine.cpu_count = CPUS_MAX;
    machine.quota_cpus = 1023.25;
    for (int i = 0; i < CPUS_MAX; i++) machine.cpus[i] = (struct cpu){.os_index = 1000 + 2 * i, .core = i, .kind = 0};
    machine.allowed_cpu_count = INT_MAX - 1;
    machine.online_cpu_count = INT_MAX;
    provenance.load_1min = 1e12;
    memset(provenance.timelines_reason, 'x', sizeof provenance.timelines_reason - 1);
    memset(provenance.hypervisor, 'h', sizeof provenance.hypervisor - 1);
    memset(provenance.container, 'c', sizeof provenance.container - 1);
    memset(provenance.governor, 'g', sizeof provenance.governor - 1);
    int count = provenance_warnings(&machine, &provenance, warnings);
    assert_in_range(count, CAUSE_COUNT - 4, WARNINGS_MAX);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(warnings[i].text);
        assert_true(length > 0 && warnings[i].text[length - 1] == '.');
        assert_in_range(strlen(warnings[i].fix), 1, sizeof warnings[i].fix - 2);
        assert_ptr_equal(find_warning(count, warnings, warnings[i].name), &warnings[i]);
    }
}

static void fixes_suit_the_machine(void **state)
{
    struct machine machine;
    struct provenance provenance;
    struct warning warnings[WARNINGS_MAX];
    (void)state;
    make_good(&machine, &provenance);
    spoil_one_cpu(&machine, &provenance);
    machine.online_cpu_count = 1; /* there is no other CPU to ask for */
    assert_int_equal(provenance_warnings(&machine, &provenance, warnings), 1);
    assert_null(strstr(warnings[0].fix, "taskset"));
    make_good(&machine, &provenance);
    spoil_turbo(&machine, &provenance);
    strcpy(provenance.driver, "amd-pstate-epp");
    assert_int_equal(provenance_warnings(&machine, &provenance, warnings), 1);
    assert_non_null(strstr(warnings[0].fix, "cpufreq/boost"));
    make_good(&machine, &provenance);
    spoil_timelines(&machine, &provenance);
    spoil_container(&machine, &provenance);
    provenance.perf_event_paranoid = 1;
    int count = provenance_warnings(&machine, &provenance, warnings);
    assert_int_equal(count, 2);
    assert_non_null(strstr(find_warning(count, warnings, "no-timelines")->fix, "seccomp"));
}

/* A batch job on that machine of 4 CPUs, and what is wrong with it. */
static const struct job_scene {
    const char *environment[4];
    struct allocation allocation;
    const char *names[4]; /* of the warnings, in this order */
} job_scenes[] = {
    {{NULL}, {.scheduler = SCHEDULER_NONE, .cpus_per_node = 1}, {NULL}},
    {{"OMP_NUM_THREADS=1"}, {.scheduler = SCHEDULER_PBS, .cpus_per_node = 4}, {NULL}},
    {{"OMP_NUM_THREADS=1"}, {.scheduler = SCHEDULER_PBS}, {NULL}},
    {{"OMP_NUM_THREAD=1"}, {.scheduler = SCHEDULER_LSF, .cpus_per_node = 4}, {"omp-threads"}},
    {{"OMP_NUM_THREADS=1"}, {.scheduler = SCHEDULER_SLURM, .cpus_per_node = 3}, {"shared-node"}},
    {{"OMP_NUM_THREADS=1"}, {.scheduler = SCHEDULER_SLURM, .cpus_per_node = 3, .cpus_differ = true}, {NULL}},
    {{"OMP_NUM_THREADS=1"}, {.scheduler = SCHEDULER_SLURM, .cpus_per_node = 3, .elsewhere = true}, {"not-on-node"}},
    {{"OMP_NUM_THREADS=1"}, {.scheduler = SCHEDULER_FLUX, .cpus_per_node = 5, .step = true}, {"step-cpus"}},
    {{"SLURM_CPUS_PER_TASK=2"},
     {.scheduler = SCHEDULER_SLURM, .cpus_per_node = 2},
     {"shared-node", "srun-cpus", "omp-threads"}},
    {{"OMP_NUM_THREADS=2", "SLURM_CPUS_PER_TASK=2", "SRUN_CPUS_PER_TASK=2"},
     {.scheduler = SCHEDULER_SLURM, .cpus_per_node = 4},
     {NULL}},
};

static void jobs_have_warnings_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof job_scenes / sizeof *job_scenes; i++) {
        const struct job_scene *scene = &job_scenes[i];
        struct machine machine;
        struct provenance provenance;
        struct warning warnings[WARNINGS_MAX] = {{.name = "first"}};
        make_good(&machine, &provenance);
        int count = provenance_job_warnings(&scene->allocation, &machine, &provenance,
                                            (char *const *)scene->environment, 1, warnings);
        int expected = 1;
        while (expected < 4 && scene->names[expected - 1]) expected++;
        assert_int_equal(count, expected);
        assert_string_equal(warnings[0].name, "first");
        for (int w = 1; w < count; w++) {
            size_t length = strlen(warnings[w].text);
            assert_string_equal(warnings[w].name, scene->names[w - 1]);
            assert_true(length > 0 && warnings[w].text[length - 1] == '.');
            assert_in_range(strlen(warnings[w].fix), 1, sizeof warnings[w].fix - 2);
        }
    }
}

/* With SMT a job may count cores, and have all. */
static void whole_cores_are_whole_nodes(void **state)
{
    struct machine machine;
    struct provenance provenance;
    struct warning warnings[WARNINGS_MAX];
    const struct allocation allocation = {.scheduler = SCHEDULER_SLURM, .cpus_per_node = 2};
    char variable[] = "OMP_NUM_THREADS=1", *environment[] = {variable, NULL};
    (void)state;
    make_good(&machine, &provenance);
    assert_int_equal(provenance_job_warnings(&allocation, &machine, &provenance, environment, 0, warnings), 1);
    provenance.smt_active = 1;
    assert_int_equal(provenance_job_warnings(&allocation, &machine, &provenance, environment, 0, warnings), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(provenance_read_agrees_with_the_system),
        cmocka_unit_test(forbidden_timelines_are_noticed),
        cmocka_unit_test(forbidden_scheduling_is_noticed),
        cmocka_unit_test(a_good_machine_has_no_warnings),
        cmocka_unit_test(each_cause_has_its_warning_and_fix),
        cmocka_unit_test(many_warnings_fit),
        cmocka_unit_test(fixes_suit_the_machine),
        cmocka_unit_test(jobs_have_warnings_of_their_own),
        cmocka_unit_test(whole_cores_are_whole_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
