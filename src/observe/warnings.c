/* What would spoil a measurement on this machine, and the fix. One function a group of causes, called in the order of
 * the harm they do. Pure: all of it follows from what was read of the machine. */
#include "provenance.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double busy_load_per_cpu = 0.3;
static const double steal_share_max = 0.005;
static const double memory_least_bytes = 1024.0 * 1024 * 1024;

struct list {
    int count;
    struct warning *warnings;
};

/* The text is formatted; the fix stays as it is and is set by the caller where it needs numbers. */
static struct warning *warn(struct list *list, const char *name, const char *fix, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static struct warning *warn(struct list *list, const char *name, const char *fix, const char *format, ...)
{
    struct warning *warning = &list->warnings[list->count++];
    va_list arguments;
    snprintf(warning->name, sizeof warning->name, "%s", name);
    snprintf(warning->fix, sizeof warning->fix, "%s", fix);
    va_start(arguments, format);
    vsnprintf(warning->text, sizeof warning->text, format, arguments);
    va_end(arguments);
    return warning;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static void warn_of_cpus(const struct machine *machine, struct list *list)
{
    int allowed = machine->allowed_cpu_count, online = machine->online_cpu_count;
    if (machine->cpu_count == 1)
        warn(list, "one-cpu",
             online > 1 ? "Start it without taskset or numactl, or ask for more: srun --cpus-per-task, docker "
                          "--cpuset-cpus, more PEs a rank for mpirun."
                        : "Use a machine with two cores or more, or give the virtual machine more CPUs.",
             "Only one CPU may be used: nothing can run in parallel here, all tasks take turns.");
    else if (allowed < online)
        warn(list, "affinity",
             "If that was not meant: start it without taskset or numactl, or ask the batch system or container for "
             "more CPUs (srun --cpus-per-task, docker --cpuset-cpus).",
             "Only %d of the machine's %d CPUs may be used (affinity mask or cpuset): speedups end there.", allowed,
             online);
    if (allowed > machine->cpu_count)
        warn(list, "cpus-cut-off", "Measure larger machines with several jobs, each on a part of them (taskset).",
             "This process may use %d CPUs, but Speedup handles %d: only the first %d are used.", allowed,
             machine->cpu_count, machine->cpu_count);
    if (machine->quota_cpus < machine->cpu_count) {
        int whole = machine->quota_cpus < 1 ? 1 : (int)machine->quota_cpus;
        struct warning *warning = warn(
            list, "quota", "", "A cgroup quota gives %.4g CPU%s' worth of time to %d CPU%s: more is throttled.",
            machine->quota_cpus, machine->quota_cpus == 1 ? "" : "s", machine->cpu_count, plural(machine->cpu_count));
        snprintf(warning->fix, sizeof warning->fix,
                 "Use at most %d worker%s, or lift the quota (docker --cpus, Kubernetes CPU limits, systemd CPUQuota) "
                 "and limit by whole CPUs instead (docker --cpuset-cpus).",
                 whole, plural(whole));
    }
}

/* The fast cores' CPUs as one would give them to --cpus, as far as they fit. */
static void list_fast_cpus(const struct machine *machine, size_t length, char *text_p)
{
    struct cpu_list fast = {0};
    for (int i = 0; i < machine->cpu_count; i++)
        if (machine->cpus[i].kind == 0 && machine->cpus[i].smt == 0)
            fast.cpus[fast.count++] = machine->cpus[i].os_index;
    cpu_list_format(&fast, length, text_p);
}

static void warn_of_cores(const struct machine *machine, const struct provenance *provenance, struct list *list)
{
    if (machine->cpu_count > machine->core_count)
        warn(list, "smt-shared",
             "Count cores, not CPUs. Speedup takes one CPU a core unless --smt or --cpus says otherwise.",
             "The %d CPUs are hardware threads of only %d core%s: two on one core share its arithmetic and caches.",
             machine->cpu_count, machine->core_count, plural(machine->core_count));
    else if (provenance->smt_active == 1)
        warn(list, "smt-foreign",
             "Ask for whole cores (srun --exclusive or --hint=nomultithread), or switch SMT off: echo off | sudo tee "
             "/sys/devices/system/cpu/smt/control",
             "Each core has another hardware thread that this process may not use, but somebody else may.");
    if (machine->kind_count > 1) {
        char cpus[128];
        list_fast_cpus(machine, sizeof cpus, cpus);
        struct warning *warning =
            warn(list, "mixed-cores", "",
                 "The cores are of %d kinds, fast and slow: a speedup over both mixes them up.", machine->kind_count);
        snprintf(warning->fix, sizeof warning->fix, "Measure on one kind of core. The fast ones: --cpus %s", cpus);
    }
}

static void warn_of_neighbours(const struct machine *machine, const struct provenance *provenance, struct list *list)
{
    bool wsl = strcmp(provenance->container, "wsl") == 0;
    if (provenance->load_1min > busy_load_per_cpu * machine->online_cpu_count)
        warn(list, "busy",
             "Stop what else runs (see top), wait a minute, and look again. Your own last run counts too.",
             "The machine is busy: over the last minute %.2f tasks ran or wanted to run, on %d CPU%s.",
             provenance->load_1min, machine->online_cpu_count, plural(machine->online_cpu_count));
    if (provenance->steal_share > steal_share_max)
        warn(list, "steal",
             "Take a virtual machine with dedicated CPUs, or another hour; samples with steal are rejected.",
             "The host took %.1f %% of all CPU time since boot away from this virtual machine (steal).",
             100 * provenance->steal_share);
    if (wsl)
        warn(list, "wsl",
             "Close what else runs in Windows, choose its best-performance power mode, plug it in. For numbers to "
             "publish: native Linux.",
             "This is WSL2, a virtual machine inside Windows: what Windows does meanwhile is not to be seen here.");
    else if (provenance->virtualised == 1)
        warn(list, "virtual-machine",
             "Good for learning and comparing. For numbers to publish: bare metal, or dedicated, pinned CPUs.",
             "This is a virtual machine (%s): its CPUs may be hardware threads of shared cores, and neighbours and the "
             "clock are out of sight.",
             provenance->hypervisor[0] ? provenance->hypervisor : "unknown");
    if (provenance->container[0] && !wsl)
        warn(list, "container",
             "Give it whole CPUs of its own (docker --cpuset-cpus=0-3), and keep other containers off them.",
             "This runs in a container (%s): others on the same machine may use the same CPUs, unseen from here.",
             provenance->container);
}

static void warn_of_clock(const struct provenance *provenance, struct list *list)
{
    if (provenance->governor[0] && strcmp(provenance->governor, "performance") != 0)
        warn(list, "governor", "sudo cpupower frequency-set -g performance",
             "The frequency governor is \"%s\", not \"performance\": cores start slowly and clocks wander.",
             provenance->governor);
    if (provenance->turbo == 1)
        warn(list, "turbo",
             strncmp(provenance->driver, "intel", 5) == 0
                 ? "For a fair curve: echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
                 : "For a fair curve: echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost",
             "Turbo is on: one busy core clocks higher than many, so that one worker looks better and speedups worse.");
}

static void warn_of_memory(const struct machine *machine, struct list *list)
{
    double available = (double)machine->memory_available_bytes;
    if (machine->memory_bytes > 0 && available < memory_least_bytes)
        warn(list, "memory", "Close other programs, raise the cgroup's memory limit, or choose smaller sizes (--size).",
             "Little memory is free: %.0f MiB. Swapping would be measured instead of computing.",
             available / (1024 * 1024));
}

static void warn_of_blindness(const struct provenance *provenance, struct list *list)
{
    if (!provenance->schedstat)
        warn(list, "no-schedstat",
             "sudo sysctl kernel.task_delayacct=1, or boot a kernel with CONFIG_SCHEDSTATS. Some sandboxes hide it.",
             "Waiting for a core cannot be observed (/proc/thread-self/schedstat): a disturbed sample may pass as "
             "good.");
    if (!provenance->timelines_exact)
        warn(list, "no-timelines",
             provenance->perf_event_paranoid > 2 ? "sudo sysctl kernel.perf_event_paranoid=2"
             : provenance->container[0]
                 ? "Start the container with a seccomp profile that allows perf_event_open (docker --security-opt "
                   "seccomp=unconfined)."
                 : "Use a kernel with CONFIG_PERF_EVENTS (4.3 or newer) and no filter on perf_event_open.",
             "Exact timelines are not possible: %s. Measurements are not affected.", provenance->timelines_reason);
}

int provenance_warnings(const struct machine *machine, const struct provenance *provenance,
                        struct warning warnings_p[WARNINGS_MAX])
{
    struct list list = {.warnings = warnings_p};
    warn_of_cpus(machine, &list);
    warn_of_cores(machine, provenance, &list);
    warn_of_neighbours(machine, provenance, &list);
    warn_of_clock(provenance, &list);
    warn_of_memory(machine, &list);
    warn_of_blindness(provenance, &list);
    return list.count;
}

static bool is_set(char *const environment[], const char *name)
{
    size_t length = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return true;
    return false;
}

/* CPUs of the job on this node; 0: not known, or this node's are not. */
static int job_cpus(const struct allocation *allocation)
{
    return allocation->elsewhere || allocation->cpus_differ ? 0 : allocation->cpus_per_node;
}

/* With SMT on, a job may count cores, and have the whole node all the same. */
static void warn_of_shared_node(const struct allocation *allocation, const struct machine *machine,
                                const struct provenance *provenance, struct list *list)
{
    int cpus = job_cpus(allocation), online = machine->online_cpu_count;
    int threads = provenance->smt_active == 1 ? 2 : 1;
    if (cpus == 0 || (long long)cpus * threads >= online) return;
    warn(list, "shared-node",
         "Ask for whole nodes: sbatch --exclusive, qsub -l place=scatter:exclhost, bsub -x, flux batch --exclusive "
         "('speedup job' writes such a script).",
         "The job has %d of this node's %d CPUs%s: jobs of others may run on the rest, in the same caches and memory.",
         cpus, online,
         machine->allowed_cpu_count > cpus * threads ? ", though nothing keeps this process off the others" : "");
}

static void warn_of_step(const struct allocation *allocation, const struct machine *machine, struct list *list)
{
    int cpus = job_cpus(allocation), allowed = machine->allowed_cpu_count;
    if (!allocation->step || allowed >= cpus) return;
    struct warning *warning = warn(list, "step-cpus", "",
                                   "This task may use %d of the %d CPUs that the job has on this node.", allowed, cpus);
    snprintf(warning->fix, sizeof warning->fix,
             "Start speedup in the batch script itself, without %s; it starts its ranks by itself.",
             allocation->scheduler == SCHEDULER_FLUX ? "flux run" : "srun");
}

int provenance_job_warnings(const struct allocation *allocation, const struct machine *machine,
                            const struct provenance *provenance, char *const environment[], int count,
                            struct warning warnings[WARNINGS_MAX])
{
    struct list list = {.count = count, .warnings = warnings};
    if (allocation->scheduler == SCHEDULER_NONE) return count;
    if (allocation->elsewhere)
        warn(&list, "not-on-node",
             "Start speedup in a batch script ('speedup job slurm' writes one), or in a shell on a node: srun --pty "
             "--cpu-bind=none bash",
             "This shell is not on a node of its job (salloc leaves it on the login node): what is told here is of %s.",
             machine->hostname);
    warn_of_shared_node(allocation, machine, provenance, &list);
    warn_of_step(allocation, machine, &list);
    if (is_set(environment, "SLURM_CPUS_PER_TASK") && !is_set(environment, "SRUN_CPUS_PER_TASK"))
        warn(&list, "srun-cpus", "export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK",
             "SRUN_CPUS_PER_TASK is not set, and since 22.05 srun does not take over the job's --cpus-per-task: all "
             "threads of a rank may be on one core.");
    if (!is_set(environment, "OMP_NUM_THREADS"))
        warn(&list, "omp-threads",
             allocation->scheduler == SCHEDULER_SLURM ? "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}"
                                                      : "export OMP_NUM_THREADS=1, or the threads of each rank",
             "OMP_NUM_THREADS is not set: what you start without Speedup uses all CPUs that it sees, in every rank. "
             "Studies set it.");
    return list.count;
}
