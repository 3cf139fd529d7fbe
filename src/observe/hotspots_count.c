/* Events in the order of time change the mappings of each process, and samples are looked up in them: the last mapping
 * that holds the address counts. A process has some dozens of mappings of code, so a search from the end will do.
 */
#include "hotspots_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mapping {
    uint64_t begin, end;
    int library;
};

struct space {
    pid_t pid;
    int count, room;
    struct mapping *list;
};

struct counting {
    int space_count, space_room;
    struct space *spaces; /* of live processes */
    int room;
    struct hotspots *hotspots;
};

static int compare_events(const void *left, const void *right)
{
    const struct hotspot_event *a = left, *b = right;
    if (a->time_ns != b->time_ns) return a->time_ns < b->time_ns ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static struct space *find_space(struct counting *counting, pid_t pid)
{
    for (int i = counting->space_count - 1; i >= 0; i--)
        if (counting->spaces[i].pid == pid) return &counting->spaces[i];
    return NULL;
}

static void end_space(struct counting *counting, pid_t pid)
{
    struct space *space = find_space(counting, pid);
    if (!space) return;
    free(space->list);
    *space = counting->spaces[--counting->space_count];
}

static struct space *add_space(struct counting *counting, pid_t pid)
{
    if (counting->space_count == counting->space_room) {
        int room = counting->space_room > 0 ? 2 * counting->space_room : 64;
        struct space *spaces = realloc(counting->spaces, (size_t)room * sizeof *spaces);
        if (!spaces) return NULL;
        counting->spaces = spaces;
        counting->space_room = room;
    }
    struct space *space = &counting->spaces[counting->space_count++];
    *space = (struct space){.pid = pid};
    return space;
}

static int add_mapping(struct counting *counting, pid_t pid, const struct mapping *mapping)
{
    struct space *space = find_space(counting, pid);
    if (!space) space = add_space(counting, pid);
    if (!space) return -ENOMEM;
    if (space->count == space->room) {
        int room = space->room > 0 ? 2 * space->room : 16;
        struct mapping *list = realloc(space->list, (size_t)room * sizeof *list);
        if (!list) return -ENOMEM;
        space->list = list;
        space->room = room;
    }
    space->list[space->count++] = *mapping;
    return 0;
}

static int fork_space(struct counting *counting, pid_t pid, pid_t parent)
{
    int status = 0;
    end_space(counting, pid); /* a number that comes again */
    const struct space *from = find_space(counting, parent);
    int count = from ? from->count : 0;
    /* The spaces may move while the new one grows. */
    for (int i = 0; i < count && !status; i++) {
        struct mapping mapping = find_space(counting, parent)->list[i];
        status = add_mapping(counting, pid, &mapping);
    }
    return status;
}

static int library_at(struct counting *counting, pid_t pid, uint64_t address)
{
    const struct space *space = find_space(counting, pid);
    for (int i = space ? space->count - 1 : -1; i >= 0; i--)
        if (address >= space->list[i].begin && address < space->list[i].end) return space->list[i].library;
    return -1;
}

static struct hotspot *find_hotspot(struct counting *counting, pid_t pid, pid_t tid)
{
    struct hotspots *hotspots = counting->hotspots;
    for (int i = hotspots->count - 1; i >= 0; i--)
        if (hotspots->list[i].tid == tid && hotspots->list[i].pid == pid) return &hotspots->list[i];
    if (hotspots->count == counting->room) {
        int room = counting->room > 0 ? 2 * counting->room : 64;
        struct hotspot *list = realloc(hotspots->list, (size_t)room * sizeof *list);
        if (!list) return NULL;
        hotspots->list = list;
        counting->room = room;
    }
    struct hotspot *hotspot = &hotspots->list[hotspots->count++];
    *hotspot = (struct hotspot){.pid = pid, .tid = tid};
    return hotspot;
}

static int count_sample(struct counting *counting, const struct hotspot_event *event)
{
    struct hotspot *hotspot = find_hotspot(counting, event->pid, event->tid);
    if (!hotspot) return -ENOMEM;
    int library = library_at(counting, event->pid, event->address);
    if (library >= 0 && library < LIBRARY_COUNT) hotspot->samples[library]++;
    hotspot->all++;
    return 0;
}

static int take(struct counting *counting, const struct hotspot_event *event)
{
    const struct mapping mapping = {event->address, event->address + event->length, event->library};
    switch (event->kind) {
    case HOTSPOT_SAMPLE:
        return count_sample(counting, event);
    case HOTSPOT_MAP:
        return add_mapping(counting, event->pid, &mapping);
    case HOTSPOT_FORK:
        return fork_space(counting, event->pid, event->parent);
    default:
        end_space(counting, event->pid);
        return 0;
    }
}

static int compare_hotspots(const void *left, const void *right)
{
    const struct hotspot *a = left, *b = right;
    if (a->pid != b->pid) return a->pid < b->pid ? -1 : 1;
    return (a->tid > b->tid) - (a->tid < b->tid);
}

int hotspots_count(int event_count, struct hotspot_event events[], struct hotspots *hotspots_p)
{
    struct counting counting = {.hotspots = hotspots_p};
    int status = 0;
    if (event_count > 0) qsort(events, (size_t)event_count, sizeof *events, compare_events);
    for (int i = 0; i < event_count && !status; i++) status = take(&counting, &events[i]);
    for (int i = 0; i < counting.space_count; i++) free(counting.spaces[i].list);
    free(counting.spaces);
    if (hotspots_p->count > 0)
        qsort(hotspots_p->list, (size_t)hotspots_p->count, sizeof *hotspots_p->list, compare_hotspots);
    return status;
}
