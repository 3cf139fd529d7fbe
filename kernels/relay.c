/* A token goes round: what it costs to hand over to another task, and the core with it.
 *
 * The tasks form a ring: the threads of rank 0, those of rank 1, ..., and back. Who has the token makes a hop: it walks
 * through its own working set, adds what it found to the token, and hands it over. All others sleep: one task works at
 * a time, however many cores there are. On one core each hop ends in a switch of tasks; a task alone makes the same
 * system calls, but goes on itself. What a hop takes longer in a ring is the cost of a switch, as lat_ctx of lmbench
 * defines it (McVoy, Staelin: lmbench: portable tools for performance analysis. USENIX 1996). The work stamps tell its
 * two parts apart (Li, Ding, Shen: Quantifying the cost of context switch. ExpCS 2007): the walk takes longer (the
 * caches forgot the set), and so does what is between two walks (the switch itself).
 *
 *     futex     the token lies in memory that the ranks of a node share, and who waits for it sleeps until it is woken
 *               (futex(2)); between nodes, in messages
 *     messages  ranks hand over in messages of MPI's; threads of a rank as above
 *
 * All sets hold the same numbers, so that the token does not tell who walked. A hop is then a step of a linear
 * congruential generator, and where that ends is known without the steps.
 * Cost: two system calls a hop; one word is read of each cache line of the set.
 */
#include "kernel.h"
#include "memory.h"
#include "random.h"
#include "team.h"

#include <errno.h>
#include <linux/futex.h>
#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FUTEX, MESSAGES }; /* variants, in the order of their table */
enum { SET };             /* rows of the table of options */
enum { LINE_WORDS = MEMORY_LINE / sizeof(uint64_t), PAGE = 4096 };
#define HOPS_MAX (INT64_C(1) << 30)
#define SET_MAX  (INT64_C(1) << 26)

/* Knuth: The art of computer programming 2, section 3.3.4 (MMIX). */
static const uint64_t MULTIPLIER = UINT64_C(6364136223846793005);

/* Where a task waits for the token. `due`: the number of the hop that it is here for, counted over all runs, so that
 * no hop is taken for one of an earlier run. */
struct seat {
    _Atomic uint32_t due;
    uint64_t token;
} __attribute__((aligned(MEMORY_LINE)));

/* One of this rank's threads. */
struct runner {
    uint64_t *set;
    int64_t hops; /* made in this run */
} __attribute__((aligned(128)));

struct relay {
    int64_t hops, lines; /* in all; of a set */
    uint64_t seed;
    int rank, ranks, threads, tasks; /* tasks: of all ranks */
    struct team_shared *shared;
    struct seat *seats;     /* of this rank's threads, and one behind: from where the master sends the token on */
    struct seat *next_rank; /* of that rank's first thread; NULL: it gets a message */
    bool by_message;        /* the token comes to this rank so */
    bool alone;             /* one task, without anybody to send messages to: it keeps the token */
    uint32_t hops_before;   /* in the runs so far, modulo 2^32 */
    struct runner *runners;
    char *sets;
    int status; /* of the messages */
    bool ended; /* the last hop was made here, and left: */
    uint64_t token;
};

static uint64_t word_of_line(const struct relay *relay, int64_t line)
{
    return hash_pair(relay->seed, (uint64_t)line);
}

static uint64_t walk(const uint64_t *set, int64_t lines)
{
    uint64_t sum = 0;
    for (int64_t line = 0; line < lines; line++) sum += set[line * LINE_WORDS];
    return sum;
}

static uint64_t step(uint64_t token, uint64_t sum)
{
    return token * MULTIPLIER + (2 * sum + 1);
}

/* The ring. --------------------------------------------------------------------------------------- */

static uint32_t number_of(const struct relay *relay, int64_t hop)
{
    return relay->hops_before + (uint32_t)hop + 1;
}

