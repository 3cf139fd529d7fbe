/* Quantities for people: three significant digits and a prefix that keeps the number under 1000 after rounding (999.6
 * ms is 1.00 s). What is not a finite number is "-": never 0, never "nan". */
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Splits |value| > 0 into mantissa (1 <= m < 1000, rounded to three digits) and its power of 1000. */
static double split_rounded(double value, int *power_p, int *decimals_p)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.2e", fabs(value));
    char *mark = strchr(digits, 'e');
    int exponent = (int)strtol(mark + 1, NULL, 10);
    int power = (exponent + 300) / 3 - 100; /* rounds down for negative exponents too */
    *power_p = power;
    *decimals_p = 2 - (exponent - 3 * power);
    *mark = '\0';
    double mantissa = strtod(digits, NULL);
    for (int i = 3 * power; i < exponent; i++) mantissa *= 10;
    return copysign(mantissa, value);
}

/* Prefixes from `lowest` (a power of 1000) on; beyond them the plain number in the nearest unit. */
static const char *format_si(double value, int lowest, int highest, const char *unit, size_t length, char *text)
{
    static const char *const prefixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    if (!isfinite(value)) {
        snprintf(text, length, "-");
        return text;
    }
    if (value == 0) {
        snprintf(text, length, "0 %s", unit);
        return text;
    }
    int power, decimals;
    double mantissa = split_rounded(value, &power, &decimals);
    if (power > highest) {
        snprintf(text, length, "%.0f %s%s", value / pow(1000, highest), prefixes[highest + 3], unit);
    } else if (power < lowest) {
        snprintf(text, length, "%.3g %s%s", value / pow(1000, lowest), prefixes[lowest + 3], unit);
    } else {
        snprintf(text, length, "%.*f %s%s", decimals, mantissa, prefixes[power + 3], unit);
    }
    return text;
}

const char *format_time(double seconds, size_t length, char *text)
{
    return format_si(seconds, -3, 0, "s", length, text);
}

const char *format_rate(double rate, const char *unit, size_t length, char *text)
{
    char plural[48];
    if (strcmp(unit, "flop") == 0) {
        snprintf(plural, sizeof plural, "FLOP/s"); /* as the field writes it */
    } else if (strcmp(unit, "byte") == 0) {
        snprintf(plural, sizeof plural, "B/s");
    } else {
        snprintf(plural, sizeof plural, "%.30s%s/s", unit, unit[0] == '\0' || unit[strlen(unit) - 1] == 's' ? "" : "s");
    }
    return format_si(rate, 0, 6, plural, length, text);
}

const char *format_bytes(double bytes, size_t length, char *text)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    enum { UNIT_LAST = sizeof units / sizeof units[0] - 1 };
    if (!(bytes >= 0) || isinf(bytes)) {
        snprintf(text, length, "-");
        return text;
    }
    int unit = 0;
    for (; unit < UNIT_LAST && bytes >= 1023.5; unit++) bytes /= 1024;
    snprintf(text, length, bytes >= 999.5 ? "%.0f %s" : "%.3g %s", bytes, units[unit]);
    return text;
}

const char *format_count(double count, size_t length, char *text)
{
    if (!(count >= 0) || count > 1e18) {
        snprintf(text, length, "-");
        return text;
    }
    char digits[32], grouped[48];
    int digit_count = snprintf(digits, sizeof digits, "%.0f", count);
    size_t out = 0;
    for (int i = 0; i < digit_count; i++) {
        if (i > 0 && (digit_count - i) % 3 == 0) grouped[out++] = ',';
        grouped[out++] = digits[i];
    }
    grouped[out] = '\0';
    snprintf(text, length, "%s", grouped);
    return text;
}

const char *format_ratio(double ratio, size_t length, char *text)
{
    const char *format = fabs(ratio) < 9.995 ? "%.2f" : fabs(ratio) < 99.95 ? "%.1f" : "%.0f";
    if (!isfinite(ratio)) format = "-";
    snprintf(text, length, format, ratio);
    return text;
}

const char *format_share(double share, size_t length, char *text)
{
    if (!isfinite(share)) {
        snprintf(text, length, "-");
        return text;
    }
    double percent = share * 100;
    snprintf(text, length, fabs(percent) < 9.95 ? "%.1f %%" : "%.0f %%", percent);
    return text;
}

void rate_unit_for(double top, const char *work_unit, struct rate_unit *unit_p)
{
    char text[64];
    unit_p->rate = 1;
    while (top >= 999.5 * unit_p->rate && unit_p->rate < 1e18) unit_p->rate *= 1000;
    format_rate(unit_p->rate, work_unit, sizeof text, text);
    snprintf(unit_p->name, sizeof unit_p->name, "%s", strchr(text, ' ') + 1);
}

const char *format_in_unit(double rate, const struct rate_unit *unit, size_t length, char *text)
{
    double number = rate / unit->rate;
    if (!(number < 1)) return format_ratio(number, length, text);
    snprintf(text, length, "%#.2g", number);
    return text;
}
