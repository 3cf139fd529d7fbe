/* Why each speedup is what it is: the factors whose product it is, one row a configuration, and the verdict on each
 * curve; then the scaling laws fitted to it, and what bounds it. */
#include "study_text.h"

#include <math.h>
#include <string.h>

enum { NAME_MOST = 28 };

/* As wide as their titles. */
static const int widths[FACTOR_COUNT] = {
    [FACTOR_COMPUTATION] = 6, [FACTOR_BALANCE] = 7, [FACTOR_COMMUNICATION] = 7, [FACTOR_SHARE] = 7};

static void print_factors_header(FILE *stream, const struct style *style, int name)
{
    static const char *const titles[2][FACTOR_COUNT] = {{[FACTOR_COMPUTATION] = "compu-",
                                                         [FACTOR_BALANCE] = "load",
                                                         [FACTOR_COMMUNICATION] = "comm.,",
                                                         [FACTOR_SHARE] = "share"},
                                                        {[FACTOR_COMPUTATION] = "tation",
                                                         [FACTOR_BALANCE] = "balance",
                                                         [FACTOR_COMMUNICATION] = "waiting",
                                                         [FACTOR_SHARE] = "of core"}};
    fprintf(stream, "\n%sWhy: P x computation x load balance x communication x share of a core\n",
            style_tone(style, TONE_DIM));
    for (int line = 0; line < 2; line++) {
        fprintf(stream, "%*s %5s", name, "", line ? "P" : "");
        for (int f = 0; f < FACTOR_COUNT; f++) fprintf(stream, " %*s", widths[f], titles[line][f]);
        fputs(line ? " product speedup" : "\n", stream);
    }
    fprintf(stream, "%s\n", style_tone(style, TONE_PLAIN));
}

bool study_contradicts(const struct curve *curve, const struct curve_point *point)
{
    const struct spread *speedup = curve->serial ? &point->speedup : &point->own;
    double product = point->factors.product * (curve->serial ? 1 : curve->points[0].workers);
    return speedup->interval && (product < speedup->low || product > speedup->high);
}

static void print_factors_row(FILE *stream, const struct style *style, int width, const char *name,
                              const struct curve *curve, const struct curve_point *point)
{
    char text[32];
    const struct factors *factors = &point->factors;
    study_print_name(stream, width, name);
    fputc(' ', stream);
    if (!isfinite(factors->product)) {
        char why[256];
        snprintf(why, sizeof why, "not known: %s", *factors->missing ? factors->missing : "no base to compare with");
        study_print_toned(stream, style, TONE_DIM, width + 1, width + 1, why);
        return;
    }
    fprintf(stream, "%5s", format_ratio(factors->scale, sizeof text, text));
    for (int f = 0; f < FACTOR_COUNT; f++)
        fprintf(stream, " %*s", widths[f], format_ratio(factors->value[f], sizeof text, text));
    fprintf(stream, " %7s", format_ratio(factors->product, sizeof text, text));
    fprintf(stream, " %7s%s\n", format_ratio(factors->speedup, sizeof text, text),
            study_contradicts(curve, point) ? "!" : "");
}

bool study_explains(const struct curve *curve, const struct curve_point *point)
{
    return point->valid > 0 && point->workers > 1 && !curve_is_timings(curve->config);
}

bool study_explains_any(const struct study_problem *problem)
{
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            if (study_explains(&problem->curves[c], point)) return true;
        }
    return false;
}

static void print_sentences(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        char name[96], text[640];
        if (!*curve->sentence || curve_is_timings(curve->config)) continue;
        snprintf(text, sizeof text, "%s: %s", study_curve_name(problem, curve, sizeof name, name), curve->sentence);
        text_print_wrapped(stream, style, 0, 2, text);
    }
}

void study_print_factors(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    int width = study_name_width(problem, NAME_MOST);
    if (!study_explains_any(problem)) return;
    print_factors_header(stream, style, width);
    bool contradicted = false;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve *curve = &problem->curves[c];
            char name[128];
            if (!study_explains(curve, &curve->points[i])) continue;
            study_point_name(problem, curve, &curve->points[i], sizeof name, name);
            print_factors_row(stream, style, width, name, curve, &curve->points[i]);
            contradicted |= study_contradicts(curve, &curve->points[i]);
        }
    if (contradicted)
        study_print_toned(
            stream, style, TONE_DIM, 0, 0,
            "!: the product lies outside of the speedup's interval: something has part in it that no factor "
            "sees.");
    if (study_is_command(problem)) study_print_toned(stream, style, TONE_DIM, 0, 0, study_factors_outside_text());
    fputc('\n', stream);
    print_sentences(stream, style, problem);
}

