/* The law of a network, fitted to points of known laws, and what it predicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/kernel.h"
#include "../src/analyse/network.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZES = 21 };
#define ALPHA_S 1e-4
#define BYTE_S  8e-9 /* 1 Gbit/s */

static void assert_near(double value, double expected, double relative)
{
    if (!(fabs(value / expected - 1) <= relative)) fail_msg("%.9g is not %.9g within %g", value, expected, relative);
}

/* 1, 2, 4, ... bytes. */
static void make_points(double alpha_s, double byte_s, int count, struct network_point points_p[])
{
    for (int i = 0; i < count; i++) {
        double bytes = ldexp(1, i);
        points_p[i] = (struct network_point){
            .bytes = bytes, .messages = 10, .time_s = alpha_s + bytes * byte_s, .traffic_factor = 1};
    }
}

static void an_exact_law_is_found(void **state)
{
    (void)state;
    struct network_point points[SIZES];
    struct network_fit fit;
    for (double alpha_s = 1e-7; alpha_s < 1e-2; alpha_s *= 10)
        for (double share = 3; share < 1e5; share *= 7) { /* of the longest message's bytes over the latency */
            double byte_s = alpha_s * share / ldexp(1, SIZES - 1);
            make_points(alpha_s, byte_s, SIZES, points);
            network_fit(SIZES, points, &fit);
            assert_near(fit.latency_s, alpha_s, 1e-6);
            assert_near(fit.byte_s, byte_s, 1e-6);
            assert_near(fit.bandwidth, 1 / byte_s, 1e-6);
            assert_true(fit.residual < 1e-9 && fit.worst < 1e-9);
            assert_string_equal(fit.missing, "");
        }
}

/* From 4 KiB to 64 KiB messages take two to three times as long as the law says, as where MPI changes its protocol. */
static void steps_in_between_do_not_spoil_it(void **state)
{
    (void)state;
    struct network_point points[SIZES];
    struct network_fit fit;
    make_points(ALPHA_S, BYTE_S, SIZES, points);
    for (int i = 12; i <= 16; i++) points[i].time_s *= i % 2 ? 2 : 3;
    network_fit(SIZES, points, &fit);
    assert_near(fit.latency_s, ALPHA_S, 1e-6);
    assert_near(fit.byte_s, BYTE_S, 1e-6);
    assert_true(fit.residual < 1e-9);
    assert_near(fit.worst, 2.0 / 3, 1e-6);
    assert_true(fit.worst_bytes >= 4096 && fit.worst_bytes <= 65536);
}

/* A copy in memory: up to 16 KiB in the fastest cache, five times as fast. The long messages are what counts. */
static void long_messages_fix_beta(void **state)
{
    (void)state;
    struct network_point points[SIZES];
    struct network_fit fit;
    make_points(1e-8, 2e-11, SIZES, points);
    for (int i = 0; i <= 14; i++) points[i].time_s = 1e-8 + ldexp(4e-12, i);
    network_fit(SIZES, points, &fit);
    assert_near(fit.latency_s, 1e-8, 0.05);
    assert_near(fit.byte_s, 2e-11, 0.05);
}

static void noise_moves_it_little(void **state)
{
    (void)state;
    struct network_point points[SIZES];
    struct network_fit fit;
    srand(1);
    for (int trial = 0; trial < 200; trial++) {
        make_points(ALPHA_S, BYTE_S, SIZES, points);
        for (int i = 0; i < SIZES; i++) points[i].time_s *= 1 + 0.1 * ((double)rand() / RAND_MAX - 0.5);
        network_fit(SIZES, points, &fit);
        assert_near(fit.latency_s, ALPHA_S, 0.05);
        assert_near(fit.byte_s, BYTE_S, 0.1);
        assert_true(fit.residual < 0.05);
    }
}

static void what_the_points_do_not_tell_is_not_told(void **state)
{
    (void)state;
    struct network_point points[SIZES];
    struct network_fit fit;
    make_points(ALPHA_S, BYTE_S, 8, points); /* up to 128 bytes: 1 us of 101 */
    network_fit(8, points, &fit);
    assert_near(fit.latency_s, ALPHA_S, 0.02);
    assert_true(isnan(fit.byte_s) && isnan(fit.bandwidth));
    assert_non_null(strstr(fit.missing, "bandwidth"));
    assert_null(strstr(fit.missing, "latency"));

    make_points(ALPHA_S, BYTE_S, SIZES, points); /* from 128 KiB on: 1 ms */
    network_fit(4, points + 17, &fit);
    assert_true(isnan(fit.latency_s));
    assert_near(fit.byte_s, BYTE_S, 0.1);
    assert_non_null(strstr(fit.missing, "latency"));

    network_fit(2, points, &fit);
    assert_true(isnan(fit.latency_s) && isnan(fit.byte_s) && isnan(fit.residual));
    assert_non_null(strstr(fit.missing, "3 sizes"));
    network_fit(0, NULL, &fit);
    assert_true(isnan(fit.latency_s) && *fit.missing);
}

