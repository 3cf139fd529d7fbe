/* Kernels on one rank: their random numbers, numerics, domains, and what they refuse. That results are the same in
 * every mode, and that checks reject damage, is tested for all kernels alike in test_conformance.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/kernel.h"
#include "../kernels/matmul/matmul.h"
#include "../kernels/memory.h"
#include "../kernels/random.h"
#include "../kernels/share.h"
#include "../src/worker/team.h"
#include "kernel_runs.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#ifdef __has_feature
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define COUNTING_SANITIZER
#    endif
#elif defined __SANITIZE_ADDRESS__
#    define COUNTING_SANITIZER
#endif

/* How much more than was asked for counts as allocated: the thread sanitizer rounds up, to a quarter of a power of two.
 */
#ifdef COUNTING_SANITIZER
#    define ROUNDED_UP 1.25
/* Of sanitizer/asan_interface.h and allocator_interface.h, which not every compiler brings along. */
size_t __sanitizer_get_current_allocated_bytes(void);
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static size_t allocated_bytes(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
#    define ROUNDED_UP 1.02

static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#endif

static void philox_gives_the_published_words(void **state)
{
    (void)state;
    /* Random123 1.14, tests/kat_vectors, "philox4x32 10". */
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t words[4];
        philox4x32(vectors[i].counter, vectors[i].key, words);
        assert_memory_equal(words, vectors[i].words, sizeof words);
    }
}

static void hashes_become_doubles_from_minus_one_to_one(void **state)
{
    (void)state;
    assert_true(hash_to_double(0) == 0);
    assert_true(hash_to_double(UINT64_C(1) << 63) == -1);
    assert_true(hash_to_double(INT64_MAX) == 1 - 0x1p-53);
    double sum = 0, squares = 0;
    enum { COUNT = 100000 };
    for (int i = 0; i < COUNT; i++) {
        double value = hash_to_double(hash_pair(1, (uint64_t)i));
        sum += value;
        squares += value * value;
    }
    assert_true(fabs(sum / COUNT) < 6 * sqrt(1.0 / 3 / COUNT));
    assert_true(fabs(squares / COUNT - 1.0 / 3) < 6 * sqrt(4.0 / 45 / COUNT));
}

static void shares_cover_all_pieces_evenly(void **state)
{
    (void)state;
    static const int64_t counts[] = {0, 1, 2, 7, 64, 1000, 65105, INT64_C(1) << 53};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int shares = 1; shares < 70; shares++) {
            assert_int_equal(share_begin(counts[c], shares, 0), 0);
            assert_int_equal(share_begin(counts[c], shares, shares), counts[c]);
            for (int i = 0; i < shares; i++) {
                int64_t begin = share_begin(counts[c], shares, i), end = share_begin(counts[c], shares, i + 1);
                assert_in_range(end - begin, counts[c] / shares, counts[c] / shares + 1);
                if (begin == end) continue;
                assert_int_equal(share_owner(counts[c], shares, begin), i);
                assert_int_equal(share_owner(counts[c], shares, end - 1), i);
            }
        }
}

