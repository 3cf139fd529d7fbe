/* Every number of cores whose double was measured too is a doubling; where a double is missing though more cores were
 * measured, that is one which cannot be told. A doubling passes or fails by its whole interval alone. */
#include "proposal.h"

#include "convergence.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct criterion proposal_criteria[] = {
    {.name = "sisu",
     .office = "CSC, Sisu",
     .rule = "each doubling of the cores has to cut the wall time by a factor of 1.5, with the same input",
     .source = "research.csc.fi/sisu-scalability-tests",
     .read = "25 November 2026, from a stored copy",
     .range_count = 1,
     .ranges = {{1, 1.5}}},
    {.name = "notur",
     .office = "Notur, Hexagon",
     .rule =
         "each doubling has to cut the wall time by a factor of 1.5 up to 512 cores, of 1.4 from 512 to 1024, and of "
         "1.3 from 1024 to 2048, with the same input",
     .source =
         "docs.notur.no/metacenter/metacenter-documentation/metacenter_user_guide/instructions-for-scalability-tests",
     .read = "25 November 2026, from a stored copy",
     .range_count = 3,
     .ranges = {{1, 1.5}, {512, 1.4}, {1024, 1.3}},
     .most_cores = 2048},
    {.name = "archer",
     .office = "ARCHER, EPCC",
     .rule = "the speedup is told relative to the smallest number of cores that can feasibly be used",
     .source = "archer.ac.uk/access/ta",
     .read = "25 November 2026, from a stored copy",
     .how = "the table has the time relative to the smallest number of cores that was measured, beside the speedup; "
            "whether fewer would have been feasible, you must say",
     .how_of_timings = "the table has the time relative to the smallest number of cores that was given, beside the "
                       "speedup; whether fewer would have been feasible, you must say"},
    {.name = "archie-west",
     .office = "ARCHIE-WeSt, University of Strathclyde",
     .rule = "the time of the main loop counts, not the total with start-up and finalisation",
     .source = "docs.hpc.strath.ac.uk/user-guide/scalability",
     .read = "25 November 2026, from a stored copy",
     .how = "times here are of the computation alone, from the workers' common start to the last one's end",
     .how_of_timings = "what the times contain is not known, and you must say",
     .how_of_commands =
         "times here are of the whole process, with start-up and finalisation, and this rule is not met; "
         "let the program print its main loop's time, and take that (--time-regex)",
     .how_of_own_times = "times here are those that the program itself printed; what they contain, you must say"},
    {0}};

/* Serial and turns on one core are no use of many cores. */
static bool may_scale(const struct curve *curve)
{
    enum mode_name mode = curve->config->mode.name;
    return mode != MODE_SERIAL && mode != MODE_MULTITASK && mode != MODE_MULTITASK_MPI;
}

static bool is_usable(const struct curve_point *point)
{
    return point->dedicated && point->valid > 0 && point->wall_s.middle > 0;
}

static double best_rate(const struct curve *curve)
{
    double best = -INFINITY;
    for (int i = 0; i < curve->count; i++)
        if (is_usable(&curve->points[i])) best = fmax(best, curve->points[i].rate.middle);
    return best;
}

/* NULL: none has a usable point. */
static const struct curve *choose_curve(const struct curves *curves, int first, int count)
{
    const struct curve *chosen = NULL;
    for (int pass = 0; pass < 2 && !chosen; pass++) /* where nothing may scale, whatever there is */
        for (int c = first; c < first + count; c++) {
            const struct curve *curve = &curves->curves[c];
            if ((pass == 0 && !may_scale(curve)) || best_rate(curve) == -INFINITY) continue;
            if (!chosen || best_rate(curve) > best_rate(chosen)) chosen = curve;
        }
    return chosen;
}

/* The serial program stands for one core where its variant is the same and the mode was not run with one. */
static void list_points(const struct curves *curves, struct proposal *proposal)
{
    const struct curve *curve = proposal->curve;
    const struct curve_point *serial = curve->serial ? curves_find(curves, curve->serial) : NULL;
    bool stands = serial && curve->points[0].workers > 1 && is_usable(serial) &&
                  strcmp(serial->group->config.variant, curve->config->variant) == 0;
    if (stands) proposal->points[proposal->count++] = serial;
    for (int i = 0; i < curve->count; i++)
        if (is_usable(&curve->points[i])) proposal->points[proposal->count++] = &curve->points[i];
}

