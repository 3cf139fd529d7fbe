/* Groups of samples become points, points of one problem, variant and mode a curve. Speedups are ratios of rates, taken
 * within blocks (group_pair): of wall times, as long as the work is the same, and in weak scaling times the ratio of
 * the work. Efficiency and Karp-Flatt are monotonic functions of the speedup, so that their intervals are the images of
 * its own.
 */
#include "curve.h"

#include "../plan/command.h"
#include "convergence.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double precision_default = 0.02;

/* How the study was to be judged, and what is known of the machine. */
struct rules {
    bool weak;
    double cache_bytes[3]; /* of levels 1 to 3 as one core sees them; 0 unknown */
    double precision, confidence;
    bool over_nodes; /* the study goes over nodes that are filled: one curve goes over all of them */
    bool by_threads; /* threads of a rank were asked for: each number is a curve of its own */
};

static bool same_options(const struct config *a, const struct config *b)
{
    if (a->option_count != b->option_count) return false;
    for (int i = 0; i < a->option_count; i++)
        if (strcmp(a->options[i].name, b->options[i].name) || strcmp(a->options[i].value, b->options[i].value))
            return false;
    return true;
}

bool curve_same_problem(const struct config *a, const struct config *b, bool weak)
{
    return strcmp(a->kernel, b->kernel) == 0 && command_same(&a->command, &b->command) && a->seed == b->seed &&
           strcmp(a->isa, b->isa) == 0 && (weak || strcmp(a->size, b->size) == 0) && same_options(a, b) &&
           scheduling_same(&a->mode.scheduling, &b->mode.scheduling);
}

static bool same_curve(const struct config *a, const struct config *b, const struct rules *rules)
{
    bool split = rules->by_threads && a->mode.name == MODE_HYBRID;
    if (split && a->mode.threads != b->mode.threads) return false;
    return curve_same_problem(a, b, rules->weak) && strcmp(a->variant, b->variant) == 0 &&
           a->mode.name == b->mode.name && (rules->over_nodes || a->mode.nodes == b->mode.nodes);
}

bool curve_is_timings(const struct config *config)
{
    return !*config->variant && config->command.word_count == 0;
}

/* Over all nodes. */
static int workers_of(const struct config *config)
{
    return mode_workers(&config->mode);
}

static int cpus_of(const struct config *config)
{
    int workers = workers_of(config), cpus = config->mode.cpus.count * mode_nodes(&config->mode);
    return cpus > 0 && cpus < workers ? cpus : workers;
}

static struct spread scaled(struct spread spread, double factor)
{
    spread.middle *= factor;
    spread.low *= factor;
    spread.high *= factor;
    return spread;
}

static double karp_flatt(double speedup, double workers)
{
    return (1 / speedup - 1 / workers) / (1 - 1 / workers);
}

static struct spread karp_flatt_of(struct spread speedup, double workers)
{
    struct spread result = speedup;
    result.middle = karp_flatt(speedup.middle, workers);
    result.low = karp_flatt(speedup.high, workers);
    result.high = karp_flatt(speedup.low, workers);
    return result;
}

static const struct spread no_spread = {.count = 0, .middle = NAN, .low = NAN, .high = NAN};

static double sample_work(const struct sample *sample)
{
    return sample->work;
}

static double sample_concurrency(const struct sample *sample)
{
    return sample->concurrency;
}

static double sample_launch(const struct sample *sample)
{
    return sample->launch_s;
}

static double sample_parallelism(const struct sample *sample)
{
    return sample->parallelism;
}

/* Median over the samples of one launch that count. */
static double launch_time(const struct group *group, int launch)
{
    double *times = malloc(sizeof *times * (size_t)group->count);
    int count = 0;
    for (int s = 0; times && s < group->count; s++)
        if (group->samples[s].launch == launch && sample_counts(&group->samples[s]))
            times[count++] = group->samples[s].wall_s;
    double result = median(count, times);
    free(times);
    return result;
}

