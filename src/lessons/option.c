/* option: a sum of floating-point numbers has the same bits for any number of workers only if its order is fixed. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ONE, THREADS, TURNS, SHOTS }; /* the shots */

static struct spread measure_threads(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, THREADS);
}

static struct exercise_bound bound_threads(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core"};
}

static int differing_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return __builtin_popcountll(x ^ y);
}

/* The most, of any two prices. */
static struct spread measure_bits(const struct exercise_view *view)
{
    const struct sample *first = NULL;
    int most = 0, count = 0;
    for (int shot = 0; shot < SHOTS; shot++)
        for (int s = 0; view->groups[shot] && s < view->groups[shot]->count; s++) {
            const struct sample *sample = &view->groups[shot]->samples[s];
            if (!sample->correct || isnan(sample->result)) continue;
            if (!first) first = sample;
            int bits = differing_bits(first->result, sample->result);
            if (bits > most) most = bits;
            count++;
        }
    return (struct spread){.count = count, .middle = most, .low = most, .high = most};
}

static struct exercise_bound bound_bits(const struct exercise_view *view)
{
    (void)view;
    return (struct exercise_bound){0, "one order of adding up, fixed beforehand"};
}

static void explain_threads(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(
        text_p, length,
        "The paths are independent, as the points of pi are: %.2f times on %d cores. Compare it with pi's: keeping "
        "the order of the sum costs next to nothing: blocks are added up at the end, and there "
        "are few of them.",
        answer->middle, view->cores);
}

static void explain_bits(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    if (answer->middle > 0)
        snprintf(text_p, length, "The prices differ, which they must not: please report this as an error.");
    else
        snprintf(text_p, length,
                 "Not one, in %d runs by 1 and by %d tasks. Usually each task adds up its own share, and who has "
                 "another share gets other roundings: (a + b) + c is not a + (b + c). Here paths are added up in "
                 "blocks, which do not depend on the tasks, and the blocks in one order.",
                 answer->count, view->workers);
}

const struct exercise option_exercise = {
    .name = "option",
    .title = "The same bits: sums in one order",
    .page = "option",
    .intro = "The price of an option is the mean of its payoff over random paths of a share: a sum of hundreds of "
             "millions of floating-point numbers, each of which is rounded when it is added.\n"
             "One task adds up all of them; then {workers} threads on {cores} cores, each a part; then {workers} "
             "threads on one core.",
    .problems = (const struct exercise_problem[]){{.kernel = "option"}, {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){[ONE] = {.text = "one task", .mode = MODE_SERIAL},
                                       [THREADS] = {.text = "{workers} threads, {cores} cores", .mode = MODE_THREADS},
                                       [TURNS] = {.text = "{workers} threads, one core", .mode = MODE_MULTITASK},
                                       {.text = NULL}},
    .questions =
        (const struct exercise_question[]){
            {.ask = "Of the 64 bits of the price, how many differ between one task and {workers} threads?",
             .unit = "bits",
             .low = 0,
             .high = 64,
             .measure = measure_bits,
             .bound = bound_bits,
             .explain = explain_bits},
            {.ask = "How many times as fast as one task are {workers} threads on {cores} cores?",
             .unit = "times",
             .low = 0.01,
             .high = 1000,
             .measure = measure_threads,
             .bound = bound_threads,
             .explain = explain_threads},
            {.ask = NULL}},
    .further = (const char *const[]){"speedup study option --modes threads --budget 1m",
                                     "speedup run option --payoff asian --size 10M", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    int cores = facts->machine->core_count;
    fprintf(out,
            "%d core%s: a speedup of %d at most. A sum of n = 5e8 numbers, one after the other, may be off by n times "
            "2^-53 of itself, 6e-8; usually by sqrt(n) times as little as one rounding, 2e-12: digits that depend on "
            "the order, unless it is fixed.",
            cores, cores == 1 ? "" : "s", cores);
}

const struct page option_page = {
    .kernel = "option",
    .title = "The same bits: sums in one order",
    .computes = "The fair price of the right to buy a share at a fixed price on a later day (a European call, or an "
                "Asian one with --payoff asian): the mean payoff over N random paths, discounted. For the European "
                "call there is a formula (Black and Scholes) to check against.",
    .threads = "The paths are cut into blocks that do not depend on the number of tasks. Each thread adds up whole "
               "blocks, each in the order of its paths.",
    .ranks = "Each rank gets consecutive blocks. The sums of the blocks are added up pairwise, in one fixed tree, over "
             "all ranks: the same tree for any number of them.",
    .bound = "The instructions of a core: log, square root, cosine and exp for each path, eight at a time in vector "
             "registers.\n"
             "  S(P) = P               where each task has a core\n"
             "  error ~ sigma/sqrt(N)  of the price, whatever the number of tasks",
    .numbers = write_numbers,
    .predict = (const char *const[]){"Of the 64 bits of the price, how many change from one thread to two?",
                                     "How much slower is a sum whose order is fixed?",
                                     "Which speedup do two cores give, and is it that of pi?", NULL},
    .steps = (const struct page_step[]){{"speedup run option --json", "Look for \"result\" and \"checksum\"."},
                                        {"speedup run option --mode threads --json", "And compare them."},
                                        {"speedup run option --variant all",
                                         "The C library's functions against our own in vector registers."},
                                        {"speedup study option --modes multitask,threads,mpi --budget 2m",
                                         "The curves, each run with its answer checked."},
                                        {NULL, NULL}},
    .sights =
        (const char *const[]){"The same result and the same checksum for any number of threads and ranks.",
                              "The speedup of pi: the fixed order costs nothing.",
                              "Variants differ in their last bits: they compute the same by other operations.", NULL},
    .questions =
        (const struct page_question[]){
            {"Why is (a + b) + c not always a + (b + c) for floating-point numbers?",
             "Each addition is rounded to 53 bits. With a = 1, b = c = 2^-53: (a + b) + c is 1, since each is rounded "
             "away, but a + (b + c) is 1 + 2^-52."},
            {"#pragma omp parallel for reduction(+ : sum) is the usual way. What does it not promise?",
             "In which order the threads' sums are added, and even which iterations a thread has where the schedule "
             "is dynamic: the result may differ from run to run with the same number of threads."},
            {"What is a result with the same bits good for?",
             "A wrong answer of a parallel program can be told from rounding: any difference is an error. Results can "
             "be reproduced on other machines, and a speedup compares the same computation."},
            {NULL, NULL}},
};
