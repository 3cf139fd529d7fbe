/* Rows of the lesson: one a configuration, compared block by block with the same problem run by one task. */
#include "lesson.h"

#include "group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *option_value(const struct config *config, const char *name)
{
    for (int i = 0; i < config->option_count; i++)
        if (strcmp(config->options[i].name, name) == 0) return config->options[i].value;
    return "";
}

static bool same_problem(const struct config *a, const struct config *b)
{
    if (strcmp(a->kernel, b->kernel) || strcmp(a->variant, b->variant) || strcmp(a->size, b->size)) return false;
    if (a->seed != b->seed || strcmp(a->isa, b->isa) || a->option_count != b->option_count) return false;
    for (int i = 0; i < a->option_count; i++)
        if (strcmp(a->options[i].value, option_value(b, a->options[i].name))) return false;
    return true;
}

static const struct group *find_base(const struct results *results, const struct config *config)
{
    for (int g = 0; g < results->group_count; g++) {
        const struct group *group = &results->groups[g];
        if (group->config.mode.name == MODE_SERIAL && same_problem(&group->config, config)) return group;
    }
    return NULL;
}

static double sample_concurrency(const struct sample *sample)
{
    return sample->concurrency;
}

static double sample_parallelism(const struct sample *sample)
{
    return sample->parallelism;
}

static double sample_switches_per_s(const struct sample *sample)
{
    if (sample->voluntary < 0 || sample->involuntary < 0) return NAN;
    return (double)(sample->voluntary + sample->involuntary) / sample->wall_s;
}

static double sample_wait_share(const struct sample *sample)
{
    return sample->wait_s / (sample->worker_count * sample->wall_s);
}

/* Share of its wall time that a single task computed: C / (C + Z). */
static double sample_computing_share(const struct sample *sample)
{
    double useful_s = 0;
    for (int w = 0; w < sample->worker_count; w++) useful_s += sample->workers[w].cpu_s;
    return useful_s / sample->wall_s;
}

static void row_pair(struct lesson_row *row)
{
    struct spread speedup;
    group_pair(row->base, row->group, &speedup);
    row->speedup = speedup.middle;
    row->speedup_low = speedup.low;
    row->speedup_high = speedup.high;
    row->speedup_interval = speedup.interval;
}

static void row_reason(struct lesson_row *row)
{
    bool found = group_reason(row->group, row->reason);
    if (row->valid_count == 0 && found) return;
    snprintf(row->reason, sizeof row->reason, "%s",
             row->valid_count == 0 ? "no valid sample"
             : row->base           ? "no block in which one task alone was measured validly too"
                                   : "the same problem was not run by one task alone");
}

static void row_checksum(const struct results *results, struct lesson_row *row)
{
    bool found = false;
    row->checksums_agree = true;
    for (int s = 0; s < row->group->count && !found; s++) {
        found = row->group->samples[s].correct;
        if (found) row->checksum = row->group->samples[s].checksum;
    }
    for (int g = 0; g < results->group_count; g++) {
        const struct group *group = &results->groups[g];
        if (!same_problem(&group->config, &row->group->config)) continue;
        for (int s = 0; s < group->count; s++) {
            if (!group->samples[s].correct) continue;
            if (!found) row->checksum = group->samples[s].checksum;
            found = true;
            if (group->samples[s].checksum != row->checksum) row->checksums_agree = false;
        }
    }
}

static void row_build(const struct results *results, const struct group *group, struct lesson_row *row_p)
{
    const struct config *config = &group->config;
    struct lesson_row row = {.group = group, .base = find_base(results, config), .mode = config->mode.name};
    memcpy(row.kernel, config->kernel, sizeof row.kernel);
    memcpy(row.variant, config->variant, sizeof row.variant);
    memcpy(row.size, config->size, sizeof row.size);
    row.workers = mode_workers(&config->mode);
    row.cpus = config->mode.cpus.count * mode_nodes(&config->mode);
    row.waits = strtod(option_value(config, "wait"), NULL) > 0;
    for (int s = 0; s < group->count; s++) {
        row.valid_count += sample_counts(&group->samples[s]);
        row.invalid_count += group->samples[s].validity == SAMPLE_INVALID;
        row.not_judged_count += group->samples[s].validity == SAMPLE_NOT_JUDGED;
    }
    row.wall_s = group_median(group, ANY_BLOCK, sample_wall_s);
    row.concurrency = group_median(group, ANY_BLOCK, sample_concurrency);
    row.parallelism = group_median(group, ANY_BLOCK, sample_parallelism);
    row.rate = group_median(group, ANY_BLOCK, sample_rate);
    row.switches_per_s = group_median(group, ANY_BLOCK, sample_switches_per_s);
    row.wait_share = group_median(group, ANY_BLOCK, sample_wait_share);
    row_pair(&row);
    row_checksum(results, &row);
    if (isnan(row.speedup)) row_reason(&row);
    *row_p = row;
}

/* The lesson's order: problems as they came, the base first, then modes, then workers. */
static bool row_before(const struct results *results, const struct group *a, const struct group *b)
{
    if (!same_problem(&a->config, &b->config)) {
        for (const struct group *group = results->groups;; group++) {
            if (same_problem(&group->config, &a->config)) return true;
            if (same_problem(&group->config, &b->config)) return false;
        }
    }
    if (a->config.mode.name != b->config.mode.name) return a->config.mode.name < b->config.mode.name;
    int a_workers = mode_workers(&a->config.mode), b_workers = mode_workers(&b->config.mode);
    return a_workers != b_workers ? a_workers < b_workers : a < b;
}

static void set_waiting_bound(struct lesson *lesson)
{
    lesson->waiting_bound = lesson->waiting_share = NAN;
    for (int r = 0; r < lesson->row_count; r++) {
        const struct lesson_row *row = &lesson->rows[r];
        if (!row->waits || row->workers < 2 || row->cpus != 1 || !row->base) continue;
        double computing = group_median(row->base, ANY_BLOCK, sample_computing_share);
        if (!(computing > 0)) continue;
        lesson->waiting_share = fmax(0, 1 - computing);
        lesson->waiting_bound = fmin(row->workers, fmax(1, 1 / computing));
        return;
    }
}

void lesson_build(const struct results *results, struct lesson *lesson_p)
{
    struct lesson *lesson = lesson_p;
    *lesson = (struct lesson){0};
    const json_t *machine = json_object_get(results->context, "machine");
    const json_t *mpi = json_object_get(results->context, "mpi");
    lesson->cores = (int)json_integer_value(json_object_get(machine, "cores"));
    lesson->mpi_missing = json_is_false(json_object_get(mpi, "available"));

    const struct group *order[LESSON_ROWS_MAX];
    for (int g = 0; g < results->group_count && lesson->row_count < LESSON_ROWS_MAX; g++) {
        int at = lesson->row_count++;
        for (; at > 0 && row_before(results, &results->groups[g], order[at - 1]); at--) order[at] = order[at - 1];
        order[at] = &results->groups[g];
    }
    for (int r = 0; r < lesson->row_count; r++) row_build(results, order[r], &lesson->rows[r]);
    set_waiting_bound(lesson);
    lesson_conclude(lesson);
}
