/* The pair of timelines that shows the difference. Each candidate for one side is tried with each for the other; of the
 * pairs of one kernel the best one counts: threads before processes, the same problem, undisturbed, complete. */
#include "../plan/command.h"
#include "html.h"

#include <math.h>
#include <string.h>

static const double turns_shown = 40;

static bool takes_turns(const struct timeline_record *record)
{
    const struct mode *mode = &record->config.mode;
    return mode_workers(mode) > 1 && mode->cpus.count == 1 && record->config.mode.nodes == 1;
}

static bool runs_at_once(const struct timeline_record *record)
{
    return mode_workers(&record->config.mode) > 1 && mode_dedicated(&record->config.mode) &&
           record->config.mode.nodes == 1;
}

static bool has_something(const struct timeline_record *record)
{
    return record->timeline.length_s > 0 && record->timeline.task_count > 0 && record->timeline.tasks[0].rank >= 0;
}

static int quality(const struct timeline_record *record)
{
    return (record->validity != SAMPLE_INVALID) * 4 + !*record->timeline.incomplete * 2 +
           (record->timeline.tier == TIMELINE_EXACT) * 2 + (record->config.mode.ranks == 1);
}

static int quality_of_pair(const struct timeline_record *turns, const struct timeline_record *cores)
{
    const struct config *a = &turns->config, *b = &cores->config;
    if (strcmp(a->kernel, b->kernel) || !command_same(&a->command, &b->command)) return -1;
    return quality(turns) + quality(cores) + (!strcmp(a->variant, b->variant) && !strcmp(a->size, b->size)) * 32 +
           (a->mode.ranks == 1) * 8;
}

/* Some turns of the one that takes turns; its whole length where there are fewer. */
static double find_window(const struct timeline_record *records[2])
{
    struct timeline_summary summary;
    double length_s = fmin(records[0]->timeline.length_s, records[1]->timeline.length_s);
    if (timeline_summarise_record(records[0], &summary)) return NAN;
    double turns_s = turns_shown * summary.slice_usual_s;
    timeline_summary_release(&summary);
    return turns_s > 0 ? fmin(turns_s, length_s) : length_s;
}

double figure_timeline_pick(const struct results *results, const struct timeline_record *records_p[2])
{
    int best = -1;
    records_p[0] = records_p[1] = NULL;
    for (int i = 0; i < results->timeline_count; i++)
        for (int j = 0; j < results->timeline_count; j++) {
            const struct timeline_record *turns = &results->timelines[i], *cores = &results->timelines[j];
            if (!takes_turns(turns) || !runs_at_once(cores) || !has_something(turns) || !has_something(cores)) continue;
            int own = quality_of_pair(turns, cores);
            if (own <= best) continue;
            best = own;
            records_p[0] = turns;
            records_p[1] = cores;
        }
    return best >= 0 ? find_window(records_p) : NAN;
}
