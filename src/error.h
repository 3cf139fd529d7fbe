/* Status and text of an error. Functions that fail return a negative status; the one that knows the cause writes the
 * text, callers pass it on, and main prints it. A program's exit status is the negated status. */
#ifndef SPEEDUP_ERROR_H
#define SPEEDUP_ERROR_H

enum status {
    STATUS_OK = 0,
    STATUS_FAILED = -1,       /* could not run */
    STATUS_USAGE = -2,        /* bad input: what was given, what is allowed, what helps */
    STATUS_WRONG = -3,        /* a wrong answer */
    STATUS_UNMEASURED = -4,   /* no valid measurement */
    STATUS_SLOWER = -5,       /* a slowdown that was asked to fail */
    STATUS_INTERRUPTED = -130 /* SIGINT or SIGTERM; what was measured is kept */
};

struct error {
    char text[1024]; /* one line, no newline at its end */
};

/* Writes the text and returns the status, so that one can `return error_set(...)`. Newlines in it become spaces. */
int error_set(struct error *error_p, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
