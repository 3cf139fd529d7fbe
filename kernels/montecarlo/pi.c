/* Pi by Monte Carlo: the share of random points of the unit square that fall into the quarter circle, times 4.
 *
 * Point i is made of two 32-bit words of a counter-based generator: words 0 and 1 (i even) or 2 and 3 (i odd) of
 * counter i / 2, with the seed as the key. It hits where x^2 + y^2 < 2^64, in integers; that this lattice holds 2^32
 * points more than the area shifts the estimate by 9e-10, a twentieth of the standard deviation at the largest size.
 *
 * Variants: scalar counts point by point; philox and ars have a counter in each lane of vectors (code.inc). Points lie
 * in blocks (blocks.h), and each block's hits are kept, so that counts can be checked and have the same sum in every
 * mode. Cost of philox: 56 vector operations for the words of 8 counters, and 10 for the hits of their 16 points; no
 * memory traffic, one sum over the ranks at the end.
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
    BLOCK_GRAIN = 1024,      /* points; block lengths are multiples */
    RECOUNTED_POINTS = 65536 /* at most, of one block */
};
#define POINTS_MAX (INT64_C(1) << 53)
#define HIT_SHARE  (M_PI / 4)

struct pi {
    int64_t points;
    struct blocks blocks;
    uint64_t seed;
    struct method method;
    struct montecarlo_code code;
    uint64_t *block_hits;
    uint64_t hits; /* of all ranks, after run */
};

/* Philox's, counted by this program and, independently, by one of 128-bit arithmetic (up to 10^6 also by one in
 * Python). */
static const struct published {
    int64_t points;
    uint64_t seed, hits;
} published_counts[] = {
    {1, 1, 0},
    {1000, 1, 801},
    {1000000, 1, 785428},
    {10000000, 1, 7853412},
    {100000000, 1, 78534958},
    {200000000, 1, 157077875},
    {1000000000, 1, 785394795},
    {999999, UINT64_C(9223372036854788153), 785392},
};

static inline uint64_t is_hit(uint32_t x, uint32_t y)
{
    uint64_t xx = (uint64_t)x * x;
    return xx + (uint64_t)y * y >= xx; /* no overflow of 64 bits */
}

/* Variant scalar: hits among points first ... last - 1, one by one. Two points share the words of a counter. */
static uint64_t count_hits_scalar(uint64_t seed, int64_t first, int64_t last)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4] = {0};
    uint64_t hits = 0;
    for (int64_t point = first; point < last; point++) {
        if (point == first || point % 2 == 0) {
            const uint32_t counter[4] = {(uint32_t)(point >> 1), (uint32_t)(point >> 33)};
            philox4x32(counter, key, words);
        }
        hits += point % 2 ? is_hit(words[2], words[3]) : is_hit(words[0], words[1]);
    }
    return hits;
}

/* The same count by other means: a generator written anew (Philox in the paper's notation, AES byte by byte), and a
 * geometry that cannot overflow. */
static uint64_t recount_hits(enum generator generator, uint64_t seed, int64_t first, int64_t last)
{
    uint64_t hits = 0;
    for (int64_t point = first; point < last; point++) {
        uint32_t l0 = (uint32_t)(point >> 33), r0 = (uint32_t)(point >> 1), l1 = 0, r1 = 0;
        for (uint32_t round = 0; round < 10 && generator == GENERATOR_PHILOX; round++) {
            uint64_t product0 = r0 * UINT64_C(3528531795), product1 = r1 * UINT64_C(3449720151);
            r0 = (uint32_t)((product1 >> 32) ^ l0 ^ ((uint32_t)seed + round * UINT32_C(2654435769)));
            l0 = (uint32_t)product1;
            r1 = (uint32_t)((product0 >> 32) ^ l1 ^ ((uint32_t)(seed >> 32) + round * UINT32_C(3144134277)));
            l1 = (uint32_t)product0;
        }
        if (generator == GENERATOR_ARS) {
            uint32_t words[4];
            method_draw(GENERATOR_ARS, seed, (const uint32_t[4]){r0, l0}, words);
            r0 = words[0], l0 = words[1], r1 = words[2], l1 = words[3];
        }
        uint64_t x = point % 2 ? r1 : r0, y = point % 2 ? l1 : l0;
        hits += y * y <= UINT64_MAX - x * x;
    }
    return hits;
}

