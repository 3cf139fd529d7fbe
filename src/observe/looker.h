/* A thread that looks at something again and again, until it is told to stop. */
#ifndef SPEEDUP_OBSERVE_LOOKER_H
#define SPEEDUP_OBSERVE_LOOKER_H

#include <stdbool.h>

struct looker;

/* Calls look from a thread of its own, at once, and again at the time (CLOCK_MONOTONIC) that it sets, as long as it
 * returns true; once more, with last, when the looker is stopped. The thread has the caller's affinity mask and takes
 * no signals; prompt: it asks the system for short slices and even wake-ups. What the context holds is the thread's
 * until it is stopped. 0 or a negative errno value. */
int looker_new(bool (*look)(void *context, bool last, double *next_s_p), void *context, bool prompt,
               struct looker **looker_p);
/* Returns when it has ended. May be NULL. */
void looker_free(struct looker *);

#endif
