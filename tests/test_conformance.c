/* Every kernel and variant of the registry, with 1, 2 and 3 threads a rank, on sizes that do not divide, with more
 * workers than work, and of size 1: run alone, and by mpirun on several ranks (tests/CMakeLists.txt).
 *
 *     test_conformance [RANKS [RANKS-A-NODE]]
 *
 * - The answer is right, and has the same bits as that of one rank with one thread (where the variant says so), which
 *   every rank computes by itself.
 * - A run that did nothing, and every damage to one rank's part of the result, is rejected on all ranks.
 *
 * With RANKS-A-NODE the team is told that so many of its ranks share a node, and their memory, and the others do not.
 *
 * A failed assertion on one rank would leave the others in a collective call, so that failures are counted, then added
 * over the ranks, and asserted by all. Only rank 0 reports to cmocka's output; each rank tells its own failures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/kernel.h"
#include "../src/worker/team.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 3, SIZES_MAX = 8, OPTIONS_MAX = 12, KINDS_MAX = 100, KINDS_LEAST = 3 };

/* What to run of a kernel: sizes, and option values that keep it short, or make it take another way; any number of rows
 * for a kernel. One that has no row here fails the test. */
static const struct plan {
    const char *kernel;
    const char *sizes[SIZES_MAX];
    const char *options[OPTIONS_MAX]; /* name, value, ... */
} plans[] = {
    {.kernel = "matmul", .sizes = {"1", "2x1x1", "1x7x3", "3x2x600", "6x1100x3", "37", "131x9x515", "97x300x64"}},
    {.kernel = "matmul",
     .sizes = {"1", "1x7x3", "3x2x600", "1100x6x3", "37", "131x9x515", "97x300x64", "41x43x2701"},
     .options = {"panels", "broadcast"}},
    {.kernel = "pi", .sizes = {"1", "2", "1025", "7001"}},
    {.kernel = "option", .sizes = {"1", "3", "1023", "7001"}},
    {.kernel = "option", .sizes = {"1", "1025"}, .options = {"payoff", "asian", "steps", "1"}},
    {.kernel = "option", .sizes = {"7", "3003"}, .options = {"payoff", "asian", "steps", "5", "strike", "95"}},
    {.kernel = "ep", .sizes = {"1", "7", "1023", "1025", "70001"}},
    {.kernel = "stencil", .sizes = {"1", "2x1", "1x9", "33x3", "8x70", "61x37"}, .options = {"steps", "7"}},
    {.kernel = "stencil", .sizes = {"1", "3", "2x31", "70x5", "41x67"}, .options = {"steps", "6", "points", "9"}},
    {.kernel = "stencil", .sizes = {"40x31"}, .options = {"steps", "5", "points", "9", "overlap", "off"}},
    {.kernel = "triad", .sizes = {"1", "9", "100", "4099"}, .options = {"passes", "5"}},
    {.kernel = "triad", .sizes = {"2", "2051"}, .options = {"operation", "copy", "passes", "4", "cache", "1"}},
    {.kernel = "triad", .sizes = {"8", "1030"}, .options = {"operation", "scale", "passes", "7", "cache", "1"}},
    {.kernel = "triad", .sizes = {"17", "1031"}, .options = {"operation", "add", "passes", "2", "cache", "1"}},
    {.kernel = "triad", .sizes = {"33", "2047"}, .options = {"passes", "1", "cache", "1"}},
    {.kernel = "mandelbrot",
     .sizes = {"1", "3x1", "1x7", "67x33"},
     .options = {"iterations", "70", "schedule", "dynamic", "chunk", "3"}},
    {.kernel = "mandelbrot",
     .sizes = {"33x2", "41x20"},
     .options = {"iterations", "600", "schedule", "guided", "y", "0"}},
    {.kernel = "mandelbrot",
     .sizes = {"1x5", "37x22"},
     .options = {"iterations", "33", "deal", "cyclic", "chunk", "2"}},
    {.kernel = "mandelbrot", .sizes = {"2", "35x40"}, .options = {"iterations", "1", "deal", "queue"}},
    {.kernel = "mandelbrot",
     .sizes = {"1x3", "131x50"},
     .options = {"iterations", "200", "deal", "queue", "chunk", "4", "x", "-0.75"}},
    {.kernel = "synthetic", .sizes = {"1", "2", "7", "40"}, .options = {"operations", "1001", "wait", "200us"}},
    {.kernel = "synthetic",
     .sizes = {"1", "11"},
     .options = {"operations", "9001", "serial", "0.2", "imbalance", "0.5", "contend", "lock"}},
    {.kernel = "synthetic",
     .sizes = {"5"},
     .options = {"operations", "1001", "message", "5", "wait", "1us", "wait-kind", "pipe", "contend", "atomic"}},
    {.kernel = "synthetic",
     .sizes = {"5"},
     .options = {"operations", "1001", "message", "4KiB", "grain", "1us", "contend", "false-sharing", "wait-kind",
                 "disk", "serial", "1e-3"}},
    {.kernel = "exchange", .sizes = {"1", "7", "9", "5000"}, .options = {"messages", "3"}},
    {.kernel = "relay", .sizes = {"1", "2", "7", "100"}, .options = {"set", "5000"}},
    {.kernel = "relay", .sizes = {"23"}},
    {.kernel = "exchange", .sizes = {"33"}, .options = {"messages", "70", "first", "5"}},
};

