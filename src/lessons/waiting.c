/* waiting: tasks that mostly wait gain from sharing one core, until it is always busy. */
#include "../analyse/sharing.h"
#include "exercise.h"

#include <math.h>
#include <stdio.h>

enum { ONE, TWO, FOUR, EIGHT, PROCESSES }; /* the shots */

/* Of one task alone: C / (C + Z). */
static double computing_share(const struct sample *sample)
{
    double cpu_s = 0;
    for (int i = 0; i < sample->worker_count; i++) cpu_s += sample->workers[i].cpu_s;
    return sample->wall_s > 0 ? cpu_s / sample->wall_s : NAN;
}

static double parallelism(const struct sample *sample)
{
    return sample->parallelism;
}

static double bound_of(const struct exercise_view *view, int tasks)
{
    double share = exercise_number(view, ONE, computing_share).middle;
    return sharing_waiting_bound(tasks, share, fmax(0, 1 - share));
}

static struct exercise_bound bound_text(const struct exercise_view *view, int tasks)
{
    struct exercise_bound bound = {.value = bound_of(view, tasks)};
    double share = exercise_number(view, ONE, computing_share).middle;
    snprintf(bound.text, sizeof bound.text,
             "min(%d, (C + Z) / C): one task alone computed for %.0f %% of its time, which is C / (C + Z)", tasks,
             100 * share);
    return bound;
}

static struct spread measure_four(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, FOUR);
}

static struct spread measure_eight(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, EIGHT);
}

static struct exercise_bound bound_four(const struct exercise_view *view)
{
    return bound_text(view, 4);
}

static struct exercise_bound bound_eight(const struct exercise_view *view)
{
    return bound_text(view, 8);
}

/* " Two: 1.84 times.": where that was measured. */
static int add_ratio(const struct exercise_view *view, int shot, const char *name, size_t length, char *text_p)
{
    double ratio = exercise_ratio(view, ONE, shot).middle;
    return isfinite(ratio) ? snprintf(text_p, length, " %s: %.2f times.", name, ratio) : 0;
}

static void explain_four(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    int used = snprintf(text_p, length,
                        "While one task waits, another computes: the waits overlap, the computing does not. What is "
                        "missing to the bound went by while two of them wanted the core at the same instant, and on "
                        "sleeping and being woken. Four threads: %.2f times.",
                        answer->middle);
    if (used >= 0 && (size_t)used < length) used += add_ratio(view, TWO, "Two", length - (size_t)used, text_p + used);
    if (used >= 0 && (size_t)used < length)
        add_ratio(view, PROCESSES, "Four processes, which to the core are tasks too", length - (size_t)used,
                  text_p + used);
}

static void explain_eight(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(text_p, length,
             "Eight tasks bring more to compute than one core can do while one of them waits: it was busy for most of "
             "the time (parallelism %.2f, of 1), and %.2f times as fast. Where it is always busy, more tasks gain "
             "nothing, and only a second core would.",
             exercise_number(view, EIGHT, parallelism).middle, answer->middle);
}

const struct exercise waiting_exercise = {
    .name = "waiting",
    .title = "Tasks that wait: what multitasking is good for",
    .page = "synthetic",
    .intro = "Items like the requests of a server: each computes for about a millisecond (C) and then waits for four "
             "(Z), as for a disk. The items are dealt out to 1, 2, 4 and 8 tasks, and all tasks share ONE core.",
    .problems = (const struct exercise_problem[]){{.kernel = "synthetic",
                                                   .options = (const char *const[]){"operations", "800000", "wait",
                                                                                    "4ms", NULL},
                                                   .base_s = 1.2},
                                                  {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){
            [ONE] = {.text = "one task", .mode = MODE_SERIAL},
            [TWO] = {.text = "2 threads, one core", .mode = MODE_MULTITASK, .workers = 2},
            [FOUR] = {.text = "4 threads, one core", .mode = MODE_MULTITASK, .workers = 4},
            [EIGHT] = {.text = "8 threads, one core", .mode = MODE_MULTITASK, .workers = 8},
            [PROCESSES] = {.text = "4 processes, one core", .mode = MODE_MULTITASK_MPI, .workers = 4, .optional = true},
            {.text = NULL}},
    .questions =
        (const struct exercise_question[]){
            {.ask = "1 ms of computing, 4 ms of waiting. How many times as fast as one task are 4 on one core?",
             .unit = "times",
             .low = 0.01,
             .high = 1000,
             .measure = measure_four,
             .bound = bound_four,
             .explain = explain_four},
            {.ask = "And 8 tasks on one core?",
             .unit = "times",
             .low = 0.01,
             .high = 1000,
             .measure = measure_eight,
             .bound = bound_eight,
             .explain = explain_eight},
            {.ask = NULL}},
    .further =
        (const char *const[]){"speedup study synthetic --wait 4ms --modes multitask --workers 1,2,4,8 --budget 1m",
                              "speedup run synthetic --wait 4ms --mode multitask --workers 8 --timeline", NULL},
};
