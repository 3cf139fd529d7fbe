/* relay, and its exercise `switching`: what a switch of tasks costs, by itself and in the caches. */
#include "../analyse/sharing.h"
#include "exercise.h"
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Problems by the size of the set; of each two shots: one task alone, then two in a ring. */
enum { NOTHING, KIB256, MIB1, MIB4, SETS };
static const char *const set_names[SETS] = {"no data", "256 KiB", "1 MiB", "4 MiB"};

enum number { COST, WALK };

static const struct sample *find_block(const struct group *group, int block)
{
    for (int s = 0; s < group->count; s++)
        if (group->samples[s].block == block && sample_counts(&group->samples[s])) return &group->samples[s];
    return NULL;
}

/* In microseconds a hop: the ring's less the lone task's, of each block. */
static struct spread measure(const struct exercise_view *view, int set, enum number number)
{
    struct spread spread = {.count = 0, .middle = NAN, .low = NAN, .high = NAN};
    const struct group *alone = view->groups[2 * set], *ring = view->groups[2 * set + 1];
    double *values = alone && ring ? malloc(sizeof *values * (size_t)(ring->count + 1)) : NULL;
    int count = 0;
    for (int s = 0; values && s < ring->count; s++) {
        const struct sample *base = find_block(alone, ring->samples[s].block);
        struct switching switching;
        if (!base || !sample_counts(&ring->samples[s])) continue;
        switching_of(base, &ring->samples[s], &switching);
        double value_us = 1e6 * (number == COST ? switching.cost_s : switching.walk_s);
        if (isfinite(value_us)) values[count++] = value_us;
    }
    if (count > 0) spread = spread_of(count, values, 0.95);
    free(values);
    return spread;
}

static struct spread measure_nothing(const struct exercise_view *view)
{
    return measure(view, NOTHING, COST);
}

static struct spread measure_mib1(const struct exercise_view *view)
{
    return measure(view, MIB1, COST);
}

static void explain_nothing(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    (void)view;
    snprintf(text_p, length,
             "The system saves one task's registers, picks the next task and loads its own: %.2f us. With slices of 4 "
             "ms that is %.3f %% of the time, next to nothing; tasks that hand over after every few microseconds of "
             "work lose much of it.",
             answer->middle, answer->middle / 4000 * 100);
}

/* " 1 MiB: 9.8 us (8.7 us).": where that was measured. */
static int add_set(const struct exercise_view *view, int set, size_t length, char *text_p)
{
    double cost_us = measure(view, set, COST).middle, walk_us = measure(view, set, WALK).middle;
    if (!isfinite(cost_us) || !isfinite(walk_us)) return 0;
    return snprintf(text_p, length, " %s: %.2g us (%.2g us).", set_names[set], cost_us, walk_us);
}

static void explain_mib1(const struct exercise_view *view, const struct spread *answer, size_t length, char *text_p)
{
    int used =
        snprintf(text_p, length,
                 "Of the %.3g us, %.3g us are in the walks: each task finds its data gone from the cache, as far "
                 "as the other one's took their place. Most is lost where one set fits into the core's cache and "
                 "two do not; sets that are larger than the cache are not in it anyway. By set, the cost of a "
                 "switch (of it in the walk):",
                 answer->middle, measure(view, MIB1, WALK).middle);
    for (int set = 0; set < SETS && used >= 0 && (size_t)used < length; set++)
        used += add_set(view, set, length - (size_t)used, text_p + used);
}

