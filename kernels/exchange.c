/* Messages between ranks, of all sizes: what a network, or the memory of a node, takes for them.
 *
 *     pingpong   rank 0 sends a message to the last rank, which sends it back; half of the round trip is timed
 *     bisection  each rank of the first half swaps messages with its partner in the second, all pairs at once
 *     allreduce  integers are summed over all ranks, and every rank gets the sums
 *
 * For each size some messages pass first that are not timed, then a series is timed as a whole. The ranks that wait for
 * others meanwhile sleep. With one rank the bytes are copied in memory.
 *
 * Each size has memory of its own, so that what arrived is still there when it is checked, byte by byte. Whoever sends
 * a message adds 1 to the number at its beginning (the token): the contents tell how often it passed. It counts an odd
 * number of rounds, so that the token of a single byte cannot look as at first either.
 * What arrives is the same for any number of ranks: all pairs swap the same messages, and the shares of a sum
 * telescope. Cost: messages of n bytes are sent in inverse proportion to 1 + n / 4 KiB, so that each size takes a
 * similar time.
 */
#include "kernel.h"
#include "memory.h"
#include "random.h"
#include "team.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum pattern { PINGPONG, BISECTION, ALLREDUCE }; /* in the order of the variants */
enum { MESSAGES, FIRST };                        /* rows of the table of options */
enum {
    FEWER_FROM = 4096,  /* bytes at which there are half as many messages */
    UNTIMED_SHARE = 20, /* of the messages, so many times fewer are sent before */
    WORD = 8,           /* bytes that are summed, or hashed, at a time */
    LINE = 64           /* to which the messages of each size are aligned */
};
#define SIZE_MAX_BYTES (INT64_C(1) << 30)

/* Messages of one size. Rounds: round trips, swaps, sums. */
struct series {
    int64_t bytes, untimed, timed; /* rounds */
    size_t offset;                 /* in each of the memories */
    double round_s;                /* of one; after the check the most of all ranks */
};

/* Who sends to whom. A rank alone is both sides. */
struct exchange {
    enum pattern pattern;
    uint64_t seed;
    int rank, ranks;
    bool takes_part, side[2]; /* has the first side, the second */
    int partner;
    int count;
    struct series series[KERNEL_POINTS_MAX];
    size_t length;
    /* pingpong: of each side one memory, where its messages come and go; bisection: of each side two, which by turns
     * send and receive; allreduce: shares and sums. */
    char *memory[2][2];
};

static int64_t round_up(int64_t bytes, int64_t to)
{
    return (bytes + to - 1) / to * to;
}

/* The sizes: powers of two times the first, and the largest. Returns how many. */
static int list_series(const struct problem *problem, enum pattern pattern, struct series series_p[KERNEL_POINTS_MAX])
{
    int64_t unit = pattern == ALLREDUCE ? WORD : 1;
    int64_t last = round_up(problem->size.dim[0], unit), first = round_up((int64_t)problem->options[FIRST], unit);
    int count = 0;
    size_t offset = 0;
    for (int64_t bytes = first < last ? first : last;; bytes = 2 * bytes < last ? 2 * bytes : last) {
        int64_t timed = (int64_t)(problem->options[MESSAGES] * FEWER_FROM / (FEWER_FROM + (double)bytes)) | 1;
        series_p[count++] = (struct series){
            .bytes = bytes, .timed = timed, .untimed = timed / UNTIMED_SHARE / 2 * 2 + 2, .offset = offset};
        offset += (size_t)round_up(bytes, LINE);
        if (bytes == last) return count;
    }
}

static int64_t rounds(const struct series *series)
{
    return series->untimed + series->timed;
}

static enum pattern pattern_of(const struct problem *problem)
{
    return (enum pattern)(problem->variant - problem->kernel->variants);
}

