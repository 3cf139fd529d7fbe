/* Rules on what tasks wait for, and on who else had the cores. */
#include "diagnosis_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* From which share of a CPU's time on others are said to have taken it. */
static const double taken_from = 0.05;

static int percent(double share)
{
    return (int)lround(100 * share);
}

void rule_quota(const struct facts *facts, struct diagnosis *diagnosis)
{
    const struct evidence *evidence = facts->evidence;
    /* The kernel adds up over the CPUs on which the group was stopped. */
    double share = evidence->throttled_s / evidence->wall_s;
    if (!(share > 0.02)) return;
    struct finding *finding = rule_add(diagnosis, "quota", true);
    rule_say(finding, "A CPU quota (control group) stopped it: for %.2f s in %.2f s, counted on each core",
             evidence->throttled_s, evidence->wall_s);
    if (evidence->quota_cpus > 0)
        rule_say(finding, ". The quota is %.3g CPUs' time, and it had work for %.3g.", evidence->quota_cpus,
                 fmax(diagnosis->parallelism, diagnosis->concurrency * (1 - diagnosis->blocked)));
    else
        rule_say(finding, ".");
    if (evidence->quota_cpus >= 1)
        rule_fix(
            finding,
            "use %d task%s (OMP_NUM_THREADS=%d), or raise the quota: cpu.max of its control group, docker run --cpus",
            (int)evidence->quota_cpus, evidence->quota_cpus < 2 ? "" : "s", (int)evidence->quota_cpus);
    else
        rule_fix(finding, "raise the quota: cpu.max of its control group, CPUQuota= of systemd, docker run --cpus");
}

/* CPU time of others on the CPU where its tasks may run and others ran most, as a share of the time; and the CPUs that
 * others hardly used. */
static void find_foreign(const struct facts *facts, double *most_p, int *cpu_p, struct cpu_mask *free_p)
{
    const struct timeline *timeline = facts->evidence->timeline;
    *most_p = 0;
    *free_p = (struct cpu_mask){{0}};
    if (!diagnosis_knows_foreign(facts->evidence)) return;
    for (int i = 0; i < timeline->cpu_count; i++) {
        int cpu = timeline->cpus[i].cpu;
        if (cpu < 0 || cpu >= CPUS_MAX || isnan(timeline->cpus[i].busy_s)) continue;
        double foreign = fmax(0, timeline->cpus[i].busy_s - facts->cpu_s[cpu]) / facts->evidence->wall_s;
        if (foreign < taken_from) free_p->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
        if (foreign > *most_p && cpu_mask_has(&facts->masks, cpu)) {
            *most_p = foreign;
            *cpu_p = cpu;
        }
    }
}

/* mpirun and taskset choose CPUs themselves, whatever they are started with. */
static void fix_neighbour(const struct facts *facts, const struct cpu_mask *idle, struct finding *finding)
{
    char cpus[220], unbound[COMMAND_MAX];
    const char *command = facts->evidence->command;
    cpu_mask_format(idle, sizeof cpus, cpus);
    if (*rule_unbound_command(facts, sizeof unbound, unbound)) command = unbound;
    if (rule_starts_mpirun(facts) || facts_cores(facts->evidence->machine, idle) < facts->worker_count)
        rule_fix(finding, "stop them, or run it when they have ended");
    else if (!*command)
        rule_fix(finding, "stop them, or move it to CPUs that are free: taskset -a -c -p %s %d", cpus,
                 (int)facts->workers[0].task->pid);
    else if (!rule_fix(finding, "stop them, or run it on CPUs that are free: taskset -c %s %s", cpus, command))
        rule_fix(finding, "stop them, or run it on CPUs that are free: taskset -c %s", cpus);
}

/* Others are in the way where its tasks were ready meanwhile. */
void rule_neighbour(const struct facts *facts, struct diagnosis *diagnosis)
{
    double most, steps = 0.03 / facts->evidence->wall_s; /* /proc/stat moves in steps of 10 ms */
    int cpu = -1;
    struct cpu_mask idle;
    find_foreign(facts, &most, &cpu, &idle);
    if (most < taken_from + steps || diagnosis->waiting < 0.02) return;
    const char *names = facts->evidence->neighbours;
    struct finding *finding = rule_add(diagnosis, "neighbour", true);
    rule_say(finding,
             "Other programs used CPU %d for %d %% of the time, while its own tasks waited for a core%s%.200s.", cpu,
             percent(fmin(most, 1)), *names ? ": " : "", names);
    fix_neighbour(facts, &idle, finding);
}

