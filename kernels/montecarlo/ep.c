/* EP, "embarrassingly parallel", of the NAS Parallel Benchmarks: pairs of normal deviates by the polar method, their
 * sums, and how many have their larger coordinate in [k, k + 1). Bailey et al.: The NAS Parallel Benchmarks.
 * RNR-94-007, 1994, section 2.3.
 *
 * Pair j is made of numbers 2 j + 1 and 2 j + 2 of the linear congruential generator x' = 5^13 x mod 2^46 (random.h),
 * which reaches any of them at once; the seed is its start. With NPB's own seed the sums of its classes are known, and
 * compared as NPB does. Sums over blocks (blocks.h) are added along a fixed tree.
 * Cost of `vector`, 8 pairs: 6 operations to draw, 19 for the logarithm, 13 for the root, 8 to collect; no memory
 * traffic. One gather and two sums over the ranks at the end.
 */
#include "../kernel.h"
#include "../random.h"
#include "../team.h"
#include "blocks.h"
#include "method.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_GRAIN = 1024,      /* pairs; block lengths are multiples */
    RECOUNTED_PAIRS = 65536, /* at most, of one block */
    CLASSES = 6
};
#define PAIRS_MAX (INT64_C(1) << 43) /* then the generator begins again */
#define NPB_SEED  UINT64_C(271828183)

/* Of NPB 3.4, ep.f and its verification: sums within 1e-8, relative. The counts are those of accepted pairs. */
static const struct npb_class {
    const char *name;
    int64_t pairs;
    double x, y;
    uint64_t accepted;
} classes[CLASSES] = {
    {"S", INT64_C(1) << 24, -3.247834652034740e3, -6.958407078382297e3, 13176389},
    {"W", INT64_C(1) << 25, -2.863319731645753e3, -6.320053679109499e3, 26354769},
    {"A", INT64_C(1) << 28, -4.295875165629892e3, -1.580732573678431e4, 210832767},
    {"B", INT64_C(1) << 30, 4.033815542441498e4, -2.660669192809235e4, 843345606},
    {"C", INT64_C(1) << 32, 4.764367927995374e4, -8.084072988043731e4, 3373275903},
    {"D", INT64_C(1) << 36, 1.982481200946593e5, -1.020596636361769e5, 53972171957},
};
#define NPB_TOLERANCE 1e-8

enum { WIDTH = 2 }; /* sums of a block, of x and of y */

struct ep {
    int64_t pairs;
    uint64_t seed, start; /* the generator's number 0: the seed made odd, modulo 2^46 */
    struct blocks blocks;
    bool vector;
    struct montecarlo_code code;
    struct block_sums *block_sums;
    double *values;     /* WIDTH of each block */
    uint64_t *accepted; /* of each block */
    double sums[WIDTH]; /* of all ranks, after run */
    uint64_t bins[EP_BINS];
};

/* Variant scalar: as in the report, pair by pair. `number` is the one before the first. */
static void add_pairs_scalar(uint64_t number, int64_t pairs, struct ep_sums *sums_p)
{
    struct ep_sums sums = {.x = 0};
    for (int64_t pair = 0; pair < pairs; pair++) {
        number = lcg46_multiply(number, LCG46_MULTIPLIER);
        double x = 2 * (0x1p-46 * (double)number) - 1;
        number = lcg46_multiply(number, LCG46_MULTIPLIER);
        double y = 2 * (0x1p-46 * (double)number) - 1;
        double t = x * x + y * y;
        if (t > 1) continue;
        double factor = sqrt(-2 * log(t) / t);
        x *= factor;
        y *= factor;
        sums.x += x;
        sums.y += y;
        sums.bins[(int)fmax(fabs(x), fabs(y))]++;
    }
    *sums_p = sums;
}

static void add_pairs(const struct ep *ep, bool vector, int64_t first, int64_t last, struct ep_sums *sums_p)
{
    uint64_t number = lcg46_multiply(ep->start, lcg46_power(2 * (uint64_t)first));
    if (vector)
        ep->code.ep(lcg46_multiply(number, LCG46_MULTIPLIER), last - first, sums_p);
    else
        add_pairs_scalar(number, last - first, sums_p);
}

