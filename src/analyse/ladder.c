/* Rungs are compared as configurations of a study are: block by block, each with the first rung that was measured and
 * with the one measured before it. One without a sample that counts is told with its reason, and compared with none. */
#include "ladder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A quarter more than what can be judged: machines drift. */
static const double sample_s = 0.25;

static double sample_ceiling(const struct sample *sample)
{
    return sample->ceiling_rate > 0 ? sample->ceiling_rate : NAN;
}

static double least_not_judged_s(const struct group *group)
{
    double least_s = NAN;
    for (int s = 0; s < group->count; s++)
        if (group->samples[s].validity == SAMPLE_NOT_JUDGED) least_s = fmin(least_s, group->samples[s].wall_s);
    return least_s;
}

/* Median over the samples that could not be judged. */
static double not_judged_median(const struct group *group, double (*number)(const struct sample *))
{
    double *numbers = malloc(sizeof *numbers * (size_t)group->count);
    int count = 0;
    for (int s = 0; numbers && s < group->count; s++)
        if (group->samples[s].validity == SAMPLE_NOT_JUDGED) numbers[count++] = number(&group->samples[s]);
    double result = median(count, numbers);
    free(numbers);
    return result;
}

static const struct sample *find_wrong(const struct group *group)
{
    for (int s = 0; s < group->count; s++)
        if (!group->samples[s].correct && !sample_failed(&group->samples[s])) return &group->samples[s];
    return NULL;
}

static const struct sample *find_not_judged(const struct group *group)
{
    for (int s = 0; s < group->count; s++)
        if (group->samples[s].validity == SAMPLE_NOT_JUDGED) return &group->samples[s];
    return NULL;
}

static enum rung_state find_state(const struct group *group)
{
    if (find_wrong(group)) return RUNG_WRONG;
    for (int s = 0; s < group->count; s++)
        if (sample_counts(&group->samples[s])) return RUNG_MEASURED;
    return find_not_judged(group) ? RUNG_NOT_JUDGED : RUNG_UNMEASURED;
}

static void set_reason(struct ladder_rung *rung, const char *given)
{
    size_t length = sizeof rung->reason;
    switch (rung->state) {
    case RUNG_MEASURED:
        return;
    case RUNG_WRONG:
        snprintf(rung->reason, length, "%s", find_wrong(rung->group)->check_detail);
        return;
    case RUNG_NOT_JUDGED:
        /* "too short: 0.093 s; ...": the number is one sample's, where the rung has a median. */
        snprintf(rung->reason, length, "%s", find_not_judged(rung->group)->invalid_reason);
        rung->reason[strcspn(rung->reason, ":")] = '\0';
        return;
    case RUNG_UNMEASURED:
        if (!rung->group || !group_reason(rung->group, rung->reason))
            snprintf(rung->reason, length, "%s", given ? given : "no sample was made");
    }
}

static void set_bits(struct ladder *ladder, struct ladder_rung *rung)
{
    const struct sample *right = NULL;
    rung->bits = ' ';
    for (int s = 0; rung->group && s < rung->group->count; s++) {
        const struct sample *sample = &rung->group->samples[s];
        if (!sample->correct) continue;
        if (right && sample->checksum != right->checksum) rung->bits = '?';
        right = sample;
    }
    if (!right || rung->bits == '?') return;
    char letter = 'A';
    for (const struct ladder_rung *other = ladder->rungs; other < rung; other++) {
        if (other->bits < 'A') continue;
        for (int s = 0; s < other->group->count; s++)
            if (other->group->samples[s].correct && other->group->samples[s].checksum == right->checksum)
                rung->bits = other->bits;
        if (other->bits >= letter) letter = (char)(other->bits + 1);
    }
    if (rung->bits == ' ') rung->bits = letter;
}

static const struct group *find_group(const struct results *results, const char *kernel, const char *variant)
{
    for (int g = 0; g < results->group_count; g++) {
        const struct group *group = &results->groups[g];
        if (!strcmp(group->config.kernel, kernel) && !strcmp(group->config.variant, variant) && group->count > 0)
            return group;
    }
    return NULL;
}

