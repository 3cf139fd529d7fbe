/* Figures over numbers of workers: speedup, efficiency, time. All three are the same picture of other numbers: what is
 * ideal, the law, single launches as faint dots left of their median, medians with intervals, joined along what was
 * measured. Curves stand a little apart sideways, so that none hides another. */
#include "plot_chart.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_COLUMNS = 30, LAW_POINTS = 64, CROWDED = 24 };

/* 0 or -ENOMEM. */
static int write_data(FILE *file, const struct chart *chart, int c)
{
    const struct curve *curve = &chart->subject->problem->curves[c];
    double place = chart_place(chart, c);
    fprintf(file, "$median%d << EOD\n", c);
    for (int i = 0; i < curve->count; i++) {
        struct spread spread = chart_number(chart->quantity, curve, &curve->points[i]);
        /* A blank line: nothing is known between its neighbours either. */
        if (isfinite(spread.middle))
            fprintf(file, "%.9g %.9g\n", chart_moved(chart, curve->points[i].workers, place), spread.middle);
        else if (curve->points[i].valid == 0)
            fputc('\n', file);
    }
    fprintf(file, "EOD\n$interval%d << EOD\n", c);
    for (int i = 0; i < curve->count; i++) {
        struct spread spread = chart_number(chart->quantity, curve, &curve->points[i]);
        if (isfinite(spread.middle) && spread.interval)
            fprintf(file, "%.9g %.9g %.9g %.9g\n", chart_moved(chart, curve->points[i].workers, place), spread.middle,
                    spread.low, spread.high);
    }
    fprintf(file, "EOD\n$raw%d << EOD\n", c);
    for (int i = 0; i < curve->count; i++) {
        double *values = malloc(sizeof *values * (size_t)(curve->points[i].group->count + 1));
        if (!values) return -ENOMEM;
        int count = chart_raw_numbers(chart->quantity, curve, &curve->points[i], values);
        for (int k = 0; k < count; k++) /* to the left, spread a little */
            fprintf(
                file, "%.9g %.9g\n",
                chart_moved(chart, curve->points[i].workers, place - chart->aside * (1 - 0.4 * fmod(k * 0.618034, 1))),
                values[k]);
        free(values);
    }
    fputs("EOD\n", file);
    return 0;
}

static void write_law(FILE *file, const struct chart *chart, int c)
{
    const struct curve *curve = &chart->subject->problem->curves[c];
    double end = plot_law_end(curve), begin = curve->points[0].workers;
    if (!(end > begin)) return;
    fprintf(file, "$law%d << EOD\n", c);
    for (int i = 0; i < LAW_POINTS; i++) {
        double share = i / (LAW_POINTS - 1.0);
        double workers = i == LAW_POINTS - 1 ? end
                         : chart->log        ? begin * pow(end / begin, share)
                                             : begin + share * (end - begin);
        double number = chart_law_number(chart->quantity, curve, workers);
        if (number > 0 && isfinite(number)) fprintf(file, "%.9g %.9g\n", workers, number);
    }
    fputs("EOD\n", file);
}

/* A corner where the cores are used up. */
static void write_ideal(FILE *file, const struct chart *chart)
{
    double corner = chart->cores * chart->waits;
    fputs("$ideal << EOD\n", file);
    for (int i = 0; i <= LAW_POINTS; i++) {
        double share = i / (double)LAW_POINTS;
        double workers = chart->log ? chart->x.low * pow(chart->x.high / chart->x.low, share)
                                    : chart->x.low + share * (chart->x.high - chart->x.low);
        double next = chart->log ? workers * pow(chart->x.high / chart->x.low, 1.0 / LAW_POINTS)
                                 : workers + (chart->x.high - chart->x.low) / LAW_POINTS;
        if (workers > 0)
            fprintf(file, "%.9g %.9g\n", workers,
                    chart_ideal_number(chart, workers, chart_ideal_speedup(chart, workers)));
        if (workers < corner && corner < next && corner <= chart->x.high)
            fprintf(file, "%.9g %.9g\n", corner, chart_ideal_number(chart, corner, chart_ideal_speedup(chart, corner)));
    }
    fputs("EOD\n", file);
}

static bool has_law(const struct curve *curve)
{
    return plot_law_end(curve) > curve->points[0].workers;
}

