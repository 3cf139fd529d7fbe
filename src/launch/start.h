/* Starts the process of a launch line. */
#ifndef SPEEDUP_LAUNCH_START_H
#define SPEEDUP_LAUNCH_START_H

#include "spawn.h"

#include <sys/types.h>

struct process_handle {
    pid_t pid;
    double start_s; /* CLOCK_MONOTONIC, before fork */
    int out, err;   /* its standard output and standard error, to be read; they do not block. -1: not taken */
};

/* Returns when the program runs: in a process group of its own, with no input, no descriptor of ours, no signal blocked
 * or ignored (STREAMS_OURS: as spawn.h says); it dies when the calling thread dies (mpirun and commands by SIGTERM,
 * others by SIGKILL). STATUS_FAILED with the text where it could not be started, and where the program is the reason,
 * the errno value. */
int start_process(const struct launch_line *, enum spawn_streams, struct process_handle *handle_p, int *exec_errno_p,
                  struct error *);
/* Closes it where it is open; it is then -1. */
void close_descriptor(int *descriptor);

#endif