struct setup {
    struct team *team, *solo;
    int ranks; /* asked for */
};

/* One problem, while it is examined. */
struct trial {
    struct setup *setup;
    struct problem problem;
    void *work;
    struct verdict reference;
    int threads;
    int failures;
};

static void expect(struct trial *trial, bool holds, const char *what)
{
    char size[64];
    if (holds) return;
    trial->failures++;
    fprintf(stderr, "%s %s, size %s, rank %d of %d, %d threads: %s\n", trial->problem.kernel->name,
            trial->problem.variant->name, size_format(&trial->problem.size, sizeof size, size),
            team_rank(trial->setup->team), trial->setup->ranks, trial->threads, what);
}

/* Ranks agree on success before they meet in a collective call of the kernel's. */
static bool all_succeed(struct trial *trial, int status, const char *what)
{
    uint64_t failed = status < 0;
    expect(trial, status == 0, what);
    return team_sum_u64(trial->setup->team, 1, &failed) == 0 && failed == 0;
}

static int run_once(struct team *team, const struct problem *problem, void *work, struct verdict *verdict_p)
{
    int status = problem->kernel->reset(team, work);
    if (status == 0) status = problem->kernel->run(team, work);
    if (status == 0) status = problem->kernel->check(team, work, verdict_p);
    return status;
}

static void compute_reference(struct trial *trial)
{
    const struct kernel *kernel = trial->problem.kernel;
    void *work;
    trial->threads = 1;
    omp_set_num_threads(1);
    int status = kernel->prepare(trial->setup->solo, &trial->problem, &work);
    if (status == 0) status = run_once(trial->setup->solo, &trial->problem, work, &trial->reference);
    expect(trial, status == 0 && trial->reference.correct, "the reference is wrong");
    kernel->teardown(work);
}

static void expect_the_same_answer(struct trial *trial)
{
    struct verdict verdict = {.correct = false};
    int status = run_once(trial->setup->team, &trial->problem, trial->work, &verdict);
    expect(trial, status == 0, "it failed");
    expect(trial, verdict.correct, verdict.detail);
    expect(trial, *verdict.detail && memchr(verdict.detail, '\0', sizeof verdict.detail), "the check tells nothing");
    if (!trial->problem.variant->exact) return;
    expect(trial, verdict.checksum == trial->reference.checksum, "the checksum differs from that of one worker");
    expect(trial, memcmp(&verdict.result, &trial->reference.result, sizeof verdict.result) == 0,
           "the result differs from that of one worker");
}

static void expect_idleness_rejected(struct trial *trial)
{
    struct team *team = trial->setup->team;
    struct verdict verdict = {.correct = true};
    trial->problem.kernel->reset(team, trial->work);
    trial->problem.kernel->check(team, trial->work, &verdict);
    expect(trial, !verdict.correct, "a run that did nothing was accepted");
}

/* Returns whether the rank that was asked had such a kind of damage. */
static bool expect_damage_rejected(struct trial *trial, int damaged_rank, int kind)
{
    struct team *team = trial->setup->team;
    struct verdict verdict = {.correct = true};
    char what[64];
    uint64_t done = 0;
    run_once(team, &trial->problem, trial->work, &verdict);
    if (team_rank(team) == damaged_rank) done = trial->problem.kernel->corrupt(trial->work, kind);
    team_sum_u64(team, 1, &done);
    trial->problem.kernel->check(team, trial->work, &verdict);
    snprintf(what, sizeof what, "damage %d on rank %d was %s", kind, damaged_rank, done ? "accepted" : "not done");
    expect(trial, verdict.correct == !done, what);
    return done;
}

