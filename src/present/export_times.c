/* The times of all launches, for programs that make their own statistics of them. Points without a valid launch are
 * left out. */
#include "export.h"

#include "../plan/command.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_LENGTH = 4096 };

/* A command of the user's, and what starts its ranks. */
static void describe_target(const struct config *config, size_t length, char *text)
{
    const char *launcher = config->command.launcher;
    struct error error;
    char *custom = NULL;
    size_t used = 0;
    text[0] = '\0';
    if (strcmp(launcher, "mpirun") == 0 || strcmp(launcher, "mpiexec") == 0 || strcmp(launcher, "srun") == 0)
        used = (size_t)snprintf(text, length, "%s -n %d ", launcher, config->mode.ranks);
    else if (strcmp(launcher, "none") && command_expand(config, launcher, &custom, &error) == STATUS_OK)
        used = (size_t)snprintf(text, length, "%s ", custom);
    if (used < length) target_text_expanded(config, 1000, length - used, text + used);
    free(custom);
}

/* A command that does the same; of somebody else's timings the name alone. */
static void describe_command(const struct config *config, size_t length, char *text)
{
    size_t used;
    if (target_is_command(config)) {
        describe_target(config, length, text);
        return;
    }
    if (curve_is_timings(config)) {
        snprintf(text, length, "%s, %d workers", config->kernel, mode_workers(&config->mode));
        return;
    }
    used = (size_t)snprintf(text, length, "speedup run %s --variant %s --size %s --mode %s", config->kernel,
                            config->variant, config->size, mode_name_text(config->mode.name));
    if (config->mode.name == MODE_HYBRID && used < length)
        used += (size_t)snprintf(text + used, length - used, " --ranks %d --threads %d", config->mode.ranks,
                                 config->mode.threads);
    else if (config->mode.name != MODE_SERIAL && used < length)
        used += (size_t)snprintf(text + used, length - used, " --workers %d", mode_workers(&config->mode));
    const struct scheduling *scheduling = &config->mode.scheduling;
    if (scheduling->policy != POLICY_OTHER && used < length)
        used +=
            (size_t)snprintf(text + used, length - used, " --policy %s", scheduling_policy_text(scheduling->policy));
    if (scheduling->nice != 0 && used < length)
        used += (size_t)snprintf(text + used, length - used, " --nice %d", scheduling->nice);
    if (scheduling->slice_ns > 0 && used < length)
        used += (size_t)snprintf(text + used, length - used, " --slice %.9gms", scheduling->slice_ns / 1e6);
    for (int i = 0; i < config->option_count && used < length; i++)
        used +=
            (size_t)snprintf(text + used, length - used, " --%s %s", config->options[i].name, config->options[i].value);
}

