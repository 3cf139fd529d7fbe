/* The loop of every measuring command: build the launch line, spawn, take the worker's lines, judge and record each
 * sample. */
#include "session.h"

#include "../../kernels/isa.h"
#include "../launch/cause.h"
#include "../launch/command_line.h"
#include "../launch/hints.h"
#include "../observe/thread.h"
#include "../place/schedule.h"
#include "../present/present.h"
#include "../record/context.h"
#include "picture.h"
#include "speedup_config.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const double deadline_grace_s = 10;

/* One launch in progress: what the worker has said so far. */
struct launch {
    struct session *session;
    const struct measurement *measurement;
    const struct launch_line *line;
    struct error *error;
    double start_s, launch_s; /* launch_s: from the start to the worker's first word; NAN before it */
    int first_repeat;         /* of this launch's samples */
    int samples, usable, wrong;
    bool done;
    int worker_status;         /* the worker's own error; 0 */
    struct alive_watch *alive; /* what its nodes say of themselves; NULL: they do not */
    char prints[1024];         /* what came on standard output besides, lines; cut off behind */
    char *head;                /* of a line that was interrupted by such a word; heap; NULL */
    bool ours;                 /* what went wrong is ours: its record cannot be written, or not be read */
};

bool session_speaks(const struct session *session)
{
    return session->job.size == 0 || session->job.rank == 0;
}

/* Ranks on other machines of a foreign job may have less than this one: there the workers find out. */
static int read_isa(struct session *session, struct error *error)
{
    char all[64];
    enum isa isa;
    const char *name = getenv("SPEEDUP_ISA");
    int status = isa_find(name, &isa);
    bool elsewhere = session->job.size > 0 && session->job.local_size != session->job.size;
    if (status == 0 || (status == -ENOTSUP && elsewhere)) {
        snprintf(session->isa, sizeof session->isa, "%s", name ? name : "");
        return STATUS_OK;
    }
    return error_set(error, STATUS_USAGE, "SPEEDUP_ISA '%.60s' %s; allowed: %s", name,
                     status == -ENOTSUP ? "cannot be had on this machine" : "is no instruction set",
                     isa_list(sizeof all, all));
}

int session_open(const char *study, struct session *session_p, struct error *error)
{
    memset(session_p, 0, sizeof *session_p);
    results_init(&session_p->results);
    snprintf(session_p->study, sizeof session_p->study, "%s", study);
    launch_find_foreign_job(environ, &session_p->job);
    int status = read_isa(session_p, error);
    if (status) return status;
    status = machine_read(&session_p->machine, error);
    if (status) return status;
    provenance_read(&session_p->provenance);
    return launch_find_site(&session_p->site, error);
}

int session_close(struct session *session, struct error *error)
{
    int status = STATUS_OK;
    for (int i = 0; i < session->writer_count; i++) {
        int writer_status = record_writer_free(session->writers[i], error);
        if (writer_status && !status) status = writer_status;
    }
    session->writer_count = 0;
    results_release(&session->results);
    return status;
}

int session_add_writer(struct session *session, const char *path, struct error *error)
{
    struct record_writer *writer;
    int status = record_writer_new(path, &writer, error);
    if (status) return status;
    session->writers[session->writer_count++] = writer;
    return STATUS_OK;
}

int session_read(struct session *session, const char *path, struct error *error)
{
    results_release(&session->results);
    int status = results_read(path, &session->results, error);
    for (int g = 0; g < session->results.group_count; g++) {
        const struct group *group = &session->results.groups[g];
        for (int s = 0; s < group->count; s++)
            if (group->samples[s].launch >= session->launch_count) session->launch_count = group->samples[s].launch + 1;
    }
    return status;
}

int session_continue(struct session *session, const char *path, struct error *error)
{
    struct record_writer *writer;
    bool torn;
    int status = record_writer_continue(path, &writer, &torn, error);
    if (status) return status;
    session->writers[session->writer_count++] = writer;
    if (torn) fprintf(stderr, "speedup: the last line of %s was torn off; it was set aside in %s.torn\n", path, path);
    return STATUS_OK;
}

int session_write_line(struct session *session, json_t *line, struct error *error)
{
    if (!line) return error_set(error, STATUS_FAILED, "no memory is left for a record line");
    int status = STATUS_OK;
    for (int i = 0; i < session->writer_count && !status; i++) status = record_write(session->writers[i], line, error);
    json_decref(line);
    return status;
}

