/* A scaling study on a terminal: for each problem a table, a chart, the factors of each speedup, scaling laws, bounds
 * and what was lost; then how it was measured. 80 columns suffice; what colour says is also said in words. */
#include "../analyse/nodes.h"
#include "study_text.h"

#include <math.h>
#include <string.h>

enum { PAGE_WIDTH_MAX = 100, TARGET_COLUMNS = 160, TARGET_COLUMNS_LEAST = 24, TARGET_LENGTH = 400 };

void study_problem_at(const struct curves *curves, int first, struct study_problem *problem_p)
{
    struct study_problem problem = {.curves = &curves->curves[first]};
    const char *work_unit = "";
    double top = 0;
    while (first + problem.count < curves->count &&
           curve_same_problem(problem.curves->config, curves->curves[first + problem.count].config,
                              problem.curves->weak)) {
        const struct curve *curve = &problem.curves[problem.count++];
        problem.variants |= strcmp(curve->config->variant, problem.curves->config->variant) != 0;
        for (int i = 0; i < curve->count; i++) top = fmax(top, curve->points[i].rate.middle);
        if (curve->count > 0 && curve->points[0].group->count > 0)
            work_unit = curve->points[0].group->samples->work_unit;
    }
    rate_unit_for(top, work_unit, &problem.unit);
    *problem_p = problem;
}

/* Those that differ from the kernel's defaults; of an unknown kernel all. */
static void append_options(const struct config *config, size_t length, char *text)
{
    const struct kernel *kernel = kernel_find(config->kernel);
    size_t used = strlen(text);
    for (int i = 0; i < config->option_count && used < length; i++) {
        const struct config_option *option = &config->options[i];
        char fallback[128] = "";
        for (const struct kernel_option *own = kernel ? kernel->options : NULL; own && own->name; own++)
            if (strcmp(own->name, option->name) == 0)
                kernel_option_format(own, own->fallback, sizeof fallback, fallback);
        if (strcmp(fallback, option->value))
            used += (size_t)snprintf(text + used, length - used, ", %s %s", option->name, option->value);
    }
}

static void append_scheduling(const struct scheduling *scheduling, size_t length, char *text)
{
    char own[128];
    size_t used = strlen(text);
    if (scheduling_is_default(scheduling)) return;
    snprintf(text + used, length - used, ", %s", scheduling_format(scheduling, sizeof own, own));
}

const char *study_describe_within(const struct study_problem *problem, int columns, size_t length, char *text)
{
    const struct config *config = problem->curves->config;
    char inside[512] = "", target[TARGET_LENGTH];
    if (!problem->variants && *config->variant) snprintf(inside, sizeof inside, ", %s", config->variant);
    size_t used = strlen(inside);
    if (*config->size) snprintf(inside + used, sizeof inside - used, ", size %s", config->size);
    append_options(config, sizeof inside, inside);
    append_scheduling(&config->mode.scheduling, sizeof inside, inside);
    int room = columns - (*inside ? text_width(inside) + 1 : 0);
    target_text(config, room > TARGET_COLUMNS_LEAST ? room : TARGET_COLUMNS_LEAST, sizeof target, target);
    snprintf(text, length, *inside ? "%s (%s)" : "%s", target, *inside ? inside + 2 : "");
    return text;
}

const char *study_describe(const struct study_problem *problem, size_t length, char *text)
{
    return study_describe_within(problem, TARGET_COLUMNS, length, text);
}

const char *study_curve_name(const struct study_problem *problem, const struct curve *curve, size_t length, char *text)
{
    const struct config *config = curve->config;
    if (curve_is_timings(config))
        snprintf(text, length, "workers");
    else
        snprintf(text, length, "%s%s%s", problem->variants ? config->variant : "", problem->variants ? " " : "",
                 mode_name_text(config->mode.name));
    /* A variant's name may be anything in somebody else's record; ours are plain. */
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
    return text;
}