static uint64_t count_accepted(const struct ep_sums *sums)
{
    uint64_t accepted = 0;
    for (int k = 0; k < EP_BINS; k++) accepted += sums->bins[k];
    return accepted;
}

static int ep_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    for (int i = 0; i < CLASSES; i++) {
        if (strcmp(text, classes[i].name) != 0) continue;
        size = (struct size){.dims = 1, .dim = {classes[i].pairs}};
        snprintf(size.class_name, sizeof size.class_name, "%s", text);
        *size_p = size;
        return 0;
    }
    int status = size_parse_extents(text, 1, &size);
    if (status == 0 && size.dim[0] > PAIRS_MAX) status = -ERANGE;
    if (status == 0) *size_p = size;
    return status;
}

static double ep_work(const struct problem *problem)
{
    return (double)problem->size.dim[0];
}

static double ep_memory(const struct problem *problem, int ranks)
{
    struct blocks blocks = blocks_of(problem->size.dim[0], BLOCK_GRAIN, 1, 1, 0);
    return (double)blocks.total * (WIDTH * sizeof(double) + sizeof(uint64_t)) + ranks * (double)sizeof(struct ep) +
           block_sums_bytes(ranks);
}

static int ep_size_for(const struct problem *problem, double work, struct size *size_p)
{
    (void)problem;
    return method_size_for(PAIRS_MAX, work, size_p);
}

static void ep_teardown(void *state)
{
    struct ep *ep = state;
    if (!ep) return;
    block_sums_free(ep->block_sums);
    free(ep->accepted);
    free(ep->values);
    free(ep);
}

static int ep_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    enum isa isa;
    *state_p = NULL;
    int status = isa_find(problem->isa, &isa);
    if (status < 0) return status;
    struct ep *ep = calloc(1, sizeof *ep);
    if (!ep) return -ENOMEM;
    ep->pairs = problem->size.dim[0];
    ep->seed = problem->seed;
    ep->start = lcg46_multiply(problem->seed | 1, 1); /* odd, or the low bits would stand still */
    ep->blocks = blocks_of(ep->pairs, BLOCK_GRAIN, 1, team_size(team), team_rank(team));
    ep->vector = method_of(problem->variant).vector;
    ep->code = montecarlo_code_find(isa);
    ep->block_sums = block_sums_new(team, WIDTH);
    ep->values = calloc((size_t)ep->blocks.count + 1, WIDTH * sizeof *ep->values);
    ep->accepted = calloc((size_t)ep->blocks.count + 1, sizeof *ep->accepted);
    if (!ep->block_sums || !ep->values || !ep->accepted) {
        ep_teardown(ep);
        return -ENOMEM;
    }
    *state_p = ep;
    return 0;
}

/* Not a number, and more than there can be: what run leaves out shows. */
static int ep_reset(struct team *team, void *state)
{
    struct ep *ep = state;
    (void)team;
    for (int64_t i = 0; i < ep->blocks.count * WIDTH; i++) ep->values[i] = NAN;
    for (int64_t i = 0; i < ep->blocks.count; i++) ep->accepted[i] = UINT64_MAX;
    for (int i = 0; i < WIDTH; i++) ep->sums[i] = NAN;
    memset(ep->bins, 0, sizeof ep->bins);
    return 0;
}

static int ep_run(struct team *team, void *state)
{
    struct ep *ep = state;
    const struct blocks *blocks = &ep->blocks;
    uint64_t bins[EP_BINS] = {0};
#pragma omp parallel reduction(+ : bins)
    {
        team_work_begin(team);
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < blocks->count; i++) {
            int64_t block = blocks->first + i;
            struct ep_sums sums;
            add_pairs(ep, ep->vector, block_begin(blocks, block), block_begin(blocks, block + 1), &sums);
            ep->values[i * WIDTH] = sums.x;
            ep->values[i * WIDTH + 1] = sums.y;
            ep->accepted[i] = count_accepted(&sums);
            for (int k = 0; k < EP_BINS; k++) bins[k] += sums.bins[k];
        }
        team_work_done(team);
    }
    memcpy(ep->bins, bins, sizeof bins);
    int status = team_sum_u64(team, EP_BINS, ep->bins);
    return status < 0 ? status : block_sums_add_up(ep->block_sums, team, blocks, ep->values, ep->sums);
}

