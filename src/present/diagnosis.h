/* What diagnose tells: to a person, and as JSON (SCHEMA.md). */
#ifndef SPEEDUP_PRESENT_DIAGNOSIS_H
#define SPEEDUP_PRESENT_DIAGNOSIS_H

#include "../analyse/diagnosis.h"
#include "../record/timelines.h"
#include "present.h"

struct diagnosis_page {
    const struct evidence *evidence;
    const struct diagnosis *diagnosis;
    const struct timeline_record *timeline; /* the evidence's, its workers named; with the summary of it */
    const struct timeline_summary *summary;
    bool picture;        /* with who ran when */
    const char *command; /* as it was typed, or "process 4711 (name)" */
    int exit_status;     /* of the command: 128 + N where signal N ended it; -1: a process that goes on */
    int left_behind;     /* processes that it left running, and that were ended */
};

void present_diagnosis(FILE *, const struct style *, const struct diagnosis_page *);
/* New reference, the caller's; NULL: no memory. */
json_t *present_diagnosis_json(const struct diagnosis_page *);

#endif
