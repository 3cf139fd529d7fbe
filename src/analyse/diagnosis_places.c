/* Rules on places: masks that are narrower than they need be, tasks on the same core while others are idle, ranks that
 * do not belong together. They matter where tasks share cores; what is bound to its own core is well.
 */
#include "diagnosis_rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From which share of their active time on tasks are said to have waited for a core. */
static const double waits_from = 0.15;

static bool is_sharing(const struct diagnosis *diagnosis)
{
    return diagnosis->waiting >= waits_from;
}

static int percent(double share)
{
    return (int)lround(100 * share);
}

/* An MPI launcher told these processes that they are ranks, and their library is another MPI's; or it told them
 * nothing. */
void rule_worlds(const struct facts *facts, struct diagnosis *diagnosis)
{
    int count = 0;
    const char *why = NULL, *fix = NULL;
    for (int i = 0; i < facts->process_count; i++) {
        const struct tree_process *process = facts->processes[i].tree;
        if (!process || !process->readable) continue;
        bool openmpi = process->libraries >> LIBRARY_OPENMPI & 1, mpich = process->libraries >> LIBRARY_MPICH & 1;
        bool openmpi_told = tree_variable(process, "OMPI_COMM_WORLD_SIZE") != NULL;
        bool mpich_told = tree_variable(process, "PMI_SIZE") || tree_variable(process, "PMI_RANK");
        const char *size = tree_variable(process, "OMPI_COMM_WORLD_SIZE");
        if (mpich && openmpi_told && !mpich_told && size && atoi(size) > 1) {
            count++;
            why = "its library is MPICH's, and Open MPI's mpirun started it";
            fix = "mpirun.mpich (or the mpiexec of the MPI that it was built with), or build it with Open MPI's mpicc";
        } else if (openmpi && !mpich && mpich_told && !openmpi_told) {
            count++;
            why = "its library is Open MPI's, and MPICH's launcher started it";
            fix = "Open MPI's mpirun (the one of the MPI that it was built with)";
        } else if (openmpi && !openmpi_told && !mpich_told && rule_starts_mpirun(facts) && facts->process_count > 1) {
            count++;
            why = "it did not get the variables by which mpirun tells a process its rank";
            fix = "pass the environment on (no env -i between mpirun and the program)";
        }
    }
    if (count < 2) return;
    struct finding *finding = rule_add(diagnosis, "worlds-of-one", true);
    rule_say(
        finding,
        "%d processes that were started as the ranks of one job are each a world of its own, of size 1, and each does "
        "all of the work: %s.",
        count, why);
    rule_fix(finding, "%s", fix);
}

static const char *const pinning[] = {"OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_PROC_BIND"};

/* What pins the threads of OpenMP; NULL. */
static const char *pinning_variable(const struct facts *facts)
{
    for (size_t i = 0; i < sizeof pinning / sizeof *pinning; i++) {
        const char *value = facts_variable(facts, pinning[i]);
        if (value && *value && strcasecmp(value, "false") != 0) return pinning[i];
    }
    return NULL;
}

static bool has_openmp(const struct facts *facts)
{
    return facts_has_library(facts, LIBRARY_GOMP) || facts_has_library(facts, LIBRARY_LLVM_OPENMP);
}

/* Cores of the machine that the workers might use, and may not. */
static int cores_left(const struct facts *facts)
{
    return facts->machine_cores - facts->mask_cores;
}

static int threads_each(const struct facts *facts)
{
    int most = 1;
    for (int i = 0; i < facts->process_count; i++)
        if (facts->processes[i].workers > most) most = facts->processes[i].workers;
    return most;
}

/* Ranks whose threads were pinned by OpenMP, each rank's as if it were alone: on the same cores. */
void rule_shared_cores(const struct facts *facts, struct diagnosis *diagnosis)
{
    char cpus[220], command[COMMAND_MAX], words[64];
    const char *variable = pinning_variable(facts);
    bool several = facts->process_count > 1 && (facts->ranks > 1 || has_openmp(facts));
    if (!several || !variable || !has_openmp(facts) || !is_sharing(diagnosis)) return;
    if (facts->mask_cores >= facts->worker_count || cores_left(facts) < 1) return;
    struct finding *finding = rule_add(diagnosis, "shared-cores", true);
    rule_say(finding,
             "%d processes have %d busy threads on %s alone, while %d other core%s stood idle: %s makes each of them "
             "pin its "
             "threads as if it were alone on the machine. Ready to run, they waited for a core for %d %% of the time.",
             facts->process_count, facts->worker_count, rule_cpus(&facts->masks, sizeof cpus, cpus), cores_left(facts),
             cores_left(facts) == 1 ? "" : "s", variable, percent(diagnosis->waiting));
    snprintf(words, sizeof words, "--map-by slot:PE=%d --bind-to core", threads_each(facts));
    if (*rule_mpirun_with(facts, words, sizeof command, command))
        rule_fix(finding, "%s", command);
    else if (facts->ranks > 1)
        rule_fix(finding, "mpirun %s", words);
    else
        rule_fix_variable(finding, facts, variable, NULL);
}

