/* The four operations of McCalpin's STREAM (Memory bandwidth and machine balance in current high performance computers.
 * IEEE TCCA newsletter, December 1995), each for every element of arrays of N doubles, `passes` times over:
 *
 *     copy   c = a          then a = b, b = c, c = a, ...     16 bytes an element
 *     scale  c = s a        then a = s b, b = s c, ...        16, s = -1
 *     add    c = a + b      then a = c + b, c = a + b, ...    24
 *     triad  a = b + s c    then b = a + s c, ...             24, s = 3
 *
 * The arrays take turns, so that every pass changes every element of its target: a pass left out shows in the values.
 * Element i starts from 1, 2 and 4 times 1 + (i + shift) mod 65536, with a shift by the seed, and is such a multiple
 * ever after: all values are whole numbers under 2^53, hence exact, and an element that was computed from its
 * neighbour's shows too.
 *
 * Decomposition: the arrays are cut into cache lines, which are dealt contiguously to ranks and then to threads. Nobody
 * reads what another writes: nothing is sent, and no pass waits for the one before (STREAM has a barrier there).
 *
 * Cost: the bytes above, as STREAM counts them. An ordinary store also reads the line that it will overwrite, from
 * memory half as much again for copy and scale, and a third for add and triad; stores past the caches do not. These
 * pay where the lines would not have stayed in a cache: where the three arrays of a thread are larger than its share of
 * the caches (caches.h), or the option `cache` says how much that is.
 */
#include "../caches.h"
#include "../kernel.h"
#include "../memory.h"
#include "../random.h"
#include "../share.h"
#include "../team.h"
#include "code.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

enum { OPERATION, PASSES, CACHE }; /* rows of the table of options */
enum { PLAIN, STREAMING };         /* in the order of the variants */
enum {
    ARRAYS = 3,
    PATTERN = 65536, /* the starting values repeat after so many elements */
    /* All arrays begin at the same place of a page. A load waits for an earlier store that has the same place in
     * another page and is still under way; so the one before is the farthest away that it can be. */
    PAGE = 4096,
    APART = 5 * PAGE /* beyond their length, so that large powers of two do not lie in the same sets of a cache */
};
#define ELEMENTS_MAX (INT64_C(1) << 40)
#define PASSES_MAX   1e9

static const double start_values[ARRAYS] = {1, 2, 4};

struct triad {
    enum triad_operation operation;
    enum triad_way way;
    const struct triad_code *code;
    int64_t elements, first, count;   /* of each array: of all ranks; this rank's first, and how many */
    int64_t passes, shift;            /* of the pattern, by the seed */
    int64_t share_bytes, cache_bytes; /* a thread's three arrays; its share of the caches */
    int rank;
    double *arrays[ARRAYS]; /* this rank's, up to the end of the last line */
    void *memory;
};

/* The algorithm */

/* What a pass does: arrays[target] = arrays[x] + s arrays[y], or what of that the operation has. */
struct pass {
    int target, x, y;
    double s;
};

static struct pass pass_of(enum triad_operation operation, int64_t pass)
{
    int turn = (int)(pass % ARRAYS), odd = (int)(pass % 2);
    enum { A, B, C };
    switch (operation) {
    case TRIAD_COPY:
    case TRIAD_SCALE:
        return (struct pass){.target = (turn + C) % ARRAYS, .x = turn, .y = turn, .s = -1};
    case TRIAD_ADD:
        return (struct pass){.target = odd ? A : C, .x = odd ? C : A, .y = B};
    default:
        return (struct pass){.target = odd ? B : A, .x = odd ? A : B, .y = C, .s = 3};
    }
}

static int64_t lines_of(int64_t elements)
{
    return (elements + TRIAD_LINE - 1) / TRIAD_LINE;
}

/* Where the elements of one of `shares` owners begin: with a line. */
static int64_t first_element(int64_t elements, int shares, int index)
{
    return share_begin(lines_of(elements), shares, index) * TRIAD_LINE;
}

/* By what the values of an element are multiplied; within a line, each has one more than the one before. */
static double factor_of(const struct triad *triad, int64_t i)
{
    return 1 + (double)((triad->shift + triad->first + i) % PATTERN);
}

static void fill(const struct triad *triad, int64_t begin, int64_t end)
{
    for (int array = 0; array < ARRAYS; array++)
        for (int64_t i = begin; i < end; i += TRIAD_LINE)
            for (int j = 0; j < TRIAD_LINE; j++)
                triad->arrays[array][i + j] = start_values[array] * (factor_of(triad, i) + j);
}

