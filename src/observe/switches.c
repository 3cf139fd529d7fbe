/* One event and one ring of memory shared with the kernel for each CPU; children inherit the event, and their records
 * go into the ring of the CPU that they are on. (Given threads have an event and a ring each, wherever they are: as
 * many as there are threads, however many CPUs the machine has.) A ring that is full loses records: the kernel counts
 * them and says so when there is room again, so a ring found full counts as a loss too. Records may wrap around the end
 * of a ring.
 */
#include "switches.h"

#include "../place/file.h"
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    PAGES_MAX = 128, /* of a ring: what kernel.perf_event_mlock_kb grants every user for each CPU */
    PAGES_MIN = 4,
    RECORD_MAX = 512,
    EVENTS_MAX = 1 << 22,
    NAMES_MAX = 1 << 16
};

struct ring {
    struct perf_event_mmap_page *page; /* and the data behind it */
    size_t bytes;                      /* of the data: a power of two */
};

/* What one event watches: what the calling thread starts, on one CPU; or one thread, on all of them. */
struct source {
    pid_t tid; /* 0: the calling thread's */
    int cpu;   /* -1: all */
    int pages_max;
};

struct switches {
    int count;
    struct source *sources;
    int *descriptors; /* -1: a CPU that could not be watched, being offline; a thread that had ended */
    struct ring *rings;
    bool own; /* tasks of this process count too */
    int64_t start_ns;
    int event_count, event_room;
    struct switch_event *events;
    struct switch_names names;
    uint64_t lost;
    bool full, too_many, no_memory;
};

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int event_open(struct source source, size_t wakeup_bytes)
{
    struct perf_event_attr event = {.size = sizeof event,
                                    .type = PERF_TYPE_SOFTWARE,
                                    .config = PERF_COUNT_SW_DUMMY,
                                    .context_switch = 1,
                                    .comm = 1,
                                    .task = 1,
                                    .inherit = source.cpu >= 0,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1,
                                    .sample_id_all = 1,
                                    .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
                                    .use_clockid = 1,
                                    .clockid = CLOCK_MONOTONIC,
                                    .watermark = 1,
                                    .wakeup_watermark = (unsigned)wakeup_bytes,
                                    .disabled = 1};
    long descriptor = syscall(SYS_perf_event_open, &event, source.tid, source.cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return descriptor < 0 ? -errno : (int)descriptor;
}

static void explain(int status, size_t length, char *reason)
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
    else
        snprintf(reason, length, "perf_event_open failed: %.80s", strerror(-status));
}

bool switches_available(size_t length, char *reason_p)
{
    int descriptor = event_open((struct source){.cpu = -1}, 0);
    if (length > 0) reason_p[0] = '\0';
    if (descriptor >= 0)
        close(descriptor);
    else
        explain(descriptor, length, reason_p);
    return descriptor >= 0;
}

/* With as large a ring as the user's limit on locked memory allows. A CPU that is offline is left out, and a thread
 * that has ended. */
static int switches_watch(struct switches *switches, int index)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int status = -ENOMEM;
    for (size_t pages = (size_t)switches->sources[index].pages_max; pages >= PAGES_MIN; pages /= 2) {
        int descriptor = event_open(switches->sources[index], pages * page / 4);
        if (descriptor == -ENODEV || descriptor == -ESRCH) return 0;
        if (descriptor < 0) return descriptor;
        void *memory = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        status = -errno;
        if (memory != MAP_FAILED) {
            switches->descriptors[index] = descriptor;
            switches->rings[index] = (struct ring){memory, pages * page};
            return 0;
        }
        close(descriptor);
        if (status != -EPERM && status != -ENOMEM) break;
    }
    return status == -EPERM ? -ENOBUFS : status;
}

static struct switches *switches_new(int count)
{
    struct switches *switches = calloc(1, sizeof *switches);
    if (!switches) return NULL;
    switches->sources = calloc((size_t)count, sizeof *switches->sources);
    switches->descriptors = calloc((size_t)count, sizeof *switches->descriptors);
    switches->rings = calloc((size_t)count, sizeof *switches->rings);
    if (!switches->sources || !switches->descriptors || !switches->rings) {
        switches_close(switches);
        return NULL;
    }
    switches->count = count;
    for (int i = 0; i < count; i++) switches->descriptors[i] = -1;
    return switches;
}

/* Watches the sources from now on, or closes. */
static int switches_begin(struct switches *switches, size_t length, char *reason_p)
{
    int status = 0;
    for (int i = 0; i < switches->count && !status; i++) status = switches_watch(switches, i);
    if (status) {
        snprintf(reason_p, length, "no memory is left");
        if (status != -ENOMEM) explain(status, length, reason_p);
        switches_close(switches);
        return status;
    }
    switches->start_ns = now_ns();
    for (int i = 0; i < switches->count; i++)
        if (switches->descriptors[i] >= 0) ioctl(switches->descriptors[i], PERF_EVENT_IOC_ENABLE, 0);
    return 0;
}

