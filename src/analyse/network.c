/* The line of least absolute relative deviations passes through two of the points (or through one, where a parameter
 * is 0): all pairs are tried, n^3 operations for n <= 64 sizes. Nothing iterates, nothing depends on a start. */
#include "network.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PART_LEAST   0.2  /* of the time, for a parameter to be told */
#define WEIGHT_LEAST 0.05 /* in the middle; 1 at the ends */

struct line {
    double alpha, beta, deviation; /* sum of relative deviations, weighted */
};

static bool same_sizes(const struct sample *a, const struct sample *b)
{
    if (a->point_count != b->point_count) return false;
    for (int i = 0; i < a->point_count; i++)
        if (a->points[i].bytes != b->points[i].bytes) return false;
    return true;
}

static bool is_used(const struct sample *sample, const struct sample *first, enum validity validity)
{
    return sample->correct && sample->validity == validity && sample->point_count > 0 &&
           (!first || same_sizes(first, sample));
}

static int compare_points(const void *a, const void *b)
{
    double left = ((const struct network_point *)a)->bytes, right = ((const struct network_point *)b)->bytes;
    return (left > right) - (left < right);
}

int network_points(const struct group *group, struct network_point points_p[KERNEL_POINTS_MAX], bool *judged_p)
{
    const struct sample *first = NULL;
    static const enum validity wanted[] = {SAMPLE_VALID, SAMPLE_NOT_JUDGED};
    double *times = malloc(sizeof *times * (size_t)(group->count + 1));
    int w = 0, count = 0;
    for (; w < 2 && !first; w += !first)
        for (int s = 0; s < group->count && !first; s++)
            if (is_used(&group->samples[s], NULL, wanted[w])) first = &group->samples[s];
    for (; times && first && count < first->point_count && count < KERNEL_POINTS_MAX; count++) {
        const struct kernel_point *point = &first->points[count];
        int used = 0;
        for (int s = 0; s < group->count; s++) {
            const struct sample *sample = &group->samples[s];
            if (is_used(sample, first, wanted[w]) && sample->points[count].time_s > 0)
                times[used++] = sample->points[count].time_s;
        }
        double time_s = median(used, times);
        points_p[count] = (struct network_point){
            .bytes = (double)point->bytes,
            .messages = (double)point->messages,
            .time_s = time_s,
            .bandwidth = point->traffic_bytes > 0 ? point->traffic_bytes / time_s : NAN,
            .traffic_factor = point->traffic_bytes > 0 ? point->traffic_bytes / (double)point->bytes : 0};
    }
    *judged_p = w == 0;
    free(times);
    if (count > 0) qsort(points_p, (size_t)count, sizeof *points_p, compare_points);
    return count;
}

static double law_s(double alpha, double beta, double bytes)
{
    return alpha + beta * bytes;
}

/* The ends count most: what is short fixes alpha, what is long beta. */
static double weight_of(const struct network_point *point, const struct network_point *first,
                        const struct network_point *last)
{
    double place = 2 * log(point->bytes / first->bytes) / log(last->bytes / first->bytes) - 1; /* -1 to 1 */
    return fmax(place * place, WEIGHT_LEAST);
}

static void try_line(double alpha, double beta, int count, const struct network_point points[], struct line *best)
{
    double deviation = 0;
    if (!(alpha >= 0 && beta >= 0)) return;
    for (int i = 0; i < count && deviation < best->deviation; i++)
        deviation += weight_of(&points[i], &points[0], &points[count - 1]) *
                     fabs(law_s(alpha, beta, points[i].bytes) / points[i].time_s - 1);
    if (deviation < best->deviation) *best = (struct line){alpha, beta, deviation};
}