/* All are text in hyperfine's files. */
static json_t *encode_parameters(const struct curves *curves, const struct config *config)
{
    char workers[16];
    snprintf(workers, sizeof workers, "%d", mode_workers(&config->mode));
    json_t *object = json_object();
    if (!target_is_command(config)) {
        json_object_set_new(object, "kernel", target_json_text(config->kernel));
        json_object_set_new(object, "variant", target_json_text(config->variant));
    }
    if (!target_is_command(config) || *config->size)
        json_object_set_new(object, "size", target_json_text(config->size));
    json_object_set_new(object, "workers", json_string(workers));
    for (int i = 0; target_is_command(config) && i < config->option_count; i++)
        json_object_set_new(object, config->options[i].name, target_json_text(config->options[i].value));
    if (!curve_is_timings(config)) json_object_set_new(object, "mode", json_string(mode_name_text(config->mode.name)));
    char scheduling[128];
    if (!scheduling_is_default(&config->mode.scheduling))
        json_object_set_new(object, "scheduling",
                            json_string(scheduling_format(&config->mode.scheduling, sizeof scheduling, scheduling)));
    if (*curves->machine) json_object_set_new(object, "machine", json_string(curves->machine));
    return object;
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static double sample_user(const struct sample *sample)
{
    return sample->user_s;
}

static double sample_system(const struct sample *sample)
{
    return sample->system_s;
}

/* Over the samples that count, all of which tell it; else NAN. Means are what these files have. */
static double mean_of(const struct group *group, double (*number)(const struct sample *))
{
    double sum = 0;
    int count = 0;
    for (int s = 0; s < group->count; s++) {
        if (!sample_counts(&group->samples[s])) continue;
        sum += number(&group->samples[s]);
        count++;
    }
    return sum / count;
}

/* Of a command one a launch, as recorded; a kernel's worker that has a valid sample ended well. */
static json_t *encode_codes(const struct group *group, int count)
{
    json_t *codes = json_array();
    if (!target_is_command(&group->config))
        for (int i = 0; i < count; i++) json_array_append_new(codes, json_integer(0));
    for (int s = 0; target_is_command(&group->config) && s < group->count; s++) {
        const struct sample *sample = &group->samples[s];
        if (sample_counts(sample))
            json_array_append_new(codes, sample->exit_status < 0 ? json_null() : json_integer(sample->exit_status));
    }
    return codes;
}

/* user and system: of a kernel the record has the CPU time as one, so neither is known. */
static json_t *encode_result(const struct curves *curves, const struct group *group, int count, const double times[])
{
    double sum = 0, squares = 0, low = times[0], high = times[0];
    char command[COMMAND_LENGTH];
    bool outside = target_is_command(&group->config);
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        sum += times[i];
        low = fmin(low, times[i]);
        high = fmax(high, times[i]);
        json_array_append_new(list, json_real(times[i]));
    }
    for (int i = 0; i < count; i++) squares += (times[i] - sum / count) * (times[i] - sum / count);
    describe_command(&group->config, sizeof command, command);
    return json_pack("{s:o, s:f, s:o, s:f, s:o, s:o, s:f, s:f, s:o, s:o, s:o}", "command", target_json_text(command),
                     "mean", sum / count, "stddev", real_or_null(count > 1 ? sqrt(squares / (count - 1)) : NAN),
                     "median", median(count, times), "user", real_or_null(outside ? mean_of(group, sample_user) : NAN),
                     "system", real_or_null(outside ? mean_of(group, sample_system) : NAN), "min", low, "max", high,
                     "times", list, "exit_codes", encode_codes(group, count), "parameters",
                     encode_parameters(curves, &group->config));
}

static int add_result(json_t *list, const struct curves *curves, const struct group *group)
{
    double *times = malloc(sizeof *times * (size_t)(group->count + 1));
    if (!times) return -ENOMEM;
    int count = export_launches(group, times), status = 0;
    if (count > 0) status = json_array_append_new(list, encode_result(curves, group, count, times));
    free(times);
    return status ? -ENOMEM : 0;
}

