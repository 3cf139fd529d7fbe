/* pi: independent work gets what the cores can give, and tasks that take turns get nothing. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { ONE, THREADS, TURNS }; /* the shots */

static struct spread measure_threads(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, THREADS);
}

static struct spread measure_turns(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, TURNS);
}

static struct exercise_bound bound_threads(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core"};
}

static struct exercise_bound bound_turns(const struct exercise_view *view)
{
    (void)view;
    return (struct exercise_bound){1, "there is one core, however many tasks it serves"};
}

static double parallelism(const struct sample *sample)
{
    return sample->parallelism;
}

static void explain_threads(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double running = exercise_number(view, THREADS, parallelism).middle;
    bool ideal = answer->middle > 0.85 * view->cores;
    snprintf(
        text_p, length,
        "The points are independent: nobody waits for anybody. On average %.2f threads executed at the same instant, "
        "and it was %.2f times as fast. %s What is lost here is lost by every program on this machine: cores that "
        "share a clock, a power budget or a host.",
        running, answer->middle,
        ideal ? "Each core does nearly as much as it does alone."
              : "Each core does less than it does alone, though they share neither data nor memory.");
}

static void explain_turns(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double running = exercise_number(view, TURNS, parallelism).middle;
    snprintf(text_p, length,
             "%d tasks were under way, but only %.2f executed at the same instant: the core gave each of them a slice "
             "of time, in turn. That is multitasking. Switching costs microseconds every few milliseconds, so next to "
             "nothing is lost (%.2f times the speed), and nothing is gained.",
             view->workers, running, answer->middle);
}

const struct exercise pi_exercise = {
    .name = "pi",
    .title = "Independent work: what the cores can give",
    .page = "pi",
    .intro = "Random points in a square tell pi: the share of them that falls into the circle. The points have nothing "
             "to do with each other, so they can be dealt out to any number of tasks.\n"
             "One task does all of them; then {workers} threads on {cores} cores; then {workers} threads that have to "
             "take turns on one core.",
    .problems = (const struct exercise_problem[]){{.kernel = "pi"}, {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){[ONE] = {.text = "one task", .mode = MODE_SERIAL},
                                       [THREADS] = {.text = "{workers} threads, {cores} cores", .mode = MODE_THREADS},
                                       [TURNS] = {.text = "{workers} threads, one core", .mode = MODE_MULTITASK},
                                       {.text = NULL}},
    .questions =
        (const struct exercise_question[]){
            {.ask = "How many times as fast as one task are {workers} threads on {cores} cores?",
             .unit = "times",
             .low = 0.01,
             .high = 1000,
             .measure = measure_threads,
             .bound = bound_threads,
             .explain = explain_threads},
            {.ask = "How many times as fast as one task are {workers} threads that take turns on one core?",
             .unit = "times",
             .low = 0.01,
             .high = 1000,
             .measure = measure_turns,
             .bound = bound_turns,
             .explain = explain_turns},
            {.ask = NULL}},
    .further = (const char *const[]){"speedup study pi --modes multitask,threads --budget 1m",
                                     "speedup run pi --mode multitask --timeline", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    int cores = facts->machine->core_count;
    fprintf(
        out,
        "%d core%s: T(%d) = T(1) / %d, a speedup of %d. %d tasks on one of them: a speedup of 1. What ends the run, a "
        "sum of one number from each task, takes microseconds.",
        cores, cores == 1 ? "" : "s", cores, cores, cores, 2 * cores);
}

const struct page pi_page = {
    .kernel = "pi",
    .title = "Independent work: what the cores can give",
    .computes = "N random points in a square. The share of them that lies in the inscribed quarter of a circle is pi / "
                "4. The hits are counted as whole numbers. Each point has a number, and its coordinates are computed "
                "from that number (Philox), not drawn one after the other: so it does not matter who does which point.",
    .threads =
        "The points of a rank are cut into blocks of consecutive numbers; each thread gets an equal share of the "
        "blocks, and counts for itself.",
    .ranks = "Each rank gets an equal share of the points. At the end one sum over all ranks adds the counts: eight "
             "bytes from each.",
    .bound = "The instructions that a core can execute. Nothing is shared: neither data, nor memory, nor a network.\n"
             "  T(P) = T(1) / P        S(P) = T(1) / T(P) = P, where each task has a core\n"
             "  S(P) = 1               where P tasks take turns on one core",
    .numbers = write_numbers,
    .predict = (const char *const[]){"How many times as fast as one task are two threads on two cores?",
                                     "And two threads that have to share one core?",
                                     "Does it make a difference whether the tasks are threads or processes?",
                                     "What do twice as many tasks as cores come to?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup run pi --variant all", "How the inner loop is written, on one core."},
            {"speedup study pi --modes multitask,threads,mpi --budget 2m -o pi.jsonl",
             "The curves: taking turns on one core, and running at once on several."},
            {"speedup run pi --mode multitask --timeline", "Who runs when, where tasks take turns."},
            {"speedup report pi.jsonl", "The tables again, at any time; --help shows its formats."},
            {NULL, NULL}},
    .sights =
        (const char *const[]){
            "threads and mpi: within a few per cent of the number of cores, up to the cores; beyond them no more.",
            "multitask: 1, for any number of tasks. Concurrency is the number of tasks, parallelism is 1.",
            "The same bits of pi, and the same checksum, in every row.",
            "Processes and threads are alike. On a virtual machine, or where cores share a power budget, all of them "
            "stay some per cent below the ideal.",
            NULL},
    .questions =
        (const struct page_question[]){
            {"Two tasks on one core are under way at the same time. In what sense is that not parallel?",
             "Concurrency counts what has begun and not ended: 2. Parallelism counts what executes at an instant: 1. "
             "The core runs one, then the other, a few milliseconds each."},
            {"Why must the random numbers belong to the points, and not to the tasks?",
             "With one generator for each task, the points, and so the estimate, would depend on how many tasks there "
             "are: T(1) and T(P) would be times of different problems, and no check could compare the results."},
            {"The estimate has an error of about 1.6 / sqrt(N). How much more work is one digit more, and does it "
             "change the speedup?",
             "A hundred times the work. The speedup stays the same: it is of the cores, not of the size, as long as a "
             "run is long against starting and ending it."},
            {"You measure 1.9 on two cores. Name three things that could have taken the rest.",
             "Another program on one of the cores (see what invalid samples say); a clock that is lower when both "
             "cores work; hardware threads of one core that were taken for two; a host that gives its virtual cores "
             "less than whole ones. 'speedup machine' warns of those it can see."},
            {NULL, NULL}},
};
