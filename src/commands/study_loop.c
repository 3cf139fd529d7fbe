/* The blocks of a study. What is launched next follows from the plan and the records alone: within a block from what it
 * has so far (study_next), and from block to block from what had converged when the one before was whole.
 */
#include "study.h"

#include "../../kernels/ceilings/ceilings.h"
#include "../analyse/curve.h"
#include "../analyse/nodes.h"
#include "../observe/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS_A_RUN = 3, BUSY_BLOCKS = 3, FAILURES_MAX = 3 };

void study_show_progress(void *context, double elapsed_s)
{
    (void)elapsed_s;
    struct study_progress *progress = context;
    const struct study_options *options = progress->study->options;
    double spent_s = clock_wall_s() - progress->start_s, left_s = NAN;
    int least = options->runs_min - progress->block;
    if (progress->block_s > 0)
        left_s = fmin(options->budget_s - spent_s,
                      fmax(least, 1) * progress->block_s - (clock_wall_s() - progress->begun_s));
    char text[192];
    snprintf(text, sizeof text, "block %d: %s", progress->block + 1, progress->doing);
    present_progress(stderr, &progress->err, text, isnan(left_s) ? NAN : spent_s / (spent_s + fmax(left_s, 1)),
                     left_s > 1 ? left_s : NAN);
}

static int find_config(const struct study *study, const char *key)
{
    for (int i = 0; i < study->plan.count; i++)
        if (strcmp(study->keys[i], key) == 0) return i;
    return -1;
}

/* For session's on_failure. */
static void tell_failure(void *context, int launch, const char *cause)
{
    struct study_progress *progress = context;
    present_progress(stderr, &progress->err, NULL, NAN, NAN);
    fprintf(stderr, "speedup study: launch %d (%s) failed, and the study goes on: %s\n", launch + 1, progress->doing,
            cause);
}

/* The last failure of one that failed so often, and never worked: that is given up. NULL: it is not. */
static const struct sample *why_given_up(const struct study *study, int config)
{
    const struct results *results = &study->session.results;
    const struct sample *last = NULL;
    int failures = 0;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count && strcmp(results->groups[g].key, study->keys[config]) == 0; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            if (!sample_failed(sample)) return NULL;
            failures++;
            last = sample;
        }
    return failures >= FAILURES_MAX ? last : NULL;
}

static void tell_given_up(const struct study *study)
{
    char name[256];
    for (int i = 0; i < study->plan.count; i++) {
        const struct sample *last = why_given_up(study, i);
        if (last)
            fprintf(stderr, "speedup study: given up: %s: each of its launches failed; the last %s\n",
                    study_name_config(study, i, sizeof name, name), last->invalid_reason);
    }
}

/* Which configurations need no further launch: converged, or launched often enough. Of all samples of blocks before
 * `before`. */
static int find_known(const struct study *study, int before, bool converged_p[], struct error *error)
{
    const struct study_options *options = study->options;
    if (options->request.per_node) {
        int used;
        int failed = study_nodes_progress(study, before, &used, converged_p, error);
        *converged_p = used >= options->runs_max || (*converged_p && used >= options->runs_min);
        return failed;
    }
    struct results part;
    struct curves curves = {.count = 0};
    const struct results *all = &study->session.results;
    int status = 0;
    results_init(&part);
    for (int g = 0; g < all->group_count && !status; g++)
        for (int s = 0; s < all->groups[g].count && !status; s++)
            if (all->groups[g].samples[s].block < before) status = results_add(&part, &all->groups[g].samples[s]);
    part.study = json_incref(all->study);
    if (!status) status = curves_build(&part, study->options->precision, &curves);
    memset(converged_p, 0, (size_t)study->plan.count * sizeof *converged_p);
    for (int g = 0; g < part.group_count && !status; g++) {
        const struct curve_point *point = curves_find(&curves, &part.groups[g]);
        int config = find_config(study, part.groups[g].key);
        if (config < 0 || !point) continue;
        int usable = point->valid + point->not_judged;
        converged_p[config] =
            usable >= study->options->runs_max || (point->converged && point->valid >= study->options->runs_min);
    }
    curves_release(&curves);
    results_release(&part);
    return status ? error_set(error, STATUS_FAILED, "no memory") : STATUS_OK;
}

/* Those, and what is given up. */
static int find_converged(const struct study *study, int before, bool converged_p[], struct error *error)
{
    int status = find_known(study, before, converged_p, error);
    for (int i = 0; i < study->plan.count && !status; i++) converged_p[i] |= why_given_up(study, i) != NULL;
    return status;
}

