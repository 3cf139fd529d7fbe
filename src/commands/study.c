/* speedup study: a scaling study of a kernel, or of a command of the user's own. Plan, then launch block by block until
 * what was asked for is known well enough; what comes next follows from the plan and the record alone (plan/study.h),
 * so that --resume goes on exactly.
 */
#include "study_options.h"

#include "../../kernels/isa.h"
#include "../analyse/curve.h"
#include "../analyse/ladder.h"
#include "../observe/thread.h"
#include "../plan/command.h"
#include "capture.h"
#include "commands.h"
#include "watching.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_LENGTH = 4096, SAME_SECOND_MAX = 1000 };

/* Of the shortest sample that could not be judged: how large the problem would have to be. */
void study_hint_at_size(const struct study *study)
{
    const struct results *results = &study->session.results;
    const struct sample *shortest = NULL;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            bool judged = sample->validity != SAMPLE_NOT_JUDGED || !(sample->wall_s > 0);
            if (!judged && (!shortest || sample->wall_s < shortest->wall_s)) shortest = sample;
        }
    struct problem problem = study->options->request.problem;
    struct size size;
    char text[64];
    if (shortest && study->options->has_command) {
        fprintf(stderr, "speedup study: samples of %.3g ms cannot be judged (%s)\n", 1e3 * shortest->process_s,
                shortest->invalid_reason);
        return;
    }
    if (!shortest) return;
    const char *repeated_by = problem.kernel->repeated_by;
    if (repeated_by) {
        fprintf(stderr, "speedup study: samples of %.3g ms are too short to be judged; more --%s make them longer\n",
                1e3 * shortest->wall_s, repeated_by);
        return;
    }
    if (ladder_size(&problem, shortest->wall_s, &size)) return;
    fprintf(stderr,
            "speedup study: samples of %.3g ms are too short to be judged; --size %s would be long enough for all\n",
            1e3 * shortest->wall_s, size_format(&size, sizeof text, text));
}

/* Why it ended, and what was not reached. */
static void tell_end(const struct study *study, const struct study_progress *progress)
{
    const struct study_options *options = study->options;
    int missing = study->plan.count - progress->converged;
    char why[96] = "";
    if (progress->end == STUDY_OUT_OF_TIME)
        snprintf(why, sizeof why, "its budget of %g s was used up", options->budget_s);
    if (progress->end == STUDY_TOO_BUSY) snprintf(why, sizeof why, "no sample was undisturbed");
    if (progress->end == STUDY_TOO_MANY) snprintf(why, sizeof why, "too many samples were disturbed");
    if (!*why) return;
    if (options->request.per_node) {
        printf("\nEnded after %d block%s: %s. --resume goes on.\n", progress->block, progress->block == 1 ? "" : "s",
               why);
        return;
    }
    printf("\nEnded after %d block%s: %s; %d of %d configurations are not known well enough. --resume goes on.\n",
           progress->block, progress->block == 1 ? "" : "s", why, missing, study->plan.count);
}

static int tell(struct study *study, const struct study_progress *progress, const char *path, struct error *error)
{
    struct style out;
    struct curves curves;
    const struct results *results = &study->session.results;
    if (curves_build(results, study->options->precision, &curves)) return error_set(error, STATUS_FAILED, "no memory");
    style_for(stdout, &out);
    int valid = curves.valid, judged = curves.valid + curves.invalid;
    if (!study->options->json && results->group_count > 0) {
        present_study(stdout, &out, results, &curves);
        tell_end(study, progress);
        if (path) printf("\nRecords: %s\n", path);
    }
    curves_release(&curves);
    if (*progress->busiest && !study->options->json)
        fprintf(stderr, "speedup study: beside it ran: %s\n", progress->busiest);
    if (study->options->request.per_node) return study_nodes_conclude(study, error);
    if (valid > 0 || judged == 0) return STATUS_OK;
    return error_set(error, STATUS_UNMEASURED, "no sample was valid, of %d launches; %s%s", judged,
                     *progress->busiest ? "beside them ran " : "the records say why: ",
                     *progress->busiest ? progress->busiest
                     : path             ? path
                                        : "above");
}

