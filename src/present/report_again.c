/* How to measure it again: the study's own command, made anew from its line in the record, and the launch lines. What
 * is at its default is left out. Anything of a record may be what a shell would take for more than a word: it is
 * quoted. */
#include "report_study.h"

#include "../plan/quote.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_LENGTH = 4096 };

static const char *text_of(const json_t *study, const char *name)
{
    const char *text = json_string_value(json_object_get(study, name));
    return text ? text : "";
}

static int number_of(const json_t *study, const char *name)
{
    return (int)json_integer_value(json_object_get(study, name));
}

static void write_option(FILE *file, const char *name, const char *value)
{
    fprintf(file, " --");
    quote_write(file, name);
    fputc(' ', file);
    quote_write(file, value);
}

static void write_list(FILE *file, const char *name, const json_t *values)
{
    char text[4096];
    size_t used = 0, i;
    const json_t *value;
    json_array_foreach(values, i, value)
    {
        if (used >= sizeof text) break;
        if (json_is_string(value))
            used +=
                (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "," : "", json_string_value(value));
        if (json_is_integer(value))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%" JSON_INTEGER_FORMAT, used ? "," : "",
                                     json_integer_value(value));
    }
    if (used > 0) write_option(file, name, text);
}

/* Of the kernel's own options those that are not at their default; the study's line does not have them, its samples do.
 */
static void write_kernel_options(FILE *file, const struct kernel *kernel, const struct config *config)
{
    for (int i = 0; i < config->option_count; i++) {
        const struct config_option *option = &config->options[i];
        char fallback[128] = "";
        for (const struct kernel_option *own = kernel ? kernel->options : NULL; own && own->name; own++)
            if (strcmp(own->name, option->name) == 0)
                kernel_option_format(own, own->fallback, sizeof fallback, fallback);
        if (strcmp(fallback, option->value)) write_option(file, option->name, option->value);
    }
}

static void write_runs(FILE *file, const json_t *study)
{
    int least = number_of(study, "runs_min"), most = number_of(study, "runs_max");
    double precision = json_number_value(json_object_get(study, "precision"));
    char text[64];
    snprintf(text, sizeof text, least == most ? "%d" : "%d:%d", least, most);
    if (least > 0 && (least != 6 || most != 30)) write_option(file, "runs", text);
    snprintf(text, sizeof text, "%.6g%%", 100 * precision);
    if (precision > 0 && precision != 0.02) write_option(file, "precision", text);
    snprintf(text, sizeof text, "%d", number_of(study, "warmups"));
    if (number_of(study, "warmups") > 0) write_option(file, "warmup", text);
}

static void write_seeds(FILE *file, const json_t *study, const struct kernel *kernel)
{
    char usual[32] = "";
    if (kernel) snprintf(usual, sizeof usual, "%" PRIu64, kernel->seed_default);
    if (*text_of(study, "seed") && strcmp(text_of(study, "seed"), "1"))
        write_option(file, "seed", text_of(study, "seed"));
    if (*text_of(study, "data_seed") && strcmp(text_of(study, "data_seed"), usual))
        write_option(file, "data-seed", text_of(study, "data_seed"));
}

/* How its workers shared a CPU; absent where all was as usual. */
static void write_scheduling(FILE *file, const json_t *study)
{
    const json_t *scheduling = json_object_get(study, "scheduling");
    const char *policy = text_of(scheduling, "policy");
    char text[64];
    if (*policy && strcmp(policy, scheduling_policy_text(POLICY_OTHER))) write_option(file, "policy", policy);
    snprintf(text, sizeof text, "%d", number_of(scheduling, "nice"));
    if (number_of(scheduling, "nice") != 0) write_option(file, "nice", text);
    snprintf(text, sizeof text, "%.9gms", number_of(scheduling, "slice_ns") / 1e6);
    if (number_of(scheduling, "slice_ns") > 0) write_option(file, "slice", text);
}

/* What both kinds of studies have. */
static void write_plan(FILE *file, const json_t *study)
{
    char text[32];
    if (json_is_true(json_object_get(study, "per_node"))) {
        fputs(" --per-node", file);
        return;
    }
    write_list(file, "modes", json_object_get(study, "modes"));
    write_list(file, "workers", json_object_get(study, "workers"));
    snprintf(text, sizeof text, "%d", number_of(study, "base"));
    if (number_of(study, "base") > 1) write_option(file, "base", text);
}

static void write_surroundings(FILE *file, const json_t *study)
{
    if (*text_of(study, "cpus")) write_option(file, "cpus", text_of(study, "cpus"));
    if (*text_of(study, "wait_policy")) write_option(file, "wait-policy", text_of(study, "wait_policy"));
    write_scheduling(file, study);
    fputs(" -o again.jsonl", file);
}

static void write_kernel(FILE *file, const struct results *results)
{
    const json_t *study = results->study;
    const char *name = text_of(study, "kernel"), *variant = text_of(study, "variant");
    const struct kernel *kernel = kernel_find(name);
    fputc(' ', file);
    quote_write(file, name);
    if (*variant && (!kernel || strcmp(variant, kernel->variant_default))) write_option(file, "variant", variant);
    write_plan(file, study);
    if (strcmp(text_of(study, "scaling"), "weak") == 0) write_option(file, "scaling", "weak");
    write_option(file, "size", text_of(study, "size"));
    if (results->group_count > 0) write_kernel_options(file, kernel, &results->groups[0].config);
    write_runs(file, study);
    write_seeds(file, study, kernel);
    write_surroundings(file, study);
}

