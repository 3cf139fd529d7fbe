/* Studies with a fake launcher, whose times follow a law and a seed: driven block by block as the command drives real
 * ones. Intervals must hold what they promise, laws must be found again, and a study that was cut short must go on
 * exactly where it was. */
#include "../src/analyse/convergence.h"
#include "../src/analyse/models.h"
#include "../src/plan/study.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "noise.h"

#include <stdlib.h>
#include <string.h>

enum { LAUNCHES_MAX = 4096, CONFIGS_MAX = 16 };

static int studies = 1000;

/* What chance may take from `share` of `count`; nothing where there are enough. */
static double chance_of(int count, double share)
{
    return studies < 1000 ? 3 * sqrt(count * share * (1 - share)) : 0;
}

/* What is true, and how launches scatter about it. */
struct truth {
    double t1_s, a, b; /* b 0: Amdahl's law, with serial share a */
    double noise;
    double outliers;  /* that share of all launches takes longer, by 20 % on average */
    double disturbed; /* that share of all launches has no valid sample */
};

static double true_time_s(const struct truth *truth, double p)
{
    return truth->t1_s * (1 + truth->a * (p - 1) + truth->b * p * (p - 1)) / p;
}

/* A study under way: all that the command would find in the record. */
struct study {
    const struct study_plan *plan;
    const struct truth *truth;
    double precision;
    uint64_t seed;
    int count;
    struct study_launch launches[LAUNCHES_MAX];
    struct results results;
    int groups[CONFIGS_MAX]; /* of each configuration, in the results; -1 as long as it has no sample */
};

static void study_begin(const struct study_plan *plan, const struct truth *truth, uint64_t seed, struct study *study_p)
{
    assert_true(plan->count <= CONFIGS_MAX);
    *study_p = (struct study){.plan = plan, .truth = truth, .precision = 0.02, .seed = seed};
    for (int c = 0; c < plan->count; c++) study_p->groups[c] = -1;
    results_init(&study_p->results);
}

static const struct group *group_of(const struct study *study, int config)
{
    return study->groups[config] < 0 ? NULL : &study->results.groups[study->groups[config]];
}

/* The fake launcher: what launch number `index` of the study gives. */
static void launch(const struct study *study, int config, int block, int index, struct sample *sample_p)
{
    const struct truth *truth = study->truth;
    uint64_t key = hash_pair(study->seed, (uint64_t)index);
    double time_s = true_time_s(truth, mode_workers(&study->plan->configs[config].mode));
    time_s *= noise_factor(truth->noise, key, 0);
    if (noise_even(key, 10) < truth->outliers) time_s *= 1 - 0.2 * log(noise_even(key, 11));
    sample_init(sample_p);
    config_from_problem(&study->plan->configs[config].problem, &sample_p->config);
    sample_p->config.mode = study->plan->configs[config].mode;
    sample_p->launch = index;
    sample_p->block = block;
    sample_p->wall_s = time_s;
    sample_p->work = 1;
    sample_p->rate = 1 / time_s;
    sample_p->validity = noise_even(key, 12) < truth->disturbed ? SAMPLE_INVALID : SAMPLE_VALID;
}

static void record(struct study *study, int config, const struct sample *sample)
{
    assert_true(study->count < LAUNCHES_MAX);
    study->launches[study->count++] = (struct study_launch){config, sample->block, sample->validity != SAMPLE_INVALID};
    assert_int_equal(results_add(&study->results, sample), 0);
    if (study->groups[config] >= 0) return;
    char key[17];
    record_config_key(&sample->config, key);
    for (int g = 0; g < study->results.group_count; g++)
        if (strcmp(study->results.groups[g].key, key) == 0) study->groups[config] = g;
}

/* Of the samples before a block. */
static struct group cut_at(const struct group *group, int block)
{
    struct group cut = {0};
    if (group) cut = *group;
    while (cut.count > 0 && cut.samples[cut.count - 1].block >= block) cut.count--;
    return cut;
}

static struct spread speedup_before(const struct study *study, int config, int block, double confidence)
{
    const struct group base = cut_at(group_of(study, 0), block), group = cut_at(group_of(study, config), block);
    struct spread spread;
    group_pair_numbers(&base, &group, sample_rate, confidence, &spread);
    return spread;
}

