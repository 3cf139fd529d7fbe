/* Patterns are POSIX extended regular expressions, by lines. NULs in an output end no text: they are taken for line
 * ends. */
#include "command_output.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static int compile(const char *option, const char *pattern, regex_t *regex_p, struct error *error)
{
    char why[128];
    int status = regcomp(regex_p, pattern, REG_EXTENDED | REG_NEWLINE);
    if (!status) return STATUS_OK;
    regerror(status, regex_p, why, sizeof why);
    return error_set(error, STATUS_USAGE, "%s '%.200s' is no POSIX extended regular expression: %s", option, pattern,
                     why);
}

int command_rules_check(const struct command_rules *rules, struct error *error)
{
    regex_t regex;
    if (rules->time_regex && rules->time_json)
        return error_set(error, STATUS_USAGE, "--time-regex and --time-json are two places for one time; give one");
    if (rules->time_json && !*rules->time_json)
        return error_set(error, STATUS_USAGE, "--time-json is empty; allowed: a path such as results.0.time");
    if (rules->time_regex) {
        int status = compile("--time-regex", rules->time_regex, &regex, error);
        if (status) return status;
        size_t groups = regex.re_nsub;
        regfree(&regex);
        if (groups == 0)
            return error_set(
                error, STATUS_USAGE,
                "--time-regex '%.200s' has no group; put the number into parentheses, as in 'Time: ([0-9.]+)'",
                rules->time_regex);
    }
    if (rules->check_regex) {
        int status = compile("--check-regex", rules->check_regex, &regex, error);
        if (status) return status;
        regfree(&regex);
    }
    return STATUS_OK;
}

/* A copy without NULs; heap. NULL: no memory. */
static char *copy_text(size_t length, const char *output)
{
    char *text = malloc(length + 1);
    if (!text) return NULL;
    for (size_t i = 0; i < length; i++) text[i] = output[i] ? output[i] : '\n';
    text[length] = '\0';
    return text;
}

/* The group of the last match. Returns whether there is one. */
static bool find_last(const regex_t *regex, const char *text, regmatch_t *group_p)
{
    regmatch_t matches[2];
    bool found = false;
    for (size_t at = 0; regexec(regex, text + at, 2, matches, at > 0 && text[at - 1] != '\n' ? REG_NOTBOL : 0) == 0;) {
        if (matches[1].rm_so >= 0) {
            found = true;
            group_p->rm_so = (regoff_t)at + matches[1].rm_so;
            group_p->rm_eo = (regoff_t)at + matches[1].rm_eo;
        }
        at += (size_t)matches[0].rm_eo;
        if (matches[0].rm_eo == matches[0].rm_so && !text[at++]) break;
    }
    return found;
}

static bool parse_time(const char *text, size_t length, double *time_p)
{
    char number[64], *end;
    if (length == 0 || length >= sizeof number) return false;
    memcpy(number, text, length);
    number[length] = '\0';
    double value = strtod(number, &end);
    while (isspace((unsigned char)*end)) end++;
    if (end == number || *end || !isfinite(value) || value < 0) return false;
    *time_p = value;
    return true;
}

static int read_by_regex(const struct command_rules *rules, const char *output, const char *errors, double *time_p,
                         struct error *error)
{
    regex_t regex;
    regmatch_t group;
    int status = compile("--time-regex", rules->time_regex, &regex, error);
    if (status) return status;
    const char *text = output;
    bool found = find_last(&regex, text, &group);
    if (!found) found = find_last(&regex, text = errors, &group);
    regfree(&regex);
    if (!found)
        return error_set(error, STATUS_FAILED,
                         "its output has no match of --time-regex '%.200s'; --show-output shows it", rules->time_regex);
    size_t length = (size_t)(group.rm_eo - group.rm_so);
    if (parse_time(text + group.rm_so, length, time_p)) return STATUS_OK;
    return error_set(error, STATUS_FAILED, "what --time-regex finds in its output is no time: '%.*s'",
                     (int)(length < 80 ? length : 80), text + group.rm_so);
}

static const json_t *follow(const json_t *value, const char *path)
{
    while (value && *path) {
        size_t length = strcspn(path, ".");
        char *end, *name = strndup(path, length);
        size_t index = name ? strtoul(name, &end, 10) : 0;
        if (json_is_array(value))
            value = name && *name && !*end ? json_array_get(value, index) : NULL;
        else
            value = name ? json_object_get(value, name) : NULL;
        free(name);
        path += length;
        if (*path) path++;
    }
    return value;
}

static int read_by_json(const struct command_rules *rules, size_t length, const char *output, double *time_p,
                        struct error *error)
{
    json_error_t why;
    json_t *json = json_loadb(output, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!json)
        return error_set(error, STATUS_FAILED,
                         "its standard output is no JSON, of which --time-json takes a part: "
                         "line %d: %s",
                         why.line, why.text);
    const json_t *value = follow(json, rules->time_json);
    double time = json_is_number(value) ? json_number_value(value) : NAN;
    bool good = json_is_number(value) && isfinite(time) && time >= 0;
    if (json_is_string(value)) good = parse_time(json_string_value(value), json_string_length(value), &time);
    json_decref(json);
    *time_p = time;
    if (good) return STATUS_OK;
    return error_set(error, STATUS_FAILED, "the JSON that it prints has no time at --time-json %.200s",
                     rules->time_json);
}

int command_read_time(const struct command_rules *rules, size_t length, const char *output, const char *errors,
                      double *time_p, struct error *error)
{
    *time_p = NAN;
    if (!rules->time_regex && !rules->time_json) return STATUS_OK;
    char *text = copy_text(length, output);
    if (!text) return error_set(error, STATUS_FAILED, "no memory is left for the output of the command");
    int status = rules->time_json ? read_by_json(rules, length, output, time_p, error)
                                  : read_by_regex(rules, text, errors, time_p, error);
    free(text);
    if (!status) *time_p *= rules->time_unit_s;
    return status;
}

bool command_check_output(const struct command_rules *rules, size_t length, const char *output, size_t detail_length,
                          char *detail)
{
    regex_t regex;
    struct error error = {""};
    if (!rules->check_regex) return true;
    char *text = copy_text(length, output);
    bool compiled = text && compile("--check-regex", rules->check_regex, &regex, &error) == STATUS_OK;
    bool matches = compiled && regexec(&regex, text, 0, NULL, 0) == 0;
    if (!matches)
        snprintf(detail, detail_length, "its standard output has no match of --check-regex '%.120s'",
                 rules->check_regex);
    if (compiled) regfree(&regex);
    free(text);
    return matches;
}
