/* Each turn (sampler_turns.c) has a length and a window for its begin, and may not begin before its task's last turn
 * ended and the task had waited, nor before its CPU's last turn ended. All turns in order, these bounds are passed on
 * forwards (earliest begins) and backwards (latest ones), which leaves windows far smaller than the time between looks
 * where tasks take turns. Then each turn is placed, as near as it may to where the last one ended. What remains before
 * a turn is waiting, as long as was counted, and blocked. Error: a begin lies in its window, so it is wrong by at most
 * the time between two looks. Never two at once on a CPU; sums are those of the counters, but for what a task ran after
 * the last look at it (stolen time counts as running, as with the kernel's records). Cost: n log n of turns.
 */
#include "sampler_build.h"

#include "sampler_turns.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Not before that turn's begin can this one begin, for it must end, and its own task waits. */
static double distance_s(const struct turn *before, const struct turn *turn)
{
    return before->length_s + (before->task == turn->task && !turn->several ? turn->wait_s : 0);
}

static void raise_low(struct turns *turns, struct turn *turn, int before)
{
    if (before < 0) return;
    const struct turn *other = &turns->list[before];
    turn->low_s = fmin(turn->high_s, fmax(turn->low_s, other->low_s + distance_s(other, turn)));
}

static void lower_high(struct turns *turns, const struct turn *turn, int before)
{
    if (before < 0) return;
    struct turn *other = &turns->list[before];
    other->high_s = fmax(other->low_s, fmin(other->high_s, turn->high_s - distance_s(other, turn)));
}

static void narrow_windows(struct turns *turns)
{
    for (int i = 0; i < turns->count; i++) {
        struct turn *turn = &turns->list[turns->order[i]];
        raise_low(turns, turn, turn->before_of_task);
        raise_low(turns, turn, turn->before_on_cpu);
    }
    for (int i = turns->count - 1; i >= 0; i--) {
        const struct turn *turn = &turns->list[turns->order[i]];
        lower_high(turns, turn, turn->before_of_task);
        lower_high(turns, turn, turn->before_on_cpu);
    }
}

static int compare_keys(const void *left, const void *right, void *list)
{
    int a = *(const int *)left, b = *(const int *)right;
    double key_a = ((const struct turn *)list)[a].key, key_b = ((const struct turn *)list)[b].key;
    if (key_a < key_b || key_a > key_b) return key_a < key_b ? -1 : 1;
    return a - b; /* a task's turns in their order */
}

/* By their middles: of two that began between the same looks, the one that lasts came second. */
static void sort_turns(struct turns *turns)
{
    for (int i = 0; i < turns->count; i++) {
        struct turn *turn = &turns->list[i];
        turn->key = 0.5 * (turn->low_s + turn->high_s + turn->length_s);
        if (turn->before_of_task >= 0) turn->key = fmax(turn->key, turns->list[turn->before_of_task].key);
    }
    qsort_r(turns->order, (size_t)turns->count, sizeof *turns->order, compare_keys, turns->list);
}

/* The CPUs' turns one behind the other: each turn learns which was there before. -ENOMEM. */
static int link_cpus(struct turns *turns)
{
    int cpu_max = -1;
    for (int i = 0; i < turns->count; i++)
        if (turns->list[i].cpu > cpu_max) cpu_max = turns->list[i].cpu;
    int *last = malloc((size_t)(cpu_max + 1) * sizeof *last + 1);
    if (!last) return -ENOMEM;
    for (int cpu = 0; cpu <= cpu_max; cpu++) last[cpu] = -1;
    for (int i = 0; i < turns->count; i++) {
        struct turn *turn = &turns->list[turns->order[i]];
        turn->before_on_cpu = last[turn->cpu];
        last[turn->cpu] = turns->order[i];
    }
    free(last);
    return 0;
}

/* Where nothing else fits, the turn before ends earlier than its counters say. */
static double end_before(struct turns *turns, int before, double latest_s)
{
    if (before < 0) return -INFINITY;
    struct turn *other = &turns->list[before];
    if (other->end_s > latest_s) other->end_s = fmax(other->begin_s, latest_s);
    return other->end_s;
}

static void place_turn(struct turns *turns, struct turn *turn)
{
    double own_s = end_before(turns, turn->before_of_task, turn->high_s);
    double other_s = end_before(turns, turn->before_on_cpu, turn->high_s);
    double earliest_s = fmax(turn->low_s, fmax(own_s, other_s));
    double waited_s = own_s + (turn->several ? 0 : turn->wait_s);
    double begin_s = 0.5 * (turn->low_s + turn->high_s);
    if (other_s >= turn->low_s && other_s <= turn->high_s && turn->wait_s > 0) begin_s = other_s;
    if (!turn->was_blocked && waited_s >= turn->low_s && waited_s <= turn->high_s) begin_s = waited_s;
    turn->begin_s = fmax(earliest_s, fmin(begin_s, turn->high_s));
    turn->end_s = turn->begin_s + turn->length_s;
}

/* A last turn whose end nobody saw lasts until the CPU has another, or the task ends: the counter lags by a tick. */
static void extend_open(struct turns *turns, const struct sampled_task tasks[])
{
    for (int i = 0; i < turns->count; i++) {
        struct turn *turn = &turns->list[i];
        turn->limit_s = turn->open ? sampled_end_s(&tasks[turn->task]) : turn->end_s;
    }
    for (int i = 0; i < turns->count; i++) {
        int before = turns->list[i].before_on_cpu;
        if (before >= 0) turns->list[before].limit_s = fmin(turns->list[before].limit_s, turns->list[i].begin_s);
    }
    for (int i = 0; i < turns->count; i++)
        if (turns->list[i].open) turns->list[i].end_s = fmax(turns->list[i].end_s, turns->list[i].limit_s);
}

