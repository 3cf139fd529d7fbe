/* Sums over spans for averages and shares; sorted slices for their quantiles; the steps for what ran at one instant;
 * and the runs of each CPU in order for who came after whom. O(n log n) in the number of spans. */
#include "timeline_summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* A record holds whole nanoseconds: an instant this near to an end is the end. */
static const double instant_s = 1e-9;
/* No tick comes as early as this. */
static const double yield_most_s = 1e-4;

static double share_of(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static bool is_whole_slice(const struct view_task *task, const struct timeline_span *span)
{
    return span->begin_s > task->low_s + instant_s && span->end_s < task->high_s - instant_s;
}

/* Time in each state, migrations, and slices: the whole ones into whole_s, all into all_s. */
static void read_spans(const struct timeline_view *view, struct timeline_summary *summary, double time_s[3],
                       int *all_count_p, double whole_s[], double all_s[])
{
    for (int t = 0; t < view->worker_count; t++) {
        int cpu = -1;
        for (int s = view->tasks[t].first_span; s < view->tasks[t].end_span; s++) {
            struct timeline_span span = timeline_view_span(view, t, s);
            double length_s = span.end_s - span.begin_s;
            if (!(length_s > 0)) continue;
            time_s[span.state] += length_s;
            if (span.state != SPAN_RUNNING) continue;
            summary->migrations += cpu >= 0 && span.cpu != cpu;
            cpu = span.cpu;
            all_s[(*all_count_p)++] = length_s;
            if (is_whole_slice(&view->tasks[t], &span)) whole_s[summary->slice_count++] = length_s;
        }
    }
}

/* Of sorted values. */
static double quantile_of_sorted(int count, const double values[], double q)
{
    if (count == 0) return NAN;
    double position = (count - 1) * q;
    int below = (int)position, above = below + 1 < count ? below + 1 : below;
    return values[below] + (position - below) * (values[above] - values[below]);
}

static double find_usual(int count, double sorted[])
{
    double sum_s = 0, total_s = 0;
    for (int i = 0; i < count; i++) total_s += sorted[i];
    for (int i = count - 1; i >= 0; i--) {
        sum_s += sorted[i];
        if (sum_s >= total_s / 2) return sorted[i];
    }
    return NAN;
}

static int summarise_spans(const struct timeline_view *view, struct timeline_summary *summary)
{
    size_t most = (size_t)view->run_count + 1;
    for (int t = 0; t < view->worker_count; t++) most += (size_t)(view->tasks[t].end_span - view->tasks[t].first_span);
    double time_s[3] = {0}, *whole_s = malloc(most * sizeof *whole_s), *all_s = malloc(most * sizeof *all_s);
    int all_count = 0, status = whole_s && all_s ? 0 : -ENOMEM;
    if (!status) {
        read_spans(view, summary, time_s, &all_count, whole_s, all_s);
        qsort(whole_s, (size_t)summary->slice_count, sizeof *whole_s, compare_doubles);
        qsort(all_s, (size_t)all_count, sizeof *all_s, compare_doubles);
        summary->slice_p5_s = quantile_of_sorted(summary->slice_count, whole_s, 0.05);
        summary->slice_p50_s = quantile_of_sorted(summary->slice_count, whole_s, 0.5);
        summary->slice_p95_s = quantile_of_sorted(summary->slice_count, whole_s, 0.95);
        summary->slice_usual_s = find_usual(all_count, all_s);
        double all_time_s = time_s[SPAN_RUNNING] + time_s[SPAN_READY] + time_s[SPAN_BLOCKED];
        summary->concurrency = share_of(all_time_s, summary->length_s);
        summary->parallelism = share_of(time_s[SPAN_RUNNING], summary->length_s);
        summary->running = share_of(time_s[SPAN_RUNNING], all_time_s);
        summary->ready = share_of(time_s[SPAN_READY], all_time_s);
        summary->blocked = share_of(time_s[SPAN_BLOCKED], all_time_s);
    }
    free(all_s);
    free(whole_s);
    return status;
}

static int summarise_steps(const struct timeline_view *view, struct timeline_summary *summary)
{
    int count;
    struct timeline_step *steps;
    if (timeline_steps(view, &count, &steps)) return -ENOMEM;
    double overlap_s = 0;
    for (int i = 0; i < count; i++) {
        if (steps[i].running > summary->most_running) summary->most_running = steps[i].running;
        if (steps[i].running >= 2 && i + 1 < count) overlap_s += steps[i + 1].at_s - steps[i].at_s;
    }
    summary->overlap = share_of(overlap_s, summary->length_s);
    free(steps);
    return 0;
}

/* The span before a run, where it began to run in view of the observer: what it had been doing. */
static bool was_ready(const struct timeline_view *view, const struct view_run *run)
{
    const struct timeline_task *task = view->tasks[run->task].task;
    return run->span > 0 && task->spans[run->span - 1].state == SPAN_READY;
}

static bool looks_yielded(const struct timeline_view *view, const struct view_cpu *cpu, int run)
{
    const struct view_run *own = &view->runs[run], *next = &view->runs[run + 1];
    struct timeline_span span = timeline_view_span(view, own->task, own->span);
    /* One that goes on itself gave way to no task of this run. */
    return run + 1 < cpu->first_run + cpu->run_count && next->task != own->task &&
           is_whole_slice(&view->tasks[own->task], &span) && span.end_s - span.begin_s < yield_most_s &&
           was_ready(view, next);
}

static void count_switches(const struct timeline_view *view, struct timeline_summary *summary)
{
    double preempted = 0, yielded = 0, blocked = 0;
    for (int c = 0; c < view->cpu_count; c++)
        for (int r = view->cpus[c].first_run; r < view->cpus[c].first_run + view->cpus[c].run_count; r++) {
            const struct view_run *run = &view->runs[r];
            if (run->task >= view->worker_count || run->span + 1 >= view->tasks[run->task].end_span) continue;
            enum span_state after = view->tasks[run->task].task->spans[run->span + 1].state;
            if (after == SPAN_BLOCKED)
                blocked++;
            else if (after == SPAN_READY && looks_yielded(view, &view->cpus[c], r))
                yielded++;
            else if (after == SPAN_READY)
                preempted++;
        }
    summary->preempted_hz = share_of(preempted, summary->length_s);
    summary->yielded_hz = share_of(yielded, summary->length_s);
    summary->blocked_hz = share_of(blocked, summary->length_s);
}

static void find_responses(const struct timeline_view *view, struct timeline_summary *summary)
{
    double sum_s = 0, last_s = 0;
    for (int t = 0; t < view->worker_count; t++) {
        double response_s = timeline_response(view, t);
        sum_s += response_s;
        last_s = fmax(last_s, response_s); /* one that is unknown is seen by the sum */
    }
    bool known = view->whole && view->worker_count > 0 && !isnan(sum_s);
    summary->response_mean_s = known ? sum_s / view->worker_count : NAN;
    summary->response_last_s = known ? last_s : NAN;
}

/* What the system says of the sample as a whole; of a part nobody knows. */
static void read_accounts(const struct timeline_view *view, struct timeline_summary *summary)
{
    double wait_s = 0, length_s = 0, voluntary = 0, involuntary = 0;
    for (int t = 0; t < view->worker_count; t++) {
        const struct timeline_task *task = view->tasks[t].task;
        wait_s += task->accounted_wait_s;
        length_s += view->tasks[t].high_s - view->tasks[t].low_s;
        voluntary += task->voluntary >= 0 ? (double)task->voluntary : NAN;
        involuntary += task->involuntary >= 0 ? (double)task->involuntary : NAN;
    }
    bool known = view->whole && view->worker_count > 0;
    summary->accounted_wait = known ? share_of(wait_s, length_s) : NAN;
    summary->voluntary_hz = known ? share_of(voluntary, summary->length_s) : NAN;
    summary->involuntary_hz = known ? share_of(involuntary, summary->length_s) : NAN;
}

static int summarise_cpus(const struct timeline_view *view, struct timeline_summary *summary)
{
    summary->cpus = calloc((size_t)view->cpu_count + 1, sizeof *summary->cpus);
    if (!summary->cpus) return -ENOMEM;
    double others_s = 0;
    for (int c = 0; c < view->cpu_count; c++) {
        const struct view_cpu *cpu = &view->cpus[c];
        double workers = 0, others = 0, length_s = cpu->high_s - cpu->low_s;
        for (int r = cpu->first_run; r < cpu->first_run + cpu->run_count; r++) {
            const struct view_run *run = &view->runs[r];
            *(run->task < view->worker_count ? &workers : &others) += run->end_s - run->begin_s;
        }
        double busy_s = view->whole && cpu->busy_s >= 0 ? cpu->busy_s : NAN;
        double rest_s = fmax(length_s - workers - others, 0);
        double foreign_s = isnan(busy_s) ? NAN : fmin(fmax(busy_s - workers - others, 0), rest_s);
        double idle_s = isnan(busy_s) ? NAN : rest_s - foreign_s;
        summary->cpus[c] = (struct cpu_use){cpu->host,
                                            cpu->cpu,
                                            share_of(workers, length_s),
                                            share_of(others, length_s),
                                            share_of(foreign_s, length_s),
                                            share_of(idle_s, length_s)};
        others_s += others;
    }
    summary->cpu_count = view->cpu_count;
    summary->others_running = share_of(others_s, summary->length_s);
    return 0;
}

static void summarise_quality(const struct timeline_view *view, struct timeline_summary *summary)
{
    for (int h = 0; h < view->host_count; h++) {
        const struct timeline *timeline = &view->hosts[h]->timeline;
        if (timeline->tier > summary->tier) summary->tier = timeline->tier;
        summary->error_s = fmax(summary->error_s, timeline->error_s);
        summary->clock_error_s = fmax(summary->clock_error_s, timeline->clock_error_s);
    }
}

int timeline_summarise(const struct timeline_view *view, struct timeline_summary *summary_p)
{
    struct timeline_summary summary = {.length_s = view->end_s - view->begin_s,
                                       .workers = view->worker_count,
                                       .others = view->task_count - view->worker_count,
                                       .tier = TIMELINE_EXACT,
                                       .preempted_hz = NAN,
                                       .yielded_hz = NAN,
                                       .blocked_hz = NAN};
    summarise_quality(view, &summary);
    int status = summarise_spans(view, &summary);
    if (!status) status = summarise_steps(view, &summary);
    if (!status) status = summarise_cpus(view, &summary);
    if (status) {
        timeline_summary_release(&summary);
        return status;
    }
    if (summary.tier == TIMELINE_EXACT) count_switches(view, &summary);
    find_responses(view, &summary);
    read_accounts(view, &summary);
    *summary_p = summary;
    return 0;
}

void timeline_summary_release(struct timeline_summary *summary)
{
    free(summary->cpus);
    *summary = (struct timeline_summary){0};
}

int timeline_summarise_record(const struct timeline_record *record, struct timeline_summary *summary_p)
{
    struct timeline_view view;
    int status = timeline_view_of(1, record, NAN, NAN, &view);
    if (!status) status = timeline_summarise(&view, summary_p);
    timeline_view_release(&view);
    return status;
}

/* The next span of running from `span` on; end_span where there is none. */
static int next_run(const struct timeline_view *view, int task, int span)
{
    while (span < view->tasks[task].end_span && view->tasks[task].task->spans[span].state != SPAN_RUNNING) span++;
    return span;
}

double timeline_response(const struct timeline_view *view, int task)
{
    const struct view_task *own = &view->tasks[task];
    int span = next_run(view, task, own->first_span);
    return span < own->end_span ? timeline_view_span(view, task, span).begin_s - view->begin_s : NAN;
}

double timeline_overlap(const struct timeline_view *view, int task_a, int task_b)
{
    const int tasks[2] = {task_a, task_b};
    double ran_s[2] = {0}, both_s = 0;
    for (int i = 0; i < 2; i++)
        for (int s = next_run(view, tasks[i], view->tasks[tasks[i]].first_span); s < view->tasks[tasks[i]].end_span;
             s = next_run(view, tasks[i], s + 1)) {
            struct timeline_span span = timeline_view_span(view, tasks[i], s);
            ran_s[i] += fmax(span.end_s - span.begin_s, 0);
        }
    int a = next_run(view, task_a, view->tasks[task_a].first_span);
    int b = next_run(view, task_b, view->tasks[task_b].first_span);
    while (a < view->tasks[task_a].end_span && b < view->tasks[task_b].end_span) {
        struct timeline_span left = timeline_view_span(view, task_a, a);
        struct timeline_span right = timeline_view_span(view, task_b, b);
        both_s += fmax(fmin(left.end_s, right.end_s) - fmax(left.begin_s, right.begin_s), 0);
        if (left.end_s < right.end_s)
            a = next_run(view, task_a, a + 1);
        else
            b = next_run(view, task_b, b + 1);
    }
    return share_of(both_s, fmin(ran_s[0], ran_s[1]));
}
