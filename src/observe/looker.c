/* Look, sleep until the next time. Nothing is shared with the thread but the request to stop, until it has been joined.
 */
#include "looker.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const double slice_s = 0.0001;

struct looker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool stop; /* under the mutex */
    bool prompt;
    bool (*look)(void *context, bool last, double *next_s_p);
    void *context;
};

/* The kernel's first version of it, which every one takes. */
struct schedule {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

/* A looker needs little and wants it soon. What is refused here only makes the looks less even. */
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
static bool sleep_until(struct looker *looker, double time_s)
{
    struct timespec time = {.tv_sec = (time_t)time_s};
    time.tv_nsec = (long)(1e9 * (time_s - floor(time_s)));
    pthread_mutex_lock(&looker->mutex);
    int status = 0;
    while (!looker->stop && status == 0) status = pthread_cond_timedwait(&looker->condition, &looker->mutex, &time);
    bool go_on = !looker->stop;
    pthread_mutex_unlock(&looker->mutex);
    return go_on;
}

static void *watch(void *argument)
{
    struct looker *looker = argument;
    double next_s = 0;
    if (looker->prompt) ask_for_promptness();
    while (looker->look(looker->context, false, &next_s)) {
        if (sleep_until(looker, next_s)) continue;
        looker->look(looker->context, true, &next_s);
        break;
    }
    return NULL;
}

/* The signals are the other threads' to take. */
static int start_thread(struct looker *looker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&looker->thread, NULL, watch, looker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void release(struct looker *looker)
{
    pthread_cond_destroy(&looker->condition);
    pthread_mutex_destroy(&looker->mutex);
    free(looker);
}

int looker_new(bool (*look)(void *, bool, double *), void *context, bool prompt, struct looker **looker_p)
{
    struct looker *looker = calloc(1, sizeof *looker);
    if (!looker) return -ENOMEM;
    looker->look = look;
    looker->context = context;
    looker->prompt = prompt;
    pthread_mutex_init(&looker->mutex, NULL);
    init_condition(&looker->condition);
    int status = start_thread(looker);
    if (status < 0)
        release(looker);
    else
        *looker_p = looker;
    return status;
}

void looker_free(struct looker *looker)
{
    if (!looker) return;
    pthread_mutex_lock(&looker->mutex);
    looker->stop = true;
    pthread_cond_signal(&looker->condition);
    pthread_mutex_unlock(&looker->mutex);
    pthread_join(looker->thread, NULL);
    release(looker);
}
