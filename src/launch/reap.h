/* Ends what a run has left behind. Ranks have process groups of their own and a daemon leaves its session, but as the
 * subreaper we remain the ancestor of all of them. */
#ifndef SPEEDUP_LAUNCH_REAP_H
#define SPEEDUP_LAUNCH_REAP_H

#include "spawn.h"

#include <sys/types.h>

/* Children that were there before the run, to be left alone. Starts as {0}. */
struct bystanders {
    int count;
    pid_t *children;
};

/* 0, -ENOMEM, or another negative errno value where /proc cannot be read. */
int bystanders_find(struct bystanders *bystanders_p);
void bystanders_release(struct bystanders *);

/* Reaps one child where it has ended, and adds what the system's accounts say of it. Returns whether it had. */
bool reap_one(pid_t, struct spawn_usage *, int *status_p);
/* Reaps the children that have ended, but for the bystanders and that one (0: none): a program may wait for one that it
 * has let go to be gone. */
void reap_orphans(const struct bystanders *, pid_t but, struct spawn_usage *);

struct reaping {
    const struct bystanders *bystanders;
    pid_t group;    /* the run's process group; 0: it has none of its own */
    bool ask;       /* SIGTERM comes first, for those that are not in the group, which had it */
    double grace_s; /* for so long they may end by themselves */
    double limit_s; /* and then by SIGKILL */
};

/* Waits for the end of all descendants but the bystanders and theirs, kills those that are left (killed_p: how many),
 * and reaps them, until none is left or the time is over. SIGCHLD must be blocked. Returns whether all are gone. */
bool reap_descendants(const struct reaping *, struct spawn_usage *, int *killed_p);

#endif
