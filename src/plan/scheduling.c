/* Names and checks of struct scheduling. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *summary;
} policies[POLICY_COUNT] = {
    [POLICY_OTHER] = {"other", "What ordinary tasks have: fair shares of the core, in turns of a time slice (--slice), "
                               "larger or smaller by --nice. The default."},
    [POLICY_BATCH] = {"batch", "As other, but a task that wakes does not interrupt the one that runs: fewer switches."},
    [POLICY_FIFO] = {"fifo", "Real-time: a task runs until it waits. Tasks on one core come one after the other."},
    [POLICY_RR] = {"rr", "Real-time: tasks on one core take turns, each of a fixed, long time (mostly 100 ms)."},
};

const char *scheduling_policy_text(enum scheduling_policy policy)
{
    return policies[policy].name;
}

const char *scheduling_policy_summary(enum scheduling_policy policy)
{
    return policies[policy].summary;
}

int scheduling_policy_parse(const char *text, enum scheduling_policy *policy_p)
{
    for (int i = 0; i < POLICY_COUNT; i++)
        if (strcmp(text, policies[i].name) == 0) {
            *policy_p = (enum scheduling_policy)i;
            return 0;
        }
    return -1;
}

bool scheduling_is_default(const struct scheduling *scheduling)
{
    return scheduling_same(scheduling, &(struct scheduling){POLICY_OTHER, 0, 0});
}

bool scheduling_is_realtime(const struct scheduling *scheduling)
{
    return scheduling->policy == POLICY_FIFO || scheduling->policy == POLICY_RR;
}

bool scheduling_same(const struct scheduling *a, const struct scheduling *b)
{
    return a->policy == b->policy && a->nice == b->nice && a->slice_ns == b->slice_ns;
}

int scheduling_check(const struct scheduling *scheduling)
{
    bool nice = scheduling->nice >= NICE_LOWEST && scheduling->nice <= NICE_HIGHEST;
    int slice_ns = scheduling->slice_ns;
    bool slice = slice_ns == 0 || (slice_ns >= SLICE_MIN_NS && slice_ns <= SLICE_MAX_NS);
    bool needless = scheduling_is_realtime(scheduling) && (scheduling->nice != 0 || slice_ns != 0);
    return nice && slice && !needless ? 0 : -EINVAL;
}

const char *scheduling_format(const struct scheduling *scheduling, size_t length, char *text)
{
    char policy[32] = "", nice[32] = "", slice[48] = "";
    if (scheduling->policy != POLICY_OTHER)
        snprintf(policy, sizeof policy, ", policy %s", scheduling_policy_text(scheduling->policy));
    if (scheduling->nice != 0) snprintf(nice, sizeof nice, ", nice %d", scheduling->nice);
    if (scheduling->slice_ns > 0) snprintf(slice, sizeof slice, ", slice %.9g ms", scheduling->slice_ns / 1e6);
    char all[112];
    snprintf(all, sizeof all, "%s%s%s", policy, nice, slice);
    snprintf(text, length, "%s", *all ? all + 2 : "");
    return text;
}