static int place_turns(struct turns *turns, const struct sampled_task tasks[])
{
    for (int i = 0; i < turns->count; i++) turns->order[i] = i;
    narrow_windows(turns);
    sort_turns(turns);
    if (link_cpus(turns) < 0) return -ENOMEM;
    narrow_windows(turns);
    for (int i = 0; i < turns->count; i++) place_turn(turns, &turns->list[turns->order[i]]);
    extend_open(turns, tasks);
    return 0;
}

/* One task's spans so far. */
struct spans {
    struct timeline_task *task;
    double origin_s;
    double at_s, end_s; /* on the clock: told so far, and the task's end */
    double owed_s;      /* waiting that was counted and is not told yet */
};

static int tell(struct spans *spans, double until_s, enum span_state state, int cpu)
{
    until_s = fmin(until_s, spans->end_s);
    if (!(until_s > spans->at_s)) return 0;
    const struct timeline_span span = {spans->at_s - spans->origin_s, until_s - spans->origin_s, state, cpu};
    spans->at_s = until_s;
    return timeline_add_span(spans->task, &span);
}

/* Before a turn: blocked, then waiting. A remainder that is shorter than the time between looks is waiting too, unless
 * the task was seen blocked. */
static int tell_turn(struct spans *spans, const struct turn *turn)
{
    double gap_s = fmax(0, turn->begin_s - spans->at_s);
    spans->owed_s += turn->wait_s;
    double ready_s = fmin(gap_s, spans->owed_s);
    spans->owed_s -= ready_s;
    if (!turn->was_blocked && gap_s - ready_s <= turn->look_s) ready_s = gap_s;
    if (tell(spans, turn->begin_s - ready_s, SPAN_BLOCKED, -1) < 0) return -ENOMEM;
    if (tell(spans, turn->begin_s, SPAN_READY, -1) < 0) return -ENOMEM;
    return tell(spans, turn->end_s, SPAN_RUNNING, turn->cpu);
}

/* A new task waits for its first turn, or was seen without one. */
static double find_begin_s(const struct turns *turns, int first, int number, const struct sampled_task *task)
{
    if (task->there_before || first >= turns->count || turns->list[first].task != number) return sampled_begin_s(task);
    const struct turn *turn = &turns->list[first];
    return fmax(task->born_after_s, fmin(turn->begin_s - turn->wait_s, task->sightings[0].first_s));
}

static int tell_task(const struct turns *turns, int first, int number, double start_s, const struct sampled_task *task,
                     struct timeline *timeline)
{
    const struct timeline_task described = sampled_describe(task);
    if (timeline_add_task(timeline, &described) < 0) return -ENOMEM;
    struct spans spans = {.task = &timeline->tasks[timeline->task_count - 1],
                          .origin_s = start_s,
                          .at_s = fmax(start_s, find_begin_s(turns, first, number, task)),
                          .end_s = sampled_end_s(task)};
    int status = 0;
    for (int i = first; i < turns->count && turns->list[i].task == number && status == 0; i++)
        status = tell_turn(&spans, &turns->list[i]);
    if (status == 0 && !task->over)
        status = tell(&spans, spans.end_s, task->sightings[task->count - 1].runnable ? SPAN_READY : SPAN_BLOCKED, -1);
    return status;
}

int sampler_build(bool counted, double start_s, int count, const struct sampled_task tasks[],
                  struct timeline *timeline_p, double *error_s_p)
{
    if (!counted) return sampler_build_coarse(start_s, count, tasks, timeline_p, error_s_p);
    struct turns turns;
    int status = turns_find(&turns, count, tasks);
    turns.order = malloc((size_t)turns.count * sizeof *turns.order + 1);
    if (status == 0) status = turns.order ? place_turns(&turns, tasks) : -ENOMEM;
    for (int i = 0, first = 0; i < count && status == 0; i++) {
        if (tasks[i].count == 0) continue;
        status = tell_task(&turns, first, i, start_s, &tasks[i], timeline_p);
        while (first < turns.count && turns.list[first].task == i) first++;
    }
    *error_s_p = sampled_longest_gap_s(count, tasks);
    free(turns.order);
    free(turns.list);
    return status;
}

double sampled_begin_s(const struct sampled_task *task)
{
    return task->there_before ? task->born_after_s : 0.5 * (task->born_after_s + task->sightings[0].first_s);
}

double sampled_end_s(const struct sampled_task *task)
{
    double last_s = task->sightings[task->count - 1].last_s;
    if (task->over) return task->sightings[task->count - 1].first_s;
    return isnan(task->gone_s) ? last_s : 0.5 * (last_s + task->gone_s);
}

struct timeline_task sampled_describe(const struct sampled_task *task)
{
    struct timeline_task described = {.pid = task->pid,
                                      .tid = task->tid,
                                      .rank = -1,
                                      .thread = -1,
                                      .accounted_wait_s = NAN,
                                      .voluntary = -1,
                                      .involuntary = -1};
    memcpy(described.name, task->name, sizeof described.name);
    return described;
}

double sampled_longest_gap_s(int count, const struct sampled_task tasks[])
{
    double longest_s = 0;
    for (int i = 0; i < count; i++) {
        const struct sampled_task *task = &tasks[i];
        if (task->count == 0) continue;
        longest_s = fmax(longest_s, task->sightings[0].first_s - task->born_after_s);
        for (int s = 1; s < task->count; s++)
            longest_s = fmax(longest_s, task->sightings[s].first_s - task->sightings[s - 1].last_s);
        if (!isnan(task->gone_s) && !task->over)
            longest_s = fmax(longest_s, task->gone_s - task->sightings[task->count - 1].last_s);
    }
    return longest_s;
}
