/* fairness: how soon each of some tasks on one core first gets it, and how even their shares are, depends on who
 * decides and on how long a turn is. */
#include "../analyse/sharing.h"
#include "exercise.h"

#include <math.h>
#include <stdio.h>

enum { USUAL, SHORT, MIDDLE, LONG, FIFO }; /* the shots */
enum { TASKS = 4, LONG_MS = 20 };

/* Of what was to be expected: less than that is worth a word. */
static const double EARLY_SHARE = 0.7;

static double response_last_ms(const struct sample *sample)
{
    struct sharing sharing;
    sharing_of(sample, &sharing);
    return 1e3 * sharing.response_last_s;
}

static double done_mean_ms(const struct sample *sample)
{
    struct sharing sharing;
    sharing_of(sample, &sharing);
    return 1e3 * sharing.done_mean_s;
}

static double fairness(const struct sample *sample)
{
    struct sharing sharing;
    sharing_of(sample, &sharing);
    return sharing.fairness;
}

static double wall_ms(const struct sample *sample)
{
    return 1e3 * sample->wall_s;
}

static double middle(const struct exercise_view *view, int shot, double (*number)(const struct sample *))
{
    return exercise_number(view, shot, number).middle;
}

static struct spread measure_long(const struct exercise_view *view)
{
    return exercise_number(view, LONG, response_last_ms);
}

static struct spread measure_fifo(const struct exercise_view *view)
{
    return exercise_number(view, FIFO, response_last_ms);
}

static struct spread measure_fairness(const struct exercise_view *view)
{
    return exercise_number(view, FIFO, fairness);
}

static struct exercise_bound bound_long(const struct exercise_view *view)
{
    (void)view;
    return (struct exercise_bound){(TASKS - 1) * LONG_MS, "three turns of 20 ms before it"};
}

static struct exercise_bound bound_fifo(const struct exercise_view *view)
{
    return (struct exercise_bound){0.75 * middle(view, FIFO, wall_ms), "the work of the three tasks before it"};
}

static struct exercise_bound bound_fairness(const struct exercise_view *view)
{
    (void)view;
    return (struct exercise_bound){625.0 / 820, "of the shares 1, 1/2, 1/3 and 1/4"};
}

/* " Of 4 ms: 12 ms.": what was measured of the other shots. */
static int add_response(const struct exercise_view *view, int shot, const char *name, size_t length, char *text_p)
{
    double response_ms = middle(view, shot, response_last_ms);
    if (!isfinite(response_ms) || length < 1) return 0;
    return snprintf(text_p, length, " %s: %.3g ms.", name, response_ms);
}

static void explain_long(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    static const struct {
        int shot;
        const char *name;
    } others[] = {{USUAL, "The system's own slice"}, {SHORT, "A slice of 0.5 ms"}, {MIDDLE, "Of 4 ms"}};
    bool early = answer->middle < EARLY_SHARE * (TASKS - 1) * LONG_MS;
    int used = snprintf(
        text_p, length,
        "The last of %d tasks first got the core after %.3g ms: task i waits for the turns of the i - 1 before it.%s A "
        "long slice means few switches and a slow first answer, a short one the reverse; where the timer ticks every 4 "
        "ms, none is shorter than a tick.",
        TASKS, answer->middle,
        early ? " Here turns ended early, as they may where a program with a shorter slice wants the core too." : "");
    for (size_t i = 0; i < sizeof others / sizeof *others && used >= 0 && (size_t)used < length; i++)
        used += add_response(view, others[i].shot, others[i].name, length - (size_t)used, text_p + used);
}

