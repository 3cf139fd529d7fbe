/* How a command of the user's own is started. Pure. */
#ifndef SPEEDUP_LAUNCH_COMMAND_LINE_H
#define SPEEDUP_LAUNCH_COMMAND_LINE_H

#include "launch.h"

/* Of a configuration whose target is a command, its placeholders replaced. STATUS_USAGE for a placeholder that stands
 * for nothing, or a launcher that is no line of words. *line_p is the caller's.
 *
 * Where the target is to be bound: the process mask is the mode's CPUs; OpenMP has a place for each thread, where there
 * is a CPU for each; and ranks are started through `speedup-worker bind`, which gives each its own CPUs, whatever the
 * launcher did. OMP_NUM_THREADS and what other libraries read in its place are always set, and the target's own
 * settings are on top of it all. */
int command_line_new(const struct config *, const struct launch_site *, struct launch_line **line_p, struct error *);

/* OMP_PLACES for so many threads on these CPUs, one place a thread: "{0},{1}". Returns text. */
const char *openmp_places(int threads, const struct cpu_list *, size_t length, char *text);

/* The arguments of `speedup-worker bind`, from behind "bind", as command_line_new writes them: the mode that tells the
 * CPUs of each rank, and where the command begins. STATUS_USAGE where they are none. */
int bind_arguments_parse(int argc, char *const argv[], struct mode *mode_p, int *command_p, struct error *);

#endif
