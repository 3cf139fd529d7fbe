/* The tasks of a run, found and looked at in /proc. Unprivileged for one's own tasks. */
#ifndef SPEEDUP_OBSERVE_SAMPLER_TASKS_H
#define SPEEDUP_OBSERVE_SAMPLER_TASKS_H

#include "descendants.h"
#include "sampler_build.h"

/* Descriptors of a task's files; -1 where it is gone. In the order of the tasks. */
struct watched_files {
    int schedstat, stat;
};

struct watched_tasks {
    struct descendants descendants;
    int count;
    struct sampled_task *tasks;
    struct watched_files *files;
    int live_count;
    int *live;         /* tasks that were there when last looked at */
    bool counted;      /* schedstat is told here */
    bool there_before; /* what is found now ran before it was watched */
    double searched_s;
    int64_t sighting_count;
    int missed; /* tasks that could not be watched for want of descriptors */
};

/* root and what it returns: as descendants_init; there is no harm in releasing where it failed. */
int watched_tasks_init(pid_t root, struct watched_tasks *tasks_p);
void watched_tasks_release(struct watched_tasks *);

/* As descendants_search. 0 or -ENOMEM. */
int watched_tasks_search(struct watched_tasks *, bool thorough);
/* One look at each. 0 or -ENOMEM. */
int watched_tasks_look(struct watched_tasks *);

#endif