/* Times of launches in the order of the file; returns how many. */
static int launch_times(const struct group *group, double times_p[])
{
    int count = 0;
    for (int s = 0; s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        bool first = sample_counts(sample);
        for (int before = 0; before < s && first; before++)
            first = group->samples[before].launch != sample->launch || !sample_counts(&group->samples[before]);
        if (first) times_p[count++] = launch_time(group, sample->launch);
    }
    return count;
}

/* Mann (Econometrica 13, 1945): of all pairs, how many rise less how many fall; near normal from 8 values on. */
static bool has_trend(int count, const double times[])
{
    double balance = 0, n = count;
    if (count < 8) return false;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) balance += (times[j] > times[i]) - (times[j] < times[i]);
    double deviation = sqrt(n * (n - 1) * (2 * n + 5) / 18);
    return fabs(balance) - 1 > 2.576 * deviation;
}

/* hyperfine's rule (after Iglewicz and Hoaglin: How to detect and handle outliers. 1993). */
static void flag_outliers(int count, const double times[], struct curve_point *point)
{
    double *distances = malloc(sizeof *distances * (size_t)(count + 1));
    double middle = median(count, times);
    for (int i = 0; distances && i < count; i++) distances[i] = fabs(times[i] - middle);
    double mad = distances ? median(count, distances) : NAN;
    for (int i = 0; distances && i < count; i++) {
        if (!(distances[i] > 14.8 * mad && mad > 0)) continue;
        point->outliers++;
        if (i == 0 && times[i] > middle) point->slow_first = true;
    }
    free(distances);
}

static int point_launches(struct curve_point *point, double confidence)
{
    const struct group *group = point->group;
    double *times = malloc(sizeof *times * (size_t)(group->count + 1));
    if (!times) return -ENOMEM;
    int count = launch_times(group, times);
    point->valid = count;
    flag_outliers(count, times, point);
    point->trend = has_trend(count, times);
    for (int s = 0; s < group->count; s++) {
        point->invalid += group->samples[s].validity == SAMPLE_INVALID;
        point->not_judged += group->samples[s].validity == SAMPLE_NOT_JUDGED;
    }
    if (count == 0) group_reason(group, point->reason);
    point->wall_s = spread_of(count, times, confidence);
    free(times);
    return 0;
}

static int point_build(const struct group *group, double confidence, struct curve_point *point_p)
{
    struct curve_point point = {.group = group, .workers = workers_of(&group->config), .cpus = cpus_of(&group->config)};
    point.dedicated = point.workers <= point.cpus;
    int status = point_launches(&point, confidence);
    if (status) return status;
    point.work = group_median(group, ANY_BLOCK, sample_work);
    point.concurrency = group_median(group, ANY_BLOCK, sample_concurrency);
    point.parallelism = group_median(group, ANY_BLOCK, sample_parallelism);
    point.launch_s = group_median(group, ANY_BLOCK, sample_launch);
    point.rate = point.wall_s;
    point.rate.middle = point.work / point.wall_s.middle;
    point.rate.low = point.work / point.wall_s.high;
    point.rate.high = point.work / point.wall_s.low;
    point.speedup = point.own = point.efficiency = point.karp_flatt = no_spread;
    *point_p = point;
    return 0;
}

/* Of medians, with the ends of both intervals: for times that were not measured in blocks. */
static struct spread ratio_of_medians(const struct group *base, const struct group *group, double confidence)
{
    struct spread spreads[2], ratio = no_spread;
    for (int i = 0; i < 2; i++) {
        const struct group *each = i ? group : base;
        double *times = malloc(sizeof *times * (size_t)(each->count + 1));
        if (!times) return no_spread;
        spreads[i] = spread_of(launch_times(each, times), times, (1 + confidence) / 2);
        free(times);
    }
    ratio.count = spreads[0].count < spreads[1].count ? spreads[0].count : spreads[1].count;
    ratio.middle = spreads[0].middle / spreads[1].middle;
    ratio.low = spreads[0].low / spreads[1].high;
    ratio.high = spreads[0].high / spreads[1].low;
    ratio.interval = spreads[0].interval && spreads[1].interval;
    if (base == group) ratio.low = ratio.high = ratio.middle;
    return ratio;
}

