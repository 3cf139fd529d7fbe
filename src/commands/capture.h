/* A launch that is watched, to see who ran where and when: apart from what is timed. */
#ifndef SPEEDUP_COMMANDS_CAPTURE_H
#define SPEEDUP_COMMANDS_CAPTURE_H

#include "session.h"

/* What of the environment would be refused later: STATUS_USAGE. */
int capture_check(struct error *);

/* Which tiers of a timeline the environment leaves (SPEEDUP_TIMELINES). STATUS_USAGE. */
int capture_tiers(bool *exact_p, bool *sampled_p, struct error *);

/* Launches the workers of the measurement once (again, at most launches_max times, where the run was disturbed), for
 * one sample, and makes a timeline of just that sample. It is written to the session's records and kept in its results.
 * The session's on_sample is not called. STATUS_FAILED, STATUS_WRONG, STATUS_INTERRUPTED as session_measure. */
int capture_timeline(struct session *, const struct measurement *, struct error *);

#endif
