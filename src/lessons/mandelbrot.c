/* mandelbrot: unequal work, and what schedules do about it. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { ONE, STATIC, DYNAMIC }; /* the shots */

static struct spread measure_static(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, STATIC);
}

static struct spread measure_dynamic(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, DYNAMIC);
}

static struct exercise_bound bound_cores(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core, with equal work for all"};
}

/* Of the workers' useful CPU times, mean over maximum. */
static double balance(const struct sample *sample)
{
    double sum = 0, most = 0;
    for (int w = 0; w < sample->worker_count; w++) {
        sum += sample->workers[w].cpu_s;
        most = fmax(most, sample->workers[w].cpu_s);
    }
    return most > 0 ? 100 * sum / (most * sample->worker_count) : NAN;
}

static void explain_static(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double share = exercise_number(view, STATIC, balance).middle;
    snprintf(
        text_p, length,
        "Each thread got the same number of rows, and not the same work: points inside the set take all iterations, "
        "others some. On average a thread worked for %.0f %% of the time of the busiest, which all wait for; so "
        "%.2f is left of %d.",
        share, answer->middle, view->cores);
}

static void explain_dynamic(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double share = exercise_number(view, DYNAMIC, balance).middle;
    snprintf(
        text_p, length,
        "Whoever is done takes the next rows: nobody has to know beforehand which are dear. The threads worked for "
        "%.0f %% of the time of the busiest, and it was %.2f times as fast. The price is one counter that all of "
        "them share, asked once for each piece.",
        share, answer->middle);
}

const struct exercise mandelbrot_exercise = {
    .name = "mandelbrot",
    .title = "Unequal work, and schedules",
    .page = "mandelbrot",
    .intro =
        "For each pixel of a picture an iteration is repeated until it escapes, or for good: some pixels take one "
        "step, others all that are allowed. The rows of the picture are dealt out to the tasks.\n"
        "One task does all; then {workers} threads on {cores} cores, each with one block of rows, fixed beforehand "
        "(static); then {workers} threads that fetch the next rows when they are done (dynamic).",
    .problems = (const struct exercise_problem[]){{.kernel = "mandelbrot",
                                                   .options = (const char *const[]){"schedule", "static", NULL}},
                                                  {.kernel = "mandelbrot",
                                                   .options = (const char *const[]){"schedule", "dynamic", NULL},
                                                   .size_of = EXERCISE_SIZE_OF(0)},
                                                  {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){
            [ONE] = {.text = "one task", .mode = MODE_SERIAL},
            [STATIC] = {.text = "{workers} threads, static", .mode = MODE_THREADS},
            [DYNAMIC] = {.text = "{workers} threads, dynamic", .problem = 1, .mode = MODE_THREADS},
            {.text = NULL}},
    .questions = (const struct exercise_question[]){{.ask = "How many times as fast as one task are {workers} threads "
                                                            "with fixed blocks of rows?",
                                                     .unit = "times",
                                                     .low = 0.01,
                                                     .high = 1000,
                                                     .measure = measure_static,
                                                     .bound = bound_cores,
                                                     .explain = explain_static},
                                                    {.ask = "How many times as fast as one task are {workers} threads "
                                                            "that fetch rows when they are done?",
                                                     .unit = "times",
                                                     .low = 0.01,
                                                     .high = 1000,
                                                     .measure = measure_dynamic,
                                                     .bound = bound_cores,
                                                     .explain = explain_dynamic},
                                                    {.ask = NULL}},
    .further = (const char *const[]){"speedup study mandelbrot --schedule static --modes threads --budget 1m",
                                     "speedup run mandelbrot --image mandelbrot.png", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    char one[64];
    int cores = facts->machine->core_count;
    fprintf(out,
            "%d core%s: a speedup of %d at most, with equal work for all. A core does %s in registers, counted as "
            "multiply-adds; an iteration has 8 operations that may not be fused, since that would change the picture: "
            "each takes as long as a multiply-add, and counts half as much.",
            cores, cores == 1 ? "" : "s", cores, facts_rate(facts->peak_flops[0], "flop", sizeof one, one));
}

const struct page mandelbrot_page = {
    .kernel = "mandelbrot",
    .title = "Unequal work, and schedules",
    .computes =
        "z = z^2 + c from z = 0, for each pixel c of a picture, until |z| > 2 or the iterations are used up. The "
        "number of iterations is the pixel's colour. Pixels inside the set take all iterations.",
    .threads = "--schedule static: each thread one block of rows. dynamic: the next rows to whoever is done. guided: "
               "likewise, at first many rows, then fewer and fewer.",
    .ranks =
        "--deal block: each rank one block of rows. cyclic: rows are dealt out in turn. queue: ranks fetch the next "
        "rows from a counter that all of them share.",
    .bound = "Instructions, and the worker with the most work.\n"
             "  T(P) = max over workers of their work\n"
             "  S(P) = P mean(work) / max(work)         the load balance times P",
    .numbers = write_numbers,
    .predict =
        (const char *const[]){"Two threads, the upper and the lower half of a symmetric picture: which speedup?",
                              "And four threads with a quarter each?",
                              "What do cyclic rows do about it, and what can a queue do that they cannot?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup run mandelbrot --image mandelbrot.png", "See what is dear: the black."},
            {"speedup study mandelbrot --schedule static --modes threads --budget 1m", "Fixed blocks."},
            {"speedup study mandelbrot --schedule dynamic --modes threads --budget 1m", "Rows on demand."},
            {"speedup study mandelbrot --deal queue --modes mpi --budget 1m", "The same between processes."},
            {NULL, NULL}},
    .sights = (const char *const[]){"static: the study names load balance as the loss.",
                                    "dynamic and queue: nearly the number of cores.",
                                    "The same picture and checksum with every schedule.", NULL},
    .questions =
        (const struct page_question[]){
            {"Why not always let everybody fetch single rows?",
             "Each fetch costs: an atomic operation, between nodes a message. And neighbouring rows in one hand use "
             "caches better. Pieces must be large against the fetch, and small against a worker's share."},
            {"With two threads static may be as good as dynamic. When?",
             "When both halves have the same work: the set is symmetric about the real axis."},
            {"No schedule helps if one row takes half of the time. What does?",
             "Smaller pieces: parts of rows, or single pixels. A schedule deals out pieces; it does not cut them."},
            {NULL, NULL}},
};