void session_note_slice(const struct session *session, double slice_s)
{
    double tick_s = session->provenance.tick_s;
    char slice[32], tick[32];
    if (!(slice_s > 0 && slice_s < tick_s) || !session_speaks(session)) return;
    fprintf(stderr,
            "speedup: a slice of %s is shorter than a tick of this kernel's timer, at which turns of tasks that "
            "compute end: expect turns of %s (but where its HRTICK is on)\n",
            format_time(slice_s, sizeof slice, slice), format_time(tick_s, sizeof tick, tick));
}

static enum launcher choose_launcher(const struct session *session, const struct mode *mode)
{
    if (session->job.size > 0) return LAUNCHER_FOREIGN;
    return mode_needs_mpi(mode->name) ? LAUNCHER_MPIRUN : LAUNCHER_NONE;
}

struct config session_config(const struct session *session, const struct problem *problem, const struct mode *mode)
{
    struct config config = {.option_count = 0};
    config_from_problem(problem, &config);
    snprintf(config.isa, sizeof config.isa, "%s", session->isa);
    config.mode = *mode;
    return config;
}

/* Of ranks on other nodes nothing else tells that they hang. Of foreign jobs we hear rank 0 alone; and what is watched
 * for its timeline is to be as little disturbed as can be. */
static bool speaks_of_nodes(const struct session *session, const struct measurement *measurement)
{
    return session->job.size == 0 && mode_nodes(measurement->mode) > 1 && session->watch.count == 0;
}

static int build_line(const struct session *session, const struct measurement *measurement, int runs,
                      struct launch_line **line_p, struct error *error)
{
    int status = schedule_check_room(&session->machine, measurement->mode, schedule_realtime_runtime_us(), error);
    if (status) return status;
    if (measurement->command) return command_line_new(measurement->command, &session->site, line_p, error);
    struct request request = {.runs = runs,
                              .warmups = measurement->warmups,
                              .own_cpus = session->job.size > 0,
                              .picture = measurement->picture,
                              .timeline = measurement->timeline};
    request.config = session_config(session, measurement->problem, measurement->mode);
    if (scheduling_is_realtime(&measurement->mode->scheduling)) request.realtime_limit_s = session->time_limit_s;
    /* Later than we would end it: this is for ranks that our launcher cannot reach any more. */
    if (mode_nodes(measurement->mode) > 1 && session->time_limit_s > 0)
        request.deadline_s = session->time_limit_s + deadline_grace_s;
    request.alive = speaks_of_nodes(session, measurement);
    return launch_line_new(&request, choose_launcher(session, measurement->mode), &session->site, line_p, error);
}

int session_launch_line(const struct session *session, const struct measurement *measurement,
                        struct launch_line **line_p, struct error *error)
{
    return build_line(session, measurement, measurement->runs, line_p, error);
}

int session_write_context(struct session *session, int count, const struct measurement measurements[],
                          struct error *error)
{
    json_t *launches = json_array();
    int status = STATUS_OK;
    for (int i = 0; i < count && !status; i++) {
        struct launch_line *line;
        status = session_launch_line(session, &measurements[i], &line, error);
        if (status) break;
        char *text = launch_line_text(line);
        json_array_append_new(launches, json_string(text ? text : ""));
        free(text);
        launch_line_free(line);
    }
    if (!status)
        status =
            session_write_line(session,
                               record_encode_context(&session->machine, &session->provenance,
                                                     &(struct context_source){.study = session->study,
                                                                              .mpi_version = SPEEDUP_MPI_LIBRARY,
                                                                              .mpirun = session->site.mpirun,
                                                                              .mpi_reason = session->site.mpi_reason,
                                                                              .launches = launches}),
                               error);
    json_decref(launches);
    return status;
}

