/* The one spawner: starts a launch line, hands its output over line by line, keeps the time limit, and leaves no
 * process behind, whatever happens. It sleeps in poll; it never polls busily. */
#ifndef SPEEDUP_LAUNCH_SPAWN_H
#define SPEEDUP_LAUNCH_SPAWN_H

#include "launch.h"

/* What the system's accounts say of all processes of a run that have ended, also of those that were ended. A process
 * whose parent ignores the death of its children (SIGCHLD) is in nobody's account. */
struct spawn_usage {
    double user_s, system_s;
    int64_t peak_memory_bytes;  /* of the process that had the most; -1: no more than memory_floor_bytes */
    int64_t memory_floor_bytes; /* what this process had when it forked: a child begins with as much in its account */
    int64_t voluntary, involuntary;
};

struct spawn_result {
    struct spawn_usage usage;
    int exec_errno;      /* why the program itself could not be started (ENOENT: not found); 0 */
    int exit_status;     /* 0 ... 255; -1 where it was killed by a signal or never ran */
    int signal;          /* that killed it; 0 */
    bool timed_out;      /* the time limit ended it */
    bool interrupted;    /* SIGINT, SIGTERM or SIGHUP to us ended it; with STREAMS_OURS: came */
    int left_behind;     /* processes that were still there some time after it had ended by itself, and were killed */
    double start_s;      /* CLOCK_MONOTONIC, before fork; NAN where it was not started */
    double wall_s;       /* from before fork to reaped */
    double first_line_s; /* from before fork to the first line of output, of `bytes` the first ones; NAN where there
                            was none */
    char stderr_tail[4096]; /* the end of what it said on standard error, whole lines; "" */
};

/* Where a command's standard output and standard error go. */
enum spawn_streams {
    STREAMS_TAKEN,  /* output to `line` or `bytes`; errors to the tail, and to ours where pass_stderr */
    STREAMS_OURS,   /* input, output, errors and all other descriptors that are not closed on exec are ours: it runs as
                       if we were not there, in our process group, so that the terminal is its own and the terminal's
                       signals reach it; of these it ignores what we ignore. SIGINT, SIGTERM, SIGHUP and SIGQUIT to us
                       are then for it to heed: those that came to us alone are handed on; we end when it ends, and
                       after a second one, or some time of grace after SIGTERM or SIGHUP, we end it */
    STREAMS_DROPPED /* no input; output to nowhere; errors as STREAMS_TAKEN */
};

struct spawn_options {
    double time_limit_s; /* 0: none */
    enum spawn_streams streams;
    bool pass_stderr; /* copy its standard error to ours as it comes (else it is only kept in the tail) */
    void *context;
    /* Its standard output as it comes, instead of `line`; may be NULL. Returns as `line` does. */
    int (*bytes)(void *context, const char *bytes, size_t length);
    /* Each line of its standard output, without the newline, NUL-terminated, in order. A negative return ends the run
     * and is returned by spawn_run. */
    int (*line)(void *context, char *text, size_t length);
    /* About every 0.1 s; may be NULL (then the spawner does not wake up for it). Returns as `line` does. */
    int (*tick)(void *context, double elapsed_s);
    /* Further descriptors (-1: none) to be watched meanwhile, and what to do when one of them can be read from. */
    int watched_count;
    const int *watched;
    void *watched_context;
    void (*on_watched)(void *watched_context);
};

/* STATUS_OK when the process ended by itself, whatever its exit status (with STREAMS_OURS also by a signal that was for
 * it to heed); STATUS_FAILED, with the text, where it could not be started or was ended at its time limit;
 * STATUS_INTERRUPTED; or what `line` returned. All descendants are gone when it returns, and none survives us if we are
 * killed (a command's own: what it leaves when it gets SIGTERM). Lines that came before an end by force are still
 * handed over; text after the last newline is, where the process exited by itself. To be called by the main thread. */
int spawn_run(const struct launch_line *, const struct spawn_options *, struct spawn_result *result_p, struct error *);

/* Becomes the program of the line, with its environment and mask, in our place (under a foreign launcher). Returns only
 * in failure: STATUS_FAILED with the text. */
int launch_line_exec(const struct launch_line *, struct error *);

#endif
