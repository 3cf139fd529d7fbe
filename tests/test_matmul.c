/* Every variant of matmul at the level of matmul_multiply, in every instruction set of this machine.
 *
 *     test_matmul [EVERY]     only one of EVERY shapes, for slow surroundings such as valgrind
 *
 * Shapes, layouts, threads and cuts come from a seeded generator: every run tests the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/memory.h"
#include "allocations.h"
#include "matmul_trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct contender contenders[] = {
    {"naive", matmul_naive, ROUNDS_TWICE, false},
    {"reordered", matmul_reordered, ROUNDS_TWICE, false},
    {"tiled", matmul_tiled, ROUNDS_TWICE, false},
    {"vector", matmul_vector, ROUNDS_AS_ISA, false},
    {"packed", matmul_packed, ROUNDS_AS_ISA, true},
    {"blas", matmul_blas, ROUNDS_FREELY, false},
    {NULL, NULL, ROUNDS_FREELY, false},
};

static const int thread_counts[] = {1, 2, 3, 5, 7};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof *thread_counts };

struct bench {
    struct trial_bench *trials;
    int64_t every;
};

/* The variant as it is to be tried here; false where it cannot be. A library of others does not know our instruction
 * sets, and where it rounds is its own affair. */
static bool is_tried(const struct bench *bench, const struct contender *contender, enum isa isa, enum values values)
{
    if (contender->rounding != ROUNDS_FREELY) return true;
    return trial_bench_has_blas(bench->trials) && isa == ISA_BASE && values == VALUES_ORDINARY;
}

/* All variants and instruction sets on the first m x n of a product, added and not. Without a number of threads, any.
 */
static void try_all(const struct bench *bench, const struct trial *given, enum values values, uint64_t *random_p)
{
    for (const struct contender *contender = contenders; contender->name; contender++)
        for (int isa = 0; isa <= (int)isa_best(); isa++) {
            if (!is_tried(bench, contender, (enum isa)isa, values)) continue;
            for (int add = 0; add <= 1; add++) {
                struct trial trial = *given;
                trial.contender = contender;
                trial.isa = (enum isa)isa;
                trial.add = add;
                if (trial.threads == 0) trial.threads = thread_counts[trial_pick(random_p, THREAD_COUNTS)];
                trial_shuffle(&trial, random_p);
                trial_run(bench->trials, &trial);
            }
        }
}

/* A product of its own. */
static void try_shape(const struct bench *bench, enum values values, const struct trial *given, const int64_t shape[3],
                      uint64_t *random_p)
{
    struct product product;
    struct trial trial = *given;
    product_init(&product, values, shape[0], shape[1], shape[2], *random_p);
    trial.product = &product;
    trial.m = shape[0];
    trial.n = shape[1];
    try_all(bench, &trial, values, random_p);
    product_release(&product);
}

/* Extents up to `most`; in every other shape, one that is long, since what is small may be computed in another way. */
static void pick_shape(uint64_t *random_p, int64_t most, int64_t shape_p[3])
{
    enum { LONG = 385, LONGER = 700, NARROW = 48 };
    bool is_long = trial_pick(random_p, 2);
    for (int d = 0; d < 3; d++) shape_p[d] = trial_pick(random_p, is_long && most > NARROW ? NARROW : most + 1);
    if (is_long) shape_p[trial_pick(random_p, 3)] = LONG + trial_pick(random_p, LONGER);
}

/* All edges of all register tiles; depths around the unrolling of loops, and two that are not small to any variant. */
static void small_shapes_are_right(void **state)
{
    enum { EXTENT = 33, FEW = 4 };
    static const int64_t depths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 385, 646};
    const struct bench *bench = *state;
    uint64_t random = 1;
    for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
        struct product product;
        product_init(&product, VALUES_ORDINARY, EXTENT, EXTENT, depths[d], d);
        for (int64_t m = 0; m <= EXTENT; m++)
            for (int64_t n = 0; n <= EXTENT; n++) {
                if (trial_pick(&random, bench->every * (depths[d] > 64 ? FEW : 1)) > 0) continue;
                struct trial trial = {.product = &product, .m = m, .n = n, .threads = 1};
                try_all(bench, &trial, VALUES_ORDINARY, &random);
            }
        product_release(&product);
    }
}

