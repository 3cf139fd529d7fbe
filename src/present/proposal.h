/* Inside present/ alone: the parts of a proposal. */
#ifndef SPEEDUP_PRESENT_PROPOSAL_H
#define SPEEDUP_PRESENT_PROPOSAL_H

#include "../analyse/proposal.h"
#include "prose.h"
#include "study_text.h"

/* proposal_methods.c: a paragraph that can be put into a proposal as it is, made of what the record says; what it does
 * not say stands in [brackets], to be filled in. */
void proposal_write_methods(const struct prose *, const struct study_part *, const struct study_problem *,
                            const struct proposal *);

#endif
