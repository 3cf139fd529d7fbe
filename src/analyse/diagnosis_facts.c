/* Workers are tasks that were active (running, or ready without a core) for 5 % of their life, and for a tenth of the
 * time of the one that was active for longest: mpirun, shells and helper threads are none. Others that lived for a
 * short time, as those of a build do, are counted together, where they come to a fifth of all work. Levels over time
 * are made by sorting the ends of all spans.
 */
#include "diagnosis_facts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double worked_of_life = 0.05, worked_of_most = 0.1, short_life = 0.25, short_from = 0.2;

static void mask_add(struct cpu_mask *mask, const struct cpu_mask *other)
{
    for (size_t i = 0; i < sizeof mask->bits / sizeof *mask->bits; i++) mask->bits[i] |= other->bits[i];
}

static int find_rank(const struct tree_process *process)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"};
    for (size_t i = 0; process && i < sizeof names / sizeof *names; i++) {
        const char *text = tree_variable(process, names[i]);
        if (text && *text >= '0' && *text <= '9') return atoi(text);
    }
    return -1;
}

static struct fact_task read_task(const struct facts *facts, const struct timeline_task *task)
{
    const struct evidence *evidence = facts->evidence;
    struct fact_task fact = {.task = task, .mask = &facts->own};
    for (int s = 0; s < task->span_count; s++) {
        double length_s = task->spans[s].end_s - task->spans[s].begin_s;
        fact.life_s += length_s;
        if (task->spans[s].state == SPAN_RUNNING) fact.running_s += length_s;
        if (task->spans[s].state == SPAN_READY) fact.ready_s += length_s;
    }
    fact.tree = tree_find_task(evidence->tree, task->tid);
    fact.process = tree_find_process(evidence->tree, task->pid);
    if (fact.tree && fact.tree->pid != task->pid) fact.tree = NULL;
    const struct tree_task *masked = fact.tree ? fact.tree : tree_find_task(evidence->tree, task->pid);
    if (masked && cpu_mask_count(&masked->mask) > 0) fact.mask = &masked->mask;
    fact.rank = find_rank(fact.process);
    return fact;
}

static bool has_worked(const struct fact_task *task)
{
    double active_s = task->running_s + task->ready_s;
    return active_s > 0 && active_s >= worked_of_life * task->life_s;
}

/* What starts others and waits for them, and computes only while it does so. */
static bool is_launcher(const struct fact_task *task)
{
    static const char *const names[] = {"mpirun", "mpiexec", "orterun",        "orted", "prterun",
                                        "prted",  "srun",    "hydra_pmi_prox", "make"};
    size_t length = strcspn(task->task->name, ".");
    bool waits = task->life_s > 2 * (task->running_s + task->ready_s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && memcmp(task->task->name, names[i], length) == 0) return waits;
    return false;
}

struct change {
    double at_s;
    int active, running;
};

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    return (a->at_s > b->at_s) - (a->at_s < b->at_s);
}

static int collect_changes(const struct facts *facts, struct change **changes_p)
{
    const struct timeline *timeline = facts->evidence->timeline;
    size_t most = 1;
    int count = 0;
    for (int t = 0; t < timeline->task_count; t++) most += 2 * (size_t)timeline->tasks[t].span_count;
    struct change *changes = malloc(most * sizeof *changes);
    if (!changes) return -ENOMEM;
    for (int t = 0; t < timeline->task_count; t++) {
        const struct timeline_task *task = &timeline->tasks[t];
        struct fact_task fact = read_task(facts, task);
        if (!has_worked(&fact)) continue;
        for (int s = 0; s < task->span_count; s++) {
            if (task->spans[s].state == SPAN_BLOCKED) continue;
            int runs = task->spans[s].state == SPAN_RUNNING;
            changes[count++] = (struct change){task->spans[s].begin_s, 1, runs};
            changes[count++] = (struct change){task->spans[s].end_s, -1, -runs};
        }
    }
    qsort(changes, (size_t)count, sizeof *changes, compare_changes);
    *changes_p = changes;
    return count;
}

static int find_levels(struct facts *facts)
{
    struct change *changes;
    int count = collect_changes(facts, &changes), active = 0, running = 0;
    if (count < 0) return count;
    for (int i = 0; i + 1 < count; i++) {
        active += changes[i].active;
        running += changes[i].running;
        double length_s = changes[i + 1].at_s - changes[i].at_s;
        if (active >= 1) facts->any_s += length_s;
        if (active == 1) facts->one_s += length_s;
        if (active >= 2) facts->two_s += length_s;
        if (running >= 1) facts->any_running_s += length_s;
        if (running >= 2) facts->two_running_s += length_s;
    }
    free(changes);
    return 0;
}

static int compare_workers(const void *left, const void *right)
{
    const struct fact_task *a = left, *b = right;
    double a_s = a->running_s + a->ready_s, b_s = b->running_s + b->ready_s;
    if (a_s < b_s || a_s > b_s) return a_s > b_s ? -1 : 1;
    return (a->task->tid > b->task->tid) - (a->task->tid < b->task->tid);
}