static int exchange_parse_size(const char *text, struct size *size_p)
{
    static const struct kernel_option bytes_option = {.type = OPTION_BYTES, .min = 1, .max = SIZE_MAX_BYTES};
    double bytes;
    int status = kernel_option_parse(&bytes_option, text, &bytes);
    if (status == 0) *size_p = (struct size){.dims = 1, .dim = {(int64_t)bytes}};
    return status;
}

/* What one pair sends both ways, and of a sum what is summed: a number that does not depend on the ranks. */
static double exchange_work(const struct problem *problem)
{
    enum pattern pattern = pattern_of(problem);
    struct series series[KERNEL_POINTS_MAX];
    double bytes = 0;
    int count = list_series(problem, pattern, series);
    for (int i = 0; i < count; i++) bytes += (double)rounds(&series[i]) * (double)series[i].bytes;
    return pattern == ALLREDUCE ? bytes : 2 * bytes;
}

static size_t length_of(int count, const struct series series[])
{
    return series[count - 1].offset + (size_t)round_up(series[count - 1].bytes, LINE);
}

static double exchange_memory(const struct problem *problem, int ranks)
{
    struct series series[KERNEL_POINTS_MAX];
    enum pattern pattern = pattern_of(problem);
    int count = list_series(problem, pattern, series);
    int memories = pattern == PINGPONG ? 2 : pattern == BISECTION && ranks == 1 ? 4 : 2 * ranks;
    return (double)length_of(count, series) * memories + (double)sizeof(struct exchange) * ranks;
}

/* Of sizes that are powers of two times the first, and the present one, the one whose work is nearest. */
static int exchange_size_for(const struct problem *problem, double work, struct size *size_p)
{
    struct problem tried = *problem;
    int64_t best = problem->size.dim[0];
    double nearest = exchange_work(problem), most = 0, least = INFINITY;
    for (int64_t bytes = (int64_t)problem->options[FIRST]; bytes <= SIZE_MAX_BYTES; bytes *= 2) {
        tried.size.dim[0] = bytes;
        double found = exchange_work(&tried);
        most = fmax(most, found);
        least = fmin(least, found);
        if (fabs(found - work) < fabs(nearest - work)) best = bytes, nearest = found;
    }
    if (!(work >= least / 2 && work <= 2 * most)) return -ERANGE;
    *size_p = (struct size){.dims = 1, .dim = {best}};
    return 0;
}

static void exchange_teardown(void *state)
{
    struct exchange *exchange = state;
    if (!exchange) return;
    for (int i = 0; i < 4; i++) free(exchange->memory[i / 2][i % 2]);
    free(exchange);
}

static void find_roles(struct exchange *exchange)
{
    int rank = exchange->rank, ranks = exchange->ranks, half = ranks / 2;
    if (exchange->pattern == ALLREDUCE) {
        exchange->takes_part = true;
    } else if (ranks == 1) {
        exchange->side[0] = exchange->side[1] = true;
    } else if (exchange->pattern == PINGPONG) {
        exchange->side[0] = rank == 0;
        exchange->side[1] = rank == ranks - 1;
        exchange->partner = rank == 0 ? ranks - 1 : 0;
    } else {
        exchange->side[0] = rank < half;
        exchange->side[1] = rank >= half && rank < 2 * half;
        exchange->partner = rank < half ? rank + half : rank - half;
    }
    if (exchange->side[0] || exchange->side[1]) exchange->takes_part = true;
}

static int allocate(struct exchange *exchange)
{
    for (int i = 0; i < 4; i++) {
        int side = i / 2, which = i % 2;
        bool needed = exchange->pattern == ALLREDUCE ? side == 0 : exchange->side[side];
        if (exchange->pattern == PINGPONG && which == 1) needed = false;
        if (needed && !(exchange->memory[side][which] = memory_new(exchange->length))) return -ENOMEM;
    }
    return 0;
}

