/* The system's accounts of processes that have ended, added up. */
#ifndef SPEEDUP_LAUNCH_USAGE_H
#define SPEEDUP_LAUNCH_USAGE_H

#include "spawn.h"

#include <sys/resource.h>

/* Before the first fork. */
void usage_begin(struct spawn_usage *usage_p);
/* Of one process and those that it has waited for. */
void usage_add(struct spawn_usage *, const struct rusage *);

#endif