const char *study_point_name(const struct study_problem *problem, const struct curve *curve,
                             const struct curve_point *point, size_t length, char *text)
{
    char name[96];
    snprintf(text, length, "%s %d", study_curve_name(problem, curve, sizeof name, name), point->workers);
    return text;
}

int study_name_width(const struct study_problem *problem, int most)
{
    int width = 0;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            char name[128];
            int own = text_width(
                study_point_name(problem, &problem->curves[c], &problem->curves[c].points[i], sizeof name, name));
            if (own > width) width = own;
        }
    return width < most ? width : most;
}

void study_print_name(FILE *stream, int width, const char *name)
{
    int length = (int)strlen(name), number = (int)strlen(strrchr(name, ' '));
    if (length > width)
        fprintf(stream, "%.*s%s", width - number, name, name + length - number);
    else
        fprintf(stream, "%-*s", width, name);
}

bool study_on_one_core(const struct curve *curve)
{
    return curve->config->mode.name == MODE_MULTITASK || curve->config->mode.name == MODE_MULTITASK_MPI;
}

double study_ideal(const struct curve *curve, const struct curve_point *point)
{
    double cores = point->cpus < point->workers ? point->cpus : point->workers;
    return isfinite(curve->waiting_bound) ? fmin(point->workers, cores * curve->waiting_bound) : cores;
}

void study_print_toned(FILE *stream, const struct style *style, enum tone tone, int column, int indent,
                       const char *text)
{
    fputs(style_tone(style, tone), stream);
    text_print_wrapped(stream, style, column, indent, text);
    fputs(style_tone(style, TONE_PLAIN), stream);
}

/* "1000, 1260, 1587 for 1, 2, 4 workers": of the curve with the most points. */
static const char *list_sizes(const struct study_problem *problem, size_t length, char *text)
{
    const struct curve *longest = problem->curves;
    size_t used = 0;
    text[0] = '\0';
    for (int c = 1; c < problem->count; c++)
        if (problem->curves[c].count > longest->count) longest = &problem->curves[c];
    for (int i = 0; i < longest->count && used < length; i++)
        used +=
            (size_t)snprintf(text + used, length - used, "%s%s", i ? ", " : "", longest->points[i].group->config.size);
    for (int i = 0; i < longest->count && used < length; i++)
        used += (size_t)snprintf(text + used, length - used, "%s%d", i ? ", " : " for ", longest->points[i].workers);
    if (used < length) snprintf(text + used, length - used, " workers");
    return text;
}

/* How far the work per worker is from that of the fewest workers, at most, as a share of it. */
static double work_deviation(const struct study_problem *problem)
{
    double most = 0;
    for (int c = 0; c < problem->count; c++) {
        const struct curve_point *points = problem->curves[c].points;
        for (int i = 1; i < problem->curves[c].count; i++)
            most = fmax(most, fabs(points[i].work / points[i].workers / (points[0].work / points[0].workers) - 1));
    }
    return most;
}

const char *study_sizes_text(const struct study_problem *problem, size_t length, char *text)
{
    double off = work_deviation(problem);
    char within[48] = "", sizes[640];
    if (off > 0.01) snprintf(within, sizeof within, " within %.2g %% only", 100 * off);
    snprintf(text, length, "work per worker constant%s: size %s", within, list_sizes(problem, sizeof sizes, sizes));
    if (!problem->curves->weak) text[0] = '\0';
    return text;
}

static void print_title(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    char what[640], text[768];
    bool weak = problem->curves->weak;
    snprintf(text, sizeof text, weak ? "%s: weak scaling, the work grows with the workers" : "%s",
             study_describe(problem, sizeof what, what));
    study_print_toned(stream, style, TONE_STRONG, 0, 2, text);
    study_sizes_text(problem, sizeof text, text);
    if (*text) study_print_toned(stream, style, TONE_DIM, 0, 2, text);
    study_timed_text(problem, sizeof text, text);
    if (*text) study_print_toned(stream, style, TONE_DIM, 0, 2, text);
}

