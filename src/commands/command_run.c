/* A launch of a command: its hooks, its warm-ups, then the run that is timed, with the kernel's records of all its
 * context switches where they can be had. What is known of it then goes the way of every sample (session_take_sample).
 */
#include "command_run.h"

#include "../launch/command_line.h"
#include "../launch/hints.h"
#include "../launch/words.h"
#include "../observe/outside.h"
#include "../observe/thread.h"
#include "../plan/command.h"
#include "../plan/quote.h"
#include "command_output.h"
#include "watching.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct session *session;
    const struct command_measurement *measurement;
    struct launch_line *line;
    struct command_output output;
    struct spawn_result result;
    struct watching watching;
    struct timeline timeline; /* of all its tasks; empty where records are refused */
    double throttled_s;       /* before, then during */
    bool failed;              /* it was ended from outside; an exit status is the command's own word */
    struct cpu_counters before[CPUS_MAX], after[CPUS_MAX];
    double date_s;
};

static int tick(void *context, double elapsed_s)
{
    struct run *run = context;
    if (run->session->on_tick) run->session->on_tick(run->session->context, elapsed_s);
    return 0;
}

static int take_bytes(void *context, const char *bytes, size_t length)
{
    struct run *run = context;
    return command_output_add(&run->output, length, bytes);
}

static struct spawn_options spawn_options_of(struct run *run)
{
    const struct command_checks *checks = run->measurement->checks;
    bool wanted = command_output_is_wanted(&run->output) || checks->show_output;
    return (struct spawn_options){.time_limit_s = run->session->time_limit_s,
                                  .streams = wanted ? STREAMS_TAKEN : STREAMS_DROPPED,
                                  .pass_stderr = checks->show_output,
                                  .context = run,
                                  .bytes = wanted ? take_bytes : NULL,
                                  .tick = run->session->on_tick ? tick : NULL};
}

static const char *last_line(char *text)
{
    char *line;
    do { /* mpirun frames what it says with lines of dashes */
        char *end = text + strlen(text);
        while (end > text && (end[-1] == '\n' || end[-1] == ' ')) *--end = '\0';
        line = strrchr(text, '\n');
        line = line ? line + 1 : text;
        if (*line && strspn(line, "-=") == strlen(line)) *line = '\0';
    } while (!*line && line > text);
    return line;
}

/* What it said last; or, where a launcher has more to say behind it, that it could not be started. */
static const char *telling_line(char *errors, size_t length, char *text)
{
    static const char ours[] = "speedup: ";
    const char *at = strncmp(errors, ours, strlen(ours)) == 0 ? errors : strstr(errors, "\nspeedup: ");
    if (!at) return words_printable(last_line(errors), length, text);
    at += strlen(ours) + (*at == '\n');
    char *line = strndup(at, strcspn(at, "\n"));
    words_printable(line ? line : "", length, text);
    free(line);
    return text;
}

/* The command as one would type it, as one line that can be printed. */
static const char *name_command(const struct run *run, size_t length, char *text)
{
    char *whole = command_text_expanded(run->measurement->config);
    words_printable(whole ? whole : run->measurement->config->kernel, length, text);
    free(whole);
    return text;
}

/* Nobody is to wonder where they have gone. */
static void tell_left_behind(const struct run *run)
{
    char name[256];
    int count = run->result.left_behind;
    if (count == 0 || run->session->launch_count > 0) return;
    fprintf(stderr, "speedup: %s left %d process%s behind, which %s ended\n", name_command(run, sizeof name, name),
            count, count == 1 ? "" : "es", count == 1 ? "was" : "were");
}