struct spread curve_speedup(const struct group *base, const struct group *group, double confidence)
{
    struct spread speedup;
    if (base && curve_is_timings(&group->config)) return ratio_of_medians(base, group, confidence);
    group_pair_numbers(base, group, sample_rate, confidence, &speedup);
    return speedup;
}

static void point_compare(const struct curve *curve, struct curve_point *point, const struct rules *rules)
{
    int own_workers = workers_of(&curve->own->config);
    const struct group *base = curve->serial ? curve->serial : curve->own;
    point->is_base = point->group == curve->serial || point->group == curve->own;
    point->speedup = curve_speedup(curve->serial, point->group, rules->confidence);
    point->own = scaled(curve_speedup(curve->own, point->group, rules->confidence), own_workers);
    const struct spread *speedup = curve->serial ? &point->speedup : &point->own;
    point->efficiency = scaled(*speedup, 1.0 / point->workers);
    /* Of the parallel program itself, where it was run by one worker. */
    const struct spread *itself = own_workers == 1 ? &point->own : speedup;
    if (point->dedicated && point->workers > 1) point->karp_flatt = karp_flatt_of(*itself, point->workers);
    factors_of(base, point->group, &point->factors);
    bandwidth_find_caches(rules->cache_bytes, &base->config, &point->group->config, &point->factors.bandwidth);
    const struct spread *decides = point->is_base ? &point->wall_s : speedup;
    point->half_width = spread_half_width(decides);
    point->converged = spread_converged(decides, rules->precision);
}

/* The shortest time of samples that could not be judged; INFINITY. */
static double least_not_judged_s(const struct group *group)
{
    double least_s = INFINITY;
    for (int s = 0; s < group->count; s++)
        if (group->samples[s].validity == SAMPLE_NOT_JUDGED) least_s = fmin(least_s, group->samples[s].wall_s);
    return least_s;
}

/* The fastest variant; none where one that could not be judged may be faster. */
static const struct group *find_serial(const struct results *results, const struct config *config, bool weak)
{
    const struct group *best = NULL;
    double best_s = INFINITY, unknown_s = INFINITY;
    for (int g = 0; g < results->group_count; g++) {
        const struct group *group = &results->groups[g];
        if (group->config.mode.name != MODE_SERIAL || !curve_same_problem(&group->config, config, weak)) continue;
        double wall_s = group_median(group, ANY_BLOCK, sample_wall_s);
        if (isnan(wall_s)) unknown_s = fmin(unknown_s, least_not_judged_s(group));
        if (best && !(wall_s < best_s)) continue;
        best = group;
        best_s = isnan(wall_s) ? INFINITY : wall_s;
    }
    return unknown_s < best_s && best_s < INFINITY ? NULL : best;
}

/* The share of its time that a task wanted a core: computing, or ready to. */
static double sample_busy(const struct sample *sample)
{
    double waited_s = isnan(sample->wait_s) ? 0 : sample->wait_s;
    /* A command's wall_s may be a part of the time that the CPU time is of. */
    double observed_s = sample->config.command.word_count > 0 ? sample->process_s : sample->wall_s;
    return (sample->cpu_s + waited_s) / observed_s;
}

/* What tasks that wait could gain on one core: (C + Z) / C, where the base computes C and waits Z. */
static double waiting_bound(const struct group *base)
{
    double busy = group_median(base, ANY_BLOCK, sample_busy) / workers_of(&base->config);
    return busy > 0 && busy < 0.9 ? 1 / busy : NAN;
}