static void run_passes(const struct triad *triad, int64_t begin, int64_t end)
{
    triad_sweep *sweep = triad->code->sweeps[triad->operation][triad->way];
    for (int64_t i = 0; i < triad->passes && begin < end; i++) {
        struct pass pass = pass_of(triad->operation, i);
        sweep(end - begin, triad->arrays[pass.target] + begin, triad->arrays[pass.x] + begin,
              triad->arrays[pass.y] + begin, pass.s);
    }
}

/* The parallel part: each thread has its own stretch of all arrays, in fill as in run, so that their pages are near the
 * core that works on them. */

static void stretch_of_thread(const struct triad *triad, int64_t *begin_p, int64_t *end_p)
{
    int threads = omp_get_num_threads(), thread = omp_get_thread_num();
    *begin_p = first_element(triad->count, threads, thread);
    *end_p = first_element(triad->count, threads, thread + 1);
}

static int triad_reset(struct team *team, void *state)
{
    const struct triad *triad = state;
    (void)team;
#pragma omp parallel
    {
        int64_t begin, end;
        stretch_of_thread(triad, &begin, &end);
        fill(triad, begin, end);
    }
    return 0;
}

static int triad_run(struct team *team, void *state)
{
    const struct triad *triad = state;
#pragma omp parallel
    {
        int64_t begin, end;
        stretch_of_thread(triad, &begin, &end);
        team_work_begin(team);
        run_passes(triad, begin, end);
        team_work_done(team);
    }
    return 0;
}

/* Problem and state */

static int triad_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    int status = size_parse_extents(text, 1, &size);
    if (status == 0 && size.dim[0] > ELEMENTS_MAX) status = -ERANGE;
    if (status == 0) *size_p = size;
    return status;
}

static enum triad_operation operation_of(const struct problem *problem)
{
    return (enum triad_operation)problem->options[OPERATION];
}

/* Of one element, in all passes. */
static double element_work(const struct problem *problem)
{
    bool two = operation_of(problem) == TRIAD_ADD || operation_of(problem) == TRIAD_TRIAD;
    return problem->options[PASSES] * (double)sizeof(double) * (two ? 3 : 2);
}

static double triad_work(const struct problem *problem)
{
    return (double)problem->size.dim[0] * element_work(problem);
}

static int triad_size_for(const struct problem *problem, double work, struct size *size_p)
{
    double elements = work / element_work(problem);
    if (!(elements >= 0.5 && elements <= (double)ELEMENTS_MAX)) return -ERANGE;
    *size_p = (struct size){.dims = 1, .dim = {(int64_t)fmax(1, round(elements))}};
    return 0;
}

/* From one array of a rank to the next. */
static size_t distance(int64_t count)
{
    size_t bytes = (size_t)lines_of(count) * TRIAD_LINE * sizeof(double);
    return (bytes + PAGE - 1) / PAGE * PAGE + APART;
}

static int64_t count_of_rank(int64_t elements, int ranks, int rank)
{
    int64_t begin = first_element(elements, ranks, rank), end = first_element(elements, ranks, rank + 1);
    if (end > elements) end = elements;
    return begin < end ? end - begin : 0;
}

static double triad_memory(const struct problem *problem, int ranks)
{
    double bytes = 0;
    for (int rank = 0; rank < ranks; rank++)
        bytes += ARRAYS * (double)distance(count_of_rank(problem->size.dim[0], ranks, rank)) + sizeof(struct triad);
    return bytes;
}

static void triad_teardown(void *state)
{
    struct triad *triad = state;
    if (!triad) return;
    free(triad->memory);
    free(triad);
}

static enum triad_way choose_way(const struct problem *problem, const struct triad *triad)
{
    if (problem->variant == &problem->kernel->variants[PLAIN]) return TRIAD_LOOP;
    return triad->share_bytes > triad->cache_bytes ? TRIAD_PAST : TRIAD_CACHED;
}

/* Between the first cache and memory, the vectors of AVX2 move more than those of AVX-512 (a tenth on an Intel Xeon
 * with 2 MiB of L2); with the same values, which are exact. */
static const struct triad_code *choose_code(const struct triad *triad, enum isa isa)
{
    bool between = triad->way == TRIAD_CACHED && triad->share_bytes > caches_first();
    return triad_code_find(between && isa == ISA_AVX512 ? ISA_AVX2 : isa);
}