/* Where the study has such a text, which may be any bytes. */
static void write_text_option(FILE *file, const json_t *object, const char *name, const char *option)
{
    char text[WORD_LENGTH];
    if (record_decode_text(json_object_get(object, name), sizeof text, text) > 0) write_option(file, option, text);
}

/* -L NAME VALUE,VALUE */
static void write_parameters(FILE *file, const json_t *parameters)
{
    const char *name;
    json_t *values;
    json_object_foreach((json_t *)parameters, name, values)
    {
        char list[WORD_LENGTH] = "", value[WORD_LENGTH];
        size_t used = 0;
        for (size_t i = 0; i < json_array_size(values); i++) {
            int length = record_decode_text(json_array_get(values, i), sizeof value, value);
            if (length < 0 || used + (size_t)length + 2 > sizeof list) return;
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? "," : "", value);
        }
        fputs(" -L ", file);
        quote_write(file, name);
        fputc(' ', file);
        quote_write(file, list);
    }
}

/* "regex UNIT PATTERN", "json UNIT PATH" (config.h). */
static void write_time(FILE *file, const char *time)
{
    const char *unit = strchr(time, ' '), *what = unit ? strchr(unit + 1, ' ') : NULL;
    char text[32];
    if (!what) return;
    write_option(file, strncmp(time, "json ", 5) == 0 ? "time-json" : "time-regex", what + 1);
    snprintf(text, sizeof text, "%.*s", (int)(what - unit - 1), unit + 1);
    if (strcmp(text, "s")) write_option(file, "time-unit", text);
}

static void write_words(FILE *file, const json_t *words, const char *lead)
{
    for (size_t i = 0; i < json_array_size(words); i++) {
        char text[WORD_LENGTH];
        if (record_decode_text(json_array_get(words, i), sizeof text, text) < 0) continue;
        fputs(lead, file);
        quote_write(file, text);
    }
}

/* The launcher is there only where one was asked for; else it follows from the modes. */
static void write_target(FILE *file, const json_t *study)
{
    static const char *const hooks[][2] = {{"setup", "setup"},
                                           {"prepare", "prepare"},
                                           {"conclude", "conclude"},
                                           {"cleanup", "cleanup"},
                                           {"check_regex", "check-regex"}};
    const json_t *target = json_object_get(study, "target");
    char time[WORD_LENGTH];
    write_parameters(file, json_object_get(study, "parameters"));
    write_text_option(file, study, "size", "size");
    write_text_option(file, study, "weak", "weak");
    write_plan(file, study);
    write_text_option(file, target, "launcher", "launcher");
    write_words(file, json_object_get(target, "env"), " --env ");
    if (json_is_false(json_object_get(target, "bind"))) fputs(" --no-bind", file);
    if (json_is_true(json_object_get(target, "shell"))) fputs(" --shell", file);
    if (record_decode_text(json_object_get(target, "time"), sizeof time, time) > 0) write_time(file, time);
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) write_text_option(file, study, hooks[i][0], hooks[i][1]);
    if (json_is_true(json_object_get(study, "same_output"))) fputs(" --same-output", file);
    if (json_is_true(json_object_get(study, "ignore_failure"))) fputs(" --ignore-failure", file);
    write_runs(file, study);
    if (*text_of(study, "seed") && strcmp(text_of(study, "seed"), "1"))
        write_option(file, "seed", text_of(study, "seed"));
    write_surroundings(file, study);
    fputs(" --", file);
    write_words(file, json_object_get(target, "argv"), " ");
}

static bool is_of_command(const json_t *study)
{
    return json_is_object(json_object_get(study, "target"));
}

static void write_command(FILE *file, const struct results *results)
{
    fputs("speedup study", file);
    if (is_of_command(results->study))
        write_target(file, results->study);
    else
        write_kernel(file, results);
}

char *report_command(const struct results *results)
{
    char *text = NULL;
    size_t length = 0;
    if (!results->study) return NULL;
    FILE *file = open_memstream(&text, &length);
    if (!file) return NULL;
    write_command(file, results);
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (!failed) return text;
    free(text);
    return NULL;
}

void report_write_again(FILE *file, const struct html_place *place, const struct study_part *part)
{
    char *command = report_command(part->results);
    const char *isa = text_of(part->results->study, "isa");
    html_open_section(file, place, "again", "Measure it again");
    if (study_all_timings(part->curves)) {
        fputs("<p>How these times were taken is not known. A study of your own, and its report:</p>\n"
              "<pre>speedup study pi -o results.jsonl\nspeedup report results.jsonl -o report.html</pre>\n",
              file);
    } else if (command) {
        html_write(file, "<p>The same study, into a file of its own:</p>\n<pre>%s</pre>\n", command);
        if (*isa && !is_of_command(part->results->study))
            html_write(file,
                       "<p>It ran with the instruction set %s; <code>SPEEDUP_ISA=%s</code> before the command makes "
                       "another machine use the same.</p>\n",
                       isa, isa);
        fputs("<p>Whether it came out the same, with intervals and adjusted for the number of comparisons:</p>\n"
              "<pre>speedup compare RECORD again.jsonl</pre>\n",
              file);
    } else {
        fputs("<p>The record is of single runs, and holds no plan of a study.</p>\n", file);
    }
    size_t launches = json_array_size(json_object_get(part->results->context, "launches"));
    if (launches > 0) html_write(file, "<details>\n<summary>The %d launch lines</summary>\n", (int)launches);
    report_write_launches(file, part->results->context);
    fputs(launches > 0 ? "</details>\n" : "", file);
    free(command);
    fputs("</section>\n", file);
}