static int exchange_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    *state_p = NULL;
    if (!exchange) return -ENOMEM;
    exchange->pattern = pattern_of(problem);
    exchange->seed = problem->seed;
    exchange->rank = team_rank(team);
    exchange->ranks = team_size(team);
    exchange->count = list_series(problem, exchange->pattern, exchange->series);
    exchange->length = length_of(exchange->count, exchange->series);
    find_roles(exchange);
    if (allocate(exchange) < 0) {
        exchange_teardown(exchange);
        return -ENOMEM;
    }
    *state_p = exchange;
    return 0;
}

/* Of a message of the i-th size: what it holds at first. `who`: the side that sends it first; of a sum, the rank. */
static uint64_t key_of(const struct exchange *exchange, int i, int who)
{
    return hash_pair(hash_pair(exchange->seed, (uint64_t)i), (uint64_t)who);
}

/* The token: the first word, or the first byte of what is shorter. */
static void add_to_token(char *message, int64_t bytes, uint64_t number)
{
    uint64_t word = (unsigned char)message[0];
    if (bytes >= WORD) memcpy(&word, message, WORD);
    word += number;
    if (bytes >= WORD)
        memcpy(message, &word, WORD);
    else
        message[0] = (char)(unsigned char)word;
}

/* `token`: what its token was added so far. */
static void fill_message(char *message, int64_t bytes, uint64_t key, uint64_t token)
{
    for (int64_t at = 0; at < bytes; at += WORD) {
        uint64_t word = hash_pair(key, (uint64_t)at);
        memcpy(message + at, &word, (size_t)(bytes - at < WORD ? bytes - at : WORD));
    }
    add_to_token(message, bytes, token);
}

/* This rank's share of a sum: those of all ranks together are the words of the first message. */
static void fill_share(const struct exchange *exchange, int i, char *share)
{
    bool last = exchange->rank == exchange->ranks - 1;
    uint64_t own = key_of(exchange, i, exchange->rank), next = key_of(exchange, i, exchange->rank + 1);
    for (int64_t at = 0; at < exchange->series[i].bytes; at += WORD) {
        uint64_t word = hash_pair(own, (uint64_t)at) - (last ? 0 : hash_pair(next, (uint64_t)at));
        memcpy(share + at, &word, WORD);
    }
}

static int exchange_reset(struct team *team, void *state)
{
    struct exchange *exchange = state;
    (void)team;
    for (int m = 0; m < 4; m++)
        if (exchange->memory[m / 2][m % 2]) memset(exchange->memory[m / 2][m % 2], 0, exchange->length);
    for (int i = 0; i < exchange->count; i++) {
        struct series *series = &exchange->series[i];
        series->round_s = 0;
        if (exchange->pattern == ALLREDUCE) fill_share(exchange, i, exchange->memory[0][0] + series->offset);
        for (int side = 0; side < 2 && exchange->pattern != ALLREDUCE; side++)
            if (exchange->side[side])
                fill_message(exchange->memory[side][0] + series->offset, series->bytes, key_of(exchange, i, side), 0);
    }
    return 0;
}

/* There and back again. */
static int run_pingpong(struct team *team, const struct exchange *exchange, const struct series *series, int64_t count)
{
    size_t bytes = (size_t)series->bytes;
    char *first = exchange->memory[0][0], *second = exchange->memory[1][0];
    int partner = exchange->partner, status = 0;
    first += first ? series->offset : 0;
    second += second ? series->offset : 0;
    for (int64_t round = 0; round < count && status == 0; round++) {
        if (first) add_to_token(first, series->bytes, 1);
        if (first && second)
            status = team_swap(team, partner, bytes, first, bytes, second);
        else
            status = first ? team_swap(team, partner, bytes, first, 0, NULL)
                           : team_swap(team, partner, 0, NULL, bytes, second);
        if (status < 0) break;
        if (second) add_to_token(second, series->bytes, 1);
        if (first && second)
            status = team_swap(team, partner, bytes, second, bytes, first);
        else
            status = first ? team_swap(team, partner, 0, NULL, bytes, first)
                           : team_swap(team, partner, bytes, second, 0, NULL);
    }
    return status;
}

