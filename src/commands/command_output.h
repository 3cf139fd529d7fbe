/* What a command wrote to its standard output, as far as it is wanted. */
#ifndef SPEEDUP_COMMANDS_COMMAND_OUTPUT_H
#define SPEEDUP_COMMANDS_COMMAND_OUTPUT_H

#include "../error.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command_output {
    bool text, hashed, shown; /* what is wanted: its text, its hash, a copy on standard error */
    char *bytes;              /* heap, with a NUL at the end, and newlines for those in it; NULL: none */
    size_t length, room;
    uint64_t hash; /* FNV-1a; 0 where it is not wanted */
};

void command_output_init(struct command_output *, bool text, bool hashed, bool shown);
void command_output_release(struct command_output *);
/* Forgets what was written. */
void command_output_reset(struct command_output *);
bool command_output_is_wanted(const struct command_output *);
/* 0, or STATUS_FAILED: no memory, or more than 256 MiB of text. */
int command_output_add(struct command_output *, size_t length, const char *bytes);

bool command_output_matches(const struct command_output *, const regex_t *);
/* The time that it tells, by the text of a target's `time`; a pattern that does not match in it is looked for in
 * `errors`, the end of what the command wrote to its standard error. STATUS_FAILED with one line where it tells none.
 */
int command_output_time(const struct command_output *, const char *errors, const char *time, double *time_p,
                        struct error *);

#endif
