/* For each configuration the differences of the logarithms of speed: of all pairs (before, after), or of the launches
 * of the same block. Test and interval come from the same distribution of how many of them are negative, so that they
 * cannot contradict each other: the interval's ends are the k-th smallest and largest difference, with the largest k
 * for which P(count < k) is at most half of what is allowed. Ties count for both sides, that is, against a difference.
 * Holm's steps allow the smallest p of m 0.05 / m, the next 0.05 / (m - 1), and stop at the first that is larger. */
#include "compare.h"

#include "ranks.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double alpha = 0.05;

/* The differences of one comparison. */
struct differences {
    int m, n; /* launches; pairs: m = n */
    long count;
    double *values; /* ascending */
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double tail(const struct comparison *comparison, const struct differences *differences, long count)
{
    return comparison->paired ? sign_tail(differences->n, count) : rank_sum_tail(differences->m, differences->n, count);
}

/* Launches */

static double sample_work(const struct sample *sample)
{
    return sample->work;
}

static bool same_launch(const struct sample *a, const struct sample *b)
{
    return a->launch == b->launch && strcmp(a->study, b->study) == 0;
}

/* The logarithm of the median speed of each launch, in values_p with room for all samples. Returns how many. */
static int launch_speeds(const struct group *group, double (*number)(const struct sample *), double values_p[])
{
    int count = 0;
    double *numbers = malloc(sizeof *numbers * (size_t)(group->count + 1));
    for (int s = 0; numbers && s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        int before = 0, found = 0;
        while (before < s && !(sample_counts(&group->samples[before]) && same_launch(&group->samples[before], sample)))
            before++;
        if (before < s || !sample_counts(sample)) continue;
        for (int other = s; other < group->count; other++)
            if (sample_counts(&group->samples[other]) && same_launch(&group->samples[other], sample))
                numbers[found++] = number(&group->samples[other]);
        values_p[count++] = log(median(found, numbers));
    }
    free(numbers);
    return count;
}

static double sample_pace(const struct sample *sample)
{
    return 1 / sample->wall_s;
}

/* By rate only where the work differs: what is timed need not tell its work. */
static double (*speed_of(const struct comparison *comparison))(const struct sample *)
{
    double before = group_median(comparison->before, ANY_BLOCK, sample_work);
    double after = group_median(comparison->after, ANY_BLOCK, sample_work);
    bool differs = before > 0 && after > 0 && fabs(after / before - 1) > 1e-9;
    return differs ? sample_rate : sample_pace;
}

/* Differences; false where there is no memory. */

static bool find_all_pairs(struct comparison *comparison, double (*number)(const struct sample *),
                           struct differences *differences_p)
{
    size_t room = (size_t)comparison->before->count + (size_t)comparison->after->count;
    double *before = malloc(sizeof *before * (room + 1)), *after = before ? before + comparison->before->count : NULL;
    if (!before) return false;
    int m = launch_speeds(comparison->before, number, before), n = launch_speeds(comparison->after, number, after);
    *differences_p = (struct differences){.m = m, .n = n};
    comparison->before_count = m;
    comparison->after_count = n;
    differences_p->values = malloc(sizeof *differences_p->values * ((size_t)m * (size_t)n + 1));
    for (int i = 0; differences_p->values && i < m; i++)
        for (int k = 0; k < n; k++) differences_p->values[differences_p->count++] = after[k] - before[i];
    free(before);
    return differences_p->values != NULL;
}

static bool find_block_pairs(struct comparison *comparison, double (*number)(const struct sample *),
                             struct differences *differences_p)
{
    const struct group *after = comparison->after;
    *differences_p = (struct differences){.values = malloc(sizeof(double) * ((size_t)after->count + 1))};
    if (!differences_p->values) return false;
    for (int s = 0; s < after->count; s++) {
        int block = after->samples[s].block, earlier = 0;
        while (earlier < s && after->samples[earlier].block != block) earlier++;
        double ratio = group_median(after, block, number) / group_median(comparison->before, block, number);
        if (earlier == s && !isnan(ratio)) differences_p->values[differences_p->count++] = log(ratio);
    }
    differences_p->m = differences_p->n = (int)differences_p->count;
    comparison->before_count = comparison->after_count = differences_p->n;
    return true;
}

static bool count_one_side(struct comparison *comparison)
{
    const struct group *group = comparison->before ? comparison->before : comparison->after;
    double *speeds = malloc(sizeof *speeds * ((size_t)group->count + 1));
    int count = speeds ? launch_speeds(group, sample_pace, speeds) : 0;
    *(comparison->before ? &comparison->before_count : &comparison->after_count) = count;
    bool done = speeds != NULL;
    free(speeds);
    return done;
}

static bool find_differences(struct comparison *comparison, struct differences *differences_p)
{
    *differences_p = (struct differences){0};
    if (!comparison->before || !comparison->after) return count_one_side(comparison);
    double (*number)(const struct sample *) = speed_of(comparison);
    bool found = comparison->paired ? find_block_pairs(comparison, number, differences_p)
                                    : find_all_pairs(comparison, number, differences_p);
    if (found && differences_p->count > 0)
        qsort(differences_p->values, (size_t)differences_p->count, sizeof(double), compare_doubles);
    return found;
}

/* Decisions */

/* Two-sided. Equal times are on both sides. */
static double test_differences(const struct comparison *comparison, const struct differences *differences)
{
    long not_above = 0, not_below = 0;
    for (long i = 0; i < differences->count; i++) {
        not_above += differences->values[i] <= 0;
        not_below += differences->values[i] >= 0;
    }
    long fewer = not_above < not_below ? not_above : not_below;
    return fmin(1, 2 * tail(comparison, differences, fewer));
}

static void set_ratio(struct comparison *comparison, const struct differences *differences, double level)
{
    const long count = differences->count;
    long k = 0;
    while (2 * (k + 1) <= count && tail(comparison, differences, k) <= level / 2) k++;
    long low = k > 0 ? k : 1;
    comparison->ratio = (struct spread){
        .count = differences->m < differences->n ? differences->m : differences->n,
        .interval = k > 0,
        .middle = exp((differences->values[(count - 1) / 2] + differences->values[count / 2]) / 2),
        .low = exp(differences->values[low - 1]),
        .high = exp(differences->values[count - low]),
    };
}

/* The fewest launches a side (pairs) with which so small a p can come out. */
static int launches_needed(bool paired, double level)
{
    int n = 1;
    while (2 * (paired ? sign_tail(n, 0) : rank_sum_tail(n, n, 0)) > level) n++;
    return n;
}

static void say_one_sided(struct comparison *comparison)
{
    const struct group *before = comparison->before, *after = comparison->after;
    size_t length = sizeof comparison->reason;
    if (!before || !after) {
        snprintf(comparison->reason, length, "measured only %s", before ? "before" : "after");
        return;
    }
    bool none_before = isnan(group_median(before, ANY_BLOCK, sample_pace));
    bool none_after = isnan(group_median(after, ANY_BLOCK, sample_pace));
    char why[256] = "";
    if (!none_before && !none_after) {
        snprintf(comparison->reason, length, "no block has valid samples of both");
        return;
    }
    bool told = group_reason(none_before ? before : after, why);
    snprintf(comparison->reason, length, "no valid sample %s%s%.200s", none_before ? "before" : "after",
             told ? ": " : "", why);
}

/* What can be told before the others are known. */
static void begin_comparison(struct comparison *comparison, const struct differences *differences)
{
    comparison->verdict = COMPARE_IMPOSSIBLE;
    if (differences->count == 0) {
        say_one_sided(comparison);
        return;
    }
    set_ratio(comparison, differences, alpha);
    if (2 * tail(comparison, differences, 0) > alpha) {
        int needed = launches_needed(comparison->paired, alpha);
        if (comparison->paired)
            snprintf(comparison->reason, sizeof comparison->reason,
                     "pairs of launches: %d, too few for any decision; it takes %d", differences->n, needed);
        else
            snprintf(comparison->reason, sizeof comparison->reason,
                     "launches: %d and %d, too few for any decision; %d and %d would do", differences->m,
                     differences->n, needed, needed);
        return;
    }
    comparison->verdict = COMPARE_UNDECIDED;
    comparison->p = test_differences(comparison, differences);
}

static void say_underpowered(struct comparison *comparison, const struct differences *differences, int compared,
                             double level)
{
    if (2 * tail(comparison, differences, 0) <= level) return;
    snprintf(comparison->reason, sizeof comparison->reason,
             "with %d configurations compared, it takes %d %s to show a difference in any", compared,
             launches_needed(comparison->paired, level), comparison->paired ? "pairs" : "launches a side");
}

/* The comparison with the smallest p that has not been adjusted yet; -1: none. */
static int next_step(int count, const struct comparison comparisons[])
{
    int next = -1;
    for (int i = 0; i < count; i++)
        if (comparisons[i].verdict != COMPARE_IMPOSSIBLE && isnan(comparisons[i].p_adjusted) &&
            (next < 0 || comparisons[i].p < comparisons[next].p))
            next = i;
    return next;
}

static void decide(int count, struct comparison comparisons[], const struct differences differences[])
{
    int compared = 0, next;
    for (int i = 0; i < count; i++) compared += comparisons[i].verdict != COMPARE_IMPOSSIBLE;
    double adjusted = 0, level = alpha;
    bool stopped = false;
    for (int left = compared; (next = next_step(count, comparisons)) >= 0; left--) {
        struct comparison *comparison = &comparisons[next];
        adjusted = fmin(1, fmax(adjusted, left * comparison->p));
        comparison->p_adjusted = adjusted;
        if (!stopped) level = alpha / left;
        if (comparison->p > level) stopped = true;
        set_ratio(comparison, &differences[next], level);
        if (stopped)
            say_underpowered(comparison, &differences[next], compared, level);
        else
            comparison->verdict =
                differences[next].values[differences[next].count / 2] > 0 ? COMPARE_FASTER : COMPARE_SLOWER;
    }
}

/* Who is compared with whom */

static const struct group *find_key(const struct results *results, const char *key)
{
    for (int g = 0; g < results->group_count; g++)
        if (strcmp(results->groups[g].key, key) == 0) return &results->groups[g];
    return NULL;
}

static struct comparison new_comparison(const struct group *before, const struct group *after, bool paired)
{
    return (struct comparison){.before = before,
                               .after = after,
                               .paired = paired,
                               .ratio = {.middle = NAN, .low = NAN, .high = NAN},
                               .p = NAN,
                               .p_adjusted = NAN};
}

/* Its groups in the order of its study's plan, by insertion; what is not in it keeps its order, behind. */
static void order_groups(const struct results *results, const struct group *order_p[], size_t places[])
{
    for (int g = 0; g < results->group_count; g++) {
        size_t place = results_plan_place(results, results->groups[g].key);
        int at = g;
        for (; at > 0 && places[at - 1] > place; at--) {
            order_p[at] = order_p[at - 1];
            places[at] = places[at - 1];
        }
        order_p[at] = &results->groups[g];
        places[at] = place;
    }
}

/* 0 or -ENOMEM. */
static int match_groups(const struct results *before, const struct results *after, bool paired, int *count_p,
                        struct comparison comparisons_p[])
{
    int most = before->group_count > after->group_count ? before->group_count : after->group_count, count = 0;
    const struct group **order = calloc((size_t)most + 1, sizeof *order);
    size_t *places = calloc((size_t)most + 1, sizeof *places);
    bool done = order && places;
    if (done) order_groups(before, order, places);
    for (int g = 0; done && g < before->group_count; g++)
        comparisons_p[count++] = new_comparison(order[g], find_key(after, order[g]->key), paired);
    if (done) order_groups(after, order, places);
    for (int g = 0; done && g < after->group_count; g++)
        if (!find_key(before, order[g]->key)) comparisons_p[count++] = new_comparison(NULL, order[g], paired);
    free(order);
    free(places);
    *count_p = count;
    return done ? 0 : -ENOMEM;
}

struct comparison *compare_results(const struct results *before, const struct results *after, bool paired, int *count_p)
{
    size_t room = (size_t)before->group_count + (size_t)after->group_count + 1;
    struct comparison *comparisons = calloc(room, sizeof *comparisons);
    struct differences *differences = calloc(room, sizeof *differences);
    int count = 0;
    bool done = comparisons && differences && match_groups(before, after, paired, &count, comparisons) == 0;
    for (int i = 0; i < count && done; i++) {
        done = find_differences(&comparisons[i], &differences[i]);
        if (done) begin_comparison(&comparisons[i], &differences[i]);
    }
    if (done) decide(count, comparisons, differences);
    for (size_t i = 0; differences && i < room; i++) free(differences[i].values);
    free(differences);
    if (!done) free(comparisons);
    *count_p = done ? count : 0;
    return done ? comparisons : NULL;
}

double compare_slowdown(int count, const struct comparison comparisons[])
{
    double slowdown = 0;
    for (int i = 0; i < count; i++)
        if (comparisons[i].verdict == COMPARE_SLOWER) slowdown = fmax(slowdown, 1 - comparisons[i].ratio.high);
    return slowdown;
}

/* Logarithms of the reference loop's readings. Returns how many. */
static int reference_logs(const struct results *results, int max, double logs_p[])
{
    int count = 0;
    for (size_t i = 0; i < json_array_size(results->references); i++) {
        const json_t *readings = json_object_get(json_array_get(results->references, i), "flop_per_s");
        for (size_t k = 0; k < json_array_size(readings) && count < max; k++) {
            double rate = json_number_value(json_array_get(readings, k));
            if (rate > 0) logs_p[count++] = log(rate);
        }
    }
    return count;
}

/* The median, and a quarter of the span of nine in ten readings: a configuration that left the blocks early has met one
 * part of what the machine did. False where there is none. */
static bool reference_speed(const struct results *results, double *middle_p, double *scatter_p)
{
    enum { READINGS_MAX = 4096 };
    double logs[READINGS_MAX];
    int count = reference_logs(results, READINGS_MAX, logs);
    if (count == 0) return false;
    *middle_p = median(count, logs);
    *scatter_p = (quantile(count, logs, 0.95) - quantile(count, logs, 0.05)) / 4;
    return true;
}

double compare_allow_drift(const struct results *before, const struct results *after, int count,
                           struct comparison comparisons[])
{
    double middle[2], scatter[2];
    if (!reference_speed(before, &middle[0], &scatter[0]) || !reference_speed(after, &middle[1], &scatter[1]))
        return NAN;
    double allowed = exp(fmax(fabs(middle[0] - middle[1]), fmax(scatter[0], scatter[1])));
    for (int i = 0; i < count; i++) {
        struct comparison *comparison = &comparisons[i];
        bool faster = comparison->verdict == COMPARE_FASTER && comparison->ratio.low <= allowed;
        bool slower = comparison->verdict == COMPARE_SLOWER && comparison->ratio.high >= 1 / allowed;
        if (comparison->paired || !(faster || slower)) continue;
        comparison->verdict = COMPARE_UNDECIDED;
        snprintf(comparison->reason, sizeof comparison->reason,
                 "within %.1f %%, by which the machine's own speed differed", 100 * (allowed - 1));
    }
    return allowed;
}
