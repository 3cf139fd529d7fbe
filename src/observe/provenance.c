/* Where a measurement is made, read from /proc and /sys, and what can be observed there, which is tried. */
#include "provenance.h"
#include "../place/file.h"
#include "../place/schedule.h"
#include "switches.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void read_os_name(size_t length, char *name_p)
{
    char text[4096];
    name_p[0] = '\0';
    if (file_read(sizeof text, text, "/etc/os-release") <= 0) file_read(sizeof text, text, "/usr/lib/os-release");
    const char *name = strstr(text, "PRETTY_NAME=");
    if (!name) return;
    name += strlen("PRETTY_NAME=");
    name += strspn(name, "\"'");
    snprintf(name_p, length, "%.*s", (int)strcspn(name, "\"'\n"), name);
}

static void read_clock(struct provenance *provenance_p)
{
    struct cpu_list allowed;
    int cpu = bind_read(&allowed) > 0 ? allowed.cpus[0] : 0;
    file_read(sizeof provenance_p->governor, provenance_p->governor,
              "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
    file_read(sizeof provenance_p->driver, provenance_p->driver, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_driver",
              cpu);
    double forbidden = file_read_number(-1, "/sys/devices/system/cpu/intel_pstate/no_turbo");
    double boost = file_read_number(-1, "/sys/devices/system/cpu/cpufreq/boost");
    provenance_p->turbo = forbidden >= 0 ? forbidden == 0 : (int)boost;
}

/* Of all CPU time since boot; guest time is part of user time. */
static double read_steal_share(void)
{
    char text[256];
    double sum = 0, times[8];
    file_read(sizeof text, text, "/proc/stat");
    if (sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &times[0], &times[1], &times[2], &times[3], &times[4],
               &times[5], &times[6], &times[7]) != 8)
        return NAN;
    for (int i = 0; i < 8; i++) sum += times[i];
    return sum > 0 ? times[7] / sum : NAN;
}

/* "always [madvise] never" */
static void read_huge_pages(size_t length, char *text_p)
{
    char text[128];
    file_read(sizeof text, text, "/sys/kernel/mm/transparent_hugepage/enabled");
    const char *chosen = strchr(text, '[');
    snprintf(text_p, length, "%.*s", chosen ? (int)strcspn(chosen + 1, "]") : 0, chosen ? chosen + 1 : "");
}

/* A kernel without CONFIG_SCHED_INFO has no such file; one where it is switched off writes "0 0 0". A task that reads
 * its own file has had a time slice. */
static bool try_schedstat(void)
{
    char text[128];
    unsigned long long slices;
    file_read(sizeof text, text, "/proc/thread-self/schedstat");
    return sscanf(text, "%*u %*u %llu", &slices) == 1 && slices > 0;
}

struct trial {
    struct scheduling asked, got;
    int status;
};

/* Through a pipe: where SIGCHLD is ignored, a child leaves no status. Returns whether the child told anything. */
static bool try_in_child(int count, struct trial trials[])
{
    int ends[2];
    size_t length = (size_t)count * sizeof *trials;
    if (pipe2(ends, O_CLOEXEC)) return false;
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < count; i++) trials[i].status = schedule_thread(&trials[i].asked, &trials[i].got);
        ssize_t written = write(ends[1], trials, length);
        _exit(written != (ssize_t)length);
    }
    close(ends[1]);
    ssize_t got;
    do got = child > 0 ? read(ends[0], trials, length) : -1;
    while (got < 0 && errno == EINTR);
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    return got == (ssize_t)length;
}

static bool explain_trial(bool told, const struct trial *trial, bool may_realtime, size_t length, char *reason_p)
{
    reason_p[0] = '\0';
    if (!told)
        snprintf(reason_p, length, "it could not be tried: no process can be started, or a filter ended it");
    else if (trial->status)
        schedule_explain(&trial->asked, &trial->got, trial->status, may_realtime, length, reason_p);
    return told && trial->status == 0;
}

static void try_scheduling(struct provenance *provenance_p)
{
    struct trial trials[] = {{.asked = {.nice = getpriority(PRIO_PROCESS, 0), .slice_ns = 10000000}},
                             {.asked = {.policy = POLICY_FIFO}}};
    bool told = try_in_child(2, trials), may_realtime = schedule_may_realtime();
    provenance_p->slices_settable =
        explain_trial(told, &trials[0], may_realtime, sizeof provenance_p->slices_reason, provenance_p->slices_reason);
    provenance_p->realtime_allowed = explain_trial(told, &trials[1], may_realtime, sizeof provenance_p->realtime_reason,
                                                   provenance_p->realtime_reason);
    provenance_p->tick_s = schedule_tick_s();
}

void provenance_read(struct provenance *provenance_p)
{
    struct utsname system;
    memset(provenance_p, 0, sizeof *provenance_p);
    if (uname(&system) == 0)
        snprintf(provenance_p->kernel_release, sizeof provenance_p->kernel_release, "%s", system.release);
    read_os_name(sizeof provenance_p->os_name, provenance_p->os_name);
    read_clock(provenance_p);
    provenance_read_hypervisor(provenance_p);
    provenance_p->steal_share = read_steal_share();
    provenance_p->load_1min = file_read_number(NAN, "/proc/loadavg");
    provenance_p->perf_event_paranoid = (int)file_read_number(INT_MIN, "/proc/sys/kernel/perf_event_paranoid");
    provenance_p->schedstat = try_schedstat();
    provenance_p->timelines_exact =
        switches_available(sizeof provenance_p->timelines_reason, provenance_p->timelines_reason);
    try_scheduling(provenance_p);
    read_huge_pages(sizeof provenance_p->transparent_huge_pages, provenance_p->transparent_huge_pages);
    provenance_p->smt_active = (int)file_read_number(-1, "/sys/devices/system/cpu/smt/active");
}