/* What came in one round is sent back in the next. `turn`: the rounds so far. */
static int run_bisection(struct team *team, const struct exchange *exchange, const struct series *series, int64_t turn,
                         int64_t count)
{
    size_t bytes = (size_t)series->bytes, offset = series->offset;
    int status = 0;
    for (int64_t end = turn + count; turn < end && status == 0; turn++) {
        for (int side = 0; side < 2; side++)
            if (exchange->side[side]) add_to_token(exchange->memory[side][turn % 2] + offset, series->bytes, 1);
        for (int side = 0; side < 2 && status == 0; side++) {
            if (!exchange->side[side]) continue;
            int to = exchange->side[!side] ? !side : side; /* where what this side gets is put */
            status = team_swap(team, exchange->partner, bytes, exchange->memory[side][turn % 2] + offset, bytes,
                               exchange->memory[to][!(turn % 2)] + offset);
        }
    }
    return status;
}

static int run_allreduce(struct team *team, const struct exchange *exchange, const struct series *series, int64_t count)
{
    char *shares = exchange->memory[0][0] + series->offset, *sums = exchange->memory[0][1] + series->offset;
    int status = 0;
    for (int64_t round = 0; round < count && status == 0; round++) {
        if (exchange->rank == 0) add_to_token(shares, series->bytes, 1);
        status = team_add_u64(team, (size_t)series->bytes / WORD, (const uint64_t *)(const void *)shares,
                              (uint64_t *)(void *)sums);
    }
    return status;
}

static int run_rounds(struct team *team, const struct exchange *exchange, const struct series *series, int64_t turn,
                      int64_t count)
{
    if (!exchange->takes_part) return 0;
    if (exchange->pattern == PINGPONG) return run_pingpong(team, exchange, series, count);
    if (exchange->pattern == BISECTION) return run_bisection(team, exchange, series, turn, count);
    return run_allreduce(team, exchange, series, count);
}

/* Pairs begin a size together, so that they share the network while they are timed. */
static int run_series(struct team *team, const struct exchange *exchange, struct series *series)
{
    int status = exchange->pattern == BISECTION ? team_meet(team) : 0;
    if (status == 0) status = run_rounds(team, exchange, series, 0, series->untimed);
    if (status < 0) return status;
    team_series_begin(team);
    status = run_rounds(team, exchange, series, series->untimed, series->timed);
    double took_s = team_series_done(team);
    series->round_s = exchange->takes_part ? took_s / (double)series->timed : 0;
    return status;
}

static int exchange_run(struct team *team, void *state)
{
    struct exchange *exchange = state;
    int status = 0;
    for (int i = 0; i < exchange->count && status == 0; i++) status = run_series(team, exchange, &exchange->series[i]);
    if (status == 0 && exchange->pattern != ALLREDUCE) status = team_meet(team);
    /* There is no work; the stamps tell until when this worker was busy. */
    team_work_begin(team);
    team_work_done(team);
    return status;
}

static uint64_t wrong_bytes(const char *message, int64_t bytes, uint64_t key, uint64_t token)
{
    uint64_t wrong = 0;
    char expected[WORD];
    for (int64_t at = 0; at < bytes; at += WORD) {
        int64_t length = bytes - at < WORD ? bytes - at : WORD;
        uint64_t word = hash_pair(key, (uint64_t)at);
        memcpy(expected, &word, WORD);
        if (at == 0) add_to_token(expected, length, token);
        for (int64_t i = 0; i < length; i++) wrong += message[at + i] != expected[i];
    }
    return wrong;
}

static uint64_t hash_message(const char *message, int64_t bytes)
{
    uint64_t hash = (uint64_t)bytes;
    for (int64_t at = 0; at < bytes; at += WORD) {
        uint64_t word = 0;
        memcpy(&word, message + at, (size_t)(bytes - at < WORD ? bytes - at : WORD));
        hash = hash_pair(hash, word);
    }
    return hash;
}

