/* What the user wants to be run beside the command that is measured: once before the first launch with some values of
 * its placeholders (setup), before and after each run (prepare, conclude), and at the very end (cleanup). */
#ifndef SPEEDUP_COMMANDS_COMMAND_HOOKS_H
#define SPEEDUP_COMMANDS_COMMAND_HOOKS_H

#include "../launch/launch.h"
#include "command_output.h"

struct command_hooks {
    const struct command_rules *rules;
    double time_limit_s; /* of one of them */
    int set_up_count, cleanup_count;
    char **set_up; /* heap: the setup lines that were run, placeholders replaced */
    struct hook_line {
        char *text;
        struct launch_line *line;
    } * cleanups;   /* heap: those that are to be run */
    bool told_left; /* that the command left processes behind */
};

/* Starts as {.rules = ...}. STATUS_USAGE where a hook is no line of words. Runs nothing. */
int hooks_check(const struct command_hooks *, const struct config *, struct error *);
/* Once for each different line: runs the setup, and notes the cleanup. All of them: STATUS_FAILED where a hook cannot
 * be started, takes too long or ends with another status than 0, with what it said; STATUS_INTERRUPTED. */
int hooks_set_up(struct command_hooks *, const struct config *, struct error *);
int hooks_prepare(struct command_hooks *, const struct config *, struct error *);
int hooks_conclude(struct command_hooks *, const struct config *, struct error *);
/* Runs all cleanups that were noted, also where one of them fails: the first failure is told. */
int hooks_clean_up(struct command_hooks *, struct error *);
void hooks_release(struct command_hooks *);

#endif
