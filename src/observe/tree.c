/* Searches as descendants.c does, looks at each process (tree_process.c), and asks the system for each thread's name,
 * mask and policy. Tasks that are gone stay in the list. The looks' own CPU time decides when the next one may be.
 */
#include "tree.h"

#include "descendants.h"
#include "looker.h"
#include "thread.h"
#include "tree_process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PROCESSES_MAX = 20000, TASKS_MAX = 100000, THOROUGH_EVERY = 4, SYSTEM_CPUS_MAX = 8192 };
static const double looks_s[] = {0.001, 0.003, 0.006, 0.012, 0.025, 0.05}, later_s = 0.1;
static const double share_max = 0.002, credit_s = 0.005;

struct task_seen {
    struct tree_task task;
    int process;
    bool looked_at;
};

struct tree_watch {
    struct looker *looker; /* NULL when it has ended */
    char own_group[GROUP_LENGTH];
    double start_s;
    /* The looker's. */
    struct descendants descendants;
    unsigned round;
    int status;
    bool full;
    int process_count;
    struct process_seen *processes;
    int task_count;
    struct task_seen *tasks;
    int live_count;
    int *live; /* tasks that were there when last looked at */
};

static int add_process(struct tree_watch *watch, struct descendant *found)
{
    if (array_grow(&watch->processes, watch->process_count, sizeof *watch->processes) < 0) return -ENOMEM;
    found->number = watch->process_count;
    watch->processes[watch->process_count++] =
        (struct process_seen){.process = {.pid = found->pid}, .folder = found->folder};
    return 0;
}

static bool is_live(const struct tree_watch *watch, int process, pid_t tid)
{
    for (int i = 0; i < watch->live_count; i++) {
        const struct task_seen *seen = &watch->tasks[watch->live[i]];
        if (seen->task.tid == tid && seen->process == process) return true;
    }
    return false;
}

static int add_thread(void *context, struct descendant *found, const char *tid_text)
{
    struct tree_watch *watch = context;
    pid_t tid = (pid_t)strtol(tid_text, NULL, 10);
    if (found->number >= 0 && is_live(watch, found->number, tid)) return 0;
    watch->full |= watch->task_count == TASKS_MAX || watch->process_count == PROCESSES_MAX;
    if (watch->full) return 0;
    if (found->number < 0 && add_process(watch, found) < 0) return -ENOMEM;
    if (array_grow(&watch->tasks, watch->task_count, sizeof *watch->tasks) < 0) return -ENOMEM;
    if (array_grow(&watch->live, watch->live_count, sizeof *watch->live) < 0) return -ENOMEM;
    watch->live[watch->live_count++] = watch->task_count;
    watch->tasks[watch->task_count++] =
        (struct task_seen){.task = {.pid = found->pid, .tid = tid}, .process = found->number};
    return 0;
}

/* Those that are gone have no folder any more. */
static void take_folders(struct tree_watch *watch)
{
    for (int i = 0; i < watch->process_count; i++) watch->processes[i].folder = -1;
    for (int i = 0; i < watch->descendants.count; i++) {
        const struct descendant *found = &watch->descendants.list[i];
        if (found->number >= 0) watch->processes[found->number].folder = found->folder;
    }
}

/* CPUs over CPUS_MAX are left out. */
static int read_mask(pid_t tid, struct cpu_mask *mask_p)
{
    unsigned long bits[SYSTEM_CPUS_MAX / (8 * sizeof(unsigned long))] = {0};
    enum { LONG_BITS = 8 * sizeof(unsigned long) };
    if (sched_getaffinity(tid, sizeof bits, (cpu_set_t *)bits) < 0) return -errno;
    *mask_p = (struct cpu_mask){.bits = {0}};
    for (int cpu = 0; cpu < CPUS_MAX; cpu++)
        if (bits[cpu / LONG_BITS] >> cpu % LONG_BITS & 1) mask_p->bits[cpu / 64] |= (uint64_t)1 << cpu % 64;
    return 0;
}

/* Returns whether it is there still. The name comes last: where it can be read, the number was the thread's own. */
static bool look_at_task(struct tree_watch *watch, struct task_seen *seen)
{
    const struct process_seen *process = &watch->processes[seen->process];
    struct tree_task now = seen->task;
    char path[32], name[sizeof now.name];
    if (process->folder < 0 || read_mask(now.tid, &now.mask) < 0) return false;
    int policy = sched_getscheduler(now.tid);
    now.policy = policy < 0 ? now.policy : policy & ~SCHED_RESET_ON_FORK;
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, (id_t)now.tid);
    now.nice = errno ? now.nice : nice;
    snprintf(path, sizeof path, "%d/comm", (int)now.tid);
    if (proc_read(process->folder, path, sizeof name, name) <= 0) return false;
    process_tidy_name(name);
    memcpy(now.name, name, sizeof now.name);
    /* Whoever starts a program may bind it between fork and exec. */
    bool began = process->looks <= 1 && now.tid == now.pid;
    now.pinned_later = !began && (now.pinned_later || (seen->looked_at && !cpu_mask_same(&now.mask, &seen->task.mask)));
    seen->task = now;
    seen->looked_at = true;
    return true;
}

static int look(struct tree_watch *watch, bool thorough)
{
    int status = descendants_search(&watch->descendants, thorough, add_thread, watch), kept = 0;
    take_folders(watch);
    for (int i = 0; i < watch->process_count && status == 0; i++)
        if (watch->processes[i].folder >= 0) status = process_seen_look(&watch->processes[i], watch->own_group);
    for (int i = 0; i < watch->live_count && status == 0; i++)
        if (look_at_task(watch, &watch->tasks[watch->live[i]])) watch->live[kept++] = watch->live[i];
    watch->live_count = kept;
    return status;
}

