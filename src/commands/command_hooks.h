/* What the user wants to be run once around the launches of a command: before the first one with some values of its
 * placeholders (setup), and at the very end (cleanup). */
#ifndef SPEEDUP_COMMANDS_COMMAND_HOOKS_H
#define SPEEDUP_COMMANDS_COMMAND_HOOKS_H

#include "session.h"

struct command_hooks {
    const char *setup, *cleanup; /* templates; NULL */
    int count;
    struct hook_done {
        const struct config *config; /* not ours */
        char *setup, *cleanup;       /* heap: the lines that they become; NULL: the same was noted before, or none */
    } * done;                        /* heap */
};

/* Before each launch: runs the setup, where its line is another one than all before, and notes the cleanup likewise.
 * The configuration must last as long as the hooks. As command_run_hook. */
int hooks_set_up(struct command_hooks *, struct session *, const struct config *, struct error *);
/* Runs all cleanups that were noted, also where one of them fails: the first failure is told. */
int hooks_clean_up(struct command_hooks *, struct session *, struct error *);
void hooks_release(struct command_hooks *);

#endif
