/* Finds descendants by their parents in /proc, kills them and reaps those that are our own children; the others become
 * our children once their parents are gone (we are the subreaper). Repeated until none is left, since a process may
 * fork between the look and the kill. Between the looks we sleep until a child dies.
 */
#include "reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
    pid_t pid, parent;
    bool ours; /* a descendant that is no bystander */
};

struct processes {
    int count, capacity;
    struct process *items;
};

/* The second field after the name, which may itself hold spaces and parentheses. */
static pid_t read_parent(const char *pid_text)
{
    char path[300], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", pid_text);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t got = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[got > 0 ? got : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    int parent;
    return name_end && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static int processes_add(struct processes *processes, pid_t pid, pid_t parent)
{
    if (processes->count == processes->capacity) {
        int capacity = processes->capacity > 0 ? 2 * processes->capacity : 256;
        struct process *items = realloc(processes->items, (size_t)capacity * sizeof *items);
        if (!items) return -ENOMEM;
        processes->items = items;
        processes->capacity = capacity;
    }
    processes->items[processes->count++] = (struct process){.pid = pid, .parent = parent};
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
        pid_t parent = read_parent(entry->d_name);
        if (parent > 0) status = processes_add(processes, atoi(entry->d_name), parent);
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

/* Counts those that were there, and of them those that are not gone yet. */
static void kill_marked(const struct processes *processes, int *found_p, int *left_p)
{
    *found_p = *left_p = 0;
    for (int i = 0; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        if (!process->ours) continue;
        kill(process->pid, SIGKILL);
        bool reaped = process->parent == getpid() && waitpid(process->pid, NULL, WNOHANG) == process->pid;
        ++*found_p;
        *left_p += !reaped;
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

bool reap_descendants(const struct bystanders *bystanders, double limit_s)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct processes processes = {.items = NULL};
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    double end_s = now_s() + limit_s;
    bool gone = false;
    for (;;) {
        /* No child, no descendant: each descendant has an ancestor that is our child. */
        siginfo_t information;
        gone = waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
        if (gone || processes_read(&processes) < 0) break;
        mark_descendants(&processes, bystanders);
        int found, left;
        kill_marked(&processes, &found, &left);
        gone = found == 0;
        if (gone || now_s() > end_s) break;
        if (left > 0) sigtimedwait(&child_signal, NULL, &pause);
    }
    free(processes.items);
    return gone;
}
