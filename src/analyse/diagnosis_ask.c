/* What is asked of the facts: by the verdict, and by the rules. */
#include "diagnosis_facts.h"

#include <math.h>
#include <string.h>

/* On a core that was used for less than used_from of the time nobody worked; one is idle that others hardly used. */
static const double used_from = 0.02, idle_to = 0.1;

int facts_cores(const struct machine *machine, const struct cpu_mask *mask)
{
    bool seen[CPUS_MAX] = {false};
    int cores = 0, unknown = 0;
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!cpu_mask_has(mask, cpu)) continue;
        const struct cpu *known = machine_find_cpu(machine, cpu);
        bool counted = known && known->core >= 0 && known->core < CPUS_MAX;
        if (!counted)
            unknown++; /* this process may not use it: its core is not known */
        else if (!seen[known->core]) {
            seen[known->core] = true;
            cores++;
        }
    }
    return cores + unknown;
}

int facts_cores_used(const struct facts *facts)
{
    struct cpu_mask used = {{0}};
    for (int cpu = 0; cpu < CPUS_MAX; cpu++)
        if (facts->worked_s[cpu] >= used_from * facts->length_s && facts->worked_s[cpu] > 0)
            used.bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
    return facts_cores(facts->evidence->machine, &used);
}

const char *facts_noun(const struct facts *facts, int count)
{
    static const char *const nouns[3][2] = {{"threads", "thread"}, {"processes", "process"}, {"tasks", "task"}};
    bool leaders = true;
    for (int i = 0; i < facts->worker_count; i++)
        leaders = leaders && facts->workers[i].task->pid == facts->workers[i].task->tid;
    int kind = facts->process_count == facts->worker_count && leaders ? 1 : facts->process_count == 1 ? 0 : 2;
    if (facts->worker_count == 1) kind = 2;
    return nouns[kind][count == 1];
}

const char *facts_variable(const struct facts *facts, const char *name)
{
    const char *value = NULL;
    for (int i = 0; i < facts->process_count && !value; i++)
        if (facts->processes[i].tree) value = tree_variable(facts->processes[i].tree, name);
    return value;
}

bool facts_has_library(const struct facts *facts, enum library library)
{
    for (int i = 0; i < facts->process_count; i++)
        if (facts->processes[i].tree && facts->processes[i].tree->libraries >> library & 1) return true;
    return false;
}

double facts_active(const struct facts *facts)
{
    return facts->any_s > 0 ? (facts->running_s + facts->ready_s) / facts->any_s : 0;
}

bool facts_rest_idle(const struct facts *facts)
{
    const struct timeline *timeline = facts->evidence->timeline;
    for (int i = 0; i < timeline->cpu_count; i++) {
        int cpu = timeline->cpus[i].cpu;
        if (cpu < 0 || cpu >= CPUS_MAX || !cpu_mask_has(&facts->own, cpu)) continue;
        double others_s = timeline->cpus[i].busy_s - facts->cpu_s[cpu];
        if (!(others_s < idle_to * facts->evidence->wall_s)) return false;
    }
    return true;
}

static const struct hotspot *find_hotspot(const struct hotspots *hotspots, const struct timeline_task *task)
{
    for (int i = 0; hotspots && i < hotspots->count; i++)
        if (hotspots->list[i].tid == task->tid && hotspots->list[i].pid == task->pid) return &hotspots->list[i];
    return NULL;
}

static double share_in(const struct hotspot *hotspot, unsigned libraries)
{
    double sum = 0;
    for (int l = 0; l < LIBRARY_COUNT; l++)
        if (libraries >> l & 1) sum += hotspot->samples[l];
    return sum;
}

double facts_spinning(const struct facts *facts, unsigned libraries)
{
    double spinning = 0, all = 0;
    const struct hotspots *hotspots = facts->evidence->hotspots;
    if (!hotspots || !hotspots->known) return NAN;
    for (int i = 0; i < facts->worker_count; i++) {
        const struct hotspot *hotspot = find_hotspot(hotspots, facts->workers[i].task);
        if (!hotspot) continue;
        spinning += share_in(hotspot, libraries);
        all += hotspot->all;
    }
    return all > 0 ? spinning / all : NAN;
}