const struct exercise switching_exercise = {
    .name = "switching",
    .title = "What a switch of tasks costs",
    .page = "relay",
    .intro = "Two tasks on one core hand a token to and fro; who has it walks through data of its own, then hands over "
             "and sleeps. Each hop is a switch. One task alone makes the same hops and system calls without a switch. "
             "The difference is what a switch costs, as the benchmark lat_ctx defines it.",
    .problems =
        (const struct exercise_problem[]){
            [NOTHING] = {.kernel = "relay", .options = (const char *const[]){"set", "0", NULL}},
            [KIB256] = {.kernel = "relay", .options = (const char *const[]){"set", "256KiB", NULL}},
            [MIB1] = {.kernel = "relay", .options = (const char *const[]){"set", "1MiB", NULL}},
            [MIB4] = {.kernel = "relay", .options = (const char *const[]){"set", "4MiB", NULL}},
            {.kernel = NULL}},
    .shots =
        (const struct exercise_shot[]){
            {.text = "one task, no data", .problem = NOTHING, .mode = MODE_SERIAL},
            {.text = "2 threads, no data", .problem = NOTHING, .mode = MODE_MULTITASK, .workers = 2},
            {.text = "one task, 256 KiB", .problem = KIB256, .mode = MODE_SERIAL},
            {.text = "2 threads, 256 KiB each", .problem = KIB256, .mode = MODE_MULTITASK, .workers = 2},
            {.text = "one task, 1 MiB", .problem = MIB1, .mode = MODE_SERIAL},
            {.text = "2 threads, 1 MiB each", .problem = MIB1, .mode = MODE_MULTITASK, .workers = 2},
            {.text = "one task, 4 MiB", .problem = MIB4, .mode = MODE_SERIAL},
            {.text = "2 threads, 4 MiB each", .problem = MIB4, .mode = MODE_MULTITASK, .workers = 2},
            {.text = NULL}},
    .questions = (const struct exercise_question[]){{.ask = "How many microseconds does a switch from one task to "
                                                            "another take, where neither has data to speak of?",
                                                     .unit = "us",
                                                     .low = 0,
                                                     .high = 1e6,
                                                     .measure = measure_nothing,
                                                     .explain = explain_nothing},
                                                    {.ask = "And where each of the two walks through 1 MiB of its own "
                                                            "whenever it is its turn?",
                                                     .unit = "us",
                                                     .low = 0,
                                                     .high = 1e6,
                                                     .measure = measure_mib1,
                                                     .explain = explain_mib1},
                                                    {.ask = NULL}},
    .further = (const char *const[]){"speedup study relay --set 1MiB --modes multitask --workers 1,2,4 --budget 1m",
                                     "speedup run relay --mode multitask-mpi --workers 2 --timeline", NULL},
};

static void write_numbers(const struct facts *facts, FILE *out)
{
    double l2_bytes = (double)facts->machine->cache_bytes[1];
    if (l2_bytes > 0)
        fprintf(out,
                "A core's second-level cache holds %.0f KiB here. Sets of up to %.0f KiB should cost two tasks little; "
                "from there on each finds its set gone. ",
                l2_bytes / 1024, l2_bytes / 2048);
    fprintf(out, "At 1 us a switch, turns of 4 ms lose 0.025 %%, turns of 10 us a tenth.");
}

const struct page relay_page = {
    .kernel = "relay",
    .title = "What a switch of tasks costs",
    .computes = "A token goes round a ring of tasks. Who has it walks through its own set of --set bytes, adds what it "
                "read to the token, hands it over and sleeps. The token after N hops is known in advance, so that not "
                "one hop can get lost or be made twice.",
    .threads = "Each thread is a task of the ring; one at a time has the token. It wakes the next by a futex, the "
               "system call under every lock, and sleeps in another.",
    .ranks = "The same, through memory that the ranks of a node share; between nodes, and with --variant messages, the "
             "token goes in MPI messages.",
    .bound = "Only one task works at a time: no number of cores makes it faster. On one core\n"
             "  cost of a switch = T(ring) / hops - T(one task) / hops\n"
             "  of it in the walk: the caches' share; the rest: the switch by itself",
    .numbers = write_numbers,
    .predict = (const char *const[]){"How long does a switch take without data: 0.1, 1, 10 or 100 us?",
                                     "From which size of the sets on does it take longer?",
                                     "Do two cores make the ring faster than one?", NULL},
    .steps =
        (const struct page_step[]){
            {"speedup study relay --set 1MiB --modes multitask --budget 1m",
             "T(2) / T(1), the inverse of the speedup, tells how much longer a hop takes in the ring."},
            {"speedup run relay --mode multitask --workers 2 --timeline", "Each hop ends with a switch: blocked."},
            {"speedup run relay --mode threads --workers 2 --size 20000",
             "Two cores: who waits must be woken on the other one."},
            {NULL, NULL}},
    .sights =
        (const char *const[]){
            "One switch a hop: the switches that are counted are as many as the hops.",
            "About a microsecond without data; several, up to tens, where one set fits into the cache and two do not.",
            "On two cores it is slower than on one: to wake a sleeping core takes longer than to switch.",
            "With --variant messages and processes that yield, the token moves without the sleeping and waking.", NULL},
    .questions =
        (const struct page_question[]){
            {"A time slice is 4 ms, a switch takes 1 us. Why do the caches matter more than that?",
             "After the switch the task's data come from a slower cache or from memory: a core that refills 1 MiB at "
             "20 GB/s takes 50 us. It is the data, not the registers, that are expensive to change."},
            {"Why does the lone task make the system calls too?",
             "So that they cancel: what is left in the difference is the switch, not the price of asking for it."},
            {"Sets of 64 MiB: does a switch cost even more?",
             "No: a set that no cache can hold is fetched from memory at each walk, with or without a switch."},
            {NULL, NULL}},
};
