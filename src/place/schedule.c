/* Scheduling by the system calls sched_setattr and sched_getattr, for which older C libraries have no function. The
 * attributes are those of their first version (Linux 3.14): later fields are of no use here. Since Linux 6.12,
 * `runtime` is the time slice of tasks that are not real-time; before, it was ignored there without a word, and is read
 * as 0. */
#include "schedule.h"

#include "file.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* ns */
};

static const uint32_t kernel_policies[POLICY_COUNT] = {
    [POLICY_OTHER] = SCHED_OTHER, [POLICY_BATCH] = SCHED_BATCH, [POLICY_FIFO] = SCHED_FIFO, [POLICY_RR] = SCHED_RR};

enum { REALTIME_PRIORITY = 1, FLAG_RESET_ON_FORK = 1 };

static bool is_as_asked(const struct scheduling *asked, const struct attributes *got)
{
    if (got->policy != kernel_policies[asked->policy]) return false;
    if (scheduling_is_realtime(asked)) return got->priority == REALTIME_PRIORITY;
    bool slice = asked->slice_ns == 0 || got->runtime == (uint64_t)asked->slice_ns;
    return got->nice == asked->nice && slice;
}

int schedule_thread(const struct scheduling *asked, struct scheduling *got_p)
{
    bool realtime = scheduling_is_realtime(asked);
    struct attributes attributes = {.size = sizeof attributes,
                                    .policy = kernel_policies[asked->policy],
                                    .flags = realtime ? FLAG_RESET_ON_FORK : 0,
                                    .nice = realtime ? 0 : asked->nice,
                                    .priority = realtime ? REALTIME_PRIORITY : 0,
                                    .runtime = (uint64_t)asked->slice_ns};
    int failed = syscall(SYS_sched_setattr, 0, &attributes, 0) ? -errno : 0;
    struct attributes got = {.size = 0};
    if (syscall(SYS_sched_getattr, 0, &got, sizeof got, 0) && !failed) failed = -errno;
    *got_p = (struct scheduling){.policy = POLICY_OTHER, .nice = got.nice};
    for (int policy = 0; policy < POLICY_COUNT; policy++)
        if (kernel_policies[policy] == got.policy) got_p->policy = (enum scheduling_policy)policy;
    if (!scheduling_is_realtime(got_p)) got_p->slice_ns = (int)(got.runtime < INT_MAX ? got.runtime : INT_MAX);
    if (failed) return failed;
    return is_as_asked(asked, &got) ? 0 : -ENOTSUP;
}

bool schedule_may_realtime(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    struct rlimit limit;
    bool capable = syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1u << CAP_SYS_NICE));
    return capable || (getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur >= REALTIME_PRIORITY);
}

const char *schedule_explain(const struct scheduling *asked, const struct scheduling *got, int status,
                             bool may_realtime, size_t length, char *text)
{
    bool refused = status == -EPERM || status == -EACCES;
    bool slice = asked->slice_ns > 0 && got->slice_ns != asked->slice_ns;
    if (status == -ENOTSUP && slice && got->policy == asked->policy && got->nice == asked->nice)
        snprintf(text, length, "the kernel passes over it; Linux 6.12 or newer lets a task choose its time slice");
    else if (status == -ENOTSUP)
        snprintf(text, length, "the kernel agreed, but gave policy %s, nice %d, slice %.9g ms",
                 scheduling_policy_text(got->policy), got->nice, got->slice_ns / 1e6);
    else if (refused && scheduling_is_realtime(asked) && may_realtime)
        snprintf(text, length,
                 "%s, though the process has the right to; its control group has no time for real-time tasks "
                 "(cpu.rt_runtime_us is 0, with CONFIG_RT_GROUP_SCHED), or a container's filter forbids it",
                 strerror(-status));
    else if (refused && scheduling_is_realtime(asked))
        snprintf(text, length,
                 "%s; it takes root, the capability CAP_SYS_NICE, or a limit for real-time priorities of 1 or more "
                 "(ulimit -r; rtprio in /etc/security/limits.conf)",
                 strerror(-status));
    else if (refused && asked->nice < got->nice)
        snprintf(text, length,
                 "%s; it was started with nice %d, and nice %d takes root, the capability CAP_SYS_NICE, or a limit of "
                 "%d or more (ulimit -e)",
                 strerror(-status), got->nice, asked->nice, 20 - asked->nice);
    else if (refused || status == -ENOSYS)
        snprintf(text, length, "%s; most likely a container's filter forbids it", strerror(-status));
    else
        snprintf(text, length, "%s", strerror(-status));
    return text;
}

void schedule_limit_realtime(double limit_s)
{
    struct rlimit limit;
    const struct rlimit no_core = {0, 0};
    double limit_us = fmin(ceil(1e6 * limit_s), 1e15);
    if (getrlimit(RLIMIT_RTTIME, &limit)) return;
    rlim_t soft = (rlim_t)limit_us, hard = soft + 1000000;
    /* Somebody's stricter limit stays. */
    if (hard < limit.rlim_max) limit.rlim_max = hard;
    limit.rlim_cur = soft < limit.rlim_cur ? soft : limit.rlim_cur;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_RTTIME, &limit);
    setrlimit(RLIMIT_CORE, &no_core); /* SIGXCPU would leave one */
}

void schedule_rest_realtime(void)
{
    double period_us = file_read_number(1e6, "/proc/sys/kernel/sched_rt_period_us");
    /* A little longer, so that the end of a period lies within; but nobody waits for a period of a minute. */
    double rest_s = 1.05e-6 * fmin(fmax(period_us, 0), 2e6);
    struct timespec rest = {.tv_sec = (time_t)rest_s, .tv_nsec = (long)(1e9 * (rest_s - floor(rest_s)))};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR) continue;
}

void schedule_leave_realtime(void)
{
    const struct sched_param ordinary = {.sched_priority = 0};
    /* Without rights the flag cannot be given up. */
    sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
}

double schedule_realtime_runtime_us(void)
{
    return file_read_number(NAN, "/proc/sys/kernel/sched_rt_runtime_us");
}

int schedule_check_room(const struct machine *machine, const struct mode *mode, double runtime_us, struct error *error)
{
    if (!scheduling_is_realtime(&mode->scheduling) || !(runtime_us < 0)) return STATUS_OK;
    for (int i = 0; i < machine->cpu_count; i++) {
        bool used = false;
        for (int k = 0; k < mode->cpus.count && !used; k++) used = mode->cpus.cpus[k] == machine->cpus[i].os_index;
        if (!used) return STATUS_OK;
    }
    return error_set(error, STATUS_FAILED,
                     "--policy %s on all CPUs would lock out everything else, as this system lets real-time tasks take "
                     "all of the time (kernel.sched_rt_runtime_us is -1); use fewer --cpus, or: sudo sysctl "
                     "kernel.sched_rt_runtime_us=950000",
                     scheduling_policy_text(mode->scheduling.policy));
}

double schedule_tick_s(void)
{
    struct timespec tick;
    /* The coarse clocks are read off at the tick. */
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick)) return NAN;
    return (double)tick.tv_sec + 1e-9 * (double)tick.tv_nsec;
}