const char *study_parameter_text(const struct model_fit *fit, int parameter, size_t length, char *text)
{
    const struct model_parameter *own = &fit->parameters[parameter];
    char values[3][32], range[96] = "no interval: too few launches";
    const double numbers[3] = {own->value, own->low, own->high};
    for (int i = 0; i < 3; i++)
        if (parameter == 0)
            format_time(numbers[i], sizeof values[i], values[i]);
        else
            snprintf(values[i], sizeof values[i], "%.2g", numbers[i]);
    bool interval = isfinite(own->low) && isfinite(own->high);
    if (interval) snprintf(range, sizeof range, "%s to %s", values[1], values[2]);
    bool hidden = interval && !own->identifiable;
    snprintf(text, length, "%s %s%s (%s)", model_parameter_name(fit->model, parameter),
             hidden ? "not identifiable" : "= ", hidden ? "" : values[0], range);
    return text;
}

static const char *parameter_meaning(enum model model)
{
    return model == MODEL_USL ? "a: contention, b: coherence" : "s: the serial share";
}

static void print_fit(FILE *stream, const struct style *style, const char *curve_name, const struct curve *curve,
                      const struct model_fit *fit)
{
    char text[1024], share[32], parameter[192];
    size_t used;
    if (fit->state != MODEL_FITTED) {
        snprintf(text, sizeof text, "%s: not fitted: %s.", curve_name, fit->reason);
        text_print_wrapped(stream, style, 0, 2, text);
        return;
    }
    used = (size_t)snprintf(text, sizeof text, "%s, %s: ", curve_name, model_name(fit->model));
    for (int p = 0; p < fit->parameter_count && used < sizeof text; p++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", p ? ", " : "",
                                 study_parameter_text(fit, p, sizeof parameter, parameter));
    if (used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "; deviates by %s",
                                 format_share(fit->residual, sizeof share, share));
    if (fit->peak <= fit->most_workers && used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "; fastest with %.0f workers", fit->peak);
    if (used < sizeof text)
        snprintf(text + used, sizeof text - used, "%s.", curve->chosen == (int)fit->model ? " (the one to use)" : "");
    text_print_wrapped(stream, style, 0, 2, text);
}

/* The last with a core for each worker, else the last. */
static const struct curve_point *last_dedicated(const struct curve *curve)
{
    const struct curve_point *last = &curve->points[curve->count - 1];
    while (last > curve->points && !last->dedicated) last--;
    return last->dedicated ? last : &curve->points[curve->count - 1];
}

/* The speedup against one worker that a law predicts; in weak scaling the work grows. */
static const char *format_prediction(const struct curve *curve, const struct model_fit *fit, double workers,
                                     size_t length, char *text)
{
    double one_s = fit->parameters[0].value * (curve->weak ? workers : 1);
    return format_ratio(one_s / model_time_s(fit, workers), length, text);
}

const char *study_bounds_text(const struct study_problem *problem, const struct curve *curve, size_t length, char *text)
{
    const struct curve_point *last = last_dedicated(curve);
    const struct model_fit *fit = curve->chosen >= 0 ? &curve->fits[curve->chosen] : NULL;
    char law[256] = "", name[128], ideal[32], here[32], far[32];
    if (fit && fit->state == MODEL_FITTED)
        snprintf(law, sizeof law, "; by %s %s, and with %.0f workers %s (beyond that it says nothing)",
                 model_name(fit->model), format_prediction(curve, fit, last->workers, sizeof here, here),
                 fit->most_workers, format_prediction(curve, fit, fit->most_workers, sizeof far, far));
    snprintf(text, length, "%s: ideal %s%s.", study_point_name(problem, curve, last, sizeof name, name),
             format_ratio(study_ideal(curve, last), sizeof ideal, ideal), law);
    return text;
}

/* Told by its points: their ceiling is one of bytes. */
static bool is_memory_bound(const struct curve *curve)
{
    struct bandwidth bandwidth;
    bandwidth_of(curve->serial ? curve->serial : curve->own, &bandwidth);
    return !isnan(bandwidth.share);
}

/* Of the curves, the point with the most cores in use. */
static const struct curve_point *find_most_cores(const struct study_problem *problem)
{
    const struct curve_point *most = NULL;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            if (point->valid > 0 && (!most || point->cpus > most->cpus)) most = point;
        }
    return most;
}