/* The command without what confines it, and with mpirun's own binding; "" where that cannot be made. */
static const char *bound_by_mpirun(const struct facts *facts, size_t length, char *text)
{
    char command[COMMAND_MAX];
    struct evidence unbound = *facts->evidence;
    struct facts with = *facts;
    text[0] = '\0';
    if (!*rule_unbound_command(facts, sizeof command, command)) return text;
    snprintf(unbound.command, sizeof unbound.command, "%s", command);
    with.evidence = &unbound;
    return rule_mpirun_with(&with, "--bind-to core", length, text);
}

void rule_ranks_one_core(const struct facts *facts, struct diagnosis *diagnosis)
{
    char cpus[220], command[COMMAND_MAX];
    if (facts->ranks < 2 || facts->mask_cores != 1 || facts->machine_cores < 2 || !is_sharing(diagnosis) ||
        rule_found(diagnosis, "shared-cores"))
        return;
    struct finding *finding = rule_add(diagnosis, "ranks-one-core", true);
    rule_say(
        finding,
        "All %d ranks may run on %s alone, and took turns there: ready to run, they waited for a core for %d %% of the "
        "time. The machine has %d cores.",
        facts->ranks, rule_cpus(&facts->masks, sizeof cpus, cpus), percent(diagnosis->waiting), facts->machine_cores);
    if (facts->own_cores == 1)
        rule_fix(finding,
                 "start it where more CPUs are allowed (this shell, or its job, has %s alone), with: mpirun "
                 "--bind-to core",
                 rule_cpus(&facts->own, sizeof cpus, cpus));
    else if (*bound_by_mpirun(facts, sizeof command, command))
        rule_fix(finding, "%s", command);
    else
        rule_fix(finding, "mpirun --bind-to core, and no taskset or numactl around it");
}

/* The launcher gave a rank fewer cores than it has threads. */
void rule_hybrid(const struct facts *facts, struct diagnosis *diagnosis)
{
    char cpus[220], command[COMMAND_MAX], words[64];
    if (!is_sharing(diagnosis) || facts->machine_cores < 2) return;
    for (int i = 0; i < facts->process_count; i++) {
        const struct fact_process *process = &facts->processes[i];
        const struct cpu_mask *mask = NULL;
        bool alike = true;
        if (process->rank < 0 || process->workers < 2) continue;
        for (int w = 0; w < facts->worker_count; w++) {
            if (facts->workers[w].task->pid != process->pid) continue;
            if (!mask) mask = facts->workers[w].mask;
            alike = alike && cpu_mask_same(mask, facts->workers[w].mask);
        }
        int cores = mask ? facts_cores(facts->evidence->machine, mask) : 0;
        if (!alike || cores >= process->workers || cores >= facts->machine_cores || pinning_variable(facts)) continue;
        struct finding *finding = rule_add(diagnosis, "hybrid-bound", true);
        rule_say(finding,
                 "Rank %d has %d busy threads and is bound to %s, %d core%s: mpirun gave it a place for one thread. "
                 "Ready to run, "
                 "they waited for a core for %d %% of the time.",
                 process->rank, process->workers, rule_cpus(mask, sizeof cpus, cpus), cores, cores == 1 ? "" : "s",
                 percent(diagnosis->waiting));
        snprintf(words, sizeof words, "--map-by slot:PE=%d --bind-to core", process->workers);
        if (*rule_mpirun_with(facts, words, sizeof command, command))
            rule_fix(finding, "%s, or --bind-to none", command);
        else
            rule_fix(finding, "mpirun %s, or mpirun --bind-to none", words);
        return;
    }
}

/* One process pinned its own threads on top of each other. */
void rule_pinned(const struct facts *facts, struct diagnosis *diagnosis)
{
    char cpus[220];
    const char *variable = pinning_variable(facts);
    if (!variable || !has_openmp(facts) || facts->process_count != 1 || facts->worker_count < 2 ||
        !is_sharing(diagnosis))
        return;
    if (facts->mask_cores >= facts->worker_count || facts->mask_cores >= facts->own_cores) return;
    struct finding *finding = rule_add(diagnosis, "pinned-together", true);
    const char *value = facts_variable(facts, variable);
    rule_say(finding,
             "%d threads of one process are pinned to %s, %d of %d cores: %s=%.60s does that. Ready to run, they "
             "waited for a core "
             "for %d %% of the time.",
             facts->worker_count, rule_cpus(&facts->masks, sizeof cpus, cpus), facts->mask_cores, facts->own_cores,
             variable, value, percent(diagnosis->waiting));
    if (strcmp(variable, "OMP_PLACES") == 0)
        rule_fix_variable(finding, facts, NULL, "OMP_PLACES=cores");
    else
        rule_fix_variable(finding, facts, variable, NULL);
}

