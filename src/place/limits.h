/* What cgroups and the machine's memory leave to this process. */
#ifndef SPEEDUP_PLACE_LIMITS_H
#define SPEEDUP_PLACE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The directory of this process's cgroup for one controller, and how much of that path is the mount point: the limits
 * of every directory between the two apply. */
struct cgroup {
    bool v2;
    char path[4096];
    size_t mount_length;
};
/* `root` is "" except in tests, which make up a tree. False where that controller is not there. */
bool cgroup_find(const char *root, const char *controller, struct cgroup *cgroup_p);
/* Goes one directory up. False at the mount point. */
bool cgroup_up(struct cgroup *);

struct limits {
    double quota_cpus; /* the smallest CPU quota, in CPUs; NAN where there is none */
    int64_t memory_bytes;
    int64_t memory_available_bytes; /* what can still be allocated; page cache that can be dropped counts */
};
void limits_read(const char *root, struct limits *limits_p);

#endif
