/* Inside the judge: what its two sets of rules share. */
#ifndef SPEEDUP_OBSERVE_JUDGE_H
#define SPEEDUP_OBSERVE_JUDGE_H

#include "sample.h"

static const double FOREIGN_FROM_S = 1.0;     /* wall time from which foreign CPU time can be judged */
static const double TOLERATED_SHARE = 0.02;   /* of the wall time, of any disturbance */
static const double STAT_RESOLUTION_S = 0.01; /* a step of /proc/stat */

/* Sets the validity and its reason. Returns true. */
bool judge_decide(struct sample *, enum validity, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Rules: each returns whether it applies, and has then decided. */
bool judge_answer(struct sample *);
bool judge_quota(struct sample *, double wall_s);

/* judge_command.c: all the rules of a command's sample. */
void judge_command(struct sample *);

#endif
