/* The table of a problem: one row a configuration, under a heading for each curve. What does not fit into its column
 * stands below its row; so does what must be said of a row: no interval narrow enough, no valid time and why. */
#include "study_text.h"

#include <math.h>
#include <string.h>

enum { TIME_WIDTH = 17, SPEEDUP_WIDTH = 14, RATE_WIDTH = 7, CORES_COLUMN = 11, TEXT_COLUMN = 13 };

struct table {
    FILE *stream;
    const struct style *style;
    const struct curves *curves;
    const struct study_problem *problem;
};

static void print_header(const struct table *table)
{
    fprintf(table->stream, "%s%5s %5s  %-*s %*s  %-*s %5s %6s %5s %6s\n", style_tone(table->style, TONE_DIM), "work-",
            "", TIME_WIDTH, "time,", RATE_WIDTH, "", SPEEDUP_WIDTH, "speedup,", "effi-", "Karp-", "", "laun-");
    fprintf(table->stream, "%5s %5s  %-*s %*s  %-*s %5s %6s %5s %6s%s\n", "ers", "cores", TIME_WIDTH, "95 % interval",
            RATE_WIDTH, "rate", SPEEDUP_WIDTH, "95 % interval", "cient", "Flatt", "own", "ches",
            style_tone(table->style, TONE_PLAIN));
}

static void print_heading(const struct table *table, const struct curve *curve)
{
    char name[96], text[256];
    study_curve_name(table->problem, curve, sizeof name, name);
    if (curve_is_timings(curve->config))
        snprintf(text, sizeof text, curve->config->mode.name == MODE_SERIAL ? "one worker" : "several workers");
    else
        snprintf(text, sizeof text, "%s: %s", name, target_mode_text(curve->config));
    study_print_toned(table->stream, table->style, TONE_STRONG, 0, 2, text);
}

const char *study_times_text(const struct spread *spread, size_t length, char *text)
{
    char middle[32], low[32], high[32];
    format_time(spread->middle, sizeof middle, middle);
    double shown = strtod(middle, NULL), scale = spread->middle / shown;
    if (spread->interval && isfinite(scale) && scale > 0)
        snprintf(text, length, "%s %s-%s", middle, format_ratio(spread->low / scale, sizeof low, low),
                 format_ratio(spread->high / scale, sizeof high, high));
    else
        snprintf(text, length, "%s", middle);
    return text;
}

static const char *format_speedup(const struct curve *curve, const struct curve_point *point, size_t length, char *text)
{
    const struct spread *spread = &point->speedup;
    char middle[32], low[32], high[32];
    format_ratio(spread->middle, sizeof middle, middle);
    if (point->group == curve->serial)
        snprintf(text, length, "%s (base)", middle);
    else if (spread->interval)
        snprintf(text, length, "%s %s-%s", middle, format_ratio(spread->low, sizeof low, low),
                 format_ratio(spread->high, sizeof high, high));
    else
        snprintf(text, length, "%s", middle);
    return text;
}

const char *study_launches_text(const struct curve_point *point, size_t length, char *text)
{
    int lost = point->invalid + point->not_judged;
    snprintf(text, length, lost > 0 ? "%d+%d" : "%d", point->valid, lost);
    return text;
}

static void print_below(const struct table *table, enum tone tone, const char *text)
{
    fprintf(table->stream, "%*s", TEXT_COLUMN, "");
    study_print_toned(table->stream, table->style, tone, TEXT_COLUMN, TEXT_COLUMN, text);
}

const char *study_half_width_text(const struct curves *curves, const struct curve_point *point, size_t length,
                                  char *text)
{
    char asked[32];
    format_share(point->half_width, length, text);
    format_share(curves->precision, sizeof asked, asked);
    if (strcmp(text, asked) == 0) snprintf(text, length, "%.4g %%", 100 * point->half_width);
    return text;
}

const char *study_width_text(const struct curves *curves, const struct curve_point *point, bool utf8, size_t length,
                             char *text)
{
    const char *sign = utf8 ? "\u00b1" : "+-";
    char width[32], asked[32];
    text[0] = '\0';
    if (point->converged || !isfinite(point->half_width)) return text;
    snprintf(text, length, "NOT CONVERGED: interval %s%s, asked for %s%s", sign,
             study_half_width_text(curves, point, sizeof width, width), sign,
             format_share(curves->precision, sizeof asked, asked));
    return text;
}

