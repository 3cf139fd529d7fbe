/* The Mandelbrot set on one rank: counts of all instruction sets, the grid, and the picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/mandelbrot/mandelbrot.h"
#include "../kernels/random.h"
#include "kernel_runs.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { POINTS_MAX = 300 };

static void compare_counts(int64_t points, const double *re, double im, uint32_t iterations)
{
    for (int isa = 0; isa <= (int)isa_best(); isa++) {
        uint32_t counts[POINTS_MAX + 1];
        counts[points] = 4711;
        mandelbrot_code_find((enum isa)isa)->count(points, re, im, iterations, counts);
        for (int64_t i = 0; i < points; i++)
            if (counts[i] != count_point(re[i], im, iterations))
                fail_msg("%s, %.17g + %.17g i, %u iterations: %u, not %u", isa_name((enum isa)isa), re[i], im,
                         iterations, counts[i], count_point(re[i], im, iterations));
        assert_int_equal(counts[points], 4711);
    }
}

/* Points all over, and each length of a row. */
static void vectors_count_as_plain_code_does(void **state)
{
    (void)state;
    static const uint32_t iterations[] = {1, 2, 15, 16, 17, 33, 500};
    double re[POINTS_MAX];
    for (int row = 0; row < 70; row++) {
        for (uint64_t i = 0; i < POINTS_MAX; i++) re[i] = -0.7 + 1.6 * hash_to_double(hash_pair((uint64_t)row, i));
        double im = row == 0 ? 0 : 1.3 * hash_to_double(hash_pair(1000, (uint64_t)row));
        compare_counts(row < 66 ? row + 1 : POINTS_MAX, re, im, iterations[row % 7]);
    }
}

/* Where an escape is least sure: on the circle of radius 2, and around -2 and 1/4, to the last bit. */
static void vectors_count_the_edges_alike(void **state)
{
    (void)state;
    static const double edges[] = {-2, 0.25, 2, -0.75, 0};
    double re[POINTS_MAX];
    for (int row = -2; row <= 2; row++) {
        int count = 0;
        for (size_t e = 0; e < sizeof edges / sizeof *edges; e++)
            for (int i = -20; i < 20; i++) re[count++] = edges[e] + i * 0x1p-52;
        compare_counts(count, re, row * 0x1p-60, 700);
        for (count = 0; count < POINTS_MAX; count++) re[count] = -2 + count * count * 1e-7;
        compare_counts(count, re, row * 1e-9, 700);
        double im = 2 * sin(row + 0.001);
        for (count = 0; count < POINTS_MAX; count++)
            re[count] = (count % 2 ? 2 : -2) * cos(row + 0.001 + count * 1e-15);
        compare_counts(count, re, im, 100);
    }
}

static void known_points_have_their_counts(void **state)
{
    (void)state;
    assert_int_equal(count_point(0, 0, 1000), 1000);
    assert_int_equal(count_point(-2, 0, 1000), 1000);
    assert_int_equal(count_point(0.25, 0, 1000), 1000);
    assert_int_equal(count_point(-1, 0, 1000), 1000);
    assert_int_equal(count_point(2.1, 0, 1000), 0);
    assert_int_equal(count_point(2, 0, 1000), 1);
    assert_int_equal(count_point(1, 0, 1000), 2);   /* 1, 2, 5 */
    assert_int_equal(count_point(0.5, 0, 1000), 4); /* 0.5, 0.75, 1.0625, 1.62890625, 3.15... */
    assert_int_equal(count_point(-2.001, 0, 1000), 0);
}

/* The area of the set is 1.5066 (Ewing, Schober 1992; counted pixels: 1.50659). */
static void the_set_has_its_area(void **state)
{
    (void)state;
    struct team *team = new_team(2);
    struct problem problem = problem_of("mandelbrot", NULL, "400x320");
    struct verdict verdict;
    problem.options[0] = 3000;
    problem.options[2] = 0; /* y */
    problem.options[3] = 3; /* width */
    struct mandelbrot *mandelbrot = run_problem(team, &problem, &verdict);
    int64_t inside = 0, pixels = 400 * 320;
    for (int64_t i = 0; i < pixels; i++) inside += mandelbrot->counts[i] == mandelbrot->iterations;
    double area = (double)inside * 3 * 3 / (400 * 400);
    assert_true(fabs(area - 1.5066) < 0.015);
    problem.kernel->teardown(mandelbrot);
    team_free(team);
}

/* Rows that mirror each other are conjugate to the last bit, wherever the view is, and it is where it was asked for. */
static void the_grid_is_symmetric(void **state)
{
    (void)state;
    static const double centres[] = {0, 0.5, -0.3, 1e-3, 0.1234567}, widths[] = {3.4, 1, 0.013, 1e-10};
    for (size_t c = 0; c < sizeof centres / sizeof *centres; c++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
            struct problem problem = problem_of("mandelbrot", NULL, "300x201");
            problem.options[2] = centres[c];
            problem.options[3] = widths[w];
            struct view view = view_of(&problem);
            double step = widths[w] / 300;
            assert_true(fabs(view_im(&view, 100) - centres[c]) <= step / 2 + 1e-15);
            assert_true(fabs((view_re(&view, 149) + view_re(&view, 150)) / 2 + 0.5) <= step / 2 + 1e-15);
            for (int64_t row = 0; row < 201; row++) {
                int64_t mirror = view_mirror(&view, row);
                if (mirror >= 0 && mirror < 201) assert_true(view_im(&view, mirror) == -view_im(&view, row));
            }
        }
}

struct drawn {
    int rows, most;
    uint8_t rgb[40][60 * 3];
};

static int take_row(void *context, const uint8_t rgb[])
{
    struct drawn *drawn = context;
    assert_true(drawn->rows < drawn->most);
    memcpy(drawn->rgb[drawn->rows++], rgb, sizeof drawn->rgb[0]);
    return drawn->rows < drawn->most ? 0 : -EIO;
}

static void the_picture_has_the_set_in_black(void **state)
{
    (void)state;
    struct team *team = new_team(1);
    struct problem problem = problem_of("mandelbrot", NULL, "60x40");
    struct verdict verdict;
    int64_t width, height;
    problem.options[2] = 0;
    struct mandelbrot *mandelbrot = run_problem(team, &problem, &verdict);
    problem.kernel->picture_size(&problem, &width, &height);
    assert_true(width == 60 && height == 40);
    struct drawn drawn = {.most = 41}, full = {.most = 5};
    struct kernel_canvas canvas = {&drawn, take_row}, small = {&full, take_row};
    assert_int_equal(problem.kernel->draw(team, mandelbrot, &canvas), 0);
    assert_int_equal(drawn.rows, 40);
    for (int row = 0; row < 40; row++)
        for (int column = 0; column < 60; column++) {
            const uint8_t *rgb = &drawn.rgb[row][3 * column];
            bool black = rgb[0] + rgb[1] + rgb[2] == 0;
            assert_true(black == (mandelbrot->counts[60 * row + column] == mandelbrot->iterations));
        }
    /* A canvas that takes no more is not asked again. */
    assert_int_equal(problem.kernel->draw(team, mandelbrot, &small), -EIO);
    assert_int_equal(full.rows, 5);
    problem.kernel->teardown(mandelbrot);
    team_free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_count_as_plain_code_does),
        cmocka_unit_test(vectors_count_the_edges_alike),
        cmocka_unit_test(known_points_have_their_counts),
        cmocka_unit_test(the_set_has_its_area),
        cmocka_unit_test(the_grid_is_symmetric),
        cmocka_unit_test(the_picture_has_the_set_in_black),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
