/* Affinity masks of the calling thread, for any CPU number that Linux knows: no kernel is built for more than 8192. The
 * masks live on the stack, so that a child may bind itself between fork and exec. */
#include "machine.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

enum { MASK_CPUS = 65536 };

struct mask {
    cpu_set_t sets[MASK_CPUS / CPU_SETSIZE];
};

static bool mask_has(const struct mask *mask, int os_index)
{
    return CPU_ISSET_S((size_t)os_index, sizeof *mask, mask->sets);
}

static int read_mask(struct mask *mask_p)
{
    CPU_ZERO_S(sizeof *mask_p, mask_p->sets);
    return sched_getaffinity(0, sizeof *mask_p, mask_p->sets) ? -errno : 0;
}

static int bind_cpus(int count, const int cpus[])
{
    struct mask asked, got;
    CPU_ZERO_S(sizeof asked, asked.sets);
    for (int i = 0; i < count; i++) {
        if (cpus[i] < 0 || cpus[i] >= MASK_CPUS) return -EINVAL;
        CPU_SET_S((size_t)cpus[i], sizeof asked, asked.sets);
    }
    if (sched_setaffinity(0, sizeof asked, asked.sets)) return -errno;
    int status = read_mask(&got);
    if (status) return status;
    return memcmp(&asked, &got, sizeof asked) == 0 ? 0 : -EINVAL;
}

int bind_thread(int os_index)
{
    return bind_cpus(1, &os_index);
}

int bind_process(const struct cpu_list *list)
{
    return bind_cpus(list->count, list->cpus);
}

int bind_read(struct cpu_list *list_p)
{
    struct mask mask;
    int status = read_mask(&mask);
    if (status) return status;
    int count = CPU_COUNT_S(sizeof mask, mask.sets);
    list_p->count = 0;
    for (int cpu = 0; cpu < MASK_CPUS && list_p->count < count && list_p->count < CPUS_MAX; cpu++)
        if (mask_has(&mask, cpu)) list_p->cpus[list_p->count++] = cpu;
    return count;
}
