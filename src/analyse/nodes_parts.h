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

/* Of a slow place, from the medians of its parts. */
enum nodes_cause nodes_find_cause(const struct nodes_place *, const double parts[NODES_PART_COUNT], double throttled);

#endif