/* Records may hold anything. */
static void nonsense_is_left_out(void **state)
{
    (void)state;
    static const double nonsense[] = {NAN, INFINITY, 0, -1, 1e308, 1e-308};
    struct network_point points[SIZES];
    struct network_fit fit;
    make_points(ALPHA_S, BYTE_S, SIZES, points);
    for (int i = 0; i < 4; i++) points[5 * i].time_s = nonsense[i];
    network_fit(SIZES, points, &fit);
    assert_int_equal(fit.points, SIZES - 4);
    assert_near(fit.latency_s, ALPHA_S, 1e-6);
    for (int i = 0; i < SIZES; i++) points[i].bytes = 7;
    network_fit(SIZES, points, &fit);
    assert_int_equal(fit.points, 1);
    for (size_t n = 0; n < sizeof nonsense / sizeof *nonsense; n++) {
        make_points(ALPHA_S, BYTE_S, SIZES, points);
        for (int i = 0; i < SIZES; i++) points[i].time_s = nonsense[n];
        network_fit(SIZES, points, &fit);
        assert_true(isnan(fit.byte_s));
    }
}

/* Three samples: the median of each size. Others do not count. */
static void points_are_medians_of_what_counts(void **state)
{
    (void)state;
    enum { SAMPLES = 6 };
    static const double times_s[SAMPLES] = {3, 1, 2, 100, 200, 300};
    struct sample samples[SAMPLES];
    struct kernel_point points[SAMPLES][2];
    struct network_point found[KERNEL_POINTS_MAX];
    bool judged;
    for (int s = 0; s < SAMPLES; s++) {
        sample_init(&samples[s]);
        points[s][0] = (struct kernel_point){.bytes = 4, .messages = 9, .time_s = times_s[s], .traffic_bytes = 8};
        points[s][1] = (struct kernel_point){.bytes = 2, .messages = 5, .time_s = NAN, .traffic_bytes = 0};
        samples[s].points = points[s];
        samples[s].point_count = 2;
        samples[s].correct = true;
        samples[s].validity = s == 3 ? SAMPLE_INVALID : SAMPLE_VALID;
    }
    samples[4].correct = false;
    points[5][1].bytes = 3; /* of other sizes */
    struct group group = {.count = SAMPLES, .samples = samples};
    assert_int_equal(network_points(&group, found, &judged), 2);
    assert_true(judged);
    assert_true(found[0].bytes == 2 && isnan(found[0].time_s) && isnan(found[0].bandwidth));
    assert_true(found[1].bytes == 4 && found[1].time_s == 2 && found[1].bandwidth == 4 && found[1].messages == 9);
    assert_true(found[0].traffic_factor == 0 && found[1].traffic_factor == 2);
    for (int s = 0; s < SAMPLES; s++) samples[s].validity = s < 3 ? SAMPLE_INVALID : SAMPLE_NOT_JUDGED;
    assert_int_equal(network_points(&group, found, &judged), 2);
    assert_false(judged);
    assert_true(found[1].time_s == 100);
    for (int s = 0; s < SAMPLES; s++) samples[s].validity = SAMPLE_INVALID;
    assert_int_equal(network_points(&group, found, &judged), 0);
    group.count = 0;
    assert_int_equal(network_points(&group, found, &judged), 0);
}

static struct problem problem_of(const char *kernel, const char *variant, const char *size)
{
    struct problem problem;
    problem_init(kernel_find(kernel), &problem);
    if (variant) problem.variant = kernel_find_variant(problem.kernel, variant);
    assert_int_equal(problem.kernel->parse_size(size, &problem.size), 0);
    return problem;
}

static struct network_prediction predict(const struct problem *problem, int ranks, double alpha_s, double byte_s,
                                         double work_s)
{
    const struct network_fit fit = {.latency_s = alpha_s, .byte_s = byte_s};
    struct network_prediction prediction;
    assert_int_equal(network_predict(&fit, problem, ranks, work_s, &prediction), 0);
    if (work_s > 0) assert_near(prediction.factor, work_s / prediction.time_s, 1e-12);
    assert_true(fabs(prediction.exposed_s + work_s - prediction.time_s) <= 1e-9 * prediction.time_s);
    return prediction;
}

