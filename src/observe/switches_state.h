/* What records are being taken: for switches.c, and switches_process.c. */
#ifndef SPEEDUP_OBSERVE_SWITCHES_STATE_H
#define SPEEDUP_OBSERVE_SWITCHES_STATE_H

#include "attach.h"
#include "ring.h"
#include "switches.h"

enum {
    PAGES_MAX = 128, /* of a ring: what kernel.perf_event_mlock_kb grants every user for each CPU */
    PAGES_MIN = 4
};

struct switches {
    struct rings rings;
    bool own;                 /* tasks of this process count too */
    struct attached attached; /* threads that were there before: of switches_open_process alone */
    bool inherited;           /* what they start is recorded too */
    int64_t start_ns;
    int event_count, event_room;
    struct switch_event *events;
    struct switch_names names;
    bool too_many, no_memory;
};

extern const struct perf_event_attr switches_attribute;

/* Records from now on, with rings that are open: NULL (and the rings are closed) where there is no memory. */
struct switches *switches_begin(struct rings *, bool own);
/* Room for one more: NULL where there is none, which is remembered. */
struct switch_event *switches_add_event(struct switches *);
/* The index of the name; the last one stands for all further ones. */
unsigned switches_add_name(struct switch_names *, const char *name);
/* Of a ring for a busy thread, as a power of two. Each user has PAGES_MAX + 1 for each CPU, for all processes together;
 * beyond that each process has what it may lock, of which half is left to others (such as MPI). Each ring has one page
 * more than its data. */
int switches_fair_pages(int busy, int others, int sharers);
/* switches_process.c: adds what each attached thread did before its first record, and its name. */
void switches_complete(struct switches *);

#endif