/* The share of its time for which the base waited, of each sample. */
static int waiting_share(const struct group *base, double confidence, struct spread *waiting_p)
{
    double *shares = malloc(sizeof *shares * (size_t)(base->count + 1));
    int count = 0;
    if (!shares) return -ENOMEM;
    for (int s = 0; s < base->count; s++) {
        double share = 1 - sample_busy(&base->samples[s]) / workers_of(&base->config);
        if (sample_counts(&base->samples[s]) && !isnan(share)) shares[count++] = share;
    }
    *waiting_p = spread_of(count, shares, confidence);
    free(shares);
    return 0;
}

/* Times as they would have been, had the base always taken its median: a configuration that converged early has seen
 * another part of the machine's drift than the others. Returns how many. */
static int steady_times(const struct group *base, const struct group *group, bool weak, double times_p[])
{
    double base_s = group_median(base, ANY_BLOCK, sample_wall_s), exact = 1;
    /* In weak scaling the work is not always to be had in exact proportion. */
    if (weak)
        exact = group_median(base, ANY_BLOCK, sample_work) / workers_of(&base->config) /
                (group_median(group, ANY_BLOCK, sample_work) / workers_of(&group->config));
    int count = 0;
    for (int s = 0; s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        double beside_s = group_median(base, sample->block, sample_wall_s);
        if (sample_counts(sample) && beside_s > 0) times_p[count++] = exact * sample->wall_s * base_s / beside_s;
    }
    return count;
}

/* Adds the group's times to the points to fit. 0 or -ENOMEM. */
static int add_point(const struct group *base, const struct group *group, bool weak, int *count,
                     struct model_point points[])
{
    double *times = malloc(sizeof *times * (size_t)(group->count + 1));
    if (!times) return -ENOMEM;
    int launches = steady_times(base, group, weak, times);
    if (launches > 0)
        points[(*count)++] = (struct model_point){workers_of(&group->config), launches, times};
    else
        free(times);
    return 0;
}

/* The serial program stands for one worker where its variant is the same and the mode has no such point. */
static int fit_models(struct curve *curve)
{
    const struct group *serial = curve->serial, *base = serial ? serial : curve->own;
    struct model_point *points = calloc((size_t)curve->count + 2, sizeof *points);
    int count = 0, status = points ? 0 : -ENOMEM;
    if (serial && workers_of(&curve->own->config) > 1 && !strcmp(serial->config.variant, curve->config->variant) &&
        !status)
        status = add_point(base, serial, curve->weak, &count, points);
    for (int i = 0; i < curve->count && !status; i++)
        if (curve->points[i].dedicated) status = add_point(base, curve->points[i].group, curve->weak, &count, points);
    for (int model = 0; model < MODEL_COUNT && !status; model++) {
        bool fits = (model == MODEL_GUSTAFSON) == curve->weak;
        model_fit((enum model)model, fits ? count : 0, points, curve->config->seed, &curve->fits[model]);
    }
    curve->chosen = status ? -1 : model_choose(MODEL_COUNT, curve->fits);
    for (int i = 0; i < count; i++) free((double *)points[i].times_s);
    free(points);
    return status;
}

static int compare_points(const void *left, const void *right)
{
    const struct curve_point *a = left, *b = right;
    return (a->workers > b->workers) - (a->workers < b->workers);
}