static void examine_damages(struct trial *trial)
{
    int most = 0;
    for (int rank = 0; rank < team_size(trial->setup->team); rank++) {
        int kind = 0;
        while (kind < KINDS_MAX && expect_damage_rejected(trial, rank, kind)) kind++;
        if (kind > most) most = kind;
    }
    expect(trial, most >= KINDS_LEAST && most < KINDS_MAX, "hardly a kind of damage was tried");
}

static void examine(struct trial *trial, int threads)
{
    struct team *team = trial->setup->team;
    trial->threads = threads;
    omp_set_num_threads(threads);
    int status = team_set_threads(team, threads);
    if (status == 0) status = trial->problem.kernel->prepare(team, &trial->problem, &trial->work);
    if (all_succeed(trial, status, "it could not be prepared")) {
        for (int repeat = 0; repeat < 2; repeat++) expect_the_same_answer(trial);
        expect_idleness_rejected(trial);
        if (threads == 2) examine_damages(trial);
    }
    trial->problem.kernel->teardown(trial->work);
    trial->work = NULL;
}

static void set_options(struct problem *problem, const struct plan *plan)
{
    for (int i = 0; i < OPTIONS_MAX && plan->options[i]; i += 2)
        for (int o = 0; problem->kernel->options[o].name; o++)
            if (strcmp(problem->kernel->options[o].name, plan->options[i]) == 0 &&
                kernel_option_parse(&problem->kernel->options[o], plan->options[i + 1], &problem->options[o]) < 0)
                fail_msg("%s %s", plan->options[i], plan->options[i + 1]);
}

static int failures_of_all(struct team *team, int failures)
{
    uint64_t sum = (uint64_t)failures;
    if (team_sum_u64(team, 1, &sum) < 0) return 99;
    return sum > 99 ? 99 : (int)sum;
}

static void the_team_is_as_large_as_was_asked(void **state)
{
    struct setup *setup = *state;
    assert_int_equal(team_size(setup->team), setup->ranks);
}

static void examine_plan(struct setup *setup, const struct plan *plan)
{
    const struct kernel *kernel = kernel_find(plan->kernel);
    for (const struct variant *variant = kernel->variants; variant->name; variant++) {
        int failures = 0;
        if (variant_unavailable(variant)) {
            print_message("%s %s: %s\n", plan->kernel, variant->name, variant_unavailable(variant));
            continue;
        }
        for (int i = 0; i < SIZES_MAX && plan->sizes[i]; i++) {
            struct trial trial = {.setup = setup};
            problem_init(kernel, &trial.problem);
            trial.problem.variant = variant;
            assert_int_equal(kernel->parse_size(plan->sizes[i], &trial.problem.size), 0);
            set_options(&trial.problem, plan);
            compute_reference(&trial);
            for (int threads = 1; threads <= THREADS_MAX; threads++) examine(&trial, threads);
            failures += trial.failures;
        }
        assert_int_equal(failures_of_all(setup->team, failures), 0);
    }
}

static void answers_are_right_and_the_same_in_every_mode(void **state)
{
    for (int k = 0; kernel_registry[k]; k++) {
        int rows = 0;
        for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
            if (strcmp(plans[i].kernel, kernel_registry[k]->name) != 0) continue;
            examine_plan(*state, &plans[i]);
            rows++;
        }
        if (rows == 0) fail_msg("%s has no row in plans", kernel_registry[k]->name);
    }
}

int main(int argc, char *argv[])
{
    struct setup setup = {.ranks = argc > 1 ? atoi(argv[1]) : 1};
    int ranks_a_node = argc > 2 ? atoi(argv[2]) : 0;
    char library[64];
    if (team_new_ranks(WAIT_YIELD, &setup.team, sizeof library, library) < 0) return 97;
    if (team_new_solo(&setup.solo) < 0) return 97;
    if (ranks_a_node > 0) setup.team->node = team_rank(setup.team) / ranks_a_node * ranks_a_node;
    if (team_rank(setup.team) > 0 && !freopen("/dev/null", "w", stdout)) return 96;
    const struct CMUnitTest tests[] = {
        {.name = "the_team_is_as_large_as_was_asked",
         .test_func = the_team_is_as_large_as_was_asked,
         .initial_state = &setup},
        {.name = "answers_are_right_and_the_same_in_every_mode",
         .test_func = answers_are_right_and_the_same_in_every_mode,
         .initial_state = &setup},
    };
    int failures = failures_of_all(setup.team, cmocka_run_group_tests(tests, NULL, NULL));
    team_free(setup.solo);
    team_free(setup.team);
    return failures;
}