static void print_remarks(const struct table *table, const struct curve_point *point)
{
    char text[256];
    const struct mode *mode = &point->group->config.mode;
    if (mode_nodes(mode) > 1) {
        int each = mode_workers_per_node(mode) / mode->threads;
        int machines = point->group->count > 0 ? point->group->samples[0].machines : -1;
        int used = snprintf(text, sizeof text, "%d nodes, %d rank%s each, of %d thread%s", mode_nodes(mode), each,
                            each > 1 ? "s" : "", mode->threads, mode->threads > 1 ? "s" : "");
        if (machines > 0 && machines < mode_nodes(mode))
            snprintf(text + used, sizeof text - (size_t)used, "; these nodes are %d machine%s, and share its CPUs",
                     machines, machines > 1 ? "s" : "");
        print_below(table, TONE_PLAIN, text);
    }
    study_width_text(table->curves, point, table->style->utf8, sizeof text, text);
    if (*text) print_below(table, TONE_STRONG, text);
}

static void print_unmeasured(const struct table *table, const struct curve_point *point)
{
    char text[384], launches[32];
    snprintf(text, sizeof text, "no valid time (launches: %s): %s",
             study_launches_text(point, sizeof launches, launches), *point->reason ? point->reason : "not measured");
    fputs("  ", table->stream);
    study_print_toned(table->stream, table->style, TONE_BAD, TEXT_COLUMN, TEXT_COLUMN, text);
}

const char *study_karp_flatt_text(const struct curve_point *point, size_t length, char *text)
{
    if (isfinite(point->karp_flatt.middle))
        snprintf(text, length, "%.3f", point->karp_flatt.middle);
    else
        snprintf(text, length, "-");
    return text;
}

static void print_row(const struct table *table, const struct curve *curve, const struct curve_point *point)
{
    char cores[32], time[112], rate[32], speedup[112], efficiency[32], karp_flatt[32], own[32], launches[32];
    snprintf(cores, sizeof cores, "%d%s", point->cpus, point->workers > point->cpus ? "*" : "");
    if (curve_is_timings(curve->config)) snprintf(cores, sizeof cores, "-");
    fprintf(table->stream, "%5d %5s", point->workers, cores);
    if (point->valid == 0) {
        print_unmeasured(table, point);
        return;
    }
    study_times_text(&point->wall_s, sizeof time, time);
    format_speedup(curve, point, sizeof speedup, speedup);
    bool time_fits = text_width(time) <= TIME_WIDTH, speedup_fits = text_width(speedup) <= SPEEDUP_WIDTH;
    fprintf(table->stream, "  %-*s %*s  %-*s %5s %6s %5s %6s\n", TIME_WIDTH, time_fits ? time : "(below)", RATE_WIDTH,
            format_in_unit(point->rate.middle, &table->problem->unit, sizeof rate, rate), SPEEDUP_WIDTH,
            speedup_fits ? speedup : "(below)", format_share(point->efficiency.middle, sizeof efficiency, efficiency),
            study_karp_flatt_text(point, sizeof karp_flatt, karp_flatt),
            format_ratio(point->own.middle, sizeof own, own), study_launches_text(point, sizeof launches, launches));
    if (!time_fits) print_below(table, TONE_PLAIN, time);
    if (!speedup_fits) print_below(table, TONE_PLAIN, speedup);
    print_remarks(table, point);
}

/* "packed (252 ms, 54.6 GFLOP/s)". */
static const char *describe_base(const struct curves *curves, const struct study_problem *problem,
                                 const struct group *base, const char *name, size_t length, char *text)
{
    const struct curve_point *point = curves_find(curves, base);
    char time[32], rate[32];
    snprintf(text, length, "%s%s(%s, %s %s)", name, *name ? " " : "",
             format_time(point ? point->wall_s.middle : NAN, sizeof time, time),
             format_in_unit(point ? point->rate.middle : NAN, &problem->unit, sizeof rate, rate), problem->unit.name);
    return text;
}

static bool has_serial(const struct study_problem *problem)
{
    for (int c = 0; c < problem->count; c++)
        if (problem->curves[c].config->mode.name == MODE_SERIAL) return true;
    return false;
}