/* Variants philox and ars: whole steps of vectors, and what is left by the plain code. `first` is even. */
static uint64_t count_hits_vector(const struct pi *pi, int64_t first, int64_t last)
{
    enum generator generator = pi->method.generator;
    uint64_t hits = 0;
    int64_t counter = first / 2, end = counter + (last / 2 - counter) / CODE_LANES * CODE_LANES;
    while (counter < end) {
        /* Up to where the second word of the counter changes. */
        int64_t stop = ((counter >> 32) + 1) << 32;
        if (stop > end) stop = end;
        const struct counters counters = {{(uint32_t)counter, (uint32_t)(counter >> 32)}};
        hits += pi->code.count_hits[generator](pi->seed, &counters, stop - counter);
        counter = stop;
    }
    return hits + (generator == GENERATOR_PHILOX ? count_hits_scalar(pi->seed, 2 * end, last)
                                                 : recount_hits(generator, pi->seed, 2 * end, last));
}

static uint64_t count_hits(const struct pi *pi, int64_t first, int64_t last)
{
    return pi->method.vector ? count_hits_vector(pi, first, last) : count_hits_scalar(pi->seed, first, last);
}

static int pi_parse_size(const char *text, struct size *size_p)
{
    return size_parse_extents(text, 1, size_p);
}

static double pi_work(const struct problem *problem)
{
    return (double)problem->size.dim[0];
}

static double pi_memory(const struct problem *problem, int ranks)
{
    struct blocks blocks = blocks_of(problem->size.dim[0], BLOCK_GRAIN, 1, 1, 0);
    return (double)blocks.total * sizeof(uint64_t) + ranks * (double)sizeof(struct pi);
}

static int pi_size_for(const struct problem *problem, double work, struct size *size_p)
{
    (void)problem;
    return method_size_for(POINTS_MAX, work, size_p);
}

static void pi_teardown(void *state)
{
    struct pi *pi = state;
    if (!pi) return;
    free(pi->block_hits);
    free(pi);
}

static int pi_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    enum isa isa;
    *state_p = NULL;
    int status = isa_find(problem->isa, &isa);
    if (status < 0) return status;
    struct pi *pi = calloc(1, sizeof *pi);
    if (!pi) return -ENOMEM;
    pi->seed = problem->seed;
    pi->points = problem->size.dim[0];
    pi->blocks = blocks_of(pi->points, BLOCK_GRAIN, 1, team_size(team), team_rank(team));
    pi->method = method_of(problem->variant);
    pi->code = montecarlo_code_find(isa);
    pi->block_hits = calloc((size_t)pi->blocks.count + 1, sizeof *pi->block_hits);
    if (!pi->block_hits) {
        pi_teardown(pi);
        return -ENOMEM;
    }
    *state_p = pi;
    return 0;
}

/* No count is as large as this: what run leaves out shows. */
static int pi_reset(struct team *team, void *state)
{
    struct pi *pi = state;
    (void)team;
    pi->hits = UINT64_MAX;
    for (int64_t i = 0; i < pi->blocks.count; i++) pi->block_hits[i] = UINT64_MAX;
    return 0;
}

static int pi_run(struct team *team, void *state)
{
    struct pi *pi = state;
    const struct blocks *blocks = &pi->blocks;
    uint64_t hits = 0;
#pragma omp parallel reduction(+ : hits)
    {
        team_work_begin(team);
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < blocks->count; i++) {
            int64_t block = blocks->first + i;
            pi->block_hits[i] = count_hits(pi, block_begin(blocks, block), block_begin(blocks, block + 1));
            hits += pi->block_hits[i];
        }
        team_work_done(team);
    }
    pi->hits = hits;
    return team_sum_u64(team, 1, &pi->hits);
}

/* What a rank finds in its blocks; added over the ranks. */
struct findings {
    uint64_t hits, checksum, implausible, recounted, miscounted;
};
enum { FINDINGS = sizeof(struct findings) / sizeof(uint64_t) };

/* Wrong streams and skipped points show in a block's own count: 8 standard deviations, so that a right program fails in
 * fewer than one of 10^10 runs with the most blocks. */
static bool is_plausible(uint64_t hits, int64_t points)
{
    double deviation = sqrt((double)points * HIT_SHARE * (1 - HIT_SHARE));
    return hits <= (uint64_t)points && fabs((double)hits - (double)points * HIT_SHARE) <= 8 * deviation + 1;
}

/* A long block's stored count cannot be verified by a part of it; there the run's code is, on the same counters. */
static void recount_block(const struct pi *pi, int64_t i, struct findings *findings)
{
    int64_t block = pi->blocks.first + i;
    int64_t first = block_begin(&pi->blocks, block), last = block_begin(&pi->blocks, block + 1);
    bool whole = last - first <= RECOUNTED_POINTS;
    if (!whole) last = first + RECOUNTED_POINTS;
    uint64_t counted = whole ? pi->block_hits[i] : count_hits(pi, first, last);
    findings->recounted += (uint64_t)(last - first);
    findings->miscounted += counted != recount_hits(pi->method.generator, pi->seed, first, last);
}

