/* Turns: a task's time on a core from when it got it to when it left. Each rise of the number of turns is one; it began
 * between the two looks. The counters tell its length (what ran_ns rose until the task got a core again) and exactly
 * how long the task had waited for it. Since ran_ns moves at departures and ticks, each of its moves also says when the
 * turn was that long, which narrows the window of its begin. Several turns between two looks are told as one, of their
 * sums. Where a rise of ran_ns could be the last turn's or the new one's, the wait decides: one that began before the
 * last look, or another task on the CPU by then, tells that the last turn was over.
 * Cost: sightings, and sorting the turns.
 */
#include "sampler_turns.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* A task that runs is charged by then: two ticks where there are 100 a second. */
static const double ticks_s = 0.02;

/* A task other than the one in question got a core: half way between the looks. */
struct arrival {
    double time_s;
    int cpu, task;
};

struct arrivals {
    int count;
    struct arrival *list; /* by time */
};

/* One task's walk through its sightings. */
struct walk {
    struct turns *turns;
    const struct arrivals *arrivals;
    int task, current; /* turn; -1: none yet */
    bool closed;       /* the current turn is known to be over */
    double since_s;    /* the current turn was seen to have begun */
    double ran_s;      /* when ran_ns was seen to have moved last */
    double wait_s;     /* counted, for the next turn */
};

static int add_turn(struct turns *turns, const struct turn *turn)
{
    if (turns->count == turns->capacity) {
        int capacity = turns->capacity > 0 ? 2 * turns->capacity : 256;
        struct turn *list = realloc(turns->list, (size_t)capacity * sizeof *list);
        if (!list) return -ENOMEM;
        turns->list = list;
        turns->capacity = capacity;
    }
    turns->list[turns->count++] = *turn;
    return 0;
}

/* The turn was so much longer at a moment between the two looks. Where it cannot have begun as late as that asks for,
 * time was taken from the CPU itself (a hypervisor's steal, interrupts): the task had the core all the same. */
static void lengthen(struct turn *turn, double ran_s, double from_s, double to_s)
{
    turn->length_s += ran_s;
    if (from_s - turn->length_s > turn->high_s) turn->length_s = from_s - turn->high_s;
    turn->low_s = fmin(turn->high_s, fmax(turn->low_s, from_s - turn->length_s));
    turn->high_s = fmax(turn->low_s, fmin(turn->high_s, to_s - turn->length_s));
}

static int compare_arrivals(const void *left, const void *right)
{
    double a = ((const struct arrival *)left)->time_s, b = ((const struct arrival *)right)->time_s;
    return a < b ? -1 : a > b;
}

static int find_arrivals(int count, const struct sampled_task tasks[], struct arrivals *arrivals_p)
{
    size_t room = 0;
    for (int i = 0; i < count; i++) room += (size_t)tasks[i].count;
    struct arrival *list = malloc(room * sizeof *list + 1);
    if (!list) return -ENOMEM;
    int found = 0;
    for (int i = 0; i < count; i++)
        for (int s = 1; s < tasks[i].count; s++) {
            const struct sighting *was = &tasks[i].sightings[s - 1], *is = &tasks[i].sightings[s];
            if (is->turns > was->turns) list[found++] = (struct arrival){0.5 * (was->last_s + is->first_s), is->cpu, i};
        }
    if (found > 0) qsort(list, (size_t)found, sizeof *list, compare_arrivals);
    *arrivals_p = (struct arrivals){found, list};
    return 0;
}

/* Whether another task got the current turn's CPU meanwhile: then the turn is over. */
static bool is_succeeded(const struct walk *walk, double until_s)
{
    const struct arrivals *arrivals = walk->arrivals;
    int low = 0, high = arrivals->count, cpu = walk->turns->list[walk->current].cpu;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (arrivals->list[middle].time_s <= walk->since_s)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < arrivals->count && arrivals->list[low].time_s < until_s; low++)
        if (arrivals->list[low].cpu == cpu && arrivals->list[low].task != walk->task) return true;
    return false;
}

static bool is_over(const struct walk *walk, const struct sighting *was)
{
    return walk->current < 0 || walk->closed || is_succeeded(walk, was->last_s);
}

static int begin_turn(struct walk *walk, const struct sighting *was, const struct sighting *is, double wait_s,
                      bool several)
{
    const struct turn turn = {.task = walk->task,
                              .cpu = is->cpu,
                              .before_of_task = walk->current,
                              .before_on_cpu = -1,
                              .low_s = was->last_s,
                              .high_s = is->first_s,
                              .wait_s = wait_s,
                              .look_s = is->first_s - was->last_s,
                              .was_blocked = !was->runnable,
                              .several = several};
    walk->current = walk->turns->count;
    walk->since_s = is->first_s;
    return add_turn(walk->turns, &turn);
}

