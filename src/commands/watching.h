/* All tasks of a launch, watched from before it starts until it has ended, or of a process that runs already, by the
 * best means that can be had. */
#ifndef SPEEDUP_COMMANDS_WATCHING_H
#define SPEEDUP_COMMANDS_WATCHING_H

#include "../observe/sampler.h"
#include "../observe/switches.h"
#include "../place/machine.h"

/* Starts as {0}. */
struct watching {
    struct switches *switches; /* the kernel's context-switch records; NULL where they are refused: then */
    struct sampler *sampler;   /* what /proc tells, where that was allowed for */
    char reason[128];          /* why they are */
};

/* Which tiers of a timeline the environment leaves (SPEEDUP_TIMELINES). STATUS_USAGE. */
int watching_tiers(bool *exact_p, bool *sampled_p, struct error *);
/* SPEEDUP_TIMELINES in the environment asks for a tier: STATUS_USAGE where it is none. */
int watching_check(struct error *);
/* root 0: what this thread starts from now on; else that process and its descendants. or_sampled: where records are
 * refused, /proc will do; else nothing is watched then, which is no failure. STATUS_FAILED where what was asked for by
 * SPEEDUP_TIMELINES cannot be had. */
int watching_begin(const struct machine *, pid_t root, bool or_sampled, struct watching *, struct error *);
/* Whether anything is watched. */
bool watching_sees(const struct watching *);
/* For spawn_options' on_watched, with the watching as context, and its descriptors. */
void watching_drain(void *watching);
int watching_descriptors(const struct watching *, const int **descriptors_p);
/* Ends it: all that was seen. Once. 0 or -ENOMEM. */
int watching_timeline(struct watching *, struct timeline *timeline_p);
void watching_release(struct watching *);

#endif
