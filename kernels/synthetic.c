/* Items that each compute for a while and then wait for a while, like requests to a disk or a server.
 *
 * An item computes `operations` steps of a 64-bit linear congruential generator, which starts from a hash of the seed
 * and the item's index, then blocks for `wait`. Items are dealt contiguously to ranks and threads. Waiting is no work:
 * the stamps leave it out, and the core is free for other tasks meanwhile.
 * Cost: a multiplication and an addition a step, each waiting for the one before; no memory traffic.
 */
#include "kernel.h"
#include "random.h"
#include "share.h"
#include "team.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPERATIONS, WAIT }; /* rows of the table of options */
#define ITEMS_MAX (INT64_C(1) << 32)

/* Knuth: The art of computer programming 2, section 3.3.4 (MMIX). */
static const uint64_t MULTIPLIER = UINT64_C(6364136223846793005), INCREMENT = UINT64_C(1442695040888963407);

struct synthetic {
    int64_t items, first, count; /* over all ranks; this rank's */
    uint64_t seed, operations;
    struct timespec wait; /* 0: no wait */
    uint64_t *values;     /* of this rank's items */
    uint8_t *done;        /* how often */
};

static uint64_t start_value(const struct synthetic *synthetic, int64_t item)
{
    return hash_pair(synthetic->seed, (uint64_t)item);
}

static uint64_t compute(uint64_t value, uint64_t operations)
{
    for (uint64_t step = 0; step < operations; step++) value = value * MULTIPLIER + INCREMENT;
    return value;
}

/* The same value by squaring, in log2(operations) steps. Brown: Random number generation with arbitrary strides. Trans.
 * Am. Nucl. Soc. 71, 1994. */
static uint64_t jump(uint64_t value, uint64_t operations)
{
    uint64_t multiplier = MULTIPLIER, increment = INCREMENT;
    for (; operations > 0; operations /= 2) {
        if (operations % 2) value = value * multiplier + increment;
        increment *= multiplier + 1;
        multiplier *= multiplier;
    }
    return value;
}

static void wait_for(struct timespec remaining)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &remaining, &remaining) == EINTR) continue;
}

static int synthetic_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    int status = size_parse_extents(text, 1, &size);
    if (status == 0 && size.dim[0] > ITEMS_MAX) status = -ERANGE;
    if (status == 0) *size_p = size;
    return status;
}

static double synthetic_work(const struct problem *problem)
{
    return (double)problem->size.dim[0];
}

static double synthetic_memory(const struct problem *problem, int ranks)
{
    (void)ranks;
    return (double)problem->size.dim[0] * (sizeof(uint64_t) + sizeof(uint8_t));
}

static int synthetic_size_for(const struct problem *problem, double work, struct size *size_p)
{
    (void)problem;
    if (!(work >= 0.5 && work <= (double)ITEMS_MAX)) return -ERANGE;
    *size_p = (struct size){.dims = 1, .dim = {(int64_t)round(work)}};
    return 0;
}

static void synthetic_teardown(void *state)
{
    struct synthetic *synthetic = state;
    if (!synthetic) return;
    free(synthetic->done);
    free(synthetic->values);
    free(synthetic);
}

static int synthetic_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    struct synthetic *synthetic = calloc(1, sizeof *synthetic);
    *state_p = NULL;
    if (!synthetic) return -ENOMEM;
    int64_t wait_ns = llround(problem->options[WAIT] * 1e9);
    synthetic->items = problem->size.dim[0];
    synthetic->first = share_begin(synthetic->items, team_size(team), team_rank(team));
    synthetic->count = share_begin(synthetic->items, team_size(team), team_rank(team) + 1) - synthetic->first;
    synthetic->seed = problem->seed;
    synthetic->operations = (uint64_t)problem->options[OPERATIONS];
    synthetic->wait = (struct timespec){wait_ns / 1000000000, wait_ns % 1000000000};
    synthetic->values = calloc((size_t)synthetic->count + 1, sizeof *synthetic->values);
    synthetic->done = calloc((size_t)synthetic->count + 1, sizeof *synthetic->done);
    if (!synthetic->values || !synthetic->done) {
        synthetic_teardown(synthetic);
        return -ENOMEM;
    }
    *state_p = synthetic;
    return 0;
}

