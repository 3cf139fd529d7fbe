/* Inside hotspots alone: from records to counts. Pure. */
#ifndef SPEEDUP_OBSERVE_HOTSPOTS_COUNT_H
#define SPEEDUP_OBSERVE_HOTSPOTS_COUNT_H

#include "hotspots.h"

enum hotspot_kind {
    HOTSPOT_SAMPLE,  /* of tid, at `address` */
    HOTSPOT_MAP,     /* process pid has code of `library` (-1: of none that is known) at `address`, `length` bytes */
    HOTSPOT_FORK,    /* process pid begins with the mappings of process `parent` */
    HOTSPOT_EXECUTE, /* process pid becomes another program, and loses its mappings */
    HOTSPOT_END      /* process pid ends */
};

struct hotspot_event {
    uint64_t time_ns, address, length;
    pid_t pid, tid, parent;
    int16_t kind, library;
    unsigned number; /* in the order of reading */
};

/* Sorts the events. 0 or -ENOMEM. */
int hotspots_count(int event_count, struct hotspot_event events[], struct hotspots *hotspots_p);

#endif