static void print_problem(FILE *stream, const struct style *style, const struct curves *curves,
                          const struct study_problem *problem)
{
    print_title(stream, style, problem);
    study_print_table(stream, style, curves, problem);
    study_print_chart(stream, style, problem);
    study_print_outside(stream, style, problem);
    study_print_factors(stream, style, problem);
    study_print_models(stream, style, problem);
    study_print_notes(stream, style, problem);
    fputc('\n', stream);
}

static void print_machine(FILE *stream, const struct style *style, const struct results *results,
                          const struct curves *curves)
{
    const char *start = json_string_value(json_object_get(results->context, "start"));
    char text[400], cores[32] = "";
    if (!*curves->machine) return;
    if (curves->cores > 0) snprintf(cores, sizeof cores, ", %d core%s", curves->cores, curves->cores == 1 ? "" : "s");
    snprintf(text, sizeof text, "On %s%s%s%.40s", curves->machine, cores, start ? "; begun " : "", start ? start : "");
    study_print_toned(stream, style, TONE_DIM, 0, 2, text);
    fputc('\n', stream);
}

bool study_all_timings(const struct curves *curves)
{
    for (int c = 0; c < curves->count; c++)
        if (!curve_is_timings(curves->curves[c].config)) return false;
    return curves->count > 0;
}

const char *study_method_text(const struct curves *curves, size_t length, char *text)
{
    bool timings = study_all_timings(curves);
    snprintf(text, length,
             "%s. Times are medians over %s, with the 95 %% interval of the median by order "
             "statistics, which assumes no distribution and needs %s. %s",
             timings ? "by somebody else; these are the times as they were given, and whether they were disturbed is "
                       "not known"
                     : "each launch starts its workers afresh; in each block every configuration is launched once, in "
                       "random order; what was disturbed or misplaced is invalid, and measured again",
             timings ? "the times given" : "valid launches",
             curves->stopping ? "7 values (it is taken at 98 %, as looking at it decides when to stop)" : "6 values",
             timings
                 ? "Speedups are ratios of medians, with intervals from the ends of both; a drift between the times of "
                   "different numbers of workers is in them."
                 : "Speedups are ratios within a block, so that slow drifts of the clock cancel; their intervals are "
                   "made in the same way.");
    return text;
}

const char *study_drift_text(const struct curves *curves, size_t length, char *text)
{
    text[0] = '\0';
    if (!(curves->reference_high - curves->reference_low > 0.02)) return text;
    snprintf(
        text, length,
        "A loop that is always the same, before and after each block, ran at %.0f to %.0f %% of its median speed: the "
        "machine's own speed varied, or other programs ran. Ratios within a block hardly feel that; absolute times do.",
        100 * curves->reference_low, 100 * curves->reference_high);
    return text;
}

static void print_method(FILE *stream, const struct style *style, const struct curves *curves)
{
    char text[1200], method[1024];
    snprintf(text, sizeof text, "How it was measured: %s", study_method_text(curves, sizeof method, method));
    study_print_toned(stream, style, TONE_DIM, 0, 0, text);
    study_drift_text(curves, sizeof text, text);
    if (!*text) return;
    fputc('\n', stream);
    study_print_toned(stream, style, TONE_DIM, 0, 0, text);
}

void present_study(FILE *stream, const struct style *style, const struct results *results, const struct curves *curves)
{
    struct style page = *style;
    struct study_problem problem;
    if (page.width > PAGE_WIDTH_MAX) page.width = PAGE_WIDTH_MAX;
    if (curves->count == 0) return;
    print_machine(stream, &page, results, curves);
    if (nodes_asked(results)) {
        present_nodes(stream, &page, results);
        return;
    }
    for (int c = 0; c < curves->count; c += problem.count) {
        study_problem_at(curves, c, &problem);
        print_problem(stream, &page, curves, &problem);
    }
    print_method(stream, &page, curves);
}
