/* The table of exercises, and what all of them have in common. */
#include "exercise.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORKERS_MIN = 2, WORKERS_MAX = 8 };

extern const struct exercise pi_exercise, option_exercise, ep_exercise, matmul_exercise, triad_exercise,
    stencil_exercise, mandelbrot_exercise, synthetic_exercise, exchange_exercise, waiting_exercise, fairness_exercise,
    switching_exercise;

const struct exercise *const exercise_registry[] = {&pi_exercise,
                                                    &option_exercise,
                                                    &ep_exercise,
                                                    &matmul_exercise,
                                                    &triad_exercise,
                                                    &stencil_exercise,
                                                    &mandelbrot_exercise,
                                                    &synthetic_exercise,
                                                    &exchange_exercise,
                                                    &waiting_exercise,
                                                    &fairness_exercise,
                                                    &switching_exercise,
                                                    NULL};

const struct exercise *exercise_find(const char *name)
{
    for (int i = 0; exercise_registry[i]; i++)
        if (strcmp(exercise_registry[i]->name, name) == 0) return exercise_registry[i];
    return NULL;
}

const struct exercise *exercise_of_kernel(const char *kernel)
{
    const struct exercise *own = exercise_find(kernel);
    for (int i = 0; exercise_registry[i] && !own; i++)
        if (exercise_registry[i]->page && strcmp(exercise_registry[i]->page, kernel) == 0) own = exercise_registry[i];
    return own;
}

bool exercise_is_available(const struct exercise *exercise)
{
    struct problem problem;
    struct error error;
    for (const struct exercise_problem *given = exercise->problems; given->kernel; given++)
        if (exercise_make_problem(given, &problem, &error)) return false;
    return true;
}

bool exercise_needs_mpi(const struct exercise *exercise)
{
    for (const struct exercise_shot *shot = exercise->shots; shot->text; shot++)
        if (mode_needs_mpi(shot->mode) && !shot->optional) return true;
    return false;
}

const char *exercise_reason(const struct exercise_shot *shot, const char *mpi_reason, const char *slices_reason,
                            const char *realtime_reason)
{
    struct scheduling scheduling = {.policy = (enum scheduling_policy)shot->policy};
    if (mode_needs_mpi(shot->mode) && *mpi_reason) return mpi_reason;
    if (shot->slice_s > 0 && *slices_reason) return slices_reason;
    if (scheduling_is_realtime(&scheduling) && *realtime_reason) return realtime_reason;
    return NULL;
}

int exercise_workers(const struct machine *machine)
{
    int cores = machine->core_count;
    return cores < WORKERS_MIN ? WORKERS_MIN : cores > WORKERS_MAX ? WORKERS_MAX : cores;
}

int exercise_plan_shot(const struct machine *machine, const struct exercise_shot *shot, struct mode *mode_p,
                       struct error *error)
{
    int workers = shot->workers > 0 ? shot->workers : exercise_workers(machine);
    const struct mode_request request = {.mode = (int)shot->mode,
                                         .workers = shot->mode == MODE_SERIAL ? 0 : workers,
                                         .wait_policy = -1,
                                         .policy = shot->policy,
                                         .nice = shot->nice,
                                         .slice_s = shot->slice_s};
    return plan_mode(machine, &request, mode_p, error);
}

static const struct kernel_option *find_option(const struct kernel *kernel, const char *name)
{
    const struct kernel_option *option = kernel->options;
    while (option && option->name && strcmp(option->name, name) != 0) option++;
    return option && option->name ? option : NULL;
}

int exercise_make_problem(const struct exercise_problem *given, struct problem *problem_p, struct error *error)
{
    const struct kernel *kernel = kernel_find(given->kernel);
    if (!kernel) return error_set(error, STATUS_USAGE, "there is no kernel %s", given->kernel);
    problem_init(kernel, problem_p);
    if (given->variant) problem_p->variant = kernel_find_variant(kernel, given->variant);
    if (!problem_p->variant)
        return error_set(error, STATUS_USAGE, "%s has no variant %s", given->kernel, given->variant);
    for (const char *const *at = given->options; at && at[0]; at += 2) {
        const struct kernel_option *option = find_option(kernel, at[0]);
        if (!option || kernel_option_parse(option, at[1], &problem_p->options[option - kernel->options]))
            return error_set(error, STATUS_USAGE, "%s does not take --%s %s", given->kernel, at[0], at[1]);
    }
    if (given->size && kernel->parse_size(given->size, &problem_p->size))
        return error_set(error, STATUS_USAGE, "%s has no size %s", given->kernel, given->size);
    return STATUS_OK;
}

