/* Words as a POSIX shell has them: to show a command as one would type it, and to read one without a shell. Pure. */
#ifndef SPEEDUP_PLAN_QUOTE_H
#define SPEEDUP_PLAN_QUOTE_H

#include <stdio.h>

/* As one word of a shell's command line: quoted where it has to be; one with control characters or bytes that are no
 * UTF-8 as $'...', which bash, ksh and zsh read, and dash does not. */
void quote_write(FILE *, const char *text);

/* Cuts a text into words at blanks, with single quotes, double quotes and backslashes as in a shell; nothing else is
 * special. A NULL-terminated heap array (quote_free_words). 0, -EINVAL where a quote is not closed, -ENOMEM. */
int quote_split(const char *text, char ***words_p);
void quote_free_words(char **words);

#endif