static void rung_build(const struct group *group, const char *reason, struct ladder_rung *rung)
{
    rung->group = group;
    rung->state = group ? find_state(group) : RUNG_UNMEASURED;
    rung->wall_s = rung->rate = rung->share = NAN;
    set_reason(rung, reason);
    if (rung->state == RUNG_MEASURED) {
        rung->wall_s = group_median(group, ANY_BLOCK, sample_wall_s);
        rung->rate = group_median(group, ANY_BLOCK, sample_rate);
        rung->share = group_median(group, ANY_BLOCK, sample_ceiling_share);
    } else if (rung->state == RUNG_NOT_JUDGED) {
        rung->wall_s = not_judged_median(group, sample_wall_s);
        rung->rate = not_judged_median(group, sample_rate);
    }
}

static void compare_rungs(struct ladder *ladder)
{
    const struct group *first = NULL, *before = NULL;
    static const struct group none;
    for (int i = 0; i < ladder->rung_count; i++) {
        struct ladder_rung *rung = &ladder->rungs[i];
        bool measured = rung->state == RUNG_MEASURED;
        if (measured && !first) first = rung->group, ladder->first = i;
        group_pair(measured ? first : NULL, measured ? rung->group : &none, &rung->on_first);
        group_pair(measured ? before : NULL, measured ? rung->group : &none, &rung->on_before);
        if (measured) before = rung->group;
    }
}

static void set_ceiling(struct ladder *ladder)
{
    double rates[LADDER_RUNGS_MAX];
    ladder->ceiling = "";
    for (int i = 0; i < ladder->rung_count; i++) {
        const struct ladder_rung *rung = &ladder->rungs[i];
        rates[i] = rung->state == RUNG_MEASURED ? group_median(rung->group, ANY_BLOCK, sample_ceiling) : NAN;
        if (rates[i] > 0) ladder->ceiling = rung->group->samples[0].ceiling;
    }
    ladder->ceiling_rate = median(ladder->rung_count, rates);
}

static void set_size_hint(struct ladder *ladder)
{
    double least_s = NAN;
    for (int i = 0; i < ladder->rung_count; i++)
        if (ladder->rungs[i].group) least_s = fmin(least_s, least_not_judged_s(ladder->rungs[i].group));
    struct problem problem;
    struct size size;
    if (!(least_s < sample_s) || config_to_problem(ladder->config, &problem)) return;
    if (ladder_size(&problem, least_s, &size) == 0) size_format(&size, sizeof ladder->size_hint, ladder->size_hint);
}

void ladder_build(const struct kernel *kernel, const struct results *results, const char *const reasons[],
                  struct ladder *ladder_p)
{
    struct ladder *ladder = ladder_p;
    *ladder = (struct ladder){.kernel = kernel, .first = -1};
    for (int i = 0; kernel->variants[i].name && i < LADDER_RUNGS_MAX; i++) {
        struct ladder_rung *rung = &ladder->rungs[ladder->rung_count++];
        rung->variant = &kernel->variants[i];
        rung_build(find_group(results, kernel->name, rung->variant->name), reasons[i], rung);
        set_bits(ladder, rung);
        if (rung->group && !ladder->config) ladder->config = &rung->group->config;
        for (int s = 0; rung->group && s < rung->group->count; s++)
            if (rung->group->samples[s].block >= ladder->blocks) ladder->blocks = rung->group->samples[s].block + 1;
    }
    compare_rungs(ladder);
    set_ceiling(ladder);
    if (ladder->config) set_size_hint(ladder);
}

/* To two significant digits. */
static int64_t round_extent(int64_t extent)
{
    int64_t unit = 1;
    while (extent / unit >= 100) unit *= 10;
    return (extent + unit / 2) / unit * unit;
}

int ladder_size(const struct problem *problem, double wall_s, struct size *size_p)
{
    struct size size;
    if (!(wall_s > 0)) return -ERANGE;
    int status = problem->kernel->size_for(problem, problem->kernel->work(problem) * sample_s / wall_s, &size);
    if (status) return status;
    for (int i = 0; i < size.dims; i++) size.dim[i] = round_extent(size.dim[i]);
    *size_p = size;
    return 0;
}
