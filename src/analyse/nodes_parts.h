/* Inside analyse/nodes*.c alone: what of a place is compared, in each launch. */
#ifndef SPEEDUP_ANALYSE_NODES_PARTS_H
#define SPEEDUP_ANALYSE_NODES_PARTS_H

#include "nodes.h"

enum nodes_part {
    NODES_TIME,     /* of the work, over the median place's */
    NODES_CPU_TIME, /* likewise */
    NODES_MORE_CPU, /* what it has more than the median place, over that one's time of work */
    NODES_MORE_WAIT,
    NODES_MORE_STEAL, /* (the median place's own is not taken off: it is 0, or all are on one hypervisor) */
    NODES_WAIT_SHARE, /* of its own time */
    NODES_STOOD_SHARE,
    NODES_FOREIGN_SHARE, /* of the sample */
    NODES_STEAL_SHARE,
    NODES_SIBLING_SHARE,
    NODES_PART_COUNT
};

/* What one launch tells of a core, or of a node (cpu -1). */
struct nodes_entry {
    const char *host; /* borrowed from the sample */
    int cpu, launch;
    double value[NODES_PART_COUNT];
};

struct nodes_entries {
    int count, room;
    struct nodes_entry *list;
};

/* nodes_entries.c. Adds those of a sample. *used_p: whether it tells of cores. 0 or -ENOMEM. */
int nodes_add_sample(const struct sample *, struct nodes_entries *cores, struct nodes_entries *nodes, bool *used_p);
int nodes_compare_places(const char *host, int cpu, const char *other_host, int other_cpu);
/* By place, then launch; for qsort. */
int nodes_compare_entries(const void *a, const void *b);

/* Of a slow place, from the medians of its parts. */
enum nodes_cause nodes_find_cause(const struct nodes_place *, const double parts[NODES_PART_COUNT], double throttled);

#endif
