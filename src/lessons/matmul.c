/* matmul: how loops are written against how many cores there are. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { PLAIN, PLAIN_THREADS, PACKED }; /* the shots */

static struct spread measure_threads(const struct exercise_view *view)
{
    return exercise_ratio(view, PLAIN, PLAIN_THREADS);
}

static struct spread measure_packed(const struct exercise_view *view)
{
    return exercise_ratio(view, PLAIN, PACKED);
}

static struct exercise_bound bound_threads(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core"};
}

/* The ceiling that a sample was measured with, over the rate of the plain loops. */
static double ceiling_rate(const struct sample *sample)
{
    return sample->ceiling_rate;
}

static struct exercise_bound bound_packed(const struct exercise_view *view)
{
    double ceiling = exercise_number(view, PACKED, ceiling_rate).middle;
    double plain = exercise_number(view, PLAIN, sample_rate).middle;
    return (struct exercise_bound){ceiling / plain, "the multiply-adds that one core can do in its registers"};
}

static void explain_threads(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(text_p, length, "The rows of the result are independent, and %d cores did %.2f times as much. %s",
             view->cores, answer->middle,
             answer->middle > 0.85 * view->cores
                 ? "It is a good speedup, of a slow program."
                 : "They get in each other's way: plain loops lean on caches and memory, "
                   "which cores share.");
}

static void explain_packed(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(
        text_p, length,
        "The same arithmetic on the same one core, %.3g times as fast: a tile of the result stays in registers, and "
        "what it needs lies in the caches in the order of its use. The plain loops would need %.0f cores for that, "
        "if they scaled perfectly; here they have %d. Speed up the serial program first, then count cores.",
        answer->middle, ceil(answer->middle), view->cores);
}

const struct exercise matmul_exercise = {
    .name = "matmul",
    .title = "How loops are written, against many cores",
    .page = "matmul",
    .intro =
        "Two matrices are multiplied by three plain loops (variant reordered, which already reads memory in order): "
        "by one task, then by {workers} threads on {cores} cores.\n"
        "Then by one task again, with loops that were written for caches and registers (variant packed), at a "
        "larger size, so that it takes as long. What is compared is the rate: operations a second.",
    .problems = (const struct exercise_problem[]){{.kernel = "matmul", .variant = "reordered"},
                                                  {.kernel = "matmul", .variant = "packed"},
                                                  {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){
            [PLAIN] = {.text = "plain loops, one task", .mode = MODE_SERIAL},
            [PLAIN_THREADS] = {.text = "plain loops, {workers} threads", .mode = MODE_THREADS},
            [PACKED] = {.text = "tuned loops, one task", .problem = 1, .mode = MODE_SERIAL},
            {.text = NULL}},
    .questions =
        (const struct exercise_question[]){
            {.ask = "How many times as fast as by one task are the plain loops by {workers} threads on {cores} cores?",
             .unit = "times",
             .low = 0.01,
             .high = 1000,
             .measure = measure_threads,
             .bound = bound_threads,
             .explain = explain_threads},
            {.ask = "How many times as fast as the plain loops are the tuned ones, by one task on one core?",
             .unit = "times",
             .low = 0.01,
             .high = 10000,
             .measure = measure_packed,
             .bound = bound_packed,
             .explain = explain_packed},
            {.ask = NULL}},
    .further = (const char *const[]){"speedup run matmul --variant all",
                                     "speedup study matmul --variant all --modes threads --budget 3m", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    char one[64], all[64];
    int cores = facts->machine->core_count;
    double all_flops = cores > 1 ? facts->fed_flops[1] : facts->fed_flops[0], operations = 2 * pow(2000, 3);
    fprintf(out, "Multiply-adds with operands from the first cache: %s on one core, %s on %s.",
            facts_rate(facts->fed_flops[0], "flop", sizeof one, one), facts_rate(all_flops, "flop", sizeof all, all),
            cores > 1 ? "all at once" : "all (there is one)");
    if (isnan(all_flops)) return;
    fprintf(out, " N = 2000 has 2 N^3 = 1.6e10 operations: no program does it in less than %.3g s here.\n",
            operations / all_flops);
    double balance = facts->fed_flops[0] / facts->triad_bytes[0];
    fprintf(
        out,
        "Memory delivers %.3g GB/s to one core, so an operation may need no more than %.2g bytes, else memory is the "
        "bound. The plain loops fetch up to 24 bytes for 2 operations; with every matrix fetched once it were "
        "12 / N bytes for one, and memory no bound from N = %.0f on.",
        facts->triad_bytes[0] / 1e9, 1 / balance, ceil(12 * balance));
}

const struct page matmul_page = {
    .kernel = "matmul",
    .title = "How loops are written, against many cores",
    .computes = "C = A B of two N x N matrices of doubles: 2 N^3 additions and multiplications on 3 N^2 numbers. The "
                "check is by random vectors (Freivalds): C x must be A (B x).",
    .threads = "Each thread computes some rows of C. In variant packed, the threads of a rank copy a panel of B in the "
               "order of its use once, for all of them.",
    .ranks =
        "The ranks form a grid; each owns a block of A, B and C, and computes its block of C (SUMMA). Step by step "
        "it needs a panel of A from its row of the grid and one of B from its column: by broadcast while it "
        "multiplies the last ones, or from memory that the ranks of a node share.",
    .bound = "Arithmetic, if each number that was fetched is used often enough; else memory.\n"
             "  T(P) >= 2 N^3 / (P F)     F: what a core can do, operations a second\n"
             "  operations / byte         N / 12 where each matrix is fetched once\n"
             "  words sent by a rank      2 N^2 / sqrt(P)",
    .numbers = write_numbers,
    .predict = (const char *const[]){"By which factor do the fastest and the slowest way to write the loops differ, on "
                                     "one core?",
                                     "Which speedup do two cores give to the plain loops, and to the fastest?",
                                     "Which share of the core's multiply-adds does the fastest reach?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup run matmul --variant all", "The ladder, from three plain loops to the "
                                                 "best, on one core."},
            {"speedup study matmul --modes multitask,threads,mpi --budget 2m", "The curves of the best variant."},
            {"speedup study matmul --variant reordered --modes threads --budget 1m", "And of plain loops."},
            {"speedup study matmul --modes mpi --scaling weak --budget 1m", "The same work for each rank."},
            {NULL, NULL}},
    .sights =
        (const char *const[]){
            "Between the first and the last rung of the ladder lie a hundred times and more. No laptop has as many "
            "cores.",
            "The best variant reaches most of the ceiling, on one core and on all.",
            "The slower the variant, the easier it speeds up: whoever waits for memory or for the next load has less "
            "to lose.",
            NULL},
    .questions =
        (const struct page_question[]){
            {"Variants naive and reordered do the same operations. Why is one many times as fast?",
             "naive walks down a column of B: each step takes a new cache line of 64 bytes, and uses 8 of them. "
             "reordered walks along rows: every byte that was fetched is used, and eight numbers fit into one vector."},
            {"A program that scales perfectly to 16 cores is ten times slower than another that does not scale at all. "
             "Which one is better?",
             "On 16 cores the first is 1.6 times as fast, and takes 16 cores for it. On any fewer than 10 the second "
             "is "
             "ahead. State the base: time and rate of the best serial program, not the speedup alone."},
            {"Work grows with N^3, what is sent with N^2. What follows for large N?",
             "The larger, the better it scales: communication falls to nothing beside the work. That is why this is "
             "the "
             "benchmark of the TOP500 list."},
            {NULL, NULL}},
};
