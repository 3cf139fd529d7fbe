/* What the operating system tells a thread of itself and of its CPU. All of it is unprivileged; nothing is kept open,
 * so that there is no state. */
#include "thread.h"

#include "../plan/config.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double clock_read_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double clock_wall_s(void)
{
    return clock_read_s(CLOCK_MONOTONIC);
}

double clock_thread_cpu_s(void)
{
    return clock_read_s(CLOCK_THREAD_CPUTIME_ID);
}

double clock_date_s(void)
{
    return clock_read_s(CLOCK_REALTIME);
}

double schedstat_parse_wait(const char *text)
{
    unsigned long long on_cpu_ns, wait_ns, slices;
    if (sscanf(text, "%llu %llu %llu", &on_cpu_ns, &wait_ns, &slices) != 3) return NAN;
    /* A task that runs has had a slice: zero means that the kernel keeps no account (CONFIG_SCHED_INFO, or a
     * container). */
    return slices == 0 ? NAN : 1e-9 * (double)wait_ns;
}

static double read_runqueue_wait_s(void)
{
    char text[128];
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (!file) return NAN;
    double wait_s = fgets(text, sizeof text, file) ? schedstat_parse_wait(text) : NAN;
    fclose(file);
    return wait_s;
}

void thread_counters_read(struct thread_counters *counters_p)
{
    struct rusage usage;
    bool known = getrusage(RUSAGE_THREAD, &usage) == 0;
    counters_p->voluntary = known ? usage.ru_nvcsw : -1;
    counters_p->involuntary = known ? usage.ru_nivcsw : -1;
    counters_p->runqueue_wait_s = read_runqueue_wait_s();
    counters_p->cpu = sched_getcpu();
    counters_p->cpu_s = clock_thread_cpu_s();
}

pid_t thread_id(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static void counters_from_line(const char *line, double now_s, struct cpu_counters *counters_p)
{
    unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
    double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    if (sscanf(line, "%*s %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &iowait, &irq,
               &softirq, &steal) != 8)
        return;
    counters_p->steal_s = tick_s * (double)steal;
    counters_p->busy_s = now_s - tick_s * (double)(idle + iowait + steal);
}

void cpu_counters_read(int count, const int cpus[], struct cpu_counters counters_p[])
{
    char *line = NULL;
    size_t length = 0;
    for (int i = 0; i < count; i++) counters_p[i] = (struct cpu_counters){NAN, NAN};
    FILE *file = fopen("/proc/stat", "re");
    if (!file) return;
    double now_s = clock_wall_s();
    while (getline(&line, &length, file) > 0 && strncmp(line, "cpu", 3) == 0) {
        int cpu;
        if (sscanf(line, "cpu%d", &cpu) != 1) continue;
        for (int i = 0; i < count; i++)
            if (cpus[i] == cpu) counters_from_line(line, now_s, &counters_p[i]);
    }
    free(line);
    fclose(file);
}

int cpu_siblings_read(int cpu, int max, int siblings_p[])
{
    char path[96], text[512];
    struct cpu_list all;
    int count = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    if (!read) return 0;
    text[strcspn(text, "\n")] = '\0';
    if (cpu_list_parse(text, &all)) return 0;
    for (int i = 0; i < all.count && count < max; i++)
        if (all.cpus[i] != cpu) siblings_p[count++] = all.cpus[i];
    return count;
}
