/* Descendants are found from parent to child: by the list of a task's children where the kernel keeps it, else by the
 * parents of all processes; threads by the processes' task folders. A search costs microseconds and is made only when
 * the system has given a number to a new task (the last word of /proc/loadavg), or when asked for.
 */
#include "descendants.h"

#include "thread.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LENGTH = 1024, PATH_LENGTH = 64, DESCRIPTORS_USUAL = 1024 };

int array_grow(void *array_pointer, int count, size_t size)
{
    void **array = array_pointer;
    if (count > 0 && (count & (count - 1)) != 0) return 0;
    void *larger = realloc(*array, (count > 0 ? 2 * (size_t)count : 1) * size);
    if (!larger) return -ENOMEM;
    *array = larger;
    return 0;
}

ssize_t proc_read(int folder, const char *path, size_t length, char text_p[])
{
    int descriptor = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t got = read(descriptor, text_p, length - 1);
    close(descriptor);
    text_p[got > 0 ? got : 0] = '\0';
    return got;
}

static bool is_bystander(const struct descendants *descendants, pid_t pid)
{
    for (int i = 0; i < descendants->bystander_count; i++)
        if (descendants->bystanders[i] == pid) return true;
    return false;
}

static bool is_watched(const struct descendants *descendants, pid_t pid)
{
    for (int i = 0; i < descendants->count; i++)
        if (descendants->list[i].folder >= 0 && descendants->list[i].pid == pid) return true;
    return false;
}

static int add_process(struct descendants *descendants, pid_t pid)
{
    char path[PATH_LENGTH];
    if (is_bystander(descendants, pid) || is_watched(descendants, pid)) return 0;
    if (descendants->descriptor_count >= descendants->descriptor_max) {
        descendants->missed++;
        return 0;
    }
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return 0; /* it is gone already */
    if (array_grow(&descendants->list, descendants->count, sizeof *descendants->list) < 0) {
        close(folder);
        return -ENOMEM;
    }
    descendants->descriptor_count++;
    descendants->list[descendants->count++] = (struct descendant){.pid = pid, .folder = folder, .number = -1};
    return 0;
}

static void forget_process(struct descendants *descendants, struct descendant *process)
{
    close(process->folder);
    process->folder = -1;
    descendants->descriptor_count--;
}

static int add_bystander(struct descendants *descendants, pid_t pid)
{
    if (array_grow(&descendants->bystanders, descendants->bystander_count, sizeof *descendants->bystanders) < 0)
        return -ENOMEM;
    descendants->bystanders[descendants->bystander_count++] = pid;
    return 0;
}

/* Calls what is to be done with each child that the file lists: numbers, blanks between them. */
static int each_child(struct descendants *descendants, int folder, const char *tid,
                      int (*act)(struct descendants *, pid_t))
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
    for (int pid; status == 0 && fscanf(file, "%d", &pid) == 1;) status = act(descendants, (pid_t)pid);
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
static int search_children(struct descendants *descendants, int folder, int (*act)(struct descendants *, pid_t))
{
    DIR *directory = open_folder(folder);
    if (!directory) return 0;
    int status = 0;
    for (const char *tid; status == 0 && (tid = next_number(directory));)
        status = each_child(descendants, folder, tid, act);
    closedir(directory);
    return status;
}

/* The field behind the state, which stands behind the name. */
static pid_t read_parent(int proc, const char *pid)
{
    char path[PATH_LENGTH], text[FILE_LENGTH];
    int parent = -1;
    snprintf(path, sizeof path, "%.20s/stat", pid);
    if (proc_read(proc, path, sizeof text, text) <= 0) return -1;
    const char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : -1;
}

/* Without lists: all processes whose parent is given (0: is watched). A parent has the smaller number, but for wrapped
 * ones, which the next search finds. */
static int search_parents(struct descendants *descendants, pid_t parent, int (*act)(struct descendants *, pid_t))
{
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = proc >= 0 ? open_folder(proc) : NULL;
    int status = directory ? 0 : -EACCES;
    for (const char *pid; status == 0 && (pid = next_number(directory));) {
        pid_t its = read_parent(proc, pid);
        if (its > 0 && (parent > 0 ? its == parent : is_watched(descendants, its)))
            status = act(descendants, (pid_t)strtol(pid, NULL, 10));
    }
    if (directory) closedir(directory);
    if (proc >= 0) close(proc);
    return status;
}

static int search_own_children(struct descendants *descendants, int (*act)(struct descendants *, pid_t))
{
    if (!descendants->children) return search_parents(descendants, getpid(), act);
    int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -errno;
    int status = search_children(descendants, folder, act);
    close(folder);
    return status;
}