struct tally {
    uint64_t wrong, checksum; /* bytes; of what the first pair of ranks, or the first rank, got */
};

/* One message in one of the memories: whose it was at first, and how often it was sent since. */
static void check_message(const struct exchange *exchange, int i, int side, int which, int who, uint64_t token,
                          struct tally *tally)
{
    const struct series *series = &exchange->series[i];
    const char *message = exchange->memory[side][which];
    if (!message) return;
    message += series->offset;
    tally->wrong += wrong_bytes(message, series->bytes, key_of(exchange, i, who), token);
    bool first = exchange->rank == 0 || (exchange->pattern != ALLREDUCE && exchange->partner == 0);
    if (first) tally->checksum += hash_pair(hash_message(message, series->bytes), (uint64_t)(2 * side + which));
}

/* Bisection takes an odd number of rounds: at last, a side has got what the other had first, and has sent its own. */
static void check_series(const struct exchange *exchange, int i, struct tally *tally)
{
    uint64_t sent = (uint64_t)rounds(&exchange->series[i]);
    if (exchange->pattern == ALLREDUCE) {
        check_message(exchange, i, 0, 1, 0, sent, tally);
        return;
    }
    for (int side = 0; side < 2; side++) {
        if (exchange->pattern == PINGPONG) check_message(exchange, i, side, 0, 0, 2 * sent, tally);
        if (exchange->pattern != BISECTION) continue;
        check_message(exchange, i, side, 0, side, sent, tally);
        check_message(exchange, i, side, 1, !side, sent, tally);
    }
}

static int exchange_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct exchange *exchange = state;
    struct tally tally = {0, 0};
    double times_s[KERNEL_POINTS_MAX], checked = 0;
    for (int i = 0; i < exchange->count; i++) {
        check_series(exchange, i, &tally);
        times_s[i] = exchange->series[i].round_s;
        checked += (double)exchange->series[i].bytes;
    }
    uint64_t sums[2] = {tally.wrong, tally.checksum};
    int status = team_sum_u64(team, 2, sums);
    if (status == 0) status = team_max_double(team, (size_t)exchange->count, times_s);
    if (status < 0) return status;
    for (int i = 0; i < exchange->count; i++) exchange->series[i].round_s = times_s[i];
    verdict_p->correct = sums[0] == 0;
    verdict_p->checksum = sums[1];
    verdict_p->result = checked;
    snprintf(
        verdict_p->detail, sizeof verdict_p->detail,
        "of %d sizes of messages, %.0f bytes in all, the last that arrived at each rank were compared with what was "
        "sent: %llu bytes differ",
        exchange->count, checked, (unsigned long long)sums[0]);
    return 0;
}

/* Where this rank got its last message, of the i-th size; NULL where it gets none. */
static char *received(struct exchange *exchange, int i)
{
    int side = exchange->side[0] || exchange->pattern == ALLREDUCE ? 0 : 1;
    char *memory = exchange->memory[side][exchange->pattern == PINGPONG ? 0 : 1];
    return memory ? memory + exchange->series[i].offset : NULL;
}

static bool exchange_corrupt(void *state, int kind)
{
    struct exchange *exchange = state;
    int last = exchange->count - 1;
    char *longest = received(exchange, last), *shortest = received(exchange, 0);
    if (!exchange->takes_part) return false;
    switch (kind) {
    case 0: /* a bit that flipped */
        longest[exchange->series[last].bytes / 2] ^= 4;
        return true;
    case 1: /* a message that was lost: the one before is still there */
        add_to_token(shortest, exchange->series[0].bytes, UINT64_MAX);
        return true;
    case 2: /* the end of a message that did not arrive */
        longest[exchange->series[last].bytes - 1] = (char)~longest[exchange->series[last].bytes - 1];
        return true;
    case 3: /* one too many */
        add_to_token(longest, exchange->series[last].bytes, 1);
        return true;
    default:
        return false;
    }
}

