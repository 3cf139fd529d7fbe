/* Finds descendants by their parents in /proc, kills them and reaps those that are our own children; the others become
 * our children once their parents are gone (we are the subreaper). Repeated until none is left, since a process may
 * fork between the look and the kill. Between the looks we sleep until a child dies. Nothing of that is needed where we
 * have no child at all: each descendant has an ancestor that is our child.
 */
#include "reap.h"

#include "usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
    pid_t pid, parent, group;
    bool stopped;
    bool dead; /* and waits for its parent to reap it; its other threads may live */
    bool ours; /* a descendant that is no bystander */
};

struct processes {
    int count, capacity;
    struct process *items;
};

/* The fields after the name, which may itself hold spaces and parentheses. Whether it is (still) there. */
static bool read_process(const char *pid_text, struct process *process_p)
{
    char path[300], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", pid_text);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    ssize_t got = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[got > 0 ? got : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    char state;
    int parent, group;
    if (!name_end || sscanf(name_end + 1, " %c %d %d", &state, &parent, &group) != 3) return false;
    *process_p = (struct process){.pid = atoi(pid_text),
                                  .parent = parent,
                                  .group = group,
                                  .stopped = state == 'T',
                                  .dead = state == 'Z' || state == 'X'};
    return true;
}

static int processes_add(struct processes *processes, const struct process *process)
{
    if (processes->count == processes->capacity) {
        int capacity = processes->capacity > 0 ? 2 * processes->capacity : 256;
        struct process *items = realloc(processes->items, (size_t)capacity * sizeof *items);
        if (!items) return -ENOMEM;
        processes->items = items;
        processes->capacity = capacity;
    }
    processes->items[processes->count++] = *process;
    return 0;
}

static int processes_read(struct processes *processes)
{
    processes->count = 0;
    DIR *directory = opendir("/proc");
    if (!directory) return -errno;
    int status = 0;
    for (struct dirent *entry; status == 0 && (entry = readdir(directory));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        struct process process;
        if (read_process(entry->d_name, &process)) status = processes_add(processes, &process);
    }
    closedir(directory);
    return status;
}

static bool is_bystander(const struct bystanders *bystanders, pid_t pid)
{
    for (int i = 0; i < bystanders->count; i++)
        if (bystanders->children[i] == pid) return true;
    return false;
}

static bool has_our_parent(const struct processes *processes, const struct process *process)
{
    if (process->parent == getpid()) return true;
    for (int i = 0; i < processes->count; i++)
        if (processes->items[i].pid == process->parent) return processes->items[i].ours;
    return false;
}

/* Passes over the list until nothing new is found: a parent may stand after its child. */
static void mark_descendants(struct processes *processes, const struct bystanders *bystanders)
{
    for (bool found = true; found;) {
        found = false;
        for (int i = 0; i < processes->count; i++) {
            struct process *process = &processes->items[i];
            if (process->ours || is_bystander(bystanders, process->pid) || !has_our_parent(processes, process))
                continue;
            process->ours = found = true;
        }
    }
}

bool reap_one(pid_t pid, struct spawn_usage *usage, int *status_p)
{
    struct rusage of_one;
    if (wait4(pid, status_p, WNOHANG, &of_one) != pid) return false;
    usage_add(usage, &of_one);
    return true;
}

void reap_orphans(const struct bystanders *bystanders, pid_t but, struct spawn_usage *usage)
{
    for (;;) {
        siginfo_t information = {.si_pid = 0};
        int status;
        waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT);
        if (information.si_pid == 0 || information.si_pid == but) return;
        /* A bystander hides those behind it; they have until the end. */
        if (is_bystander(bystanders, information.si_pid)) return;
        if (!reap_one(information.si_pid, usage, &status)) return;
    }
}

