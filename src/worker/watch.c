/* The kernel's context-switch records of each thread that the process has, helpers of MPI and OpenMP among them: opened
 * just before the sample, so that what was timed before it ran without them. The workers note themselves that they run;
 * one that keeps its core all along would leave no record else.
 *
 * A thread of its own takes the records when a quarter of a ring is full. It is one of those watched, named
 * speedup-drainer, as it takes time from the worker whose core it shares. It waits for the bell, which rings twice:
 * when all is set up, and at the end.
 */
#include "watch.h"

#include "../observe/switches.h"
#include "../observe/thread.h"
#include "../place/file.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct threads {
    int count;
    pid_t *tids;       /* heap */
    char (*names)[16]; /* heap; as they are known now: a thread that has ended has none */
};

struct watch {
    struct switches *switches; /* NULL: nothing was watched */
    struct threads threads;
    int bell;
    bool draining;
    pthread_t drainer;
    int polled_count;
    struct pollfd *polled; /* the bell, then the rings */
    char missing[160];     /* why nothing, or not all, was seen; "" */
};

static void threads_release(struct threads *threads)
{
    free(threads->names);
    free(threads->tids);
}

struct watch *watch_new(void)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch) watch->bell = -1;
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch) return;
    watch_stop(watch);
    switches_close(watch->switches);
    threads_release(&watch->threads);
    free(watch->polled);
    free(watch);
}

static int threads_add(struct threads *threads, pid_t tid)
{
    size_t count = (size_t)threads->count + 1;
    pid_t *tids = realloc(threads->tids, count * sizeof *tids);
    if (!tids) return -ENOMEM;
    threads->tids = tids;
    char(*names)[16] = realloc(threads->names, count * sizeof *names);
    if (!names) return -ENOMEM;
    threads->names = names;
    tids[count - 1] = tid;
    file_read(sizeof names[0], names[count - 1], "/proc/self/task/%d/comm", (int)tid);
    threads->count++;
    return 0;
}

/* All threads of this process. 0 or a negative errno value. */
static int threads_list(struct threads *threads_p)
{
    struct threads threads = {.count = 0};
    DIR *folder = opendir("/proc/self/task");
    int status = folder ? 0 : -errno;
    for (struct dirent *entry; !status && (entry = readdir(folder));) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        status = threads_add(&threads, (pid_t)atol(entry->d_name));
    }
    if (folder) closedir(folder);
    if (status) threads_release(&threads);
    if (!status) *threads_p = threads;
    return status;
}

static void swap(struct threads *threads, int a, int b)
{
    pid_t tid = threads->tids[a];
    char name[16];
    memcpy(name, threads->names[a], sizeof name);
    threads->tids[a] = threads->tids[b];
    memmove(threads->names[a], threads->names[b], sizeof name);
    threads->tids[b] = tid;
    memcpy(threads->names[b], name, sizeof name);
}

/* Returns how many they are. */
static int put_workers_first(struct threads *threads)
{
    int workers = 0;
#pragma omp parallel
#pragma omp critical
    for (int i = workers; i < threads->count; i++) {
        if (threads->tids[i] != thread_id()) continue;
        swap(threads, i, workers++);
        break;
    }
    return workers;
}

static void ring_bell(const struct watch *watch)
{
    while (eventfd_write(watch->bell, 1) < 0 && errno == EINTR) continue;
}

static void await_bell(const struct watch *watch)
{
    eventfd_t rings;
    while (eventfd_read(watch->bell, &rings) < 0 && errno == EINTR) continue;
}

static void *drain(void *context)
{
    struct watch *watch = context;
    await_bell(watch);
    if (!watch->switches) return NULL;
    while (poll(watch->polled, (nfds_t)watch->polled_count, -1) >= 0 || errno == EINTR) {
        if (watch->polled[0].revents) break;
        switches_drain(watch->switches);
        for (int i = 1; i < watch->polled_count; i++)
            if (watch->polled[i].revents & POLLHUP) watch->polled[i].fd = -1; /* this thread has ended */
    }
    return NULL;
}

