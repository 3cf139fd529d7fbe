/* The team's calls on one rank and on several: run alone, and by mpirun -np 2 and 3 (tests/CMakeLists.txt).
 *
 *     test_team [RANKS [WAIT-POLICY]]
 *
 * A failed assertion on one rank would leave the others in a collective call, so that each test first makes all its
 * calls, and asserts afterwards. Ranks over 0 are silent; the exit status is the sum of all ranks' failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/worker/clocks.h"
#include "../src/worker/team.h"
#include "../src/worker/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct setup {
    struct team *team;
    int ranks; /* asked for */
};

static struct team *team_of(void **state)
{
    return ((struct setup *)*state)->team;
}

static void the_team_is_as_large_as_was_asked(void **state)
{
    struct setup *setup = *state;
    assert_int_equal(team_size(setup->team), setup->ranks);
    assert_in_range(team_rank(setup->team), 0, (uintmax_t)(setup->ranks - 1));
    assert_int_equal(team_threads(setup->team), 1);
    /* The tests run on one node. */
    assert_int_equal(setup->team->local_rank, team_rank(setup->team));
    assert_int_equal(setup->team->node, 0);
}

static void integer_sums_are_exact_modulo_2_to_64(void **state)
{
    struct team *team = team_of(state);
    uint64_t values[3], expected[3] = {0};
    for (int rank = 0; rank < team_size(team); rank++) {
        uint64_t r = (uint64_t)rank;
        const uint64_t share[3] = {r + 1, UINT64_MAX - 5 * r, UINT64_C(0x8000000000000001)};
        for (int i = 0; i < 3; i++) expected[i] += share[i];
        if (rank == team_rank(team)) memcpy(values, share, sizeof values);
    }
    assert_int_equal(team_sum_u64(team, 3, values), 0);
    assert_memory_equal(values, expected, sizeof values);
    assert_int_equal(team_sum_u64(team, 0, values), 0);
}

/* A rank's shares stay as they are. */
static void integer_sums_may_come_to_another_place(void **state)
{
    enum { COUNT = 1000 };
    struct team *team = team_of(state);
    uint64_t shares[COUNT], sums[COUNT], ranks = (uint64_t)team_size(team), wrong = 0;
    for (uint64_t i = 0; i < COUNT; i++) shares[i] = i + (uint64_t)team_rank(team);
    int status = team_add_u64(team, COUNT, shares, sums);
    for (uint64_t i = 0; i < COUNT; i++)
        wrong += sums[i] != ranks * i + ranks * (ranks - 1) / 2 || shares[i] != i + (uint64_t)team_rank(team);
    assert_int_equal(status, 0);
    assert_int_equal(wrong, 0);
}

/* Wide exponents: any other order gives other bits. */
static double share_of_sum(int rank, int i)
{
    double magnitude = ldexp(1.0 + 0.37 * i, (rank * 37 + i * 11) % 60);
    return (rank + i) % 2 ? -magnitude : magnitude;
}

static void sums_of_doubles_are_added_in_the_order_of_ranks(void **state)
{
    enum { COUNT = 1001 }; /* more than one piece of team_mpi.c */
    struct team *team = team_of(state);
    double values[COUNT], expected[COUNT];
    for (int i = 0; i < COUNT; i++) {
        values[i] = share_of_sum(team_rank(team), i);
        expected[i] = share_of_sum(0, i);
        for (int rank = 1; rank < team_size(team); rank++) expected[i] += share_of_sum(rank, i);
    }
    assert_int_equal(team_sum_double(team, COUNT, values), 0);
    assert_memory_equal(values, expected, sizeof values);
}

static void maxima_are_of_each_element(void **state)
{
    struct team *team = team_of(state);
    int rank = team_rank(team), last = team_size(team) - 1;
    double values[3] = {rank, -rank, rank == last ? -1e300 : -2e300};
    assert_int_equal(team_max_double(team, 3, values), 0);
    assert_true(values[0] == last);
    assert_true(values[1] == 0);
    assert_true(values[2] == -1e300);
}