void rule_one_core(const struct facts *facts, struct diagnosis *diagnosis)
{
    char cpus[220], command[COMMAND_MAX];
    static const char *const told[] = {"ranks-one-core", "hybrid-bound", "pinned-together", "shared-cores"};
    bool several = facts->worker_count + facts->short_lived > 1;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (rule_found(diagnosis, told[i])) return;
    if (!several || facts->mask_cores != 1 || facts->machine_cores < 2 || !is_sharing(diagnosis)) return;
    struct finding *finding = rule_add(diagnosis, "one-core", true);
    rule_say(finding,
             "All of its %d %s may run on %s alone (their affinity mask says so), and took turns there: ready to run, "
             "they waited "
             "for a core for %d %% of the time. The machine has %d cores.",
             facts->worker_count, facts_noun(facts, facts->worker_count), rule_cpus(&facts->masks, sizeof cpus, cpus),
             percent(diagnosis->waiting), facts->machine_cores);
    if (facts->own_cores == 1)
        rule_fix(finding,
                 "start it where more CPUs are allowed: this shell, job or container has %s alone (taskset -p $$, "
                 "cgroup cpuset, Slurm's --cpus-per-task)",
                 rule_cpus(&facts->own, sizeof cpus, cpus));
    else if (*rule_unbound_command(facts, sizeof command, command))
        rule_fix(finding, "without taskset or numactl: %s", command);
    else if (*facts->evidence->command) {
        cpu_mask_format(&facts->own, sizeof cpus, cpus);
        if (!rule_fix(finding, "taskset -c %s %s", cpus, facts->evidence->command))
            rule_fix(finding, "taskset -c %s, and the command", cpus);
    } else
        rule_fix(finding, "taskset -a -c -p %s %d", cpu_mask_format(&facts->own, sizeof cpus, cpus),
                 (int)facts->workers[0].task->pid);
}

/* Two hardware threads of one core were busy, while a whole core was idle. */
void rule_siblings(const struct facts *facts, struct diagnosis *diagnosis)
{
    const struct machine *machine = facts->evidence->machine;
    int pair[2] = {-1, -1}, idle = 0;
    double busy_from_s = 0.3 * facts->length_s, idle_to_s = 0.02 * facts->length_s;
    for (int i = 0; i < machine->cpu_count; i++) {
        const struct cpu *cpu = &machine->cpus[i];
        double core_s = 0;
        if (cpu->os_index >= CPUS_MAX) continue;
        for (int j = 0; j < machine->cpu_count; j++) {
            const struct cpu *other = &machine->cpus[j];
            if (other->core != cpu->core || other->os_index >= CPUS_MAX) continue;
            core_s += facts->cpu_s[other->os_index];
            bool both =
                j > i && facts->cpu_s[cpu->os_index] > busy_from_s && facts->cpu_s[other->os_index] > busy_from_s;
            if (both && pair[0] < 0) {
                pair[0] = cpu->os_index;
                pair[1] = other->os_index;
            }
        }
        idle += cpu->smt == 0 && core_s <= idle_to_s;
    }
    if (pair[0] < 0 || idle == 0) return;
    struct finding *finding = rule_add(diagnosis, "smt-siblings", true);
    rule_say(finding,
             "CPUs %d and %d are two hardware threads of one core, and both were busy, while %d whole core%s stood "
             "idle: tasks "
             "there share one core's units.",
             pair[0], pair[1], idle, idle == 1 ? "" : "s");
    if (has_openmp(facts))
        rule_fix_variable(finding, facts, NULL, "OMP_PLACES=cores OMP_PROC_BIND=spread");
    else
        rule_fix(
            finding,
            "one CPU of each core: taskset -c with the first hardware thread of each ('speedup machine' lists them)");
}

/* No fault: but whoever confined it should know that it was to no avail. */
void rule_mask_ignored(const struct facts *facts, struct diagnosis *diagnosis)
{
    char unbound[COMMAND_MAX], cpus[220];
    const char *command = facts->evidence->command, *taskset = strstr(command, "taskset ");
    if (!taskset || !rule_starts_mpirun(facts) || facts->mask_cores < 2) return;
    if (!*rule_unbound_command(facts, sizeof unbound, unbound)) return;
    struct cpu_mask asked;
    const char *list = strstr(taskset, "-c ");
    char text[64];
    if (!list) return;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(list + 3, " "), list + 3);
    if (cpu_mask_parse(text, &asked) || facts_cores(facts->evidence->machine, &asked) >= facts->mask_cores) return;
    struct finding *finding = rule_add(diagnosis, "mask-ignored", false);
    rule_say(finding,
             "taskset asked for %s, and mpirun bound its ranks anew, to %s: Open MPI does not keep to the mask that it "
             "was started "
             "with. With --bind-to none it does.",
             rule_cpus(&asked, sizeof text, text), rule_cpus(&facts->masks, sizeof cpus, cpus));
}
