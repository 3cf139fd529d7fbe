/* What of this process is otherwise while it watches over another. */
#ifndef SPEEDUP_LAUNCH_SURROUNDINGS_H
#define SPEEDUP_LAUNCH_SURROUNDINGS_H

#include "reap.h"

#include <signal.h>
#include <stdbool.h>

struct surroundings {
    sigset_t mask;
    struct sigaction on_child;
    int subreaper;
    struct bystanders bystanders;
};

/* We are the subreaper, and a descriptor tells of dead children and of SIGINT, SIGTERM and SIGHUP (with `quit` of
 * SIGQUIT too) where they are not ignored. 0, or -1 with errno; then nothing has changed. */
int surroundings_prepare(bool quit, struct surroundings *surroundings_p, int *signals_p);
void surroundings_restore(struct surroundings *);

#endif