/* The same edges of C at the end of long rows or columns. */
static void long_shapes_are_right(void **state)
{
    enum { LONG = 385, EXTENT = 33 };
    static const int64_t depths[] = {1, 2, 3, 4, 5, 8, 11};
    const struct bench *bench = *state;
    uint64_t random = 2;
    for (size_t d = 0; d < sizeof depths / sizeof *depths; d++)
        for (int64_t extent = 1; extent <= EXTENT; extent++)
            for (int dimension = 0; dimension < 2; dimension++) {
                if (trial_pick(&random, bench->every) > 0) continue;
                int64_t shape[3] = {extent, extent, depths[d]};
                shape[dimension] = LONG + trial_pick(&random, EXTENT);
                try_shape(bench, VALUES_ORDINARY, &(struct trial){.threads = 0}, shape, &random);
            }
}

/* Around the extents at which blocks for caches may end: each in each dimension, with any others. */
static void shapes_around_blocks_are_right(void **state)
{
    static const int64_t extents[] = {95,  96,  97,  127, 128, 129, 239, 240, 241, 255, 256, 257, 383, 384, 385,
                                      500, 504, 507, 508, 509, 510, 511, 512, 513, 515, 516, 519, 520, 1000};
    enum { WORK_MAX = 600000 };
    const struct bench *bench = *state;
    uint64_t random = 3;
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
        for (int dimension = 0; dimension < 3; dimension++) {
            if (trial_pick(&random, bench->every) > 0) continue;
            int64_t second = 1 + trial_pick(&random, 70), rest = WORK_MAX / (extents[i] * second), shape[3];
            shape[dimension] = extents[i];
            shape[(dimension + 1) % 3] = second;
            shape[(dimension + 2) % 3] = 1 + trial_pick(&random, rest < 600 ? rest : 600);
            try_shape(bench, VALUES_ORDINARY, &(struct trial){.threads = 0}, shape, &random);
        }
}

/* Several blocks in two or three dimensions, and beyond the widest block in one. */
static void large_shapes_are_right(void **state)
{
    static const int64_t shapes[][3] = {{129, 257, 520}, {257, 97, 1041}, {300, 520, 130}, {2000, 9, 7},
                                        {3, 5, 5000},    {7, 6200, 3},    {9, 6200, 3},    {20, 3073, 70},
                                        {49, 1537, 521}, {501, 49, 385},  {1000, 1, 1000}, {1, 1000, 1000}};
    const struct bench *bench = *state;
    uint64_t random = 4;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (trial_pick(&random, bench->every) > 0) continue;
        try_shape(bench, VALUES_ORDINARY, &(struct trial){.threads = 0}, shapes[i], &random);
    }
}

/* Also more of them than rows or columns. */
static void threads_do_not_matter(void **state)
{
    enum { SHAPES = 240 };
    static const int64_t most[] = {8, 40, 160};
    const struct bench *bench = *state;
    uint64_t random = 5;
    for (int i = 0; i < SHAPES; i++) {
        int64_t shape[3];
        if (trial_pick(&random, bench->every) > 0) continue;
        pick_shape(&random, most[i % 3], shape);
        try_shape(bench, VALUES_ORDINARY, &(struct trial){.threads = 0}, shape, &random);
    }
}

static void cuts_do_not_matter(void **state)
{
    enum { SHAPES = 120 };
    const struct bench *bench = *state;
    uint64_t random = 6;
    for (int i = 0; i < SHAPES; i++) {
        int64_t shape[3];
        struct trial trial = {.threads = 0};
        if (trial_pick(&random, bench->every) > 0) continue;
        pick_shape(&random, 130, shape);
        for (int d = 0; d < 3; d++)
            trial.piece[d] = trial_pick(&random, 2) ? 0 : 1 + shape[d] / 6 + trial_pick(&random, shape[d] + 1);
        try_shape(bench, VALUES_ORDINARY, &trial, shape, &random);
    }
}

/* Zeros keep their signs, denormals are not flushed, sums overflow where they must; infinities and NaNs reach the
 * elements that they must, zeros in their way or not, and no others. */