int session_take_sample(struct session *session, struct sample *sample, bool unrecorded, struct error *error)
{
    int status = STATUS_OK, wrong = STATUS_OK;
    snprintf(sample->study, sizeof sample->study, "%s", session->study);
    sample->launch = session->launch_count;
    sample_derive(sample);
    sample_judge(sample);
    if (!sample->correct) {
        sample->wall_s = sample->rate = NAN; /* a wrong answer has no timing */
        wrong = error_set(error, STATUS_WRONG, "%s%s%s gave a wrong answer: %s", sample->config.kernel,
                          *sample->config.variant ? " " : "", sample->config.variant, sample->check_detail);
    }
    if (!unrecorded) {
        status = session_write_line(session, record_encode_sample(sample), error);
        if (!status && results_add(&session->results, sample))
            status = error_set(error, STATUS_FAILED, "no memory is left to keep the samples");
    }
    if (session->on_sample) session->on_sample(session->context, sample, sample->launch_s);
    return status ? status : wrong;
}

static int take_sample(struct launch *launch, const json_t *object)
{
    struct sample sample;
    sample_init(&sample);
    int status = record_decode_sample(object, &sample, launch->error);
    if (status)
        return error_set(launch->error, STATUS_FAILED, "the worker's sample is not readable: %s", launch->error->text);
    sample.block = launch->measurement->block;
    sample.launch_s = launch->launch_s;
    sample.repeat = launch->first_repeat + launch->samples++;
    status = session_take_sample(launch->session, &sample, launch->measurement->unrecorded, launch->error);
    if (sample.validity != SAMPLE_INVALID) launch->usable++;
    /* Further samples of the launch are still to come. */
    if (status == STATUS_WRONG) {
        launch->wrong++;
        status = STATUS_OK;
    }
    sample_release(&sample);
    return status;
}

static int take_timeline(struct launch *launch, const json_t *object)
{
    struct session *session = launch->session;
    struct timeline_record record;
    timeline_record_init(&record);
    int status = record_decode_timeline(object, &record, launch->error);
    if (status)
        return error_set(launch->error, STATUS_FAILED, "the worker's timeline is not readable: %s",
                         launch->error->text);
    snprintf(record.study, sizeof record.study, "%s", session->study);
    record.launch = session->launch_count;
    status = session_write_line(session, record_encode_timeline(&record), launch->error);
    if (!status && results_add_timeline(&session->results, &record))
        status = error_set(launch->error, STATUS_FAILED, "no memory is left for the timeline");
    timeline_record_release(&record);
    return status;
}

/* Whether it is, or ends with, a node's word; what is before that is the head of a line that goes on later. */
static bool take_alive(struct launch *launch, char *text, int *status_p)
{
    char *word = launch->alive ? strstr(text, ALIVE_LEAD) : NULL;
    *status_p = STATUS_OK;
    if (!word) return false;
    bool failed = alive_hear(launch->alive, word, clock_wall_s()) != 0;
    *word = '\0';
    if (*text) {
        char *head = NULL;
        failed |= asprintf(&head, "%s%s", launch->head ? launch->head : "", text) < 0;
        free(launch->head);
        launch->head = failed ? NULL : head;
    }
    if (failed) *status_p = error_set(launch->error, STATUS_FAILED, "no memory is left for a line of the worker");
    return true;
}

/* A line of the worker's protocol. What is none is somebody else's print: it goes to standard error. */
static int take_message(struct launch *launch, char *text, size_t length)
{
    json_t *object = json_loadb(text, length, 0, NULL);
    const char *type = json_string_value(json_object_get(object, "type"));
    int status = STATUS_OK;
    if (isnan(launch->launch_s)) launch->launch_s = clock_wall_s() - launch->start_s;
    if (!type) {
        fprintf(stderr, "%s\n", text);
        size_t used = strlen(launch->prints);
        snprintf(launch->prints + used, sizeof launch->prints - used, "%s\n", text);
    } else if (strcmp(type, "sample") == 0) {
        status = take_sample(launch, object);
    } else if (strcmp(type, "timeline") == 0) {
        status = take_timeline(launch, object);
    } else if (strcmp(type, "picture") == 0 || strcmp(type, "row") == 0) {
        if (launch->session->picture) status = picture_take(launch->session->picture, object, launch->error);
    } else if (strcmp(type, "done") == 0) {
        launch->done = true;
        if (launch->alive) alive_watch_done(launch->alive, clock_wall_s());
    } else if (strcmp(type, "error") == 0) {
        const char *what = json_string_value(json_object_get(object, "text"));
        launch->worker_status = (int)json_integer_value(json_object_get(object, "status"));
        if (launch->worker_status >= 0) launch->worker_status = STATUS_FAILED;
        error_set(launch->error, launch->worker_status, "%s", what ? what : "the worker failed without a word");
    }
    json_decref(object);
    launch->ours |= status != STATUS_OK;
    return status;
}