static void exchange_is_predicted_by_its_own_law(void **state)
{
    (void)state;
    struct problem problem = problem_of("exchange", NULL, "4");
    problem.options[0] = 1; /* messages: of 1, 2 and 4 bytes one, and before it two: three round trips */
    assert_near(predict(&problem, 2, 1, 0, 1e-9).exposed_s, 3 * 3 * 2, 1e-6);
    assert_near(predict(&problem, 5, 0, 1, 1e-9).exposed_s, 3 * 2 * (1 + 2 + 4), 1e-6);
    problem.variant = kernel_find_variant(problem.kernel, "bisection");
    assert_near(predict(&problem, 4, 1, 1, 1e-9).exposed_s, 3 * (3 + 7), 1e-6);
    const struct network_fit fit = {.latency_s = 1, .byte_s = 1}, unknown = {.latency_s = NAN, .byte_s = 1};
    struct network_prediction prediction;
    assert_int_equal(network_predict(&unknown, &problem, 2, 1, &prediction), -EINVAL);
    assert_int_equal(network_predict(&fit, &problem, 2, NAN, &prediction), -EINVAL);
    problem.variant = kernel_find_variant(problem.kernel, "allreduce");
    assert_int_equal(network_predict(&fit, &problem, 2, 1, &prediction), -ENOTSUP);
    problem = problem_of("pi", NULL, "1000");
    assert_int_equal(network_predict(&fit, &problem, 2, 1, &prediction), -ENOTSUP);
}

static void summa_is_predicted_step_by_step(void **state)
{
    (void)state;
    struct problem problem = problem_of("matmul", NULL, "1024");
    double panel_s = 512 * 512 * 8 * BYTE_S;
    /* One rank sends nothing. */
    assert_near(predict(&problem, 1, ALPHA_S, BYTE_S, 0.5).time_s, 0.5, 1e-12);
    /* Two ranks, side by side: each sends its panel of A to the other, one after the other. The second is on its way
     * while the first is worked on, by whom it goes to; the owner of the second has to wait for the first. */
    double none_s = predict(&problem, 2, 0, BYTE_S, 0).time_s, wide_s = 2 * panel_s; /* 1024 rows of A */
    assert_true(none_s >= wide_s * (1 - 1e-9) && none_s <= 2 * wide_s * (1 + 1e-9));
    /* Four: two panels a step, through one link; nothing is hidden without work, and much where work is long. */
    none_s = predict(&problem, 4, 0, BYTE_S, 0).time_s;
    assert_true(none_s >= 3 * panel_s * (1 - 1e-9) && none_s <= 4 * panel_s * (1 + 1e-9));
    double hidden_s = predict(&problem, 4, 0, BYTE_S, 100 * panel_s).exposed_s;
    assert_true(hidden_s >= 2 * panel_s * (1 - 1e-9) && hidden_s < none_s);
    /* Latencies count once a step and round. */
    double latencies_s = predict(&problem, 4, ALPHA_S, BYTE_S, 0).time_s - none_s;
    assert_true(latencies_s >= ALPHA_S * 0.99 && latencies_s <= 4 * ALPHA_S);
    /* More ranks, and extents that nothing divides: it ends, and takes no less than the most that one rank gets. */
    static const char *const sizes[] = {"1", "37", "131x9x515", "97x300x4001", "1x1x1000"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int ranks = 1; ranks < 20; ranks++) {
            problem = problem_of("matmul", NULL, sizes[i]);
            double quick_s = predict(&problem, ranks, 0, 0, 1).time_s;
            assert_near(quick_s, 1, 1e-9);
            assert_true(predict(&problem, ranks, ALPHA_S, BYTE_S, 1).time_s >= quick_s * (1 - 1e-12));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_law_is_found),
        cmocka_unit_test(steps_in_between_do_not_spoil_it),
        cmocka_unit_test(long_messages_fix_beta),
        cmocka_unit_test(noise_moves_it_little),
        cmocka_unit_test(what_the_points_do_not_tell_is_not_told),
        cmocka_unit_test(nonsense_is_left_out),
        cmocka_unit_test(points_are_medians_of_what_counts),
        cmocka_unit_test(exchange_is_predicted_by_its_own_law),
        cmocka_unit_test(summa_is_predicted_step_by_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
