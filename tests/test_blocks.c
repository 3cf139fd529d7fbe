/* How the Monte Carlo kernels deal their samples out in blocks, and the sum over blocks (kernels/montecarlo/blocks.h):
 * on up to 10000 ranks, which are played one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/montecarlo/blocks.h"
#include "../kernels/random.h"
#include "../src/worker/team.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 1024, RANKS_MOST = 10000 };

static const int rank_counts[] = {1, 2, 3, 5, 7, 64, 1000, RANKS_MOST};
enum { RANK_COUNTS = sizeof rank_counts / sizeof *rank_counts };

static int64_t blocks_at_once(int64_t samples, int64_t length)
{
    return (samples + length - 1) / length;
}

static void check_layout(int64_t samples, int64_t grain, int ranks)
{
    struct blocks whole = blocks_of(samples, grain, 1, 1, 0);
    int64_t next = 0;
    for (int rank = 0; rank < ranks; rank++) {
        struct blocks blocks = blocks_of(samples, grain, 1, ranks, rank);
        assert_true(blocks.samples == samples && blocks.length == whole.length && blocks.total == whole.total);
        assert_true(blocks.first == next && blocks.count >= 0);
        next += blocks.count;
    }
    assert_true(next == whole.total);
}

static void the_layout_covers_all_samples(void **state)
{
    (void)state;
    static const int64_t about[] = {1,
                                    GRAIN,
                                    (int64_t)BLOCKS_FEW * GRAIN,
                                    INT64_C(1000000000),
                                    (int64_t)BLOCKS_FEW * BLOCK_LONG,
                                    (int64_t)BLOCKS_MOST * BLOCK_LONG,
                                    INT64_C(1) << 43,
                                    INT64_C(1) << 53};
    for (size_t i = 0; i < sizeof about / sizeof *about; i++)
        for (int64_t samples = about[i] - 1; samples <= about[i] + 1; samples++) {
            if (samples < 1 || samples > INT64_C(1) << 53) continue;
            struct blocks blocks = blocks_of(samples, GRAIN, 1, 1, 0);
            assert_true(blocks.length % GRAIN == 0);
            assert_true(blocks.total == blocks_at_once(samples, blocks.length) && blocks.total <= BLOCKS_MOST);
            assert_true(block_begin(&blocks, 0) == 0);
            assert_true(block_begin(&blocks, blocks.total - 1) < samples);
            assert_true(block_begin(&blocks, blocks.total) == samples);
            /* As short as its limits let it be. */
            assert_true(blocks.length == GRAIN || blocks.total > BLOCKS_FEW / 2);
            assert_true(blocks.length <= BLOCK_LONG || blocks.total > BLOCKS_MOST / 2);
            for (int r = 0; r < RANK_COUNTS; r++) check_layout(samples, GRAIN, rank_counts[r]);
        }
    for (int64_t grain = 1; grain <= BLOCK_LONG; grain *= 4) check_layout(123456789, grain, 7);
}

/* The ends of each rank's blocks; all others by their numbers alone. */
static void blocks_are_drawn_whoever_has_them(void **state)
{
    (void)state;
    enum { PARTS = 32, SEED = 17 };
    static const int64_t totals[] = {1, 2, 5, 31, 32, 33, 63, 100, 8192};
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++) {
        int64_t total = totals[t], drawn_by_one = 0;
        struct blocks whole = blocks_of(total * GRAIN, GRAIN, 1, 1, 0);
        assert_true(whole.total == total);
        for (int64_t i = 0; i < total; i++) drawn_by_one += block_is_drawn(&whole, i, SEED);
        assert_in_range(drawn_by_one, total < PARTS ? total : PARTS, PARTS + 2);
        for (int r = 0; r < RANK_COUNTS; r++)
            for (int rank = 0; rank < rank_counts[r]; rank++) {
                struct blocks blocks = blocks_of(total * GRAIN, GRAIN, 1, rank_counts[r], rank);
                for (int64_t i = 0; i < blocks.count; i++)
                    assert_true(block_is_drawn(&blocks, i, SEED) ==
                                (i == 0 || i == blocks.count - 1 || block_is_drawn(&whole, blocks.first + i, SEED)));
            }
    }
}

static void other_seeds_draw_other_blocks(void **state)
{
    (void)state;
    enum { SEEDS = 100, MIDDLE = 4000, NEAR = 256 };
    struct blocks blocks = blocks_of((int64_t)BLOCKS_FEW * GRAIN, GRAIN, 1, 1, 0);
    int64_t drawn[NEAR] = {0}, different = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int64_t i = 0; i < NEAR; i++) drawn[i] += block_is_drawn(&blocks, MIDDLE + i, seed);
    for (int i = 0; i < NEAR; i++) different += drawn[i] > 0;
    assert_true(different > SEEDS / 2);
}