/* Not to be launched again in its block. */
static bool is_usable(const struct study *study, const struct sample *sample)
{
    return study->options->request.per_node ? nodes_counts(sample) : sample->validity != SAMPLE_INVALID;
}

/* What is given up counts as launched in this block, bases too. *launches_p: heap, the caller's. Returns how many, or
 * -1: no memory. */
static int collect_launches(const struct study *study, int block, struct study_launch **launches_p)
{
    const struct results *results = &study->session.results;
    int count = 0, room = 1;
    for (int g = 0; g < results->group_count; g++) room += results->groups[g].count;
    room += study->plan.count;
    struct study_launch *launches = calloc((size_t)room, sizeof *launches);
    if (!launches) return -1;
    for (int g = 0; g < results->group_count; g++) {
        int config = find_config(study, results->groups[g].key);
        for (int s = 0; s < results->groups[g].count && config >= 0; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            launches[count++] = (struct study_launch){config, sample->block, is_usable(study, sample)};
        }
    }
    for (int i = 0; i < study->plan.count; i++)
        if (why_given_up(study, i)) launches[count++] = (struct study_launch){i, block, true};
    *launches_p = launches;
    return count;
}

/* The next configuration of the block; -1: complete, -2: no memory. */
static int next_of_block(const struct study *study, int block, const bool converged[])
{
    struct study_launch *launches;
    int count = collect_launches(study, block, &launches);
    if (count < 0) return -2;
    int next = study_next(&study->plan, block, converged, count, launches);
    free(launches);
    return next;
}

static int last_block(const struct results *results)
{
    int last = 0;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++)
            if (results->groups[g].samples[s].block > last) last = results->groups[g].samples[s].block;
    return last;
}

/* Disturbed, that is. */
static int invalid_in_block(const struct results *results, int block)
{
    int count = 0;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++) {
            const struct sample *sample = &results->groups[g].samples[s];
            count += sample->block == block && sample->validity == SAMPLE_INVALID && !sample_failed(sample);
        }
    return count;
}

/* The best of some short tries: what interrupts one of them does not count. */
static double reference_rate(void)
{
    enum { TRIES = 4 };
    double best = 0;
    for (int i = 0; i < TRIES; i++) best = fmax(best, ceiling_rate(ceiling_run_peak(ISA_BASE, 1e-3)));
    return best;
}

/* The speed of each CPU that is used, by a loop that is always the same: what the machine's clock did meanwhile. */
static int write_reference(struct study *study, int block, const char *when, struct error *error)
{
    struct cpu_list before, cpus = {.count = 0};
    json_t *numbers = json_array(), *rates = json_array();
    for (int i = 0; i < study->plan.count; i++)
        if (study->plan.configs[i].mode.cpus.count > cpus.count) cpus = study->plan.configs[i].mode.cpus;
    bool known = bind_read(&before) > 0;
    for (int i = 0; i < cpus.count && bind_thread(cpus.cpus[i]) == 0; i++) {
        json_array_append_new(numbers, json_integer(cpus.cpus[i]));
        json_array_append_new(rates, json_real(reference_rate()));
    }
    if (known) bind_process(&before);
    json_t *line =
        json_pack("{s:s, s:i, s:s, s:i, s:s, s:o, s:o}", "type", "reference", "schema", RECORD_SCHEMA, "study",
                  study->session.study, "block", block, "when", when, "cpus", numbers, "flop_per_s", rates);
    if (!line || results_add_reference(&study->session.results, json_incref(line)))
        return error_set(error, STATUS_FAILED, "no memory");
    return session_write_line(&study->session, line, error);
}

static int launch_next(struct study *study, struct study_progress *progress, int config, struct error *error)
{
    study_name_config(study, config, sizeof progress->doing, progress->doing);
    study_show_progress(progress, 0);
    if (study->options->has_command) {
        struct command_measurement measurement = study_command_measurement(study, config);
        bool usable;
        measurement.block = progress->block;
        int status = hooks_set_up(&study->hooks, &study->session, measurement.config, error);
        return status ? status : command_measure(&study->session, &measurement, &usable, error);
    }
    struct measurement measurement = study_measurement(study, config);
    int got;
    measurement.block = progress->block;
    return session_measure(&study->session, &measurement, &got, error);
}

static bool out_of_time(const struct study *study, const struct study_progress *progress)
{
    return clock_wall_s() - progress->start_s > study->options->budget_s;
}