static int exchange_points(const void *state, struct kernel_point points_p[KERNEL_POINTS_MAX])
{
    const struct exchange *exchange = state;
    int pairs = exchange->ranks > 1 ? exchange->ranks / 2 : 1;
    for (int i = 0; i < exchange->count; i++) {
        const struct series *series = &exchange->series[i];
        bool trips = exchange->pattern == PINGPONG;
        double ways = trips ? 1 : exchange->pattern == BISECTION ? 2.0 * pairs : 0;
        points_p[i] = (struct kernel_point){.bytes = series->bytes,
                                            .messages = trips ? 2 * series->timed : series->timed,
                                            .time_s = trips ? series->round_s / 2 : series->round_s,
                                            .traffic_bytes = ways * (double)series->bytes};
    }
    return exchange->count;
}

static int exchange_predict(const struct problem *problem, int ranks, const struct kernel_network *network,
                            double work_s, double *time_s_p)
{
    struct series series[KERNEL_POINTS_MAX];
    enum pattern pattern = pattern_of(problem);
    int count = list_series(problem, pattern, series);
    double time_s = work_s, each = pattern == PINGPONG ? 2 : 1;
    if (pattern == ALLREDUCE) return -ENOTSUP;
    for (int i = 0; i < count && ranks > 1; i++)
        time_s += each * (double)rounds(&series[i]) * (network->latency_s + network->byte_s * (double)series[i].bytes);
    *time_s_p = time_s;
    return 0;
}

const struct kernel exchange_kernel = {
    .name = "exchange",
    .summary = "Sends messages between ranks, from one byte on, and times each size.",
    .lesson =
        "Every message costs a latency, however short it is, and then a time for each byte: few long messages are "
        "cheaper than many short ones. On one node they go through memory, between nodes through the network.",
    .size_help = "bytes of the largest message, up to 1GiB: 4096, 64KiB, 1MiB",
    .size_default = "1MiB",
    .work_unit = "byte",
    .repeated_by = "messages",
    .seed_default = 1,
    .variant_default = "pingpong",
    .variants = (const struct variant[]){[PINGPONG] = {.name = "pingpong",
                                                       .summary = "rank 0 and the last rank send a message to and fro: "
                                                                  "the latency and bandwidth of one pair",
                                                       .exact = true},
                                         [BISECTION] = {.name = "bisection",
                                                        .summary = "each rank of one half swaps messages with one of "
                                                                   "the other half, all at once: what the network can "
                                                                   "carry in all",
                                                        .exact = true},
                                         [ALLREDUCE] = {.name = "allreduce",
                                                        .summary = "integers are summed over all ranks, and all get "
                                                                   "the sums: what many programs wait for",
                                                        .exact = true},
                                         {.name = NULL}},
    .options =
        (const struct kernel_option[]){
            [MESSAGES] = {.name = "messages",
                          .type = OPTION_COUNT,
                          .min = 1,
                          .max = 1e9,
                          .fallback = 30000,
                          .help = "how often the shortest messages are sent, the longer the fewer; 1000 do on a "
                                  "network that takes 50us and more"},
            [FIRST] = {.name = "first",
                       .type = OPTION_BYTES,
                       .min = 1,
                       .max = (double)SIZE_MAX_BYTES,
                       .fallback = 1,
                       .help = "the shortest message; each further one is twice as long, up to --size"},
            {.name = NULL}},
    .parse_size = exchange_parse_size,
    .work = exchange_work,
    .memory = exchange_memory,
    .size_for = exchange_size_for,
    .prepare = exchange_prepare,
    .reset = exchange_reset,
    .run = exchange_run,
    .check = exchange_check,
    .teardown = exchange_teardown,
    .corrupt = exchange_corrupt,
    .points = exchange_points,
    .predict = exchange_predict,
};