static struct line find_line(int count, const struct network_point points[])
{
    struct line best = {NAN, NAN, INFINITY};
    for (int i = 0; i < count; i++) {
        try_line(points[i].time_s, 0, count, points, &best);
        try_line(0, points[i].time_s / points[i].bytes, count, points, &best);
        for (int j = 0; j < i; j++) {
            double beta = (points[i].time_s - points[j].time_s) / (points[i].bytes - points[j].bytes);
            try_line(points[i].time_s - beta * points[i].bytes, beta, count, points, &best);
        }
    }
    return best;
}

static void find_deviations(const struct line *line, int count, const struct network_point points[],
                            struct network_fit *fit)
{
    double deviations[KERNEL_POINTS_MAX];
    fit->worst = -1;
    for (int i = 0; i < count; i++) {
        deviations[i] = fabs(law_s(line->alpha, line->beta, points[i].bytes) / points[i].time_s - 1);
        if (!(deviations[i] > fit->worst)) continue;
        fit->worst = deviations[i];
        fit->worst_bytes = points[i].bytes;
    }
    fit->residual = median(count, deviations);
}

/* `part` of the time at the size where it is largest. */
static bool is_told(double part, double residual)
{
    return part >= PART_LEAST && part > residual;
}

static void judge_line(const struct line *line, int count, const struct network_point points[], struct network_fit *fit)
{
    double first_s = law_s(line->alpha, line->beta, points[0].bytes);
    double last_s = law_s(line->alpha, line->beta, points[count - 1].bytes);
    bool latency = is_told(line->alpha / first_s, fit->residual);
    bool byte = is_told(line->beta * points[count - 1].bytes / last_s, fit->residual);
    if (latency) fit->latency_s = line->alpha;
    if (byte) fit->byte_s = line->beta;
    if (byte && points[0].traffic_factor > 0) fit->bandwidth = points[0].traffic_factor / line->beta;
    snprintf(fit->missing, sizeof fit->missing, "%s%s%s",
             latency ? "" : "the latency cannot be told: messages are too long for it (a smaller --first)",
             latency || byte ? "" : "; ",
             byte ? "" : "the bandwidth cannot be told: messages are too short for it (a larger --size)");
}

void network_fit(int count, const struct network_point points[], struct network_fit *fit_p)
{
    struct network_point used[KERNEL_POINTS_MAX];
    int used_count = 0;
    *fit_p = (struct network_fit){.latency_s = NAN, .byte_s = NAN, .bandwidth = NAN, .residual = NAN, .worst = NAN};
    for (int i = 0; i < count && used_count < KERNEL_POINTS_MAX; i++) {
        bool usable = isfinite(points[i].time_s) && points[i].time_s > 0 && points[i].bytes > 0;
        bool larger = used_count == 0 || points[i].bytes > used[used_count - 1].bytes;
        if (usable && larger) used[used_count++] = points[i];
    }
    fit_p->points = used_count;
    if (used_count < 3) {
        snprintf(fit_p->missing, sizeof fit_p->missing,
                 "latency and bandwidth cannot be told: it takes 3 sizes of messages at least");
        return;
    }
    struct line line = find_line(used_count, used);
    if (!isfinite(line.deviation)) {
        snprintf(fit_p->missing, sizeof fit_p->missing, "latency and bandwidth cannot be told: no line fits");
        return;
    }
    find_deviations(&line, used_count, used, fit_p);
    judge_line(&line, used_count, used, fit_p);
}

int network_predict(const struct network_fit *fit, const struct problem *problem, int ranks, double work_s,
                    struct network_prediction *prediction_p)
{
    const struct kernel_network network = {fit->latency_s, fit->byte_s};
    double time_s;
    if (!problem->kernel->predict) return -ENOTSUP;
    if (!isfinite(fit->latency_s) || !isfinite(fit->byte_s) || !(work_s >= 0)) return -EINVAL;
    int status = problem->kernel->predict(problem, ranks, &network, work_s, &time_s);
    if (status < 0) return status;
    *prediction_p = (struct network_prediction){
        .time_s = time_s, .exposed_s = time_s - work_s, .factor = time_s > 0 ? work_s / time_s : NAN};
    return 0;
}