static int write_heading(struct study *study, struct error *error)
{
    const struct study_plan *plan = &study->plan;
    struct measurement *measurements = calloc((size_t)plan->count, sizeof *measurements);
    if (!measurements) return error_set(error, STATUS_FAILED, "no memory");
    for (int i = 0; i < plan->count; i++) measurements[i] = study_measurement(study, i);
    int status = session_write_context(&study->session, plan->count, measurements, error);
    free(measurements);
    if (status) return status;
    study->session.results.study = study_encode(study);
    return session_write_line(&study->session, json_incref(study->session.results.study), error);
}

/* A folder for what nobody named a file for: nothing that was measured is lost. */
static int default_path(const struct study_options *options, char path_p[PATH_LENGTH], struct error *error)
{
    time_t now = time(NULL);
    struct tm date;
    char when[32], name[32];
    study_name_target(options, sizeof name, name);
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&now, &date));
    if (mkdir("speedup-results", 0777) && errno != EEXIST)
        return error_set(error, STATUS_FAILED, "cannot make the folder speedup-results: %s; name a file with -o",
                         strerror(errno));
    for (int i = 1; i < SAME_SECOND_MAX; i++) {
        char further[16] = "";
        if (i > 1) snprintf(further, sizeof further, "-%d", i);
        snprintf(path_p, PATH_LENGTH, "speedup-results/study-%s-%s%s.jsonl", name, when, further);
        if (access(path_p, F_OK)) break;
    }
    return STATUS_OK;
}

static int open_records(struct study *study, struct study_options *options, char path_p[PATH_LENGTH],
                        struct error *error)
{
    struct stat there;
    int status = STATUS_OK;
    path_p[0] = '\0';
    if (options->dry_run) return status;
    if (options->json) status = session_add_writer(&study->session, "-", error);
    if (status || (options->json && !options->output)) return status;
    if (!options->output) status = default_path(options, path_p, error);
    if (options->output) snprintf(path_p, PATH_LENGTH, "%s", options->output);
    if (status) return status;
    bool exists = stat(path_p, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0;
    if (options->resume && !exists) fprintf(stderr, "speedup study: %s is not there yet: a new study begins\n", path_p);
    if (exists && options->resume) {
        status = session_read(&study->session, path_p, error);
        if (status) return status;
        bool begun = study->session.results.study || study->session.results.group_count > 0;
        if (begun) return study_adopt(&study->session.results, options, error);
        results_release(&study->session.results);
    } else if (exists)
        return error_set(error, STATUS_USAGE,
                         "%s is there already; --resume goes on with it, or name another file with -o", path_p);
    return session_add_writer(&study->session, path_p, error);
}

static bool has_timeline(const struct results *results, const char *key)
{
    for (int i = 0; i < results->timeline_count; i++)
        if (strcmp(results->timelines[i].key, key) == 0) return true;
    return false;
}

static int capture(struct study *study, int config, struct error *error)
{
    struct measurement measurement = study_measurement(study, config);
    const struct command_measurement command = study_command_measurement(study, config);
    measurement.launches_max = study->plan.tries_max;
    if (!study->options->has_command) return capture_timeline(&study->session, &measurement, error);
    int status = hooks_set_up(&study->hooks, &study->session, command.config, error);
    return status ? status : capture_command(&study->session, &command, study->plan.tries_max, error);
}

/* Behind the blocks, so that it takes no time from them. Where it cannot be had, the study is complete all the same. */
static int watch(struct study *study, struct study_progress *progress, struct error *error)
{
    for (int i = 0; i < study->plan.count; i++) {
        const struct study_config *config = &study->plan.configs[i];
        if (!study_is_watched(&study->plan, i) || has_timeline(&study->session.results, study->keys[i])) continue;
        snprintf(progress->doing, sizeof progress->doing, "watching %s, %d workers", mode_name_text(config->mode.name),
                 mode_workers(&config->mode));
        int status = capture(study, i, error);
        if (status == STATUS_FAILED) {
            present_progress(stderr, &progress->err, NULL, NAN, NAN);
            fprintf(stderr, "speedup study: there is no timeline: %s\n", error->text);
            return STATUS_OK;
        }
        if (status) return status;
    }
    present_progress(stderr, &progress->err, NULL, NAN, NAN);
    return STATUS_OK;
}

/* There is something to show. */
static bool has_worked(const struct results *results)
{
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++)
            if (!sample_failed(&results->groups[g].samples[s])) return true;
    return false;
}