/* All groups of the curve that begins with group `first`. */
static int curve_build(const struct results *results, int first, const struct rules *rules, struct curve *curve_p)
{
    const struct config *config = &results->groups[first].config;
    bool weak = rules->weak;
    struct curve curve = {.config = config, .weak = weak, .chosen = -1};
    int status = 0;
    curve.points = calloc((size_t)results->group_count, sizeof *curve.points);
    if (!curve.points) return -ENOMEM;
    for (int g = first; g < results->group_count && !status; g++)
        if (same_curve(&results->groups[g].config, config, rules))
            status = point_build(&results->groups[g], rules->confidence, &curve.points[curve.count++]);
    if (status) {
        free(curve.points);
        return status;
    }
    qsort(curve.points, (size_t)curve.count, sizeof *curve.points, compare_points);
    curve.config = &curve.points[0].group->config;
    curve.own = curve.points[0].group;
    curve.serial = find_serial(results, config, weak);
    for (int i = 0; i < curve.count; i++) {
        point_compare(&curve, &curve.points[i], rules);
        const struct spread *speedup = curve.serial ? &curve.points[i].speedup : &curve.points[i].own;
        curve.superlinear += speedup->interval && speedup->low > curve.points[i].workers;
    }
    const struct group *base = curve.serial ? curve.serial : curve.own;
    curve.waiting_bound = waiting_bound(base);
    curve.roof_share = group_median(base, ANY_BLOCK, sample_ceiling_share);
    curve.roof_rate = group_median(base, ANY_BLOCK, sample_rate) / curve.roof_share;
    const struct curve_point *last = &curve.points[curve.count - 1];
    while (last > curve.points && last->factors.blocks == 0) last--;
    if (last->workers > 1) factors_sentence(&last->factors, last->group, sizeof curve.sentence, curve.sentence);
    status = waiting_share(base, rules->confidence, &curve.waiting);
    if (!status) status = fit_models(&curve);
    if (status) free(curve.points);
    if (!status) *curve_p = curve;
    return status;
}

static bool begins_curve(const struct results *results, int group, const struct rules *rules)
{
    for (int g = 0; g < group; g++)
        if (same_curve(&results->groups[g].config, &results->groups[group].config, rules)) return false;
    return true;
}

/* The place of a variant in its kernel's table; of an unknown kernel's (a later version's, or somebody's own) 0. */
static int variant_place(const struct config *config)
{
    const struct kernel *kernel = kernel_find(config->kernel);
    const struct variant *variant = kernel ? kernel_find_variant(kernel, config->variant) : NULL;
    return variant ? (int)(variant - kernel->variants) : 0;
}

/* Insertion sort; what is at the same place keeps its order. 0 or -ENOMEM. */
static int sort_by_plan(const struct results *results, struct curves *curves)
{
    size_t *places = malloc(sizeof *places * (size_t)(curves->count + 1));
    if (!places) return -ENOMEM;
    for (int i = 0; i < curves->count; i++) {
        const struct curve moved = curves->curves[i];
        size_t place = results_plan_place(results, moved.own->key);
        int at = i;
        for (; at > 0 && places[at - 1] > place; at--) {
            curves->curves[at] = curves->curves[at - 1];
            places[at] = places[at - 1];
        }
        curves->curves[at] = moved;
        places[at] = place;
    }
    free(places);
    return 0;
}

/* Insertion sort: within a problem by variant, then by mode; problems stay in the order of the file, also where it has
 * them in turns. */
static void sort_curves(struct curves *curves, bool weak)
{
    for (int i = 1; i < curves->count; i++) {
        const struct curve moved = curves->curves[i];
        int at = i, related = 0; /* so many before it are of its problem */
        for (int c = 0; c < i; c++) related += curve_same_problem(curves->curves[c].config, moved.config, weak);
        for (; at > 0 && related > 0; at--) {
            const struct config *before = curves->curves[at - 1].config;
            if (curve_same_problem(before, moved.config, weak)) {
                int order = variant_place(before) - variant_place(moved.config);
                if (order == 0) order = (int)before->mode.name - (int)moved.config->mode.name;
                if (order <= 0) break;
                related--;
            }
            curves->curves[at] = curves->curves[at - 1];
        }
        curves->curves[at] = moved;
    }
}

/* The reference loop's readings, each the mean over its CPUs. */
static int read_references(const struct results *results, struct curves *curves)
{
    size_t count = json_array_size(results->references);
    double *rates = malloc(sizeof *rates * (count + 1));
    if (!rates) return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const json_t *readings = json_object_get(json_array_get(results->references, i), "flop_per_s");
        double sum = 0;
        for (size_t k = 0; k < json_array_size(readings); k++) sum += json_number_value(json_array_get(readings, k));
        rates[i] = sum / (double)json_array_size(readings);
    }
    double middle = median((int)count, rates);
    curves->reference_low = quantile((int)count, rates, 0) / middle;
    curves->reference_high = quantile((int)count, rates, 1) / middle;
    free(rates);
    return 0;
}

