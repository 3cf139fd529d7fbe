/* An event writes its records into a ring of memory that is shared with the kernel. A ring that is full loses records:
 * the kernel counts them and says so when there is room again, so a ring found full counts as a loss too. Records may
 * wrap around the end of a ring. Events of several tasks on one CPU can have one ring, on all CPUs they cannot.
 */
#include "ring.h"

#include "../place/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_WITHOUT_PATH_MAX = 512 };

static int event_open(const struct perf_event_attr *attribute, struct source source, size_t wakeup_bytes)
{
    struct perf_event_attr event = *attribute;
    event.size = sizeof event;
    event.inherit = source.cpu >= 0;
    event.exclude_kernel = 1;
    event.exclude_hv = 1;
    event.sample_id_all = 1;
    event.use_clockid = 1;
    event.clockid = CLOCK_MONOTONIC;
    event.watermark = 1;
    event.wakeup_watermark = (unsigned)wakeup_bytes;
    event.disabled = 1;
    long descriptor = syscall(SYS_perf_event_open, &event, source.tid, source.cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return descriptor < 0 ? -errno : (int)descriptor;
}

int ring_try(const struct perf_event_attr *attribute, struct source source)
{
    return event_open(attribute, source, 0);
}

void rings_explain(int status, size_t length, char *reason)
{
    int paranoid = (int)file_read_number(INT_MIN, "/proc/sys/kernel/perf_event_paranoid");
    if ((status == -EACCES || status == -EPERM) && paranoid > 2)
        snprintf(reason, length, "kernel.perf_event_paranoid is %d, and 2 or less is needed", paranoid);
    else if (status == -EACCES || status == -EPERM)
        snprintf(reason, length, "perf_event_open is forbidden, most likely by a container's seccomp filter");
    else if (status == -ENOBUFS)
        snprintf(reason, length,
                 "its buffers exceed the memory that may be locked (kernel.perf_event_mlock_kb, ulimit -l)");
    else if (status == -ENOSYS)
        snprintf(reason, length, "perf_event_open is missing from this kernel, or filtered out");
    else if (status == -EMFILE)
        snprintf(reason, length, "they take an open file for each CPU, and there are no more (ulimit -n)");
    else if (status == -ENOMEM)
        snprintf(reason, length, "no memory is left");
    else
        snprintf(reason, length, "perf_event_open failed: %.80s", strerror(-status));
}

/* Of the CPU; -1: there is none yet. */
static int find_ring(const struct rings *rings, int cpu)
{
    for (int i = 0; i < rings->count && cpu >= 0; i++)
        if (rings->list[i].page && rings->list[i].cpu == cpu) return i;
    return -1;
}

/* With as large a ring as the user's limit on locked memory allows. A CPU that is offline is left out, and a thread
 * that has ended. */
static int open_ring(struct rings *rings, const struct perf_event_attr *attribute, struct source source)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int status = -ENOMEM, index = rings->count++;
    rings->descriptors[index] = -1;
    for (size_t pages = (size_t)source.pages_max; pages >= (size_t)source.pages_min && pages > 0; pages /= 2) {
        int descriptor = event_open(attribute, source, pages * page / 4);
        if (descriptor == -ENODEV || descriptor == -ESRCH) return 0;
        if (descriptor < 0) return descriptor;
        void *memory = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        status = -errno;
        if (memory != MAP_FAILED) {
            rings->descriptors[index] = descriptor;
            rings->list[index] = (struct ring){memory, pages * page, source.cpu};
            return 0;
        }
        close(descriptor);
        if (status != -EPERM && status != -ENOMEM) break;
    }
    return status == -EPERM ? -ENOBUFS : status;
}

static int join_ring(struct rings *rings, const struct perf_event_attr *attribute, struct source source, int index)
{
    int descriptor = event_open(attribute, source, rings->list[index].bytes / 4);
    if (descriptor == -ENODEV || descriptor == -ESRCH) return 0;
    if (descriptor < 0) return descriptor;
    if (ioctl(descriptor, PERF_EVENT_IOC_SET_OUTPUT, rings->descriptors[index]) < 0) {
        int status = -errno;
        close(descriptor);
        return status;
    }
    rings->shared[rings->shared_count++] = descriptor;
    return 0;
}

int rings_open(const struct perf_event_attr *attribute, int count, const struct source sources[], struct rings *rings_p)
{
    struct rings rings = {.record_max = attribute->mmap ? RECORD_MAX : RECORD_WITHOUT_PATH_MAX};
    rings.descriptors = calloc((size_t)count + 1, sizeof *rings.descriptors);
    rings.list = calloc((size_t)count + 1, sizeof *rings.list);
    rings.shared = calloc((size_t)count + 1, sizeof *rings.shared);
    int status = rings.descriptors && rings.list && rings.shared ? 0 : -ENOMEM;
    for (int i = 0; i < count && status == 0; i++) {
        int ring = find_ring(&rings, sources[i].cpu);
        status = ring < 0 ? open_ring(&rings, attribute, sources[i]) : join_ring(&rings, attribute, sources[i], ring);
    }
    if (status < 0) rings_close(&rings);
    *rings_p = rings;
    return status;
}

void rings_close(struct rings *rings)
{
    for (int i = 0; i < rings->count; i++) {
        const struct ring *ring = &rings->list[i];
        if (ring->page) munmap(ring->page, ring->bytes + (size_t)sysconf(_SC_PAGESIZE));
        if (rings->descriptors[i] >= 0) close(rings->descriptors[i]);
    }
    for (int i = 0; i < rings->shared_count; i++) close(rings->shared[i]);
    free(rings->descriptors);
    free(rings->list);
    free(rings->shared);
    *rings = (struct rings){.count = 0};
}

static void rings_tell(const struct rings *rings, unsigned long request)
{
    for (int i = 0; i < rings->count; i++)
        if (rings->descriptors[i] >= 0) ioctl(rings->descriptors[i], request, 0);
    for (int i = 0; i < rings->shared_count; i++) ioctl(rings->shared[i], request, 0);
}

void rings_enable(const struct rings *rings)
{
    rings_tell(rings, PERF_EVENT_IOC_ENABLE);
}

void rings_disable(const struct rings *rings)
{
    rings_tell(rings, PERF_EVENT_IOC_DISABLE);
}

static void copy_out(const struct ring *ring, uint64_t at, size_t length, void *to)
{
    const char *data = (const char *)ring->page + sysconf(_SC_PAGESIZE);
    size_t offset = (size_t)(at & (ring->bytes - 1)), first = ring->bytes - offset;
    if (first > length) first = length;
    memcpy(to, data + offset, first);
    memcpy((char *)to + first, data, length - first);
}

static void ring_drain(struct rings *rings, const struct ring *ring, void (*take)(void *, const struct record *),
                       void *context)
{
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail;
    struct record record;
    rings->full |= head - tail + rings->record_max > ring->bytes;
    while (tail < head) {
        copy_out(ring, tail, sizeof record.header, &record.header);
        if (record.header.size < sizeof record.header) {
            tail = head; /* no record at all: nothing behind it can be read */
            break;
        }
        if (record.header.size <= sizeof record) {
            copy_out(ring, tail, record.header.size, &record);
            if (record.header.type == PERF_RECORD_LOST) rings->lost += record.body.lost.lost;
            take(context, &record);
        }
        tail += record.header.size;
    }
    __atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

void rings_drain(struct rings *rings, void (*take)(void *, const struct record *), void *context)
{
    for (int i = 0; i < rings->count; i++)
        if (rings->list[i].page) ring_drain(rings, &rings->list[i], take, context);
}