static void count_process(struct facts *facts, const struct fact_task *worker)
{
    int at = 0;
    while (at < facts->process_count && facts->processes[at].pid != worker->task->pid) at++;
    if (at == facts->process_count) {
        facts->processes[facts->process_count++] =
            (struct fact_process){.pid = worker->task->pid, .tree = worker->process, .rank = worker->rank};
        facts->ranks += worker->rank >= 0;
    }
    facts->processes[at].workers++;
}

static void read_running(const struct timeline_task *task, double cpu_s[CPUS_MAX])
{
    for (int s = 0; s < task->span_count; s++) {
        const struct timeline_span *span = &task->spans[s];
        if (span->state == SPAN_RUNNING && span->cpu >= 0 && span->cpu < CPUS_MAX)
            cpu_s[span->cpu] += span->end_s - span->begin_s;
    }
}

/* Sums of those that count, in one place. */
struct sums {
    int count;
    double life_s, running_s, ready_s, worked_s[CPUS_MAX];
};

static void add_to(struct sums *sums, const struct fact_task *fact)
{
    sums->count++;
    sums->life_s += fact->life_s;
    sums->running_s += fact->running_s;
    sums->ready_s += fact->ready_s;
    read_running(fact->task, sums->worked_s);
}

static void add_sums(struct facts *facts, const struct sums *sums)
{
    facts->life_s += sums->life_s;
    facts->running_s += sums->running_s;
    facts->ready_s += sums->ready_s;
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) facts->worked_s[cpu] += sums->worked_s[cpu];
}

static double find_most(const struct facts *facts)
{
    const struct timeline *timeline = facts->evidence->timeline;
    double most_s = 0;
    for (int t = 0; t < timeline->task_count; t++) {
        struct fact_task fact = read_task(facts, &timeline->tasks[t]);
        if (has_worked(&fact)) most_s = fmax(most_s, fact.running_s + fact.ready_s);
    }
    return most_s;
}

static void find_workers(struct facts *facts)
{
    const struct timeline *timeline = facts->evidence->timeline;
    double most_s = find_most(facts);
    struct sums workers = {.count = 0}, brief = workers, all = workers;
    for (int t = 0; t < timeline->task_count; t++) {
        struct fact_task fact = read_task(facts, &timeline->tasks[t]);
        read_running(&timeline->tasks[t], facts->cpu_s);
        add_to(&all, &fact);
        if (!has_worked(&fact)) continue;
        if (fact.running_s + fact.ready_s >= worked_of_most * most_s && !is_launcher(&fact)) {
            add_to(&workers, &fact);
            facts->workers[facts->worker_count++] = fact;
        } else if (fact.life_s <= short_life * facts->length_s)
            add_to(&brief, &fact);
    }
    /* The shells that a wrapper runs before the program proper are no workers of it. */
    double brief_s = brief.running_s + brief.ready_s;
    add_sums(facts, &workers);
    if (brief_s > 0 && brief_s >= short_from * (workers.running_s + workers.ready_s + brief_s)) {
        facts->short_lived = brief.count;
        add_sums(facts, &brief);
    } else if (facts->worker_count == 0) {
        facts->waiting_count = all.count;
        add_sums(facts, &all);
    }
    qsort(facts->workers, (size_t)facts->worker_count, sizeof *facts->workers, compare_workers);
    for (int i = 0; i < facts->worker_count; i++) {
        count_process(facts, &facts->workers[i]);
        mask_add(&facts->masks, facts->workers[i].mask);
    }
}

int facts_find(const struct evidence *evidence, struct facts *facts_p)
{
    struct facts facts = {.evidence = evidence, .length_s = evidence->timeline->length_s};
    size_t room = (size_t)evidence->timeline->task_count + 1;
    for (int i = 0; i < evidence->machine->cpu_count; i++) {
        int cpu = evidence->machine->cpus[i].os_index;
        if (cpu >= 0 && cpu < CPUS_MAX) facts.own.bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
    }
    facts.workers = calloc(room, sizeof *facts.workers);
    facts.processes = calloc(room, sizeof *facts.processes);
    int status = facts.workers && facts.processes ? 0 : -ENOMEM;
    if (!status) {
        /* Masks point into the structure that is handed over. */
        *facts_p = facts;
        find_workers(facts_p);
        status = find_levels(facts_p);
    }
    if (status) {
        free(facts.workers);
        free(facts.processes);
        *facts_p = (struct facts){.evidence = evidence};
        return status;
    }
    facts_p->own_cores = facts_cores(evidence->machine, &facts_p->own);
    facts_p->mask_cores = facts_cores(evidence->machine, &facts_p->masks);
    int online = cpu_mask_count(&evidence->machine_cpus), threads = evidence->machine->cpu_count;
    /* What lies outside of what we may use is taken to be like what we may use. */
    facts_p->machine_cores =
        online > threads && threads > 0 ? (int)ceil((double)facts_p->own_cores * online / threads) : facts_p->own_cores;
    return 0;
}

void facts_release(struct facts *facts)
{
    free(facts->workers);
    free(facts->processes);
    facts->workers = NULL;
    facts->processes = NULL;
    facts->worker_count = facts->process_count = 0;
}
