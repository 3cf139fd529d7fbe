/* Sizes and option values as text, both ways.
 *
 * A number is scanned once into its decimal digits, a power of ten and what follows. Whole numbers are then computed in
 * integers, so that they are exact; others are handed to strtod as "digits e exponent", which rounds once. Values are
 * written with the fewest digits that parse back to the same double. (As everywhere in C: LC_NUMERIC must be "C".)
 */
#include "kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 40 };
#define WHOLE_MAX INT64_C(9007199254740992) /* 2^53: up to here every whole number is a double */

struct decimal {
    char digits[DIGITS_MAX + 1]; /* without leading zeros; "" is 0 */
    int count;
    int exponent;     /* the value is digits * 10^exponent */
    const char *rest; /* what follows the number */
};

struct unit {
    const char *name;
    int exponent; /* of ten; for bytes, of two */
};

static const struct unit count_units[] = {{"", 0}, {"k", 3}, {"K", 3}, {"M", 6}, {"G", 9}, {"T", 12}, {NULL, 0}};
static const struct unit time_units[] = {{"s", 0}, {"ms", -3}, {"us", -6}, {"ns", -9}, {NULL, 0}};
static const struct unit byte_units[] = {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10},
                                         {"B", 0},    {"", 0},     {NULL, 0}};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "12", "1.5", ".5", "1e9", "2.5e-3": no sign, no blank, no hexadecimal, no "inf". */
static int decimal_scan(const char *text, struct decimal *decimal_p)
{
    const char *at = text;
    bool any = false, point = false;
    *decimal_p = (struct decimal){.count = 0};
    for (; is_digit(*at) || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        decimal_p->exponent -= point;
        if (decimal_p->count == 0 && *at == '0') continue;
        if (decimal_p->count == DIGITS_MAX) return -ERANGE;
        decimal_p->digits[decimal_p->count++] = *at;
    }
    if (!any) return -EINVAL;
    if (*at == 'e' || *at == 'E') {
        char *end;
        if (!is_digit(at[1]) && !((at[1] == '-' || at[1] == '+') && is_digit(at[2]))) return -EINVAL;
        long exponent = strtol(at + 1, &end, 10);
        if (exponent < -400 || exponent > 400) return -ERANGE;
        decimal_p->exponent += (int)exponent;
        at = end;
    }
    decimal_p->rest = at;
    return 0;
}

/* Exact; -EINVAL where the value has a fraction, -ERANGE over 2^53. */
static int decimal_whole(const struct decimal *decimal, int64_t *value_p)
{
    int count = decimal->count, exponent = decimal->exponent;
    int64_t value = 0;
    for (; count > 0 && decimal->digits[count - 1] == '0'; count--) exponent++;
    if (count > 0 && exponent < 0) return -EINVAL;
    for (int i = 0; count > 0 && i < count + exponent; i++) {
        value = value * 10 + (i < count ? decimal->digits[i] - '0' : 0);
        if (value > WHOLE_MAX) return -ERANGE;
    }
    *value_p = value;
    return 0;
}

static double decimal_real(const struct decimal *decimal)
{
    char text[DIGITS_MAX + 16];
    snprintf(text, sizeof text, "%se%d", decimal->count ? decimal->digits : "0", decimal->exponent);
    return strtod(text, NULL);
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
    for (; units->name; units++)
        if (strcmp(units->name, name) == 0) return units;
    return NULL;
}

static int parse_whole(const char *text, int64_t *value_p)
{
    struct decimal decimal;
    int status = decimal_scan(text, &decimal);
    if (status < 0) return status;
    const struct unit *unit = unit_find(count_units, decimal.rest);
    if (!unit) return -EINVAL;
    decimal.exponent += unit->exponent;
    return decimal_whole(&decimal, value_p);
}

static int parse_bytes(const char *text, double *value_p)
{
    struct decimal decimal;
    int status = decimal_scan(text, &decimal);
    if (status < 0) return status;
    const struct unit *unit = unit_find(byte_units, decimal.rest);
    if (!unit) return -EINVAL;
    double value = ldexp(decimal_real(&decimal), unit->exponent);
    if (value > (double)WHOLE_MAX) return -ERANGE;
    if (value != floor(value)) return -EINVAL;
    *value_p = value;
    return 0;
}

static int parse_duration(const char *text, double *value_p)
{
    struct decimal decimal;
    int status = decimal_scan(text, &decimal);
    if (status < 0) return status;
    const struct unit *unit = unit_find(time_units, decimal.rest);
    if (!unit && (decimal.count > 0 || *decimal.rest)) return -EINVAL; /* "0" needs no unit */
    decimal.exponent += unit ? unit->exponent : 0;
    *value_p = decimal_real(&decimal);
    return 0;
}

static int parse_number(const char *text, double *value_p)
{
    struct decimal decimal;
    bool negative = *text == '-';
    int status = decimal_scan(text + negative, &decimal);
    if (status < 0) return status;
    if (*decimal.rest) return -EINVAL;
    double value = decimal_real(&decimal);
    if (!isfinite(value)) return -ERANGE;
    *value_p = negative && value != 0 ? -value : value;
    return 0;
}

