/* Who is there is told by descendants.c.
 * A look is one read of an open schedstat file (0.3 us). As its counters move whenever the task leaves a core, gets one
 * or moves to another queue, an unchanged one says that nothing happened but perhaps being woken, which its next wait
 * tells. Only after a change is stat read (1 us): state, CPU and name.
 */
#include "sampler_tasks.h"

#include "thread.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LENGTH = 1024, PATH_LENGTH = 64 };

static ssize_t read_open(int descriptor, size_t length, char text_p[])
{
    ssize_t got = pread(descriptor, text_p, length - 1, 0);
    text_p[got > 0 ? got : 0] = '\0';
    return got > 0 ? got : -1;
}

int watched_tasks_init(pid_t root, struct watched_tasks *tasks_p)
{
    char text[FILE_LENGTH];
    struct watched_tasks tasks = {.there_before = root > 0};
    tasks.counted =
        proc_read(AT_FDCWD, "/proc/thread-self/schedstat", sizeof text, text) > 0 && !isnan(schedstat_parse_wait(text));
    tasks.searched_s = clock_wall_s();
    /* Half of the descriptors are left to the rest of this program. */
    int status = descendants_init(root, descendants_descriptors(2), &tasks.descendants);
    *tasks_p = tasks;
    return status;
}

static void close_files(struct watched_tasks *tasks, struct watched_files *files)
{
    if (files->schedstat >= 0) close(files->schedstat);
    if (files->stat >= 0) close(files->stat);
    tasks->descendants.descriptor_count -= (files->schedstat >= 0) + (files->stat >= 0);
    *files = (struct watched_files){-1, -1};
}

void watched_tasks_release(struct watched_tasks *tasks)
{
    for (int i = 0; i < tasks->count; i++) {
        close_files(tasks, &tasks->files[i]);
        free(tasks->tasks[i].sightings);
    }
    descendants_release(&tasks->descendants);
    free(tasks->tasks);
    free(tasks->files);
    free(tasks->live);
    *tasks = (struct watched_tasks){.descendants.loadavg = -1};
}

static bool is_live(const struct watched_tasks *tasks, pid_t tid)
{
    for (int i = 0; i < tasks->live_count; i++)
        if (tasks->tasks[tasks->live[i]].tid == tid) return true;
    return false;
}

static int add_task(void *context, struct descendant *process, const char *tid)
{
    struct watched_tasks *tasks = context;
    char path[PATH_LENGTH];
    struct sampled_task task = {
        .pid = process->pid, .tid = (pid_t)strtol(tid, NULL, 10), .there_before = tasks->there_before, .gone_s = NAN};
    if (is_live(tasks, task.tid)) return 0;
    if (tasks->descendants.descriptor_count + 2 > tasks->descendants.descriptor_max) {
        tasks->missed++;
        return 0;
    }
    if (array_grow(&tasks->tasks, tasks->count, sizeof *tasks->tasks) < 0) return -ENOMEM;
    if (array_grow(&tasks->files, tasks->count, sizeof *tasks->files) < 0) return -ENOMEM;
    if (array_grow(&tasks->live, tasks->live_count, sizeof *tasks->live) < 0) return -ENOMEM;
    task.born_after_s = tasks->searched_s;
    struct watched_files files;
    snprintf(path, sizeof path, "%.20s/schedstat", tid);
    files.schedstat = tasks->counted ? openat(process->folder, path, O_RDONLY | O_CLOEXEC) : -1;
    snprintf(path, sizeof path, "%.20s/stat", tid);
    files.stat = openat(process->folder, path, O_RDONLY | O_CLOEXEC);
    tasks->descendants.descriptor_count += (files.schedstat >= 0) + (files.stat >= 0);
    if (files.stat < 0 || (tasks->counted && files.schedstat < 0)) {
        close_files(tasks, &files);
        return 0;
    }
    tasks->live[tasks->live_count++] = tasks->count;
    tasks->files[tasks->count] = files;
    tasks->tasks[tasks->count++] = task;
    return 0;
}

