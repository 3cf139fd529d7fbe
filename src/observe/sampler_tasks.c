/* Descendants are found from parent to child: by the list of a task's children where the kernel keeps it, else by the
 * parents of all processes; threads by the processes' task folders. A search costs microseconds and is made only when
 * the system has given a number to a new task (the last word of /proc/loadavg), or when asked for.
 * A look is one read of an open schedstat file (0.3 us). As its counters move whenever the task leaves a core, gets one
 * or moves to another queue, an unchanged one says that nothing happened but perhaps being woken, which its next wait
 * tells. Only after a change is stat read (1 us): state, CPU and name.
 */
#include "sampler_tasks.h"

#include "thread.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LENGTH = 1024, PATH_LENGTH = 64 };

/* Room for one more in an array that doubles when its count is a power of two. Keeps the array where there is none. */
static int grow(void *array_pointer, int count, size_t size)
{
    void **array = array_pointer;
    if (count > 0 && (count & (count - 1)) != 0) return 0;
    void *larger = realloc(*array, (count > 0 ? 2 * (size_t)count : 1) * size);
    if (!larger) return -ENOMEM;
    *array = larger;
    return 0;
}

/* The text of a file below a folder; its length, or -1. */
static ssize_t read_text(int folder, const char *path, size_t length, char text_p[])
{
    int descriptor = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t got = read(descriptor, text_p, length - 1);
    close(descriptor);
    text_p[got > 0 ? got : 0] = '\0';
    return got;
}

static ssize_t read_open(int descriptor, size_t length, char text_p[])
{
    ssize_t got = pread(descriptor, text_p, length - 1, 0);
    text_p[got > 0 ? got : 0] = '\0';
    return got > 0 ? got : -1;
}

static bool is_bystander(const struct watched_tasks *tasks, pid_t pid)
{
    for (int i = 0; i < tasks->bystander_count; i++)
        if (tasks->bystanders[i] == pid) return true;
    return false;
}

static bool is_watched(const struct watched_tasks *tasks, pid_t pid)
{
    for (int i = 0; i < tasks->process_count; i++)
        if (tasks->processes[i].folder >= 0 && tasks->processes[i].pid == pid) return true;
    return false;
}

static int add_process(struct watched_tasks *tasks, pid_t pid)
{
    char path[PATH_LENGTH];
    if (is_bystander(tasks, pid) || is_watched(tasks, pid)) return 0;
    if (tasks->descriptor_count >= tasks->descriptor_max) {
        tasks->missed++;
        return 0;
    }
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return 0; /* it is gone already */
    if (grow(&tasks->processes, tasks->process_count, sizeof *tasks->processes) < 0) {
        close(folder);
        return -ENOMEM;
    }
    tasks->descriptor_count++;
    tasks->processes[tasks->process_count++] = (struct watched_process){.pid = pid, .folder = folder};
    return 0;
}

static void forget_process(struct watched_tasks *tasks, struct watched_process *process)
{
    close(process->folder);
    process->folder = -1;
    tasks->descriptor_count--;
}

static int add_bystander(struct watched_tasks *tasks, pid_t pid)
{
    if (grow(&tasks->bystanders, tasks->bystander_count, sizeof *tasks->bystanders) < 0) return -ENOMEM;
    tasks->bystanders[tasks->bystander_count++] = pid;
    return 0;
}

/* Calls what is to be done with each child that the file lists: numbers, blanks between them. */
static int each_child(struct watched_tasks *tasks, int folder, const char *tid,
                      int (*act)(struct watched_tasks *, pid_t))
{
    char path[PATH_LENGTH];
    int status = 0;
    snprintf(path, sizeof path, "%.20s/children", tid);
    int descriptor = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    FILE *file = fdopen(descriptor, "r");
    if (!file) {
        close(descriptor);
        return -ENOMEM;
    }
    for (int pid; status == 0 && fscanf(file, "%d", &pid) == 1;) status = act(tasks, (pid_t)pid);
    fclose(file);
    return status;
}