int switches_open(int cpu_count, const int cpus[], struct switches **switches_p, size_t length, char *reason_p)
{
    struct switches *switches = switches_new(cpu_count);
    snprintf(reason_p, length, "no memory is left");
    if (!switches) return -ENOMEM;
    for (int i = 0; i < cpu_count; i++) switches->sources[i] = (struct source){.cpu = cpus[i], .pages_max = PAGES_MAX};
    int status = switches_begin(switches, length, reason_p);
    if (!status) *switches_p = switches;
    return status;
}

/* Of a ring for a busy thread, as a power of two. Each user has PAGES_MAX + 1 for each CPU, for all processes together;
 * beyond that each process has what it may lock, of which half is left to others (such as MPI). Each ring has one page
 * more than its data. */
static int fair_pages(int busy, int others, int sharers)
{
    struct rlimit limit = {.rlim_cur = 0};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN), room = (PAGES_MAX + 1) * cpus / sharers;
    int pages = PAGES_MAX;
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur > LONG_MAX) return pages;
    room += (long)limit.rlim_cur / sysconf(_SC_PAGESIZE) / 2;
    while (pages > PAGES_MIN && (long)busy * (pages + 1) + (long)others * (PAGES_MIN + 1) > room) pages /= 2;
    return pages;
}

int switches_open_threads(int count, const pid_t tids[], int busy, int sharers, struct switches **switches_p,
                          size_t length, char *reason_p)
{
    struct switches *switches = switches_new(count);
    snprintf(reason_p, length, "no memory is left");
    if (!switches) return -ENOMEM;
    switches->own = true;
    int pages = fair_pages(busy, count - busy, sharers);
    for (int i = 0; i < count; i++)
        switches->sources[i] = (struct source){.tid = tids[i], .cpu = -1, .pages_max = i < busy ? pages : PAGES_MIN};
    int status = switches_begin(switches, length, reason_p);
    if (!status) *switches_p = switches;
    return status;
}

void switches_close(struct switches *switches)
{
    if (!switches) return;
    for (int i = 0; i < switches->count; i++) {
        const struct ring *ring = &switches->rings[i];
        if (ring->page) munmap(ring->page, ring->bytes + (size_t)sysconf(_SC_PAGESIZE));
        if (switches->descriptors[i] >= 0) close(switches->descriptors[i]);
    }
    free(switches->rings);
    free(switches->descriptors);
    free(switches->sources);
    free(switches->events);
    free(switches->names.list);
    free(switches);
}

int switches_descriptors(const struct switches *switches, const int **descriptors_p)
{
    *descriptors_p = switches->descriptors;
    return switches->count;
}

static struct switch_event *events_add(struct switches *switches)
{
    switches->too_many |= switches->event_count == EVENTS_MAX;
    if (switches->too_many || switches->no_memory) return NULL;
    if (switches->event_count == switches->event_room) {
        int room = switches->event_room > 0 ? 2 * switches->event_room : 4096;
        struct switch_event *events = realloc(switches->events, (size_t)room * sizeof *events);
        switches->no_memory = !events;
        if (!events) return NULL;
        switches->events = events;
        switches->event_room = room;
    }
    struct switch_event *event = &switches->events[switches->event_count];
    *event = (struct switch_event){.number = (unsigned)switches->event_count++};
    return event;
}

void switches_note_running(struct switches *switches, pid_t tid, int cpu, double time_s)
{
    struct switch_event *event = events_add(switches);
    if (!event) return;
    event->time_ns = (int64_t)(1e9 * time_s);
    event->pid = getpid();
    event->tid = tid;
    event->cpu = cpu;
    event->kind = SWITCH_IN;
}

/* The index of the name; the last one stands for all further ones. */
static unsigned names_add(struct switch_names *names, const char *name)
{
    if (names->count < NAMES_MAX && (names->count & (names->count - 1)) == 0) {
        size_t room = names->count > 0 ? 2 * (size_t)names->count : 1;
        void *list = realloc(names->list, room * sizeof *names->list);
        if (!list) return 0;
        names->list = list;
    }
    if (names->count == NAMES_MAX) return NAMES_MAX - 1;
    snprintf(names->list[names->count], sizeof names->list[0], "%s", name);
    return (unsigned)names->count++;
}

/* At the end of each record but samples (sample_id_all). */
struct record_end {
    uint32_t pid, tid;
    uint64_t time_ns;
    uint32_t cpu, reserved;
};

struct record {
    struct perf_event_header header;
    union {
        struct {
            uint32_t pid, parent_pid, tid, parent_tid;
        } task; /* PERF_RECORD_FORK, PERF_RECORD_EXIT */
        struct {
            uint32_t pid, tid;
            char name[16];
        } comm;
        struct {
            uint64_t id, lost;
        } lost;
        char bytes[RECORD_MAX];
    } body;
};