/* The task got a core once. What it ran belongs to the turn before, where that went on after the last look. */
static int walk_once(struct walk *walk, const struct sighting *was, const struct sighting *is, double ran_s,
                     double wait_s)
{
    bool over = ran_s <= 0 || is->first_s - wait_s <= was->last_s || is_over(walk, was);
    if (!over) lengthen(&walk->turns->list[walk->current], ran_s, was->last_s, is->first_s);
    if (begin_turn(walk, was, is, wait_s, false) < 0) return -ENOMEM;
    if (over && ran_s > 0) lengthen(&walk->turns->list[walk->current], ran_s, was->last_s, is->first_s);
    return 0;
}

/* The task got a core several times. What it ran before the last look, uncounted then, is the turn's before. */
static int walk_several(struct walk *walk, const struct sighting *was, const struct sighting *is, double ran_s,
                        double wait_s)
{
    double uncounted_s = was->last_s - walk->ran_s;
    if (uncounted_s > 0 && wait_s < uncounted_s && !is_over(walk, was)) {
        double before_s = fmin(ran_s, uncounted_s);
        lengthen(&walk->turns->list[walk->current], before_s, was->last_s, is->first_s);
        ran_s -= before_s;
    }
    if (begin_turn(walk, was, is, wait_s, true) < 0) return -ENOMEM;
    struct turn *turn = &walk->turns->list[walk->current];
    turn->length_s = fmin(ran_s, turn->look_s);
    turn->high_s = fmax(turn->low_s, turn->high_s - turn->length_s);
    if (!is->runnable || is->displaced) return 0;
    /* The last of them may go on. */
    return begin_turn(walk, was, is, 0, false);
}

static int walk_change(struct walk *walk, const struct sighting *was, const struct sighting *is)
{
    /* Counters that fall are no counters of ours to explain. */
    double ran_s = is->ran_ns > was->ran_ns ? 1e-9 * (double)(is->ran_ns - was->ran_ns) : 0;
    double waited_s = is->waited_ns > was->waited_ns ? 1e-9 * (double)(is->waited_ns - was->waited_ns) : 0;
    int status = 0;
    walk->wait_s += waited_s;
    if (is->turns <= was->turns) {
        if (ran_s > 0 && walk->current >= 0)
            lengthen(&walk->turns->list[walk->current], ran_s, was->last_s, is->first_s);
    } else {
        status = is->turns == was->turns + 1 ? walk_once(walk, was, is, ran_s, walk->wait_s)
                                             : walk_several(walk, was, is, ran_s, walk->wait_s);
        walk->wait_s = 0;
    }
    walk->closed = !is->runnable || is->displaced;
    if (ran_s > 0 || is->turns > was->turns) walk->ran_s = is->first_s;
    return status;
}

/* Of a task that ran before: its first look is where counting begins. Where it could run it may have had a core then;
 * whether it had, the next change tells, and a turn of no length is none. */
static int walk_first(struct walk *walk, const struct sighting *first)
{
    walk->closed = !first->runnable || first->displaced;
    walk->ran_s = first->first_s;
    if (walk->closed) return 0;
    const struct sighting before = {.last_s = first->first_s, .runnable = true};
    return begin_turn(walk, &before, first, 0, false);
}

/* The counters of a task that ran before also rise by what had been before the first look. */
static struct sighting without_before(const struct sampled_task *task, const struct sighting *is)
{
    const struct sighting *first = &task->sightings[0];
    uint64_t since_ns = (uint64_t)(1e9 * fmax(0, is->first_s - first->first_s));
    struct sighting corrected = *is;
    if (is->ran_ns > first->ran_ns + since_ns) corrected.ran_ns = first->ran_ns + since_ns;
    if (is->waited_ns > first->waited_ns + since_ns) corrected.waited_ns = first->waited_ns + since_ns;
    return corrected;
}

static int find_turns(struct turns *turns, const struct arrivals *arrivals, int number, const struct sampled_task *task)
{
    struct walk walk = {.turns = turns, .arrivals = arrivals, .task = number, .current = -1};
    struct sighting was = {.first_s = task->born_after_s, .last_s = task->born_after_s, .runnable = true};
    int status = task->there_before ? walk_first(&walk, &task->sightings[0]) : 0, first = task->there_before ? 1 : 0;
    if (task->there_before) was = task->sightings[0];
    for (int i = first; i < task->count && status == 0; i++) {
        const struct sighting is = task->there_before ? without_before(task, &task->sightings[i]) : task->sightings[i];
        status = walk_change(&walk, &was, &is);
        was = is;
    }
    if (status == 0 && walk.current >= 0)
        turns->list[walk.current].open = !walk.closed && walk.wait_s <= 0 && was.last_s - walk.ran_s < ticks_s;
    return status;
}

int turns_find(struct turns *turns_p, int count, const struct sampled_task tasks[])
{
    struct arrivals arrivals = {0, NULL};
    *turns_p = (struct turns){.list = NULL};
    int status = find_arrivals(count, tasks, &arrivals);
    for (int i = 0; i < count && status == 0; i++)
        if (tasks[i].count > 0) status = find_turns(turns_p, &arrivals, i, &tasks[i]);
    free(arrivals.list);
    return status;
}
