/* Clocks drift by several per cent within minutes, so a speedup is never a ratio of two medians: within each block,
 * base and configuration ran next to each other, and the ratio is taken there (of the medians, where a block repeats a
 * configuration). What is told is the median of these ratios, with its spread. */
#include "group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool sample_counts(const struct sample *sample)
{
    return sample->validity == SAMPLE_VALID && sample->wall_s > 0;
}

double sample_wall_s(const struct sample *sample)
{
    return sample->wall_s;
}

double sample_rate(const struct sample *sample)
{
    return sample->rate;
}

double group_median(const struct group *group, int block, double (*number)(const struct sample *))
{
    double *numbers = malloc(sizeof *numbers * (size_t)(group->count + 1));
    int count = 0;
    for (int s = 0; numbers && s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        if (sample_counts(sample) && (block == ANY_BLOCK || sample->block == block)) numbers[count++] = number(sample);
    }
    double result = median(count, numbers);
    free(numbers);
    return result;
}

/* Whether this is the first sample of its block that counts. */
static bool opens_block(const struct group *group, int s)
{
    if (!sample_counts(&group->samples[s])) return false;
    for (int before = 0; before < s; before++)
        if (sample_counts(&group->samples[before]) && group->samples[before].block == group->samples[s].block)
            return false;
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(int count, double values[], double confidence)
{
    struct spread spread = {.count = count, .middle = NAN, .low = NAN, .high = NAN};
    if (count == 0) return spread;
    int low = 1, high = count;
    spread.interval = order_interval_ranks(count, confidence, &low, &high);
    if (!spread.interval) low = 1, high = count;
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    spread.middle = median(count, values);
    spread.low = values[low - 1];
    spread.high = values[high - 1];
    return spread;
}

/* Ratios within blocks: this one's over the base's, or the base's over this one's. */
static int pair_ratios(const struct group *base, const struct group *group, double (*number)(const struct sample *),
                       bool base_over, double ratios_p[])
{
    int count = 0;
    for (int s = 0; base && s < group->count; s++) {
        if (!opens_block(group, s)) continue;
        int block = group->samples[s].block;
        double own = group_median(group, block, number), other = group_median(base, block, number);
        double ratio = base_over ? other / own : own / other;
        if (!isnan(ratio)) ratios_p[count++] = ratio;
    }
    return count;
}

static struct spread pair(const struct group *base, const struct group *group, double (*number)(const struct sample *),
                          bool base_over, double confidence)
{
    double *ratios = malloc(sizeof *ratios * (size_t)(group->count + 1));
    int count = ratios ? pair_ratios(base, group, number, base_over, ratios) : 0;
    struct spread spread = spread_of(count, ratios, confidence);
    free(ratios);
    return spread;
}

void group_pair(const struct group *base, const struct group *group, struct spread *spread_p)
{
    *spread_p = pair(base, group, sample_wall_s, true, 0.95);
}

void group_pair_numbers(const struct group *base, const struct group *group, double (*number)(const struct sample *),
                        double confidence, struct spread *spread_p)
{
    *spread_p = pair(base, group, number, false, confidence);
}

int group_pair_ratios(const struct group *base, const struct group *group, double (*number)(const struct sample *),
                      double ratios_p[])
{
    return pair_ratios(base, group, number, false, ratios_p);
}

bool reason_is_same(const char *a, const char *b)
{
    static const char numeric[] = "0123456789.";
    for (;; a++, b++) {
        a += strspn(a, numeric);
        b += strspn(b, numeric);
        if (*a != *b) return false;
        if (!*a) return true;
    }
}

bool group_reason(const struct group *group, char reason_p[256])
{
    int most = 0;
    for (int s = 0; s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        if (sample->validity == SAMPLE_VALID || !*sample->invalid_reason) continue;
        int same = 0;
        for (int other = s; other < group->count; other++)
            same += group->samples[other].validity != SAMPLE_VALID &&
                    reason_is_same(sample->invalid_reason, group->samples[other].invalid_reason);
        if (same > most) memcpy(reason_p, sample->invalid_reason, sizeof sample->invalid_reason);
        if (same > most) most = same;
    }
    return most > 0;
}
