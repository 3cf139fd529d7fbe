/* Kernels run from a test, on one rank. What goes wrong fails the test. */
#ifndef TESTS_KERNEL_RUNS_H
#define TESTS_KERNEL_RUNS_H

#include "../kernels/kernel.h"
#include "../src/worker/team.h"

#include <omp.h>
#include <string.h>

/* The kernel's defaults where `variant` or `size` is NULL. */
static inline struct problem problem_of(const char *kernel, const char *variant, const char *size)
{
    struct problem problem;
    problem_init(kernel_find(kernel), &problem);
    if (variant) problem.variant = kernel_find_variant(problem.kernel, variant);
    assert_non_null(problem.variant);
    if (size) assert_int_equal(problem.kernel->parse_size(size, &problem.size), 0);
    return problem;
}

static inline void set_option(struct problem *problem, const char *name, const char *value)
{
    int o = 0;
    while (problem->kernel->options[o].name && strcmp(problem->kernel->options[o].name, name)) o++;
    assert_non_null(problem->kernel->options[o].name);
    assert_int_equal(kernel_option_parse(&problem->kernel->options[o], value, &problem->options[o]), 0);
}

/* Of one rank; the caller frees it. */
static inline struct team *new_team(int threads)
{
    struct team *team;
    assert_int_equal(team_new_solo(&team), 0);
    assert_int_equal(team_set_threads(team, threads), 0);
    omp_set_num_threads(threads);
    return team;
}

/* The state after a run, for the kernel's teardown; the verdict must be right. */
static inline void *run_problem(struct team *team, const struct problem *problem, struct verdict *verdict_p)
{
    void *work;
    assert_int_equal(problem->kernel->prepare(team, problem, &work), 0);
    assert_int_equal(problem->kernel->reset(team, work), 0);
    assert_int_equal(problem->kernel->run(team, work), 0);
    assert_int_equal(problem->kernel->check(team, work, verdict_p), 0);
    if (!verdict_p->correct) fail_msg("%s %s: %s", problem->kernel->name, problem->variant->name, verdict_p->detail);
    return work;
}

#endif
