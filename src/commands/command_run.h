/* One launch of a command of the user's own, measured from outside. */
#ifndef SPEEDUP_COMMANDS_COMMAND_RUN_H
#define SPEEDUP_COMMANDS_COMMAND_RUN_H

#include "session.h"

#include <regex.h>

/* What is asked of a run besides its time. */
struct command_checks {
    const char *pattern;            /* its output has to match it; NULL */
    regex_t regex;                  /* compiled from it */
    bool same_output;               /* as of the first run of the same problem in the record */
    bool ignore_failure;            /* an exit status other than 0 is accepted */
    bool show_output;               /* on our standard error */
    const char *prepare, *conclude; /* hooks before and after each run (templates); NULL */
};

struct command_measurement {
    const struct config *config;
    const struct command_checks *checks;
    double work; /* runs, or in weak scaling shares */
    bool shares;
    int warmups, block;
    struct timeline_record *timeline_p; /* not NULL: it is watched for its timeline, kept there; and not recorded */
};

/* Of a time text (config.h): checks that it can be used. STATUS_USAGE with one line. */
int command_check_time(const char *time, struct error *);

/* Runs it once. *usable_p: valid, or too short to be judged. STATUS_FAILED where it could not be started, ended with
 * another status than 0, or did not tell its time; STATUS_WRONG for a wrong answer; STATUS_INTERRUPTED. */
int command_measure(struct session *, const struct command_measurement *, bool *usable_p, struct error *);

/* STATUS_USAGE where a hook is no line of words, or has placeholders that stand for nothing. */
int command_check_hook(const char *name, const char *template, const struct config *, struct error *);
/* A hook: what is to be done around runs. name: "--setup", for the error line. */
int command_run_hook(struct session *, const char *name, const char *template, const struct config *, struct error *);

#endif
