#include "calibrate.h"

#include <math.h>

struct listener {
    struct calibration last;
    bool disturbed;
};

static void keep_sample(void *context, const struct sample *sample, double launch_s)
{
    (void)launch_s;
    struct listener *listener = context;
    listener->last.wall_s = sample->wall_s;
    listener->last.cpu_s = sample->worker_count > 0 ? sample->workers[0].cpu_s : NAN;
    listener->disturbed = sample->validity == SAMPLE_INVALID;
}

int calibrate_once(struct session *session, const struct problem *problem, const struct mode *mode,
                   struct calibration *calibration_p, struct error *error)
{
    enum { ATTEMPTS = 3 };
    const struct measurement measurement = {
        .problem = problem, .mode = mode, .runs = 1, .launches_max = 1, .unrecorded = true};
    struct calibration best = {INFINITY, INFINITY};
    struct listener listener = {.disturbed = true};
    void *context = session->context;
    void (*on_sample)(void *, const struct sample *, double) = session->on_sample;
    void (*on_tick)(void *, double) = session->on_tick;
    int status = STATUS_OK;
    session->context = &listener;
    session->on_sample = keep_sample;
    session->on_tick = NULL;
    for (int i = 0; i < ATTEMPTS && listener.disturbed && !status; i++) {
        int got;
        status = session_measure(session, &measurement, &got, error);
        if (status) break;
        best.wall_s = fmin(best.wall_s, listener.last.wall_s);
        best.cpu_s = fmin(best.cpu_s, listener.last.cpu_s);
    }
    session->context = context;
    session->on_sample = on_sample;
    session->on_tick = on_tick;
    if (status) return status;
    *calibration_p = best;
    if (best.wall_s > 0 && isfinite(best.wall_s)) return STATUS_OK;
    return error_set(error, STATUS_FAILED, "the calibration of %s gave no time", problem->kernel->name);
}

int calibrate_size(struct session *session, struct problem *problem, const struct mode *mode, double target_s,
                   struct error *error)
{
    static const double telling_s = 0.1;
    const struct kernel *kernel = problem->kernel;
    double work = kernel->work(problem) / 64;
    for (int i = 0; i < 8; i++) {
        struct calibration once;
        if (kernel->size_for(problem, work, &problem->size))
            return error_set(error, STATUS_FAILED, "%s has no size with %g %s", kernel->name, work, kernel->work_unit);
        int status = calibrate_once(session, problem, mode, &once, error);
        if (status) return status;
        work = kernel->work(problem) *
               (once.wall_s < telling_s ? fmin(16, 1.5 * telling_s / once.wall_s) : target_s / once.wall_s);
        if (once.wall_s >= telling_s) break;
    }
    if (kernel->size_for(problem, work, &problem->size))
        return error_set(error, STATUS_FAILED, "%s has no size with %g %s", kernel->name, work, kernel->work_unit);
    return STATUS_OK;
}
