/* Linux lists the caches of each CPU under /sys/devices/system/cpu (Documentation/ABI: sysfs-devices-system-cpu): of
 * each one its type, its size ("2048K") and the CPUs that share it ("0-1").
 */
#include "caches.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHES_MAX = 8 };

struct cache {
    int64_t bytes;
    int cpus;
};

static bool read_file(int cpu, int index, const char *name, size_t length, char *text_p)
{
    char path[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index%d/%s", cpu, index, name);
    FILE *file = fopen(path, "re");
    bool found = file && fgets(text_p, (int)length, file);
    if (file) fclose(file);
    return found;
}

int caches_count_cpus(const char *list)
{
    int count = 0;
    for (const char *at = list;; at++) {
        char *end;
        long first = strtol(at, &end, 10), last = first;
        if (end == at || first < 0) return 0;
        if (*end == '-') {
            at = end + 1;
            last = strtol(at, &end, 10);
            if (end == at || last < first || last - first > 1 << 20) return 0;
        }
        count += (int)(last - first) + 1;
        at = end;
        if (*at == '\0' || *at == '\n') return count;
        if (*at != ',') return 0;
    }
}

/* Data caches alone. */
static bool read_cache(int cpu, int index, struct cache *cache_p)
{
    char type[32], size[32], cpus[512], *unit;
    *cache_p = (struct cache){0, 1};
    if (!read_file(cpu, index, "type", sizeof type, type)) return false;
    if (strncmp(type, "Instruction", strlen("Instruction")) == 0) return true;
    if (!read_file(cpu, index, "size", sizeof size, size)) return true;
    long long bytes = strtoll(size, &unit, 10);
    int shift = *unit == 'K' ? 10 : *unit == 'M' ? 20 : 0;
    if (bytes > 0 && bytes < INT64_C(1) << 40) cache_p->bytes = (int64_t)bytes << shift;
    if (read_file(cpu, index, "shared_cpu_list", sizeof cpus, cpus) && caches_count_cpus(cpus) > 0)
        cache_p->cpus = caches_count_cpus(cpus);
    return true;
}

int64_t caches_share(int workers)
{
    struct cache cache;
    int64_t most = 0;
    int cpu = sched_getcpu();
    for (int index = 0; index < CACHES_MAX && read_cache(cpu < 0 ? 0 : cpu, index, &cache); index++) {
        int64_t bytes = cache.bytes < CACHES_CPU_MOST * cache.cpus ? cache.bytes : CACHES_CPU_MOST * cache.cpus;
        int sharers = workers < 1 ? 1 : cache.cpus < workers ? cache.cpus : workers;
        if (bytes / sharers > most) most = bytes / sharers;
    }
    return most;
}

int64_t caches_first(void)
{
    struct cache cache;
    int64_t least = 0;
    int cpu = sched_getcpu();
    for (int index = 0; index < CACHES_MAX && read_cache(cpu < 0 ? 0 : cpu, index, &cache); index++)
        if (cache.bytes > 0 && (least == 0 || cache.bytes < least)) least = cache.bytes;
    return least;
}