static void explain_fifo(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double done_ms = middle(view, FIFO, done_mean_ms), in_turns_ms = middle(view, USUAL, done_mean_ms);
    int used = snprintf(text_p, length,
                        "First in, first out: nobody is interrupted, so the last task waits for all the work of the "
                        "others, %.3g ms.",
                        answer->middle);
    if (isfinite(done_ms) && isfinite(in_turns_ms) && used >= 0 && (size_t)used < length)
        snprintf(text_p + used, length - (size_t)used,
                 " But not all is worse: on average a task was done after %.3g ms; in turns, where all end together, "
                 "after %.3g ms.",
                 done_ms, in_turns_ms);
}

static void explain_fairness(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double in_turns = middle(view, USUAL, fairness);
    int used = snprintf(text_p, length,
                        "A task's share is what it got of the core from the start until its own end: under fifo the "
                        "first has all of it, the last, which waited, a quarter. Jain's index of such shares, (sum "
                        "x)^2 / (n sum x^2), is 1 where all are alike and 1/n where one has all (Jain, Chiu, Hawe "
                        "1984). Measured: fifo %.2f",
                        answer->middle);
    if (used < 0 || (size_t)used >= length) return;
    if (isfinite(in_turns))
        snprintf(text_p + used, length - (size_t)used, "; in turns, by the system's slice, %.2f.", in_turns);
    else
        snprintf(text_p + used, length - (size_t)used, ".");
}

const struct exercise fairness_exercise = {
    .name = "fairness",
    .title = "Turns on one core: response and fairness",
    .page = "pi",
    .intro = "Four tasks with equal work start together, and share ONE core. Who gets it next, and for how long, is "
             "decided by the system's policy and its time slice. Asked is how soon the last of them first gets the "
             "core (the response), and how even their shares are.\n"
             "Slices can be set from Linux 6.12 on; the real-time policies fifo and rr need a privilege (root, "
             "CAP_SYS_NICE, or ulimit -r). What cannot be had here is left out.",
    .problems = (const struct exercise_problem[]){{.kernel = "pi", .base_s = 0.4}, {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){
            [USUAL] = {.text = "4 threads, the system's slice", .mode = MODE_MULTITASK, .workers = TASKS},
            [SHORT] = {.text = "4 threads, slice 0.5 ms",
                       .mode = MODE_MULTITASK,
                       .workers = TASKS,
                       .slice_s = 5e-4,
                       .optional = true},
            [MIDDLE] = {.text = "4 threads, slice 4 ms",
                        .mode = MODE_MULTITASK,
                        .workers = TASKS,
                        .slice_s = 4e-3,
                        .optional = true},
            [LONG] = {.text = "4 threads, slice 20 ms",
                      .mode = MODE_MULTITASK,
                      .workers = TASKS,
                      .slice_s = 2e-2,
                      .optional = true},
            [FIFO] = {.text = "4 threads, policy fifo",
                      .mode = MODE_MULTITASK,
                      .workers = TASKS,
                      .policy = POLICY_FIFO,
                      .optional = true},
            {.text = NULL}},
    .questions =
        (const struct exercise_question[]){
            {.ask = "Slices of 20 ms: how long until the last of the four tasks first gets the core?",
             .unit = "ms",
             .low = 0,
             .high = 100000,
             .measure = measure_long,
             .bound = bound_long,
             .explain = explain_long},
            {.ask = "First in, first out: how long until the last one first gets the core?",
             .unit = "ms",
             .low = 0,
             .high = 100000,
             .measure = measure_fifo,
             .bound = bound_fifo,
             .explain = explain_fifo},
            {.ask = "How fair is that? 1 is equal shares for all, 0.25 all for one of the four.",
             .unit = "of 1",
             .low = 0,
             .high = 1,
             .measure = measure_fairness,
             .bound = bound_fairness,
             .explain = explain_fairness},
            {.ask = NULL}},
    .further = (const char *const[]){"speedup run pi --mode multitask --workers 4 --slice 20ms --timeline",
                                     "speedup run pi --mode multitask --workers 4 --policy fifo --timeline",
                                     "speedup run pi --mode multitask --workers 4 --policy rr --size 4e9", NULL},
};
