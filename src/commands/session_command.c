/* One launch of a command of the user's own: its hooks around it, all of its tasks watched from outside, its output
 * read for its own time and its answer; and from all that one sample.
 */
#include "session.h"

#include "../launch/words.h"
#include "../observe/outside.h"
#include "../observe/thread.h"
#include "../plan/command.h"
#include "watching.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More than that is no output to be read for a time. */
static const size_t OUTPUT_MAX = (size_t)1 << 28;
static const uint64_t HASH_OFFSET = 0xcbf29ce484222325, HASH_PRIME = 0x100000001b3;

/* One run of it. */
struct command_run {
    struct session *session;
    const struct measurement *measurement;
    const struct command_rules *rules;
    struct error *error;
    struct watching watching;
    struct timeline timeline; /* of all its tasks */
    bool keep;                /* what it prints */
    char *output;             /* heap, with a NUL behind it; NULL: nothing */
    size_t length, room;
    uint64_t hash; /* of what it printed */
    double date_s; /* CLOCK_REALTIME at its start */
    double throttled_s;
    struct cpu_counters before[CPUS_MAX], after[CPUS_MAX];
    struct spawn_result result;
};

static int keep_bytes(struct command_run *run, const char *bytes, size_t length)
{
    if (length > OUTPUT_MAX - run->length)
        return error_set(run->error, STATUS_FAILED,
                         "the command printed more than %zu MiB, in which no time is looked for",
                         OUTPUT_MAX / (1024 * 1024));
    if (run->length + length >= run->room) {
        size_t room = 2 * (run->length + length) + 4096;
        char *grown = realloc(run->output, room);
        if (!grown) return error_set(run->error, STATUS_FAILED, "no memory is left for the output of the command");
        run->output = grown;
        run->room = room;
    }
    memcpy(run->output + run->length, bytes, length);
    run->length += length;
    run->output[run->length] = '\0';
    return 0;
}

static int take_bytes(void *context, const char *bytes, size_t length)
{
    struct command_run *run = context;
    if (run->rules->show_output) fwrite(bytes, 1, length, stderr);
    for (size_t i = 0; i < length && run->rules->same_output; i++)
        run->hash = (run->hash ^ (unsigned char)bytes[i]) * HASH_PRIME;
    return run->keep ? keep_bytes(run, bytes, length) : 0;
}

static void tick(void *context, double elapsed_s)
{
    struct command_run *run = context;
    if (run->session->on_tick) run->session->on_tick(run->session->context, elapsed_s);
}

/* Into text, as one line that can be printed. */
static const char *name_command(const struct command_run *run, size_t length, char *text)
{
    char *whole = command_text_expanded(run->measurement->command);
    words_printable(whole ? whole : run->measurement->command->kernel, length, text);
    free(whole);
    return text;
}

/* The last line of what it said on standard error; one that tells that it could not be started is told instead. */
static const char *telling_line(const char *errors, size_t length, char *text)
{
    const char *last = NULL;
    for (const char *line = errors; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t letters = strcspn(line, "\n");
        if (strncmp(line, "speedup: ", 9) == 0) {
            last = line + 9;
            break;
        }
        if (strspn(line, " \t\r-=*") < letters) last = line;
    }
    char *copy = last ? strndup(last, strcspn(last, "\n")) : NULL;
    words_printable(copy ? copy : "nothing", length, text);
    free(copy);
    return text;
}

static bool could_not_start(const char *line)
{
    return strncmp(line, "cannot start ", 13) == 0;
}

static int explain_end(struct command_run *run, int status)
{
    const struct spawn_result *result = &run->result;
    char name[256], said[300];
    double limit_s = run->session->time_limit_s;
    if (status == STATUS_INTERRUPTED)
        return error_set(run->error, status, "interrupted during launch %d; what was measured is kept",
                         run->session->launch_count + 1);
    name_command(run, sizeof name, name);
    if (result->timed_out)
        return error_set(run->error, STATUS_FAILED,
                         "%s was ended: it took longer than the time limit of %g s; give a longer --time-limit", name,
                         limit_s);
    if (status || (result->exit_status == 0 && !result->signal)) return status;
    if (run->rules->ignore_failure && !result->signal) return STATUS_OK;
    telling_line(result->stderr_tail, sizeof said, said);
    if (could_not_start(said)) return error_set(run->error, STATUS_FAILED, "%s", said);
    if (result->signal)
        return error_set(run->error, STATUS_FAILED, "%s was ended by signal %d (%s); on standard error: %s", name,
                         result->signal, strsignal(result->signal), said);
    return error_set(run->error, STATUS_FAILED, "%s ended with status %d (-i accepts that); on standard error: %s",
                     name, result->exit_status, said);
}

