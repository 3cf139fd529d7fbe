/* The tasks of a launch are watched from before it starts until it has ended; of that, the time of the sample is kept.
 * The worker tells its start on the clock of the day, and both clocks are read here: between two readings within a
 * launch they agree to microseconds.
 */
#include "capture.h"

#include "../observe/thread.h"
#include "watching.h"

#include <math.h>
#include <string.h>

/* A line of the record stays below some ten megabytes. */
enum { SPANS_MAX = 400000, CPUS_ALWAYS_SHOWN = 16 };

struct capture {
    struct session *session;
    struct watching watching;
    struct sample sample;
    bool sampled;
    /* The session's own, set aside meanwhile. */
    void *context;
    void (*on_sample)(void *context, const struct sample *, double launch_s);
    void (*on_tick)(void *context, double elapsed_s);
};

static void keep_sample(void *context, const struct sample *sample, double launch_s)
{
    (void)launch_s;
    struct capture *capture = context;
    sample_release(&capture->sample);
    capture->sampled = sample_copy(sample, &capture->sample) == 0;
}

static void pass_tick(void *context, double elapsed_s)
{
    struct capture *capture = context;
    if (capture->on_tick) capture->on_tick(capture->context, elapsed_s);
}

/* Hooks itself into the session. */
static int capture_begin(struct session *session, struct capture *capture_p, struct error *error)
{
    *capture_p = (struct capture){
        .session = session, .context = session->context, .on_sample = session->on_sample, .on_tick = session->on_tick};
    sample_init(&capture_p->sample);
    int status = watching_begin(&session->machine, 0, true, &capture_p->watching, error);
    if (status) return status;
    session->context = capture_p;
    session->on_sample = keep_sample;
    session->on_tick = pass_tick;
    session->watch.count = watching_descriptors(&capture_p->watching, &session->watch.descriptors);
    session->watch.context = &capture_p->watching;
    session->watch.ready = watching_drain;
    return STATUS_OK;
}

static void capture_end(struct capture *capture)
{
    struct session *session = capture->session;
    session->context = capture->context;
    session->on_sample = capture->on_sample;
    session->on_tick = capture->on_tick;
    session->watch = (struct session_watch){.count = 0};
    watching_release(&capture->watching);
    sample_release(&capture->sample);
}

static double busy_on(const struct sample *sample, int cpu)
{
    for (int w = 0; w < sample->worker_count; w++)
        if (sample->workers[w].cpu_asked == cpu) return sample->workers[w].cpu_total_busy_s;
    return NAN;
}

static bool is_used(const struct timeline *timeline, int cpu)
{
    for (int t = 0; t < timeline->task_count; t++)
        for (int s = 0; s < timeline->tasks[t].span_count; s++)
            if (timeline->tasks[t].spans[s].cpu == cpu) return true;
    return false;
}

/* On a large machine those alone on which something ran. */
static void fit_cpus(const struct sample *sample, struct timeline *timeline)
{
    int kept = 0, count = timeline->cpu_count;
    for (int i = 0; i < count; i++) {
        struct timeline_cpu cpu = timeline->cpus[i];
        cpu.busy_s = busy_on(sample, cpu.cpu);
        if (count <= CPUS_ALWAYS_SHOWN || is_used(timeline, cpu.cpu)) timeline->cpus[kept++] = cpu;
    }
    timeline->cpu_count = kept;
}

/* How long after the earliest start of all rank 0 started, whose date the sample has: where ranks share a core, by
 * several turns of the others. */
static double start_of_first_rank(const struct sample *sample)
{
    double start_s = INFINITY;
    for (int w = 0; w < sample->worker_count; w++)
        if (sample->workers[w].rank == 0) start_s = fmin(start_s, sample->workers[w].start_s);
    return start_s > 0 && isfinite(start_s) ? start_s : 0;
}

/* Of all that was seen, the time of the sample. */
static int make_record(struct capture *capture, struct timeline_record *record_p, struct error *error)
{
    const struct sample *sample = &capture->sample;
    struct timeline *timeline = &record_p->timeline;
    if (watching_timeline(&capture->watching, timeline))
        return error_set(error, STATUS_FAILED, "no memory is left for the timeline");
    double offset_s = clock_date_s() - clock_wall_s(), first_s = sample->start_s - start_of_first_rank(sample);
    double begin_s = first_s - offset_s - timeline->start_s;
    timeline_cut(timeline, begin_s, begin_s + sample->wall_s);
    timeline_limit(timeline, SPANS_MAX);
    timeline_name_workers(timeline, sample->worker_count, sample->workers);
    fit_cpus(sample, timeline);
    record_p->config = sample->config;
    record_config_key(&record_p->config, record_p->key);
    memcpy(record_p->study, capture->session->study, sizeof record_p->study);
    record_p->launch = sample->launch;
    record_p->wall_s = sample->wall_s;
    record_p->validity = sample->validity;
    memcpy(record_p->invalid_reason, sample->invalid_reason, sizeof record_p->invalid_reason);
    return STATUS_OK;
}

/* One launch; *record_p is filled where it gave a sample. */
static int capture_launch(struct session *session, const struct measurement *measurement,
                          struct timeline_record *record_p, struct error *error)
{
    struct measurement once = *measurement;
    struct capture capture;
    once.runs = once.launches_max = 1;
    once.unrecorded = true;
    int got, status = capture_begin(session, &capture, error);
    if (!status) status = session_measure(session, &once, &got, error);
    if (!status && !capture.sampled)
        status = error_set(error, STATUS_FAILED, "the launch that was to be watched gave no sample");
    if (!status) status = make_record(&capture, record_p, error);
    capture_end(&capture);
    return status;
}

/* A command's launch watches itself. */
static int capture_run(struct session *session, const struct command_measurement *measurement,
                       struct timeline_record *record_p, struct error *error)
{
    struct command_measurement once = *measurement;
    struct sample unknown = {.worker_count = 0};
    bool usable;
    once.timeline_p = record_p;
    int status = command_measure(session, &once, &usable, error);
    if (status) return status;
    timeline_limit(&record_p->timeline, SPANS_MAX);
    fit_cpus(&unknown, &record_p->timeline);
    return STATUS_OK;
}

static int write_record(struct session *session, struct timeline_record *record, struct error *error)
{
    int status = session_write_line(session, record_encode_timeline(record), error);
    if (!status && results_add_timeline(&session->results, record))
        status = error_set(error, STATUS_FAILED, "no memory is left for the timeline");
    return status;
}

int capture_timeline(struct session *session, const struct measurement *measurement, struct error *error)
{
    struct timeline_record record;
    int status = STATUS_OK;
    timeline_record_init(&record);
    for (int i = 0; i < measurement->launches_max && !status; i++) {
        timeline_record_release(&record);
        status = capture_launch(session, measurement, &record, error);
        if (record.validity != SAMPLE_INVALID) break;
    }
    if (!status) status = write_record(session, &record, error);
    timeline_record_release(&record);
    return status;
}

int capture_command(struct session *session, const struct command_measurement *measurement, int launches_max,
                    struct error *error)
{
    struct timeline_record record;
    int status = STATUS_OK;
    timeline_record_init(&record);
    for (int i = 0; i < launches_max && !status; i++) {
        timeline_record_release(&record);
        status = capture_run(session, measurement, &record, error);
        if (record.validity != SAMPLE_INVALID) break;
    }
    if (!status) status = write_record(session, &record, error);
    timeline_record_release(&record);
    return status;
}