const char *exercise_expand(const struct exercise_view *view, const char *text, size_t length, char *text_p)
{
    const struct {
        const char *name;
        int value;
    } places[] = {{"{workers}", view->workers}, {"{cores}", view->cores}};
    size_t used = 0;
    text_p[0] = '\0';
    while (*text && used + 1 < length) {
        int value = -1;
        for (size_t i = 0; i < sizeof places / sizeof *places && value < 0; i++)
            if (strncmp(text, places[i].name, strlen(places[i].name)) == 0) {
                value = places[i].value;
                text += strlen(places[i].name);
            }
        if (value >= 0)
            used += (size_t)snprintf(text_p + used, length - used, "%d", value);
        else
            used += (size_t)snprintf(text_p + used, length - used, "%c", *text++);
    }
    return text_p;
}

struct spread exercise_ratio(const struct exercise_view *view, int base, int shot)
{
    struct spread spread = {.count = 0, .middle = NAN, .low = NAN, .high = NAN};
    if (view->groups[base] && view->groups[shot])
        group_pair_numbers(view->groups[base], view->groups[shot], sample_rate, 0.95, &spread);
    return spread;
}

struct spread exercise_number(const struct exercise_view *view, int shot, double (*number)(const struct sample *))
{
    struct spread spread = {.count = 0, .middle = NAN, .low = NAN, .high = NAN};
    const struct group *group = view->groups[shot];
    double *values = group ? malloc(sizeof *values * (size_t)(group->count + 1)) : NULL;
    int count = 0;
    for (int s = 0; values && s < group->count; s++) {
        double value = sample_counts(&group->samples[s]) ? number(&group->samples[s]) : NAN;
        if (!isnan(value)) values[count++] = value;
    }
    if (count > 0) spread = spread_of(count, values, 0.95);
    free(values);
    return spread;
}

struct spread exercise_scale(struct spread spread, double factor)
{
    spread.middle *= factor;
    spread.low *= factor;
    spread.high *= factor;
    return spread;
}

int exercise_parse_guess(const struct exercise_question *question, const char *text, double *guess_p)
{
    char number[64], *end;
    size_t length = strlen(text);
    if (length >= sizeof number) return -EINVAL;
    for (size_t i = 0; i <= length; i++) number[i] = text[i] == ',' ? '.' : text[i];
    double guess = strtod(number, &end);
    if (end == number || !isfinite(guess)) return -EINVAL;
    end += strspn(end, " \t");
    size_t rest = strlen(end);
    while (rest > 0 && isspace((unsigned char)end[rest - 1])) end[--rest] = '\0';
    bool unit = strcasecmp(end, question->unit) == 0 || (strcmp(question->unit, "times") == 0 && !strcasecmp(end, "x"));
    if (*end && !unit) return -EINVAL;
    if (guess < question->low || guess > question->high) return -ERANGE;
    *guess_p = guess;
    return 0;
}

const char *exercise_quantity(const struct exercise_question *question, double value, size_t length, char *text_p)
{
    if (isnan(value))
        snprintf(text_p, length, "unknown");
    else
        snprintf(text_p, length, "%.3g%s%s", value, *question->unit ? " " : "", question->unit);
    return text_p;
}

const char *exercise_compare(const struct exercise_question *question, double guess, const struct spread *answer,
                             size_t length, char *text_p)
{
    char off[64];
    double middle = answer->middle, distance = guess - middle, share = fabs(distance / middle);
    const char *direction = distance > 0 ? "high" : "low";
    exercise_quantity(question, fabs(distance), sizeof off, off);
    if (guess >= answer->low && guess <= answer->high)
        snprintf(text_p, length, "Your guess is right: it lies within what was measured.");
    else if (share <= 0.1)
        snprintf(text_p, length, "Your guess is close: %.0f %% too %s.", fmax(1, 100 * share), direction);
    else if (middle > 0 && guess > 0 && (guess > 3 * middle || guess < middle / 3))
        snprintf(text_p, length, "Your guess is too %s by a factor of %.3g.", direction,
                 guess > middle ? guess / middle : middle / guess);
    else
        snprintf(text_p, length, "Your guess is %s too %s.", off, direction);
    return text_p;
}
