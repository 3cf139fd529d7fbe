/* The variants of one kernel side by side: the ladder, from the plainest rung to the best. Pure. */
#ifndef SPEEDUP_ANALYSE_LADDER_H
#define SPEEDUP_ANALYSE_LADDER_H

#include "group.h"

enum { LADDER_RUNGS_MAX = 16 };

enum rung_state {
    RUNG_MEASURED,   /* it has samples that count */
    RUNG_NOT_JUDGED, /* its samples were too short to judge: their time and rate are told, and nothing concluded */
    RUNG_UNMEASURED, /* it has no sample, or none that was undisturbed */
    RUNG_WRONG       /* it gave a wrong answer: it has no time */
};

struct ladder_rung {
    const struct variant *variant;
    const struct group *group; /* NULL: it has no sample */
    enum rung_state state;
    char reason[256];        /* why it is not measured; "" where it is */
    double wall_s, rate;     /* medians; NAN */
    double share;            /* of the ceiling, median; NAN where none is known */
    struct spread on_first;  /* how many times as fast as the first rung measured */
    struct spread on_before; /* as the one measured before this; of the first: NAN */
    char bits;               /* 'A', 'B', ...: rungs with the same letter gave the same bits; '?': its own samples
                                differ; ' ': none is right */
};

struct ladder {
    const struct kernel *kernel;
    const struct config *config; /* of one of the samples: size, mode and options are those of all; NULL: no samples */
    int rung_count;
    struct ladder_rung rungs[LADDER_RUNGS_MAX]; /* in the kernel's order */
    int blocks;                                 /* in which samples were made */
    int first;                                  /* the first rung measured; -1: none */
    double ceiling_rate;                        /* median; NAN where none is known */
    const char *ceiling;                        /* what it is; "" */
    char size_hint[64]; /* where samples are too short to judge: a --size at which none is; "" */
};

/* reasons[i]: why variant i could not be measured, or NULL. Results must outlive the ladder. */
void ladder_build(const struct kernel *, const struct results *, const char *const reasons[], struct ladder *ladder_p);

/* The size, in round numbers, at which what takes wall_s with this problem takes long enough to be judged and not much
 * longer. 0 or -ERANGE. */
int ladder_size(const struct problem *, double wall_s, struct size *size_p);

#endif
