/* The stencil's inside: who holds what, the rule on every instruction set, and that all variants give the same bits,
 * also where they store past the caches. That results are the same in every mode is tested in test_conformance.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/kernel.h"
#include "../kernels/stencil/stencil.h"
#include "../src/worker/team.h"
#include "kernel_runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Rows, columns, the least that a part may have. */
static const int64_t grids[][3] = {{1, 1, 1}, {1, 50, 2}, {7, 3, 1}, {5, 64, 2}, {100, 101, 1}, {1000, 30, 2}};
enum { GRIDS = sizeof grids / sizeof *grids, RANKS_MOST = 24 };

static void every_point_has_one_owner(void **state)
{
    (void)state;
    for (int g = 0; g < GRIDS; g++)
        for (int ranks = 1; ranks <= RANKS_MOST; ranks++) {
            int64_t rows = grids[g][0], columns = grids[g][1], least = grids[g][2], owned = 0;
            struct parts parts = parts_choose(ranks, rows, columns, least);
            char *seen = calloc((size_t)(rows * columns), 1);
            assert_in_range(parts.rows * parts.columns, 1, (uintmax_t)ranks);
            for (int rank = 0; rank < ranks; rank++) {
                struct part part = part_of(parts, rank, rows, columns);
                assert_int_equal(part.rows > 0, rank < parts.rows * parts.columns);
                if (part.rows == 0) continue;
                assert_true(parts.rows == 1 || part.rows >= least);
                assert_true(parts.columns == 1 || part.columns >= least);
                for (int64_t i = 0; i < part.rows; i++)
                    for (int64_t j = 0; j < part.columns; j++, owned++)
                        seen[(part.first_row + i) * columns + part.first_column + j]++;
            }
            assert_int_equal(owned, rows * columns);
            assert_null(memchr(seen, 0, (size_t)(rows * columns)));
            free(seen);
        }
}

static void the_shortest_cuts_are_chosen(void **state)
{
    (void)state;
    static const struct {
        int ranks;
        int64_t rows, columns;
        struct parts parts;
    } cases[] = {{2, 100, 100, {2, 1}}, {4, 100, 100, {2, 2}}, {6, 100, 100, {3, 2}},
                 {4, 10, 1000, {1, 4}}, {7, 100, 90, {7, 1}},  {16, 4000, 50, {16, 1}},
                 {4, 1, 1000, {1, 4}},  {4, 1, 1, {1, 1}},     {6, 2, 3, {2, 3}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parts parts = parts_choose(cases[i].ranks, cases[i].rows, cases[i].columns, 1);
        assert_int_equal(parts.rows, cases[i].parts.rows);
        assert_int_equal(parts.columns, cases[i].parts.columns);
    }
}

static bool has(struct rectangle r, int64_t row, int64_t column)
{
    return row >= r.row && row < r.row_end && column >= r.column && column < r.column_end;
}

/* What a part sends is, point for point, where its neighbour expects it: in the whole grid the same rectangle. */
static void halos_are_what_neighbours_send(void **state)
{
    (void)state;
    static const int opposite[DIRECTIONS] = {1, 0, 3, 2, 7, 6, 5, 4};
    int swaps = 0;
    for (int g = 0; g < GRIDS; g++)
        for (int ranks = 2; ranks <= RANKS_MOST; ranks++) {
            int64_t rows = grids[g][0], columns = grids[g][1], depth = grids[g][2], frame = depth;
            struct parts parts = parts_choose(ranks, rows, columns, depth);
            for (int rank = 0; rank < ranks; rank++)
                for (int d = 0; d < DIRECTIONS; d++) {
                    struct part mine = part_of(parts, rank, rows, columns);
                    if (mine.neighbours[d] < 0) continue;
                    struct part other = part_of(parts, mine.neighbours[d], rows, columns);
                    assert_int_equal(other.neighbours[opposite[d]], rank);
                    struct rectangle sent = part_sent(&mine, d, depth, frame);
                    struct rectangle got = part_received(&other, opposite[d], depth, frame);
                    assert_true(mine.first_row + sent.row == other.first_row + got.row &&
                                mine.first_row + sent.row_end == other.first_row + got.row_end &&
                                mine.first_column + sent.column == other.first_column + got.column &&
                                mine.first_column + sent.column_end == other.first_column + got.column_end);
                    assert_true(rectangle_points(sent) > 0);
                    assert_false(has(part_all(&other), got.row, got.column));
                    swaps++;
                }
        }
    assert_true(swaps > 1000);
}

static void inner_points_and_border_are_all_points(void **state)
{
    (void)state;
    for (int g = 0; g < GRIDS; g++)
        for (int ranks = 1; ranks <= RANKS_MOST; ranks += 3)
            for (int64_t depth = 1; depth <= 8; depth += 2) {
                struct parts parts = parts_choose(ranks, grids[g][0], grids[g][1], 1);
                struct part part = part_of(parts, ranks / 2, grids[g][0], grids[g][1]);
                struct rectangle pieces[STRAIGHT + 1] = {part_inner(&part, depth)};
                part_border(&part, pieces[0], pieces + 1);
                for (int64_t i = 0; i < part.rows; i++)
                    for (int64_t j = 0; j < part.columns; j++) {
                        int times = 0;
                        for (int p = 0; p <= STRAIGHT; p++) times += has(pieces[p], i, j);
                        assert_int_equal(times, 1);
                    }
                for (int p = 0; p <= STRAIGHT; p++)
                    assert_true(rectangle_points(pieces[p]) <= part.rows * part.columns);
            }
}

static double rule(int radius, const double *const in[ROWS_READ], int64_t j)
{
    const double *row = in[2];
    double near = (in[1][j] + in[3][j]) + (row[j - 1] + row[j + 1]);
    if (radius == 1) return row[j] / 2 + near / 8;
    double far = (in[0][j] + in[4][j]) + (row[j - 2] + row[j + 2]);
    return (row[j] * 17 / 32 + near / 8) - far / 128;
}

/* Of any length, from any alignment on, and not a point more. */
static void rows_have_the_same_bits_on_every_instruction_set(void **state)
{
    (void)state;
    enum { MOST = 70, ROOM = MOST + 24 };
    double in[ROWS_READ][ROOM], out[ROOM];
    const double *rows[ROWS_READ];
    srand(1);
    for (int r = 0; r < ROWS_READ; r++)
        for (int j = 0; j < ROOM; j++) in[r][j] = rand() / (double)RAND_MAX - 0.3;
    for (int isa = 0; isa <= (int)isa_best(); isa++)
        for (int radius = 1; radius <= RADIUS_MAX; radius++)
            for (int streamed = 0; streamed < 2; streamed++)
                for (int begin = 2; begin < 10; begin++)
                    for (int count = 0; count <= MOST; count++) {
                        const struct stencil_code *code = stencil_code_find((enum isa)isa);
                        stencil_row *make = (streamed ? code->streamed : code->cached)[radius - 1];
                        for (int r = 0; r < ROWS_READ; r++) rows[r] = in[r] + begin;
                        for (int j = 0; j < ROOM; j++) out[j] = -7;
                        make(count, rows, out + begin);
                        code->fence();
                        for (int j = 0; j < ROOM; j++) {
                            bool made = j >= begin && j < begin + count;
                            double expected = made ? rule(radius, rows, j - begin) : -7;
                            assert_memory_equal(&out[j], &expected, sizeof expected);
                        }
                    }
}

/* The larger grid does not count as fitting into the caches. */
static void all_variants_give_the_same_bits(void **state)
{
    (void)state;
    static const char *const sizes[] = {"1", "3x200", "90x7", "2100x5", "6x5000", "730x720"};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int points = 0; points < 2; points++) {
            uint64_t checksum = 0;
            for (int threads = 1; threads <= 2; threads++)
                for (const struct variant *variant = kernel_find("stencil")->variants; variant->name; variant++)
                    for (int isa = 0; isa <= (int)isa_best(); isa++) {
                        struct problem problem = problem_of("stencil", variant->name, sizes[s]);
                        struct team *team = new_team(threads);
                        struct verdict verdict;
                        problem.isa = isa_name((enum isa)isa);
                        problem.options[0] = 7; /* steps */
                        problem.options[1] = points;
                        struct stencil *stencil = run_problem(team, &problem, &verdict);
                        bool large = stencil->rows * stencil->columns > 524288 && threads == 1;
                        assert_int_equal(stencil->streams, large && strcmp(variant->name, "plain") != 0);
                        if (checksum == 0) checksum = verdict.checksum;
                        assert_true(verdict.checksum == checksum);
                        problem.kernel->teardown(stencil);
                        team_free(team);
                    }
        }
}