static void tell_left_behind(const struct command_run *run)
{
    char name[256];
    struct command_hooks *hooks = run->measurement->hooks;
    int count = run->result.left_behind;
    if (count == 0 || hooks->told_left) return;
    hooks->told_left = true;
    fprintf(stderr, "speedup: %d process%s that %s had left behind when it ended %s ended, too\n", count,
            count == 1 ? "" : "es", name_command(run, sizeof name, name), count == 1 ? "was" : "were");
}

/* reads: what it prints is of interest. */
static int run_once(struct command_run *run, const struct launch_line *line, bool reads)
{
    const struct command_rules *rules = run->rules;
    const int *descriptors;
    bool takes = rules->show_output || (reads && (run->keep || rules->same_output));
    const struct spawn_options options = {.time_limit_s = run->session->time_limit_s,
                                          .streams = takes ? STREAMS_TAKEN : STREAMS_DROPPED,
                                          .pass_stderr = rules->show_output,
                                          .context = run,
                                          .bytes = takes ? take_bytes : NULL,
                                          .tick = run->session->on_tick ? tick : NULL,
                                          .watched_count = watching_descriptors(&run->watching, &descriptors),
                                          .watched = descriptors,
                                          .watched_context = &run->watching,
                                          .on_watched = watching_drain};
    free(run->output);
    run->output = NULL;
    run->length = run->room = 0;
    run->hash = HASH_OFFSET;
    int status = explain_end(run, spawn_run(line, &options, &run->result, run->error));
    tell_left_behind(run);
    return status;
}

/* Untimed runs, each between its hooks. */
static int warm_up(struct command_run *run, const struct launch_line *line)
{
    const struct config *command = run->measurement->command;
    struct command_hooks *hooks = run->measurement->hooks;
    int status = STATUS_OK;
    for (int i = 0; i < run->measurement->warmups && !status; i++) {
        status = hooks_prepare(hooks, command, run->error);
        if (!status) status = run_once(run, line, false);
        if (!status) status = hooks_conclude(hooks, command, run->error);
    }
    return status;
}

static int run_watched(struct command_run *run, const struct launch_line *line)
{
    const struct cpu_list *cpus = &run->measurement->mode->cpus;
    bool or_sampled = run->measurement->seen != NULL;
    int status = watching_begin(&run->session->machine, or_sampled, &run->watching, run->error);
    if (status) return status;
    double throttled_s = cgroup_throttled_s();
    cpu_counters_read(cpus->count, cpus->cpus, run->before);
    run->date_s = clock_date_s();
    status = run_once(run, line, true);
    cpu_counters_read(cpus->count, cpus->cpus, run->after);
    run->throttled_s = cgroup_throttled_s() - throttled_s;
    if (!status && watching_sees(&run->watching) && watching_timeline(&run->watching, &run->timeline))
        status = error_set(run->error, STATUS_FAILED, "no memory is left for the context-switch records");
    return status;
}

static bool same_problem(const struct config *a, const struct config *b)
{
    bool same = strcmp(a->size, b->size) == 0 && a->option_count == b->option_count;
    for (int i = 0; i < a->option_count && same; i++)
        same = strcmp(a->options[i].name, b->options[i].name) == 0 &&
               strcmp(a->options[i].value, b->options[i].value) == 0;
    return same;
}

/* The first right answer of the same problem, in the record too; NULL. */
static const struct sample *find_first(const struct command_run *run)
{
    const struct results *results = &run->session->results;
    const struct sample *first = NULL;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            if (sample->correct && same_problem(&sample->config, run->measurement->command) &&
                (!first || sample->launch < first->launch))
                first = sample;
        }
    return first;
}