static int take_line(void *context, char *text, size_t length)
{
    struct launch *launch = context;
    char *whole = NULL;
    int status;
    if (take_alive(launch, text, &status)) return status;
    if (!launch->head) return take_message(launch, text, length);
    if (asprintf(&whole, "%s%s", launch->head, text) < 0)
        return error_set(launch->error, STATUS_FAILED, "no memory is left for a line of the worker");
    free(launch->head);
    launch->head = NULL;
    status = take_message(launch, whole, strlen(whole));
    free(whole);
    return status;
}

static int tick(void *context, double elapsed_s)
{
    struct launch *launch = context;
    if (launch->session->on_tick) launch->session->on_tick(launch->session->context, elapsed_s);
    return launch->alive ? alive_check(launch->alive, clock_wall_s(), launch->error) : STATUS_OK;
}

/* srun's remarks, such as that it does not bind, are no errors. */
static bool is_remark(const char *line)
{
    return strncmp(line, "srun: ", 6) == 0 && !strstr(line, "error: ") && !strstr(line, "fatal: ");
}

/* The most telling line of what the launcher said on standard error: its first with letters, but for remarks where
 * there is another; else nothing. */
static const char *telling_line(char *tail)
{
    const char *remark = NULL;
    for (char *line = strtok(tail, "\n"); line; line = strtok(NULL, "\n")) {
        if (strspn(line, "-= \t") == strlen(line) || strstr(line, "Warning: setpgid")) continue;
        if (!is_remark(line)) return line;
        if (!remark) remark = line;
    }
    return remark ? remark : "nothing";
}

/* "after 1 sample", "after 3 samples". */
static const char *after_samples(int count, size_t length, char *text)
{
    snprintf(text, length, "after %d sample%s", count, count == 1 ? "" : "s");
    return text;
}

enum { SIGNALS_MAX = 64 }; /* what mpirun ends with may also be an error of its own above them */

/* Why a launch that ended without "done" did so. */
static int explain_failure(const struct launch *launch, struct spawn_result *result, struct error *error)
{
    bool mpirun = launch->line->launcher == LAUNCHER_MPIRUN;
    int ended_by = result->signal ? result->signal
                   : mpirun && result->exit_status > 128 && result->exit_status <= 128 + SIGNALS_MAX
                       ? result->exit_status - 128
                       : 0;
    const char *what = !mpirun ? "the worker" : launch->session->site.by_srun ? "srun" : "mpirun";
    char after[32];
    after_samples(launch->samples, sizeof after, after);
    if (result->timed_out)
        return error_set(error, STATUS_FAILED,
                         "%s was ended %s: it took longer than the time limit of %g s; give a longer --time-limit or a "
                         "smaller --size",
                         what, after, launch->session->time_limit_s);
    if (ended_by == SIGXCPU && scheduling_is_realtime(&launch->measurement->mode->scheduling))
        return error_set(error, STATUS_FAILED,
                         "a real-time worker was ended %s by its watchdog: a task computed for longer than the time "
                         "limit of %g s; give a longer --time-limit or a smaller --size",
                         after, launch->session->time_limit_s);
    const char *hint = launch_hint(result->stderr_tail, ended_by), *so = hint ? "; " : "";
    if (!hint) hint = "";
    char cause[256];
    if (launch_cause(result->stderr_tail, sizeof cause, cause) || launch_cause(launch->prints, sizeof cause, cause)) {
        if (!*hint && strstr(cause, " by signal 9 ")) so = "; ", hint = launch_hint("", SIGKILL);
        return error_set(error, STATUS_FAILED, "%s, %s%s%s", cause, after, so, hint);
    }
    const char *said = telling_line(result->stderr_tail);
    if (result->signal)
        return error_set(error, STATUS_FAILED, "%s was ended by signal %d (%s) %s; on standard error: %s%s%s", what,
                         result->signal, strsignal(result->signal), after, said, so, hint);
    if (ended_by)
        return error_set(error, STATUS_FAILED, "a rank was ended by signal %d (%s) %s; %s says: %s%s%s", ended_by,
                         strsignal(ended_by), after, what, said, so, hint);
    return error_set(error, STATUS_FAILED, "%s ended with status %d %s; on standard error: %s%s%s", what,
                     result->exit_status, after, said, so, hint);
}

