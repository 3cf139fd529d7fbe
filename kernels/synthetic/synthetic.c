/* Computing with dials: one for each way in which parallel programs lose time. With all at 0, nothing is lost.
 *
 * An item computes `operations` steps of a 64-bit linear congruential generator, which starts from a hash of the seed
 * and the item's index. Items are dealt contiguously to the workers, in the order of ranks, then of threads.
 *
 *     serial      that share of each item's steps is done before all else, by worker 0, while the others wait
 *     imbalance   worker 0 gets (1 + imbalance) times as many items as the mean; the others have equal shares
 *     wait        after each item its worker waits (wait.c). Waiting is no work: the stamps leave it out
 *     message     after each piece, ranks swap messages with a neighbour (message.c)
 *     contend     the threads of a rank update shared data every UPDATE_STEPS steps, or share a lock (contend.c)
 *     grain       an item is cut into pieces of that many steps, and all workers meet after each piece
 *
 * Who computes an item changes nothing in its value. With neither messages nor grain, workers do not meet before the
 * end; else there are rounds, of one piece a worker. A piece is a whole item, unless there is a grain.
 * Cost: a multiplication and an addition a step, each waiting for the one before; no memory traffic.
 */
#include "../kernel.h"
#include "../random.h"
#include "../share.h"
#include "../team.h"
#include "dials.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPERATIONS, SERIAL, IMBALANCE, WAIT, WAIT_KIND, MESSAGE, CONTEND, GRAIN }; /* rows of the table of options */
enum { UPDATE_STEPS = 40, LOCK_STEPS = 4000, LOCKED_STEPS = LOCK_STEPS / 4 * 3 };
#define ITEMS_MAX    (INT64_C(1) << 32)
#define STEPS_SECOND 8e8 /* by which a grain's time becomes steps: nominal, so that all machines do the same */

/* Knuth: The art of computer programming 2, section 3.3.4 (MMIX). */
static const uint64_t MULTIPLIER = UINT64_C(6364136223846793005), INCREMENT = UINT64_C(1442695040888963407);

/* One thread, alone on its cache lines. */
struct worker {
    int64_t item, last; /* the next one, and the end of its share */
    uint64_t at, value; /* steps of that item that are done, and what they came to */
    struct waiter waiter;
    int status;
} __attribute__((aligned(128)));

struct synthetic {
    int64_t items, first, count; /* over all ranks; this rank's */
    uint64_t seed;
    uint64_t serial, steps, piece; /* of each item: steps done before all else, those done by its worker; steps of a
                                      piece */
    int64_t rounds;                /* 0: workers do not meet */
    int64_t pieces;                /* of an item */
    bool meets;                    /* also ranks, after each round */
    int rank, ranks, threads;
    double imbalance;
    uint64_t serial_value; /* of rank 0 */
    uint64_t *values;      /* of this rank's items */
    uint8_t *done;         /* how often */
    struct worker *workers;
    struct contention contention;
    struct messages messages;
};

/* The algorithm ------------------------------------------------------------------------------------------------- */

static uint64_t start_value(const struct synthetic *synthetic, int64_t item)
{
    return hash_pair(synthetic->seed, (uint64_t)item);
}

static uint64_t compute(uint64_t value, uint64_t steps)
{
    for (uint64_t step = 0; step < steps; step++) value = value * MULTIPLIER + INCREMENT;
    return value;
}

/* The same value by squaring, in log2(steps) operations. Brown: Random number generation with arbitrary strides. Trans.
 * Am. Nucl. Soc. 71, 1994. */
static uint64_t jump(uint64_t value, uint64_t steps)
{
    uint64_t multiplier = MULTIPLIER, increment = INCREMENT;
    for (; steps > 0; steps /= 2) {
        if (steps % 2) value = value * multiplier + increment;
        increment *= multiplier + 1;
        multiplier *= multiplier;
    }
    return value;
}

/* The first item of a worker. Over one worker there is no imbalance. */
static int64_t deal_begin(int64_t items, int workers, double imbalance, int worker)
{
    if (workers == 1 || imbalance == 0) return share_begin(items, workers, worker);
    int64_t most = llround((double)items / workers * (1 + imbalance));
    if (most > items) most = items;
    return worker == 0 ? 0 : most + share_begin(items - most, workers - 1, worker - 1);
}

