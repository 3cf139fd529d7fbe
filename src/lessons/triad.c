/* triad: the memory is shared, and a few cores use all of it. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { ONE, THREADS, PLAIN }; /* the shots */

static struct spread measure_threads(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, THREADS);
}

static struct spread measure_streaming(const struct exercise_view *view)
{
    return exercise_ratio(view, PLAIN, ONE);
}

static struct exercise_bound bound_threads(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core, if the memory could follow"};
}

static struct exercise_bound bound_streaming(const struct exercise_view *view)
{
    (void)view;
    return (struct exercise_bound){4.0 / 3, "32 bytes that are moved, instead of 24"};
}

static void explain_threads(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double one = exercise_number(view, ONE, sample_rate).middle,
           all = exercise_number(view, THREADS, sample_rate).middle;
    snprintf(
        text_p, length,
        "Two operations on 24 bytes: the cores wait for memory. One core got %.3g GB/s, %d together %.3g. %s",
        one / 1e9, view->cores, all / 1e9,
        answer->middle > 0.85 * view->cores
            ? "So few cores do not exhaust this memory yet; a processor with many of them would be at its end with "
              "some."
            : "The memory is at its end before the cores are: more of them would change nothing.");
}

static void explain_streaming(const struct exercise_view *view, const struct spread *answer, size_t length,
                              char *text_p)
{
    (void)view;
    snprintf(text_p, length,
             "A usual store first reads the line of memory that it is going to overwrite: 32 bytes pass for an element "
             "instead of 24. Stores that go past the caches spare that, and made it %.2f times as fast.",
             answer->middle);
}

const struct exercise triad_exercise = {
    .name = "triad",
    .title = "Memory bandwidth is shared",
    .page = "triad",
    .intro =
        "a[i] = b[i] + 3 c[i], for arrays that are much larger than the caches: the triad of the STREAM benchmark. "
        "24 bytes are counted for two operations.\n"
        "One task does it; then {workers} threads on {cores} cores; then one task with usual stores, where the "
        "others store past the caches.",
    .problems =
        (const struct exercise_problem[]){{.kernel = "triad", .variant = "streaming"},
                                          {.kernel = "triad", .variant = "plain", .size_of = EXERCISE_SIZE_OF(0)},
                                          {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){[ONE] = {.text = "one task", .mode = MODE_SERIAL},
                                       [THREADS] = {.text = "{workers} threads, {cores} cores", .mode = MODE_THREADS},
                                       [PLAIN] = {.text = "one task, usual stores", .problem = 1, .mode = MODE_SERIAL},
                                       {.text = NULL}},
    .questions =
        (const struct exercise_question[]){{.ask = "How many times as fast as one task are {workers} threads on "
                                                   "{cores} cores?",
                                            .unit = "times",
                                            .low = 0.01,
                                            .high = 1000,
                                            .measure = measure_threads,
                                            .bound = bound_threads,
                                            .explain = explain_threads},
                                           {.ask = "How many times as fast are stores past the caches as usual "
                                                   "ones?",
                                            .unit = "times",
                                            .low = 0.01,
                                            .high = 100,
                                            .measure = measure_streaming,
                                            .bound = bound_streaming,
                                            .explain = explain_streaming},
                                           {.ask = NULL}},
    .further = (const char *const[]){"speedup study triad --modes threads,mpi --budget 1m",
                                     "speedup study triad --size 10k --modes threads --budget 1m", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    char one[64], all[64];
    int cores = facts->machine->core_count;
    double all_bytes = cores > 1 ? facts->triad_bytes[1] : facts->triad_bytes[0];
    fprintf(out, "Memory: %s by one core, %s by %s.", facts_rate(facts->triad_bytes[0], "B", sizeof one, one),
            facts_rate(all_bytes, "B", sizeof all, all), cores > 1 ? "all at once" : "all (there is one)");
    if (isnan(all_bytes)) return;
    fprintf(out,
            " So the speedup with arrays in memory is at most %.2f on %d core%s, and the arithmetic, %.2g GFLOP/s, is "
            "%.2g %% of what the cores could do in registers.",
            all_bytes / facts->triad_bytes[0], cores, cores == 1 ? "" : "s", all_bytes / 12 / 1e9,
            100 * all_bytes / 12 / (cores > 1 ? facts->peak_flops[1] : facts->peak_flops[0]));
}

const struct page triad_page = {
    .kernel = "triad",
    .title = "Memory bandwidth is shared",
    .computes = "a[i] = b[i] + 3 c[i] for N elements of doubles, again and again (--operation: also copy, scale, add): "
                "the loops of the STREAM benchmark. Nearly no arithmetic, only traffic.",
    .threads = "Each thread gets one piece of each array, which it also touched first, so that it lies in the memory "
               "next to its core.",
    .ranks = "Each rank has its own piece of the arrays. Nothing is sent.",
    .bound =
        "Bytes. STREAM counts 24 for an element (two read, one written), and 2 operations.\n"
        "  T(P) >= 24 N / B(P)       B(P): what memory delivers to P cores together\n"
        "  S(P) <= B(P) / B(1)       until it delivers all it has; then no more\n"
        "A usual store reads the line first: 32 bytes. Stores past the caches (variant streaming) spare that. Arrays "
        "that fit into the caches know another bound, and more cores have more of them.",
    .numbers = write_numbers,
    .predict = (const char *const[]){"How many cores does it take until the memory is at its end?",
                                     "Which speedup do arrays have that fit into the first cache of each core?",
                                     "Can two cores be more than twice as fast as one? When?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup machine --ceilings", "What memory delivers to one core, and to all."},
            {"speedup study triad --modes threads,mpi --budget 2m", "Arrays in memory."},
            {"speedup study triad --size 1k --modes threads --budget 1m", "Arrays in the first cache."},
            {"speedup run triad --variant all", "Usual stores, and stores past the caches."},
            {NULL, NULL}},
    .sights =
        (const char *const[]){"From memory, a curve that bends: a few cores get all there is.",
                              "From the caches, nearly the number of cores: each core has its own.",
                              "In between, where the arrays fit into the caches of two cores and not of one: more "
                              "than twice as fast on two. Superlinear, and no miracle.",
                              NULL},
    .questions =
        (const struct page_question[]){
            {"Four of 64 cores use up the memory's bandwidth. What do the other 60 bring to this loop?",
             "Nothing, unless they sit at another memory (another socket or NUMA domain), or the arrays fit into their "
             "caches."},
            {"Would a processor with twice the arithmetic help?",
             "No. 2 operations for 24 bytes: it would wait as long for the same bytes."},
            {"How do you make a program that does a[i] = b[i] + 3 c[i] and then d[i] = a[i] * a[i] faster?",
             "Do both in one loop: a[i] is still in a register, and does not have to be fetched again."},
            {NULL, NULL}},
};
