/* How well alpha and beta predict: takes a record of exchange (pingpong), fits the law of the network to it, and
 * compares what it predicts for the kernels of further records, of one rank a node, with what was measured there.
 *
 *     predict [--disturbed] [--within PERCENT] EXCHANGE.jsonl RECORD.jsonl...
 *
 * --disturbed: virtual nodes share the cores of one machine, and each takes the ranks of the others for foreign
 * programs; their samples are used all the same. --within: fails where a prediction is further off.
 *
 * Predicted are the time of communication that no work hides, and the communication factor, max(W) / T with W the
 * useful wall time of a worker and T the time of the sample (analyse/factors.h). W is taken from the sample itself: the
 * law tells nothing of it. A kernel that does nothing but exchange has a factor of 0, and times are compared alone. */
#include "../../src/analyse/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MAX = 1000 };
#define WORK_LEAST 0.01 /* of the time, for a factor to be compared */

struct request {
    bool disturbed;
    double within; /* INFINITY: nothing fails */
};

static int read_records(const char *path, bool disturbed, struct results *results_p)
{
    struct error error;
    results_init(results_p);
    if (results_read(path, results_p, &error)) {
        fprintf(stderr, "predict: %s\n", error.text);
        return -1;
    }
    for (int g = 0; disturbed && g < results_p->group_count; g++)
        for (int s = 0; s < results_p->groups[g].count; s++) {
            struct sample *sample = &results_p->groups[g].samples[s];
            if (sample->validity == SAMPLE_INVALID) sample->validity = SAMPLE_NOT_JUDGED;
        }
    return 0;
}

/* The first group of pingpong. */
static bool find_law(const struct results *results, struct network_fit *fit_p)
{
    struct network_point points[KERNEL_POINTS_MAX];
    bool judged;
    for (int g = 0; g < results->group_count; g++) {
        const struct config *config = &results->groups[g].config;
        if (strcmp(config->kernel, "exchange") || strcmp(config->variant, "pingpong")) continue;
        network_fit(network_points(&results->groups[g], points, &judged), points, fit_p);
        printf("the network: latency %.1f us, bandwidth %.1f MB/s; half of the sizes within %.1f %% of this law%s%s\n",
               1e6 * fit_p->latency_s, 1e-6 / fit_p->byte_s, 100 * fit_p->residual, *fit_p->missing ? "; " : "",
               fit_p->missing);
        return isfinite(fit_p->latency_s) && isfinite(fit_p->byte_s);
    }
    return false;
}

static double most_useful_s(const struct sample *sample)
{
    double most_s = 0;
    for (int w = 0; w < sample->worker_count; w++) most_s = fmax(most_s, sample->workers[w].wall_s);
    return most_s;
}

static bool is_off(double ratio, double within)
{
    return !(ratio <= 1 + within && ratio >= 1 / (1 + within));
}

/* Returns whether it is as near as was asked. */
static bool compare(const struct group *group, const struct network_fit *fit, const struct request *request)
{
    double predicted[SAMPLES_MAX], measured[SAMPLES_MAX], factors[SAMPLES_MAX], found[SAMPLES_MAX];
    struct problem problem;
    const struct config *config = &group->config;
    int count = 0;
    printf("%s %s, size %s, %d ranks: ", config->kernel, config->variant, config->size, config->mode.ranks);
    if (config_to_problem(config, &problem)) {
        puts("unknown here");
        return true;
    }
    for (int s = 0; s < group->count && count < SAMPLES_MAX; s++) {
        const struct sample *sample = &group->samples[s];
        struct network_prediction prediction;
        double work_s = most_useful_s(sample);
        if (!sample->correct || sample->validity == SAMPLE_INVALID) continue;
        if (network_predict(fit, &problem, config->mode.ranks, work_s, &prediction)) continue;
        predicted[count] = prediction.exposed_s;
        measured[count] = sample->wall_s - work_s;
        factors[count] = prediction.factor;
        found[count] = work_s / sample->wall_s;
        count++;
    }
    if (count == 0) {
        puts("no sample can be used, or it does not predict");
        return true;
    }
    double time_ratio = median(count, predicted) / median(count, measured);
    double factor_ratio = median(count, factors) / median(count, found);
    bool works = median(count, found) >= WORK_LEAST, off = is_off(works ? factor_ratio : time_ratio, request->within);
    printf("%d samples\n", count);
    printf("    communication not hidden: predicted %.4g s, measured %.4g s, ratio %.3f\n", median(count, predicted),
           median(count, measured), time_ratio);
    if (works)
        printf("    communication factor: predicted %.3f, measured %.3f, ratio %.3f\n", median(count, factors),
               median(count, found), factor_ratio);
    if (off) printf("    FURTHER OFF than %.0f %%\n", 100 * request->within);
    return !off;
}

int main(int argc, char *argv[])
{
    struct request request = {.within = INFINITY};
    struct results results;
    struct network_fit fit;
    bool good = true;
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--disturbed") == 0)
            request.disturbed = true;
        else if (strcmp(argv[at], "--within") == 0 && at + 1 < argc)
            request.within = strtod(argv[++at], NULL) / 100;
    }
    if (argc - at < 2) {
        fputs("predict [--disturbed] [--within PERCENT] EXCHANGE.jsonl RECORD.jsonl...\n", stderr);
        return 2;
    }
    if (read_records(argv[at], request.disturbed, &results)) return 1;
    bool law = find_law(&results, &fit);
    results_release(&results);
    if (!law) {
        fprintf(stderr, "predict: %s does not tell latency and bandwidth (exchange, variant pingpong)\n", argv[at]);
        return 1;
    }
    for (at++; at < argc; at++) {
        if (read_records(argv[at], request.disturbed, &results)) return 1;
        for (int g = 0; g < results.group_count; g++) good &= compare(&results.groups[g], &fit, &request);
        results_release(&results);
    }
    return good ? 0 : 1;
}
