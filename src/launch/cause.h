/* Where a launch broke, in the launcher's own words put short. Pure. */
#ifndef SPEEDUP_LAUNCH_CAUSE_H
#define SPEEDUP_LAUNCH_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

/* Of what mpirun or srun said, on standard error or standard output: "rank 1 on node2 was ended by signal 9 (Killed)",
 * "node3 was lost: its daemon died, or its network is cut off". Returns whether it said such a thing; else text_p is
 * "". */
bool launch_cause(const char *said, size_t length, char *text_p);

#endif
