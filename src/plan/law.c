/* Formulas of weak scaling, by recursive descent: sum = product {+|- product}, product = power {*|/ power}, power =
 * factor
 * [^ power], factor = number, name, function(sum), (sum) or -factor.
 */
#include "command.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NESTED_MAX = 100 };

struct formula {
    const char *at;
    const struct config *config;
    double size;
    int nested;
    bool wrong;
};

static double read_sum(struct formula *formula);

static bool accept(struct formula *formula, char c)
{
    while (isspace((unsigned char)*formula->at)) formula->at++;
    if (*formula->at != c) return false;
    formula->at++;
    return true;
}

static double wrong(struct formula *formula)
{
    formula->wrong = true;
    return NAN;
}

static double read_closed(struct formula *formula)
{
    double value = read_sum(formula);
    return accept(formula, ')') ? value : wrong(formula);
}

static double read_name(struct formula *formula)
{
    const struct mode *mode = &formula->config->mode;
    const struct {
        const char *name;
        double value;
    } names[] = {{"workers", mode_workers(mode)},
                 {"ranks", mode->ranks},
                 {"threads", mode->threads},
                 {"nodes", mode_nodes(&formula->config->mode)},
                 {"size", formula->size}};
    static const struct {
        const char *name;
        double (*function)(double);
    } functions[] = {{"sqrt", sqrt}, {"cbrt", cbrt}, {"log2", log2}};
    size_t length = 0;
    const char *name = formula->at;
    while (isalnum((unsigned char)name[length])) length++;
    formula->at += length;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0) return names[i].value;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strlen(functions[i].name) == length && memcmp(functions[i].name, name, length) == 0)
            return accept(formula, '(') ? functions[i].function(read_closed(formula)) : wrong(formula);
    return wrong(formula);
}

static double read_factor(struct formula *formula)
{
    if (++formula->nested > NESTED_MAX) return wrong(formula);
    double value;
    char *end;
    if (accept(formula, '('))
        value = read_closed(formula);
    else if (accept(formula, '-'))
        value = -read_factor(formula);
    else if (isalpha((unsigned char)*formula->at))
        value = read_name(formula);
    else if (isdigit((unsigned char)*formula->at) || *formula->at == '.') {
        value = strtod(formula->at, &end);
        if (end == formula->at) value = wrong(formula);
        formula->at = end;
    } else
        value = wrong(formula);
    formula->nested--;
    return value;
}

static double read_power(struct formula *formula)
{
    double base = read_factor(formula);
    if (formula->wrong || !accept(formula, '^')) return base;
    if (++formula->nested > NESTED_MAX) return wrong(formula);
    double value = pow(base, read_power(formula));
    formula->nested--;
    return value;
}

static double read_product(struct formula *formula)
{
    double value = read_power(formula);
    while (!formula->wrong)
        if (accept(formula, '*'))
            value *= read_power(formula);
        else if (accept(formula, '/'))
            value /= read_power(formula);
        else
            break;
    return value;
}

static double read_sum(struct formula *formula)
{
    double value = read_product(formula);
    while (!formula->wrong)
        if (accept(formula, '+'))
            value += read_product(formula);
        else if (accept(formula, '-'))
            value -= read_product(formula);
        else
            break;
    return value;
}

/* Behind "size =", where that is there. */
static const char *right_side(const char *law)
{
    const char *at = law + strspn(law, " \t");
    if (strncmp(at, "size", 4) != 0) return law;
    at += 4;
    at += strspn(at, " \t");
    return *at == '=' ? at + 1 : law;
}

int command_weak_size(const char *law, const struct config *config, double size, double *size_p, struct error *error)
{
    static const double size_max = 1e15; /* whole numbers are exact up to there, and beyond */
    static const struct {
        const char *name, *formula;
    } laws[] = {{"linear", "size*workers"}, {"sqrt", "size*sqrt(workers)"}, {"cbrt", "size*cbrt(workers)"}};
    const char *text = law;
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        if (strcmp(law, laws[i].name) == 0) text = laws[i].formula;
    struct formula formula = {.at = right_side(text), .config = config, .size = size};
    double value = round(read_sum(&formula));
    while (isspace((unsigned char)*formula.at)) formula.at++;
    if (formula.wrong || *formula.at)
        return error_set(
            error, STATUS_USAGE,
            "--weak %.200s is no law; allowed: linear, sqrt, cbrt, or a formula of workers, ranks, threads, nodes "
            "and size (that of one worker), such as '1000*workers^(1/3)'",
            law);
    if (isnan(value) && isnan(size))
        return error_set(error, STATUS_USAGE, "--weak %.200s needs the size at one worker; give --size N", law);
    if (!(value >= 1 && value <= size_max))
        return error_set(error, STATUS_USAGE, "--weak %.200s gives the size %g for %d workers; it has to be 1 ... 1e15",
                         law, value, mode_workers(&config->mode));
    *size_p = value;
    return STATUS_OK;
}
