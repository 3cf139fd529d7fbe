/* The streams of a running process, as spawn_options wants them. */
#ifndef SPEEDUP_LAUNCH_STREAMS_H
#define SPEEDUP_LAUNCH_STREAMS_H

#include "output.h"
#include "spawn.h"

struct streams {
    const struct spawn_options *options;
    int out, err;   /* -1: not taken, or at their end */
    double start_s; /* of the process */
    double first_s; /* from its start to the first line or bytes; NAN */
    bool deaf;      /* `line` or `bytes` wants no more */
    struct line_buffer lines;
    struct tail tail;
};

/* One read each. 1: there may be more; 0: nothing there now, or no more; output also -ENOMEM, or what `line` or `bytes`
 * returned (each once: later output is not heard). */
int streams_read_out(struct streams *);
int streams_read_err(struct streams *);
/* Text after the last newline. 0, or the negative return of `line`. */
int streams_finish_out(struct streams *);
void streams_release(struct streams *);

#endif