/* Why a run does not count. */
static int check_end(struct run *run, int status, struct error *error)
{
    struct spawn_result *result = &run->result;
    char name[256], said[300];
    if (status == STATUS_INTERRUPTED)
        return error_set(error, status, "interrupted during launch %d; what was measured is kept",
                         run->session->launch_count + 1);
    name_command(run, sizeof name, name);
    run->failed = result->timed_out;
    if (result->timed_out)
        return error_set(error, STATUS_FAILED,
                         "%s was ended: it took longer than the time limit of %g s; give a longer --time-limit", name,
                         run->session->time_limit_s);
    if (status) return status;
    tell_left_behind(run);
    bool failed = result->signal || result->exit_status != 0;
    int ended_by = result->signal              ? result->signal
                   : result->exit_status > 128 ? result->exit_status - 128 /* as shells and mpirun pass it on */
                                               : 0;
    const char *hint = launch_hint(result->stderr_tail, ended_by), *so = hint ? "; " : "";
    if (!hint) hint = "";
    telling_line(result->stderr_tail, sizeof said, said);
    bool started = strncmp(said, "cannot start ", 13) != 0;
    if (!failed || (started && run->measurement->checks->ignore_failure)) return STATUS_OK;
    if (!started) return error_set(error, STATUS_FAILED, "%s", said);
    const char *says = *said ? "; it says: " : "";
    run->failed = ended_by != 0;
    if (result->signal)
        return error_set(error, STATUS_FAILED, "%s was ended by signal %d (%s)%s%s%s%s; -i goes on all the same", name,
                         result->signal, strsignal(result->signal), says, said, so, hint);
    return error_set(error, STATUS_FAILED, "%s ended with status %d%s%s%s%s; -i goes on all the same", name,
                     result->exit_status, says, said, so, hint);
}

static int run_hook(struct run *run, const char *name, const char *template, struct error *error)
{
    return template ? command_run_hook(run->session, name, template, run->measurement->config, error) : STATUS_OK;
}

/* Untimed runs, each between the hooks: a build has something to do only when it was cleaned before. */
static int warm_up(struct run *run, struct error *error)
{
    const struct command_checks *checks = run->measurement->checks;
    int status = STATUS_OK;
    for (int i = 0; i < run->measurement->warmups && !status; i++) {
        command_output_reset(&run->output);
        struct spawn_options options = spawn_options_of(run);
        status = run_hook(run, "--prepare", checks->prepare, error);
        if (!status) status = check_end(run, spawn_run(run->line, &options, &run->result, error), error);
        if (!status) status = run_hook(run, "--conclude", checks->conclude, error);
    }
    command_output_reset(&run->output);
    return status;
}

static int run_timed(struct run *run, struct error *error)
{
    const struct cpu_list *cpus = &run->measurement->config->mode.cpus;
    struct spawn_options options = spawn_options_of(run);
    int status = watching_begin(&run->session->machine, 0, run->measurement->timeline_p != NULL, &run->watching, error);
    if (status) return status;
    options.watched_count = watching_descriptors(&run->watching, &options.watched);
    options.watched_context = &run->watching;
    options.on_watched = watching_drain;
    run->date_s = clock_date_s();
    double throttled_s = cgroup_throttled_s();
    cpu_counters_read(cpus->count, cpus->cpus, run->before);
    status = check_end(run, spawn_run(run->line, &options, &run->result, error), error);
    cpu_counters_read(cpus->count, cpus->cpus, run->after);
    run->throttled_s = cgroup_throttled_s() - throttled_s;
    if (!status && watching_sees(&run->watching) && watching_timeline(&run->watching, &run->timeline))
        status = error_set(error, STATUS_FAILED, "no memory is left for the context-switch records");
    return status;
}

/* The first sample of the same problem whose output was kept. */
static const struct sample *find_first(const struct run *run)
{
    const struct results *results = &run->session->results;
    const struct config *own = run->measurement->config;
    for (int g = 0; g < results->group_count; g++) {
        const struct config *other = &results->groups[g].config;
        bool same = command_same(&own->command, &other->command) && strcmp(own->size, other->size) == 0 &&
                    own->option_count == other->option_count;
        for (int i = 0; same && i < own->option_count; i++)
            same = strcmp(own->options[i].value, other->options[i].value) == 0;
        for (int s = 0; same && s < results->groups[g].count; s++)
            if (results->groups[g].samples[s].correct) return &results->groups[g].samples[s];
    }
    return NULL;
}