int watched_tasks_search(struct watched_tasks *tasks, bool thorough)
{
    double now_s = clock_wall_s();
    int status = descendants_search(&tasks->descendants, thorough, add_task, tasks);
    tasks->there_before = false;
    tasks->searched_s = now_s;
    return status;
}

/* State (field 3), user and system time (14, 15) and CPU (39), counted behind the name, which may hold anything. */
static int read_stat(int descriptor, struct sampled_task *task, struct sighting *sighting, uint64_t *ticks_ns_p)
{
    char text[FILE_LENGTH], state;
    uint64_t user, system;
    if (read_open(descriptor, sizeof text, text) < 0) return -1;
    char *name = strchr(text, '('), *end = strrchr(text, ')');
    if (!name || !end || end < name) return -1;
    *end = '\0';
    if (sscanf(end + 1,
               " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
               " %*d %*d %*d %*d %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
               &state, &user, &system, &sighting->cpu) != 4 ||
        sighting->cpu < 0)
        return -1;
    for (char *c = name; *c; c++)
        if (iscntrl((unsigned char)*c)) *c = '?';
    snprintf(task->name, sizeof task->name, "%s", name + 1);
    sighting->runnable = state == 'R';
    task->over = state == 'Z' || state == 'X';
    *ticks_ns_p = (user + system) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    return 0;
}

static int add_sighting(struct watched_tasks *tasks, struct sampled_task *task, const struct sighting *sighting)
{
    if (array_grow(&task->sightings, task->count, sizeof *task->sightings) < 0) return -ENOMEM;
    task->sightings[task->count++] = *sighting;
    tasks->sighting_count++;
    return 0;
}

static bool is_same(const struct sighting *a, const struct sighting *b)
{
    return a->ran_ns == b->ran_ns && a->waited_ns == b->waited_ns && a->turns == b->turns;
}

static void see_again(struct sighting *last, double now_s)
{
    last->last_s = now_s;
    last->displaced = last->displaced || last->cpu == sched_getcpu();
}

/* 0, or -1 where the task is gone. */
static int read_schedstat(int descriptor, struct sighting *sighting)
{
    char text[FILE_LENGTH];
    if (read_open(descriptor, sizeof text, text) < 0) return -1;
    return sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &sighting->ran_ns, &sighting->waited_ns,
                  &sighting->turns) == 3
               ? 0
               : -1;
}

/* One task. 0, -ENOMEM, or -ESRCH where it is gone. */
static int look_at(struct watched_tasks *tasks, int number)
{
    struct sampled_task *task = &tasks->tasks[number];
    const struct watched_files *files = &tasks->files[number];
    struct sighting *last = task->count > 0 ? &task->sightings[task->count - 1] : NULL;
    struct sighting now = {.last_s = clock_wall_s()};
    uint64_t ticks_ns = 0;
    if (tasks->counted && read_schedstat(files->schedstat, &now) < 0) return -ESRCH;
    now.first_s = clock_wall_s();
    if (tasks->counted && last && (is_same(last, &now) || task->over)) {
        if (!task->over) see_again(last, now.last_s);
        return 0;
    }
    bool was_over = task->over;
    if (read_stat(files->stat, task, &now, &ticks_ns) < 0) return -ESRCH;
    if (was_over) return 0;
    now.displaced = now.cpu == sched_getcpu();
    if (!tasks->counted) {
        now.first_s = clock_wall_s();
        now.ran_ns = ticks_ns;
        if (last && is_same(last, &now) && last->runnable == now.runnable && last->cpu == now.cpu) {
            see_again(last, now.last_s);
            return 0;
        }
    }
    return add_sighting(tasks, task, &now);
}

int watched_tasks_look(struct watched_tasks *tasks)
{
    int status = 0, kept = 0;
    for (int i = 0; i < tasks->live_count; i++) {
        int number = tasks->live[i];
        int seen = status == 0 ? look_at(tasks, number) : 0;
        if (seen == -ENOMEM) status = seen;
        if (seen == -ESRCH) {
            tasks->tasks[number].gone_s = clock_wall_s();
            close_files(tasks, &tasks->files[number]);
        } else {
            tasks->live[kept++] = number;
        }
    }
    tasks->live_count = kept;
    return status;
}
