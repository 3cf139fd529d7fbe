/* What a process says: its standard output cut into lines of any length, and the end of its standard error. */
#ifndef SPEEDUP_LAUNCH_OUTPUT_H
#define SPEEDUP_LAUNCH_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Starts as {0}. */
struct line_buffer {
    char *text;
    size_t used, capacity;
};

typedef int line_handler(void *context, char *text, size_t length);

/* Reads once from the descriptor and hands over each line that is now complete. 1: there may be more; 0: end of the
 * stream, or nothing there now where it does not block (*ended_p tells); -ENOMEM; or the negative return of `line`. */
int line_buffer_read(struct line_buffer *, int descriptor, line_handler *line, void *context, bool *ended_p);
/* Hands over what came after the last newline, where there is any. 0, or the negative return of `line`. */
int line_buffer_finish(struct line_buffer *, line_handler *line, void *context);
void line_buffer_release(struct line_buffer *);

enum { TAIL_LENGTH = 4096 };

/* Starts as {0}. */
struct tail {
    char text[TAIL_LENGTH]; /* NUL-terminated */
    size_t used;
    bool cut; /* something before it is gone */
};

void tail_add(struct tail *, size_t length, const char *text);
/* Drops a first line that lost its beginning, and newlines at the end. */
void tail_finish(struct tail *);

#endif