int export_hyperfine(FILE *file, int count, const struct study_part parts[])
{
    json_t *list = json_array();
    int status = list ? 0 : -ENOMEM;
    for (int p = 0; p < count; p++)
        for (int c = 0; c < parts[p].curves->count; c++)
            for (int i = 0; i < parts[p].curves->curves[c].count && !status; i++)
                status = add_result(list, parts[p].curves, parts[p].curves->curves[c].points[i].group);
    json_t *object = json_pack("{s:o}", "results", list);
    if (!object) status = -ENOMEM;
    if (!status) json_dumpf(object, file, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (!status) fputc('\n', file);
    json_decref(object);
    return status;
}

static const struct curve_point *find_point(const struct curve *curve, int workers)
{
    for (int i = 0; i < curve->count; i++)
        if (curve->points[i].workers == workers && curve->points[i].valid > 0) return &curve->points[i];
    return NULL;
}

/* Whether a curve has a valid point for each of another's. */
static bool covers(const struct curve *curve, const struct curve *wanted)
{
    for (int i = 0; i < wanted->count; i++)
        if (wanted->points[i].valid > 0 && !find_point(curve, wanted->points[i].workers)) return false;
    return true;
}

/* How many points can be told where the numbers of workers are those of `wanted`; those of one point tell nothing of
 * scaling. */
static int count_told(int count, const struct study_part parts[], const struct curve *wanted)
{
    int curves = 0, points = 0;
    for (int i = 0; i < wanted->count; i++) points += wanted->points[i].valid > 0;
    for (int p = 0; p < count && points > 1; p++)
        for (int c = 0; c < parts[p].curves->count; c++) curves += covers(&parts[p].curves->curves[c], wanted);
    return curves * points;
}

/* Extra-P's numbers of workers are those of the whole file, and a region has data for each of them in their order. So
 * they are those of the curve by which most points can be told. */
static const struct curve *choose_workers(int count, const struct study_part parts[])
{
    const struct curve *best = NULL;
    int most = 0;
    for (int p = 0; p < count; p++)
        for (int c = 0; c < parts[p].curves->count; c++) {
            int told = count_told(count, parts, &parts[p].curves->curves[c]);
            if (!best || told > most) best = &parts[p].curves->curves[c], most = told;
        }
    return best;
}

/* A region is a path, "kernel->variant->mode" or "command->mode", in one word: without blanks in it. */
static void print_region(FILE *file, const struct study_part *part, const struct config *config)
{
    const char *mode = curve_is_timings(config) ? "workers" : mode_name_text(config->mode.name);
    char scheduling[128], target[400], parameters[512] = "", text[1536];
    size_t used = 0;
    scheduling_format(&config->mode.scheduling, sizeof scheduling, scheduling);
    for (int i = 0; target_is_command(config) && i < config->option_count && used < sizeof parameters; i++)
        used += (size_t)snprintf(parameters + used, sizeof parameters - used, "->%s=%s", config->options[i].name,
                                 config->options[i].value);
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s->%s%s%s", part->curves->machine, *part->curves->machine ? "->" : "",
             target_text(config, 100, sizeof target, target), parameters, *config->variant ? "->" : "", config->variant,
             *config->size ? "->" : "", config->size, mode, *scheduling ? "->" : "", scheduling);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ') *c = '_';
    fputs(text, file);
}

static int print_data(FILE *file, const struct study_part *part, const struct curve *curve, const struct curve *wanted)
{
    fputs("\nREGION ", file);
    print_region(file, part, curve->config);
    fputs("\nMETRIC time\n", file);
    for (int i = 0; i < wanted->count; i++) {
        const struct curve_point *point = find_point(curve, wanted->points[i].workers);
        if (wanted->points[i].valid == 0 || !point) continue;
        double *times = malloc(sizeof *times * (size_t)(point->group->count + 1));
        if (!times) return -ENOMEM;
        int count = export_launches(point->group, times);
        for (int t = 0; t < count; t++) fprintf(file, "%s %.9g", t ? "" : "DATA", times[t]);
        fputc('\n', file);
        free(times);
    }
    return 0;
}

int export_extrap(FILE *file, int count, const struct study_part parts[])
{
    const struct curve *wanted = choose_workers(count, parts);
    int status = 0;
    fputs("# Wall times in seconds of all valid launches, for Extra-P's text input.\n"
          "# Numbers of workers that not all regions have are left out.\nPARAMETER workers\nPOINTS",
          file);
    for (int i = 0; wanted && i < wanted->count; i++)
        if (wanted->points[i].valid > 0) fprintf(file, " %d", wanted->points[i].workers);
    fputc('\n', file);
    for (int p = 0; p < count; p++)
        for (int c = 0; c < parts[p].curves->count && !status; c++) {
            const struct curve *curve = &parts[p].curves->curves[c];
            if (covers(curve, wanted)) {
                status = print_data(file, &parts[p], curve, wanted);
            } else {
                fputs("\n# Left out, as it lacks some of these numbers of workers: ", file);
                print_region(file, &parts[p], curve->config);
                fputc('\n', file);
            }
        }
    return status;
}
