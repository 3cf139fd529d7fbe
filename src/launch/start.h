/* Starts the process of a launch line. */
#ifndef SPEEDUP_LAUNCH_START_H
#define SPEEDUP_LAUNCH_START_H

#include "launch.h"

#include <sys/types.h>

struct process_handle {
    pid_t pid;
    int out, err; /* its standard output and standard error, to be read; they do not block */
};

/* Returns when the program runs: in a process group of its own, with no input, no descriptor of ours, no signal blocked
 * or ignored; it dies when the calling thread dies (mpirun by SIGTERM, others by SIGKILL). STATUS_FAILED with the text
 * where it could not be started. */
int start_process(const struct launch_line *, struct process_handle *handle_p, struct error *);
/* Closes it where it is open; it is then -1. */
void close_descriptor(int *descriptor);

#endif
