/* A launch that is watched, to see who ran where and when: apart from what is timed. */
#ifndef SPEEDUP_COMMANDS_CAPTURE_H
#define SPEEDUP_COMMANDS_CAPTURE_H

#include "command_run.h"

/* Launches the workers of the measurement once (again, at most launches_max times, where the run was disturbed), for
 * one sample, and makes a timeline of just that sample. It is written to the session's records and kept in its results.
 * The session's on_sample is not called. STATUS_FAILED, STATUS_WRONG, STATUS_INTERRUPTED as session_measure. */
int capture_timeline(struct session *, const struct measurement *, struct error *);
/* The same of a command. */
int capture_command(struct session *, const struct command_measurement *, int launches_max, struct error *);

#endif
