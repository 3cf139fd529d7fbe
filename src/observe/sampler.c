/* The thread that looks: search, look, sleep until the next time. A look's cost in CPU time, smoothed, sets how long
 * that is: at most a twentieth of a core is taken. It asks the scheduler for short slices, since it needs little and
 * wants it soon, and for timers that are not deferred. Nothing is shared with it but the request to stop, until it has
 * been joined.
 */
#include "sampler.h"

#include "sampler_tasks.h"
#include "thread.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Some 60 bytes each. */
enum { SIGHTINGS_MAX = 4000000, THOROUGH_EVERY = 10 };
static const double interval_default_s = 0.001, share_max = 0.05, slice_s = 0.0001;

struct sampler {
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool stop; /* under the mutex */
    double interval_s;
    int cpu_count;
    int *cpus;
    struct cpu_counters *before;
    /* The thread's, until it is joined. */
    struct watched_tasks tasks;
    double start_s, end_s; /* first and last look */
    int status;
    bool full;
};

/* The kernel's first version of it, which every one takes. */
struct schedule {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

/* What is refused here only makes the looks less even, which the error tells. */
static void ask_for_promptness(void)
{
    struct schedule schedule = {.size = sizeof schedule};
    prctl(PR_SET_TIMERSLACK, 1ul, 0, 0, 0);
    if (syscall(SYS_sched_getattr, 0, &schedule, sizeof schedule, 0) < 0) return;
    schedule.size = sizeof schedule;
    schedule.runtime_ns = (uint64_t)(1e9 * slice_s);
    syscall(SYS_sched_setattr, 0, &schedule, 0);
}

/* Returns whether to go on. */
static bool sleep_until(struct sampler *sampler, double time_s)
{
    struct timespec time = {.tv_sec = (time_t)time_s};
    time.tv_nsec = (long)(1e9 * (time_s - floor(time_s)));
    pthread_mutex_lock(&sampler->mutex);
    int status = 0;
    while (!sampler->stop && status == 0) status = pthread_cond_timedwait(&sampler->condition, &sampler->mutex, &time);
    bool go_on = !sampler->stop;
    pthread_mutex_unlock(&sampler->mutex);
    return go_on;
}

static int look(struct sampler *sampler, bool thorough)
{
    int status = watched_tasks_search(&sampler->tasks, thorough);
    if (status == 0) status = watched_tasks_look(&sampler->tasks);
    sampler->end_s = clock_wall_s();
    sampler->full = sampler->tasks.sighting_count > SIGHTINGS_MAX;
    return status;
}

/* One look more after the stop: what happened until then. */
static void *watch(void *argument)
{
    struct sampler *sampler = argument;
    double cost_s = 0, next_s = sampler->start_s;
    ask_for_promptness();
    for (unsigned round = 0;; round++) {
        double cpu_s = clock_thread_cpu_s();
        sampler->status = look(sampler, round % THOROUGH_EVERY == 0);
        if (sampler->status < 0 || sampler->full) break;
        cost_s += 0.125 * (clock_thread_cpu_s() - cpu_s - cost_s);
        next_s = fmax(next_s, clock_wall_s() - sampler->interval_s) + fmax(sampler->interval_s, cost_s / share_max);
        if (!sleep_until(sampler, next_s)) {
            sampler->status = look(sampler, true);
            break;
        }
    }
    return NULL;
}

/* The signals are the other threads' to take. */
static int start_thread(struct sampler *sampler)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&sampler->thread, NULL, watch, sampler);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sampler->running = error == 0;
    return -error;
}

static int init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int error = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return -error;
}

int sampler_new(int cpu_count, const int cpus[], double interval_s, struct sampler **sampler_p)
{
    struct sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler) return -ENOMEM;
    pthread_mutex_init(&sampler->mutex, NULL);
    init_condition(&sampler->condition);
    sampler->tasks.loadavg = -1;
    int status = -ENOMEM;
    sampler->interval_s = interval_s > 0 ? interval_s : interval_default_s;
    sampler->cpu_count = cpu_count;
    sampler->cpus = calloc((size_t)cpu_count + 1, sizeof *sampler->cpus);
    sampler->before = calloc((size_t)cpu_count + 1, sizeof *sampler->before);
    if (!sampler->cpus || !sampler->before) goto fail;
    for (int i = 0; i < cpu_count; i++) sampler->cpus[i] = cpus[i];
    status = watched_tasks_init(&sampler->tasks);
    if (status < 0) goto fail;
    cpu_counters_read(cpu_count, cpus, sampler->before);
    sampler->start_s = clock_wall_s();
    status = start_thread(sampler);
    if (status < 0) goto fail;
    *sampler_p = sampler;
    return 0;
fail:
    sampler_free(sampler);
    return status;
}

static void end_thread(struct sampler *sampler)
{
    if (!sampler->running) return;
    pthread_mutex_lock(&sampler->mutex);
    sampler->stop = true;
    pthread_cond_signal(&sampler->condition);
    pthread_mutex_unlock(&sampler->mutex);
    pthread_join(sampler->thread, NULL);
    sampler->running = false;
}

static int add_cpus(const struct sampler *sampler, struct timeline *timeline)
{
    struct cpu_counters *now = calloc((size_t)sampler->cpu_count + 1, sizeof *now);
    if (!now) return -ENOMEM;
    cpu_counters_read(sampler->cpu_count, sampler->cpus, now);
    int status = 0;
    for (int i = 0; i < sampler->cpu_count && status == 0; i++)
        status = timeline_add_cpu(timeline, sampler->cpus[i], now[i].busy_s - sampler->before[i].busy_s);
    free(now);
    return status;
}

static void tell_incomplete(const struct sampler *sampler, size_t length, char *text)
{
    if (sampler->full)
        snprintf(text, length, "ends early: more than %d changes of state were seen", SIGHTINGS_MAX);
    else if (sampler->tasks.missed > 0)
        snprintf(text, length, "some tasks are missing: too few files may be open at once (more with ulimit -n)");
}

int sampler_stop(struct sampler *sampler, struct timeline *timeline_p)
{
    end_thread(sampler);
    int status = sampler->status;
    if (status == 0) status = add_cpus(sampler, timeline_p);
    if (status == 0)
        status = sampler_build(sampler->tasks.counted, sampler->start_s, sampler->tasks.count, sampler->tasks.tasks,
                               timeline_p, &timeline_p->error_s);
    if (status < 0) return status;
    gethostname(timeline_p->host, sizeof timeline_p->host - 1);
    timeline_p->tier = TIMELINE_SAMPLED;
    timeline_p->start_s = sampler->start_s;
    timeline_p->length_s = sampler->end_s - sampler->start_s;
    tell_incomplete(sampler, sizeof timeline_p->incomplete, timeline_p->incomplete);
    timeline_name_workers(timeline_p, 0, NULL);
    return 0;
}

const char *sampler_note(const struct sampler *sampler)
{
    return sampler->tasks.counted ? ""
                                  : "this system does not tell run-queue times: among tasks that share a CPU, who ran "
                                    "is told by CPU time alone";
}

void sampler_free(struct sampler *sampler)
{
    if (!sampler) return;
    end_thread(sampler);
    watched_tasks_release(&sampler->tasks);
    pthread_cond_destroy(&sampler->condition);
    pthread_mutex_destroy(&sampler->mutex);
    free(sampler->cpus);
    free(sampler->before);
    free(sampler);
}