static void check_answer(const struct run *run, struct sample *sample)
{
    const struct command_checks *checks = run->measurement->checks;
    const struct sample *first = checks->same_output ? find_first(run) : NULL;
    sample->correct = true;
    sample->checksum = run->output.hash;
    snprintf(sample->check_detail, sizeof sample->check_detail, "exit status %d%s%.100s%s%s", sample->exit_status,
             checks->pattern ? "; its output matches " : "", checks->pattern ? checks->pattern : "",
             first                 ? "; its output is the same as in the first run"
             : checks->same_output ? "; the first output of its kind"
                                   : "",
             checks->pattern || checks->same_output ? "" : "; its output was not looked at");
    if (checks->pattern && !command_output_matches(&run->output, &checks->regex)) {
        sample->correct = false;
        snprintf(sample->check_detail, sizeof sample->check_detail, "its output does not match %.150s",
                 checks->pattern);
    } else if (first && first->checksum != sample->checksum) {
        sample->correct = false;
        snprintf(sample->check_detail, sizeof sample->check_detail,
                 "its output is another one than in launch %d (%s, %d workers)", first->launch,
                 mode_name_text(first->config.mode.name), mode_workers(&first->config.mode));
    }
}

static int fill_sample(struct run *run, struct sample *sample, struct error *error)
{
    const struct command_measurement *measurement = run->measurement;
    const struct config *config = measurement->config;
    const struct spawn_result *result = &run->result;
    sample->config = *config;
    sample->block = measurement->block;
    sample->start_s = run->date_s;
    sample->work = measurement->work;
    snprintf(sample->work_unit, sizeof sample->work_unit, "%s", measurement->shares ? "share" : "run");
    sample->result = NAN;
    sample->exit_status = result->signal ? 128 + result->signal : result->exit_status;
    sample->wall_s = result->wall_s;
    check_answer(run, sample);
    if (sample->correct && strcmp(config->command.time, "process") != 0) {
        int status =
            command_output_time(&run->output, result->stderr_tail, config->command.time, &sample->wall_s, error);
        if (status) return status;
    }
    const struct outside outside = {.timeline = run->watching.switches ? &run->timeline : NULL,
                                    .reason = run->watching.reason,
                                    .process_s = result->wall_s,
                                    .start_s = result->start_s,
                                    .user_s = result->usage.user_s,
                                    .system_s = result->usage.system_s,
                                    .peak_memory_bytes = result->usage.peak_memory_bytes,
                                    .voluntary = result->usage.voluntary,
                                    .involuntary = result->usage.involuntary,
                                    .throttled_s = run->throttled_s,
                                    .cpu_count = config->mode.cpus.count,
                                    .cpus = config->mode.cpus.cpus,
                                    .before = run->before,
                                    .after = run->after};
    return outside_fill(&outside, sample) ? error_set(error, STATUS_FAILED, "no memory is left") : STATUS_OK;
}

/* Its timeline, from its start to its end, with the tasks that computed first. */
static void keep_timeline(struct run *run, const struct sample *sample)
{
    struct timeline_record *record = run->measurement->timeline_p;
    record->timeline = run->timeline;
    timeline_init(&run->timeline);
    double begin_s = run->result.start_s - record->timeline.start_s;
    timeline_cut(&record->timeline, begin_s, begin_s + run->result.wall_s);
    timeline_name_busiest(&record->timeline, mode_workers(&sample->config.mode));
    record->config = sample->config;
    record_config_key(&record->config, record->key);
    record->wall_s = sample->process_s;
    record->validity = sample->validity;
    memcpy(record->invalid_reason, sample->invalid_reason, sizeof record->invalid_reason);
    memcpy(record->study, run->session->study, sizeof record->study);
    record->launch = run->session->launch_count;
}

/* After a run that failed: whether it ends the measuring. */
static int take_failure(struct run *run, struct error *error)
{
    const struct command_measurement *measurement = run->measurement;
    struct sample sample;
    sample_init(&sample);
    sample.config = *measurement->config;
    sample.block = measurement->block;
    sample.start_s = run->date_s > 0 ? run->date_s : clock_date_s();
    sample.work = measurement->work;
    snprintf(sample.work_unit, sizeof sample.work_unit, "%s", measurement->shares ? "share" : "run");
    sample.exit_status = run->result.signal ? 128 + run->result.signal : run->result.exit_status;
    int status = session_take_failure(run->session, &sample, error);
    sample_release(&sample);
    return status;
}