/* The serial section: one chain, as long as that share of all items. */
static void compute_serial(struct synthetic *synthetic, struct team *team)
{
    uint64_t value = start_value(synthetic, synthetic->items);
    team_serial_begin(team);
    for (int64_t item = 0; item < synthetic->items; item++) value = compute(value, synthetic->serial);
    team_serial_done(team);
    synthetic->serial_value = value;
}

/* Of LOCK_STEPS steps of an item the first LOCKED_STEPS are under the lock: how many times their end is reached. */
static uint64_t count_locked(uint64_t steps)
{
    return (steps + LOCK_STEPS - LOCKED_STEPS) / LOCK_STEPS;
}

/* To the next step at which the lock is taken or left; returns that. */
static uint64_t compute_locking(struct synthetic *synthetic, struct team *team, struct worker *worker, uint64_t end)
{
    uint64_t phase = worker->at % LOCK_STEPS, next = worker->at - phase;
    bool locked = phase < LOCKED_STEPS;
    next += locked ? LOCKED_STEPS : LOCK_STEPS;
    if (next > end) next = end;
    if (locked) contention_lock(&synthetic->contention, team);
    worker->value = compute(worker->value, next - worker->at);
    if (locked) contention_unlock(&synthetic->contention, team, count_locked(next) - count_locked(worker->at));
    return next;
}

/* To the next step at which shared data are updated; returns that. */
static uint64_t compute_updating(struct synthetic *synthetic, int thread, struct worker *worker, uint64_t end)
{
    uint64_t next = worker->at - worker->at % UPDATE_STEPS + UPDATE_STEPS;
    if (next > end) next = end;
    worker->value = compute(worker->value, next - worker->at);
    if (next % UPDATE_STEPS == 0) contention_update(&synthetic->contention, thread);
    return next;
}

/* `steps` more of the worker's item. */
static void compute_contending(struct synthetic *synthetic, struct team *team, int thread, uint64_t steps)
{
    struct worker *worker = &synthetic->workers[thread];
    bool locks = synthetic->contention.kind == CONTEND_LOCK;
    for (uint64_t end = worker->at + steps; worker->at < end;)
        worker->at =
            locks ? compute_locking(synthetic, team, worker, end) : compute_updating(synthetic, thread, worker, end);
}

/* The item is done; the worker waits, if it does, and goes to its next. */
static void finish_item(struct synthetic *synthetic, struct team *team, struct worker *worker)
{
    synthetic->values[worker->item - synthetic->first] = worker->value;
    synthetic->done[worker->item - synthetic->first]++;
    worker->item++;
    worker->at = 0;
    worker->value = start_value(synthetic, worker->item);
    if (!worker->waiter.on) return;
    team_work_done(team);
    if (worker->status == 0) worker->status = waiter_wait(&worker->waiter);
    team_work_begin(team);
}

/* At most so many pieces of the worker's share, by its thread. */
static void compute_pieces(struct synthetic *synthetic, struct team *team, int thread, int64_t pieces)
{
    struct worker *worker = &synthetic->workers[thread];
    for (; pieces > 0 && worker->item < worker->last; pieces--) {
        uint64_t left = synthetic->steps - worker->at;
        uint64_t steps = left < synthetic->piece ? left : synthetic->piece;
        if (synthetic->contention.kind == CONTEND_NONE) {
            worker->value = compute(worker->value, steps);
            worker->at += steps;
        } else {
            compute_contending(synthetic, team, thread, steps);
        }
        if (worker->at == synthetic->steps) finish_item(synthetic, team, worker);
    }
}

/* All threads of this rank. Each has the share that was dealt to it, also where there are fewer than were asked for. */
static int compute_shares(struct synthetic *synthetic, struct team *team, int64_t pieces)
{
    int status = 0;
#pragma omp parallel reduction(min : status)
    {
        team_work_begin(team);
        for (int t = omp_get_thread_num(); t < synthetic->threads; t += omp_get_num_threads()) {
            compute_pieces(synthetic, team, t, pieces);
            if (synthetic->workers[t].status < status) status = synthetic->workers[t].status;
        }
        team_work_done(team);
    }
    return status;
}

static int synthetic_run(struct team *team, void *state)
{
    struct synthetic *synthetic = state;
    int status = 0;
    if (synthetic->serial > 0) {
        if (synthetic->rank == 0) compute_serial(synthetic, team);
        status = team_barrier(team);
    }
    if (synthetic->rounds == 0 && status == 0) status = compute_shares(synthetic, team, INT64_MAX);
    for (int64_t round = 0; round < synthetic->rounds && status == 0; round++) {
        status = compute_shares(synthetic, team, 1);
        if (status == 0) status = messages_swap(&synthetic->messages, team, round);
        if (status == 0 && synthetic->meets) status = team_barrier(team);
    }
    return status;
}

