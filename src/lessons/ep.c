/* ep: a benchmark whose answer has been published. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { ONE, THREADS }; /* the shots */

/* NPB's sum of class B (verify in ep.f). */
static const double published_sum = 4.033815542441498e4;
/* Of a double: 53 bits. */
static const double digits_most = 15.95;

static struct spread measure_threads(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, THREADS);
}

static struct exercise_bound bound_threads(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core"};
}

static double agreeing_digits(const struct sample *sample)
{
    double error = fabs(sample->result / published_sum - 1);
    return error > 0 ? fmin(-log10(error), digits_most) : digits_most;
}

static struct spread measure_digits(const struct exercise_view *view)
{
    return exercise_number(view, THREADS, agreeing_digits);
}

static struct exercise_bound bound_digits(const struct exercise_view *view)
{
    (void)view;
    return (struct exercise_bound){digits_most, "all that a double holds"};
}

static void explain_digits(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    (void)view;
    snprintf(
        text_p, length,
        "The sum of 843 million numbers agrees with NASA's in %.1f digits. The random numbers are the same to the "
        "last bit; log and square root, and above all the order of the additions, are not those of 1991. NASA asks "
        "for 8 digits.",
        answer->middle);
}

static void explain_threads(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(
        text_p, length,
        "Embarrassingly parallel is what EP stands for: %.2f times with %d threads. Each of them jumps to its place "
        "in one sequence of random numbers, instead of drawing its own: so the answer is NASA's for any number of "
        "threads.",
        answer->middle, view->workers);
}

const struct exercise ep_exercise = {
    .name = "ep",
    .title = "A known answer: NASA's sums, by any number",
    .page = "ep",
    .intro =
        "The EP benchmark of NASA makes pairs of normal deviates and adds them up: class B, 2^30 pairs. Their sums "
        "were published, so that no computer can be fast by being wrong.\n"
        "One task does it; then {workers} threads on {cores} cores.",
    .problems = (const struct exercise_problem[]){{.kernel = "ep", .size = "B"}, {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){[ONE] = {.text = "one task", .mode = MODE_SERIAL},
                                       [THREADS] = {.text = "{workers} threads, {cores} cores", .mode = MODE_THREADS},
                                       {.text = NULL}},
    .questions =
        (const struct exercise_question[]){{.ask = "To how many decimal digits do the sums of {workers} threads "
                                                   "agree with those that NASA published?",
                                            .unit = "digits",
                                            .low = 0,
                                            .high = 17,
                                            .measure = measure_digits,
                                            .bound = bound_digits,
                                            .explain = explain_digits},
                                           {.ask = "How many times as fast as one task are {workers} threads "
                                                   "on {cores} cores?",
                                            .unit = "times",
                                            .low = 0.01,
                                            .high = 1000,
                                            .measure = measure_threads,
                                            .bound = bound_threads,
                                            .explain = explain_threads},
                                           {.ask = NULL}},
    .further = (const char *const[]){"speedup run ep --size A --variant all",
                                     "speedup study ep --modes threads,mpi --budget 1m", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    int cores = facts->machine->core_count;
    fprintf(out,
            "%d core%s: a speedup of %d at most. Class A has 2^28 pairs, class B 2^30, class C 2^32: with each class a "
            "run takes four times as long, and with %d cores %d times less.",
            cores, cores == 1 ? "" : "s", cores, cores, cores);
}

const struct page ep_page = {
    .kernel = "ep",
    .title = "A known answer: NASA's sums, by any number",
    .computes =
        "The EP (embarrassingly parallel) benchmark of NASA: 2^28 (class A) pairs of uniform random numbers. Those "
        "inside the unit circle become pairs of normal deviates (Marsaglia's polar method); they are added up "
        "and counted by size in ten bins. The sums are published, with their tolerance.",
    .threads =
        "The pairs are cut into blocks. The generator is linear (x' = a x mod 2^46), so a thread can jump to the "
        "beginning of any block: x' = a^k x.",
    .ranks = "Consecutive blocks for each rank; at the end one sum over all ranks: twelve numbers from each.",
    .bound = "The instructions of a core. The benchmark is named after that: nothing is shared.\n"
             "  S(P) = P               where each task has a core",
    .numbers = write_numbers,
    .predict = (const char *const[]){"How many decimal digits of the sums agree with NASA's?",
                                     "Does the number of threads change any of them?",
                                     "What do eight pairs at a time gain over one pair at a time?", NULL},
    .steps = (const struct page_step[]){{"speedup run ep --size S", "Class S, checked against the published sums."},
                                        {"speedup run ep --size W --variant all", "Pair by pair, or eight at a time."},
                                        {"speedup study ep --modes threads,mpi --budget 2m", "The curves."},
                                        {NULL, NULL}},
    .sights =
        (const char *const[]){"VERIFIED, with the distance from NASA's sums: about 1e-12 of them.",
                              "The same checksum for any number of threads and ranks.",
                              "A speedup like that of pi; on one core, vectors gain more than a few cores do.", NULL},
    .questions =
        (const struct page_question[]){
            {"Why does a benchmark publish its answer?",
             "Speed means nothing without the result. With one sequence of random numbers, whoever leaves out work, or "
             "does some twice, gets other sums."},
            {"Each thread could take a generator with a seed of its own. What would be lost?",
             "The answer: it would depend on the number of threads, and could no longer be compared with what was "
             "published. And nobody would have shown that the sequences do not overlap."},
            {"Class C takes 16 times as long as class A. Is its speedup 16 times as good?",
             "No: it is the same. Only what does not grow with the work, such as starting, weighs less."},
            {NULL, NULL}},
};
