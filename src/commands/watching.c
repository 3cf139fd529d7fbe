#include "watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int watching_tiers(bool *exact_p, bool *sampled_p, struct error *error)
{
    const char *wish = getenv("SPEEDUP_TIMELINES");
    enum timeline_tier tier;
    *exact_p = *sampled_p = true;
    if (!wish || !*wish) return STATUS_OK;
    if (timeline_tier_parse(wish, &tier))
        return error_set(error, STATUS_USAGE, "SPEEDUP_TIMELINES '%.60s' is no tier; allowed: exact, sampled", wish);
    *exact_p = tier == TIMELINE_EXACT;
    *sampled_p = tier == TIMELINE_SAMPLED;
    return STATUS_OK;
}

int watching_check(struct error *error)
{
    bool exact, sampled;
    return watching_tiers(&exact, &sampled, error);
}

static int open_switches(pid_t root, int count, const int cpus[], struct watching *watching)
{
    size_t length = sizeof watching->reason;
    return root ? switches_open_process(root, count, cpus, &watching->switches, length, watching->reason)
                : switches_open(count, cpus, &watching->switches, length, watching->reason);
}

int watching_begin(const struct machine *machine, pid_t root, bool or_sampled, struct watching *watching,
                   struct error *error)
{
    bool exact, sampled;
    int cpus[CPUS_MAX];
    for (int i = 0; i < machine->cpu_count; i++) cpus[i] = machine->cpus[i].os_index;
    int status = watching_tiers(&exact, &sampled, error);
    if (status) return status;
    snprintf(watching->reason, sizeof watching->reason, "asked for by SPEEDUP_TIMELINES");
    if (exact && open_switches(root, machine->cpu_count, cpus, watching) == 0) return STATUS_OK;
    if (!sampled)
        return error_set(error, STATUS_FAILED, "the kernel's context-switch records cannot be had: %s",
                         watching->reason);
    if (!or_sampled) return STATUS_OK;
    status = sampler_new(machine->cpu_count, cpus, 0, root, &watching->sampler);
    if (status)
        return error_set(error, STATUS_FAILED, "tasks cannot be watched: %s; nor by looking at them: %s",
                         watching->reason, strerror(-status));
    return STATUS_OK;
}

bool watching_sees(const struct watching *watching)
{
    return watching->switches || watching->sampler;
}

void watching_drain(void *context)
{
    struct watching *watching = context;
    switches_drain(watching->switches);
}

int watching_descriptors(const struct watching *watching, const int **descriptors_p)
{
    *descriptors_p = NULL;
    return watching->switches ? switches_descriptors(watching->switches, descriptors_p) : 0;
}

int watching_timeline(struct watching *watching, struct timeline *timeline_p)
{
    if (watching->switches) return switches_timeline(watching->switches, timeline_p);
    int status = sampler_stop(watching->sampler, timeline_p);
    const char *note = sampler_note(watching->sampler);
    snprintf(timeline_p->degraded, sizeof timeline_p->degraded, "%s%s%.120s", watching->reason, *note ? "; " : "",
             note);
    return status;
}

void watching_release(struct watching *watching)
{
    switches_close(watching->switches);
    sampler_free(watching->sampler);
    *watching = (struct watching){.switches = NULL};
}
