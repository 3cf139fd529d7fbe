/* Commands of the user's own as something to be measured: from the template and a configuration to the words that are
 * run. Pure. */
#ifndef SPEEDUP_PLAN_COMMAND_H
#define SPEEDUP_PLAN_COMMAND_H

#include "../error.h"
#include "config.h"

/* Fills a target with the words of a command line. STATUS_USAGE with one line where there are none, or they are longer
 * than there is room for. */
int command_set_words(struct command_target *, int count, char *const words[], struct error *);
/* Adds "NAME=TEMPLATE". STATUS_USAGE where it has no name, or there is no room. */
int command_add_setting(struct command_target *, const char *setting, struct error *);
/* The word of that number, and the setting; they are the target's. */
const char *command_word(const struct command_target *, int index);
const char *command_setting(const struct command_target *, int index);
/* Whether both are the same command, in the same environment, timed in the same way; the launcher, which differs
 * between modes, does not count. */
bool command_same(const struct command_target *, const struct command_target *);

/* The template with its placeholders replaced, heap, the caller's. STATUS_USAGE with one line for a placeholder that
 * does not exist (it names those that do). A brace that opens no placeholder, being followed by something else than a
 * name and a closing brace, is a brace: JSON, awk and shell functions pass as they are; {{ and }} are always braces. */
int command_expand(const struct config *, const char *template, char **text_p, struct error *);
/* Whether the placeholder stands anywhere in the template's words, settings or launcher. */
bool command_uses(const struct command_target *, const char *placeholder);
/* Whether it is a name that a parameter may have: letters, digits, _, and none of those that are there anyway. */
bool command_name_is_free(const char *name);

/* As one would type it in a shell (quote.h), placeholders and all. Heap, the caller's; NULL: no memory. */
char *command_text(const struct command_target *);
/* The same with the placeholders replaced where that can be done. */
char *command_text_expanded(const struct config *);

/* law.c: "1000*workers^(1/3)", with or without "size =" in front; or "linear", "sqrt", "cbrt": the size at one worker
 * times the workers, their square root, their cube root. The law of weak scaling for a command; `size` in it is the
 * size at one worker, NAN where none was given. *size_p: rounded to a whole number. STATUS_USAGE with one line where it
 * is no formula of workers, ranks, threads, nodes and size, or its value no size. */
int command_weak_size(const char *law, const struct config *, double size, double *size_p, struct error *);

#endif