/* What the tasks move, of the bytes that their cores can get from memory. */
static void tell_bandwidth(const struct study_problem *problem, study_say *say, void *context)
{
    const struct curve *curve = problem->curves;
    const struct group *base = curve->serial ? curve->serial : curve->own;
    const struct curve_point *all = find_most_cores(problem);
    struct bandwidth one, most;
    char text[320], share[32], rate[32];
    bandwidth_of(base, &one);
    if (mode_workers(&base->config.mode) != 1 || isnan(one.share)) return;
    snprintf(text, sizeof text, "One task moves %s of the bytes that its core can get from memory (measured: %s %s)%s.",
             format_share(one.share, sizeof share, share),
             format_in_unit(one.ceiling_rate, &problem->unit, sizeof rate, rate), problem->unit.name,
             bandwidth_is_exceeded(&one) ? ": most come from caches" : "");
    say(context, text);
    if (!all || all->cpus < 2) return;
    bandwidth_of(all->group, &most);
    if (isnan(most.share)) return;
    snprintf(text, sizeof text,
             "%d cores together can get %s %s, %.2f times as much as one; %d workers there move %s of that%s.",
             all->cpus, format_in_unit(most.ceiling_rate, &problem->unit, sizeof rate, rate), problem->unit.name,
             most.ceiling_rate / one.ceiling_rate, all->workers, format_share(most.share, sizeof share, share),
             bandwidth_is_exceeded(&most) ? ": most come from caches" : "");
    say(context, text);
}

void study_tell_common_bounds(const struct study_problem *problem, study_say *say, void *context)
{
    const struct curve *curve = problem->curves;
    char text[320], share[32], rate[32], bound[32];
    tell_bandwidth(problem, say, context);
    if (isfinite(curve->roof_share) && !is_memory_bound(curve)) {
        snprintf(text, sizeof text, "One task reaches %s of the most that its core can do (measured: %s %s).",
                 format_share(curve->roof_share, sizeof share, share),
                 format_in_unit(curve->roof_rate, &problem->unit, sizeof rate, rate), problem->unit.name);
        say(context, text);
    }
    if (isfinite(curve->waiting_bound)) {
        char range[64] = "";
        if (curve->waiting.interval)
            snprintf(range, sizeof range, " (%.1f to %.1f %%)", 100 * curve->waiting.low, 100 * curve->waiting.high);
        snprintf(text, sizeof text,
                 "One task alone waits for %.0f %%%s of its time: on one core, k tasks can be at most "
                 "min(k, %s) times as fast.",
                 100 * (1 - 1 / curve->waiting_bound), range, format_ratio(curve->waiting_bound, sizeof bound, bound));
        say(context, text);
    }
}

bool study_scales(const struct curve *curve)
{
    int valid = 0;
    for (int i = 0; i < curve->count; i++) valid += curve->points[i].valid > 0;
    return valid > 1 && !study_on_one_core(curve);
}

/* Where a paragraph of the terminal's page goes. */
struct paragraphs {
    FILE *stream;
    const struct style *style;
};

static void print_paragraph(void *context, const char *text)
{
    const struct paragraphs *paragraphs = context;
    text_print_wrapped(paragraphs->stream, paragraphs->style, 0, 2, text);
}

void study_print_models(FILE *stream, const struct style *style, const struct study_problem *problem)
{
    struct paragraphs paragraphs = {stream, style};
    bool any = false, fitted = false;
    for (int c = 0; c < problem->count; c++) any |= study_scales(&problem->curves[c]);
    if (any)
        fprintf(stream, "\n%sScaling laws and bounds%s\n", style_tone(style, TONE_STRONG),
                style_tone(style, TONE_PLAIN));
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        char name[96];
        if (!study_scales(curve)) continue;
        study_curve_name(problem, curve, sizeof name, name);
        for (int m = 0; m < MODEL_COUNT; m++) {
            if ((m == MODEL_GUSTAFSON) != curve->weak) continue;
            print_fit(stream, style, name, curve, &curve->fits[m]);
            fitted |= curve->fits[m].state == MODEL_FITTED;
        }
        char bounds[640];
        print_paragraph(&paragraphs, study_bounds_text(problem, curve, sizeof bounds, bounds));
    }
    study_tell_common_bounds(problem, print_paragraph, &paragraphs);
    if (!fitted) return;
    char text[256];
    study_print_toned(stream, style, TONE_DIM, 0, 0, study_laws_text(problem, sizeof text, text));
}

const char *study_laws_text(const struct study_problem *problem, size_t length, char *text)
{
    snprintf(text, length,
             "T1: time of one worker; %s%s%s. In brackets: 95 %% intervals. Laws are fitted to the times of those with "
             "a core a worker.",
             parameter_meaning(problem->curves->weak ? MODEL_GUSTAFSON : MODEL_AMDAHL),
             problem->curves->weak ? "" : "; ", problem->curves->weak ? "" : parameter_meaning(MODEL_USL));
    return text;
}