static void every_kernel_tells_about_itself(void **state)
{
    (void)state;
    assert_null(kernel_find("nosuch"));
    for (int i = 0; kernel_registry[i]; i++) {
        const struct kernel *kernel = kernel_registry[i];
        struct problem problem;
        struct size size;
        int options = 0;
        assert_ptr_equal(kernel_find(kernel->name), kernel);
        assert_true(*kernel->summary && *kernel->lesson && *kernel->size_help && *kernel->work_unit);
        assert_null(kernel_find_variant(kernel, "nosuch"));
        assert_non_null(kernel_default_variant(kernel));
        assert_null(variant_unavailable(kernel_default_variant(kernel)));
        for (const struct variant *variant = kernel->variants; variant->name; variant++) {
            assert_ptr_equal(kernel_find_variant(kernel, variant->name), variant);
            assert_true(*variant->summary);
        }
        for (; kernel->options && kernel->options[options].name; options++) {
            const struct kernel_option *option = &kernel->options[options];
            assert_true(option->min <= option->fallback && option->fallback <= option->max && *option->help);
        }
        assert_true(options <= KERNEL_OPTIONS_MAX);

        problem_init(kernel, &problem);
        for (int ranks = 1; ranks <= 5; ranks++) assert_true(kernel->memory(&problem, ranks) > 0);
        assert_int_equal(kernel->size_for(&problem, kernel->work(&problem), &size), 0);
        assert_int_equal(size.dims, problem.size.dims);
        for (int d = 0; d < size.dims; d++) assert_true(size.dim[d] == problem.size.dim[d]);
        assert_int_equal(kernel->parse_size("0", &size), -ERANGE);
        assert_int_equal(kernel->parse_size("1e16", &size), -ERANGE);
        assert_int_equal(kernel->parse_size("-1", &size), -EINVAL);
        assert_int_equal(kernel->parse_size("1x2x3x4", &size), -EINVAL);
        assert_int_equal(kernel->parse_size("", &size), -EINVAL);
    }
}

static void sizes_follow_the_work(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *size;
    } cases[] = {{"matmul", "1000"},     {"matmul", "64x2000x300"}, {"matmul", "2000x2000x1"},
                 {"pi", "1000"},         {"option", "1000"},        {"ep", "S"},
                 {"ep", "1000"},         {"synthetic", "100"},      {"relay", "1000"},
                 {"stencil", "1000"},    {"stencil", "300x2000"},   {"triad", "1000"},
                 {"mandelbrot", "1000"}, {"mandelbrot", "1500x700"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (double factor = 1; factor <= 64; factor *= 2) {
            struct problem problem = problem_of(cases[i].kernel, NULL, cases[i].size), larger = problem;
            double wanted = factor * problem.kernel->work(&problem);
            assert_int_equal(problem.kernel->size_for(&problem, wanted, &larger.size), 0);
            assert_true(fabs(problem.kernel->work(&larger) / wanted - 1) < 2e-3);
        }
    static const double impossible[] = {0, -1, 1e300, NAN, INFINITY};
    for (int k = 0; kernel_registry[k]; k++)
        for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
            struct problem problem = problem_of(kernel_registry[k]->name, NULL, NULL);
            assert_int_equal(problem.kernel->size_for(&problem, impossible[i], &problem.size), -ERANGE);
        }
    struct problem problem = problem_of("matmul", NULL, "64x64x64");
    assert_int_equal(problem.size.dims, 1);
    assert_int_equal(problem.kernel->parse_size("16777217", &problem.size), -ERANGE);
}

static void classes_of_ep_are_sizes_with_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int exponent;
    } classes[] = {{"S", 24}, {"W", 25}, {"A", 28}, {"B", 30}, {"C", 32}, {"D", 36}};
    const struct kernel *ep = kernel_find("ep");
    struct size size;
    char text[64];
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct problem problem = problem_of("ep", NULL, classes[i].name);
        assert_int_equal(problem.size.dims, 1);
        assert_true(problem.size.dim[0] == INT64_C(1) << classes[i].exponent);
        assert_true(ep->work(&problem) == ldexp(1, classes[i].exponent));
        assert_string_equal(problem.size.class_name, classes[i].name);
        assert_string_equal(size_format(&problem.size, sizeof text, text), classes[i].name);
        /* The same problem by its number of pairs. */
        assert_int_equal(ep->size_for(&problem, ep->work(&problem), &size), 0);
        snprintf(text, sizeof text, "%lld", (long long)size.dim[0]);
        assert_int_equal(ep->parse_size(text, &size), 0);
        assert_true(size.dim[0] == problem.size.dim[0] && size.class_name[0] == '\0');
    }
    static const char *const unknown[] = {"E", "Z", "s", "a", "SS", "S1", "S ", " S", "Sx2", "class"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(ep->parse_size(unknown[i], &size), -EINVAL);
}