static int measure(struct run *run, bool *usable_p, struct error *error)
{
    const struct command_measurement *measurement = run->measurement;
    const struct command_checks *checks = measurement->checks;
    struct sample sample;
    sample_init(&sample);
    int status = warm_up(run, error);
    if (!status) status = run_hook(run, "--prepare", checks->prepare, error);
    if (!status) status = run_timed(run, error);
    if (!status) status = run_hook(run, "--conclude", checks->conclude, error);
    if (!status) status = fill_sample(run, &sample, error);
    if (!status) status = session_take_sample(run->session, &sample, measurement->timeline_p != NULL, error);
    *usable_p = !status && sample.validity != SAMPLE_INVALID;
    if (!status && measurement->timeline_p) keep_timeline(run, &sample);
    sample_release(&sample);
    if (status == STATUS_FAILED && run->failed && !measurement->timeline_p) {
        if (checks->conclude) run_hook(run, "--conclude", checks->conclude, &(struct error){""});
        status = take_failure(run, error);
    }
    return status;
}

int command_measure(struct session *session, const struct command_measurement *measurement, bool *usable_p,
                    struct error *error)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) return error_set(error, STATUS_FAILED, "no memory");
    run->session = session;
    run->measurement = measurement;
    *usable_p = false;
    timeline_init(&run->timeline);
    command_output_init(&run->output,
                        measurement->checks->pattern || strcmp(measurement->config->command.time, "process"),
                        measurement->checks->same_output, measurement->checks->show_output);
    int status = command_line_new(measurement->config, &session->site, &run->line, error);
    if (!status) status = measure(run, usable_p, error);
    session->launch_count++;
    launch_line_free(run->line);
    command_output_release(&run->output);
    watching_release(&run->watching);
    timeline_release(&run->timeline);
    free(run);
    return status;
}

/* Cut into words before its placeholders are replaced, so that a value with a blank stays one word. *words_p: heap, as
 * quote_split has it. */
static int hook_words(const char *name, const char *template, const struct config *config, char ***words_p,
                      struct error *error)
{
    char **words = NULL, *expanded;
    int status = config->command.shell ? quote_split("/bin/sh -c template", &words) : quote_split(template, &words);
    if (status == -ENOMEM) return error_set(error, STATUS_FAILED, "no memory");
    if (status || !words[0]) {
        quote_free_words(words);
        return error_set(error, STATUS_USAGE, "%s %.200s is no command: a quote is not closed, or it is empty", name,
                         template);
    }
    for (char **word = words + (config->command.shell ? 2 : 0); *word && !status; word++) {
        status = command_expand(config, config->command.shell ? template : *word, &expanded, error);
        if (status) break;
        free(*word);
        *word = expanded;
    }
    if (status)
        quote_free_words(words);
    else
        *words_p = words;
    return status;
}

int command_check_hook(const char *name, const char *template, const struct config *config, struct error *error)
{
    char **words = NULL;
    int status = hook_words(name, template, config, &words, error);
    if (!status) quote_free_words(words);
    return status;
}

int command_run_hook(struct session *session, const char *name, const char *template, const struct config *config,
                     struct error *error)
{
    char **words = NULL, said[300];
    struct error why = {""};
    struct spawn_result result = {.signal = 0};
    const struct spawn_options options = {.time_limit_s = session->time_limit_s, .streams = STREAMS_DROPPED};
    int status = hook_words(name, template, config, &words, error);
    if (status) return status;
    const struct launch_line line = {.argv = words, .launcher = LAUNCHER_COMMAND};
    status = spawn_run(&line, &options, &result, &why);
    quote_free_words(words);
    if (status == STATUS_INTERRUPTED)
        return error_set(error, status, "interrupted during %s; what was measured is kept", name);
    if (status) return error_set(error, status, "%s: %s", name, why.text);
    if (result.exit_status == 0) return STATUS_OK;
    words_printable(last_line(result.stderr_tail), sizeof said, said);
    return error_set(error, STATUS_FAILED, "%s '%.200s' ended with status %d%s%s", name, template,
                     result.signal ? 128 + result.signal : result.exit_status, *said ? "; it says: " : "", said);
}