static bool converged_before(const struct study *study, int config, int block)
{
    struct spread spread = speedup_before(study, config, block, CONFIDENCE_STOPPING);
    return spread.count >= study->plan->runs_min && spread_converged(&spread, study->precision);
}

/* Leaves the blocks: converged, or launched as often as allowed. */
static bool done_before(const struct study *study, int config, int block)
{
    const struct group group = cut_at(group_of(study, config), block);
    int valid = 0;
    for (int s = 0; s < group.count; s++) valid += group.samples[s].validity == SAMPLE_VALID;
    if (valid >= study->plan->runs_max || block >= 2 * study->plan->runs_max) return true;
    return study->plan->runs_min < study->plan->runs_max && converged_before(study, config, block);
}

/* Which configuration is launched next, in which block, from what was launched so far alone; -1: the study is over. */
static int next_launch(const struct study *study, int *block_p)
{
    for (int block = study->count > 0 ? study->launches[study->count - 1].block : 0;; block++) {
        bool done[CONFIGS_MAX], all = true;
        for (int c = 0; c < study->plan->count; c++) {
            done[c] = done_before(study, c, block);
            all = all && (done[c] || study->plan->configs[c].base);
        }
        *block_p = block;
        if (all) return -1;
        int next = study_next(study->plan, block, done, study->count, study->launches);
        if (next >= 0) return next;
    }
}

static void run_study(struct study *study)
{
    int next, block;
    while ((next = next_launch(study, &block)) >= 0) {
        struct sample sample;
        launch(study, next, block, study->count, &sample);
        record(study, next, &sample);
    }
}

/* Serial and threads, of pi. */
static void make_plan(const char *workers, int runs_min, int runs_max, struct study_plan *plan_p)
{
    static struct machine machine;
    machine.cpu_count = machine.core_count = 64;
    machine.package_count = machine.kind_count = 1;
    for (int i = 0; i < 64; i++) machine.cpus[i] = (struct cpu){.os_index = i, .core = i};
    struct study_request request = {
        .mode_count = 1, .modes = {MODE_THREADS}, .base = 1, .placement = {.wait_policy = -1}};
    struct error error;
    problem_init(kernel_find("pi"), &request.problem);
    assert_int_equal(study_parse_workers(workers, STUDY_CONFIGS_MAX, request.workers, &request.worker_count), 0);
    *plan_p = (struct study_plan){.seed = 1, .runs_min = runs_min, .runs_max = runs_max, .tries_max = 3};
    assert_int_equal(study_plan_new(&machine, &request, plan_p, &error), STATUS_OK);
}

static bool covers(const struct study *study, int config, const struct spread *spread)
{
    double speedup =
        true_time_s(study->truth, 1) / true_time_s(study->truth, mode_workers(&study->plan->configs[config].mode));
    return spread->low <= speedup && speedup <= spread->high;
}

/* With a fixed number of blocks, intervals cover as the binomial distribution says: not less, not more. */
static void fixed_studies_cover_exactly(void **state)
{
    (void)state;
    const struct truth truth = {2, 0.05, 0, 0.02, 0.1, 0};
    const double promised = 1 - 2 * 11 / 1024.0; /* ranks 2 and 9 of 10 */
    struct study_plan plan;
    static struct study study;
    make_plan("2,8", 10, 10, &plan);
    int covered[CONFIGS_MAX] = {0};
    for (int i = 0; i < studies; i++) {
        study_begin(&plan, &truth, hash_mix((uint64_t)i + 1), &study);
        run_study(&study);
        assert_int_equal(study.count, 10 * plan.count);
        for (int c = 2; c < plan.count; c++) {
            struct spread spread = speedup_before(&study, c, 10, CONFIDENCE_FIXED);
            assert_int_equal(spread.count, 10);
            covered[c] += covers(&study, c, &spread);
        }
        results_release(&study.results);
    }
    for (int c = 2; c < plan.count; c++) {
        print_message("10 blocks, %d workers: %.1f %% cover, %.1f %% promised\n", mode_workers(&plan.configs[c].mode),
                      100.0 * covered[c] / studies, 100 * promised);
        assert_true(fabs(covered[c] - promised * studies) <= 3 * sqrt(promised * (1 - promised) * studies));
    }
    study_plan_release(&plan);
}

struct coverage {
    int all, covered, converged, converged_covered, launches;
};