/* "threads, Amdahl's law: s = 0.031" */
static const char *law_title(const struct curve *curve, const char *name, size_t length, char *text)
{
    const struct model_fit *fit = &curve->fits[curve->chosen];
    size_t used = (size_t)snprintf(text, length, "%.100s, %s:", name, model_name(fit->model));
    for (int i = 1; i < fit->parameter_count && used < length; i++)
        used += (size_t)snprintf(text + used, length - used, "%s %s = %.2g", i > 1 ? "," : "",
                                 model_parameter_name(fit->model, i), fit->parameters[i].value);
    return text;
}

/* A shape of its own, as colours are nothing in a grey print; open for what takes turns on one core. */
static int marker_of(const struct study_problem *problem, const struct curve *curve)
{
    static const int filled[] = {7, 5, 9, 13, 11, 15, 7, 5};
    int marker = filled[plot_series(problem, curve)];
    return study_on_one_core(curve) ? marker - 1 : marker;
}

static void write_law_plot(FILE *file, const struct chart *chart, const struct plot_frame *frame, int c)
{
    const struct curve *curve = &chart->subject->problem->curves[c];
    if (!has_law(curve)) return;
    fprintf(file, ", \\\n    $law%d using 1:2 with lines lw 1.4 dt 2", c);
    plot_colour(file, frame->look->series[plot_series(chart->subject->problem, curve)], 1);
    fputs(" notitle", file);
}

static bool has_intervals(const struct chart *chart, const struct curve *curve)
{
    for (int i = 0; i < curve->count; i++) {
        struct spread spread = chart_number(chart->quantity, curve, &curve->points[i]);
        if (isfinite(spread.middle) && spread.interval) return true;
    }
    return false;
}

static void write_raw_plot(FILE *file, const struct chart *chart, int c, unsigned colour)
{
    if (chart->quantity != CHART_TIME && curve_is_timings(chart->subject->problem->curves[c].config)) return;
    fprintf(file, ", \\\n    $raw%d using 1:2 with points pt 7 ps 0.4", c);
    plot_colour(file, colour, 0.35);
    fputs(" notitle", file);
}

static void write_curve_plot(FILE *file, const struct chart *chart, const struct plot_frame *frame, int c)
{
    const struct study_problem *problem = chart->subject->problem;
    const struct curve *curve = &problem->curves[c];
    unsigned colour = frame->look->series[plot_series(problem, curve)];
    int marker = marker_of(problem, curve);
    if (has_intervals(chart, curve)) {
        fprintf(file, ", \\\n    $interval%d using 1:2:3:4 with yerrorbars pt 7 ps 0 lw 1.4", c);
        plot_colour(file, colour, 1);
        fputs(" notitle", file);
    }
    double size = curve->count > CROWDED ? 0.5 : 1;
    fprintf(file, ", \\\n    $median%d using 1:2 with %s pt %d ps %g lw 1.8", c,
            curve->count > 1 ? "linespoints" : "points", marker, size);
    plot_colour(file, colour, 1);
    fputs(" notitle", file);
    if (!study_on_one_core(curve)) return;
    fprintf(file, ", \\\n    $median%d using 1:2 with points pt %d ps %g", c, marker + 1, 0.6 * size); /* is open */
    plot_colour(file, frame->look->page, 1);
    fputs(" notitle", file);
}

static void write_plot(FILE *file, const struct chart *chart, const struct plot_frame *frame)
{
    const struct study_problem *problem = chart->subject->problem;
    fputs("plot $ideal using 1:2 with lines lw 1.4 dt 3", file);
    plot_colour(file, frame->look->soft, 1);
    fputs(" notitle", file);
    for (int c = 0; c < problem->count; c++)
        if (chart_draws(chart->quantity, &problem->curves[c]))
            write_raw_plot(file, chart, c, frame->look->series[plot_series(problem, &problem->curves[c])]);
    for (int c = 0; c < problem->count; c++) {
        if (!chart_draws(chart->quantity, &problem->curves[c])) continue;
        write_law_plot(file, chart, frame, c);
        write_curve_plot(file, chart, frame, c);
    }
    fputc('\n', file);
}

