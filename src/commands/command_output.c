#include "command_output.h"

#include "../record/record.h"
#include "command_run.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t length_max = (size_t)256 << 20;

void command_output_init(struct command_output *output, bool text, bool hashed, bool shown)
{
    *output = (struct command_output){.text = text, .hashed = hashed, .shown = shown};
    command_output_reset(output);
}

void command_output_release(struct command_output *output)
{
    free(output->bytes);
    output->bytes = NULL;
}

void command_output_reset(struct command_output *output)
{
    output->length = 0;
    output->hash = output->hashed ? record_hash(0, "") : 0;
    if (output->bytes) output->bytes[0] = '\0';
}

bool command_output_is_wanted(const struct command_output *output)
{
    return output->text || output->hashed || output->shown;
}

static void show(size_t length, const char *bytes)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written < 0 && errno != EINTR) return;
        if (written <= 0) continue;
        bytes += written;
        length -= (size_t)written;
    }
}

int command_output_add(struct command_output *output, size_t length, const char *bytes)
{
    if (output->shown) show(length, bytes);
    if (output->hashed) output->hash = record_hash_more(output->hash, length, bytes);
    if (!output->text) return 0;
    if (length > length_max - output->length) return STATUS_FAILED;
    if (output->length + length + 1 > output->room) {
        size_t room = 2 * (output->length + length) + 4096;
        char *grown = realloc(output->bytes, room);
        if (!grown) return STATUS_FAILED;
        output->bytes = grown;
        output->room = room;
    }
    for (size_t i = 0; i < length; i++) output->bytes[output->length++] = bytes[i] ? bytes[i] : '\n';
    output->bytes[output->length] = '\0';
    return 0;
}

bool command_output_matches(const struct command_output *output, const regex_t *regex)
{
    return regexec(regex, output->bytes ? output->bytes : "", 0, NULL, 0) == 0;
}

/* "regex ms PATTERN": the unit in seconds, and what follows it. */
static double unit_of(const char *time, const char **rest_p)
{
    static const struct {
        const char *name;
        double unit_s;
    } units[] = {{"s ", 1}, {"ms ", 1e-3}, {"us ", 1e-6}};
    const char *at = time + strcspn(time, " ");
    at += *at == ' ';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strncmp(at, units[i].name, strlen(units[i].name)) == 0) {
            *rest_p = at + strlen(units[i].name);
            return units[i].unit_s;
        }
    return NAN;
}

/* The first group of the last match; NAN. */
static double find_by_regex(const char *text, const char *pattern)
{
    regex_t regex;
    regmatch_t found[2];
    double value = NAN;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE)) return NAN;
    int flags = 0;
    while (regexec(&regex, text, 2, found, flags) == 0) {
        char *end;
        if (found[1].rm_so >= 0) {
            double number = strtod(text + found[1].rm_so, &end);
            if (end > text + found[1].rm_so) value = number;
        }
        text += found[0].rm_eo;
        if (found[0].rm_eo == found[0].rm_so && *text++ == '\0') break;
        flags = text[-1] == '\n' ? 0 : REG_NOTBOL;
    }
    regfree(&regex);
    return value;
}

static const json_t *json_step(const json_t *at, const char *name)
{
    if (json_is_array(at) && isdigit((unsigned char)*name)) return json_array_get(at, strtoul(name, NULL, 10));
    return json_object_get(at, name);
}

/* "results.0.time". A line of JSON at the end of other text is found, too. */
static double find_by_json(const char *text, const char *path)
{
    char names[256], *rest = NULL;
    json_t *whole = json_loads(text, 0, NULL);
    for (const char *line = text; !whole && line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (*line == '{' || *line == '[') whole = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *at = whole;
    snprintf(names, sizeof names, "%s", path);
    for (char *name = strtok_r(names, ".", &rest); name && at; name = strtok_r(NULL, ".", &rest))
        at = json_step(at, name);
    double value = json_is_number(at) ? json_number_value(at) : NAN;
    char *end;
    if (json_is_string(at)) {
        value = strtod(json_string_value(at), &end);
        if (end == json_string_value(at) || *end) value = NAN;
    }
    json_decref(whole);
    return value;
}

int command_output_time(const struct command_output *output, const char *errors, const char *time, double *time_p,
                        struct error *error)
{
    const char *rest = "", *text = output->bytes ? output->bytes : "";
    double unit_s = unit_of(time, &rest);
    bool regex = strncmp(time, "regex ", 6) == 0;
    double value = unit_s * (regex ? find_by_regex(text, rest) : find_by_json(text, rest));
    if (regex && isnan(value)) value = unit_s * find_by_regex(errors, rest);
    if (value > 0 && isfinite(value)) {
        *time_p = value;
        return STATUS_OK;
    }
    return error_set(
        error, STATUS_FAILED, "%s %.200s finds no time over 0 in what the command wrote, %zu bytes%s%.200s",
        regex ? "--time-regex" : "--time-json", rest, output->length, output->length ? ", beginning: " : "", text);
}

int command_check_time(const char *time, struct error *error)
{
    regex_t regex;
    const char *pattern = "";
    unit_of(time, &pattern);
    if (strncmp(time, "regex ", 6) != 0) return STATUS_OK;
    int failed = regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE);
    char why[128];
    if (failed) {
        regerror(failed, &regex, why, sizeof why);
        return error_set(error, STATUS_USAGE, "--time-regex %.200s is no extended regular expression: %s", pattern,
                         why);
    }
    size_t groups = regex.re_nsub;
    regfree(&regex);
    if (groups > 0) return STATUS_OK;
    return error_set(error, STATUS_USAGE,
                     "--time-regex %.200s has no group that holds the time; such as: 'Time: ([0-9.]+)'", pattern);
}
