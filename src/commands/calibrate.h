/* How long does it take here? Short runs that are not recorded. */
#ifndef SPEEDUP_COMMANDS_CALIBRATE_H
#define SPEEDUP_COMMANDS_CALIBRATE_H

#include "session.h"

struct calibration {
    double wall_s, cpu_s; /* of a sample; cpu_s: of its first worker */
};

/* One run of the problem in that mode; a disturbed one is repeated, and the fastest counts. STATUS_FAILED where there
 * is no time. */
int calibrate_once(struct session *, const struct problem *, const struct mode *, struct calibration *calibration_p,
                   struct error *);

/* Sets the problem's size to that with which it takes about target_s in that mode: from a short run, larger and larger
 * until it tells something. */
int calibrate_size(struct session *, struct problem *, const struct mode *, double target_s, struct error *);

#endif
