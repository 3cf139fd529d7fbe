/* One search of /proc. What starts between the search and the opening is seen where its parent had an event already. */
#include "attach.h"

#include "descendants.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LENGTH = 1024 };

struct gathering {
    struct attached attached;
    bool too_many;
};

/* Name, state (field 3), user and system time (14, 15) and CPU (39). */
static bool read_stat(char *text, struct attached_thread *thread)
{
    char state, *name = strchr(text, '('), *end = strrchr(text, ')');
    uint64_t user, system;
    if (!name || !end || end < name) return false;
    *end = '\0';
    if (sscanf(end + 1,
               " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
               " %*d %*d %*d %*d %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
               &state, &user, &system, &thread->cpu) != 4)
        return false;
    snprintf(thread->name, sizeof thread->name, "%.15s", name + 1);
    thread->runnable = state == 'R';
    thread->ran_ns = (user + system) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    return state != 'Z' && state != 'X';
}

bool attach_read(pid_t pid, pid_t tid, struct attached_thread *thread_p)
{
    char path[64], text[FILE_LENGTH];
    uint64_t ran_ns;
    struct attached_thread thread = {.pid = pid, .tid = tid};
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    if (proc_read(AT_FDCWD, path, sizeof text, text) <= 0 || !read_stat(text, &thread)) return false;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)tid);
    if (proc_read(AT_FDCWD, path, sizeof text, text) > 0 && sscanf(text, "%" SCNu64, &ran_ns) == 1 && ran_ns > 0)
        thread.ran_ns = ran_ns;
    *thread_p = thread;
    return true;
}

static int take_thread(void *context, struct descendant *process, const char *tid)
{
    struct gathering *gathering = context;
    struct attached *attached = &gathering->attached;
    struct attached_thread thread;
    if (!attach_read(process->pid, (pid_t)strtol(tid, NULL, 10), &thread)) return 0;
    gathering->too_many |= attached->count == ATTACH_MAX;
    if (gathering->too_many) return 0;
    if (array_grow(&attached->list, attached->count, sizeof *attached->list) < 0) return -ENOMEM;
    attached->list[attached->count++] = thread;
    return 0;
}

static int compare_threads(const void *left, const void *right)
{
    pid_t a = ((const struct attached_thread *)left)->tid, b = ((const struct attached_thread *)right)->tid;
    return (a > b) - (a < b);
}

int attach_list(pid_t root, struct attached *attached_p)
{
    struct descendants descendants;
    struct gathering gathering = {.too_many = false};
    *attached_p = (struct attached){.list = NULL};
    int status = descendants_init(root, descendants_descriptors(4), &descendants);
    if (status < 0) return status;
    status = descendants_search(&descendants, true, take_thread, &gathering);
    if (status == 0 && gathering.attached.count == 0) status = -ESRCH;
    if (status == 0 && gathering.too_many) status = -E2BIG;
    if (status == 0 && descendants.missed > 0) status = -EMFILE;
    descendants_release(&descendants);
    if (status < 0) {
        attach_release(&gathering.attached);
        return status;
    }
    qsort(gathering.attached.list, (size_t)gathering.attached.count, sizeof *gathering.attached.list, compare_threads);
    *attached_p = gathering.attached;
    return 0;
}

void attach_release(struct attached *attached)
{
    free(attached->list);
    *attached = (struct attached){.list = NULL};
}

const struct attached_thread *attach_find(const struct attached *attached, pid_t tid)
{
    const struct attached_thread key = {.tid = tid};
    if (attached->count == 0) return NULL;
    return bsearch(&key, attached->list, (size_t)attached->count, sizeof key, compare_threads);
}

int attach_open(const struct perf_event_attr *attribute, const struct attached *attached, int cpu_count,
                const int cpus[], const struct source *pages, struct rings *rings_p, bool *inherited_p)
{
    bool inherited = (long)attached->count * cpu_count <= ATTACH_MAX;
    int each = inherited ? cpu_count : 1, count = 0;
    struct source *sources = calloc((size_t)attached->count * (size_t)each + 1, sizeof *sources);
    if (!sources) return -ENOMEM;
    for (int i = 0; i < attached->count; i++)
        for (int k = 0; k < each; k++) {
            sources[count] = *pages;
            sources[count].tid = attached->list[i].tid;
            sources[count++].cpu = inherited ? cpus[k] : -1;
        }
    int status = rings_open(attribute, count, sources, rings_p);
    free(sources);
    *inherited_p = inherited;
    return status;
}

void attach_explain(int status, size_t length, char *reason_p)
{
    /* What is allowed for one's own tasks is refused for another's. */
    const struct perf_event_attr harmless = {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY};
    int own = status == -EACCES || status == -EPERM ? ring_try(&harmless, (struct source){.cpu = -1}) : -1;
    if (own >= 0) {
        close(own);
        snprintf(reason_p, length, "a process of another user, or of a higher rank, may not be recorded");
    } else if (status == -ESRCH) {
        snprintf(reason_p, length, "there is no such process");
    } else if (status == -E2BIG) {
        snprintf(reason_p, length, "it has more than %d threads", ATTACH_MAX);
    } else if (status == -EMFILE) {
        snprintf(reason_p, length, "too few files may be open at once (more with ulimit -n)");
    } else {
        rings_explain(status, length, reason_p);
    }
}