/* What to compute, and the memory for it ------------------------------------------------------------------------ */

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
    double items = (double)problem->size.dim[0] * (sizeof(uint64_t) + sizeof(uint8_t));
    return items + (ranks > 1 ? 2 * problem->options[MESSAGE] * ranks : 0);
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
    for (int t = 0; synthetic->workers && t < synthetic->threads; t++) waiter_end(&synthetic->workers[t].waiter);
    messages_end(&synthetic->messages);
    contention_end(&synthetic->contention);
    free(synthetic->workers);
    free(synthetic->done);
    free(synthetic->values);
    free(synthetic);
}

static int64_t deal_of(const struct synthetic *synthetic, int worker)
{
    return deal_begin(synthetic->items, synthetic->ranks * synthetic->threads, synthetic->imbalance, worker);
}

/* Of the two kinds of workers: the first, and all others. */
static int64_t most_items(const struct synthetic *synthetic)
{
    int workers = synthetic->ranks * synthetic->threads;
    int64_t first = deal_of(synthetic, 1), second = workers > 1 ? deal_of(synthetic, 2) - first : 0;
    return first > second ? first : second;
}

static void read_problem(const struct team *team, const struct problem *problem, struct synthetic *synthetic_p)
{
    uint64_t operations = (uint64_t)problem->options[OPERATIONS];
    synthetic_p->items = problem->size.dim[0];
    synthetic_p->seed = problem->seed;
    synthetic_p->imbalance = problem->options[IMBALANCE];
    synthetic_p->rank = team_rank(team);
    synthetic_p->ranks = team_size(team);
    synthetic_p->threads = team_threads(team);
    synthetic_p->serial = (uint64_t)llround(problem->options[SERIAL] * (double)operations);
    synthetic_p->steps = operations - synthetic_p->serial;
    synthetic_p->piece = synthetic_p->steps;
    synthetic_p->meets = problem->options[GRAIN] > 0;
    if (synthetic_p->meets) {
        uint64_t grain = (uint64_t)llround(problem->options[GRAIN] * STEPS_SECOND);
        if (grain < synthetic_p->piece) synthetic_p->piece = grain > 0 ? grain : 1;
    }
    /* An item without steps is a piece as well. */
    synthetic_p->pieces = synthetic_p->steps == 0 ? 1 : (int64_t)((synthetic_p->steps - 1) / synthetic_p->piece + 1);
    synthetic_p->first = deal_of(synthetic_p, synthetic_p->rank * synthetic_p->threads);
    synthetic_p->count = deal_of(synthetic_p, (synthetic_p->rank + 1) * synthetic_p->threads) - synthetic_p->first;
    bool rounds = synthetic_p->meets || (problem->options[MESSAGE] > 0 && synthetic_p->ranks > 1);
    synthetic_p->rounds = rounds ? most_items(synthetic_p) * synthetic_p->pieces : 0;
}

/* Each by its own thread. */
static int begin_waiters(struct synthetic *synthetic, const struct problem *problem)
{
    enum wait_kind kind = (enum wait_kind)problem->options[WAIT_KIND];
    int status = 0;
#pragma omp parallel reduction(min : status)
    for (int t = omp_get_thread_num(); t < synthetic->threads; t += omp_get_num_threads()) {
        int own = waiter_begin(kind, problem->options[WAIT], &synthetic->workers[t].waiter);
        if (own < status) status = own;
    }
    return status;
}

static int prepare_parts(const struct team *team, const struct problem *problem, struct synthetic *synthetic)
{
    size_t count = (size_t)synthetic->count + 1, workers = (size_t)synthetic->threads * sizeof *synthetic->workers;
    synthetic->values = calloc(count, sizeof *synthetic->values);
    synthetic->done = calloc(count, sizeof *synthetic->done);
    synthetic->workers = aligned_alloc(_Alignof(struct worker), workers);
    if (!synthetic->values || !synthetic->done || !synthetic->workers) return -ENOMEM;
    memset(synthetic->workers, 0, workers);
    enum contend_kind kind = (enum contend_kind)problem->options[CONTEND];
    int status = contention_begin(kind, synthetic->threads, &synthetic->contention);
    if (status == 0)
        status = messages_begin(team, problem->seed, (size_t)problem->options[MESSAGE], &synthetic->messages);
    return status == 0 ? begin_waiters(synthetic, problem) : status;
}