/* What is out of range, or no size, leaves the size as it was. */
static void sizes_have_limits(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *largest, *too_large;
    } cases[] = {{"pi", "9007199254740992", "9007199254740993"},
                 {"option", "9007199254740992", "9007199254740993"},
                 {"ep", "8796093022208", "8796093022209"},
                 {"triad", "1099511627776", "1099511627777"}};
    static const struct {
        const char *text;
        int status;
    } wrong[] = {{"0", -ERANGE},   {"1e17", -ERANGE}, {"-3", -EINVAL},
                 {"1.5", -EINVAL}, {"nan", -EINVAL},  {"x", -EINVAL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct kernel *kernel = kernel_find(cases[i].kernel);
        struct problem problem = problem_of(cases[i].kernel, NULL, cases[i].largest);
        struct size size = problem.size;
        assert_int_equal(kernel->parse_size(cases[i].too_large, &size), -ERANGE);
        for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++)
            assert_int_equal(kernel->parse_size(wrong[w].text, &size), wrong[w].status);
        assert_memory_equal(&size, &problem.size, sizeof size);
        assert_int_equal(kernel->size_for(&problem, kernel->work(&problem), &size), 0);
        assert_int_equal(kernel->size_for(&problem, 1.01 * kernel->work(&problem), &size), -ERANGE);
        assert_int_equal(kernel->size_for(&problem, 0.4, &size), -ERANGE);
    }
}

static void memory_is_what_is_allocated(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *size;
    } cases[] = {{"matmul", "400"},       {"matmul", "3000x20x700"}, {"pi", "1e9"},     {"pi", "1e15"},
                 {"option", "1e9"},       {"option", "1e15"},        {"ep", "S"},       {"ep", "D"},
                 {"synthetic", "100000"}, {"exchange", "1MiB"},      {"relay", "1000"}, {"stencil", "3"},
                 {"stencil", "500x700"},  {"triad", "1000001"},      {"triad", "10"},   {"mandelbrot", "900x700"}};
    struct team *team = new_team(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = problem_of(cases[i].kernel, NULL, cases[i].size);
        void *work;
        size_t before = allocated_bytes();
        assert_int_equal(problem.kernel->prepare(team, &problem, &work), 0);
        double used = (double)(allocated_bytes() - before), told = problem.kernel->memory(&problem, 1);
        problem.kernel->teardown(work);
        /* To begin an array on a large page takes addresses (which are counted here), not memory. */
        double alignment = told > 4 * MEMORY_LARGE_PAGE ? 2 * MEMORY_LARGE_PAGE : 0;
        assert_true(used <= told * ROUNDED_UP + alignment + 16384 && used >= told * 0.98 - 16384);
    }
    team_free(team);
}

static void too_much_memory_is_refused(void **state)
{
    (void)state;
    struct team *team = new_team(1);
    struct problem problem = problem_of("matmul", NULL, "16777216");
    void *work = &problem;
    assert_true(problem.kernel->memory(&problem, 4) > 3 * 0x1p51);
    assert_int_equal(problem.kernel->prepare(team, &problem, &work), -ENOMEM);
    assert_null(work);
    problem.kernel->teardown(NULL);
    team_free(team);
}

/* |C - A B| <= gamma_k |A| |B| for each element (Higham 2002, section 3.5), against a sum in extended precision. */
static void check_elements(const struct matmul *matmul)
{
    double u = 0x1p-53, gamma = (double)matmul->k * u / (1 - (double)matmul->k * u);
    for (int64_t i = 0; i < matmul->m; i++)
        for (int64_t j = 0; j < matmul->n; j++) {
            long double sum = 0, absolute = 0;
            for (int64_t k = 0; k < matmul->k; k++) {
                long double product = (long double)matmul_element(matmul->seed, 'A', i, k) *
                                      (long double)matmul_element(matmul->seed, 'B', k, j);
                sum += product;
                absolute += fabsl(product);
            }
            assert_true(fabsl((long double)matmul->c[i * matmul->n + j] - sum) <= gamma * absolute * 1.001L);
        }
}