/* A further rank of a foreign job that failed as all ranks did: rank 0 says why. */
static bool is_told_elsewhere(const struct session *session, const struct spawn_result *result)
{
    return !session_speaks(session) && !result->timed_out && !result->signal && !result->stderr_tail[0];
}

/* After a launch that failed: whether it ends the measuring. */
static int take_failure(struct launch *launch, double date_s, struct error *error)
{
    const struct measurement *measurement = launch->measurement;
    struct sample sample;
    if (measurement->unrecorded || launch->ours) return STATUS_FAILED;
    sample_init(&sample);
    sample.config = session_config(launch->session, measurement->problem, measurement->mode);
    sample.block = measurement->block;
    sample.repeat = launch->first_repeat + launch->samples;
    sample.start_s = date_s;
    sample.launch_s = launch->launch_s;
    sample.work = measurement->problem->kernel->work(measurement->problem);
    snprintf(sample.work_unit, sizeof sample.work_unit, "%s", measurement->problem->kernel->work_unit);
    int status = session_take_failure(launch->session, &sample, error);
    sample_release(&sample);
    return status;
}

static int launch_once(struct session *session, const struct measurement *measurement, int runs, int first_repeat,
                       struct launch *launch_p, struct error *error)
{
    struct launch_line *line;
    double date_s = clock_date_s();
    int status = build_line(session, measurement, runs, &line, error);
    if (status) return status;
    *launch_p = (struct launch){.session = session,
                                .measurement = measurement,
                                .line = line,
                                .error = error,
                                .start_s = clock_wall_s(),
                                .launch_s = NAN,
                                .first_repeat = first_repeat};
    if (speaks_of_nodes(session, measurement))
        launch_p->alive =
            alive_watch_new(launch_p->start_s, alive_starts_usual(&session->starts, mode_nodes(measurement->mode)));
    struct spawn_options options = {.time_limit_s = session->time_limit_s,
                                    .context = launch_p,
                                    .line = take_line,
                                    .tick = session->on_tick || launch_p->alive ? tick : NULL,
                                    .watched_count = session->watch.count,
                                    .watched = session->watch.descriptors,
                                    .watched_context = session->watch.context,
                                    .on_watched = session->watch.ready};
    struct spawn_result result = {.signal = 0};
    status = spawn_run(line, &options, &result, error);
    /* Only rank 0 of a foreign job hears its worker. */
    bool silent = !launch_p->done && session_speaks(session);
    if (!status && launch_p->worker_status)
        status = launch_p->worker_status;
    else if (result.timed_out || (!status && (result.exit_status != 0 || silent)))
        status = is_told_elsewhere(session, &result) ? error_set(error, STATUS_FAILED, "%s", "")
                                                     : explain_failure(launch_p, &result, error);
    else if (status == STATUS_INTERRUPTED && session_speaks(session))
        error_set(error, status, "interrupted during launch %d; what was measured is kept", session->launch_count + 1);
    else if (status == STATUS_INTERRUPTED)
        error->text[0] = '\0'; /* the launcher ends the further ranks when rank 0 has said why it failed */
    if (status == STATUS_FAILED) status = take_failure(launch_p, date_s, error);
    session->launch_count++;
    if (launch_p->alive && launch_p->done)
        alive_starts_add(&session->starts, mode_nodes(measurement->mode), launch_p->launch_s);
    alive_watch_free(launch_p->alive);
    free(launch_p->head);
    launch_line_free(line);
    return status;
}

int session_measure(struct session *session, const struct measurement *measurement, int *got_p, struct error *error)
{
    int got = 0, repeat = 0, status = STATUS_OK;
    /* In a foreign launcher's job the ranks cannot be started again. */
    int launches_max = session->job.size > 0 ? 1 : measurement->launches_max;
    for (int i = 0; i < launches_max && got < measurement->runs && !status; i++) {
        struct launch launch = {.samples = 0};
        status = launch_once(session, measurement, measurement->runs - got, repeat, &launch, error);
        got += launch.usable;
        repeat += launch.samples;
        if (!status && launch.wrong) status = STATUS_WRONG;
    }
    *got_p = got;
    return status;
}
