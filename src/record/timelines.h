/* The lines of type "timeline" of a record (SCHEMA.md). */
#ifndef SPEEDUP_RECORD_TIMELINES_H
#define SPEEDUP_RECORD_TIMELINES_H

#include "../observe/sample.h"
#include "../observe/timeline.h"
#include "record.h"

/* One host's timeline of one launch, which is no sample of the study: what was run, and how that went. */
struct timeline_record {
    struct config config;
    char key[17];
    char study[40];
    int launch;    /* lines of one launch show the same run, on several hosts */
    double wall_s; /* of the run that is shown */
    enum validity validity;
    char invalid_reason[256]; /* what disturbed it; "" */
    struct timeline timeline;
};

void timeline_record_init(struct timeline_record *);
void timeline_record_release(struct timeline_record *);

/* New reference, the caller's; NULL: no memory. */
json_t *record_encode_timeline(const struct timeline_record *);
/* 0, or -EINVAL with the offending name in error, or -ENOMEM. record_p must be initialised; it is released and
 * refilled. */
int record_decode_timeline(const json_t *, struct timeline_record *record_p, struct error *);

#endif