static void matmul_is_as_accurate_as_theory_promises(void **state)
{
    (void)state;
    static const char *const sizes[] = {"1", "2", "5x1x1", "1x6x1", "1x1x600", "33", "7x300x5", "70x9x517", NULL};
    for (int i = 0; sizes[i]; i++)
        for (int threads = 1; threads <= 3; threads += 2) {
            struct team *team = new_team(threads);
            uint64_t checksums[2] = {0};
            for (const struct variant *variant = kernel_find("matmul")->variants; variant->name; variant++) {
                if (variant_unavailable(variant)) continue;
                struct problem problem = problem_of("matmul", variant->name, sizes[i]);
                struct verdict verdict;
                struct matmul *matmul = run_problem(team, &problem, &verdict);
                check_elements(matmul);
                assert_true(verdict.result == matmul->c[matmul->m * matmul->n - 1]);
                problem.kernel->teardown(matmul);
                if (!variant->exact) continue;
                /* All add in the same order: not just as right, but the same; but for fused multiply-adds. */
                bool fuses = strcmp(variant->name, "vector") == 0 || strcmp(variant->name, "packed") == 0;
                if (checksums[fuses]) assert_true(verdict.checksum == checksums[fuses]);
                checksums[fuses] = verdict.checksum;
            }
            team_free(team);
        }
}

/* Freivalds' test must see any single element, wherever it is. */
static void matmul_check_sees_every_element(void **state)
{
    (void)state;
    struct team *team = new_team(1);
    struct problem problem = problem_of("matmul", NULL, "9x11x13");
    struct verdict verdict;
    struct matmul *matmul = run_problem(team, &problem, &verdict);
    for (int64_t at = 0; at < matmul->m * matmul->n; at++) {
        double right = matmul->c[at];
        matmul->c[at] = right + 1e-9;
        assert_int_equal(problem.kernel->check(team, matmul, &verdict), 0);
        assert_false(verdict.correct);
        matmul->c[at] = right;
    }
    assert_int_equal(problem.kernel->check(team, matmul, &verdict), 0);
    assert_true(verdict.correct);
    problem.kernel->teardown(matmul);
    team_free(team);
}

static void blas_that_is_not_there_is_told(void **state)
{
    (void)state;
    static const char *const useless[] = {"/nonexistent/libblas.so", "libm.so.6"};
    const struct variant *blas = kernel_find_variant(kernel_find("matmul"), "blas");
    struct team *team = new_team(1);
    for (int i = 0; i < 2; i++) {
        struct problem problem = problem_of("matmul", "blas", "4");
        void *work = &problem;
        setenv("SPEEDUP_BLAS", useless[i], 1);
        assert_non_null(variant_unavailable(blas));
        assert_non_null(strstr(variant_unavailable(blas), "SPEEDUP_BLAS"));
        assert_int_equal(problem.kernel->prepare(team, &problem, &work), -ENOENT);
        assert_null(work);
    }
    unsetenv("SPEEDUP_BLAS");
    team_free(team);
}

/* As two other programs count: one in 128-bit integers, one in Python. */
static void pi_counts_what_others_count(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        uint64_t seed;
        double hits;
    } counts[] = {{"1", 1, 0}, {"1000", 1, 801}, {"1M", 1, 785428}, {"999999", UINT64_C(9223372036854788153), 785392}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (const struct variant *variant = kernel_find("pi")->variants; variant->name; variant++) {
            if (variant_unavailable(variant)) continue;
            struct team *team = new_team(2);
            struct problem problem = problem_of("pi", variant->name, counts[i].size);
            struct verdict verdict;
            problem.seed = counts[i].seed;
            problem.kernel->teardown(run_problem(team, &problem, &verdict));
            bool philox = strcmp(variant->name, "ars") != 0; /* whose numbers are others */
            bool told = strstr(verdict.detail, "published") != NULL;
            assert_true(told == philox);
            assert_true(!philox || verdict.result == 4 * counts[i].hits / (double)problem.size.dim[0]);
            team_free(team);
        }
}