int bystanders_find(struct bystanders *bystanders_p)
{
    siginfo_t information;
    if (waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD) return 0;
    struct processes processes = {.items = NULL};
    struct bystanders bystanders = {.children = NULL};
    int status = processes_read(&processes);
    if (status < 0) goto release;
    bystanders.children = calloc((size_t)processes.count, sizeof *bystanders.children);
    if (!bystanders.children) {
        status = -ENOMEM;
        goto release;
    }
    for (int i = 0; i < processes.count; i++)
        if (processes.items[i].parent == getpid()) bystanders.children[bystanders.count++] = processes.items[i].pid;
    *bystanders_p = bystanders;
release:
    free(processes.items);
    return status;
}

void bystanders_release(struct bystanders *bystanders)
{
    free(bystanders->children);
    *bystanders = (struct bystanders){.children = NULL};
}

static double now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool have_no_child(void)
{
    siginfo_t information;
    return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

/* A child of ours that cannot be reaped lives, even where its first thread is dead. */
static bool lives(const struct process *process)
{
    return process->ours && (!process->dead || process->parent == getpid());
}

/* Looks at those that are left, and reaps our children among them. Returns how many live, or a negative errno value. */
static int look(struct processes *processes, const struct reaping *reaping, struct spawn_usage *usage)
{
    int status = processes_read(processes), count = 0;
    if (status < 0) return status;
    mark_descendants(processes, reaping->bystanders);
    for (int i = 0; i < processes->count; i++) {
        struct process *process = &processes->items[i];
        int exit_status;
        if (process->ours && process->parent == getpid() && reap_one(process->pid, usage, &exit_status))
            process->ours = false;
        count += lives(process);
    }
    return count;
}

/* The run's group at once, so that nobody in it can fork meanwhile: one of ours that lives is in it, hence its number
 * is no other's. */
static void kill_all(const struct processes *processes, pid_t group)
{
    bool group_done = group <= 0;
    for (int i = 0; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        if (!lives(process)) continue;
        if (!group_done && process->group == group) {
            kill(-group, SIGKILL);
            group_done = true;
        }
        if (process->group != group) kill(process->pid, SIGKILL);
    }
}

/* Those that lost their parents: theirs are for them to end (mpirun's ranks). */
static void ask_topmost(const struct processes *processes, pid_t group)
{
    for (int i = 0; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        if (!lives(process) || process->parent != getpid() || process->group == group) continue;
        kill(process->pid, SIGTERM);
        if (process->stopped) kill(process->pid, SIGCONT);
    }
}

static void sleep_until_death(double limit_s)
{
    const double longest_s = 0.02;
    double pause_s = limit_s < longest_s ? limit_s : longest_s;
    const struct timespec pause = {.tv_nsec = (long)(1e9 * (pause_s > 0 ? pause_s : 0))};
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    sigtimedwait(&child_signal, NULL, &pause);
}

bool reap_descendants(const struct reaping *reaping, struct spawn_usage *usage, int *killed_p)
{
    struct processes processes = {.items = NULL};
    double kill_s = now_s() + reaping->grace_s, end_s = kill_s + reaping->limit_s;
    bool killing = false, asked = false, gone = false;
    int empty = 0;
    *killed_p = 0;
    for (;;) {
        reap_orphans(reaping->bystanders, 0, usage);
        gone = have_no_child();
        if (gone) break;
        int left = look(&processes, reaping, usage);
        double now = now_s();
        /* One that was forked, or lost its parent, while we looked may have been missed. */
        empty = left == 0 ? empty + 1 : 0;
        gone = empty == 2;
        if (gone || left < 0 || (killing && now > end_s)) break;
        if (left == 0) continue;
        if (!killing && now >= kill_s) {
            killing = true;
            *killed_p = left;
        }
        if (killing) kill_all(&processes, reaping->group);
        if (!killing && reaping->ask && !asked) {
            ask_topmost(&processes, reaping->group);
            asked = true;
        }
        sleep_until_death(killing ? end_s - now : kill_s - now);
    }
    free(processes.items);
    return gone;
}
