/* Each type of value: a strict parser (the whole text, no blanks, nothing after it) and a sentence that says what would
 * have been right. */
#include "values.h"

#include "../plan/config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double seconds;
};

/* From large to small, as one would write a duration; the first that fits is used. */
static const struct unit units[] = {{"h", 3600},  {"m", 60},   {"s", 1}, {"ms", 1e-3}, {"us", 1e-6},
                                    {"ns", 1e-9}, {"min", 60}, {"", 1},  {NULL, 0}};

static int parse_int(const char *text, int *value_p)
{
    if (!isdigit((unsigned char)text[text[0] == '-'])) return -EINVAL;
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*end) return -EINVAL;
    if (errno || value < INT_MIN || value > INT_MAX) return -ERANGE;
    *value_p = (int)value;
    return 0;
}

static int parse_number(const char *text, double *value_p)
{
    /* No hexadecimal, no "inf", no "nan". */
    if (!*text || text[strspn(text, "+-.0123456789eE")]) return -EINVAL;
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end) return -EINVAL;
    if (!isfinite(value)) return -ERANGE;
    *value_p = value;
    return 0;
}

static int parse_u64(const char *text, uint64_t *value_p)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")]) return -EINVAL;
    errno = 0;
    unsigned long long value = strtoull(digits, NULL, hex ? 16 : 10);
    if (errno) return -ERANGE;
    *value_p = value;
    return 0;
}

/* H:MM:SS, as batch systems write it; two fields are minutes to one, and hours to another. */
static int parse_clock(const char *text, double *value_p)
{
    size_t hours = strspn(text, "0123456789");
    const char *rest = text + hours;
    if (hours == 0 || hours > 6 || strlen(rest) != 6 || rest[0] != ':' || rest[3] != ':') return -EINVAL;
    if (strspn(rest + 1, "0123456789") != 2 || strspn(rest + 4, "0123456789") != 2) return -EINVAL;
    long minutes = strtol(rest + 1, NULL, 10), seconds = strtol(rest + 4, NULL, 10);
    if (minutes > 59 || seconds > 59) return -EINVAL;
    *value_p = (double)(3600 * strtol(text, NULL, 10) + 60 * minutes + seconds);
    return 0;
}

static int parse_duration(const char *text, double *value_p)
{
    if (strchr(text, ':')) return parse_clock(text, value_p);
    size_t length = strspn(text, ".0123456789");
    char number[32];
    double value;
    if (length >= sizeof number) return -EINVAL;
    memcpy(number, text, length);
    number[length] = '\0';
    if (parse_number(number, &value)) return -EINVAL;
    for (const struct unit *unit = units; unit->name; unit++) {
        if (strcmp(unit->name, text + length)) continue;
        /* Dividing by a whole number rounds once: 100us is 0.1ms. */
        *value_p = unit->seconds < 1 ? value / round(1 / unit->seconds) : value * unit->seconds;
        return 0;
    }
    return -EINVAL;
}

static int parse_share(const char *text, double *value_p)
{
    size_t length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%';
    char number[32];
    double value;
    if (percent) length--;
    if (length >= sizeof number) return -EINVAL;
    memcpy(number, text, length);
    number[length] = '\0';
    if (parse_number(number, &value)) return -EINVAL;
    *value_p = percent ? value / 100 : value;
    return 0;
}

static void format_bound(const struct option *option, double value, size_t length, char *text)
{
    const struct unit *unit = units;
    if (option->type != OPT_DURATION) {
        bool percent = option->type == OPT_SHARE;
        snprintf(text, length, "%.15g%s", percent ? value * 100 : value, percent ? "%" : "");
        return;
    }
    while (unit->seconds > value && unit[1].seconds < unit->seconds) unit++;
    if (value == 0) unit = &units[2];
    snprintf(text, length, "%.4g%s", value / unit->seconds, unit->name);
}

static bool in_domain(const struct option *option, double value)
{
    return option->min == option->max || (value >= option->min && value <= option->max);
}

/* " from 1 to 10000", " of at least 1", or nothing. */
static const char *format_domain(const struct option *option, size_t length, char *text)
{
    char low[32], high[32];
    bool unbounded = option->type == OPT_COUNT ? option->max >= INT_MAX : isinf(option->max);
    format_bound(option, option->min, sizeof low, low);
    format_bound(option, option->max, sizeof high, high);
    if (option->min == option->max)
        text[0] = '\0';
    else if (unbounded)
        snprintf(text, length, " of at least %s", low);
    else
        snprintf(text, length, " from %s to %s", low, high);
    return text;
}

/* The value as an error shows it: short, printable, quoted where it would not stand out. */
static const char *format_given(const char *given, size_t length, char *text)
{
    size_t count = 0;
    bool plain = *given && strlen(given) < length - 3;
    for (const char *c = given; *c; c++) plain = plain && isgraph((unsigned char)*c);
    if (!plain) text[count++] = '\'';
    for (; *given && count < length - 5; given++) text[count++] = iscntrl((unsigned char)*given) ? '?' : *given;
    snprintf(text + count, length - count, "%s%s", *given ? "..." : "", plain ? "" : "'");
    return text;
}

