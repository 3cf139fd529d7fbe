/* matmul's grids of ranks, and the steps of a multiplication. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/matmul/grid.h"
#include "../kernels/share.h"

static void expect_grid(int ranks, int64_t m, int64_t n, int rows, int columns)
{
    struct grid grid = grid_choose(ranks, m, n);
    assert_int_equal(grid.rows, rows);
    assert_int_equal(grid.columns, columns);
}

static void grids_keep_parts_square(void **state)
{
    (void)state;
    expect_grid(1, 100, 100, 1, 1);
    expect_grid(2, 100, 100, 1, 2);
    expect_grid(4, 100, 100, 2, 2);
    expect_grid(6, 100, 100, 2, 3);
    expect_grid(12, 100, 100, 3, 4);
    expect_grid(16, 1 << 24, 1 << 24, 4, 4);
    expect_grid(4, 1000, 100, 4, 1);
    expect_grid(4, 100, 1000, 1, 4);
    expect_grid(8, 400, 100, 4, 2);
    expect_grid(8, 100, 400, 1, 8);
    expect_grid(65536, 1 << 24, 1, 65536, 1);
}

static void prime_numbers_of_ranks_cut_the_longer_side(void **state)
{
    (void)state;
    expect_grid(7, 100, 99, 7, 1);
    expect_grid(7, 99, 100, 1, 7);
    expect_grid(7, 100, 100, 1, 7);
    expect_grid(5, 3, 1, 5, 1);
}

/* Against what the number of elements that go to other ranks is by its definition, over all grids. */
static void no_grid_moves_less(void **state)
{
    (void)state;
    static const int64_t extents[] = {1, 3, 64, 100, 1000, 16777216};
    for (int ranks = 1; ranks <= 48; ranks++)
        for (int m = 0; m < 6; m++)
            for (int n = 0; n < 6; n++) {
                struct grid grid = grid_choose(ranks, extents[m], extents[n]);
                int64_t moved = extents[m] * (grid.columns - 1) + extents[n] * (grid.rows - 1);
                assert_int_equal(grid.rows * grid.columns, ranks);
                for (int rows = 1; rows <= ranks; rows++)
                    if (ranks % rows == 0)
                        assert_true(moved <= extents[m] * (ranks / rows - 1) + extents[n] * (rows - 1));
            }
}

/* Steps cover all depth; in each, A and B have one owner; none is too deep, and none is cut without need. */
static void check_steps(struct grid grid, int64_t depth, int64_t most)
{
    int64_t begin = 0, steps = 0, needed = 0;
    while (begin < depth) {
        int64_t end = grid_step_end(&grid, depth, most, begin);
        assert_true(end > begin && end <= depth && end - begin <= most);
        assert_int_equal(share_owner(depth, grid.columns, begin), share_owner(depth, grid.columns, end - 1));
        assert_int_equal(share_owner(depth, grid.rows, begin), share_owner(depth, grid.rows, end - 1));
        begin = end;
        steps++;
    }
    assert_int_equal(begin, depth);
    for (int64_t first = 0, last; first < depth; first = last) {
        int a = share_owner(depth, grid.columns, first), b = share_owner(depth, grid.rows, first);
        for (last = first; last < depth; last++)
            if (share_owner(depth, grid.columns, last) != a || share_owner(depth, grid.rows, last) != b) break;
        needed += (last - first + most - 1) / most;
    }
    assert_int_equal(steps, needed);
}

static void steps_end_where_owners_change(void **state)
{
    (void)state;
    static const int64_t depths[] = {1, 2, 3, 5, 64, 257, 515, 1100}, mosts[] = {1, 3, 256, 100000};
    for (int d = 0; d < 8; d++)
        for (int m = 0; m < 4; m++)
            for (int rows = 1; rows <= 5; rows++)
                for (int columns = 1; columns <= 7; columns++)
                    check_steps((struct grid){.rows = rows, .columns = columns}, depths[d], mosts[m]);
}

static void pieces_are_even(void **state)
{
    (void)state;
    struct grid grid = {.rows = 1, .columns = 2};
    static const int64_t ends[] = {200, 400, 600, 800, 1000, 1200};
    int64_t begin = 0;
    for (int i = 0; i < 6; i++, begin = ends[i - 1]) assert_int_equal(grid_step_end(&grid, 1200, 256, begin), ends[i]);
}

static void one_rank_takes_one_step(void **state)
{
    (void)state;
    struct grid grid = grid_choose(1, 5, 5);
    assert_int_equal(grid_step_end(&grid, 1 << 24, INT64_MAX, 0), 1 << 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grids_keep_parts_square), cmocka_unit_test(prime_numbers_of_ranks_cut_the_longer_side),
        cmocka_unit_test(no_grid_moves_less),      cmocka_unit_test(steps_end_where_owners_change),
        cmocka_unit_test(pieces_are_even),         cmocka_unit_test(one_rank_takes_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
