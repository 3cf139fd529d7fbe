/* A rank that watches its own threads while a sample runs: where no harness can, as the launcher is the user's. */
#ifndef SPEEDUP_WORKER_WATCH_H
#define SPEEDUP_WORKER_WATCH_H

#include "../observe/timeline.h"

struct watch;

/* NULL: no memory. Free also stops. */
struct watch *watch_new(void);
void watch_free(struct watch *);

/* Begins to watch all threads that this process has now. `sharers` ranks of the node do so at once. Where it fails, the
 * timeline will be empty and say why. By the master thread, outside parallel regions; so is stop. */
void watch_start(struct watch *, int sharers);
void watch_stop(struct watch *);
/* Why nothing at all is watched; NULL where it is. */
const char *watch_refusal(const struct watch *);
/* After the stop, once: all that was seen, without CPUs, workers not named. 0 or -ENOMEM. */
int watch_timeline(struct watch *, struct timeline *timeline_p);

#endif
