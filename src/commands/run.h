/* Inside `speedup run` alone: its options, and its two ways to measure. */
#ifndef SPEEDUP_COMMANDS_RUN_H
#define SPEEDUP_COMMANDS_RUN_H

#include "../plan/plan.h"
#include "session.h"

struct run_options {
    const char *size, *output, *image; /* NULL: not given */
    struct mode_request mode;
    int runs, warmups; /* 0 and -1: not given */
    double time_limit_s;
    bool json, timeline, dry_run;
};

/* Whether a person reads standard output: records do not go there, and no other rank speaks. */
bool run_shows(const struct session *, const struct run_options *);

/* run_all.c: the variants of the problem's kernel side by side. `problem` has all but the variant; a size that was not
 * given is chosen. */
int run_all_variants(struct session *, const struct run_options *, const struct problem *, const struct mode *,
                     struct error *);

#endif
