/* What allocation offices ask for, decided from launches made in memory: limits exactly on the edge, doublings that
 * were not measured, intervals that hold the limit, weak scaling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/analyse/proposal.h"
#include "made_launches.h"

#include <errno.h>
#include <math.h>

enum { BLOCKS = 6 }; /* the fewest that have an interval: from the lowest to the highest */

struct fixture {
    struct results results;
    struct curves curves;
    struct proposal proposal;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture) return -1;
    results_init(&fixture->results);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    proposal_release(&fixture->proposal);
    curves_release(&fixture->curves);
    results_release(&fixture->results);
    free(fixture);
    return 0;
}

static struct made threads(int workers)
{
    return (struct made){.mode = MODE_THREADS, .workers = workers};
}

static void add(struct fixture *fixture, int workers, double wall_s)
{
    const struct made made = threads(workers);
    make_even(&fixture->results, &made, BLOCKS, wall_s);
}

static int build(struct fixture *fixture)
{
    assert_int_equal(curves_build(&fixture->results, 0, &fixture->curves), 0);
    return proposal_build(&fixture->curves, 0, fixture->curves.count, &fixture->proposal);
}

static const struct criterion *find(const char *name)
{
    for (const struct criterion *criterion = proposal_criteria; criterion->name; criterion++)
        if (strcmp(criterion->name, name) == 0) return criterion;
    fail_msg("there is no criterion %s", name);
    return NULL;
}

static enum proposal_outcome judge_first(const struct fixture *fixture, const char *name)
{
    double limit;
    assert_true(fixture->proposal.step_count > 0);
    return proposal_judge_step(find(name), &fixture->proposal.steps[0], &limit);
}

/* Both have the same time in one block, but for the last of the second. */
static void add_cut(struct fixture *fixture, double cut, double last_cut)
{
    const struct made one = threads(1), two = threads(2);
    make_even(&fixture->results, &one, BLOCKS, 3);
    for (int block = 0; block < BLOCKS; block++)
        make_launch(&fixture->results, &two, block, 3 / (block + 1 < BLOCKS ? cut : last_cut));
}

static void criteria_are_complete(void **state)
{
    (void)state;
    for (const struct criterion *criterion = proposal_criteria; criterion->name; criterion++) {
        assert_true(criterion->office && criterion->rule && criterion->source && criterion->read);
        assert_true((criterion->range_count == 0) == (criterion->how && criterion->how_of_timings));
        for (int r = 1; r < criterion->range_count; r++)
            assert_true(criterion->ranges[r].from > criterion->ranges[r - 1].from);
    }
}

static void a_cut_of_exactly_the_limit_passes(void **state)
{
    add_cut(*state, 1.5, 1.5);
    assert_int_equal(build(*state), 0);
    assert_int_equal(judge_first(*state, "sisu"), PROPOSAL_PASSES);
}

static void an_interval_that_begins_at_the_limit_passes(void **state)
{
    add_cut(*state, 1.75, 1.5);
    assert_int_equal(build(*state), 0);
    assert_int_equal(judge_first(*state, "sisu"), PROPOSAL_PASSES);
}

static void an_interval_that_ends_at_the_limit_cannot_be_told(void **state)
{
    add_cut(*state, 1.25, 1.5);
    assert_int_equal(build(*state), 0);
    assert_int_equal(judge_first(*state, "sisu"), PROPOSAL_OPEN);
}

static void an_interval_below_the_limit_fails(void **state)
{
    struct fixture *fixture = *state;
    add_cut(fixture, 1.25, 1.4375);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(judge_first(fixture, "sisu"), PROPOSAL_FAILS);
    assert_int_equal(proposal_judge(find("sisu"), &fixture->proposal), PROPOSAL_FAILS);
    assert_int_equal(proposal_recommend(find("sisu"), &fixture->proposal)->workers, 1);
}

static void without_an_interval_nothing_can_be_told(void **state)
{
    struct fixture *fixture = *state;
    const struct made one = threads(1), two = threads(2);
    make_even(&fixture->results, &one, BLOCKS - 1, 4);
    make_even(&fixture->results, &two, BLOCKS - 1, 2);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(judge_first(fixture, "sisu"), PROPOSAL_OPEN);
    assert_null(proposal_recommend(find("sisu"), &fixture->proposal));
}

static void ranges_follow_the_cores(void **state)
{
    static const int workers[] = {256, 512, 1024, 2048, 4096};
    static const double limits[] = {1.5, 1.4, 1.3, NAN};
    struct fixture *fixture = *state;
    double wall_s = 64, limit;
    for (int i = 0; i < 5; i++, wall_s /= 1.35) add(fixture, workers[i], wall_s);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(fixture->proposal.step_count, 4);
    for (int s = 0; s < 4; s++) {
        enum proposal_outcome outcome = proposal_judge_step(find("notur"), &fixture->proposal.steps[s], &limit);
        assert_int_equal(outcome, s == 2 ? PROPOSAL_PASSES : s == 3 ? PROPOSAL_NO_RULE : PROPOSAL_FAILS);
        assert_true(s == 3 ? isnan(limit) : limit == limits[s]);
    }
}