static int parse_choice(const struct kernel_option *option, const char *text, double *value_p)
{
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text)) continue;
        *value_p = i;
        return 0;
    }
    return -EINVAL;
}

int kernel_option_parse(const struct kernel_option *option, const char *text, double *value_p)
{
    double value = 0;
    int64_t whole = 0;
    int status = -EINVAL;
    switch (option->type) {
    case OPTION_CHOICE:
        return parse_choice(option, text, value_p);
    case OPTION_NUMBER:
        status = parse_number(text, &value);
        break;
    case OPTION_COUNT:
        status = parse_whole(text, &whole);
        value = (double)whole;
        break;
    case OPTION_DURATION:
        status = parse_duration(text, &value);
        break;
    case OPTION_BYTES:
        status = parse_bytes(text, &value);
        break;
    }
    if (status < 0) return status;
    if (value < option->min || value > option->max) return -ERANGE;
    *value_p = value;
    return 0;
}

/* In the unit in which it is at least 1, if a text without exponent parses back; else in seconds. */
static void format_duration(double value, size_t length, char *text)
{
    const struct unit *unit = time_units;
    while (value > 0 && value < pow(10, unit->exponent) && unit[1].name) unit++;
    for (int precision = 1; precision <= 17; precision++) {
        double back = 0;
        snprintf(text, length, "%.*g%s", precision, value * pow(10, -unit->exponent), unit->name);
        if (!strchr(text, 'e') && parse_duration(text, &back) == 0 && back == value) return;
    }
    snprintf(text, length, "%.17gs", value);
}

static void format_number(double value, size_t length, char *text)
{
    bool plain = value == 0 || (fabs(value) >= 1e-4 && fabs(value) < 1e15);
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, length, "%.*g", precision, value);
        if (strtod(text, NULL) == value && !(plain && strchr(text, 'e'))) return;
    }
}

static void format_bytes(double value, size_t length, char *text)
{
    const struct unit *unit = byte_units;
    while (unit->exponent > 0 && (value == 0 || fmod(value, ldexp(1, unit->exponent)) != 0)) unit++;
    snprintf(text, length, "%.0f%s", ldexp(value, -unit->exponent), unit->exponent ? unit->name : "");
}

const char *kernel_option_format(const struct kernel_option *option, double value, size_t length, char *text)
{
    switch (option->type) {
    case OPTION_CHOICE:
        snprintf(text, length, "%s", option->choices[(int)value]);
        break;
    case OPTION_NUMBER:
        format_number(value, length, text);
        break;
    case OPTION_COUNT:
        snprintf(text, length, "%.0f", value);
        break;
    case OPTION_DURATION:
        format_duration(value, length, text);
        break;
    case OPTION_BYTES:
        format_bytes(value, length, text);
        break;
    }
    return text;
}

const char *kernel_option_domain(const struct kernel_option *option, size_t length, char *text)
{
    char fallback[64], low[64], high[64];
    kernel_option_format(option, option->fallback, sizeof fallback, fallback);
    if (option->type != OPTION_CHOICE) {
        kernel_option_format(option, option->min, sizeof low, low);
        kernel_option_format(option, option->max, sizeof high, high);
        const char *unit = option->type == OPTION_DURATION ? ", with its unit" : "";
        const char *kind = option->type == OPTION_COUNT ? "a whole number, " : "";
        snprintf(text, length, "%s%s to %s%s (default %s)", kind, low, high, unit, fallback);
        return text;
    }
    char choices[256] = "";
    for (int i = 0; option->choices[i]; i++) {
        size_t used = strlen(choices);
        snprintf(choices + used, sizeof choices - used, "%s%s", i ? ", " : "", option->choices[i]);
    }
    snprintf(text, length, "one of: %s (default %s)", choices, fallback);
    return text;
}

int size_parse_extents(const char *text, int dims_max, struct size *size_p)
{
    struct size size = {.dims = 0};
    char part[DIGITS_MAX + 16];
    bool out_of_range = false;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, "x");
        if (size.dims == dims_max || length >= sizeof part) return -EINVAL;
        memcpy(part, at, length);
        part[length] = '\0';
        int status = parse_whole(part, &size.dim[size.dims]);
        if (status < 0 && status != -ERANGE) return status;
        out_of_range |= status < 0 || size.dim[size.dims] < 1;
        size.dims++;
        at += length;
        if (*at == '\0') break;
    }
    if (out_of_range) return -ERANGE;
    *size_p = size;
    return 0;
}

const char *size_format(const struct size *size, size_t length, char *text)
{
    static const char *const before[SIZE_DIMS_MAX] = {"", "x", "x"};
    size_t used = 0;
    if (size->class_name[0]) {
        snprintf(text, length, "%s", size->class_name);
        return text;
    }
    if (length > 0) text[0] = '\0';
    for (int i = 0; i < size->dims && used < length; i++)
        used += (size_t)snprintf(text + used, length - used, "%s%" PRId64, before[i], size->dim[i]);
    return text;
}