/* The numbered entries of a folder, a new look at it each time. NULL: it cannot be read. */
static DIR *open_folder(int folder)
{
    int descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (descriptor >= 0 && !directory) close(descriptor);
    return directory;
}

static const char *next_number(DIR *directory)
{
    for (struct dirent *entry; (entry = readdir(directory));)
        if (isdigit((unsigned char)entry->d_name[0])) return entry->d_name;
    return NULL;
}

/* The children of all of a process's threads, by the kernel's lists. */
static int search_children(struct watched_tasks *tasks, int folder, int (*act)(struct watched_tasks *, pid_t))
{
    DIR *directory = open_folder(folder);
    if (!directory) return 0;
    int status = 0;
    for (const char *tid; status == 0 && (tid = next_number(directory));) status = each_child(tasks, folder, tid, act);
    closedir(directory);
    return status;
}

/* The field behind the state, which stands behind the name. */
static pid_t read_parent(int proc, const char *pid)
{
    char path[PATH_LENGTH], text[FILE_LENGTH];
    int parent = -1;
    snprintf(path, sizeof path, "%.20s/stat", pid);
    if (read_text(proc, path, sizeof text, text) <= 0) return -1;
    const char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : -1;
}

/* Without lists: all processes whose parent is given (0: is watched). A parent has the smaller number, but for wrapped
 * ones, which the next search finds. */
static int search_parents(struct watched_tasks *tasks, pid_t parent, int (*act)(struct watched_tasks *, pid_t))
{
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = proc >= 0 ? open_folder(proc) : NULL;
    int status = directory ? 0 : -EACCES;
    for (const char *pid; status == 0 && (pid = next_number(directory));) {
        pid_t its = read_parent(proc, pid);
        if (its > 0 && (parent > 0 ? its == parent : its == getpid() || is_watched(tasks, its)))
            status = act(tasks, (pid_t)strtol(pid, NULL, 10));
    }
    if (directory) closedir(directory);
    if (proc >= 0) close(proc);
    return status;
}

static int search_own_children(struct watched_tasks *tasks, int (*act)(struct watched_tasks *, pid_t))
{
    if (!tasks->children) return search_parents(tasks, getpid(), act);
    int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -errno;
    int status = search_children(tasks, folder, act);
    close(folder);
    return status;
}