static int triad_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    enum isa isa;
    *state_p = NULL;
    int status = isa_find(problem->isa, &isa);
    if (status < 0) return status;
    struct triad *triad = calloc(1, sizeof *triad);
    if (!triad) return -ENOMEM;
    int ranks = team_size(team);
    triad->rank = team_rank(team);
    triad->operation = operation_of(problem);
    triad->passes = (int64_t)problem->options[PASSES];
    triad->shift = (int64_t)(hash_mix(problem->seed) % (PATTERN / TRIAD_LINE)) * TRIAD_LINE;
    triad->elements = problem->size.dim[0];
    triad->first = first_element(triad->elements, ranks, triad->rank);
    triad->count = count_of_rank(triad->elements, ranks, triad->rank);
    /* The same on all ranks, and so the same code. */
    int64_t workers = (int64_t)ranks * team_threads(team);
    triad->share_bytes = (triad->elements + workers - 1) / workers * ARRAYS * (int64_t)sizeof(double);
    triad->cache_bytes = (int64_t)problem->options[CACHE];
    if (triad->cache_bytes == 0) triad->cache_bytes = caches_share((int)workers);
    triad->way = choose_way(problem, triad);
    triad->code = choose_code(triad, isa);
    size_t apart = distance(triad->count);
    triad->memory = memory_new(ARRAYS * apart);
    if (!triad->memory) {
        triad_teardown(triad);
        return -ENOMEM;
    }
    for (int array = 0; array < ARRAYS; array++)
        triad->arrays[array] = (double *)((char *)triad->memory + (size_t)array * apart);
    *state_p = triad;
    return triad_reset(team, triad);
}

/* The check */

/* The values where the factor is 1, pass by pass: STREAM's own check. Any other element has these times its factor. */
static void compute_values(const struct triad *triad, int64_t passes, double values_p[ARRAYS])
{
    memcpy(values_p, start_values, sizeof start_values);
    for (int64_t i = 0; i < passes; i++) {
        struct pass pass = pass_of(triad->operation, i);
        double x = values_p[pass.x], y = values_p[pass.y];
        values_p[pass.target] = triad->operation == TRIAD_COPY    ? x
                                : triad->operation == TRIAD_SCALE ? pass.s * x
                                : triad->operation == TRIAD_ADD   ? x + y
                                                                  : x + pass.s * y;
    }
}

/* What a thread finds in its lines; added over threads and ranks. */
struct findings {
    uint64_t compared, wrong, checksum; /* elements; lines */
};

/* Of a line: whether all its elements are value times factor, factor + 1, ... */
static bool is_right(const double line[TRIAD_LINE], double value, double factor)
{
    int wrong = 0;
    for (int j = 0; j < TRIAD_LINE; j++) wrong |= !(line[j] == value * (factor + (double)j));
    return !wrong;
}

/* Its bits in one word, in which each element counts by its place. */
static uint64_t word_of(const double line[TRIAD_LINE])
{
    uint64_t word = 0, weight = 1;
    for (int j = 0; j < TRIAD_LINE; j++, weight *= UINT64_C(0x9E3779B97F4A7C15))
        word += weight * bits_of_double(line[j]);
    return word;
}

/* Also of what lies between the last element and the end of its line: it was computed like the others. */
static void look_at_line(const struct triad *triad, int array, double value, int64_t begin, struct findings *findings)
{
    const double *line = triad->arrays[array] + begin;
    int64_t left = triad->count - begin, number = (triad->first + begin) / TRIAD_LINE;
    findings->compared += (uint64_t)(left < TRIAD_LINE ? left : TRIAD_LINE);
    findings->wrong += !is_right(line, value, factor_of(triad, begin));
    findings->checksum += hash_pair((uint64_t)(number * ARRAYS + array), word_of(line));
}

static struct findings look(const struct triad *triad, const double values[ARRAYS])
{
    uint64_t compared = 0, wrong = 0, checksum = 0;
#pragma omp parallel reduction(+ : compared, wrong, checksum)
    {
        struct findings own = {.compared = 0};
        int64_t begin, end;
        stretch_of_thread(triad, &begin, &end);
        for (int array = 0; array < ARRAYS; array++)
            for (int64_t i = begin; i < end; i += TRIAD_LINE) look_at_line(triad, array, values[array], i, &own);
        compared = own.compared;
        wrong = own.wrong;
        checksum = own.checksum;
    }
    return (struct findings){compared, wrong, checksum};
}

static int describe(const struct triad *triad, const struct findings *findings, size_t length, char *text)
{
    static const char *const ways[] = {[TRIAD_LOOP] = "the compiler's loop",
                                       [TRIAD_CACHED] = "stores into the caches",
                                       [TRIAD_PAST] = "stores past the caches"};
    const double mib = 0x1p-20;
    int used =
        snprintf(text, length,
                 "%llu elements compared with the closed form after %lld pass%s, %llu cache lines of them differ; %s",
                 (unsigned long long)findings->compared, (long long)triad->passes, triad->passes == 1 ? "" : "es",
                 (unsigned long long)findings->wrong, ways[triad->way]);
    if (triad->way == TRIAD_LOOP) return used;
    return used + snprintf(text + used, length - (size_t)used, ": a worker has %.3g MiB of arrays, and %.3g of cache",
                           (double)triad->share_bytes * mib, (double)triad->cache_bytes * mib);
}