static int synthetic_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    struct synthetic *synthetic = calloc(1, sizeof *synthetic);
    *state_p = NULL;
    if (!synthetic) return -ENOMEM;
    read_problem(team, problem, synthetic);
    int status = prepare_parts(team, problem, synthetic);
    if (status < 0) {
        synthetic_teardown(synthetic);
        return status;
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
    synthetic->serial_value = 0;
    contention_reset(&synthetic->contention);
    messages_reset(&synthetic->messages);
    for (int t = 0; t < synthetic->threads; t++) {
        struct worker *worker = &synthetic->workers[t];
        worker->item = deal_of(synthetic, synthetic->rank * synthetic->threads + t);
        worker->last = deal_of(synthetic, synthetic->rank * synthetic->threads + t + 1);
        worker->at = 0;
        worker->value = start_value(synthetic, worker->item);
        worker->status = 0;
        worker->waiter.waits = 0;
    }
    return 0;
}

/* The check: exact counts, and values in closed form -------------------------------------------------------------- */

enum { DONE, WAITED, UPDATED, WRONG_VALUES, WRONG_MESSAGES, CHECKSUM, IN_MEMORY, SUMS };

/* Of this rank. */
static void count_up(const struct synthetic *synthetic, uint64_t sums_p[SUMS])
{
    memset(sums_p, 0, SUMS * sizeof *sums_p);
    for (int64_t i = 0; i < synthetic->count; i++) {
        int64_t item = synthetic->first + i;
        sums_p[DONE] += synthetic->done[i];
        sums_p[WRONG_VALUES] += synthetic->values[i] != jump(start_value(synthetic, item), synthetic->steps);
        sums_p[CHECKSUM] += hash_pair((uint64_t)item, synthetic->values[i]);
    }
    if (synthetic->rank == 0 && synthetic->serial > 0) {
        /* The generator's period is 2^64: so the product may overflow. */
        uint64_t steps = (uint64_t)synthetic->items * synthetic->serial;
        uint64_t expected = jump(start_value(synthetic, synthetic->items), steps);
        sums_p[WRONG_VALUES] += synthetic->serial_value != expected;
        sums_p[CHECKSUM] += hash_pair((uint64_t)synthetic->items, synthetic->serial_value);
    }
    for (int t = 0; t < synthetic->threads; t++) {
        sums_p[WAITED] += (uint64_t)synthetic->workers[t].waiter.waits;
        sums_p[IN_MEMORY] += synthetic->workers[t].waiter.in_memory;
    }
    sums_p[UPDATED] = contention_count(&synthetic->contention);
    sums_p[WRONG_MESSAGES] = messages_wrong(&synthetic->messages, synthetic->rounds);
}

static int synthetic_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct synthetic *synthetic = state;
    uint64_t sums[SUMS], items = (uint64_t)synthetic->items;
    uint64_t waits = synthetic->workers[0].waiter.on ? items : 0;
    enum contend_kind kind = synthetic->contention.kind;
    uint64_t updates = kind == CONTEND_NONE   ? 0
                       : kind == CONTEND_LOCK ? items * count_locked(synthetic->steps)
                                              : items * (synthetic->steps / UPDATE_STEPS);
    count_up(synthetic, sums);
    int status = team_sum_u64(team, SUMS, sums);
    if (status < 0) return status;
    verdict_p->correct = sums[DONE] == items && sums[WAITED] == waits && sums[UPDATED] == updates &&
                         sums[WRONG_VALUES] == 0 && sums[WRONG_MESSAGES] == 0;
    verdict_p->checksum = sums[CHECKSUM];
    verdict_p->result = (double)sums[DONE];
    char dials[128] = "";
    if (waits + updates > 0 || synthetic->rounds > 0)
        snprintf(dials, sizeof dials, "; %llu of %llu waits, %llu of %llu updates, %llu bytes received wrong",
                 (unsigned long long)sums[WAITED], (unsigned long long)waits, (unsigned long long)sums[UPDATED],
                 (unsigned long long)updates, (unsigned long long)sums[WRONG_MESSAGES]);
    snprintf(verdict_p->detail, sizeof verdict_p->detail,
             "%llu of %llu items done, %llu values differ from the closed form%s%s", (unsigned long long)sums[DONE],
             (unsigned long long)items, (unsigned long long)sums[WRONG_VALUES], dials,
             sums[IN_MEMORY] > 0 ? "; $TMPDIR is in memory: no disk was waited for" : "");
    return 0;
}

