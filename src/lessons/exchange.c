/* exchange: a message costs a latency, and a time for each byte. */
#include "../analyse/network.h"
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>

enum { PAIR }; /* the shot */

static double shortest_us(const struct sample *sample)
{
    return sample->point_count > 0 ? 1e6 * sample->points[0].time_s : NAN;
}

static double longest_gb(const struct sample *sample)
{
    if (sample->point_count == 0) return NAN;
    const struct kernel_point *point = &sample->points[sample->point_count - 1];
    return (double)point->bytes / point->time_s / 1e9;
}

static struct spread measure_latency(const struct exercise_view *view)
{
    return exercise_number(view, PAIR, shortest_us);
}

static struct spread measure_bandwidth(const struct exercise_view *view)
{
    return exercise_number(view, PAIR, longest_gb);
}

static void explain_latency(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    double bandwidth = measure_bandwidth(view).middle;
    snprintf(text_p, length,
             "However short it is, a message takes %.3g us: somebody has to write it, somebody to see it. In that time "
             "the same two processes could move %.3g KB of a long message. So send few and long messages.",
             answer->middle, answer->middle * bandwidth);
}

static void explain_bandwidth(const struct exercise_view *view, const struct spread *answer, size_t length,
                              char *text_p)
{
    double latency_us = measure_latency(view).middle;
    snprintf(text_p, length,
             "A message of 1 MiB takes %.0f us, of which the latency is hardly anything. Half of this speed is reached "
             "at about %.3g KB (latency times bandwidth): below, a program pays for messages; above, for bytes. Within "
             "a node both are those of its memory; between nodes, of the network: --hosts shows it.",
             1e6 * (1 << 20) / (answer->middle * 1e9), latency_us * answer->middle);
}

const struct exercise exchange_exercise = {
    .name = "exchange",
    .title = "Messages: latency, and a time for each byte",
    .page = "exchange",
    .intro = "Two processes of an MPI program send a message to and fro, thousands of times: first of one byte, then "
             "twice as long, and so on up to 1 MiB. Half of the round trip is the time of a message.",
    .problems = (const struct exercise_problem[]){{.kernel = "exchange", .size = "1MiB"}, {.kernel = NULL}},
    .shots = (const struct exercise_shot[]){[PAIR] = {.text = "2 processes", .mode = MODE_MPI, .workers = 2},
                                            {.text = NULL}},
    .questions = (const struct exercise_question[]){{.ask = "How many microseconds does a message of one byte take?",
                                                     .unit = "us",
                                                     .low = 0.001,
                                                     .high = 1e6,
                                                     .measure = measure_latency,
                                                     .explain = explain_latency},
                                                    {.ask = "How many gigabytes a second do messages of 1 MiB move?",
                                                     .unit = "GB/s",
                                                     .low = 1e-4,
                                                     .high = 1e4,
                                                     .measure = measure_bandwidth,
                                                     .explain = explain_bandwidth},
                                                    {.ask = NULL}},
    .further = (const char *const[]){"speedup run exchange --mode mpi --ranks 2",
                                     "speedup run exchange --variant allreduce --mode mpi", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    char one[64];
    fprintf(out,
            "Within this machine a message is copied by the cores: from memory they get %s each, which is counted in "
            "and out. Latency and bandwidth of messages are not measured by this page: that is the exercise.",
            facts_rate(facts->triad_bytes[0], "B", sizeof one, one));
}

const struct page exchange_page = {
    .kernel = "exchange",
    .title = "Messages: latency, and a time for each byte",
    .computes = "Nothing: it sends messages of 1, 2, 4, ... bytes up to --size, and times a series of each. Their "
                "contents tell how often they passed, and are checked byte by byte.",
    .threads = "Threads send no messages: they share memory. It is a kernel for the modes with ranks.",
    .ranks = "pingpong: rank 0 and the last rank send one message to and fro. bisection: each rank of the first half "
             "swaps with one of the second, all at once. allreduce: sums over all ranks.",
    .bound = "A latency for each message, and a time for each byte (Hockney):\n"
             "  t(n) = alpha + n beta        of a message of n bytes\n"
             "  n / t(n) = half of 1 / beta  at n = alpha / beta\n"
             "  t_allreduce >= alpha log2(P) of short messages",
    .numbers = write_numbers,
    .predict = (const char *const[]){"How many microseconds does a message of one byte take within this machine?",
                                     "How many bytes must it have until the latency is half of its time?",
                                     "What happens to both when the two ranks have to share one core?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup run exchange --mode mpi --ranks 2", "Time and bandwidth of each size; the law that fits them."},
            {"speedup run exchange --variant bisection --mode mpi --ranks 2", "Both directions at once."},
            {"speedup run exchange --variant allreduce --mode mpi --ranks 2", "What a global sum costs."},
            {"speedup run exchange --mode multitask-mpi --ranks 2 --messages 1000", "Two ranks that share one core."},
            {NULL, NULL}},
    .sights = (const char *const[]){"Up to some hundred bytes all messages take the same time: the latency.",
                                    "Then the time grows with the bytes, and the bandwidth comes to its end.",
                                    "Steps on the way, where the MPI library changes its protocol, or a cache is full.",
                                    "On one shared core, each message waits for a switch of tasks: many times the "
                                    "latency.",
                                    NULL},
    .questions =
        (const struct page_question[]){
            {"A program sends 1000 messages of 8 bytes to its neighbour in each step. What would you change?",
             "Put them into one message: 1000 latencies become one. At 0.5 us and 5 GB/s: 500 us become 2 us."},
            {"Halving the number of bytes does not make the program faster. Why?",
             "Its messages are shorter than alpha / beta: what it pays for is their number."},
            {"Why is a sum over P ranks not P times as dear as over two?",
             "It is done in a tree: in each step half of the ranks hand on to the other half, log2(P) steps."},
            {NULL, NULL}},
};