static int synthetic_reset(struct team *team, void *state)
{
    struct synthetic *synthetic = state;
    (void)team;
    memset(synthetic->values, 0, (size_t)synthetic->count * sizeof *synthetic->values);
    memset(synthetic->done, 0, (size_t)synthetic->count * sizeof *synthetic->done);
    return 0;
}

static int synthetic_run(struct team *team, void *state)
{
    struct synthetic *synthetic = state;
    bool waits = synthetic->wait.tv_sec > 0 || synthetic->wait.tv_nsec > 0;
#pragma omp parallel
    {
        team_work_begin(team);
#pragma omp for schedule(static) nowait
        for (int64_t i = 0; i < synthetic->count; i++) {
            synthetic->values[i] = compute(start_value(synthetic, synthetic->first + i), synthetic->operations);
            synthetic->done[i]++;
            if (!waits) continue;
            team_work_done(team);
            wait_for(synthetic->wait);
            team_work_begin(team);
        }
        team_work_done(team);
    }
    return 0;
}

static int synthetic_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct synthetic *synthetic = state;
    uint64_t done = 0, wrong = 0, checksum = 0;
    for (int64_t i = 0; i < synthetic->count; i++) {
        int64_t item = synthetic->first + i;
        done += synthetic->done[i];
        wrong += synthetic->values[i] != jump(start_value(synthetic, item), synthetic->operations);
        checksum += hash_pair((uint64_t)item, synthetic->values[i]);
    }
    uint64_t sums[3] = {done, wrong, checksum};
    int status = team_sum_u64(team, 3, sums);
    if (status < 0) return status;
    verdict_p->correct = sums[0] == (uint64_t)synthetic->items && sums[1] == 0;
    verdict_p->checksum = sums[2];
    verdict_p->result = (double)sums[0];
    snprintf(verdict_p->detail, sizeof verdict_p->detail,
             "%llu of %lld items done, %llu of their values differ from the closed form", (unsigned long long)sums[0],
             (long long)synthetic->items, (unsigned long long)sums[1]);
    return 0;
}

static bool synthetic_corrupt(void *state, int kind)
{
    struct synthetic *synthetic = state;
    int64_t i = synthetic->count / 2;
    if (synthetic->count == 0) return false;
    switch (kind) {
    case 0: /* a wrong value */
        synthetic->values[i] ^= 1;
        return true;
    case 1: /* an item left out */
        synthetic->values[i] = 0;
        synthetic->done[i] = 0;
        return true;
    case 2: /* an item done by two workers */
        synthetic->done[i]++;
        return true;
    default:
        return false;
    }
}

const struct kernel synthetic_kernel = {
    .name = "synthetic",
    .summary = "Computes and waits in turns, like a program that reads from a disk or a server.",
    .lesson = "Where tasks mostly wait, even one core serves many of them: while one waits, another computes. This is "
              "what multitasking is good for.",
    .size_help = "number of items, 1 to 2^32",
    .size_default = "200",
    .work_unit = "item",
    .seed_default = 1,
    .variant_default = "blocking",
    .variants =
        (const struct variant[]){
            {.name = "blocking", .summary = "computes an item, then sleeps, then takes the next", .exact = true},
            {.name = NULL}},
    .options = (const struct kernel_option[]){[OPERATIONS] = {.name = "operations",
                                                              .type = OPTION_COUNT,
                                                              .min = 1,
                                                              .max = 1e12,
                                                              .fallback = 800000,
                                                              .help = "steps that an item computes; 800000 take about "
                                                                      "a millisecond"},
                                              [WAIT] = {.name = "wait",
                                                        .type = OPTION_DURATION,
                                                        .min = 0,
                                                        .max = 10,
                                                        .fallback = 4e-3,
                                                        .help = "how long each item waits after it has computed"},
                                              {.name = NULL}},
    .parse_size = synthetic_parse_size,
    .work = synthetic_work,
    .memory = synthetic_memory,
    .size_for = synthetic_size_for,
    .prepare = synthetic_prepare,
    .reset = synthetic_reset,
    .run = synthetic_run,
    .check = synthetic_check,
    .teardown = synthetic_teardown,
    .corrupt = synthetic_corrupt,
};
