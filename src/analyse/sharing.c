#include "sharing.h"

#include <math.h>

double sharing_fairness(int count, const double shares[])
{
    double most = 0, sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        if (!(shares[i] >= 0) || isinf(shares[i])) return NAN;
        most = fmax(most, shares[i]);
    }
    if (!(most > 0)) return NAN;
    for (int i = 0; i < count; i++) { /* as parts of the largest: nothing overflows */
        double part = shares[i] / most;
        sum += part;
        squares += part * part;
    }
    return sum * sum / (count * squares);
}

/* fmin and fmax pass a NAN over: here it is to stay. */
static double lower(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmin(a, b);
}

static double higher(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static double share_of(const struct worker_times *worker)
{
    return worker->end_s > 0 ? (worker->cpu_s + worker->comm_cpu_s) / worker->end_s : NAN;
}

/* (sum)^2 / (n sum of squares) without a list: shares are at most some CPUs, and cannot overflow. */
void sharing_of(const struct sample *sample, struct sharing *sharing_p)
{
    struct sharing sharing = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    double sum = 0, squares = 0;
    int count = sample->worker_count;
    *sharing_p = sharing;
    if (count < 1) return;
    sharing = (struct sharing){.share_low = INFINITY};
    for (int i = 0; i < count; i++) {
        const struct worker_times *worker = &sample->workers[i];
        double share = share_of(worker);
        if (!(share >= 0)) share = NAN;
        sharing.response_mean_s += worker->response_s / count;
        sharing.response_last_s = higher(sharing.response_last_s, worker->response_s);
        sharing.done_mean_s += worker->end_s / count;
        sharing.done_last_s = higher(sharing.done_last_s, worker->end_s);
        sharing.share_low = lower(sharing.share_low, share);
        sharing.share_high = higher(sharing.share_high, share);
        sum += share;
        squares += share * share;
    }
    sharing.fairness = squares > 0 ? sum * sum / (count * squares) : NAN;
    *sharing_p = sharing;
}

int sharing_responses(const struct sample *sample, int most, double responses_p[])
{
    int known = 0, kept = 0;
    for (int i = 0; i < sample->worker_count; i++) {
        double response_s = sample->workers[i].response_s;
        if (isnan(response_s)) continue;
        known++;
        int at = kept;
        while (at > 0 && responses_p[at - 1] > response_s) at--;
        if (at >= most) continue;
        if (kept < most) kept++;
        for (int j = kept - 1; j > at; j--) responses_p[j] = responses_p[j - 1];
        responses_p[at] = response_s;
    }
    return known;
}

double sharing_waiting_bound(int tasks, double compute_s, double wait_s)
{
    if (tasks < 1 || !(compute_s >= 0) || !(wait_s >= 0)) return NAN;
    if (compute_s == 0) return wait_s > 0 ? (double)tasks : NAN;
    return fmin(tasks, (compute_s + wait_s) / compute_s);
}

static double walks_s(const struct sample *sample)
{
    double sum_s = 0;
    for (int i = 0; i < sample->worker_count; i++) sum_s += sample->workers[i].wall_s;
    return sum_s / sample->work;
}

void switching_of(const struct sample *alone, const struct sample *ring, struct switching *switching_p)
{
    *switching_p = (struct switching){NAN, NAN, NAN, NAN, NAN, NAN};
    if (!(alone->work > 0) || !(ring->work > 0)) return;
    struct switching *switching = switching_p;
    switching->alone_s = alone->wall_s / alone->work;
    switching->ring_s = ring->wall_s / ring->work;
    switching->cost_s = switching->ring_s - switching->alone_s;
    switching->walk_s = walks_s(ring) - walks_s(alone);
    switching->bare_s = switching->cost_s - switching->walk_s;
    if (ring->voluntary >= 0 && ring->involuntary >= 0)
        switching->switches = (double)(ring->voluntary + ring->involuntary) / ring->work;
}