/* The smallest error that matters, at any point; and the plane, or the wave, alone is not the answer. */
static void the_check_sees_every_point(void **state)
{
    (void)state;
    struct team *team = new_team(1);
    for (int points = 0; points < 2; points++) {
        struct problem problem = problem_of("stencil", NULL, "9x14");
        struct verdict verdict;
        problem.options[1] = points;
        struct stencil *stencil = run_problem(team, &problem, &verdict);
        for (int64_t i = 0; i < stencil->rows; i++)
            for (int64_t j = 0; j < stencil->columns; j++) {
                double *point = &stencil->grid[stencil->now][i * stencil->stride + j], right = *point;
                *point += 1e-12;
                assert_int_equal(problem.kernel->check(team, stencil, &verdict), 0);
                assert_false(verdict.correct);
                *point = right;
            }
        for (int steps = 19; steps <= 21; steps++) {
            stencil->steps = steps;
            assert_int_equal(problem.kernel->check(team, stencil, &verdict), 0);
            assert_int_equal(verdict.correct, steps == 20);
        }
        problem.kernel->teardown(stencil);
    }
    team_free(team);
}

static void sizes_are_points_of_rows_and_columns(void **state)
{
    (void)state;
    const struct kernel *kernel = kernel_find("stencil");
    struct problem problem = problem_of("stencil", NULL, "30x20");
    struct size size;
    problem.options[0] = 5;
    assert_true(kernel->work(&problem) == 3000);
    assert_int_equal(kernel->parse_size("7x7", &size), 0);
    assert_int_equal(size.dims, 1);
    assert_int_equal(kernel->parse_size("16777217", &size), -ERANGE);
    assert_int_equal(kernel->parse_size("2x3x4", &size), -EINVAL);
    assert_int_equal(kernel->size_for(&problem, 12000, &size), 0);
    assert_true(size.dim[0] == 60 && size.dim[1] == 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_point_has_one_owner),
        cmocka_unit_test(the_shortest_cuts_are_chosen),
        cmocka_unit_test(halos_are_what_neighbours_send),
        cmocka_unit_test(inner_points_and_border_are_all_points),
        cmocka_unit_test(rows_have_the_same_bits_on_every_instruction_set),
        cmocka_unit_test(all_variants_give_the_same_bits),
        cmocka_unit_test(the_check_sees_every_point),
        cmocka_unit_test(sizes_are_points_of_rows_and_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
