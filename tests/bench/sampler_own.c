#include "samplers.h"

#include "../../src/worker/team.h"

#include <omp.h>

int own_open(struct sampler *sampler, const struct variant *variant)
{
    sampler->problem = sampler->question->problem;
    sampler->problem.variant = variant;
    int status = team_new_solo(&sampler->team);
    return status == 0 ? team_set_threads(sampler->team, sampler->threads) : status;
}

static void own_close(struct sampler *sampler)
{
    team_free(sampler->team);
}

static int own_prepare(struct sampler *sampler)
{
    sampler->problem.size = (struct size){.dims = 1, .dim = {sampler->samples}};
    return sampler->problem.kernel->prepare(sampler->team, &sampler->problem, &sampler->state);
}

static int own_reset(struct sampler *sampler)
{
    omp_set_num_threads(sampler->threads);
    return sampler->problem.kernel->reset(sampler->team, sampler->state);
}

static int own_run(struct sampler *sampler)
{
    return sampler->problem.kernel->run(sampler->team, sampler->state);
}

/* By the kernel's own check (EP: the published sums), and as the peers. */
static bool own_is_right(struct sampler *sampler, size_t length, char *why)
{
    struct verdict verdict;
    int status = sampler->problem.kernel->check(sampler->team, sampler->state, &verdict);
    if (status < 0 || !verdict.correct) {
        snprintf(why, length, "WRONG: %s", status < 0 ? "it could not be checked" : verdict.detail);
        return false;
    }
    return sampler->question->deviation == 0 ||
           question_is_answered(sampler->question, verdict.result, sampler->samples, length, why);
}

static void own_finish(struct sampler *sampler)
{
    sampler->problem.kernel->teardown(sampler->state);
    sampler->state = NULL;
}

const struct sampler_kind own_kind = {.prepare = own_prepare,
                                      .reset = own_reset,
                                      .run = own_run,
                                      .is_right = own_is_right,
                                      .finish = own_finish,
                                      .close = own_close};