static void recommended_is_the_end_of_the_passing_chain(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 1, 16);
    add(fixture, 2, 8);
    add(fixture, 4, 5);
    add(fixture, 8, 4); /* fails: 1.25 */
    add(fixture, 16, 2);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(proposal_judge(find("sisu"), &fixture->proposal), PROPOSAL_FAILS);
    assert_int_equal(proposal_recommend(find("sisu"), &fixture->proposal)->workers, 4);
}

static void a_missing_doubling_ends_the_chain(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 1, 16);
    add(fixture, 2, 8);
    add(fixture, 8, 2);
    add(fixture, 16, 1);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(fixture->proposal.step_count, 3);
    assert_int_equal(fixture->proposal.steps[1].from, 2);
    assert_null(fixture->proposal.steps[1].after);
    assert_int_equal(proposal_judge(find("sisu"), &fixture->proposal), PROPOSAL_OPEN);
    assert_int_equal(proposal_recommend(find("sisu"), &fixture->proposal)->workers, 2);
}

static void weak_scaling_has_no_doublings(void **state)
{
    struct fixture *fixture = *state;
    struct made made = threads(1);
    fixture->results.study = json_pack("{s:s}", "scaling", "weak");
    make_even(&fixture->results, &made, BLOCKS, 1);
    made = threads(2);
    made.size = "1260";
    made.work = 2000;
    make_even(&fixture->results, &made, BLOCKS, 1);
    assert_int_equal(build(fixture), 0);
    assert_true(fixture->proposal.weak);
    assert_int_equal(fixture->proposal.count, 2);
    assert_int_equal(fixture->proposal.step_count, 0);
    assert_int_equal(proposal_judge(find("sisu"), &fixture->proposal), PROPOSAL_NO_RULE);
    assert_null(proposal_recommend(find("sisu"), &fixture->proposal));
}

static void more_workers_than_cores_are_no_cores(void **state)
{
    struct fixture *fixture = *state;
    struct made made = threads(4);
    made.cpus = 2;
    add(fixture, 1, 4);
    add(fixture, 2, 2);
    make_even(&fixture->results, &made, BLOCKS, 1);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(fixture->proposal.count, 2);
    assert_int_equal(proposal_recommend(find("sisu"), &fixture->proposal)->workers, 2);
}

static void the_mode_with_the_highest_rate_is_proposed(void **state)
{
    struct fixture *fixture = *state;
    struct made turns = {.mode = MODE_MULTITASK, .workers = 1}, mpi = {.mode = MODE_MPI, .workers = 2};
    make_even(&fixture->results, &turns, BLOCKS, 0.5); /* however fast: of one core nothing can be proposed */
    add(fixture, 2, 3);
    make_even(&fixture->results, &mpi, BLOCKS, 2);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(fixture->proposal.curve->config->mode.name, MODE_MPI);
}

static void timings_have_their_one_worker_beside_them(void **state)
{
    struct fixture *fixture = *state;
    struct made one = {.mode = MODE_SERIAL, .variant = "", .workers = 1}, two = threads(2);
    two.variant = "";
    make_even(&fixture->results, &one, BLOCKS, 4);
    make_even(&fixture->results, &two, BLOCKS, 2);
    assert_int_equal(build(fixture), 0);
    assert_int_equal(fixture->proposal.count, 2);
    assert_int_equal(fixture->proposal.points[0]->workers, 1);
    assert_int_equal(judge_first(fixture, "sisu"), PROPOSAL_OPEN); /* 98 % of each of both ends takes 7 */
}

static void invalid_launches_propose_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct made made = threads(2);
    made.reason = "disturbed";
    make_even(&fixture->results, &made, BLOCKS, 2);
    assert_int_equal(build(fixture), -ENOENT);
}

static void core_hours_are_cores_times_time(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 8, 900);
    assert_int_equal(build(fixture), 0);
    assert_true(fabs(proposal_core_hours(fixture->proposal.points[0]) - 2) < 1e-12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(criteria_are_complete),
        TEST(a_cut_of_exactly_the_limit_passes),
        TEST(an_interval_that_begins_at_the_limit_passes),
        TEST(an_interval_that_ends_at_the_limit_cannot_be_told),
        TEST(an_interval_below_the_limit_fails),
        TEST(without_an_interval_nothing_can_be_told),
        TEST(ranges_follow_the_cores),
        TEST(recommended_is_the_end_of_the_passing_chain),
        TEST(a_missing_doubling_ends_the_chain),
        TEST(weak_scaling_has_no_doublings),
        TEST(more_workers_than_cores_are_no_cores),
        TEST(the_mode_with_the_highest_rate_is_proposed),
        TEST(timings_have_their_one_worker_beside_them),
        TEST(invalid_launches_propose_nothing),
        TEST(core_hours_are_cores_times_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