static int start_drainer(struct watch *watch)
{
    watch->bell = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    if (watch->bell < 0) return -errno;
    int status = pthread_create(&watch->drainer, NULL, drain, watch);
    watch->draining = status == 0;
    if (status == 0) pthread_setname_np(watch->drainer, "speedup-drainer");
    return -status;
}

static int prepare_poll(struct watch *watch)
{
    const int *descriptors;
    int count = switches_descriptors(watch->switches, &descriptors);
    watch->polled = calloc((size_t)count + 1, sizeof *watch->polled);
    if (!watch->polled) return -ENOMEM;
    watch->polled_count = count + 1;
    watch->polled[0] = (struct pollfd){.fd = watch->bell, .events = POLLIN};
    for (int i = 0; i < count; i++) watch->polled[i + 1] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
    return 0;
}

static void note_workers(struct watch *watch)
{
#pragma omp parallel
#pragma omp critical
    switches_note_running(watch->switches, thread_id(), sched_getcpu(), clock_wall_s());
}

void watch_start(struct watch *watch, int sharers)
{
    struct threads *threads = &watch->threads;
    int status = start_drainer(watch);
    if (!status) status = threads_list(threads);
    int workers = put_workers_first(threads);
    if (status) {
        snprintf(watch->missing, sizeof watch->missing, "the threads cannot be watched: %.80s", strerror(-status));
    } else if (switches_open_threads(threads->count, threads->tids, workers, sharers, &watch->switches,
                                     sizeof watch->missing, watch->missing)) {
        watch->switches = NULL;
    } else if (prepare_poll(watch)) {
        snprintf(watch->missing, sizeof watch->missing, "no memory is left");
        switches_close(watch->switches);
        watch->switches = NULL;
    } else {
        watch->missing[0] = '\0';
        note_workers(watch);
    }
    if (watch->switches) ring_bell(watch);
}

const char *watch_refusal(const struct watch *watch)
{
    return watch->switches ? NULL : watch->missing;
}

void watch_stop(struct watch *watch)
{
    if (watch->draining) {
        ring_bell(watch);
        pthread_join(watch->drainer, NULL);
    }
    watch->draining = false;
    if (watch->bell >= 0) close(watch->bell);
    watch->bell = -1;
}

/* NULL where it is none of them. */
static const char *threads_find(const struct threads *threads, pid_t tid)
{
    for (int i = 0; i < threads->count; i++)
        if (threads->tids[i] == tid) return threads->names[i];
    return NULL;
}

/* A thread that began and ended meanwhile is not found. */
static void find_newcomers(struct watch *watch)
{
    struct threads now;
    int newcomers = 0;
    if (threads_list(&now)) return;
    for (int i = 0; i < now.count; i++) newcomers += !threads_find(&watch->threads, now.tids[i]);
    threads_release(&now);
    if (newcomers > 0)
        snprintf(watch->missing, sizeof watch->missing, "threads that began meanwhile are missing: %d at least",
                 newcomers);
}

int watch_timeline(struct watch *watch, struct timeline *timeline_p)
{
    timeline_init(timeline_p);
    gethostname(timeline_p->host, sizeof timeline_p->host - 1);
    if (watch->switches) {
        find_newcomers(watch);
        int status = switches_timeline(watch->switches, timeline_p);
        if (status) return status;
    }
    for (int i = 0; i < timeline_p->task_count; i++) {
        struct timeline_task *task = &timeline_p->tasks[i];
        const char *name = threads_find(&watch->threads, task->tid);
        snprintf(task->name, sizeof task->name, "%s", name ? name : "");
    }
    if (watch->missing[0]) memcpy(timeline_p->incomplete, watch->missing, sizeof timeline_p->incomplete);
    return 0;
}
