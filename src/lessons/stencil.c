/* stencil: the inside is work, the surface is communication. */
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { ONE, RANKS, OVERLAP }; /* the shots */

static struct spread measure_ranks(const struct exercise_view *view)
{
    return exercise_ratio(view, ONE, RANKS);
}

static struct spread measure_overlap(const struct exercise_view *view)
{
    return exercise_ratio(view, RANKS, OVERLAP);
}

static struct exercise_bound bound_ranks(const struct exercise_view *view)
{
    return (struct exercise_bound){view->cores, "one for each core, if memory could follow"};
}

static double busy_share(const struct sample *sample)
{
    return 1 - sample->comm_s / (sample->wall_s * mode_workers(&sample->config.mode));
}

static struct exercise_bound bound_overlap(const struct exercise_view *view)
{
    struct exercise_bound bound = {.value = 1 / exercise_number(view, RANKS, busy_share).middle};
    snprintf(bound.text, sizeof bound.text, "if all communication could be hidden");
    return bound;
}

static double messages_share(const struct sample *sample)
{
    return 100 * (1 - busy_share(sample));
}

static void explain_ranks(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    snprintf(text_p, length,
             "Each process has a part of the grid, and in each step swaps its edge with its neighbours: the edge grows "
             "with the length of the grid, the work with its area. %.3g %% of the processes' time went into messages "
             "and waiting for them; %.2f times the speed is left of %d.",
             exercise_number(view, RANKS, messages_share).middle, answer->middle, view->cores);
}

static void explain_overlap(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    (void)view;
    snprintf(text_p, length,
             "With --overlap on, a process starts its messages, computes the inside of its part, which needs nothing "
             "from others, and only then the edge. It hides what messages take, no more: %.2f times as fast. Between "
             "nodes there is more to hide than in one machine's memory.",
             answer->middle);
}

const struct exercise stencil_exercise = {
    .name = "stencil",
    .title = "Surface to volume; hiding communication",
    .page = "stencil",
    .intro = "Heat flows through a plate: step by step each point of a grid becomes the mean of its neighbours. Each "
             "process has a part of the grid, and needs the edges of its neighbours' parts in each step.\n"
             "One task does all; then {workers} processes on {cores} cores, which first swap edges and then compute; "
             "then the same, computing while the edges are under way.",
    .problems = (const struct exercise_problem[]){{.kernel = "stencil",
                                                   .options = (const char *const[]){"overlap", "off", NULL}},
                                                  {.kernel = "stencil",
                                                   .options = (const char *const[]){"overlap", "on", NULL},
                                                   .size_of = EXERCISE_SIZE_OF(0)},
                                                  {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){
            [ONE] = {.text = "one task", .mode = MODE_SERIAL},
            [RANKS] = {.text = "{workers} processes", .mode = MODE_MPI},
            [OVERLAP] = {.text = "{workers} processes, overlap", .problem = 1, .mode = MODE_MPI},
            {.text = NULL}},
    .questions =
        (const struct exercise_question[]){{.ask = "How many times as fast as one task are {workers} processes "
                                                   "that first swap edges, then compute?",
                                            .unit = "times",
                                            .low = 0.01,
                                            .high = 1000,
                                            .measure = measure_ranks,
                                            .bound = bound_ranks,
                                            .explain = explain_ranks},
                                           {.ask = "How many times as fast are they when they compute while the "
                                                   "edges are under way?",
                                            .unit = "times",
                                            .low = 0.01,
                                            .high = 100,
                                            .measure = measure_overlap,
                                            .bound = bound_overlap,
                                            .explain = explain_overlap},
                                           {.ask = NULL}},
    .further = (const char *const[]){"speedup study stencil --modes threads,mpi --budget 1m",
                                     "speedup run stencil --variant all", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    char one[64];
    int cores = facts->machine->core_count;
    double bytes = facts->triad_bytes[cores > 1];
    fprintf(out, "Memory delivers %s to one core.", facts_rate(facts->triad_bytes[0], "B", sizeof one, one));
    if (!isnan(bytes))
        fprintf(out,
                " At 16 bytes for a point and step (one number read, one written), all %d of them update %.2g billion "
                "points a second at most; at 24, with usual stores, %.2g.",
                cores, bytes / 16 / 1e9, bytes / 24 / 1e9);
    fprintf(
        out,
        " Of a grid of 4096 x 4096 cut into %d strips, a rank sends 2 x 4096 numbers a step, for %.3g times as many "
        "points.",
        cores < 2 ? 2 : cores, 4096.0 / 2 / (cores < 2 ? 2 : cores));
}

const struct page stencil_page = {
    .kernel = "stencil",
    .title = "Surface to volume; hiding communication",
    .computes = "Heat in a plate, step by step: each point of a grid becomes a weighted mean of itself and its "
                "neighbours on a star of 5 or 9 points. It must keep a linear field as it is, which checks it.",
    .threads = "Each thread gets some rows of its rank's part; after each step all wait for each other.",
    .ranks = "Each rank has a part of the grid, with a margin (halo) for its neighbours' edges. In each step it sends "
             "its edges and receives theirs; with --overlap on it computes the inside meanwhile.",
    .bound = "Memory, for large grids: 16 bytes for a point and step. Messages, for small parts.\n"
             "  T >= 16 N^2 / B(P)              bytes\n"
             "  edge / area = 2 P / N           strips, of a grid N x N over P ranks\n"
             "  T(P) = T(1) / P + 2 (alpha + 8 N beta)        without overlap\n"
             "  T(P) = max(T(1) / P, 2 (alpha + 8 N beta))    with it, at best\n"
             "Temporal blocking (variant blocked) does several steps on what is in the caches, and so gets below the "
             "bytes of a single step.",
    .numbers = write_numbers,
    .predict = (const char *const[]){"Twice the edge length of the grid: what becomes of the share of communication?",
                                     "What does overlap gain on one machine, and what between two?",
                                     "Why can 9 points take hardly longer than 5?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup run stencil --variant all", "One core: plain, past the caches, blocked."},
            {"speedup study stencil --overlap off --modes threads,mpi --budget 2m", "First swap, then compute."},
            {"speedup study stencil --overlap on --modes mpi --budget 1m", "Compute while messages are under way."},
            {"speedup study stencil --size 256 --modes mpi --budget 1m", "A small grid: mostly surface."},
            {NULL, NULL}},
    .sights = (const char *const[]){"Large grids scale as memory allows, as the triad does.",
                                    "Small grids: the factor 'communication and waiting' in the study's table falls.",
                                    "Blocked: above the roof of the bytes of single steps.", NULL},
    .questions =
        (const struct page_question[]){
            {"A cube of N^3 points is cut into P smaller cubes. How does surface to volume grow with P?",
             "As P^(1/3) / N; for slabs as P / N. So cut in as many directions as there are, for many ranks."},
            {"Overlap hides communication. When is there nothing to hide it behind?",
             "When the inside takes less time than the messages: parts so small that the surface is most of them."},
            {"Weak scaling: each rank keeps its part. What happens to surface to volume?",
             "It stays as it is. That is why weak scaling of stencils looks so good."},
            {NULL, NULL}},
};
