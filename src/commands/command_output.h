/* What a command printed: the time that it took by its own account, and whether its answer is right. Pure. */
#ifndef SPEEDUP_COMMANDS_COMMAND_OUTPUT_H
#define SPEEDUP_COMMANDS_COMMAND_OUTPUT_H

#include "../error.h"

#include <stdbool.h>
#include <stddef.h>

/* What is done with a command of the user's own, besides starting it. Texts are the caller's; NULL: not given. */
struct command_rules {
    const char *time_regex, *time_json; /* where its own time stands; at most one. NULL: the time of its processes */
    double time_unit_s;                 /* of that time */
    const char *check_regex;            /* what its standard output must match */
    bool same_output;                   /* it must be the same in all configurations of one problem */
    bool ignore_failure;                /* other exit statuses than 0 are accepted */
    bool show_output;                   /* to our standard error */
    const char *setup, *prepare, *conclude, *cleanup; /* hooks: templates (command_hooks.h) */
    bool shell;                                       /* hooks are for sh -c */
};

/* STATUS_USAGE where a pattern is none, or has no group that holds the time; or there are two places for the time. */
int command_rules_check(const struct command_rules *, struct error *);

/* The time in seconds: the first group of the last match in its standard output, or where that has none in what is
 * known of its standard error; or what stands at the path of the JSON that its standard output is. NAN where none was
 * asked for. STATUS_FAILED with one line where there is none. `output` ends with a NUL behind its length. */
int command_read_time(const struct command_rules *, size_t length, const char *output, const char *errors,
                      double *time_p, struct error *);

/* Whether check_regex matches; true without one. Else why not, in `detail`. */
bool command_check_output(const struct command_rules *, size_t length, const char *output, size_t detail_length,
                          char *detail);

#endif
