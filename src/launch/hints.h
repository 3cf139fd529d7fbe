/* What helps against failures that launchers and loaders report in words of their own. Pure. */
#ifndef SPEEDUP_LAUNCH_HINTS_H
#define SPEEDUP_LAUNCH_HINTS_H

/* From what a launch said on standard error, and the signal that ended it (0: none): one clause, without a full stop.
 * NULL: nothing that is known. */
const char *launch_hint(const char *said, int signal);

#endif