static void take_record(struct switches *switches, const struct record *record)
{
    const struct perf_event_header *header = &record->header;
    struct record_end end;
    if (header->type == PERF_RECORD_LOST) switches->lost += record->body.lost.lost;
    if (header->size < sizeof *header + sizeof end) return;
    memcpy(&end, (const char *)record + header->size - sizeof end, sizeof end);
    struct switch_event event = {
        .time_ns = (int64_t)end.time_ns, .pid = (pid_t)end.pid, .tid = (pid_t)end.tid, .cpu = (int)end.cpu};
    unsigned name = 0;
    switch (header->type) {
    case PERF_RECORD_SWITCH:
        event.kind = !(header->misc & PERF_RECORD_MISC_SWITCH_OUT)        ? SWITCH_IN
                     : header->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT ? SWITCH_OUT_READY
                                                                          : SWITCH_OUT_BLOCKED;
        break;
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
        event.pid = (pid_t)record->body.task.pid;
        event.tid = (pid_t)record->body.task.tid;
        event.kind = header->type == PERF_RECORD_FORK ? SWITCH_START : SWITCH_END;
        break;
    case PERF_RECORD_COMM:
        event.pid = (pid_t)record->body.comm.pid;
        event.tid = (pid_t)record->body.comm.tid;
        event.kind = SWITCH_NAME;
        name = names_add(&switches->names, record->body.comm.name);
        break;
    default:
        return;
    }
    if (!switches->own && event.pid == getpid()) return;
    struct switch_event *place = events_add(switches);
    if (!place) return;
    event.number = event.kind == SWITCH_NAME ? name : place->number;
    *place = event;
}

static void copy_out(const struct ring *ring, uint64_t at, size_t length, void *to)
{
    const char *data = (const char *)ring->page + sysconf(_SC_PAGESIZE);
    size_t offset = (size_t)(at & (ring->bytes - 1)), first = ring->bytes - offset;
    if (first > length) first = length;
    memcpy(to, data + offset, first);
    memcpy((char *)to + first, data, length - first);
}

static void ring_drain(struct switches *switches, const struct ring *ring)
{
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail;
    switches->full |= head - tail + RECORD_MAX > ring->bytes;
    while (tail < head) {
        struct record record;
        copy_out(ring, tail, sizeof record.header, &record.header);
        size_t length = record.header.size < sizeof record ? record.header.size : sizeof record;
        copy_out(ring, tail, length, &record);
        if (record.header.size <= sizeof record) take_record(switches, &record);
        tail += record.header.size;
    }
    __atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

void switches_drain(struct switches *switches)
{
    for (int i = 0; i < switches->count; i++)
        if (switches->rings[i].page) ring_drain(switches, &switches->rings[i]);
}

/* Records have the machine's CLOCK_MONOTONIC, which a time namespace (time_namespaces(7)) hides from this program. */
static bool clocks_differ(const struct switches *switches, int64_t end_ns)
{
    for (int i = 0; i < switches->event_count; i++)
        if (switches->events[i].time_ns < switches->start_ns || switches->events[i].time_ns > end_ns) return true;
    return false;
}

static void explain_losses(const struct switches *switches, int64_t end_ns, char incomplete_p[160])
{
    if (clocks_differ(switches, end_ns))
        snprintf(incomplete_p, 160,
                 "records have times outside of the recording: a time namespace shifts the clock here");
    else if (switches->no_memory)
        snprintf(incomplete_p, 160, "no memory was left for further records");
    else if (switches->too_many)
        snprintf(incomplete_p, 160, "there were more than %d records; what came after them is missing", EVENTS_MAX);
    else if (switches->lost > 0)
        snprintf(incomplete_p, 160, "%llu records were lost: they came faster than they could be taken",
                 (unsigned long long)switches->lost);
    else if (switches->full)
        snprintf(incomplete_p, 160, "a buffer was full: records may have been lost");
}

int switches_timeline(struct switches *switches, struct timeline *timeline_p)
{
    for (int i = 0; i < switches->count; i++)
        if (switches->descriptors[i] >= 0) ioctl(switches->descriptors[i], PERF_EVENT_IOC_DISABLE, 0);
    int64_t end_ns = now_ns();
    switches_drain(switches);
    struct timeline timeline;
    timeline_init(&timeline);
    /* Between a record's instant and that of the switch itself lies less than a switch takes. */
    timeline.error_s = 2e-6;
    explain_losses(switches, end_ns, timeline.incomplete);
    if (switches->too_many && switches->event_count > 0) end_ns = switches->events[EVENTS_MAX - 1].time_ns;
    int status = switches_build(switches->event_count, switches->events, &switches->names, switches->start_ns, end_ns,
                                &timeline);
    for (int i = 0; i < switches->count && !status; i++)
        if (switches->descriptors[i] >= 0 && switches->sources[i].cpu >= 0)
            status = timeline_add_cpu(&timeline, switches->sources[i].cpu, NAN);
    if (status) {
        timeline_release(&timeline);
        return status;
    }
    gethostname(timeline.host, sizeof timeline.host - 1);
    *timeline_p = timeline;
    return 0;
}