static void gather_brings_odd_sizes_in_the_order_of_ranks(void **state)
{
    enum { BYTES = 7 };
    struct team *team = team_of(state);
    size_t size = (size_t)team_size(team);
    char mine[BYTES], *all = team_rank(team) == 0 ? malloc(size * BYTES) : NULL;
    memset(mine, 'a' + team_rank(team), BYTES);
    int status = team_gather(team, BYTES, mine, all);
    int wrong = 0;
    for (size_t i = 0; all && i < size * BYTES; i++) wrong += all[i] != (char)('a' + i / BYTES);
    free(all);
    assert_int_equal(status, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(team_gather(team, 0, mine, mine), 0);
}

/* Of very different lengths: none, some bytes, and more than a piece. */
static void texts_of_any_length_are_gathered(void **state)
{
    struct team *team = team_of(state);
    int size = team_size(team), rank = team_rank(team), wrong = 0;
    static const size_t lengths[] = {3000001, 0, 17};
    size_t length = lengths[rank % 3];
    char *mine = calloc(1, length + 1), **texts = calloc((size_t)size, sizeof *texts);
    uint64_t *numbers = calloc((size_t)size, sizeof *numbers);
    for (size_t i = 0; i < length; i++) mine[i] = (char)('a' + (i * 7 + (size_t)rank) % 23);
    int status = team_gather_texts(team, mine, texts);
    int collected = team_collect_u64(team, (uint64_t)(rank * rank + 1), numbers);
    for (int r = 0; r < size; r++) {
        wrong += numbers[r] != (uint64_t)(r * r + 1);
        if (rank > 0) continue;
        wrong += !texts[r] || strlen(texts[r]) != lengths[r % 3];
        for (size_t i = 0; !wrong && i < lengths[r % 3]; i++)
            wrong += texts[r][i] != (char)('a' + (i * 7 + (size_t)r) % 23);
        free(texts[r]);
    }
    free(numbers);
    free(texts);
    free(mine);
    assert_int_equal(status, 0);
    assert_int_equal(collected, 0);
    assert_int_equal(wrong, 0);
}

/* As if each rank were on a node of its own: these have one clock, so that 0 must be within the bound. */
static void clocks_of_one_machine_are_one(void **state)
{
    struct team *team = team_of(state);
    int size = team_size(team), wrong = 0;
    uint64_t *nodes = calloc((size_t)size, sizeof *nodes);
    struct clock_offset *offsets = calloc((size_t)size, sizeof *offsets);
    for (int r = 0; r < size; r++) nodes[r] = (uint64_t)r;
    int status = team_compare_clocks(team, nodes, offsets);
    for (int r = 0; r < size && team_rank(team) == 0; r++) {
        if (r > 0)
            print_message("clock of rank %d: %.3f +- %.3f us\n", r, 1e6 * offsets[r].offset_s,
                          1e6 * offsets[r].error_s);
        wrong += !(fabs(offsets[r].offset_s) <= offsets[r].error_s) || (r > 0 && !(offsets[r].error_s > 0));
    }
    free(offsets);
    free(nodes);
    assert_int_equal(status, 0);
    assert_int_equal(wrong, 0);
}

/* Every rank with its mirror image, of which the one in the middle is its own: of odd lengths, both ways and one way.
 */
static void partners_swap_messages(void **state)
{
    static const size_t lengths[] = {0, 1, 100, 70001, 3000001};
    enum { MOST = 3000001 };
    struct team *team = team_of(state);
    int rank = team_rank(team), partner = team_size(team) - 1 - rank, failed = 0, wrong = 0;
    char *sent = malloc(MOST), *received = calloc(1, MOST);
    for (size_t i = 0; i < MOST; i++) sent[i] = (char)(i * 7 + (size_t)rank * 31);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        /* What goes the other way has another length. */
        size_t other = partner == rank ? lengths[l] : lengths[(l + 1) % 5];
        size_t out = rank <= partner ? lengths[l] : other, in = rank <= partner ? other : lengths[l];
        memset(received, 0, MOST);
        failed |= team_swap(team, partner, out, sent, in, received);
        for (size_t i = 0; i < MOST; i++) wrong += received[i] != (char)(i < in ? i * 7 + (size_t)partner * 31 : 0);
    }
    /* To and fro. */
    bool first = rank <= partner, alone = rank == partner;
    int number = first ? 5 : 0, back = 0;
    if (alone)
        failed |= team_swap(team, rank, sizeof number, &number, sizeof back, &back);
    else if (first)
        failed |= team_swap(team, partner, sizeof number, &number, 0, NULL) |
                  team_swap(team, partner, 0, NULL, sizeof back, &back);
    else
        failed |= team_swap(team, partner, 0, NULL, sizeof number, &number) |
                  team_swap(team, partner, sizeof number, &number, 0, NULL);
    int unequal = team_swap(team, rank, 1, sent, 2, received),
        outside = team_swap(team, team_size(team), 1, sent, 0, NULL);
    free(received);
    free(sent);
    assert_int_equal(failed, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(first ? back : number, 5);
    assert_int_equal(unequal, -EINVAL);
    assert_int_equal(outside, -EINVAL);
}

/* Each rank opens two swaps with every other, one after the other, beside a broadcast; the second are short, or of one
 * way alone. With itself a rank's bytes are there at once. */
static void swaps_overlap_with_all_partners(void **state)
{
    enum { COUNT = 50000, SHORT = 3, RANKS = TEAM_REQUESTS_MAX / 2 };
    struct team *team = team_of(state);
    int rank = team_rank(team), size = team_size(team) < RANKS ? team_size(team) : RANKS, failed = 0, wrong = 0;
    int *sent = malloc(COUNT * sizeof *sent), *received = calloc((size_t)RANKS * COUNT, sizeof *received);
    int few_sent[SHORT], few[RANKS][SHORT] = {{0}}, word = rank == 0 ? 77 : 0;
    struct team_request requests[RANKS][2], broadcast;
    for (int i = 0; i < COUNT; i++) sent[i] = rank * COUNT + i;
    for (int i = 0; i < SHORT; i++) few_sent[i] = 1000 * rank + i;
    for (int other = 0; other < size && rank < size; other++) {
        bool sends = rank <= other, gets = rank >= other; /* of the second */
        failed |= team_swap_start(team, other, COUNT * sizeof *sent, sent, COUNT * sizeof *sent,
                                  received + other * COUNT, &requests[other][0]);
        failed |= team_swap_start(team, other, sends ? sizeof few_sent : 0, few_sent, gets ? sizeof few_sent : 0,
                                  few[other], &requests[other][1]);
    }
    failed |= team_broadcast_start(team, NULL, 0, sizeof word, &word, &broadcast);
    for (int i = 0; i < 10; i++) team_progress(team);
    failed |= team_wait(team, &broadcast);
    for (int other = size; other-- > 0 && rank < size;)
        failed |= team_wait(team, &requests[other][1]) | team_wait(team, &requests[other][0]);
    for (int i = 0; i < size * COUNT && rank < size; i++) wrong += received[i] != i;
    for (int other = 0; other < size && rank < size; other++)
        for (int i = 0; i < SHORT; i++) wrong += few[other][i] != (rank >= other ? 1000 * other + i : 0);
    free(received);
    free(sent);
    assert_int_equal(failed, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(word, 77);
}

/* What cannot be started leaves nothing to wait for. */
static void swaps_that_cannot_be_started_are_refused(void **state)
{
    struct team *team = team_of(state);
    struct team_request requests[TEAM_REQUESTS_MAX], one_more = {.slot = 5};
    int rank = team_rank(team), partner = team_size(team) - 1 - rank, failed = 0;
    char sent = (char)rank, received[TEAM_REQUESTS_MAX] = {0};
    int outside = team_swap_start(team, team_size(team), 1, &sent, 0, NULL, &one_more);
    int unequal = team_swap_start(team, rank, 1, &sent, 0, NULL, &one_more);
    failed |= team_swap_start(team, partner, 0, NULL, 0, NULL, &one_more) | team_wait(team, &one_more);
    for (int i = 0; i < TEAM_REQUESTS_MAX; i++)
        failed |= team_swap_start(team, partner, 1, &sent, 1, &received[i], &requests[i]);
    int too_many = team_swap_start(team, partner, 1, &sent, 1, &received[0], &one_more);
    int too_long =
        partner == rank ? -EMSGSIZE : team_swap_start(team, partner, SIZE_MAX / 2, &sent, 0, NULL, &one_more);
    for (int i = 0; i < TEAM_REQUESTS_MAX; i++) failed |= team_wait(team, &requests[i]);
    for (int i = 0; i < TEAM_REQUESTS_MAX; i++) failed |= received[i] != partner;
    assert_int_equal(failed, 0);
    assert_int_equal(outside, -EINVAL);
    assert_int_equal(unequal, -EINVAL);
    assert_int_equal(too_many, partner == rank ? 0 : -EBUSY);
    assert_int_equal(too_long, -EMSGSIZE);
    assert_int_equal(one_more.slot, -1);
}

static void broadcasts_overlap_from_any_root(void **state)
{
    enum { COUNT = 100000 };
    struct team *team = team_of(state);
    struct team_request requests[TEAM_REQUESTS_MAX], one_more;
    int *buffers = calloc(TEAM_REQUESTS_MAX * COUNT, sizeof *buffers);
    int failed = 0, wrong = 0, too_many;

    for (int i = 0; i < TEAM_REQUESTS_MAX; i++) {
        int root = i % team_size(team), *buffer = buffers + i * COUNT;
        for (int j = 0; j < COUNT && team_rank(team) == root; j++) buffer[j] = i * COUNT + j;
        failed |= team_broadcast_start(team, NULL, root, COUNT * sizeof *buffer, buffer, &requests[i]);
    }
    too_many = team_broadcast_start(team, NULL, 0, 1, &wrong, &one_more);
    for (int i = 0; i < 10; i++) team_progress(team);
    for (int i = TEAM_REQUESTS_MAX; i-- > 0;) failed |= team_wait(team, &requests[i]);
    for (int i = 0; i < TEAM_REQUESTS_MAX * COUNT; i++) wrong += buffers[i] != i;
    /* The slots are free again; nothing at all may be sent too, and waited for twice. */
    failed |= team_broadcast_start(team, NULL, 0, 0, NULL, &one_more);
    failed |= team_wait(team, &one_more);
    failed |= team_broadcast_start(team, NULL, team_size(team) - 1, sizeof *buffers, buffers, &one_more);
    failed |= team_wait(team, &one_more);
    failed |= team_wait(team, &one_more);
    free(buffers);
    assert_int_equal(failed, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(too_many, team_size(team) > 1 ? -EBUSY : 0);
}

/* Ranks 0, 2, ... and ranks 1, 3, ...: two groups, which broadcast at the same time, from their last ranks. */
static void groups_broadcast_among_themselves(void **state)
{
    struct team *team = team_of(state);
    int size = team_size(team), odd = team_rank(team) % 2, count = (size + 1 - odd) / 2;
    int root = 2 * (count - 1) + odd, value = team_rank(team) == root ? 1000 + odd : 0;
    struct team_group *group = NULL, *again = NULL;
    struct team_request request = {.slot = -1};
    int failed = team_group_find(team, odd, 2, count, &group);
    failed |= team_broadcast_start(team, group, count - 1, sizeof value, &value, &request);
    failed |= team_wait(team, &request);
    int from_group = value;
    failed |= team_group_find(team, odd, 2, count, &again);
    failed |= team_broadcast_start(team, NULL, 0, sizeof value, &value, &request);
    failed |= team_wait(team, &request);
    assert_int_equal(failed, 0);
    assert_ptr_equal(group, again);
    assert_int_equal(from_group, size > 1 || root == 0 ? 1000 + odd : 0);
    assert_int_equal(value, 1000);
}

/* Parts of different lengths, of which one is empty and one takes more than a large page; every rank reads what all
 * others wrote. `ranks_a_node`: the team is told that so many share a node. */
static void share_memory(struct team *team, int ranks_a_node)
{
    const size_t counts[] = {300001, 0, 7, 1000};
    int rank = team_rank(team), size = team_size(team), real_node = team->node, wrong = 0, absent = 0, expected = 0;
    struct team_shared *shared;
    team->node = rank / ranks_a_node * ranks_a_node;
    int status = team_shared_new(team, counts[rank % 4] * sizeof(int), &shared);
    int *mine = status == 0 ? team_shared_part(shared, rank) : NULL;
    for (size_t i = 0; mine && i < counts[rank % 4]; i++) mine[i] = rank + 3 * (int)i;
    int failed = team_barrier(team);
    for (int other = 0; other < size && status == 0; other++) {
        const int *part = team_shared_part(shared, other);
        expected += other / ranks_a_node != rank / ranks_a_node;
        absent += !part;
        wrong += part && (uintptr_t)part % 64 != 0;
        for (size_t i = 0; part && i < counts[other % 4]; i++) wrong += part[i] != other + 3 * (int)i;
    }
    if (status == 0 && rank % 2 == 0) team_shared_free(shared);
    failed |= team_barrier(team);
    /* Others have freed theirs: what one sees stays. */
    for (size_t i = 0; rank % 2 == 1 && mine && i < counts[rank % 4]; i++) wrong += mine[i] != rank + 3 * (int)i;
    if (status == 0 && rank % 2 == 1) team_shared_free(shared);
    team->node = real_node;
    assert_int_equal(status, 0);
    assert_int_equal(failed, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(absent, expected);
}

static void ranks_of_a_node_share_memory(void **state)
{
    share_memory(team_of(state), 1000);
}

static void ranks_of_different_nodes_do_not(void **state)
{
    share_memory(team_of(state), 2);
    share_memory(team_of(state), 1);
}

/* Each number once, whoever takes it, and again after a reset; the counter is at least as far as what was taken. */
static void take_numbers(struct team *team, int rounds)
{
    enum { ALL = 1000 };
    uint64_t *taken = calloc(ALL, sizeof *taken), wrong = 0;
    int failed = 0;
    for (int round = 0; round < rounds; round++) {
        int64_t count = 1 + team_rank(team), first = 0, before = -1;
        failed |= team_queue_reset(team);
        memset(taken, 0, ALL * sizeof *taken);
        while (failed == 0) {
            failed |= team_queue_next(team, count, &first);
            wrong += first <= before;
            before = first;
            if (first >= ALL) break;
            for (int64_t i = first; i < first + count && i < ALL; i++) taken[i]++;
            team_progress(team);
        }
        failed |= team_queue_end(team);
        failed |= team_sum_u64(team, ALL, taken);
        for (int i = 0; i < ALL; i++) wrong += taken[i] != 1;
    }
    free(taken);
    assert_int_equal(failed, 0);
    assert_int_equal(wrong, 0);
}

static void a_queue_gives_each_number_once(void **state)
{
    take_numbers(team_of(state), 3);
}

/* As if each rank was a node: MPI's counter instead of memory that they share. The team keeps this queue from here on.
 */
static void a_queue_between_nodes_does_too(void **state)
{
    struct team *team = team_of(state);
    int real_node = team->node;
    queue_free(team->queue);
    team->queue = NULL;
    team->node = team_rank(team);
    take_numbers(team, 3);
    team->node = real_node;
}

static int open_files(void)
{
    int count = 0;
    for (int file = 0; file < 1000; file++) count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* The last rank alone asks for too much, or may open no further file. */
static void memory_that_cannot_be_shared_is_refused_on_all_ranks(void **state)
{
    struct team *team = team_of(state);
    struct team_shared *too_much = (void *)team, *unshareable = (void *)team;
    bool last = team_rank(team) == team_size(team) - 1;
    struct rlimit limit;
    int files = open_files(), failed = getrlimit(RLIMIT_NOFILE, &limit);
    int no_memory = team_shared_new(team, last ? (size_t)1 << 50 : 100, &too_much);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    if (last) failed |= setrlimit(RLIMIT_NOFILE, &none);
    int no_file = team_shared_new(team, 100, &unshareable);
    failed |= setrlimit(RLIMIT_NOFILE, &limit) | team_barrier(team);
    if (no_file == 0) team_shared_free(unshareable);
    team_shared_free(NULL);
    assert_int_equal(failed, 0);
    assert_int_equal(open_files(), files);
    assert_int_equal(no_memory, -ENOMEM);
    assert_null(too_much);
    assert_int_equal(no_file, team_size(team) > 1 ? -ENOTSUP : 0);
    if (team_size(team) > 1) assert_null(unshareable);
}

static void sleep_ms(long duration_ms)
{
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = duration_ms * 1000000L}, NULL);
}

/* Each instant is counted once: as work, or as communication. */
static void communication_is_never_taken_for_work(void **state)
{
    struct team *team = team_of(state);
    double values[2] = {1, 2};
    int failed = team_barrier(team);
    team_stamps_reset(team);
    team_work_begin(team);
    double begin_s = team->stamps[0].begin_wall_s;
    if (team_rank(team) == 0) sleep_ms(20);
    team_progress(team);
    failed |= team_barrier(team);
    team_work_done(team);
    double comm_inside_s = team->comm_wall_s;
    double whole_s = team->stamps[0].last_done_s - begin_s;
    failed |= team_sum_double(team, 2, values);
    assert_int_equal(failed, 0);
    assert_true(fabs(team->stamps[0].useful_wall_s + comm_inside_s - whole_s) < 1e-6);
    assert_true(team->stamps[0].useful_cpu_s >= 0);
    if (team_size(team) == 1) {
        assert_true(team->comm_wall_s == 0 && team->comm_cpu_s == 0);
    } else {
        assert_true(team->comm_wall_s > comm_inside_s);
        /* Rank 0 slept in its work; the others waited for it in the barrier. */
        double longer_s = team_rank(team) == 0 ? team->stamps[0].useful_wall_s : comm_inside_s;
        assert_true(longer_s > whole_s / 2);
    }
}

/* A series counts as one call, and whoever waits in team_meet meanwhile sleeps. */
static void a_series_is_communication_as_a_whole(void **state)
{
    struct team *team = team_of(state);
    bool late = team_rank(team) == 0;
    int failed = team_barrier(team);
    team_stamps_reset(team);
    if (late) sleep_ms(100);
    double cpu_s = clock_thread_cpu_s(), begin_s = clock_wall_s();
    team_series_begin(team);
    failed |= team_meet(team);
    double inside_s = team->comm_wall_s;
    uint64_t one = 1;
    failed |= team_sum_u64(team, 1, &one);
    double took_s = team_series_done(team), around_s = clock_wall_s() - begin_s;
    cpu_s = clock_thread_cpu_s() - cpu_s;
    double before_s = team->comm_wall_s;
    failed |= team_barrier(team);
    assert_int_equal(failed, 0);
    assert_true(one == (uint64_t)team_size(team));
    assert_true(inside_s == 0 && before_s == took_s);
    assert_true(took_s > 0 && took_s <= around_s);
    if (team_size(team) > 1) {
        assert_true(team->comm_wall_s > before_s);
        assert_true(late || (took_s > 0.05 && cpu_s < took_s / 2));
    }
}

static void each_thread_has_its_own_stamps(void **state)
{
    enum { THREADS = 3 };
    struct team *team = team_of(state);
    int got = 0;
    assert_int_equal(team_set_threads(team, THREADS), 0);
    assert_int_equal(team_threads(team), THREADS);
    omp_set_dynamic(0);
#pragma omp parallel num_threads(THREADS)
    {
#pragma omp single
        got = omp_get_num_threads();
        for (int pair = 0; pair < 2; pair++) {
            team_work_begin(team);
            for (double end_s = clock_thread_cpu_s() + 1e-4 * (omp_get_thread_num() + 1); clock_thread_cpu_s() < end_s;)
                continue;
            team_work_done(team);
        }
    }
    assert_int_equal(got, THREADS);
    for (int t = 0; t < THREADS; t++) {
        const struct thread_stamps *stamps = &team->stamps[t];
        assert_true(stamps->useful_cpu_s >= 2e-4 * (t + 1));
        assert_true(stamps->useful_wall_s > 0 && stamps->last_done_s > 0);
        assert_in_range(stamps->seen_count, 1, 4);
    }
    team_stamps_reset(team);
    for (int t = 0; t < THREADS; t++) assert_true(team->stamps[t].useful_cpu_s == 0 && team->stamps[t].seen_count == 0);
    assert_int_equal(team_set_threads(team, 1), 0);
}

static void cpus_are_seen_once_and_the_list_does_not_overflow(void **state)
{
    (void)state;
    struct thread_stamps stamps = {.seen_count = 0};
    for (int round = 0; round < 2; round++)
        for (int cpu = 40; cpu > 20; cpu--) team_stamps_see(&stamps, cpu);
    assert_int_equal(stamps.seen_count, 8);
    for (int i = 0; i < 8; i++) assert_int_equal(stamps.seen[i], 40 - i);
}

static void a_solo_team_may_live_beside_any_other(void **state)
{
    struct team *solo, *team = team_of(state);
    uint64_t value = 7, all = 0;
    struct team_request request;
    int failed = team_barrier(team);
    assert_int_equal(failed, 0);
    assert_int_equal(team_new_solo(&solo), 0);
    assert_int_equal(team_size(solo), 1);
    assert_int_equal(team_rank(solo), 0);
    assert_int_equal(team_barrier(solo), 0);
    assert_int_equal(team_sum_u64(solo, 1, &value), 0);
    assert_int_equal(team_gather(solo, sizeof value, &value, &all), 0);
    assert_int_equal(all, 7);
    assert_int_equal(team_broadcast_start(solo, NULL, 0, sizeof value, &value, &request), 0);
    team_progress(solo);
    assert_int_equal(team_wait(solo, &request), 0);
    team_abort(solo, -1);
    team_free(solo);
    team_free(NULL);
}

static int failures_of_all(struct team *team, int failures)
{
    uint64_t sum = (uint64_t)failures;
    if (team_sum_u64(team, 1, &sum) < 0) return 99;
    return sum > 99 ? 99 : (int)sum;
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_team_is_as_large_as_was_asked),
        cmocka_unit_test(integer_sums_are_exact_modulo_2_to_64),
        cmocka_unit_test(integer_sums_may_come_to_another_place),
        cmocka_unit_test(partners_swap_messages),
        cmocka_unit_test(swaps_overlap_with_all_partners),
        cmocka_unit_test(swaps_that_cannot_be_started_are_refused),
        cmocka_unit_test(a_series_is_communication_as_a_whole),
        cmocka_unit_test(sums_of_doubles_are_added_in_the_order_of_ranks),
        cmocka_unit_test(maxima_are_of_each_element),
        cmocka_unit_test(gather_brings_odd_sizes_in_the_order_of_ranks),
        cmocka_unit_test(texts_of_any_length_are_gathered),
        cmocka_unit_test(clocks_of_one_machine_are_one),
        cmocka_unit_test(broadcasts_overlap_from_any_root),
        cmocka_unit_test(groups_broadcast_among_themselves),
        cmocka_unit_test(a_queue_gives_each_number_once),
        cmocka_unit_test(a_queue_between_nodes_does_too),
        cmocka_unit_test(ranks_of_a_node_share_memory),
        cmocka_unit_test(ranks_of_different_nodes_do_not),
        cmocka_unit_test(memory_that_cannot_be_shared_is_refused_on_all_ranks),
        cmocka_unit_test(communication_is_never_taken_for_work),
        cmocka_unit_test(each_thread_has_its_own_stamps),
        cmocka_unit_test(cpus_are_seen_once_and_the_list_does_not_overflow),
        cmocka_unit_test(a_solo_team_may_live_beside_any_other),
    };
    struct setup setup = {.ranks = argc > 1 ? atoi(argv[1]) : 1};
    enum wait_policy policy = WAIT_YIELD;
    char library[64];
    if (argc > 2 && wait_policy_parse(argv[2], &policy) < 0) return 98;
    if (team_new_ranks(policy, &setup.team, sizeof library, library) < 0) return 97;
    if (team_rank(setup.team) > 0 && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
        return 96;
    struct CMUnitTest with_state[sizeof tests / sizeof tests[0]];
    memcpy(with_state, tests, sizeof tests);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) with_state[i].initial_state = &setup;
    int failures = failures_of_all(setup.team, cmocka_run_group_tests(with_state, NULL, NULL));
    team_free(setup.team);
    return failures;
}