static void read_context(const struct results *results, struct curves *curves)
{
    const json_t *machine = json_object_get(results->context, "machine");
    const char *model = json_string_value(json_object_get(machine, "cpu_model"));
    const char *host = json_string_value(json_object_get(machine, "hostname"));
    curves->cores = (int)json_integer_value(json_object_get(machine, "cores"));
    if (model || host)
        snprintf(curves->machine, sizeof curves->machine, "%s (%s)", model ? model : "unknown", host ? host : "?");
}

/* Of the file's study line. Where the number of launches was not fixed beforehand, looking decided when to stop. */
static struct rules read_rules(const struct results *results, double precision)
{
    const json_t *study = results->study;
    const char *scaling = json_string_value(json_object_get(study, "scaling"));
    struct rules rules = {.weak = scaling && strcmp(scaling, "weak") == 0, .precision = precision};
    rules.over_nodes =
        json_array_size(json_object_get(study, "nodes")) > 0 && json_array_size(json_object_get(study, "workers")) == 0;
    rules.by_threads = json_array_size(json_object_get(study, "threads")) > 0;
    static const char *const levels[3] = {"l1d", "l2", "l3"};
    const json_t *caches = json_object_get(json_object_get(results->context, "machine"), "cache_bytes");
    for (int level = 0; level < 3; level++)
        rules.cache_bytes[level] = json_number_value(json_object_get(caches, levels[level]));
    bool fixed = json_integer_value(json_object_get(study, "runs_min")) ==
                 json_integer_value(json_object_get(study, "runs_max"));
    if (!(rules.precision > 0)) rules.precision = json_number_value(json_object_get(study, "precision"));
    if (!(rules.precision > 0)) rules.precision = precision_default;
    rules.confidence = fixed ? CONFIDENCE_FIXED : CONFIDENCE_STOPPING;
    return rules;
}

int curves_build(const struct results *results, double precision, struct curves *curves_p)
{
    struct curves curves = {.count = 0};
    const struct rules rules = read_rules(results, precision);
    curves.precision = rules.precision;
    curves.stopping = rules.confidence != CONFIDENCE_FIXED;
    read_context(results, &curves);
    if (read_references(results, &curves)) return -ENOMEM;
    curves.curves = calloc((size_t)results->group_count + 1, sizeof *curves.curves);
    int status = curves.curves ? 0 : -ENOMEM;
    for (int g = 0; g < results->group_count && !status; g++)
        if (begins_curve(results, g, &rules)) {
            status = curve_build(results, g, &rules, &curves.curves[curves.count]);
            curves.count += status == 0;
        }
    if (!status) status = sort_by_plan(results, &curves);
    if (status) {
        curves_release(&curves);
        return status;
    }
    sort_curves(&curves, rules.weak);
    for (int c = 0; c < curves.count; c++)
        for (int i = 0; i < curves.curves[c].count; i++) {
            curves.valid += curves.curves[c].points[i].valid;
            curves.invalid += curves.curves[c].points[i].invalid;
            curves.not_judged += curves.curves[c].points[i].not_judged;
        }
    *curves_p = curves;
    return 0;
}

void curves_release(struct curves *curves)
{
    for (int c = 0; c < curves->count; c++) free(curves->curves[c].points);
    free(curves->curves);
    *curves = (struct curves){.count = 0};
}

const struct curve_point *curves_find(const struct curves *curves, const struct group *group)
{
    for (int c = 0; c < curves->count; c++)
        for (int i = 0; i < curves->curves[c].count; i++)
            if (curves->curves[c].points[i].group == group) return &curves->curves[c].points[i];
    return NULL;
}