int watched_tasks_init(struct watched_tasks *tasks_p)
{
    char text[FILE_LENGTH];
    struct rlimit limit = {0};
    struct watched_tasks tasks = {.loadavg = -1, .descriptor_max = 512};
    /* Half of them are left to the rest of this program. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 131072)
        tasks.descriptor_max = (int)(limit.rlim_cur / 2);
    tasks.children = access("/proc/thread-self/children", R_OK) == 0;
    tasks.counted =
        read_text(AT_FDCWD, "/proc/thread-self/schedstat", sizeof text, text) > 0 && !isnan(schedstat_parse_wait(text));
    tasks.loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    tasks.searched_s = clock_wall_s();
    int status = search_own_children(&tasks, add_bystander);
    if (status < 0) watched_tasks_release(&tasks);
    *tasks_p = tasks;
    return status;
}

static void close_files(struct watched_tasks *tasks, struct watched_files *files)
{
    if (files->schedstat >= 0) close(files->schedstat);
    if (files->stat >= 0) close(files->stat);
    tasks->descriptor_count -= (files->schedstat >= 0) + (files->stat >= 0);
    *files = (struct watched_files){-1, -1};
}

void watched_tasks_release(struct watched_tasks *tasks)
{
    for (int i = 0; i < tasks->process_count; i++)
        if (tasks->processes[i].folder >= 0) close(tasks->processes[i].folder);
    for (int i = 0; i < tasks->count; i++) {
        close_files(tasks, &tasks->files[i]);
        free(tasks->tasks[i].sightings);
    }
    if (tasks->loadavg >= 0) close(tasks->loadavg);
    free(tasks->bystanders);
    free(tasks->processes);
    free(tasks->tasks);
    free(tasks->files);
    free(tasks->live);
    *tasks = (struct watched_tasks){.loadavg = -1};
}

static bool is_live(const struct watched_tasks *tasks, pid_t tid)
{
    for (int i = 0; i < tasks->live_count; i++)
        if (tasks->tasks[tasks->live[i]].tid == tid) return true;
    return false;
}

static int add_task(struct watched_tasks *tasks, const struct watched_process *process, const char *tid)
{
    char path[PATH_LENGTH];
    struct sampled_task task = {.pid = process->pid, .tid = (pid_t)strtol(tid, NULL, 10), .gone_s = NAN};
    if (is_live(tasks, task.tid)) return 0;
    if (tasks->descriptor_count + 2 > tasks->descriptor_max) {
        tasks->missed++;
        return 0;
    }
    if (grow(&tasks->tasks, tasks->count, sizeof *tasks->tasks) < 0) return -ENOMEM;
    if (grow(&tasks->files, tasks->count, sizeof *tasks->files) < 0) return -ENOMEM;
    if (grow(&tasks->live, tasks->live_count, sizeof *tasks->live) < 0) return -ENOMEM;
    task.born_after_s = tasks->searched_s;
    struct watched_files files;
    snprintf(path, sizeof path, "%.20s/schedstat", tid);
    files.schedstat = tasks->counted ? openat(process->folder, path, O_RDONLY | O_CLOEXEC) : -1;
    snprintf(path, sizeof path, "%.20s/stat", tid);
    files.stat = openat(process->folder, path, O_RDONLY | O_CLOEXEC);
    tasks->descriptor_count += (files.schedstat >= 0) + (files.stat >= 0);
    if (files.stat < 0 || (tasks->counted && files.schedstat < 0)) {
        close_files(tasks, &files);
        return 0;
    }
    tasks->live[tasks->live_count++] = tasks->count;
    tasks->files[tasks->count] = files;
    tasks->tasks[tasks->count++] = task;
    return 0;
}

/* New threads of a process: their number is told by the folder's links. */
static int search_threads(struct watched_tasks *tasks, struct watched_process *process, bool thorough)
{
    struct stat status_of;
    if (fstat(process->folder, &status_of) < 0) {
        forget_process(tasks, process);
        return 0;
    }
    if (!thorough && status_of.st_nlink == process->links) return 0;
    process->links = status_of.st_nlink;
    DIR *directory = open_folder(process->folder);
    if (!directory) {
        forget_process(tasks, process);
        return 0;
    }
    int status = 0, found = 0;
    for (const char *tid; status == 0 && (tid = next_number(directory)); found++)
        status = add_task(tasks, process, tid);
    closedir(directory);
    if (status == 0 && found == 0) forget_process(tasks, process);
    return status;
}

/* Whether the system gave a number to a new task; true where it does not tell. */
static bool has_news(struct watched_tasks *tasks)
{
    char text[FILE_LENGTH];
    if (tasks->loadavg < 0 || read_open(tasks->loadavg, sizeof text, text) < 0) return true;
    const char *last = strrchr(text, ' ');
    if (!last || strlen(last) >= sizeof tasks->newest) return true;
    bool same = strcmp(tasks->newest, last) == 0;
    snprintf(tasks->newest, sizeof tasks->newest, "%s", last);
    return !same;
}

int watched_tasks_search(struct watched_tasks *tasks, bool thorough)
{
    double now_s = clock_wall_s();
    if (!has_news(tasks) && !thorough) {
        tasks->searched_s = now_s;
        return 0;
    }
    int status = search_own_children(tasks, add_process);
    if (status == 0 && !tasks->children) status = search_parents(tasks, 0, add_process);
    /* The list grows meanwhile. */
    for (int i = 0; i < tasks->process_count && status == 0; i++) {
        if (tasks->processes[i].folder < 0) continue;
        status = search_threads(tasks, &tasks->processes[i], thorough);
        if (status == 0 && tasks->children && tasks->processes[i].folder >= 0)
            status = search_children(tasks, tasks->processes[i].folder, add_process);
    }
    tasks->searched_s = now_s;
    return status == -ENOMEM ? -ENOMEM : 0;
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
    if (grow(&task->sightings, task->count, sizeof *task->sightings) < 0) return -ENOMEM;
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