static void check_answer(struct command_run *run, struct sample *sample)
{
    const struct command_rules *rules = run->rules;
    const char *output = run->output ? run->output : "";
    const struct sample *first = rules->same_output ? find_first(run) : NULL;
    sample->correct =
        command_check_output(rules, run->length, output, sizeof sample->check_detail, sample->check_detail);
    if (!rules->same_output) return;
    sample->checksum = run->hash;
    if (!sample->correct || !first || first->checksum == run->hash) return;
    sample->correct = false;
    snprintf(sample->check_detail, sizeof sample->check_detail,
             "its standard output is not that of mode %s, %d worker%s (--same-output): hash %016llx, not %016llx",
             mode_name_text(first->config.mode.name), mode_workers(&first->config.mode),
             mode_workers(&first->config.mode) == 1 ? "" : "s", (unsigned long long)run->hash,
             (unsigned long long)first->checksum);
}

static int fill_sample(struct command_run *run, struct sample *sample)
{
    const struct measurement *measurement = run->measurement;
    const struct spawn_result *result = &run->result;
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
                                    .cpu_count = measurement->mode->cpus.count,
                                    .cpus = measurement->mode->cpus.cpus,
                                    .before = run->before,
                                    .after = run->after};
    double own_s;
    sample->config = *measurement->command;
    sample->start_s = run->date_s;
    sample->work = measurement->work;
    snprintf(sample->work_unit, sizeof sample->work_unit, "%s", measurement->work_unit);
    sample->result = sample->ceiling_rate = NAN;
    sample->exit_status = result->signal ? 128 + result->signal : result->exit_status;
    check_answer(run, sample);
    int status = command_read_time(run->rules, run->length, run->output ? run->output : "", result->stderr_tail, &own_s,
                                   run->error);
    if (status && sample->correct) return status;
    sample->wall_s = isnan(own_s) ? result->wall_s : own_s;
    if (outside_fill(&outside, sample)) return error_set(run->error, STATUS_FAILED, "no memory is left for the sample");
    return STATUS_OK;
}

/* The time of the command, and names for its tasks. */
static void hand_over_timeline(struct command_run *run)
{
    struct timeline *seen = run->measurement->seen;
    if (!seen) return;
    double begin_s = run->result.start_s - run->timeline.start_s;
    *seen = run->timeline;
    timeline_init(&run->timeline);
    timeline_cut(seen, begin_s, begin_s + run->result.wall_s);
    outside_name_tasks(run->measurement->mode, seen);
}

static int take_sample(struct command_run *run, int repeat, bool *usable_p)
{
    struct sample sample;
    sample_init(&sample);
    sample.repeat = repeat;
    int status = fill_sample(run, &sample);
    if (!status) status = session_take_sample(run->session, run->measurement, NAN, &sample, run->error);
    *usable_p = !status && sample.validity != SAMPLE_INVALID;
    if (!status && !sample.correct) status = STATUS_WRONG;
    if (!status) hand_over_timeline(run);
    sample_release(&sample);
    return status;
}

static int launch_once(struct session *session, const struct measurement *measurement, int repeat, bool *usable_p,
                       struct error *error)
{
    const struct command_rules *rules = measurement->hooks->rules;
    struct command_run *run = calloc(1, sizeof *run);
    struct launch_line *line = NULL;
    if (!run) return error_set(error, STATUS_FAILED, "no memory");
    *run = (struct command_run){.session = session,
                                .measurement = measurement,
                                .rules = rules,
                                .error = error,
                                .keep = rules->time_regex || rules->time_json || rules->check_regex};
    timeline_init(&run->timeline);
    int status = session_launch_line(session, measurement, &line, error);
    if (!status) status = hooks_set_up(measurement->hooks, measurement->command, error);
    if (!status) status = warm_up(run, line);
    if (!status) status = hooks_prepare(measurement->hooks, measurement->command, error);
    if (!status) status = run_watched(run, line);
    if (!status) status = take_sample(run, repeat, usable_p);
    session->launch_count++;
    struct error conclude_error;
    int conclude_status =
        status ? STATUS_OK : hooks_conclude(measurement->hooks, measurement->command, &conclude_error);
    if (conclude_status) {
        *error = conclude_error;
        status = conclude_status;
    }
    launch_line_free(line);
    watching_release(&run->watching);
    timeline_release(&run->timeline);
    free(run->output);
    free(run);
    return status;
}

int session_measure_command(struct session *session, const struct measurement *measurement, int *got_p,
                            struct error *error)
{
    int got = 0, status = STATUS_OK;
    for (int i = 0; i < measurement->launches_max && got < measurement->runs && !status; i++) {
        bool usable = false;
        status = launch_once(session, measurement, i, &usable, error);
        got += usable;
    }
    *got_p = got;
    return status;
}
