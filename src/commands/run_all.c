/* speedup run KERNEL --variant all: the variants side by side, each with the same size, seed, options and mode.
 *
 * A short run of each, not recorded, tells about how fast it is. From that follows a size at which the fastest takes
 * just long enough to be judged, where none was given: the slowest may take a hundred times as long. Then come blocks,
 * in each of which every variant is launched once. A variant that fails is not launched again; the others go on.
 */
#include "../analyse/ladder.h"
#include "../observe/thread.h"
#include "../plan/blocks.h"
#include "../present/present.h"
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_MIN = 2, BLOCKS_MAX = 9, LAUNCHES_MAX = 3, SIZES_TRIED_MAX = 4, CALIBRATION_PART = 64 };

/* As many blocks as fit into it are measured where --runs says nothing. */
static const double patience_s = 60;
/* A variant that takes longer needs no run to warm up: what a first run costs is little to it. */
static const double warm_from_s = 1;

struct rung {
    struct problem problem;
    int warmups, usable;
    double work_s, launch_s; /* expected: of a unit of work, 0 where unknown; of a launch */
    char failure[1024];      /* why it is not launched (again); "" */
};

struct all {
    struct session *session;
    const struct run_options *options;
    const struct mode *mode;
    int rung_count, block_count;
    struct rung rungs[LADDER_RUNGS_MAX];
    double sample_s; /* of the last sample: for the calibration */
    int worst;       /* status of the gravest failure of a variant */
    struct error worst_error;
    struct style err;
    char doing[128]; /* the progress line: what, and the times expected */
    double start_s, left_s, launch_s;
};

static void keep_sample(void *context, const struct sample *sample, double launch_s)
{
    (void)launch_s;
    struct all *all = context;
    all->sample_s = sample->wall_s;
}

static void show_progress(void *context, double elapsed_s)
{
    struct all *all = context;
    double left_s = all->left_s + fmax(0, all->launch_s - elapsed_s);
    double spent_s = clock_wall_s() - all->start_s;
    double fraction = isnan(left_s) ? NAN : fmin(0.99, spent_s / (spent_s + left_s));
    present_progress(stderr, &all->err, all->doing, fraction, left_s > 1 ? left_s : NAN);
}

static bool runs(const struct rung *rung)
{
    return rung->failure[0] == '\0';
}

/* A wrong answer is graver than a failure. */
static void take_failure(struct all *all, struct rung *rung, int status, const struct error *error)
{
    snprintf(rung->failure, sizeof rung->failure, "%s", error->text);
    if (all->worst == STATUS_WRONG || (all->worst && status != STATUS_WRONG)) return;
    all->worst = status;
    if (status == STATUS_WRONG)
        all->worst_error = *error;
    else
        error_set(&all->worst_error, status, "variant %s: %s", rung->problem.variant->name, error->text);
}

/* 0 also where the variant failed; else what ends everything. */
static int measure_rung(struct all *all, struct rung *rung, const struct measurement *measurement, struct error *error)
{
    int got, status = session_measure(all->session, measurement, &got, error);
    if (status == STATUS_INTERRUPTED) return status;
    /* A wrong answer belongs in the record: if it was one, it will be one there. */
    if (status && !(measurement->unrecorded && status == STATUS_WRONG)) take_failure(all, rung, status, error);
    if (!status && !measurement->unrecorded) rung->usable += got;
    return STATUS_OK;
}

static int calibrate_rung(struct all *all, struct rung *rung, const struct problem *problem, struct error *error)
{
    const struct measurement measurement = {
        .problem = problem, .mode = all->mode, .runs = 1, .warmups = 1, .launches_max = 1, .unrecorded = true};
    snprintf(all->doing, sizeof all->doing, "a short run of %s, to see how long it takes", rung->problem.variant->name);
    all->sample_s = NAN;
    show_progress(all, 0);
    int status = measure_rung(all, rung, &measurement, error);
    rung->work_s = all->sample_s > 0 ? all->sample_s / problem->kernel->work(problem) : 0;
    return status;
}

/* Shortens the problem to a part of the kernel's own default. */
static void shorten(struct problem *problem)
{
    struct problem whole;
    struct size size;
    problem_init(problem->kernel, &whole);
    double work = problem->kernel->work(&whole) / CALIBRATION_PART;
    if (work < problem->kernel->work(problem) && problem->kernel->size_for(problem, work, &size) == 0)
        problem->size = size;
}

