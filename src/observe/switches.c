/* One event for each CPU, which children inherit; their records go into the ring of the CPU that they are on. Given
 * threads have an event and a ring each, wherever they are: as many as there are threads, however many CPUs the machine
 * has.
 */
#include "switches.h"

#include "switches_state.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 1 << 22, NAMES_MAX = 1 << 16 };

const struct perf_event_attr switches_attribute = {.type = PERF_TYPE_SOFTWARE,
                                                   .config = PERF_COUNT_SW_DUMMY,
                                                   .context_switch = 1,
                                                   .comm = 1,
                                                   .task = 1,
                                                   .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU};

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

bool switches_available(size_t length, char *reason_p)
{
    int descriptor = ring_try(&switches_attribute, (struct source){.cpu = -1});
    if (length > 0) reason_p[0] = '\0';
    if (descriptor >= 0)
        close(descriptor);
    else
        rings_explain(descriptor, length, reason_p);
    return descriptor >= 0;
}

struct switches *switches_begin(struct rings *rings, bool own)
{
    struct switches *switches = calloc(1, sizeof *switches);
    if (!switches) {
        rings_close(rings);
        return NULL;
    }
    switches->rings = *rings;
    switches->own = own;
    switches->start_ns = now_ns();
    rings_enable(&switches->rings);
    return switches;
}

/* Opens rings for the sources, which it frees. */
static int open_sources(int count, struct source *sources, bool own, struct switches **switches_p, size_t length,
                        char *reason_p)
{
    struct rings rings;
    int status = sources ? rings_open(&switches_attribute, count, sources, &rings) : -ENOMEM;
    struct switches *switches = status == 0 ? switches_begin(&rings, own) : NULL;
    if (status == 0 && !switches) status = -ENOMEM;
    free(sources);
    if (status < 0)
        rings_explain(status, length, reason_p);
    else
        *switches_p = switches;
    return status;
}

int switches_open(int cpu_count, const int cpus[], struct switches **switches_p, size_t length, char *reason_p)
{
    struct source *sources = calloc((size_t)cpu_count + 1, sizeof *sources);
    for (int i = 0; i < cpu_count && sources; i++)
        sources[i] = (struct source){.cpu = cpus[i], .pages_max = PAGES_MAX, .pages_min = PAGES_MIN};
    return open_sources(cpu_count, sources, false, switches_p, length, reason_p);
}

int switches_fair_pages(int busy, int others, int sharers)
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
    struct source *sources = calloc((size_t)count + 1, sizeof *sources);
    int pages = switches_fair_pages(busy, count - busy, sharers);
    for (int i = 0; i < count && sources; i++)
        sources[i] = (struct source){
            .tid = tids[i], .cpu = -1, .pages_max = i < busy ? pages : PAGES_MIN, .pages_min = PAGES_MIN};
    return open_sources(count, sources, true, switches_p, length, reason_p);
}

void switches_close(struct switches *switches)
{
    if (!switches) return;
    rings_close(&switches->rings);
    attach_release(&switches->attached);
    free(switches->events);
    free(switches->names.list);
    free(switches);
}

int switches_descriptors(const struct switches *switches, const int **descriptors_p)
{
    *descriptors_p = switches->rings.descriptors;
    return switches->attached.count > 0 ? 0 : switches->rings.count;
}

struct switch_event *switches_add_event(struct switches *switches)
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
    struct switch_event *event = switches_add_event(switches);
    if (!event) return;
    event->time_ns = (int64_t)(1e9 * time_s);
    event->pid = getpid();
    event->tid = tid;
    event->cpu = cpu;
    event->kind = SWITCH_IN;
}

unsigned switches_add_name(struct switch_names *names, const char *name)
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

static void take_record(void *context, const struct record *record)
{
    struct switches *switches = context;
    const struct perf_event_header *header = &record->header;
    struct record_end end;
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
        name = switches_add_name(&switches->names, record->body.comm.name);
        break;
    default:
        return;
    }
    if (!switches->own && event.pid == getpid()) return;
    /* Of what given threads start, nothing further would be told. */
    if (switches->own && !switches->inherited && event.kind == SWITCH_START) return;
    struct switch_event *place = switches_add_event(switches);
    if (!place) return;
    event.number = event.kind == SWITCH_NAME ? name : place->number;
    *place = event;
}

void switches_drain(struct switches *switches)
{
    rings_drain(&switches->rings, take_record, switches);
    /* What nobody keeps need not be made either: that would only slow down what is watched. */
    if (switches->too_many || switches->no_memory) rings_disable(&switches->rings);
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
    else if (switches->rings.lost > 0)
        snprintf(incomplete_p, 160, "%llu records were lost: they came faster than they could be taken",
                 (unsigned long long)switches->rings.lost);
    else if (switches->rings.full)
        snprintf(incomplete_p, 160, "a buffer was full: records may have been lost");
    else if (switches->attached.count > 0 && !switches->inherited)
        snprintf(incomplete_p, 160, "processes and threads that began meanwhile are missing");
}

int switches_timeline(struct switches *switches, struct timeline *timeline_p)
{
    rings_disable(&switches->rings);
    int64_t end_ns = now_ns();
    switches_drain(switches);
    switches_complete(switches);
    struct timeline timeline;
    timeline_init(&timeline);
    /* Between a record's instant and that of the switch itself lies less than a switch takes. */
    timeline.error_s = 2e-6;
    explain_losses(switches, end_ns, timeline.incomplete);
    if (switches->too_many && switches->event_count > 0) end_ns = switches->events[EVENTS_MAX - 1].time_ns;
    int status = switches_build(switches->event_count, switches->events, &switches->names, switches->start_ns, end_ns,
                                &timeline);
    for (int i = 0; i < switches->rings.count && !status; i++)
        if (switches->rings.descriptors[i] >= 0 && switches->rings.list[i].cpu >= 0)
            status = timeline_add_cpu(&timeline, switches->rings.list[i].cpu, NAN);
    if (status) {
        timeline_release(&timeline);
        return status;
    }
    gethostname(timeline.host, sizeof timeline.host - 1);
    *timeline_p = timeline;
    return 0;
}