static void run_until_converged(const struct study_plan *plan, const struct truth *truth, int count,
                                struct coverage *coverage_p)
{
    static struct study study;
    *coverage_p = (struct coverage){0};
    for (int i = 0; i < count; i++) {
        study_begin(plan, truth, hash_mix((uint64_t)i + 1), &study);
        run_study(&study);
        for (int c = 2; c < plan->count; c++) {
            struct spread spread = speedup_before(&study, c, plan->runs_max, CONFIDENCE_STOPPING);
            bool covered = covers(&study, c, &spread), converged = spread_converged(&spread, study.precision);
            assert_true(converged ? spread.count >= CONVERGENCE_LAUNCHES_MIN : spread.count == plan->runs_max);
            coverage_p->all++;
            coverage_p->covered += covered;
            coverage_p->converged += converged;
            coverage_p->converged_covered += converged && covered;
            if (converged) coverage_p->launches += spread.count;
        }
        results_release(&study.results);
    }
}

/* Where convergence is no matter of luck, its intervals cover; where it is, it is rare. */
static void studies_that_stop_when_they_converge_still_cover(void **state)
{
    (void)state;
    static const struct {
        struct truth truth;
        bool lucky;
    } cases[] = {
        {{2, 0.05, 0, 0.005, 0, 0}, false}, {{2, 0.05, 0, 0.01, 0, 0}, false},   {{2, 0.05, 0, 0.02, 0, 0}, false},
        {{2, 0.05, 0, 0.05, 0, 0}, true},   {{2, 0.05, 0, 0.01, 0.1, 0}, false},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct study_plan plan;
    struct coverage sum = {0};
    make_plan("2,8", 6, 30, &plan);
    for (size_t i = 0; i < CASES; i++) {
        struct coverage coverage;
        run_until_converged(&plan, &cases[i].truth, studies / CASES, &coverage);
        double all = (double)coverage.covered / coverage.all;
        print_message("%.1f %% noise, %.0f %% outliers: %.1f %% cover; %d of %d converge", 100 * cases[i].truth.noise,
                      100 * cases[i].truth.outliers, 100 * all, coverage.converged, coverage.all);
        if (coverage.converged > 0)
            print_message(", after %.1f, and %.1f %% of these cover", (double)coverage.launches / coverage.converged,
                          100.0 * coverage.converged_covered / coverage.converged);
        print_message("\n");
        assert_true(coverage.covered >= 0.93 * coverage.all - chance_of(coverage.all, 0.93));
        if (cases[i].lucky)
            assert_true(coverage.converged <= 0.05 * coverage.all + chance_of(coverage.all, 0.05));
        else
            assert_true(coverage.converged_covered >= 0.93 * coverage.converged - chance_of(coverage.converged, 0.93));
        sum.all += coverage.all;
        sum.covered += coverage.covered;
        sum.converged += coverage.converged;
        sum.converged_covered += coverage.converged_covered;
    }
    print_message("together: %.1f %% cover, %.1f %% of the converged\n", 100.0 * sum.covered / sum.all,
                  100.0 * sum.converged_covered / sum.converged);
    assert_true(sum.covered >= 0.93 * sum.all && sum.converged_covered >= 0.93 * sum.converged);
    study_plan_release(&plan);
}

/* Fits the law to what the study measured in threads; whether each parameter is in its interval. */
static void count_recovered(const struct study *study, enum model model, int recovered_p[])
{
    static double times_s[CONFIGS_MAX][64];
    struct model_point points[CONFIGS_MAX];
    const double x[MODEL_PARAMETERS_MAX] = {study->truth->t1_s, study->truth->a, study->truth->b};
    struct model_fit fit;
    int count = 0;
    for (int c = 1; c < study->plan->count; c++, count++)
        points[count] = (struct model_point){mode_workers(&study->plan->configs[c].mode),
                                             group_valid_walls(group_of(study, c), 64, times_s[count]), times_s[count]};
    model_fit(model, count, points, study->seed, &fit);
    assert_int_equal(fit.state, MODEL_FITTED);
    for (int k = 0; k < fit.parameter_count; k++)
        recovered_p[k] += fit.parameters[k].low <= x[k] && x[k] <= fit.parameters[k].high;
}

static void studies_recover_the_law(void **state)
{
    (void)state;
    static const struct {
        struct truth truth;
        enum model model;
    } cases[] = {{{2, 0.05, 0, 0.02, 0, 0.05}, MODEL_AMDAHL}, {{2, 0.03, 0.0005, 0.02, 0, 0.05}, MODEL_USL}};
    struct model_fit fit;
    model_fit(MODEL_AMDAHL, 4,
              (const struct model_point[]){
                  {1, 1, &(double){8}}, {2, 1, &(double){4}}, {4, 1, &(double){2}}, {8, 1, &(double){1}}},
              1, &fit);
    if (fit.state == MODEL_UNAVAILABLE) skip();
    for (size_t i = 0; i < 2; i++) {
        struct study_plan plan;
        static struct study study;
        int recovered[MODEL_PARAMETERS_MAX] = {0}, count = studies / 5;
        make_plan("1..64*2", 10, 10, &plan);
        for (int k = 0; k < count; k++) {
            study_begin(&plan, &cases[i].truth, hash_mix((uint64_t)k + 1), &study);
            run_study(&study);
            count_recovered(&study, cases[i].model, recovered);
            results_release(&study.results);
        }
        for (int k = 1; k < (cases[i].model == MODEL_USL ? 3 : 2); k++) {
            print_message("%s: %s in its interval in %d of %d studies\n", model_name(cases[i].model),
                          model_parameter_name(cases[i].model, k), recovered[k], count);
            assert_true(recovered[k] >= 0.9 * count - chance_of(count, 0.9));
        }
        study_plan_release(&plan);
    }
}

/* In each block, each configuration that is in it is launched until it was usable once, and not again. */
static void check_launches(const struct study *study)
{
    const int blocks = study->launches[study->count - 1].block + 1;
    int made = 0;
    for (int block = 0; block < blocks; block++)
        for (int c = 0; c < study->plan->count; c++) {
            int launches = 0, usable = 0;
            bool last_usable = false;
            for (int i = 0; i < study->count; i++) {
                if (study->launches[i].config != c || study->launches[i].block != block) continue;
                launches++;
                last_usable = study->launches[i].usable;
                usable += last_usable;
            }
            made += launches;
            bool in = study->plan->configs[c].base || !done_before(study, c, block);
            assert_int_equal(launches > 0, in);
            if (in) assert_true(usable == 1 ? last_usable : launches == study->plan->tries_max);
        }
    assert_int_equal(made, study->count);
    for (int i = 1; i < study->count; i++) assert_true(study->launches[i].block >= study->launches[i - 1].block);
}

/* The same study, from its first `cut` launches on. */
static void check_resumption(const struct study *study, int cut)
{
    static struct study again;
    int block, next;
    study_begin(study->plan, study->truth, study->seed, &again);
    for (int i = 0; i < cut; i++) {
        struct sample sample;
        launch(study, study->launches[i].config, study->launches[i].block, i, &sample);
        record(&again, study->launches[i].config, &sample);
    }
    next = next_launch(&again, &block);
    if (cut < study->count) {
        assert_int_equal(next, study->launches[cut].config);
        assert_int_equal(block, study->launches[cut].block);
    } else {
        assert_int_equal(next, -1);
    }
    run_study(&again);
    assert_int_equal(again.count, study->count);
    assert_memory_equal(again.launches, study->launches, (size_t)study->count * sizeof *study->launches);
    results_release(&again.results);
}

static void every_launch_is_made_once_whatever_cuts_the_study_short(void **state)
{
    (void)state;
    struct study_plan plan;
    static struct study study;
    make_plan("2,4,8", 6, 12, &plan);
    for (int i = 0; i < studies / 50; i++) {
        const struct truth truth = {2, 0.05, 0, i % 2 ? 0.01 : 0.02, 0, 0.25};
        study_begin(&plan, &truth, hash_mix((uint64_t)i + 1), &study);
        run_study(&study);
        check_launches(&study);
        for (int cut = i % 7; cut <= study.count; cut += 7) check_resumption(&study, cut);
        check_resumption(&study, study.count);
        results_release(&study.results);
    }
    study_plan_release(&plan);
}

/* The argument: how many studies (fewer where it is slow). */
int main(int argument_count, char *arguments[])
{
    if (argument_count > 1) studies = atoi(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_studies_cover_exactly),
        cmocka_unit_test(studies_that_stop_when_they_converge_still_cover),
        cmocka_unit_test(studies_recover_the_law),
        cmocka_unit_test(every_launch_is_made_once_whatever_cuts_the_study_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