/* What a rank finds in its blocks; added over the ranks. */
struct findings {
    uint64_t accepted, checksum, implausible, recounted, miscounted;
};
enum { FINDINGS = sizeof(struct findings) / sizeof(uint64_t) };

/* Both sums are of normal deviates, two for each accepted pair, and these are pi/4 of all: 8 standard deviations. */
static bool is_plausible(int64_t pairs, uint64_t accepted, const double sums[WIDTH])
{
    double n = (double)pairs, share = M_PI / 4;
    return accepted <= (uint64_t)pairs && fabs((double)accepted - n * share) <= 8 * sqrt(n * share * (1 - share)) + 1 &&
           fabs(sums[0]) <= 8 * sqrt(n) + 8 && fabs(sums[1]) <= 8 * sqrt(n) + 8;
}

/* Right programs differ by the rounding of each deviate. */
static bool agree(int64_t pairs, const struct ep_sums *a, const struct ep_sums *b)
{
    double tolerance = 1e-14 * ((double)pairs + 100);
    return fabs(a->x - b->x) <= tolerance && fabs(a->y - b->y) <= tolerance && count_accepted(a) == count_accepted(b);
}

/* The block's results must be those that the run's code gives once more, to the bit (of a long block only a part is
 * done again), and near those of the other code: plain C for vector, and the reverse. */
static void recount_block(const struct ep *ep, int64_t i, struct findings *findings)
{
    int64_t first = block_begin(&ep->blocks, ep->blocks.first + i);
    int64_t last = block_begin(&ep->blocks, ep->blocks.first + i + 1);
    bool whole = last - first <= RECOUNTED_PAIRS;
    struct ep_sums again, other;
    if (!whole) last = first + RECOUNTED_PAIRS;
    add_pairs(ep, ep->vector, first, last, &again);
    add_pairs(ep, !ep->vector, first, last, &other);
    const double values[WIDTH] = {again.x, again.y};
    findings->recounted += (uint64_t)(last - first);
    findings->miscounted += !agree(last - first, &again, &other);
    if (whole)
        findings->miscounted +=
            memcmp(values, ep->values + i * WIDTH, sizeof values) != 0 || ep->accepted[i] != count_accepted(&again);
}

static void find(const struct ep *ep, struct findings *findings)
{
    for (int64_t i = 0; i < ep->blocks.count; i++) {
        int64_t block = ep->blocks.first + i;
        const double *values = ep->values + i * WIDTH;
        uint64_t bits = hash_pair(bits_of_double(values[0]), bits_of_double(values[1]));
        findings->checksum += hash_pair((uint64_t)block, hash_pair(bits, ep->accepted[i]));
        findings->accepted += ep->accepted[i];
        findings->implausible += !is_plausible(block_begin(&ep->blocks, block + 1) - block_begin(&ep->blocks, block),
                                               ep->accepted[i], values);
        if (block_is_drawn(&ep->blocks, i, ep->start)) recount_block(ep, i, findings);
    }
}

static const struct npb_class *find_class(const struct ep *ep)
{
    for (int i = 0; i < CLASSES; i++)
        if (classes[i].pairs == ep->pairs && ep->seed == NPB_SEED) return &classes[i];
    return NULL;
}

static double relative_error(double value, double known)
{
    return fabs((value - known) / known);
}

/* What this check cannot catch: in problems that are no class of NPB's, a block slightly wrong that is not recounted.
 */
