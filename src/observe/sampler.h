/* Who ran where and when, where the kernel's context-switch records are refused: the second tier of a timeline. Watches
 * this process's descendants, or another process and its own, threads included, by what /proc tells of them, from a
 * thread of its own. */
#ifndef SPEEDUP_OBSERVE_SAMPLER_H
#define SPEEDUP_OBSERVE_SAMPLER_H

#include "timeline.h"

struct sampler;

/* Starts to look, every interval_s (0: 1 ms) or as seldom as takes no more than a twentieth of a core. root 0: at what
 * descends from this process; children that are there already are left alone, and theirs. Else at that process, from
 * now on, and its descendants, whoever's they are. The CPUs are those whose busy time the timeline shall tell. The
 * thread has the caller's affinity mask and takes no signals. 0, -ENOMEM, -ESRCH where there is no such process, -EPERM
 * where the system hides it, or another negative errno value where the thread cannot be had or /proc not be read. */
int sampler_new(int cpu_count, const int cpus[], double interval_s, pid_t root, struct sampler **sampler_p);

/* Ends the looking, and adds what was seen to an initialised, empty timeline: times since the first look; host, tier,
 * error_s and what is incomplete, but not why the tier is not the best one (degraded). Once. 0 or -ENOMEM. */
int sampler_stop(struct sampler *, struct timeline *timeline_p);

/* After the stop: what the tier cannot tell here beyond its error, as a sentence for degraded; "". */
const char *sampler_note(const struct sampler *);

/* Stops it where it has not been. May be NULL. */
void sampler_free(struct sampler *);

#endif
