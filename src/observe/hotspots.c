/* One event a CPU, which counts CPU time and notes where the task's code was, some hundred times a second; the same
 * events tell of mapped files, forks and programs that begin, from which the address is attributed to a library when
 * all is over.
 */
#include "hotspots.h"

#include "attach.h"
#include "hotspots_count.h"
#include "ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES_HZ = 99, PAGES = 16, PAGES_LEAST = 4, EVENTS_MAX = 1 << 21 };

struct hotspot_watch {
    struct rings rings;
    bool attached; /* it has no descriptors to wait for */
    int count, room;
    struct hotspot_event *events;
    bool no_memory;
};

static const struct perf_event_attr attribute = {
    .type = PERF_TYPE_SOFTWARE,
    .config = PERF_COUNT_SW_CPU_CLOCK,
    .freq = 1,
    .sample_freq = SAMPLES_HZ,
    .mmap = 1,
    .comm = 1,
    .comm_exec = 1,
    .task = 1,
    .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
};

void hotspots_init(struct hotspots *hotspots)
{
    *hotspots = (struct hotspots){.known = false};
}

void hotspots_release(struct hotspots *hotspots)
{
    free(hotspots->list);
    hotspots_init(hotspots);
}

/* What comes after so many is left out: the shares are then of the first part. */
static void add_event(struct hotspot_watch *watch, const struct hotspot_event *event)
{
    if (watch->count == EVENTS_MAX || watch->no_memory) return;
    if (watch->count == watch->room) {
        int room = watch->room > 0 ? 2 * watch->room : 4096;
        struct hotspot_event *events = realloc(watch->events, (size_t)room * sizeof *events);
        watch->no_memory = !events;
        if (!events) return;
        watch->events = events;
        watch->room = room;
    }
    watch->events[watch->count] = *event;
    watch->events[watch->count].number = (unsigned)watch->count;
    watch->count++;
}

/* A sample's own, and the end of each other record (sample_id_all), without the address. */
struct sample_body {
    uint64_t address;
    uint32_t pid, tid;
    uint64_t time_ns;
};

struct record_end {
    uint32_t pid, tid;
    uint64_t time_ns;
};

static void take_record(void *context, const struct record *record)
{
    struct hotspot_watch *watch = context;
    const struct perf_event_header *header = &record->header;
    struct sample_body sample;
    struct record_end end;
    if (header->type == PERF_RECORD_SAMPLE) {
        if (header->size < sizeof *header + sizeof sample) return;
        memcpy(&sample, record->body.bytes, sizeof sample);
        add_event(watch, &(struct hotspot_event){.kind = HOTSPOT_SAMPLE,
                                                 .time_ns = sample.time_ns,
                                                 .pid = (pid_t)sample.pid,
                                                 .tid = (pid_t)sample.tid,
                                                 .address = sample.address});
        return;
    }
    if (header->size < sizeof *header + sizeof end) return;
    memcpy(&end, (const char *)record + header->size - sizeof end, sizeof end);
    struct hotspot_event event = {.time_ns = end.time_ns, .pid = (pid_t)end.pid};
    switch (header->type) {
    case PERF_RECORD_MMAP:
        event.kind = HOTSPOT_MAP;
        event.pid = (pid_t)record->body.map.pid;
        event.address = record->body.map.address;
        event.length = record->body.map.length;
        event.library = (int16_t)library_of_path(record->body.map.path);
        break;
    case PERF_RECORD_COMM:
        if (!(header->misc & PERF_RECORD_MISC_COMM_EXEC)) return;
        event.kind = HOTSPOT_EXECUTE;
        event.pid = (pid_t)record->body.comm.pid;
        break;
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
        event.kind = header->type == PERF_RECORD_FORK ? HOTSPOT_FORK : HOTSPOT_END;
        event.pid = (pid_t)record->body.task.pid;
        event.parent = (pid_t)record->body.task.parent_pid;
        /* Threads share their process's mappings, and end before it. */
        if (event.kind == HOTSPOT_FORK ? event.pid == event.parent : record->body.task.pid != record->body.task.tid)
            return;
        break;
    default:
        return;
    }
    add_event(watch, &event);
}

/* What a process that runs already has mapped: "address-address r-xp offset device inode path". */
static void read_maps(struct hotspot_watch *watch, pid_t pid)
{
    char path[64], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && getline(&line, &size, file) > 0) {
        unsigned long begin, end;
        char rights[8];
        int at = 0;
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &begin, &end, rights, &at) != 3 || rights[2] != 'x' || at == 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        add_event(watch, &(struct hotspot_event){.kind = HOTSPOT_MAP,
                                                 .pid = pid,
                                                 .address = begin,
                                                 .length = end - begin,
                                                 .library = (int16_t)library_of_path(line + at)});
    }
    free(line);
    if (file) fclose(file);
}

static int open_attached(struct hotspot_watch *watch, pid_t root, int cpu_count, const int cpus[])
{
    const struct source pages = {.pages_max = PAGES, .pages_min = PAGES_LEAST};
    struct attached attached;
    bool inherited;
    int status = attach_list(root, &attached);
    if (status < 0) return status;
    status = attach_open(&attribute, &attached, cpu_count, cpus, &pages, &watch->rings, &inherited);
    for (int i = 0; i < attached.count && status == 0; i++)
        if (attached.list[i].tid == attached.list[i].pid) read_maps(watch, attached.list[i].pid);
    watch->attached = true;
    attach_release(&attached);
    return status;
}

int hotspot_watch_new(pid_t root, int cpu_count, const int cpus[], struct hotspot_watch **watch_p, size_t length,
                      char *reason_p)
{
    struct hotspot_watch *watch = calloc(1, sizeof *watch);
    struct source *sources = calloc((size_t)cpu_count + 1, sizeof *sources);
    int status = watch && sources ? 0 : -ENOMEM;
    for (int i = 0; i < cpu_count && !status; i++)
        sources[i] = (struct source){.cpu = cpus[i], .pages_max = PAGES, .pages_min = PAGES_LEAST};
    if (!status)
        status = root ? open_attached(watch, root, cpu_count, cpus)
                      : rings_open(&attribute, cpu_count, sources, &watch->rings);
    free(sources);
    if (status < 0) {
        if (root)
            attach_explain(status, length, reason_p);
        else
            rings_explain(status, length, reason_p);
        free(watch ? watch->events : NULL);
        free(watch);
        return status;
    }
    rings_enable(&watch->rings);
    *watch_p = watch;
    return 0;
}

int hotspot_watch_descriptors(const struct hotspot_watch *watch, const int **descriptors_p)
{
    *descriptors_p = watch->rings.descriptors;
    return watch->attached ? 0 : watch->rings.count;
}

void hotspot_watch_drain(struct hotspot_watch *watch)
{
    rings_drain(&watch->rings, take_record, watch);
}

int hotspot_watch_stop(struct hotspot_watch *watch, struct hotspots *hotspots_p)
{
    rings_disable(&watch->rings);
    hotspot_watch_drain(watch);
    if (watch->no_memory) return -ENOMEM;
    int status = hotspots_count(watch->count, watch->events, hotspots_p);
    hotspots_p->known = status == 0;
    return status;
}

void hotspot_watch_free(struct hotspot_watch *watch)
{
    if (!watch) return;
    rings_close(&watch->rings);
    free(watch->events);
    free(watch);
}
