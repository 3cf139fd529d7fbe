/* Four observers beside each other: the timeline (exact where the kernel gives its records, else sampled), the tree of
 * processes, the places where CPU time goes, and the accounts of the CPUs and of other programs, before and after. Each
 * of them but the timeline may be missing; the diagnosis then says what it does not know.
 */
#include "diagnose_watch.h"

#include "../place/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void start_hotspots(struct diagnose_watch *watch, pid_t root)
{
    hotspots_init(&watch->hotspots);
    if (hotspot_watch_new(root, watch->machine.cpu_count, watch->cpus, &watch->hotspot_watch,
                          sizeof watch->hotspots.reason, watch->hotspots.reason))
        watch->hotspot_watch = NULL;
}

static void add_descriptors(struct diagnose_watch *watch, int count, const int *descriptors)
{
    for (int i = 0; i < count && watch->descriptor_count < WATCHED_MAX; i++)
        watch->descriptors[watch->descriptor_count++] = descriptors[i];
}

int diagnose_watch_start(struct diagnose_watch *watch, pid_t root, struct error *error)
{
    const int *descriptors;
    memset(watch, 0, sizeof *watch);
    timeline_record_init(&watch->timeline);
    tree_init(&watch->tree);
    hotspots_init(&watch->hotspots);
    int status = machine_read(&watch->machine, error);
    for (int i = 0; i < watch->machine.cpu_count; i++) watch->cpus[i] = watch->machine.cpus[i].os_index;
    if (!status) status = watching_begin(&watch->machine, root, true, &watch->watching, error);
    if (status) return status;
    start_hotspots(watch, root);
    if (tree_watch_new(root, &watch->tree_watch)) watch->tree_watch = NULL;
    int switch_count = watching_descriptors(&watch->watching, &descriptors);
    add_descriptors(watch, switch_count, descriptors);
    if (watch->hotspot_watch) {
        int count = hotspot_watch_descriptors(watch->hotspot_watch, &descriptors);
        add_descriptors(watch, count, descriptors);
    }
    neighbours_read(&watch->neighbours);
    watch->throttled_s = cgroup_throttled_s();
    cpu_counters_read(watch->machine.cpu_count, watch->cpus, watch->before);
    watch->start_s = clock_wall_s();
    return STATUS_OK;
}

void diagnose_watch_drain(void *context)
{
    struct diagnose_watch *watch = context;
    if (watch->watching.switches) watching_drain(&watch->watching);
    if (watch->hotspot_watch) hotspot_watch_drain(watch->hotspot_watch);
}

/* Its own processes, where they still run, are no neighbours. */
static void drop_own(struct neighbours *neighbours, const struct tree *tree)
{
    int kept = 0;
    for (int i = 0; i < neighbours->count; i++)
        if (!tree_find_process(tree, neighbours->list[i].pid)) neighbours->list[kept++] = neighbours->list[i];
    neighbours->count = kept;
}

static void compare_accounts(struct diagnose_watch *watch, struct evidence *evidence)
{
    struct cpu_counters after[CPUS_MAX];
    struct neighbours neighbours;
    struct timeline *timeline = &watch->timeline.timeline;
    cpu_counters_read(watch->machine.cpu_count, watch->cpus, after);
    evidence->throttled_s = cgroup_throttled_s() - watch->throttled_s;
    neighbours_read(&neighbours);
    drop_own(&neighbours, &watch->tree);
    neighbours_busiest(&watch->neighbours, &neighbours, sizeof evidence->neighbours, evidence->neighbours);
    neighbours_release(&neighbours);
    for (int c = 0; c < watch->machine.cpu_count; c++) {
        evidence->steal_s += after[c].steal_s - watch->before[c].steal_s;
        for (int i = 0; i < timeline->cpu_count; i++)
            if (timeline->cpus[i].cpu == watch->cpus[c])
                timeline->cpus[i].busy_s = after[c].busy_s - watch->before[c].busy_s;
    }
}

static int stop_timeline(struct diagnose_watch *watch, struct error *error)
{
    int status = watching_timeline(&watch->watching, &watch->timeline.timeline);
    /* Its records are as large as the timeline made of them. */
    watching_release(&watch->watching);
    return status ? error_set(error, STATUS_FAILED, "no memory is left for what was seen") : STATUS_OK;
}

/* A process that was forked and became no other program has its parent's name, which the kernel's records do not
 * repeat. */
static void name_tasks(struct timeline *timeline, const struct tree *tree)
{
    for (int t = 0; t < timeline->task_count; t++) {
        struct timeline_task *task = &timeline->tasks[t];
        if (task->name[0]) continue;
        const struct tree_task *seen = tree_find_task(tree, task->tid);
        const struct tree_process *process = tree_find_process(tree, task->pid);
        snprintf(task->name, sizeof task->name, "%s", seen ? seen->name : process ? process->name : "?");
    }
}

static void read_online(struct cpu_mask *mask_p)
{
    char text[4096];
    if (file_read(sizeof text, text, "/sys/devices/system/cpu/online") < 0) return;
    text[strcspn(text, "\n")] = '\0';
    cpu_mask_parse(text, mask_p);
}

int diagnose_watch_stop(struct diagnose_watch *watch, const struct spawn_result *result, struct error *error)
{
    struct evidence *evidence = &watch->evidence;
    double end_s = clock_wall_s();
    diagnose_watch_drain(watch);
    int status = stop_timeline(watch, error);
    if (!status && watch->tree_watch && tree_watch_stop(watch->tree_watch, &watch->tree))
        status = error_set(error, STATUS_FAILED, "no memory is left for its processes");
    if (!status && watch->hotspot_watch && hotspot_watch_stop(watch->hotspot_watch, &watch->hotspots))
        status = error_set(error, STATUS_FAILED, "no memory is left for where its time went");
    if (status) return status;
    *evidence = (struct evidence){.machine = &watch->machine,
                                  .timeline = &watch->timeline.timeline,
                                  .tree = &watch->tree,
                                  .hotspots = &watch->hotspots,
                                  .wall_s = result ? result->wall_s : end_s - watch->start_s,
                                  .user_s = result ? result->usage.user_s : NAN,
                                  .system_s = result ? result->usage.system_s : NAN,
                                  .quota_cpus = watch->machine.quota_cpus,
                                  .peak_memory_bytes = result ? result->usage.peak_memory_bytes : -1};
    read_online(&evidence->machine_cpus);
    compare_accounts(watch, evidence);
    double begin_s = (result ? result->start_s : watch->start_s) - watch->timeline.timeline.start_s;
    timeline_cut(&watch->timeline.timeline, begin_s, begin_s + evidence->wall_s);
    name_tasks(&watch->timeline.timeline, &watch->tree);
    return STATUS_OK;
}

void diagnose_watch_release(struct diagnose_watch *watch)
{
    watching_release(&watch->watching);
    hotspot_watch_free(watch->hotspot_watch);
    tree_watch_free(watch->tree_watch);
    neighbours_release(&watch->neighbours);
    timeline_record_release(&watch->timeline);
    tree_release(&watch->tree);
    hotspots_release(&watch->hotspots);
}
