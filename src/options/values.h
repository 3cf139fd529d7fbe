/* From the text of one value to what the option's table entry points to. */
#ifndef SPEEDUP_OPTIONS_VALUES_H
#define SPEEDUP_OPTIONS_VALUES_H

#include "options.h"

/* 0, or STATUS_USAGE with the flag, the value and what is allowed; the value is then unchanged. Not for OPT_FLAG,
 * OPT_PAIRS, OPT_TEXTS and OPT_LISTS. */
int option_set(const struct option *, const char *text, struct error *);
/* The same for the two words of OPT_PAIRS. */
int option_add_pair(const struct option *, const char *choice, const char *text, struct error *);
/* One more of OPT_TEXTS (name NULL) or OPT_LISTS. */
int option_add_text(const struct option *, const char *name, const char *text, struct error *);

#endif