static int write_chart(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame,
                       enum chart_quantity quantity)
{
    static const struct {
        const char *title, *axis;
        plot_label *label;
    } texts[] = {{"Speedup", "speedup", plot_label_number},
                 {"Efficiency", "speedup / workers", plot_label_share},
                 {"Time", "wall time", plot_label_time}};
    struct chart chart;
    char title[384];
    chart_init(&chart, subject, quantity);
    plot_problem_title(subject, frame, texts[quantity].title, sizeof title, title);
    plot_write_settings(file, frame, title);
    plot_write_axis(file, &chart.x, "workers", plot_label_number);
    chart_write_tics(file, &chart, frame->width);
    plot_write_axis(file, &chart.y, texts[quantity].axis, texts[quantity].label);
    chart_write_shade(file, &chart, frame);
    int status = 0;
    write_ideal(file, &chart);
    for (int c = 0; c < subject->problem->count && !status; c++) {
        status = write_data(file, &chart, c);
        write_law(file, &chart, c);
    }
    write_plot(file, &chart, frame);
    return status;
}

static int script_speedup(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    return write_chart(file, subject, frame, CHART_SPEEDUP);
}

static int script_efficiency(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    return write_chart(file, subject, frame, CHART_EFFICIENCY);
}

static int script_time(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    return write_chart(file, subject, frame, CHART_TIME);
}

static bool has_numbers(const struct plot_subject *subject, enum chart_quantity quantity, size_t length, char *reason_p)
{
    int drawn = 0;
    for (int c = 0; c < subject->problem->count; c++)
        for (int i = 0; i < subject->problem->curves[c].count; i++) {
            const struct curve *curve = &subject->problem->curves[c];
            drawn += isfinite(chart_number(quantity, curve, &curve->points[i]).middle);
        }
    if (drawn < 2)
        snprintf(reason_p, length, "%s valid %s", drawn ? "only one configuration has a" : "no configuration has a",
                 quantity == CHART_TIME ? "time" : "speedup");
    return drawn > 1;
}

static bool has_speedup(const struct plot_subject *subject, size_t length, char *reason_p)
{
    return has_numbers(subject, CHART_SPEEDUP, length, reason_p);
}

static bool has_time(const struct plot_subject *subject, size_t length, char *reason_p)
{
    return has_numbers(subject, CHART_TIME, length, reason_p);
}

static void find_key(const struct plot_subject *subject, enum chart_quantity quantity, const struct plot_look *look,
                     struct plot_key *key)
{
    const struct study_problem *problem = subject->problem;
    struct chart chart;
    chart_init(&chart, subject, quantity);
    plot_key_add(key, PLOT_MARK_LINE, 0, 3, look->soft, chart.waits > 1 ? "the most that waiting allows" : "ideal");
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        char name[96], text[128], law[160];
        unsigned colour = look->series[plot_series(problem, curve)];
        if (!chart_draws(quantity, curve)) continue;
        plot_shorten(study_curve_name(problem, curve, sizeof name, name), KEY_COLUMNS, sizeof text, text);
        if (curve_is_timings(curve->config) && curve->config->mode.name == MODE_SERIAL)
            snprintf(text, sizeof text, "one worker");
        plot_key_add(key, curve->count > 1 ? PLOT_MARK_LINE_POINT : PLOT_MARK_POINT, marker_of(problem, curve), 0,
                     colour, text);
        if (has_law(curve)) plot_key_add(key, PLOT_MARK_LINE, 0, 2, colour, law_title(curve, text, sizeof law, law));
    }
}

static void key_speedup(const struct plot_subject *subject, const struct plot_look *look, struct plot_key *key_p)
{
    find_key(subject, CHART_SPEEDUP, look, key_p);
}

static void key_time(const struct plot_subject *subject, const struct plot_look *look, struct plot_key *key_p)
{
    find_key(subject, CHART_TIME, look, key_p);
}

static void caption_speedup(const struct plot_subject *subject, size_t length, char *text)
{
    chart_caption(subject, CHART_SPEEDUP, length, text);
}

static void caption_efficiency(const struct plot_subject *subject, size_t length, char *text)
{
    chart_caption(subject, CHART_EFFICIENCY, length, text);
}

static void caption_time(const struct plot_subject *subject, size_t length, char *text)
{
    chart_caption(subject, CHART_TIME, length, text);
}

const struct plot_figure plot_figure_speedup = {"speedup",      "Speedup", has_speedup, caption_speedup,
                                                script_speedup, NULL,      key_speedup};
const struct plot_figure plot_figure_efficiency = {"efficiency",      "Efficiency", has_speedup, caption_efficiency,
                                                   script_efficiency, NULL,         key_speedup};
const struct plot_figure plot_figure_time = {"time", "Time", has_time, caption_time, script_time, NULL, key_time};
