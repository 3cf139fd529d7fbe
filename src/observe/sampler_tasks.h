/* The tasks that descend from this process, found and looked at in /proc. Unprivileged for one's own tasks. */
#ifndef SPEEDUP_OBSERVE_SAMPLER_TASKS_H
#define SPEEDUP_OBSERVE_SAMPLER_TASKS_H

#include "sampler_build.h"

/* A process whose threads are watched. */
struct watched_process {
    pid_t pid;
    int folder; /* descriptor of its task folder; -1: it is gone */
    unsigned long links;
};

/* Descriptors of a task's files; -1 where it is gone. In the order of the tasks. */
struct watched_files {
    int schedstat, stat;
};

struct watched_tasks {
    int bystander_count;
    pid_t *bystanders; /* children that were there before: not watched, nor theirs */
    int process_count;
    struct watched_process *processes;
    int count;
    struct sampled_task *tasks;
    struct watched_files *files;
    int live_count;
    int *live;       /* tasks that were there when last looked at */
    bool counted;    /* schedstat is told here */
    bool children;   /* the kernel lists a task's children */
    int loadavg;     /* descriptor of the file that tells the last number that a task got; -1 */
    char newest[32]; /* that number, when last searched */
    double searched_s;
    int64_t sighting_count;
    int descriptor_count, descriptor_max; /* that it keeps open, and may */
    int missed;                           /* tasks that could not be watched for want of descriptors */
};

/* Remembers who is there already. 0, -ENOMEM, or another negative errno value where /proc cannot be read: then there is
 * nothing to release, and no harm in it. */
int watched_tasks_init(struct watched_tasks *tasks_p);
void watched_tasks_release(struct watched_tasks *);

/* Looks for new processes and threads: at once where the system gave a number to a new task since the last search, or
 * where asked to. 0 or -ENOMEM. */
int watched_tasks_search(struct watched_tasks *, bool thorough);
/* One look at each. 0 or -ENOMEM. */
int watched_tasks_look(struct watched_tasks *);

#endif