static struct rung *find_fastest(struct all *all)
{
    struct rung *fastest = NULL;
    for (struct rung *rung = all->rungs; rung < all->rungs + all->rung_count; rung++)
        if (runs(rung) && rung->work_s > 0 && (!fastest || rung->work_s < fastest->work_s)) fastest = rung;
    return fastest;
}

/* Larger and larger, until the fastest variant takes as long as it should. */
static int choose_size(struct all *all, const struct problem *start, struct size *size_p, struct error *error)
{
    struct rung *fastest = find_fastest(all);
    if (!fastest) return STATUS_OK;
    struct problem problem = *start;
    problem.variant = fastest->problem.variant;
    for (int i = 0; i < SIZES_TRIED_MAX && runs(fastest); i++) {
        struct size size;
        bool found = ladder_size(&problem, fastest->work_s * problem.kernel->work(&problem), &size) == 0;
        char before[64], after[64];
        size_format(&problem.size, sizeof before, before);
        if (!found || strcmp(size_format(&size, sizeof after, after), before) == 0) break;
        problem.size = size;
        int status = calibrate_rung(all, fastest, &problem, error);
        if (status) return status;
    }
    *size_p = problem.size;
    return STATUS_OK;
}

static int calibrate(struct all *all, const struct problem *problem, struct error *error)
{
    struct problem shorter = *problem;
    struct size size = problem->size;
    int status = STATUS_OK;
    shorten(&shorter);
    for (int i = 0; i < all->rung_count && !status; i++) {
        shorter.variant = all->rungs[i].problem.variant;
        if (runs(&all->rungs[i])) status = calibrate_rung(all, &all->rungs[i], &shorter, error);
    }
    if (!status && !all->options->size) status = choose_size(all, &shorter, &size, error);
    for (int i = 0; i < all->rung_count; i++) {
        static const double start_s = 0.05, mpirun_s = 0.3;
        struct rung *rung = &all->rungs[i];
        rung->problem.size = size;
        double run_s = rung->work_s * problem->kernel->work(&rung->problem);
        rung->warmups = all->options->warmups >= 0 ? all->options->warmups : run_s < warm_from_s;
        rung->launch_s = (1 + rung->warmups) * run_s + (mode_needs_mpi(all->mode->name) ? mpirun_s : start_s);
    }
    return status;
}

static int check_memory(const struct all *all, struct error *error)
{
    int status = STATUS_OK;
    for (int i = 0; i < all->rung_count && !status; i++)
        if (runs(&all->rungs[i]))
            status = plan_check_memory(&all->session->machine, &all->rungs[i].problem, all->mode, error);
    return status;
}

static struct measurement rung_measurement(const struct all *all, const struct rung *rung, int block)
{
    return (struct measurement){.problem = &rung->problem,
                                .mode = all->mode,
                                .runs = 1,
                                .warmups = rung->warmups,
                                .launches_max = LAUNCHES_MAX,
                                .block = block};
}

static int write_context(const struct all *all, struct error *error)
{
    struct measurement measurements[LADDER_RUNGS_MAX];
    int count = 0;
    for (int i = 0; i < all->rung_count; i++)
        if (runs(&all->rungs[i])) measurements[count++] = rung_measurement(all, &all->rungs[i], 0);
    return count ? session_write_context(all->session, count, measurements, error) : STATUS_OK;
}

static double block_s(const struct all *all)
{
    double sum_s = 0;
    for (int i = 0; i < all->rung_count; i++)
        if (runs(&all->rungs[i])) sum_s += all->rungs[i].launch_s;
    return sum_s;
}

static int count_blocks(const struct all *all)
{
    if (all->options->runs > 0) return all->options->runs;
    return (int)fmin(BLOCKS_MAX, fmax(BLOCKS_MIN, patience_s / block_s(all)));
}