static int run_block(struct study *study, struct study_progress *progress, const bool converged[], struct error *error)
{
    struct neighbours after;
    int config, status = write_reference(study, progress->block, "before", error);
    neighbours_read(&progress->before);
    progress->begun_s = clock_wall_s();
    while (!status && (config = next_of_block(study, progress->block, converged)) >= 0) {
        if (out_of_time(study, progress)) break;
        status = launch_next(study, progress, config, error);
    }
    neighbours_read(&after);
    int invalid = invalid_in_block(&study->session.results, progress->block);
    if (invalid > progress->busiest_invalid)
        neighbours_busiest(&progress->before, &after, sizeof progress->busiest, progress->busiest);
    if (invalid > progress->busiest_invalid) progress->busiest_invalid = invalid;
    neighbours_release(&after);
    neighbours_release(&progress->before);
    progress->block_s = clock_wall_s() - progress->begun_s;
    return status ? status : write_reference(study, progress->block, "after", error);
}

/* Blocks enough were tried this time, and not one sample was undisturbed. */
static bool too_busy(const struct study *study, int first, int blocks)
{
    const struct results *results = &study->session.results;
    if (blocks < BUSY_BLOCKS) return false;
    for (int g = 0; g < results->group_count; g++)
        for (int s = 0; s < results->groups[g].count; s++)
            if (results->groups[g].samples[s].block >= first && is_usable(study, &results->groups[g].samples[s]))
                return false;
    return true;
}

/* A line a block, on a terminal: what each configuration has come to so far. */
static int print_block(const struct study *study, const struct study_progress *progress, struct error *error)
{
    struct curves curves;
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "block %d:", progress->block + 1);
    if (!isatty(STDERR_FILENO) || study->options->request.per_node) return STATUS_OK;
    if (curves_build(&study->session.results, study->options->precision, &curves))
        return error_set(error, STATUS_FAILED, "no memory");
    for (int c = 0; c < curves.count; c++)
        for (int i = 0; i < curves.curves[c].count && used < sizeof text; i++) {
            const struct curve_point *point = &curves.curves[c].points[i];
            const struct spread *speedup = curves.curves[c].serial ? &point->speedup : &point->own;
            if (point->valid == 0) continue;
            used += (size_t)snprintf(text + used, sizeof text - used, " %s %d x%.2f%s",
                                     mode_name_text(point->group->config.mode.name), point->workers, speedup->middle,
                                     point->converged ? "" : "~");
        }
    curves_release(&curves);
    present_progress(stderr, &progress->err, NULL, NAN, NAN);
    if (progress->block == 0 && used < sizeof text)
        snprintf(text + used, sizeof text - used, "  (~: not yet known to %.3g %%)", 100 * study->options->precision);
    fprintf(stderr, "%s\n", text);
    return STATUS_OK;
}

static int count_converged(const struct study *study, const bool converged[])
{
    int count = 0;
    for (int i = 0; i < study->plan.count; i++) count += converged[i];
    return count;
}

/* Blocks, until all is known well enough, or the blocks or the time are used up. Disturbed blocks do not count, but
 * there is an end to patience. */
int study_run_blocks(struct study *study, struct study_progress *progress, struct error *error)
{
    bool *converged = calloc((size_t)study->plan.count, sizeof *converged);
    int status = converged ? STATUS_OK : error_set(error, STATUS_FAILED, "no memory");
    int first = progress->block = last_block(&study->session.results);
    study->session.on_failure = tell_failure;
    for (; !status; progress->block++) {
        int blocks = progress->block - first;
        status = find_converged(study, progress->block, converged, error);
        if (status) break;
        progress->converged = count_converged(study, converged);
        progress->end = progress->converged == study->plan.count            ? STUDY_COMPLETE
                        : out_of_time(study, progress)                      ? STUDY_OUT_OF_TIME
                        : too_busy(study, first, blocks)                    ? STUDY_TOO_BUSY
                        : blocks >= BLOCKS_A_RUN * study->options->runs_max ? STUDY_TOO_MANY
                                                                            : STUDY_GOES_ON;
        if (progress->end != STUDY_GOES_ON) break;
        status = run_block(study, progress, converged, error);
        if (!status) status = print_block(study, progress, error);
        if (!status && progress->block == first) study_hint_at_size(study);
    }
    free(converged);
    study->session.on_failure = NULL;
    present_progress(stderr, &progress->err, NULL, NAN, NAN);
    tell_given_up(study);
    return status;
}