static int run_study(struct study *study, struct study_options *options, struct error *error)
{
    char path[PATH_LENGTH];
    struct study_progress progress = {.study = study, .start_s = clock_wall_s()};
    struct session *session = &study->session;
    style_for(stderr, &progress.err);
    session->time_limit_s = options->time_limit_s;
    if (session->job.size > 0)
        return error_set(error, STATUS_USAGE, "it starts its own processes, and cannot run inside %s; start it without",
                         session->job.launcher);
    if (session->isa[0] == '\0') snprintf(session->isa, sizeof session->isa, "%s", isa_name(isa_best()));
    int status = options->timeline ? watching_check(error) : STATUS_OK;
    if (!status) status = open_records(study, options, path, error);
    if (!status && !options->size_given) status = study_choose_size(study, options, error);
    if (!status) status = study_make_plan(study, options, error);
    if (status || options->dry_run) return status ? status : study_print_plan(study, error);
    session_note_slice(session, options->request.placement.slice_s);
    if (session->results.study) {
        status = study_check_resumed(study, error);
        if (!status) status = session_continue(session, path, error);
    } else {
        status = write_heading(study, error);
    }
    if (status) return status;

    session->context = &progress;
    session->on_tick = study_show_progress;
    status = study_run_blocks(study, &progress, error);
    if (!status && options->timeline) status = watch(study, &progress, error);
    if (status && !has_worked(&session->results)) {
        if (*path && !options->json) printf("Records: %s\n", path);
        return status;
    }
    struct error tell_error;
    int tell_status = tell(study, &progress, *path ? path : NULL, &tell_error);
    if (!status && tell_status) *error = tell_error;
    return status ? status : tell_status;
}

/* Signals that come between two launches are heeded by the next one, so that there is an end to be cleaned up after. */
static void hold_signals(bool hold)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}

static int measure(struct study *study, struct study_options *options, struct error *error)
{
    struct error close_error, cleanup_error;
    bool holds = options->cleanup != NULL;
    int status = session_open("study", &study->session, error);
    if (!status) status = study_options_complete(&study->session, options, error);
    if (holds) hold_signals(true);
    if (!status) status = run_study(study, options, error);
    int cleanup_status = hooks_clean_up(&study->hooks, &study->session, &cleanup_error);
    if (!status && cleanup_status) *error = cleanup_error, status = cleanup_status;
    int close_status = session_close(&study->session, &close_error);
    if (!status && close_status) *error = close_error, status = close_status;
    if (holds) hold_signals(false);
    return status;
}

int command_study(const struct command *command, int argc, char **argv, struct error *error)
{
    struct study_options options;
    struct study *study = calloc(1, sizeof *study);
    if (!study) return error_set(error, STATUS_FAILED, "no memory");
    int status = study_options_parse(command, argc, argv, &options, error);
    study->options = &options;
    study->hooks = (struct command_hooks){.setup = options.setup, .cleanup = options.cleanup};
    if (!status) status = measure(study, &options, error);
    study_plan_release(&study->plan);
    study_options_release(&options);
    hooks_release(&study->hooks);
    free(study->configs);
    free(study->keys);
    free(study);
    return status > 0 ? STATUS_OK : status;
}
