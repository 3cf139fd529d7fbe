/* Commands of the user's own as something to be measured: from the template and a configuration to the words that are
 * run. Pure. */
#ifndef SPEEDUP_PLAN_COMMAND_H
#define SPEEDUP_PLAN_COMMAND_H

#include "../error.h"
#include "config.h"

/* Fills a target with the words of a command line. STATUS_USAGE with one line where they are none, or longer than there
 * is room. */
int command_set_words(struct command_target *, int count, char *const words[], struct error *);
/* Adds "NAME=TEMPLATE". STATUS_USAGE where it has no name, or there is no room. */
int command_add_setting(struct command_target *, const char *setting, struct error *);
/* The word of that number, and the setting; they are the target's. */
const char *command_word(const struct command_target *, int index);
const char *command_setting(const struct command_target *, int index);

/* The template with its placeholders replaced, heap, the caller's. STATUS_USAGE with one line for a placeholder that
 * does not exist (it names those that do), or a brace that is never closed. A brace that opens no placeholder, being
 * followed by something else than a letter, is a brace: JSON, awk and shell functions pass as they are. */
int command_expand(const struct config *, const char *template, char **text_p, struct error *);
/* Whether the placeholder stands anywhere in the template's words, settings or launcher. */
bool command_uses(const struct command_target *, const char *placeholder);

/* As one would type it in a shell: each word quoted where it has to be, bytes that are not printable as $'\377'. Heap,
 * the caller's; NULL: no memory. */
char *command_text(const struct command_target *);

/* "1000*workers^(1/3)", or "linear", "sqrt", "cbrt" of the size at one worker: the law of weak scaling for a command.
 * value_p: rounded to a whole number. STATUS_USAGE with one line where it is no formula of workers, ranks, threads,
 * nodes and size (the size at one worker). */
int command_weak_size(const char *law, const struct config *, double size, double *value_p, struct error *);

#endif