static const struct curve_point *find_cores(const struct proposal *proposal, int cores)
{
    for (int i = 0; i < proposal->count; i++)
        if (proposal->points[i]->workers == cores) return proposal->points[i];
    return NULL;
}

static const struct spread unknown = {.middle = NAN, .low = NAN, .high = NAN};

static void list_steps(double confidence, struct proposal *proposal)
{
    int most = proposal->points[proposal->count - 1]->workers;
    for (int i = 0; i < proposal->count; i++) {
        const struct curve_point *before = proposal->points[i], *after = find_cores(proposal, 2 * before->workers);
        if (!after && 2 * before->workers > most) continue;
        proposal->steps[proposal->step_count++] =
            (struct proposal_step){.before = before,
                                   .after = after,
                                   .from = before->workers,
                                   .to = 2 * before->workers,
                                   .cut = after ? curve_speedup(before->group, after->group, confidence) : unknown};
    }
}

int proposal_build(const struct curves *curves, int first, int count, struct proposal *proposal_p)
{
    struct proposal proposal = {.curve = choose_curve(curves, first, count)};
    if (!proposal.curve) return -ENOENT;
    proposal.weak = proposal.curve->weak;
    proposal.points = calloc((size_t)proposal.curve->count + 1, sizeof *proposal.points);
    proposal.steps = calloc((size_t)proposal.curve->count + 1, sizeof *proposal.steps);
    if (!proposal.points || !proposal.steps) {
        proposal_release(&proposal);
        return -ENOMEM;
    }
    list_points(curves, &proposal);
    if (!proposal.weak) list_steps(curves->stopping ? CONFIDENCE_STOPPING : CONFIDENCE_FIXED, &proposal);
    *proposal_p = proposal;
    return 0;
}

void proposal_release(struct proposal *proposal)
{
    free(proposal->points);
    free(proposal->steps);
    *proposal = (struct proposal){.curve = NULL};
}

enum proposal_outcome proposal_judge_step(const struct criterion *criterion, const struct proposal_step *step,
                                          double *limit_p)
{
    *limit_p = NAN;
    if (criterion->most_cores > 0 && step->to > criterion->most_cores) return PROPOSAL_NO_RULE;
    for (int r = 0; r < criterion->range_count; r++)
        if (step->from >= criterion->ranges[r].from) *limit_p = criterion->ranges[r].cut;
    if (isnan(*limit_p)) return PROPOSAL_NO_RULE;
    if (!step->after || !step->cut.interval) return PROPOSAL_OPEN;
    return step->cut.low >= *limit_p ? PROPOSAL_PASSES : step->cut.high < *limit_p ? PROPOSAL_FAILS : PROPOSAL_OPEN;
}

enum proposal_outcome proposal_judge(const struct criterion *criterion, const struct proposal *proposal)
{
    int judged = 0, open = 0;
    double limit;
    if (criterion->range_count == 0 || proposal->weak) return PROPOSAL_NO_RULE;
    for (int s = 0; s < proposal->step_count; s++) {
        enum proposal_outcome outcome = proposal_judge_step(criterion, &proposal->steps[s], &limit);
        if (outcome == PROPOSAL_FAILS) return PROPOSAL_FAILS;
        judged += outcome != PROPOSAL_NO_RULE;
        open += outcome == PROPOSAL_OPEN;
    }
    return judged > 0 && open == 0 ? PROPOSAL_PASSES : PROPOSAL_OPEN;
}

const struct curve_point *proposal_recommend(const struct criterion *criterion, const struct proposal *proposal)
{
    double limit;
    bool judged = false;
    if (criterion->range_count == 0 || proposal->step_count == 0) return NULL;
    const struct curve_point *reached = proposal->points[0];
    for (int s = 0; s < proposal->step_count; s++) { /* ascending: one pass follows the chain from the first on */
        const struct proposal_step *step = &proposal->steps[s];
        enum proposal_outcome outcome = proposal_judge_step(criterion, step, &limit);
        judged |= outcome == PROPOSAL_PASSES || outcome == PROPOSAL_FAILS;
        if (step->before == reached && outcome == PROPOSAL_PASSES) reached = step->after;
    }
    return judged ? reached : NULL;
}

double proposal_core_hours(const struct curve_point *point)
{
    return point->workers * point->wall_s.middle / 3600;
}