static int report(const struct option *option, const char *text, const char *needed, const char *with,
                  struct error *error_p)
{
    char given[64], domain[96];
    return error_set(error_p, STATUS_USAGE, "--%s %s: %s%s%s is needed", option->name,
                     format_given(text, sizeof given, given), needed, format_domain(option, sizeof domain, domain),
                     with);
}

static int find_choice(const struct option *option, const char *text, int *choice_p, struct error *error_p)
{
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text)) continue;
        *choice_p = i;
        return 0;
    }
    char noun[64], given[64], allowed[512] = "";
    size_t used = 0;
    snprintf(noun, sizeof noun, "%s", option->name);
    for (char *c = noun; *c; c++)
        if (*c == '-') *c = ' ';
    for (int i = 0; option->choices[i] && used < sizeof allowed; i++)
        used += (size_t)snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", option->choices[i]);
    const char *nearest = options_nearest(text, option->choices);
    return error_set(error_p, STATUS_USAGE, "--%s %s: no such %s%s%s%s Allowed: %s", option->name,
                     format_given(text, sizeof given, given), noun, nearest ? "; did you mean '" : "",
                     nearest ? nearest : "", nearest ? "'?" : ".", allowed);
}

static int set_count(const struct option *option, const char *text, struct error *error_p)
{
    int value;
    if (parse_int(text, &value) || !in_domain(option, value))
        return report(option, text, "a whole number", "", error_p);
    *(int *)option->value = value;
    return 0;
}

static int set_double(const struct option *option, const char *text, struct error *error_p)
{
    static const struct {
        int (*parse)(const char *text, double *value_p);
        const char *needed, *with;
    } kinds[] = {[OPT_NUMBER] = {parse_number, "a number", ""},
                 [OPT_DURATION] = {parse_duration, "a time", ", such as 500ms, 2s or 1m,"},
                 [OPT_SHARE] = {parse_share, "a share", ", such as 5% or 0.05,"}};
    double value;
    if (kinds[option->type].parse(text, &value) || !in_domain(option, value))
        return report(option, text, kinds[option->type].needed,
                      option->type != OPT_DURATION ? kinds[option->type].with
                      : option->max < 0.5          ? ", such as 0.5ms or 20ms,"
                      : option->min >= 60          ? ", such as 90m, 2h or 1:30:00,"
                                                   : kinds[option->type].with,
                      error_p);
    *(double *)option->value = value;
    return 0;
}

static int set_u64(const struct option *option, const char *text, struct error *error_p)
{
    uint64_t value;
    if (parse_u64(text, &value))
        return report(option, text, "a whole number below 2^64, decimal or as 0x2a,", "", error_p);
    *(uint64_t *)option->value = value;
    return 0;
}

static int set_cpus(const struct option *option, const char *text, struct error *error_p)
{
    struct cpu_list list;
    int status = cpu_list_parse(text, &list);
    if (status == -ERANGE) return report(option, text, "a list of fewer CPUs, or of smaller numbers,", "", error_p);
    if (status) return report(option, text, "a list of CPUs, such as 0,2-3, each named once,", "", error_p);
    *(struct cpu_list *)option->value = list;
    return 0;
}

int option_set(const struct option *option, const char *text, struct error *error_p)
{
    switch (option->type) {
    case OPT_TEXT:
        *(const char **)option->value = text;
        return 0;
    case OPT_COUNT:
        return set_count(option, text, error_p);
    case OPT_NUMBER:
    case OPT_DURATION:
    case OPT_SHARE:
        return set_double(option, text, error_p);
    case OPT_U64:
        return set_u64(option, text, error_p);
    case OPT_CHOICE:
        return find_choice(option, text, option->value, error_p);
    case OPT_CPUS:
        return set_cpus(option, text, error_p);
    case OPT_FLAG:
    case OPT_PAIRS:
    case OPT_TEXTS:
    case OPT_LISTS:
        break;
    }
    return STATUS_FAILED;
}

int option_add_pair(const struct option *option, const char *choice, const char *text, struct error *error_p)
{
    struct option_pairs *pairs = option->value;
    int index = 0;
    int status = find_choice(option, choice, &index, error_p);
    if (status) return status;
    if (pairs->count == OPTION_PAIRS_MAX)
        return error_set(error_p, STATUS_USAGE, "--%s is given more than %d times; leave some out", option->name,
                         OPTION_PAIRS_MAX);
    pairs->pairs[pairs->count].choice = index;
    pairs->pairs[pairs->count++].text = text;
    return 0;
}

int option_add_text(const struct option *option, const char *name, const char *text, struct error *error_p)
{
    struct option_texts *texts = option->value;
    if (texts->count == OPTION_TEXTS_MAX)
        return error_set(error_p, STATUS_USAGE, "--%s is given more than %d times; leave some out", option->name,
                         OPTION_TEXTS_MAX);
    texts->names[texts->count] = name;
    texts->texts[texts->count++] = text;
    return 0;
}