/* What this check cannot catch: copies left out by sixes, and scales by twelves, after which all values are as before.
 */
static int triad_check(struct team *team, void *state, struct verdict *verdict_p)
{
    const struct triad *triad = state;
    double values[ARRAYS];
    compute_values(triad, triad->passes, values);
    struct findings findings = look(triad, values);
    int target = pass_of(triad->operation, triad->passes - 1).target;
    double result = triad->rank == 0 ? triad->arrays[target][0] : 0;
    int status = team_sum_u64(team, sizeof findings / sizeof(uint64_t), &findings.compared);
    if (status == 0) status = team_sum_double(team, 1, &result);
    if (status < 0) return status;
    verdict_p->correct = findings.compared == ARRAYS * (uint64_t)triad->elements && findings.wrong == 0;
    verdict_p->checksum = findings.checksum;
    verdict_p->result = result;
    describe(triad, &findings, sizeof verdict_p->detail, verdict_p->detail);
    return 0;
}

static bool triad_corrupt(void *state, int kind)
{
    struct triad *triad = state;
    if (triad->count == 0) return false;
    int64_t middle = triad->count / 2;
    struct pass last = pass_of(triad->operation, triad->passes - 1);
    double before[ARRAYS];
    switch (kind) {
    case 0: /* the last bit of one element */
        triad->arrays[last.target][middle] = nextafter(triad->arrays[last.target][middle], INFINITY);
        return true;
    case 1: /* the last pass has left out the end of an array */
        compute_values(triad, triad->passes - 1, before);
        triad->arrays[last.target][triad->count - 1] = before[last.target] * factor_of(triad, triad->count - 1);
        return true;
    case 2: /* an array was written that is only read */
        triad->arrays[last.x][0] = 0;
        return true;
    case 3: /* one was never computed */
        triad->arrays[last.target][0] = NAN;
        return true;
    case 4: /* of the neighbour */
        if (triad->count < 2) return false;
        triad->arrays[last.target][0] = triad->arrays[last.target][1];
        return true;
    default:
        return false;
    }
}

const struct kernel triad_kernel = {
    .name = "triad",
    .summary = "Adds, scales or copies arrays that are larger than the caches, as STREAM does.",
    .lesson = "Cores share the way to the memory: once a few of them fill it, more do not help. And where the parts of "
              "several cores fit into their caches, speedup can be more than ideal.",
    .size_help = "elements of each of the three arrays, of 8 bytes each: 1 to 2^40, such as 16M or 1000",
    .size_default = "16M",
    .work_unit = "byte",
    .memory_bound = true,
    .seed_default = 1,
    .variant_default = "streaming",
    .variants = (const struct variant[]){[PLAIN] = {.name = "plain",
                                                    .summary = "the loop as one would write it, and as the compiler "
                                                               "translates it",
                                                    .exact = true},
                                         [STREAMING] = {.name = "streaming",
                                                        .summary = "vectors; where the arrays do not fit into the "
                                                                   "caches, stores that go past them",
                                                        .exact = true},
                                         {.name = NULL}},
    .options =
        (const struct kernel_option[]){
            [OPERATION] = {.name = "operation",
                           .type = OPTION_CHOICE,
                           .min = TRIAD_COPY,
                           .max = TRIAD_TRIAD,
                           .fallback = TRIAD_TRIAD,
                           .choices = (const char *const[]){"copy", "scale", "add", "triad", NULL},
                           .help = "c = a; c = s a; c = a + b; a = b + s c"},
            [PASSES] = {.name = "passes",
                        .type = OPTION_COUNT,
                        .min = 1,
                        .max = PASSES_MAX,
                        .fallback = 16,
                        .help = "over the arrays, in a run; small arrays need many to take a time worth measuring"},
            [CACHE] = {.name = "cache",
                       .type = OPTION_BYTES,
                       .min = 0,
                       .max = 0x1p40,
                       .fallback = 0,
                       .help = "from how many bytes of arrays a worker on its stores go past the caches; 0: from its "
                               "share of the caches on, as the system tells it"},
            {.name = NULL}},
    .parse_size = triad_parse_size,
    .work = triad_work,
    .memory = triad_memory,
    .size_for = triad_size_for,
    .prepare = triad_prepare,
    .reset = triad_reset,
    .run = triad_run,
    .check = triad_check,
    .teardown = triad_teardown,
    .corrupt = triad_corrupt,
};