static void special_values_spread_as_defined(void **state)
{
    enum { SHAPES = 400 };
    static const int64_t most[] = {3, 34, 140};
    const struct bench *bench = *state;
    uint64_t random = 7;
    for (int i = 0; i < SHAPES; i++) {
        int64_t shape[3];
        struct trial trial = {.threads = i % 4 ? 1 : 0};
        if (trial_pick(&random, bench->every) > 0) continue;
        pick_shape(&random, most[i % 3], shape);
        if (i % 5 == 0) shape[2] = 1 + shape[2] % 3; /* where single products still show */
        try_shape(bench, i % 2 ? VALUES_EXTREME : VALUES_INFECTED, &trial, shape, &random);
    }
}

static const int64_t workspace_extents[][3] = {{1, 1, 1},        {8, 24, 4},       {300, 200, 100},
                                               {2048, 64, 2048}, {64, 2048, 2048}, {1, 100000, 1},
                                               {100000, 1, 1},   {1, 1, 100000},   {0, 0, 0}};
enum { WORKSPACES = sizeof workspace_extents / sizeof *workspace_extents };

/* But for the rest of a large page at the end of each array. */
static void workspace_takes_the_memory_it_tells(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)isa_best(); isa++)
        for (int i = 0; i < WORKSPACES; i++)
            for (int t = 0; t < THREAD_COUNTS; t++) {
                const int64_t *e = workspace_extents[i];
                double before = allocations_seen()->bytes;
                struct matmul_workspace *workspace =
                    matmul_workspace_new((enum isa)isa, thread_counts[t], e[0], e[1], e[2]);
                double used = allocations_seen()->bytes - before;
                double told = matmul_workspace_bytes((enum isa)isa, thread_counts[t], e[0], e[1], e[2]);
                assert_non_null(workspace);
                matmul_workspace_free(workspace);
                double slack = told * 0.02 + (told < 4 * MEMORY_LARGE_PAGE ? 16384 : 3 * MEMORY_LARGE_PAGE);
                if (used > told + slack || used < told - slack)
                    fail_msg("workspace, %s, %d threads, %d x %d x %d: took %.0f bytes, tells %.0f",
                             isa_name((enum isa)isa), thread_counts[t], (int)e[0], (int)e[1], (int)e[2], used, told);
            }
}

/* Whichever allocation fails. (What of it is not freed the address sanitizer finds.) */
static void workspace_without_memory_is_refused(void **state)
{
    (void)state;
    struct allocations *allocations = allocations_seen();
    struct matmul_workspace *workspace = NULL;
    for (int64_t more = 0; !workspace; more++) {
        allocations->failing = allocations->count + more;
        workspace = matmul_workspace_new(isa_best(), 3, 200, 300, 400);
        bool failed = allocations->count > allocations->failing;
        allocations->failing = -1;
        assert_true(failed == !workspace && (failed || more > 0));
    }
    matmul_workspace_free(workspace);
    matmul_workspace_free(NULL);

    /* Of what no memory can hold, a part may do; but it is told which. */
    const int64_t huge = INT64_C(1) << 50;
    double told = matmul_workspace_bytes(isa_best(), 1, huge, huge, huge);
    workspace = matmul_workspace_new(isa_best(), 1, huge, huge, huge);
    assert_true(told > 0 && (told < 0x1p47 || !workspace));
    matmul_workspace_free(workspace);
}

int main(int argc, char **argv)
{
    struct bench bench = {.every = argc > 1 ? atoll(argv[1]) : 1};
    if (bench.every < 1) {
        fprintf(stderr, "Usage: test_matmul [EVERY]\n");
        return 2;
    }
    bench.trials = trial_bench_new();
    if (!trial_bench_has_blas(bench.trials)) print_message("no BLAS was found: the variant blas is not tested\n");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(small_shapes_are_right, &bench),
        cmocka_unit_test_prestate(long_shapes_are_right, &bench),
        cmocka_unit_test_prestate(shapes_around_blocks_are_right, &bench),
        cmocka_unit_test_prestate(large_shapes_are_right, &bench),
        cmocka_unit_test_prestate(threads_do_not_matter, &bench),
        cmocka_unit_test_prestate(cuts_do_not_matter, &bench),
        cmocka_unit_test_prestate(special_values_spread_as_defined, &bench),
        cmocka_unit_test(workspace_takes_the_memory_it_tells),
        cmocka_unit_test(workspace_without_memory_is_refused),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    trial_bench_free(bench.trials);
    return failures;
}
