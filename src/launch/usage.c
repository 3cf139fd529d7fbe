/* A child's account of its memory begins with what it had between fork and exec, which is ours: a peak that is no
 * larger tells nothing of its own.
 */
#include "usage.h"

#include <stdio.h>
#include <unistd.h>

void usage_begin(struct spawn_usage *usage_p)
{
    *usage_p = (struct spawn_usage){.peak_memory_bytes = -1};
    long long size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return;
    if (fscanf(file, "%lld %lld", &size, &resident) == 2)
        usage_p->memory_floor_bytes = resident * sysconf(_SC_PAGESIZE);
    fclose(file);
}

void usage_add(struct spawn_usage *usage, const struct rusage *of_one)
{
    int64_t peak_bytes = (int64_t)of_one->ru_maxrss * 1024;
    usage->user_s += (double)of_one->ru_utime.tv_sec + 1e-6 * (double)of_one->ru_utime.tv_usec;
    usage->system_s += (double)of_one->ru_stime.tv_sec + 1e-6 * (double)of_one->ru_stime.tv_usec;
    usage->voluntary += of_one->ru_nvcsw;
    usage->involuntary += of_one->ru_nivcsw;
    if (peak_bytes > usage->peak_memory_bytes && peak_bytes > usage->memory_floor_bytes)
        usage->peak_memory_bytes = peak_bytes;
}