int descendants_descriptors(int part)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return DESCRIPTORS_USUAL / part;
    return (int)(limit.rlim_cur < 262144 ? limit.rlim_cur : 262144) / part;
}

/* The process itself, of which a thread may have been named. */
static int add_root(struct descendants *descendants, pid_t root)
{
    char path[PATH_LENGTH], text[FILE_LENGTH];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)root);
    if (proc_read(AT_FDCWD, path, sizeof text, text) <= 0)
        return kill(root, 0) == 0 || errno == EPERM ? -EPERM : -ESRCH;
    const char *line = strstr(text, "\nTgid:");
    descendants->root = line && sscanf(line, " Tgid: %d", &pid) == 1 ? (pid_t)pid : root;
    int status = add_process(descendants, descendants->root);
    if (!status && descendants->count == 0) status = descendants->missed > 0 ? -EMFILE : -ESRCH;
    return status ? status : add_bystander(descendants, getpid());
}

int descendants_init(pid_t root, int descriptor_max, struct descendants *descendants_p)
{
    struct descendants descendants = {.loadavg = -1, .descriptor_max = descriptor_max};
    descendants.children = access("/proc/thread-self/children", R_OK) == 0;
    descendants.loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    int status = root > 0 ? add_root(&descendants, root) : search_own_children(&descendants, add_bystander);
    if (status < 0) descendants_release(&descendants);
    *descendants_p = descendants;
    return status;
}

void descendants_release(struct descendants *descendants)
{
    for (int i = 0; i < descendants->count; i++)
        if (descendants->list[i].folder >= 0) close(descendants->list[i].folder);
    if (descendants->loadavg >= 0) close(descendants->loadavg);
    free(descendants->bystanders);
    free(descendants->list);
    *descendants = (struct descendants){.loadavg = -1};
}

/* A process's threads, where one has come or gone: their number is told by the folder's links. */
static int search_threads(struct descendants *descendants, struct descendant *process, bool thorough,
                          int (*on_thread)(void *, struct descendant *, const char *), void *context)
{
    struct stat status_of;
    DIR *directory = NULL;
    bool there = fstat(process->folder, &status_of) == 0;
    if (there && !thorough && status_of.st_nlink == process->links) return 0;
    if (there) directory = open_folder(process->folder);
    if (!directory) {
        forget_process(descendants, process);
        return 0;
    }
    process->links = status_of.st_nlink;
    int status = 0, found = 0;
    for (const char *tid; status == 0 && (tid = next_number(directory)); found++)
        status = on_thread(context, process, tid);
    closedir(directory);
    if (status == 0 && found == 0) forget_process(descendants, process);
    return status;
}

/* Whether the system gave a number to a new task; true where it does not tell. */
static bool has_news(struct descendants *descendants)
{
    char text[FILE_LENGTH];
    ssize_t got = descendants->loadavg < 0 ? -1 : pread(descendants->loadavg, text, sizeof text - 1, 0);
    if (got <= 0) return true;
    text[got] = '\0';
    const char *last = strrchr(text, ' ');
    if (!last || strlen(last) >= sizeof descendants->newest) return true;
    bool same = strcmp(descendants->newest, last) == 0;
    snprintf(descendants->newest, sizeof descendants->newest, "%s", last);
    return !same;
}

static void drop_gone(struct descendants *descendants)
{
    int kept = 0;
    for (int i = 0; i < descendants->count; i++)
        if (descendants->list[i].folder >= 0) descendants->list[kept++] = descendants->list[i];
    descendants->count = kept;
}

int descendants_search(struct descendants *descendants, bool thorough,
                       int (*on_thread)(void *, struct descendant *, const char *), void *context)
{
    if (!has_news(descendants) && !thorough) return 0;
    int status = descendants->root > 0 ? 0 : search_own_children(descendants, add_process);
    if (status == 0 && !descendants->children) status = search_parents(descendants, 0, add_process);
    /* The list grows meanwhile. */
    for (int i = 0; i < descendants->count && status == 0; i++) {
        if (descendants->list[i].folder < 0) continue;
        status = search_threads(descendants, &descendants->list[i], thorough, on_thread, context);
        if (status == 0 && descendants->children && descendants->list[i].folder >= 0)
            status = search_children(descendants, descendants->list[i].folder, add_process);
    }
    drop_gone(descendants);
    return status == -ENOMEM ? -ENOMEM : 0;
}