/* Also where the seat is one's own: the same calls in every mode. */
static void hand_over(struct seat *seat, uint32_t number, uint64_t token)
{
    seat->token = token;
    atomic_store_explicit(&seat->due, number, memory_order_release);
    syscall(SYS_futex, &seat->due, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Returns the token. Where it is there already, the system is asked all the same, and says so at once. */
static uint64_t await(struct seat *seat, uint32_t number)
{
    do {
        uint32_t seen = atomic_load_explicit(&seat->due, memory_order_acquire);
        syscall(SYS_futex, &seat->due, FUTEX_WAIT, seen == number ? ~number : seen, NULL, NULL, 0);
    } while (atomic_load_explicit(&seat->due, memory_order_acquire) != number);
    return seat->token;
}

/* Messages are the master's. After one that failed this rank goes on without, so that none of its threads waits for
 * ever; the status tells that the run is void. */
static void send_token(struct relay *relay, struct team *team, uint64_t token)
{
    int next = (relay->rank + 1) % relay->ranks;
    if (relay->status == 0) relay->status = team_swap(team, next, sizeof token, &token, 0, NULL);
}

static uint64_t receive_token(struct relay *relay, struct team *team)
{
    int previous = (relay->rank + relay->ranks - 1) % relay->ranks;
    uint64_t token = 0;
    if (relay->status == 0) relay->status = team_swap(team, previous, 0, NULL, sizeof token, &token);
    return token;
}

static uint64_t take_token(struct relay *relay, struct team *team, int thread, int64_t hop)
{
    if (hop == 0) return relay->seed;
    if (relay->alone) return relay->token;
    if (thread == 0 && relay->by_message) return receive_token(relay, team);
    return await(&relay->seats[thread], number_of(relay, hop));
}

/* To who makes the hop. */
static void pass_token(struct relay *relay, struct team *team, int thread, int64_t hop, uint64_t token)
{
    bool last = thread == relay->threads - 1;
    if (relay->alone)
        relay->token = token;
    else if (last && relay->next_rank)
        hand_over(relay->next_rank, number_of(relay, hop), token);
    else if (last && thread == 0)
        send_token(relay, team, token);
    else /* where the last thread has no master beside it, the seat behind is the master's to send from */
        hand_over(&relay->seats[thread + 1], number_of(relay, hop), token);
}

/* What the rank's last thread has, the master sends. `hop`: that will be made by the next rank. */
static void forward_token(struct relay *relay, struct team *team, int64_t hop)
{
    if (hop < relay->hops) send_token(relay, team, await(&relay->seats[relay->threads], number_of(relay, hop)));
}

static void run_task(struct relay *relay, struct team *team, int thread)
{
    struct runner *runner = &relay->runners[thread];
    bool forwards = thread == 0 && relay->threads > 1 && !relay->next_rank;
    for (int64_t hop = relay->rank * relay->threads + thread; hop < relay->hops; hop += relay->tasks) {
        uint64_t token = take_token(relay, team, thread, hop);
        team_work_begin(team);
        token = step(token, walk(runner->set, relay->lines));
        runner->hops++;
        team_work_done(team);
        if (hop + 1 < relay->hops) {
            pass_token(relay, team, thread, hop + 1, token);
        } else {
            relay->token = token;
            relay->ended = true;
        }
        if (forwards) forward_token(relay, team, hop + relay->threads);
    }
}

static int relay_run(struct team *team, void *state)
{
    struct relay *relay = state;
#pragma omp parallel
    {
        /* With fewer threads than seats the token would be lost. */
        if (omp_get_num_threads() == relay->threads)
            run_task(relay, team, omp_get_thread_num());
        else if (omp_get_thread_num() == 0)
            relay->status = -EAGAIN;
    }
    return relay->status;
}

/* Bookkeeping. ------------------------------------------------------------------------------------ */

static int relay_parse_size(const char *text, struct size *size_p)
{
    struct size size;
    int status = size_parse_extents(text, 1, &size);
    if (status == 0 && size.dim[0] > HOPS_MAX) status = -ERANGE;
    if (status == 0) *size_p = size;
    return status;
}

static double relay_work(const struct problem *problem)
{
    return (double)problem->size.dim[0];
}

static int64_t lines_of(const struct problem *problem)
{
    return ((int64_t)problem->options[SET] + MEMORY_LINE - 1) / MEMORY_LINE;
}

/* Of one set, a page at least. */
static size_t set_length(int64_t lines)
{
    return ((size_t)lines * MEMORY_LINE + PAGE - 1) / PAGE * PAGE;
}

/* With one thread a rank: how many there are is not told here. */
static double relay_memory(const struct problem *problem, int ranks)
{
    return (double)ranks * ((double)set_length(lines_of(problem)) + sizeof(struct relay) + sizeof(struct runner) +
                            2 * sizeof(struct seat));
}

static int relay_size_for(const struct problem *problem, double work, struct size *size_p)
{
    (void)problem;
    if (!(work >= 0.5 && work <= (double)HOPS_MAX)) return -ERANGE;
    *size_p = (struct size){.dims = 1, .dim = {(int64_t)round(work)}};
    return 0;
}

static void relay_teardown(void *state)
{
    struct relay *relay = state;
    if (!relay) return;
    if (relay->shared)
        team_shared_free(relay->shared);
    else
        free(relay->seats);
    free(relay->runners);
    free(relay->sets);
    free(relay);
}

/* Each thread writes its own set, whose pages are then near its core. */
static void fill_sets(struct relay *relay)
{
#pragma omp parallel for schedule(static)
    for (int thread = 0; thread < relay->threads; thread++)
        for (int64_t line = 0; line < relay->lines; line++)
            relay->runners[thread].set[line * LINE_WORDS] = word_of_line(relay, line);
}

static int make_sets(struct relay *relay)
{
    size_t length = set_length(relay->lines);
    relay->runners = aligned_alloc(_Alignof(struct runner), (size_t)relay->threads * sizeof *relay->runners);
    relay->sets = length > 0 ? aligned_alloc(PAGE, (size_t)relay->threads * length) : NULL;
    if (!relay->runners || (length > 0 && !relay->sets)) return -ENOMEM;
    for (int thread = 0; thread < relay->threads; thread++)
        relay->runners[thread] =
            (struct runner){.set = length > 0 ? (uint64_t *)(void *)(relay->sets + (size_t)thread * length) : NULL};
    fill_sets(relay);
    return 0;
}

/* Collective. Who has no seat to hand over to gets messages; ranks of one node see each other's seats, both ways. */
static int make_seats(struct relay *relay, struct team *team, int variant)
{
    size_t bytes = ((size_t)relay->threads + 1) * sizeof *relay->seats;
    int next = (relay->rank + 1) % relay->ranks, previous = (relay->rank + relay->ranks - 1) % relay->ranks;
    if (variant == FUTEX) {
        int status = team_shared_new(team, bytes, &relay->shared);
        if (status < 0) return status;
        relay->seats = team_shared_part(relay->shared, relay->rank);
        relay->next_rank = team_shared_part(relay->shared, next);
        relay->by_message = !team_shared_part(relay->shared, previous);
    } else {
        relay->seats = aligned_alloc(_Alignof(struct seat), bytes);
        relay->alone = relay->tasks == 1;
        relay->next_rank = relay->ranks == 1 ? relay->seats : NULL;
        relay->by_message = relay->ranks > 1;
        if (!relay->seats) return -ENOMEM;
    }
    memset(relay->seats, 0, bytes);
    return 0;
}

static int relay_prepare(struct team *team, const struct problem *problem, void **state_p)
{
    struct relay *relay = calloc(1, sizeof *relay);
    *state_p = NULL;
    if (!relay) return -ENOMEM;
    relay->hops = problem->size.dim[0];
    relay->lines = lines_of(problem);
    relay->seed = problem->seed;
    relay->rank = team_rank(team);
    relay->ranks = team_size(team);
    relay->threads = team_threads(team);
    relay->tasks = relay->ranks * relay->threads;
    int status = make_seats(relay, team, (int)(problem->variant - problem->kernel->variants));
    if (status == 0) status = make_sets(relay);
    if (status < 0) {
        relay_teardown(relay);
        return status;
    }
    *state_p = relay;
    return 0;
}

/* The seats stay as they are: another rank may be in its next run already. */
static int relay_reset(struct team *team, void *state)
{
    struct relay *relay = state;
    (void)team;
    relay->hops_before += (uint32_t)relay->hops;
    relay->status = 0;
    relay->ended = false;
    relay->token = 0;
    fill_sets(relay);
    for (int thread = 0; thread < relay->threads; thread++) relay->runners[thread].hops = 0;
    return 0;
}

static int64_t hops_due(const struct relay *relay, int thread)
{
    int64_t first = relay->rank * relay->threads + thread;
    return first < relay->hops ? (relay->hops - first + relay->tasks - 1) / relay->tasks : 0;
}

/* The token after all hops, by squaring, in log2(hops) steps. Brown: Random number generation with arbitrary strides.
 * Trans. Am. Nucl. Soc. 71, 1994. */
static uint64_t token_expected(const struct relay *relay, uint64_t sum)
{
    uint64_t token = relay->seed, multiplier = MULTIPLIER, increment = 2 * sum + 1;
    for (int64_t hops = relay->hops; hops > 0; hops /= 2) {
        if (hops % 2) token = token * multiplier + increment;
        increment *= multiplier + 1;
        multiplier *= multiplier;
    }
    return token;
}

static int relay_check(struct team *team, void *state, struct verdict *verdict_p)
{
    struct relay *relay = state;
    uint64_t sum = 0, hops = 0, wrong = 0;
    for (int64_t line = 0; line < relay->lines; line++) sum += word_of_line(relay, line);
    for (int thread = 0; thread < relay->threads; thread++) {
        const struct runner *runner = &relay->runners[thread];
        hops += (uint64_t)runner->hops;
        wrong += runner->hops != hops_due(relay, thread) || walk(runner->set, relay->lines) != sum;
    }
    uint64_t sums[4] = {hops, wrong, relay->ended, relay->ended ? relay->token : 0};
    int status = team_sum_u64(team, 4, sums);
    if (status < 0) return status;
    bool arrived = sums[2] == 1 && sums[3] == token_expected(relay, sum);
    verdict_p->correct = sums[0] == (uint64_t)relay->hops && sums[1] == 0 && arrived;
    verdict_p->checksum = hash_pair(sums[0], sums[3]);
    verdict_p->result = (double)sums[0];
    snprintf(verdict_p->detail, sizeof verdict_p->detail,
             "%llu of %lld hops made, %llu tasks with wrong counts or sets, the token at the end %s the closed form",
             (unsigned long long)sums[0], (long long)relay->hops, (unsigned long long)sums[1],
             arrived ? "is that of" : "differs from");
    return 0;
}

enum damage { HOP_TOO_MANY, HOP_LEFT_OUT, SET_CHANGED, TOKEN_CHANGED };

static bool relay_corrupt(void *state, int kind)
{
    struct relay *relay = state;
    struct runner *runner = &relay->runners[relay->threads - 1];
    enum damage kinds[4];
    int count = 0;
    kinds[count++] = HOP_TOO_MANY;
    if (runner->hops > 0) kinds[count++] = HOP_LEFT_OUT;
    if (relay->lines > 0) kinds[count++] = SET_CHANGED;
    if (relay->ended) kinds[count++] = TOKEN_CHANGED;
    if (kind >= count) return false;
    switch (kinds[kind]) {
    case HOP_TOO_MANY:
        runner->hops++;
        break;
    case HOP_LEFT_OUT:
        runner->hops--;
        break;
    case SET_CHANGED:
        runner->set[(relay->lines - 1) * LINE_WORDS] ^= 1;
        break;
    case TOKEN_CHANGED:
        relay->token ^= 1;
        break;
    }
    return true;
}

const struct kernel relay_kernel = {
    .name = "relay",
    .summary = "Tasks pass a token round, each walking through data of its own before it hands over.",
    .lesson = "To take turns is not free: a switch of tasks takes about a microsecond by itself, and many times that "
              "where the tasks' data do not fit in the cache together, as each finds it full of the others'.",
    .size_help = "number of hops of the token, 1 to 2^30",
    .size_default = "300000",
    .work_unit = "hop",
    .unshared = "--variant messages",
    .seed_default = 1,
    .variant_default = "futex",
    .variants =
        (const struct variant[]){[FUTEX] = {.name = "futex",
                                            .summary = "who waits for the token sleeps, until who has it wakes it; "
                                                       "between nodes it goes in messages",
                                            .exact = true},
                                 [MESSAGES] = {.name = "messages",
                                               .summary = "ranks hand over in MPI messages, and wait as the wait "
                                                          "policy says",
                                               .exact = true},
                                 {.name = NULL}},
    .options = (const struct kernel_option[]){[SET] = {.name = "set",
                                                       .type = OPTION_BYTES,
                                                       .min = 0,
                                                       .max = (double)SET_MAX,
                                                       .fallback = 0,
                                                       .help = "each task's own data, which it walks through when it "
                                                               "has the token"},
                                              {.name = NULL}},
    .parse_size = relay_parse_size,
    .work = relay_work,
    .memory = relay_memory,
    .size_for = relay_size_for,
    .prepare = relay_prepare,
    .reset = relay_reset,
    .run = relay_run,
    .check = relay_check,
    .teardown = relay_teardown,
    .corrupt = relay_corrupt,
};