static bool corrupt_item(struct synthetic *synthetic, int64_t i, int kind)
{
    if (kind == 0) synthetic->values[i] ^= 1;                     /* a wrong value */
    if (kind == 1) synthetic->values[i] = synthetic->done[i] = 0; /* an item left out */
    if (kind == 2) synthetic->done[i]++;                          /* an item done by two workers */
    return true;
}

static bool synthetic_corrupt(void *state, int kind)
{
    struct synthetic *synthetic = state;
    enum { ITEM_KINDS = 3 };
    if (synthetic->count > 0 && kind < ITEM_KINDS) return corrupt_item(synthetic, synthetic->count / 2, kind);
    if (synthetic->count > 0) kind -= ITEM_KINDS;
    if (synthetic->workers[0].waiter.on && kind-- == 0) return synthetic->workers[0].waiter.waits--, true;
    if (synthetic->rank == 0 && synthetic->serial > 0 && kind-- == 0) return synthetic->serial_value ^= 1, true;
    if (synthetic->contention.kind != CONTEND_NONE && kind-- == 0) return ++*synthetic->contention.locked, true;
    if (synthetic->messages.bytes > 0 && synthetic->rounds > 1 && kind-- == 0) return synthetic->messages.sum++, true;
    return false;
}

const struct kernel synthetic_kernel = {
    .name = "synthetic",
    .summary = "Computes, and has a dial for each way to lose time: serial parts, imbalance, waiting, messages, "
               "contention, grain.",
    .lesson = "Turn one dial, and see what a study says of it: Amdahl's law, load balance, communication. And where "
              "tasks mostly wait, even one core serves many of them: while one waits, another computes. This is what "
              "multitasking is good for.",
    .size_help = "number of items, 1 to 2^32",
    .size_default = "200",
    .work_unit = "item",
    .seed_default = 1,
    .variant_default = "blocking",
    .variants =
        (const struct variant[]){
            {.name = "blocking", .summary = "computes an item, then waits, then takes the next", .exact = true},
            {.name = NULL}},
    .options =
        (const struct kernel_option[]){
            [OPERATIONS] = {.name = "operations",
                            .type = OPTION_COUNT,
                            .min = 1,
                            .max = 1e12,
                            .fallback = 800000,
                            .help = "steps that an item computes; 800000 take about a millisecond"},
            [SERIAL] = {.name = "serial",
                        .type = OPTION_NUMBER,
                        .max = 1,
                        .help = "the share of all computing that worker 0 does alone, while the others wait for it"},
            [IMBALANCE] = {.name = "imbalance",
                           .type = OPTION_NUMBER,
                           .max = 1,
                           .help = "worker 0 gets so much more than the mean: with 0.5, 1.5 times as many items, and "
                                   "the load balance is 1 / 1.5. One worker alone gets all"},
            [WAIT] = {.name = "wait",
                      .type = OPTION_DURATION,
                      .max = 10,
                      .help = "how long a worker waits, at least, after each item that it has computed"},
            [WAIT_KIND] = {.name = "wait-kind",
                           .type = OPTION_CHOICE,
                           .choices =
                               (const char *const[]){
                                   [WAIT_SLEEP] = "sleep", [WAIT_DISK] = "disk", [WAIT_PIPE] = "pipe", NULL},
                           .help = "what it waits for: the timer; also that a block of 4 KiB written to a file in "
                                   "$TMPDIR is on the disk; the answer of a helper through a pipe"},
            [MESSAGE] = {.name = "message",
                         .type = OPTION_BYTES,
                         .max = 1 << 30,
                         .help = "ranks swap a message of that size with a neighbour after each item of a worker, or "
                                 "each grain; threads send none"},
            [CONTEND] = {.name = "contend",
                         .type = OPTION_CHOICE,
                         .choices =
                             (const char *const[]){[CONTEND_NONE] = "none",
                                                   [CONTEND_LOCK] = "lock",
                                                   [CONTEND_ATOMIC] = "atomic",
                                                   [CONTEND_FALSE_SHARING] = "false-sharing",
                                                   NULL},
                         .help = "what the threads of a rank do: compute three quarters of all under a lock; add to "
                                 "one counter, atomically, every 40 steps; or each to one of its own, all in one "
                                 "cache line"},
            [GRAIN] = {.name = "grain",
                       .type = OPTION_DURATION,
                       .max = 10,
                       .help = "items are cut into pieces that take about so long (10us: 8000 steps), and all workers "
                               "meet after each piece; 0s: they meet at the end alone"},
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