static bool look_in_turn(void *context, bool last, double *next_s_p)
{
    struct tree_watch *watch = context;
    unsigned count = sizeof looks_s / sizeof looks_s[0], round = watch->round++;
    watch->status = look(watch, last || round < count || round % THOROUGH_EVERY == 0);
    double next_s = round < count ? watch->start_s + looks_s[round] : clock_wall_s() + later_s;
    *next_s_p = fmax(next_s, watch->start_s + (clock_thread_cpu_s() - credit_s) / share_max);
    return watch->status == 0 && !watch->full;
}

int tree_watch_new(pid_t root, struct tree_watch **watch_p)
{
    struct tree_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return -ENOMEM;
    watch->descendants.loadavg = -1;
    int own = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own >= 0) {
        process_read_group(own, watch->own_group);
        close(own);
    }
    watch->start_s = clock_wall_s();
    int status = descendants_init(root, descendants_descriptors(4), &watch->descendants);
    if (status == 0) status = looker_new(look_in_turn, watch, false, &watch->looker);
    if (status < 0)
        tree_watch_free(watch);
    else
        *watch_p = watch;
    return status;
}

/* Where each process stands in the tree: by its start, and then as it was found. */
static int compare_starts(const void *left, const void *right, void *processes)
{
    int a = *(const int *)left, b = *(const int *)right;
    uint64_t start_a = ((const struct process_seen *)processes)[a].started;
    uint64_t start_b = ((const struct process_seen *)processes)[b].started;
    return start_a != start_b ? (start_a < start_b ? -1 : 1) : a - b;
}

static int compare_tasks(const void *left, const void *right)
{
    const struct task_seen *a = left, *b = right;
    if (a->process != b->process) return a->process - b->process;
    bool main_a = a->task.tid == a->task.pid, main_b = b->task.tid == b->task.pid;
    if (main_a != main_b) return main_a ? -1 : 1;
    return (a->task.tid > b->task.tid) - (a->task.tid < b->task.tid);
}

static int hand_over(struct tree_watch *watch, struct tree *tree)
{
    int *order = calloc((size_t)watch->process_count + 1, sizeof *order);
    int *place = calloc((size_t)watch->process_count + 1, sizeof *place);
    tree->processes = calloc((size_t)watch->process_count + 1, sizeof *tree->processes);
    tree->tasks = calloc((size_t)watch->task_count + 1, sizeof *tree->tasks);
    int status = order && place && tree->processes && tree->tasks ? 0 : -ENOMEM;
    for (int i = 0; i < watch->process_count && status == 0; i++) order[i] = i;
    if (status == 0) qsort_r(order, (size_t)watch->process_count, sizeof *order, compare_starts, watch->processes);
    for (int i = 0; i < watch->process_count && status == 0; i++) {
        struct process_seen *seen = &watch->processes[order[i]];
        place[order[i]] = i;
        tree->processes[tree->process_count++] = seen->process;
        seen->process.environment = NULL;
    }
    for (int i = 0; i < watch->task_count && status == 0; i++) watch->tasks[i].process = place[watch->tasks[i].process];
    if (status == 0 && watch->task_count > 0)
        qsort(watch->tasks, (size_t)watch->task_count, sizeof *watch->tasks, compare_tasks);
    for (int i = 0; i < watch->task_count && status == 0; i++)
        if (watch->tasks[i].looked_at) tree->tasks[tree->task_count++] = watch->tasks[i].task;
    free(order);
    free(place);
    return status;
}

int tree_watch_stop(struct tree_watch *watch, struct tree *tree_p)
{
    looker_free(watch->looker);
    watch->looker = NULL;
    int status = watch->status == 0 ? hand_over(watch, tree_p) : watch->status;
    if (status < 0) return status;
    if (watch->full)
        snprintf(tree_p->incomplete, sizeof tree_p->incomplete,
                 "there were more than %d processes or %d threads; what came after them is missing", PROCESSES_MAX,
                 TASKS_MAX);
    else if (watch->descendants.missed > 0)
        snprintf(tree_p->incomplete, sizeof tree_p->incomplete,
                 "some processes are missing: too few files may be open at once (more with ulimit -n)");
    return 0;
}

void tree_watch_free(struct tree_watch *watch)
{
    if (!watch) return;
    looker_free(watch->looker);
    descendants_release(&watch->descendants);
    for (int i = 0; i < watch->process_count; i++) free(watch->processes[i].process.environment);
    free(watch->processes);
    free(watch->tasks);
    free(watch->live);
    free(watch);
}

void tree_init(struct tree *tree_p)
{
    *tree_p = (struct tree){.processes = NULL};
}

void tree_release(struct tree *tree)
{
    for (int i = 0; i < tree->process_count; i++) free(tree->processes[i].environment);
    free(tree->processes);
    free(tree->tasks);
    tree_init(tree);
}

const char *tree_variable(const struct tree_process *process, const char *name)
{
    size_t length = strlen(name);
    for (const char *variable = process->environment; variable && *variable; variable += strlen(variable) + 1)
        if (strncmp(variable, name, length) == 0 && variable[length] == '=') return variable + length + 1;
    return NULL;
}

const struct tree_process *tree_find_process(const struct tree *tree, pid_t pid)
{
    for (int i = tree->process_count; i-- > 0;)
        if (tree->processes[i].pid == pid) return &tree->processes[i];
    return NULL;
}

const struct tree_task *tree_find_task(const struct tree *tree, pid_t tid)
{
    for (int i = tree->task_count; i-- > 0;)
        if (tree->tasks[i].tid == tid) return &tree->tasks[i];
    return NULL;
}