static void find(const struct pi *pi, struct findings *findings)
{
    for (int64_t i = 0; i < pi->blocks.count; i++) {
        int64_t block = pi->blocks.first + i;
        findings->hits += pi->block_hits[i];
        findings->checksum += hash_pair((uint64_t)block, pi->block_hits[i]);
        findings->implausible +=
            !is_plausible(pi->block_hits[i], block_begin(&pi->blocks, block + 1) - block_begin(&pi->blocks, block));
        if (block_is_drawn(&pi->blocks, i, pi->seed)) recount_block(pi, i, findings);
    }
}

static const struct published *find_published(const struct pi *pi)
{
    for (size_t i = 0; i < sizeof published_counts / sizeof *published_counts; i++)
        if (published_counts[i].points == pi->points && published_counts[i].seed == pi->seed &&
            pi->method.generator == GENERATOR_PHILOX)
            return &published_counts[i];
    return NULL;
}

/* What this check cannot catch: in problems without a published count, a block that was miscounted slightly and is not
 * among those recounted. */
static int pi_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct pi *pi = state;
    struct findings findings = {.hits = 0};
    find(pi, &findings);
    int status = team_sum_u64(team, FINDINGS, &findings.hits);
    if (status < 0) return status;
    uint64_t totals_off = pi->hits != findings.hits;
    status = team_sum_u64(team, 1, &totals_off);
    if (status < 0) return status;

    double points = (double)pi->points, estimate = 4 * (double)findings.hits / points;
    double deviations = fabs(estimate - M_PI) / sqrt(M_PI * (4 - M_PI) / points);
    const struct published *published = find_published(pi);
    const char *wrong = totals_off                                      ? "; the total is not the sum of the blocks"
                        : findings.implausible                          ? "; a block's count is impossible"
                        : findings.miscounted                           ? "; a recounted block differs"
                        : published && published->hits != findings.hits ? "; the published count differs"
                        : !(deviations <= 6)                            ? "; too far from pi for that many points"
                                                                        : "";
    verdict_p->correct = *wrong == '\0';
    verdict_p->checksum = findings.checksum;
    verdict_p->result = estimate;
    snprintf(verdict_p->detail, sizeof verdict_p->detail,
             "%lld block counts summed, %llu points recounted%s, %.2f standard deviations from pi%s",
             (long long)pi->blocks.total, (unsigned long long)findings.recounted,
             published ? ", compared with the published count" : "", deviations, wrong);
    return 0;
}

static bool pi_corrupt(void *state, int kind)
{
    struct pi *pi = state;
    if (kind > 0 && pi->blocks.count == 0) return false;
    switch (kind) {
    case 0: /* the total of this rank is off by one */
        pi->hits++;
        return true;
    case 1: /* a block counts one point too many */
        pi->block_hits[pi->blocks.count / 2]++;
        return true;
    case 2: /* a block was skipped, and nobody noticed in the sum */
        pi->hits += UINT64_MAX - pi->block_hits[pi->blocks.count / 2];
        pi->block_hits[pi->blocks.count / 2] = UINT64_MAX;
        return true;
    case 3: /* a block was miscounted, and summed so */
        if (pi->blocks.length > RECOUNTED_POINTS) return false;
        uint64_t off = pi->block_hits[0] > 0 ? UINT64_MAX : 1;
        pi->block_hits[0] += off;
        pi->hits += off;
        return true;
    default:
        return false;
    }
}

const struct kernel pi_kernel = {
    .name = "pi",
    .summary = "Estimates pi from random points in a square.",
    .lesson = "Independent work without communication: the speedup that the machine's cores can give, no more and no "
              "less. What is lost here is lost by every program.",
    .size_help = "number of points, 1 to 2^53, such as 200M or 1e9",
    .size_default = "1e9",
    .work_unit = "sample",
    .seed_default = 1,
    .variant_default = "philox",
    .variants =
        (const struct variant[]){
            {.name = "scalar",
             .summary = "point by point in plain C, with Philox4x32-10: a random number for each sample index",
             .exact = true},
            {.name = "philox",
             .summary = "the same random numbers, eight counters at a time in vector registers",
             .exact = true},
            {.name = "ars",
             .summary = "ARS-7: random numbers by the processor's AES instructions",
             .exact = true,
             .unavailable = method_ars_unavailable},
            {.name = NULL}},
    .options = NULL,
    .parse_size = pi_parse_size,
    .work = pi_work,
    .memory = pi_memory,
    .size_for = pi_size_for,
    .prepare = pi_prepare,
    .reset = pi_reset,
    .run = pi_run,
    .check = pi_check,
    .teardown = pi_teardown,
    .corrupt = pi_corrupt,
};