/* Ranks that are played one after the other, the last first: what they send to rank 0 waits for it. */
struct stage {
    char *sent;
    int status; /* what gathering ends with */
};

static int play_gather(struct team *team, size_t bytes, const void *mine, void *all)
{
    struct stage *stage = team->ranks;
    if (stage->status < 0) return stage->status;
    memcpy(stage->sent + (size_t)team->rank * bytes, mine, bytes);
    if (team->rank == 0) memcpy(all, stage->sent, (size_t)team->size * bytes);
    return 0;
}

static int play_broadcast(struct team *team, struct team_group *group, int root, size_t bytes, void *buffer,
                          struct team_request *request_p)
{
    (void)team, (void)bytes, (void)buffer, (void)request_p;
    assert_true(!group && root == 0);
    return 0;
}

static const struct team_ops stage_ops = {.gather = play_gather, .broadcast_start = play_broadcast};

static int add_up_on(struct stage *stage, int ranks, int width, int64_t total, const double *values, double sums_p[])
{
    int status = 0;
    struct team *team;
    assert_int_equal(team_new_solo(&team), 0);
    team->size = ranks;
    team->ops = &stage_ops;
    team->ranks = stage;
    for (int rank = ranks - 1; rank >= 0 && status == 0; rank--) {
        struct blocks blocks = {.total = total, .first = share_begin(total, ranks, rank)};
        blocks.count = share_begin(total, ranks, rank + 1) - blocks.first;
        team->rank = rank;
        struct block_sums *sums = block_sums_new(team, width);
        assert_non_null(sums);
        for (int repeat = 0; repeat < 2 && status == 0; repeat++)
            status = block_sums_add_up(sums, team, &blocks, values + blocks.first * width, sums_p);
        block_sums_free(sums);
    }
    team->ops = NULL;
    team_free(team);
    return status;
}

/* The definition: a node of the tree over blocks begin ... begin + extent - 1, as far as there are such. */
static double tree_sum(const double *values, int width, int64_t begin, int64_t extent, int64_t total)
{
    if (extent == 1) return values[begin * width];
    double left = tree_sum(values, width, begin, extent / 2, total);
    int64_t middle = begin + extent / 2;
    return middle >= total ? left : left + tree_sum(values, width, middle, extent / 2, total);
}

static void sums_are_those_of_the_binary_tree(void **state)
{
    (void)state;
    static const int64_t totals[] = {1,      2,     3,     4,     5,
                                     6,      7,     8,     9,     31,
                                     33,     63,    64,    100,   1000,
                                     4095,   4097,  8192,  8193,  9999,
                                     9998,   65535, 65536, 70001, (1 << 20) - 1,
                                     1 << 20};
    const int64_t most = (1 << 20) * (int64_t)2;
    double *values = malloc((size_t)most * sizeof *values);
    struct stage stage = {.sent = malloc((size_t)RANKS_MOST * 4096)};
    assert_non_null(values);
    assert_non_null(stage.sent);
    /* Of any size, so that another order would round otherwise. */
    for (int64_t i = 0; i < most; i++) {
        uint64_t hash = hash_pair(5, (uint64_t)i);
        values[i] = hash_to_double(hash) * (double)(UINT64_C(1) << (hash % 30));
    }
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++) {
        int width = totals[t] > 100000 ? 2 : 1 + (int)t % BLOCK_WIDTH_MAX;
        double expected[BLOCK_WIDTH_MAX], sums[BLOCK_WIDTH_MAX];
        int64_t extent = 1;
        while (extent < totals[t]) extent *= 2;
        for (int k = 0; k < width; k++) expected[k] = tree_sum(values + k, width, 0, extent, totals[t]);
        for (int r = 0; r < RANK_COUNTS; r++) {
            assert_int_equal(add_up_on(&stage, rank_counts[r], width, totals[t], values, sums), 0);
            assert_memory_equal(sums, expected, (size_t)width * sizeof *sums);
        }
    }
    free(stage.sent);
    free(values);
}

static void sums_that_cannot_be_gathered_fail(void **state)
{
    (void)state;
    struct stage stage = {.status = -EIO};
    const double values[5] = {1, 2, 3, 4, 5};
    double sums[1];
    assert_int_equal(add_up_on(&stage, 2, 1, 5, values, sums), -EIO);
    block_sums_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_covers_all_samples),     cmocka_unit_test(blocks_are_drawn_whoever_has_them),
        cmocka_unit_test(other_seeds_draw_other_blocks),     cmocka_unit_test(sums_are_those_of_the_binary_tree),
        cmocka_unit_test(sums_that_cannot_be_gathered_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