void rule_steal(const struct facts *facts, struct diagnosis *diagnosis)
{
    double share = facts->evidence->steal_s / facts->evidence->wall_s;
    if (!(share > 0.05 + 0.03 / facts->evidence->wall_s)) return;
    struct finding *finding = rule_add(diagnosis, "steal", true);
    rule_say(finding, "The hypervisor took CPU time from this virtual machine: %.2f s in %.2f s (steal).",
             facts->evidence->steal_s, facts->evidence->wall_s);
    rule_fix(finding, "ask for dedicated cores, or another host: nothing inside the machine helps");
}

void rule_spinning(const struct facts *facts, struct diagnosis *diagnosis)
{
    static const unsigned openmp = 1u << LIBRARY_GOMP | 1u << LIBRARY_LLVM_OPENMP,
                          mpi = 1u << LIBRARY_OPENMPI | 1u << LIBRARY_MPICH;
    char command[COMMAND_MAX];
    double in_openmp = facts_spinning(facts, openmp), in_mpi = facts_spinning(facts, mpi);
    bool by_mpi = in_mpi >= in_openmp;
    double share = by_mpi ? in_mpi : in_openmp;
    if (!(share >= 0.1)) return;
    /* Where others take its cores, that is their doing. */
    bool sharing = diagnosis->waiting >= 0.15 && facts_active(facts) > 1.1 * facts_cores_used(facts);
    struct finding *finding = rule_add(diagnosis, "spinning", sharing);
    rule_say(finding, "%d %% of its CPU time went by in %s: tasks that wait for others keep polling there%s.",
             percent(share), by_mpi ? "the MPI library" : "OpenMP's run-time library",
             sharing ? ", on cores that those others need"
                     : ", which takes nothing from the others where each has a core of its own");
    if (!sharing) return;
    if (!by_mpi)
        rule_fix_variable(finding, facts, NULL, "OMP_WAIT_POLICY=passive");
    else if (facts_has_library(facts, LIBRARY_MPICH) && !facts_has_library(facts, LIBRARY_OPENMPI))
        rule_fix_variable(finding, facts, NULL, "MPIR_CVAR_POLLS_BEFORE_YIELD=1");
    else if (*rule_mpirun_with(facts, "--mca mpi_yield_when_idle 1", sizeof command, command))
        rule_fix(finding, "%s, or a core for each rank", command);
    else
        rule_fix(finding, "mpirun --mca mpi_yield_when_idle 1, or a core for each rank");
}

/* Several tasks had work, cores were free, and yet never two ran: they hold each other up. */
void rule_lock(const struct facts *facts, struct diagnosis *diagnosis)
{
    bool free_cores = facts->mask_cores > 1 && diagnosis->parallelism < facts->mask_cores - 0.6;
    bool in_turns = diagnosis->verdict == VERDICT_MULTITASKING && diagnosis->waiting < 0.15 && facts->worker_count > 1;
    if (!in_turns || !free_cores) return;
    struct finding *finding = rule_add(diagnosis, "lock", true);
    bool python = facts_has_library(facts, LIBRARY_PYTHON) && facts->process_count == 1;
    rule_say(finding,
             "%d %s were active one after the other, though %d cores were theirs: each was blocked until another let "
             "it go on, for "
             "%d %% of its time%s.",
             facts->worker_count, facts_noun(facts, facts->worker_count), facts->mask_cores,
             percent(diagnosis->blocked),
             python ? ". It is Python, whose threads share one lock (the GIL)" : ", as by a lock or by messages");
    if (python)
        rule_fix(
            finding,
            "processes instead of threads: multiprocessing or concurrent.futures.ProcessPoolExecutor, or code that "
            "lets go of the lock (NumPy, C)");
    else
        rule_fix(finding, "a lock for each part, or less work while one is held (perf lock, or a profile of blocked "
                          "time, tells which)");
}

void rule_waiting(const struct facts *facts, struct diagnosis *diagnosis)
{
    if (diagnosis->verdict != VERDICT_MOSTLY_WAITING) return;
    struct finding *finding = rule_add(diagnosis, "waiting", false);
    if (facts->waiting_count > 0)
        rule_say(finding, "It hardly computed: its tasks slept, or waited for files, the network or each other.");
    else
        rule_say(finding,
                 "Its tasks were blocked for %d %% of their time (files, network, sleep, locks or each other), and "
                 "waited for a core for "
                 "%d %%. More cores would not help; more tasks on the same cores would, until these are busy.",
                 percent(diagnosis->blocked), percent(diagnosis->waiting * (1 - diagnosis->blocked)));
}