static void monte_carlo_needs_little_memory_for_any_size(void **state)
{
    (void)state;
    enum { BLOCKS_MOST = 1 << 20, RANKS = 1000, RANK_MOST = 16384 };
    static const struct {
        const char *kernel, *size;
        int block; /* bytes of one */
    } cases[] = {{"pi", "9007199254740992", 8}, {"option", "9007199254740992", 16}, {"ep", "8796093022208", 24}};
    struct team *team = new_team(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = problem_of(cases[i].kernel, NULL, cases[i].size);
        void *work;
        double blocks = (double)cases[i].block * BLOCKS_MOST;
        assert_true(problem.kernel->memory(&problem, 1) <= blocks + RANK_MOST);
        assert_true(problem.kernel->memory(&problem, RANKS) <= blocks + RANKS * (double)RANK_MOST);
        assert_int_equal(problem.kernel->prepare(team, &problem, &work), 0);
        problem.kernel->teardown(work);
    }
    team_free(team);
}

/* But where nothing is drawn: there the seed says what is checked. */
static void other_seeds_give_other_answers(void **state)
{
    (void)state;
    static const char *const drawless = "mandelbrot";
    struct team *team = new_team(1);
    for (int k = 0; kernel_registry[k]; k++) {
        uint64_t checksums[2];
        for (uint64_t seed = 0; seed < 2; seed++) {
            struct problem problem = problem_of(kernel_registry[k]->name, NULL, "20");
            struct verdict verdict;
            problem.seed = seed << 40;
            problem.kernel->teardown(run_problem(team, &problem, &verdict));
            checksums[seed] = verdict.checksum;
        }
        bool same = checksums[0] == checksums[1];
        assert_true(same == (strcmp(kernel_registry[k]->name, drawless) == 0));
    }
    team_free(team);
}

static void ignore_signal(int number)
{
    (void)number;
}

/* Signals do not cut a wait short, and none of it is taken for work. */
static void synthetic_waits_to_the_end(void **state)
{
    (void)state;
    enum { ITEMS = 3 };
    struct team *team = new_team(1);
    struct problem problem = problem_of("synthetic", NULL, "3");
    struct verdict verdict;
    set_option(&problem, "operations", "10");
    set_option(&problem, "wait", "20ms");
    struct sigaction action = {.sa_handler = ignore_signal}, old;
    struct itimerval often = {.it_interval = {.tv_usec = 3000}, .it_value = {.tv_usec = 3000}},
                     never = {.it_value = {.tv_usec = 0}};
    sigaction(SIGALRM, &action, &old);
    setitimer(ITIMER_REAL, &often, NULL);
    double begin_s = clock_wall_s();
    void *work = run_problem(team, &problem, &verdict);
    double took_s = clock_wall_s() - begin_s;
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    problem.kernel->teardown(work);
    assert_true(took_s >= ITEMS * 0.02);
    assert_true(team->stamps[0].useful_wall_s <= took_s - ITEMS * 0.02);
    team_free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_words),
        cmocka_unit_test(hashes_become_doubles_from_minus_one_to_one),
        cmocka_unit_test(shares_cover_all_pieces_evenly),
        cmocka_unit_test(every_kernel_tells_about_itself),
        cmocka_unit_test(sizes_follow_the_work),
        cmocka_unit_test(classes_of_ep_are_sizes_with_names),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(memory_is_what_is_allocated),
        cmocka_unit_test(too_much_memory_is_refused),
        cmocka_unit_test(matmul_is_as_accurate_as_theory_promises),
        cmocka_unit_test(matmul_check_sees_every_element),
        cmocka_unit_test(blas_that_is_not_there_is_told),
        cmocka_unit_test(pi_counts_what_others_count),
        cmocka_unit_test(monte_carlo_needs_little_memory_for_any_size),
        cmocka_unit_test(other_seeds_give_other_answers),
        cmocka_unit_test(synthetic_waits_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