const char *study_serial_text(const struct curves *curves, const struct study_problem *problem, size_t length,
                              char *text)
{
    const struct group *serial = problem->curves->serial;
    char base[192];
    const struct curve_point *point = curves_find(curves, serial);
    if (serial && point && point->valid > 0)
        snprintf(text, length, "speedup: against %s, %s.",
                 study_is_command(problem) ? "the same command for one worker" : "the best serial program",
                 describe_base(curves, problem, serial,
                               curve_is_timings(&serial->config) ? "one worker"
                               : study_is_command(problem)       ? "mode serial"
                                                                 : serial->config.variant,
                               sizeof base, base));
    else
        snprintf(text, length, "%s",
                 serial                ? "No serial program has a valid time: there are no speedups."
                 : has_serial(problem) ? "Which serial program is the fastest is not known, as samples of one were too "
                                         "short to be judged: efficiency is own / workers."
                                       : "No serial program was measured: efficiency is own / workers.");
    return text;
}

const char *study_own_text(const struct curves *curves, const struct study_problem *problem, size_t length, char *text)
{
    char base[192], name[128];
    size_t used = 0;
    text[0] = '\0';
    for (int c = 0; c < problem->count && used < length; c++) {
        const struct curve *curve = &problem->curves[c];
        if (curve->count < 2 || curve->points[0].valid == 0) continue;
        study_point_name(problem, curve, &curve->points[0], sizeof name, name);
        used += (size_t)snprintf(text + used, length - used, "%s%s",
                                 used ? ", " : "own: against the fewest workers of the same mode, times their number: ",
                                 describe_base(curves, problem, curve->own, name, sizeof base, base));
    }
    if (used + 1 < length && used > 0) strcpy(text + used, ".");
    return text;
}

struct seen {
    bool oversubscribed, no_interval, lost, karp_flatt;
};

static struct seen look(const struct study_problem *problem)
{
    struct seen seen = {false, false, false, false};
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            bool base = point->group == problem->curves[c].serial;
            seen.oversubscribed |= point->workers > point->cpus;
            seen.no_interval |=
                point->valid > 0 &&
                (!point->wall_s.interval || (isfinite(point->speedup.middle) && !point->speedup.interval && !base));
            seen.lost |= point->valid > 0 && point->invalid + point->not_judged > 0;
            seen.karp_flatt |= isfinite(point->karp_flatt.middle);
        }
    return seen;
}

const char *study_legend_text(const struct curves *curves, const struct study_problem *problem, size_t length,
                              char *text)
{
    const struct seen seen = look(problem);
    snprintf(text, length, "rate: %s. efficiency: speedup / workers.%s%s%s%s", problem->unit.name,
             seen.karp_flatt ? " Karp-Flatt: the serial share that would explain the speedup, (1/S - 1/p) / (1 - 1/p); "
                               "where it rises with the workers, something else grows."
                             : "",
             seen.oversubscribed ? " *: oversubscribed, more workers than cores." : "",
             seen.lost ? " launches: valid + those that do not count." : "",
             !seen.no_interval ? ""
             : curves->stopping
                 ? " No interval where fewer than 7 launches (of a ratio: blocks) are valid: not converged either."
                 : " No interval where fewer than 6 launches (of a ratio: blocks) are valid: not converged either.");
    return text;
}

static void print_legend(const struct table *table)
{
    typedef const char *legend(const struct curves *, const struct study_problem *, size_t length, char *text);
    static legend *const legends[] = {study_legend_text, study_serial_text, study_own_text};
    for (size_t i = 0; i < sizeof legends / sizeof *legends; i++) {
        char text[2048];
        legends[i](table->curves, table->problem, sizeof text, text);
        if (*text) study_print_toned(table->stream, table->style, TONE_DIM, 0, 0, text);
    }
}

void study_print_table(FILE *stream, const struct style *style, const struct curves *curves,
                       const struct study_problem *problem)
{
    const struct table table = {stream, style, curves, problem};
    print_header(&table);
    for (int c = 0; c < problem->count; c++) {
        print_heading(&table, &problem->curves[c]);
        for (int i = 0; i < problem->curves[c].count; i++)
            print_row(&table, &problem->curves[c], &problem->curves[c].points[i]);
    }
    print_legend(&table);
}