static int ep_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct ep *ep = state;
    struct findings findings = {.accepted = 0};
    double sums[WIDTH];
    uint64_t accepted = 0;
    find(ep, &findings);
    int status = block_sums_add_up(ep->block_sums, team, &ep->blocks, ep->values, sums);
    if (status == 0) status = team_sum_u64(team, FINDINGS, &findings.accepted);
    if (status < 0) return status;
    for (int k = 0; k < EP_BINS; k++) accepted += ep->bins[k];
    uint64_t totals_off = memcmp(sums, ep->sums, sizeof sums) != 0 || accepted != findings.accepted;
    status = team_sum_u64(team, 1, &totals_off);
    if (status < 0) return status;

    const struct npb_class *class = find_class(ep);
    double error = class ? fmax(relative_error(ep->sums[0], class->x), relative_error(ep->sums[1], class->y)) : 0;
    const char *wrong = totals_off             ? "the totals are not the sums of the blocks; "
                        : findings.implausible ? "a block's result is impossible; "
                        : findings.miscounted  ? "a recounted block differs; "
                        : class && !(error <= NPB_TOLERANCE && accepted == class->accepted)
                            ? "NOT VERIFIED: NPB's published results differ; "
                            : "";
    char compared[80] = "no class of NPB's, or not its seed: no published sums";
    if (class)
        snprintf(compared, sizeof compared, "%s class %s, sums within %.1e of NPB's",
                 *wrong ? "of" : "VERIFIED:", class->name, error);
    verdict_p->correct = *wrong == '\0';
    verdict_p->checksum = findings.checksum;
    verdict_p->result = ep->sums[0];
    snprintf(verdict_p->detail, sizeof verdict_p->detail, "%s%s; %llu pairs accepted, %llu recounted, %s", wrong,
             compared, (unsigned long long)accepted, (unsigned long long)findings.recounted,
             ep->vector && ep->code.fused ? "fused multiply-adds" : "no fused multiply-adds");
    return 0;
}

static bool ep_corrupt(void *state, int kind)
{
    struct ep *ep = state;
    if (kind > 1 && ep->blocks.count == 0) return false;
    int64_t middle = ep->blocks.count / 2;
    switch (kind) {
    case 0: /* the total is off by rounding */
        ep->sums[1] = nextafter(ep->sums[1], INFINITY);
        return true;
    case 1: /* a deviate is missing in the bins */
        ep->bins[0]--;
        return true;
    case 2: /* a block counts a pair too many */
        ep->accepted[middle]++;
        return true;
    case 3: /* a block was skipped */
        ep->values[middle * WIDTH] = NAN;
        return true;
    case 4: /* a block was added up wrongly, and its error noticed nowhere else */
        if (ep->blocks.length > RECOUNTED_PAIRS) return false;
        ep->values[0] += 1e-9;
        return true;
    default:
        return false;
    }
}

const struct kernel ep_kernel = {
    .name = "ep",
    .summary = "The EP benchmark of NASA: pairs of normal deviates, with published sums.",
    .lesson = "A benchmark with a known answer: whatever the number of workers, the sums must be NASA's. Work without "
              "communication scales as well as the cores allow.",
    .size_help =
        "class S, W, A, B, C or D of the NAS Parallel Benchmarks (2^24, 2^25, 2^28, 2^30, 2^32, 2^36 pairs), or a "
        "number of pairs, 1 to 2^43",
    .size_default = "A",
    .work_unit = "sample",
    .seed_default = NPB_SEED,
    .variant_default = "vector",
    .variants =
        (const struct variant[]){
            {.name = "scalar", .summary = "pair by pair in plain C, with log and sqrt of the C library", .exact = true},
            {.name = "vector", .summary = "eight pairs at a time in vector registers", .exact = true},
            {.name = NULL}},
    .options = NULL,
    .parse_size = ep_parse_size,
    .work = ep_work,
    .memory = ep_memory,
    .size_for = ep_size_for,
    .prepare = ep_prepare,
    .reset = ep_reset,
    .run = ep_run,
    .check = ep_check,
    .teardown = ep_teardown,
    .corrupt = ep_corrupt,
};
