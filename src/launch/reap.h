/* Ends what a run has left behind. Ranks have process groups of their own and a daemon leaves its session, but as the
 * subreaper we remain the ancestor of all of them. */
#ifndef SPEEDUP_LAUNCH_REAP_H
#define SPEEDUP_LAUNCH_REAP_H

#include <stdbool.h>
#include <sys/types.h>

/* Children that were there before the run, to be left alone. Starts as {0}. */
struct bystanders {
    int count;
    pid_t *children;
};

/* 0, -ENOMEM, or another negative errno value where /proc cannot be read. */
int bystanders_find(struct bystanders *bystanders_p);
void bystanders_release(struct bystanders *);

/* Kills and reaps all descendants but the bystanders and theirs, until none is left or the time is over. SIGCHLD must
 * be blocked. Returns whether all are gone. */
bool reap_descendants(const struct bystanders *, double limit_s);

#endif