static int measure_block(struct all *all, int block, struct error *error)
{
    int order[LADDER_RUNGS_MAX], status = STATUS_OK;
    double later_s = block_s(all);
    plan_block_order(all->rungs[0].problem.seed, block, all->rung_count, order);
    for (int i = 0; i < all->rung_count && !status; i++) {
        struct rung *rung = &all->rungs[order[i]];
        if (!runs(rung)) continue;
        double start_s = clock_wall_s();
        later_s -= rung->launch_s;
        all->launch_s = rung->launch_s;
        all->left_s = fmax(0, later_s) + (all->block_count - block - 1) * block_s(all);
        snprintf(all->doing, sizeof all->doing, "block %d of %d: %s", block + 1, all->block_count,
                 rung->problem.variant->name);
        show_progress(all, 0);
        const struct measurement measurement = rung_measurement(all, rung, block);
        status = measure_rung(all, rung, &measurement, error);
        rung->launch_s = clock_wall_s() - start_s;
    }
    return status;
}

static int measure_blocks(struct all *all, struct error *error)
{
    int status = STATUS_OK;
    all->start_s = clock_wall_s();
    all->block_count = count_blocks(all);
    for (int block = 0; block < all->block_count && !status; block++) {
        status = measure_block(all, block, error);
        /* Now the times are known. */
        if (block == 0) all->block_count = count_blocks(all);
    }
    return status;
}

static void show_ladder(const struct all *all)
{
    const char *reasons[LADDER_RUNGS_MAX];
    struct ladder *ladder = malloc(sizeof *ladder);
    struct style out;
    const char *remark = "";
    for (int i = 0; i < all->rung_count; i++) {
        const struct rung *rung = &all->rungs[i];
        reasons[i] = runs(rung) ? NULL : rung->failure;
        if (runs(rung) && rung->warmups == 0 && all->options->warmups < 0)
            remark = "Variants that take over a second ran without a warm-up. ";
    }
    style_for(stdout, &out);
    if (ladder) ladder_build(all->rungs[0].problem.kernel, &all->session->results, reasons, ladder);
    if (ladder) present_ladder(stdout, &out, ladder, remark);
    free(ladder);
}

/* What became of it, as for one variant: a wrong answer, a failure, a variant without a valid sample. */
static int judge(const struct all *all, struct error *error)
{
    *error = all->worst_error;
    int status = all->worst;
    for (int i = 0; i < all->rung_count; i++) {
        const struct rung *rung = &all->rungs[i];
        if (!runs(rung) || rung->usable == all->block_count) continue;
        const char *name = rung->problem.variant->name;
        if (rung->usable == 0 && !status)
            status = error_set(error, STATUS_UNMEASURED, "no valid measurement of variant %s in %d block%s", name,
                               all->block_count, all->block_count == 1 ? "" : "s");
        else if (rung->usable > 0)
            fprintf(stderr, "speedup run: %s was disturbed in %d of %d blocks, which do not count for it\n", name,
                    all->block_count - rung->usable, all->block_count);
    }
    return status;
}

static int run_rungs(struct all *all, const struct problem *problem, struct error *error)
{
    bool given = all->options->size;
    int status = given ? check_memory(all, error) : STATUS_OK;
    if (!status) status = calibrate(all, problem, error);
    if (!status && !given) status = check_memory(all, error);
    if (!status) status = write_context(all, error);
    if (!status) status = measure_blocks(all, error);
    present_progress(stderr, &all->err, NULL, NAN, NAN);
    if (run_shows(all->session, all->options)) show_ladder(all);
    return status ? status : judge(all, error);
}

int run_all_variants(struct session *session, const struct run_options *options, const struct problem *problem,
                     const struct mode *mode, struct error *error)
{
    if (session->job.size > 0)
        return error_set(error, STATUS_USAGE,
                         "--variant all starts each variant anew, and cannot inside %s; start it without, with --mode "
                         "and --ranks, or name one variant",
                         session->job.launcher);
    struct all *all = calloc(1, sizeof *all);
    if (!all) return error_set(error, STATUS_FAILED, "no memory");
    all->session = session;
    all->options = options;
    all->mode = mode;
    all->left_s = NAN;
    style_for(stderr, &all->err);
    session->context = all;
    session->on_sample = keep_sample;
    session->on_tick = show_progress;
    for (const struct variant *variant = problem->kernel->variants; variant->name; variant++) {
        if (all->rung_count == LADDER_RUNGS_MAX) break;
        struct rung *rung = &all->rungs[all->rung_count++];
        const char *reason = variant_unavailable(variant);
        rung->problem = *problem;
        rung->problem.variant = variant;
        if (reason) snprintf(rung->failure, sizeof rung->failure, "not available here: %s", reason);
    }
    int status = run_rungs(all, problem, error);
    free(all);
    return status;
}
