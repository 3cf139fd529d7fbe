/* synthetic: one dial for each thing that keeps a program from scaling. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { ONE, AMDAHL }; /* the shots */
#define SERIAL_SHARE 0.2

static struct spread measure_amdahl(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, AMDAHL);
}

static struct exercise_bound bound_amdahl(const struct exercise_view *view)
{
    struct exercise_bound bound = {.value = 1 / (SERIAL_SHARE + (1 - SERIAL_SHARE) / view->cores)};
    snprintf(bound.text, sizeof bound.text, "1 / (0.2 + 0.8 / %d), by Amdahl", view->cores);
    return bound;
}

static void explain_amdahl(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(
        text_p, length,
        "A fifth of the work is done by one worker, while %d wait%s for it: it takes the same time with any number "
        "of cores. %.2f is what is left of %d; with ever more cores it would never be more than 1 / 0.2 = 5.",
        view->cores - 1, view->cores == 2 ? "s" : "", answer->middle, view->cores);
}

const struct exercise synthetic_exercise = {
    .name = "synthetic",
    .title = "A serial part: Amdahl's law",
    .page = "synthetic",
    .intro =
        "Real arithmetic with a dial: --serial 0.2 means that a fifth of the work can be done by one worker alone, "
        "while the others wait; the rest is shared among all.\n"
        "One task does all of it; then {workers} threads on {cores} cores.",
    .problems =
        (const struct exercise_problem[]){
            {.kernel = "synthetic", .options = (const char *const[]){"serial", "0.2", "wait", "0s", NULL}},
            {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){[ONE] = {.text = "one task", .mode = MODE_SERIAL},
                                       [AMDAHL] = {.text = "{workers} threads, {cores} cores", .mode = MODE_THREADS},
                                       {.text = NULL}},
    .questions = (const struct exercise_question[]){{.ask = "A fifth of the work is serial. How many times as fast as "
                                                            "one task are {workers} threads on {cores} cores?",
                                                     .unit = "times",
                                                     .low = 0.01,
                                                     .high = 1000,
                                                     .measure = measure_amdahl,
                                                     .bound = bound_amdahl,
                                                     .explain = explain_amdahl},
                                                    {.ask = NULL}},
    .further = (const char *const[]){"speedup study synthetic --serial 0.2 --wait 0s --workers 1-4 --budget 2m",
                                     "speedup study synthetic --imbalance 0.5 --wait 0s --budget 1m", NULL},
};

static double amdahl(double serial, double workers)
{
    return 1 / (serial + (1 - serial) / workers);
}

static void write_numbers(const struct facts *facts, FILE *out)
{
    int cores = facts->machine->core_count;
    fprintf(
        out,
        "%d core%s: --serial 0.05 allows a speedup of %.2f, --serial 0.2 of %.2f, and without end of cores 20 and 5. "
        "Tasks that compute 1 ms and wait 4 ms: 4 of them on one core are up to min(4, 5) = 4 times as fast as one.",
        cores, cores == 1 ? "" : "s", amdahl(0.05, cores), amdahl(0.2, cores));
}

const struct page synthetic_page = {
    .kernel = "synthetic",
    .title = "One dial for each thing that goes wrong",
    .computes =
        "Items of integer arithmetic that can be checked exactly, and nothing else: but with dials. --serial: a "
        "share of the work that one worker does alone. --imbalance: how much more the busiest worker has. "
        "--wait: each item waits, as for a disk. --message: ranks swap bytes. --contend: workers fight for "
        "one place in memory. --grain: how long one piece of work is.",
    .threads = "Equal shares of the items, but for what the dials say.",
    .ranks = "Equal shares of the items; all wait for the serial part, and for each other at the end.",
    .bound = "Of each dial its own law:\n"
             "  serial s       S(P) = 1 / (s + (1 - s) / P)         Amdahl\n"
             "  imbalance      S(P) = P mean(work) / max(work)\n"
             "  waiting        S(k) = min(k, (C + Z) / C)           k tasks on one core\n"
             "  messages       T(P) = T(1) / P + messages (alpha + n beta)",
    .numbers = write_numbers,
    .predict = (const char *const[]){"A fifth of the work is serial: which speedup do 2 cores give, 4, and 1000?",
                                     "Items compute for 1 ms and wait for 4 ms: how much do 4 tasks gain on one core?",
                                     "Which of the factors in the study's table names each dial?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup study synthetic --serial 0.2 --wait 0s --budget 1m", "Amdahl's law."},
            {"speedup study synthetic --imbalance 0.5 --wait 0s --budget 1m", "Unequal shares."},
            {"speedup study synthetic --wait 4ms --modes multitask --workers 1,2,4,8 --budget 1m",
             "Waiting tasks on one core."},
            {"speedup study synthetic --contend false-sharing --wait 0s --modes threads --budget 1m",
             "Workers that write to one cache line."},
            {NULL, NULL}},
    .sights = (const char *const[]){"The study's sentences name the loss that was dialled in: waiting for one another "
                                    "with --serial, load balance with --imbalance.",
                                    "With --wait, tasks that share one core are faster than one: the one case in which "
                                    "multitasking speeds up.",
                                    "With all dials at zero: the speedup of pi.", NULL},
    .questions =
        (const struct page_question[]){
            {"5 % of a program is serial. Is a machine with 1000 cores the right one for it?",
             "Its speedup is 19.6 at most, and 20 with any number: 50 times too many cores. A larger problem may have "
             "a "
             "smaller serial share (Gustafson): that is what weak scaling asks."},
            {"One worker of four has twice the work of the others. Which speedup is left?",
             "Work 1 + 1 + 1 + 2 = 5 takes as long as the longest share, 2: 5 / 2 = 2.5 instead of 4."},
            {"Two threads count in two different variables, and yet slow each other down. How?",
             "The variables lie in one cache line (64 bytes): each write takes it away from the other core. False "
             "sharing; 64 bytes between them are the cure."},
            {NULL, NULL}},
};
