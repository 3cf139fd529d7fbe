/* Figures over numbers of workers: speedup, efficiency, time. All three are the same picture of other numbers: what is
 * ideal, the law, single launches as faint dots left of their median, medians with intervals, joined along what was
 * measured. Curves stand a little apart sideways, so that none hides another. */
#include "plot_script.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_COLUMNS = 30, LAW_POINTS = 64, TIC_GAP = 30, SIDES = 110, WORKERS_MOST = 1024 };

enum quantity { SPEEDUP, EFFICIENCY, TIME };

struct chart {
    const struct plot_subject *subject;
    enum quantity quantity;
    bool log;           /* workers */
    double cores;       /* INFINITY: not known */
    double waits;       /* what tasks that wait could gain on one core; else 1 */
    double base_s;      /* of one worker */
    double least, most; /* workers; most: also what the law is drawn to */
    double apart;       /* of two curves, on the axis as it is drawn: in octaves, or workers */
    struct plot_axis x, y;
};

static bool is_power_of_two(int number)
{
    return number > 0 && (number & (number - 1)) == 0;
}

static struct spread number_of(enum quantity quantity, const struct curve *curve, const struct curve_point *point)
{
    struct spread spread = quantity == TIME         ? point->wall_s
                           : quantity == EFFICIENCY ? point->efficiency
                                                    : *plot_speedup(curve, point);
    if (!(spread.middle > 0) || !isfinite(spread.middle)) spread.middle = NAN;
    if (!(spread.low > 0) || !isfinite(spread.high)) spread.interval = false;
    return spread;
}

static int raw_numbers(enum quantity quantity, const struct curve *curve, const struct curve_point *point,
                       double values_p[])
{
    int count = quantity == TIME ? plot_raw_times(point, values_p) : plot_raw_speedups(curve, point, values_p);
    for (int i = 0; i < count && quantity == EFFICIENCY; i++) values_p[i] /= point->workers;
    return count;
}

static double law_number(enum quantity quantity, const struct curve *curve, double workers)
{
    double speedup = plot_law(curve, workers);
    if (quantity == TIME) return model_time_s(&curve->fits[curve->chosen], workers);
    return quantity == EFFICIENCY ? speedup / workers : speedup;
}

/* So many workers at best. */
static double ideal_number(const struct chart *chart, double workers, double speedup)
{
    double work = chart->subject->problem->curves->weak ? workers : 1;
    if (chart->quantity == TIME) return chart->base_s * work / speedup;
    return chart->quantity == EFFICIENCY ? speedup / workers : speedup;
}

static double ideal_speedup(const struct chart *chart, double workers)
{
    return fmin(workers, chart->cores * chart->waits);
}

static void include(double value, double *low, double *high)
{
    if (!(value > 0) || !isfinite(value)) return;
    *low = fmin(*low, value);
    *high = fmax(*high, value);
}

/* Of one worker; where nobody measured one, what the smallest number would come to. */
static void find_base(struct chart *chart)
{
    const struct study_problem *problem = chart->subject->problem;
    const struct curve *first = problem->curves;
    const struct curve_point *base = first->serial ? curves_find(chart->subject->curves, first->serial) : first->points;
    if (!base) base = first->points;
    chart->base_s = base->wall_s.middle * (first->weak ? 1 : base->workers);
}

static void find_workers(struct chart *chart)
{
    const struct study_problem *problem = chart->subject->problem;
    int points = 0, powers = 0;
    chart->least = INFINITY;
    chart->waits = 1;
    for (int c = 0; c < problem->count; c++) {
        const struct curve *curve = &problem->curves[c];
        if (isfinite(curve->waiting_bound)) chart->waits = fmax(chart->waits, curve->waiting_bound);
        for (int i = 0; i < curve->count; i++) {
            include(curve->points[i].workers, &chart->least, &chart->most);
            powers += is_power_of_two(curve->points[i].workers);
            points++;
        }
        include(plot_law_end(curve), &chart->least, &chart->most);
    }
    chart->log = powers == points || chart->most >= 16;
}

static void find_y(struct chart *chart)
{
    double low = INFINITY, high = 0;
    const struct study_problem *problem = chart->subject->problem;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve *curve = &problem->curves[c];
            struct spread spread = number_of(chart->quantity, curve, &curve->points[i]);
            include(spread.middle, &low, &high);
            if (spread.interval) include(spread.low, &low, &high), include(spread.high, &low, &high);
            if (isfinite(spread.middle) && chart->quantity != TIME)
                include(ideal_number(chart, curve->points[i].workers, ideal_speedup(chart, curve->points[i].workers)),
                        &low, &high);
        }
    for (int c = 0; c < problem->count; c++)
        if (plot_law_end(&problem->curves[c]) > 0)
            include(law_number(chart->quantity, &problem->curves[c], plot_law_end(&problem->curves[c])), &low, &high);
    struct plot_axis *y = &chart->y;
    *y = (struct plot_axis){.name = 'y'};
    if (chart->quantity == SPEEDUP && chart->log) {
        *y =
            (struct plot_axis){.name = 'y', .base_two = true, .low = fmin(low, 1) / 1.25, .high = fmax(high, 2) * 1.25};
    } else if (chart->quantity == TIME) {
        *y = (struct plot_axis){.name = 'y', .base_ten = true, .low = low / 1.3, .high = high * 1.3};
    } else {
        y->high = 1.1 * fmax(high, 1);
    }
}

static void find_axes(struct chart *chart)
{
    find_base(chart);
    find_workers(chart);
    chart->x = (struct plot_axis){.name = 'x', .base_two = chart->log};
    double span = chart->log ? log2(chart->most / chart->least) : chart->most - chart->least;
    double margin = span > 0 ? 0.06 * span + 0.02 : 0.5;
    chart->x.low = chart->log ? chart->least / exp2(margin) : chart->least - margin;
    chart->x.high = chart->log ? chart->most * exp2(margin) : chart->most + margin;
    /* All curves together fill at most a quarter of the gap between neighbouring numbers of workers. */
    double gap = chart->log ? 1 : span / fmax(1, chart->most - chart->least);
    chart->apart = fmin(0.024 * fmax(span, 0.5), 0.5 * gap / fmax(1, chart->subject->problem->count));
    find_y(chart);
}

static double moved(const struct chart *chart, double workers, double steps)
{
    double by = steps * chart->apart;
    return chart->log ? workers * exp2(by) : workers + by;
}

static bool is_drawn(enum quantity quantity, const struct curve *curve)
{
    for (int i = 0; i < curve->count; i++)
        if (isfinite(number_of(quantity, curve, &curve->points[i]).middle)) return true;
    return false;
}

/* Steps from the middle of those that are drawn. */
static double place_of(const struct chart *chart, int c)
{
    int drawn = 0, before = 0;
    for (int i = 0; i < chart->subject->problem->count; i++) {
        bool counts = is_drawn(chart->quantity, &chart->subject->problem->curves[i]);
        drawn += counts;
        before += counts && i < c;
    }
    return before - 0.5 * (drawn - 1);
}

/* 0 or -ENOMEM. */
static int write_data(FILE *file, const struct chart *chart, int c)
{
    const struct curve *curve = &chart->subject->problem->curves[c];
    double place = place_of(chart, c);
    fprintf(file, "$median%d << EOD\n", c);
    for (int i = 0; i < curve->count; i++) {
        struct spread spread = number_of(chart->quantity, curve, &curve->points[i]);
        /* A blank line: nothing is known between its neighbours either. */
        if (isfinite(spread.middle))
            fprintf(file, "%.9g %.9g\n", moved(chart, curve->points[i].workers, place), spread.middle);
        else if (curve->points[i].valid == 0)
            fputc('\n', file);
    }
    fprintf(file, "EOD\n$interval%d << EOD\n", c);
    for (int i = 0; i < curve->count; i++) {
        struct spread spread = number_of(chart->quantity, curve, &curve->points[i]);
        if (isfinite(spread.middle) && spread.interval)
            fprintf(file, "%.9g %.9g %.9g %.9g\n", moved(chart, curve->points[i].workers, place), spread.middle,
                    spread.low, spread.high);
    }
    fprintf(file, "EOD\n$raw%d << EOD\n", c);
    for (int i = 0; i < curve->count; i++) {
        double *values = malloc(sizeof *values * (size_t)(curve->points[i].group->count + 1));
        if (!values) return -ENOMEM;
        int count = raw_numbers(chart->quantity, curve, &curve->points[i], values);
        for (int k = 0; k < count; k++) /* half a step to the left, spread a little */
            fprintf(file, "%.9g %.9g\n",
                    moved(chart, curve->points[i].workers, place - 0.4 - 0.2 * fmod(k * 0.618034, 1)), values[k]);
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
        double number = law_number(chart->quantity, curve, workers);
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
            fprintf(file, "%.9g %.9g\n", workers, ideal_number(chart, workers, ideal_speedup(chart, workers)));
        if (workers < corner && corner < next && corner <= chart->x.high)
            fprintf(file, "%.9g %.9g\n", corner, ideal_number(chart, corner, ideal_speedup(chart, corner)));
    }
    fputs("EOD\n", file);
}

/* The numbers that were measured, as many as have room. */
static void write_x_tics(FILE *file, const struct chart *chart, int width)
{
    bool seen[WORKERS_MOST + 1] = {false};
    double last = -INFINITY;
    const struct study_problem *problem = chart->subject->problem;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++)
            if (problem->curves[c].points[i].workers <= WORKERS_MOST) seen[problem->curves[c].points[i].workers] = true;
    for (int c = 0; c < problem->count; c++)
        if (plot_law_end(&problem->curves[c]) <= WORKERS_MOST) seen[(int)plot_law_end(&problem->curves[c])] = true;
    fputs("set xtics (", file);
    for (int workers = 1, count = 0; workers <= WORKERS_MOST; workers++) {
        double share = chart->log ? log(workers / chart->x.low) / log(chart->x.high / chart->x.low)
                                  : (workers - chart->x.low) / (chart->x.high - chart->x.low);
        char label[16];
        snprintf(label, sizeof label, "%d", workers);
        if (!seen[workers] || (share - last) * (width - SIDES) < TIC_GAP) continue;
        fputs(count++ ? ", " : "", file);
        plot_tic(file, label, workers);
        last = share;
    }
    fputs(")\n", file);
}

/* The region of more workers than cores, where it is in the picture. */
static void write_shade(FILE *file, const struct chart *chart, const struct plot_frame *frame)
{
    double edge = chart->log ? sqrt(chart->cores * (chart->cores + 1)) : chart->cores + 0.5;
    if (!(chart->most > chart->cores) || !(edge < chart->x.high)) return;
    double share = chart->log ? log(chart->x.high / edge) / log(chart->x.high / chart->x.low)
                              : (chart->x.high - edge) / (chart->x.high - chart->x.low);
    bool wide = share * (frame->width - SIDES) > 190;
    if (wide) fputs("set title offset 0,0.9\nset tmargin 4.6\n", file);
    fprintf(file,
            "set object 1 rectangle from %.9g, graph 0 to %.9g, graph 1 behind noclip fillstyle transparent solid 0.13 "
            "noborder fillcolor rgb \"#%06x\"\n",
            edge, chart->x.high, frame->look->soft);
    const char *text = "more workers than cores";
    double middle = chart->log ? sqrt(edge * chart->x.high) : (edge + chart->x.high) / 2;
    fputs("set label 1 ", file);
    plot_quote(file, text);
    /* Written upwards where there is little room. */
    if (wide) /* under the title */
        fprintf(file, " at %.9g, graph 1.0 center offset 0,0.55", middle);
    else
        fprintf(file, " at %.9g, graph 0.03 left rotate by 90 offset 0.3,0", chart->x.high);
    fprintf(file, " noenhanced font ',12' textcolor rgb \"#%06x\"\n", frame->look->soft);
}

static const char *law_name(const struct curve *curve, size_t length, char *text)
{
    const struct model_fit *fit = &curve->fits[curve->chosen];
    size_t used = (size_t)snprintf(text, length, "%s:", model_name(fit->model));
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

static void write_law_plot(FILE *file, const struct chart *chart, const struct plot_frame *frame, int c,
                           const char *name)
{
    const struct curve *curve = &chart->subject->problem->curves[c];
    char law[96], title[256];
    if (!(plot_law_end(curve) > curve->points[0].workers)) return;
    snprintf(title, sizeof title, "%.100s, %s", name, law_name(curve, sizeof law, law));
    fprintf(file, ", \\\n    $law%d using 1:2 with lines lw 1.4 dt 2", c);
    plot_colour(file, frame->look->series[plot_series(chart->subject->problem, curve)], 1);
    fputs(" title ", file);
    plot_quote(file, title);
}

static bool has_intervals(const struct chart *chart, const struct curve *curve)
{
    for (int i = 0; i < curve->count; i++) {
        struct spread spread = number_of(chart->quantity, curve, &curve->points[i]);
        if (isfinite(spread.middle) && spread.interval) return true;
    }
    return false;
}

static void write_raw_plot(FILE *file, const struct chart *chart, int c, unsigned colour)
{
    if (chart->quantity != TIME && study_is_timings(chart->subject->problem->curves[c].config)) return;
    fprintf(file, ", \\\n    $raw%d using 1:2 with points pt 7 ps 0.4", c);
    plot_colour(file, colour, 0.35);
    fputs(" notitle", file);
}

static void write_curve_plot(FILE *file, const struct chart *chart, const struct plot_frame *frame, int c,
                             const char *key)
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
    if (study_on_one_core(curve)) { /* an open marker: nothing is to be seen through it */
        fprintf(file, ", \\\n    $median%d using 1:2 with lines lw 1.8", c);
        plot_colour(file, colour, 1);
        fprintf(file, " notitle, \\\n    $median%d using 1:2 with points pt %d ps 1", c, marker + 1);
        plot_colour(file, frame->look->page, 1);
        fputs(" notitle", file);
    }
    bool line = curve->count > 1 && !study_on_one_core(curve);
    fprintf(file, ", \\\n    $median%d using 1:2 with %s pt %d ps 1 lw 1.8", c, line ? "linespoints" : "points",
            marker);
    plot_colour(file, colour, 1);
    fputs(" title ", file);
    plot_quote(file, key);
}

static void write_plot(FILE *file, const struct chart *chart, const struct plot_frame *frame)
{
    const struct study_problem *problem = chart->subject->problem;
    char name[96], key[128];
    fputs("plot $ideal using 1:2 with lines lw 1.4 dt 3", file);
    plot_colour(file, frame->look->soft, 1);
    fputs(chart->waits > 1 ? " title 'the most that waiting allows'" : " title 'ideal'", file);
    for (int c = 0; c < problem->count; c++)
        if (is_drawn(chart->quantity, &problem->curves[c]))
            write_raw_plot(file, chart, c, frame->look->series[plot_series(problem, &problem->curves[c])]);
    for (int c = 0; c < problem->count; c++) {
        if (!is_drawn(chart->quantity, &problem->curves[c])) continue;
        study_curve_name(problem, &problem->curves[c], sizeof name, name);
        plot_shorten(name, KEY_COLUMNS, sizeof key, key);
        write_law_plot(file, chart, frame, c, key);
        write_curve_plot(file, chart, frame, c, key);
    }
    fputc('\n', file);
}

static int write_chart(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame,
                       enum quantity quantity)
{
    static const struct {
        const char *title, *axis;
        plot_label *label;
    } texts[] = {{"Speedup", "speedup", plot_label_number},
                 {"Efficiency", "speedup / workers", plot_label_share},
                 {"Time", "wall time", plot_label_time}};
    struct chart chart = {.subject = subject, .quantity = quantity, .cores = plot_cores(subject)};
    char name[288], title[320];
    find_axes(&chart);
    snprintf(title, sizeof title, "%s: %s%s", texts[quantity].title, plot_problem_name(subject, sizeof name, name),
             subject->problem->curves->weak ? ", weak scaling" : "");
    plot_write_settings(file, frame, title);
    plot_write_axis(file, &chart.x, "workers", plot_label_number);
    write_x_tics(file, &chart, frame->width);
    plot_write_axis(file, &chart.y, texts[quantity].axis, texts[quantity].label);
    write_shade(file, &chart, frame);
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
    return write_chart(file, subject, frame, SPEEDUP);
}

static int script_efficiency(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    return write_chart(file, subject, frame, EFFICIENCY);
}

static int script_time(FILE *file, const struct plot_subject *subject, const struct plot_frame *frame)
{
    return write_chart(file, subject, frame, TIME);
}

static bool has_numbers(const struct plot_subject *subject, enum quantity quantity, size_t length, char *reason_p)
{
    int drawn = 0;
    for (int c = 0; c < subject->problem->count; c++)
        for (int i = 0; i < subject->problem->curves[c].count; i++) {
            const struct curve *curve = &subject->problem->curves[c];
            drawn += isfinite(number_of(quantity, curve, &curve->points[i]).middle);
        }
    if (drawn < 2)
        snprintf(reason_p, length, "%s valid %s", drawn ? "only one configuration has a" : "no configuration has a",
                 quantity == TIME ? "time" : "speedup");
    return drawn > 1;
}

static bool has_speedup(const struct plot_subject *subject, size_t length, char *reason_p)
{
    return has_numbers(subject, SPEEDUP, length, reason_p);
}

static bool has_time(const struct plot_subject *subject, size_t length, char *reason_p)
{
    return has_numbers(subject, TIME, length, reason_p);
}

/* Captions */

struct line {
    size_t length, used;
    char *text;
};

__attribute__((format(printf, 2, 3))) static void say(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (line->used < line->length) {
        int written = vsnprintf(line->text + line->used, line->length - line->used, format, arguments);
        if (written > 0) line->used += (size_t)written;
    }
    va_end(arguments);
}

static void say_ideal(struct line *line, const struct plot_subject *subject, enum quantity quantity)
{
    double cores = plot_cores(subject);
    const struct curve *first = subject->problem->curves;
    if (quantity != TIME && first->serial)
        say(line, " Speedups are against the best serial program.");
    else if (quantity != TIME)
        say(line, " There is no serial base: speedups are against the fewest workers of the same mode, times their "
                  "number.");
    if (isfinite(cores))
        say(line, " Dotted: as many times as fast as there are workers, at most %g, as many as there are cores.",
            cores);
    else
        say(line, " Dotted: as many times as fast as there are workers.");
}

static void caption(const struct plot_subject *subject, enum quantity quantity, size_t length, char *text)
{
    struct line line = {.length = length, .text = text};
    const struct study_problem *problem = subject->problem;
    bool law = false, bare = false, many = false, shaded = false, timings = study_is_timings(problem->curves->config);
    double cores = plot_cores(subject);
    char launches[48];
    for (int c = 0; c < problem->count; c++) {
        law |= plot_law_end(&problem->curves[c]) > problem->curves[c].points[0].workers;
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            struct spread spread = number_of(quantity, &problem->curves[c], point);
            bare |= isfinite(spread.middle) && !spread.interval && !point->is_base;
            many |= point->valid > PLOT_DOTS;
            shaded |= point->workers > cores;
        }
    }
    text[0] = '\0';
    say(&line, "Points: medians; bars: 95 %% interval of the median by order statistics over %s%s",
        plot_launches(subject, sizeof launches, launches), bare ? " (none where there are too few for one)" : "");
    if (quantity == TIME)
        say(&line, "; dots: single launches.");
    else if (timings)
        say(&line, ".");
    else
        say(&line, "; dots: single blocks, each against the base in the same block.");
    if (many) say(&line, " Of more than %d dots, evenly spaced ones are shown.", PLOT_DOTS);
    say_ideal(&line, subject, quantity);
    if (law) say(&line, " Dashed: the fitted law, to twice the largest number of workers that it was fitted to.");
    if (shaded) say(&line, " Shaded: more workers than cores.");
}

static void caption_speedup(const struct plot_subject *subject, size_t length, char *text)
{
    caption(subject, SPEEDUP, length, text);
}

static void caption_efficiency(const struct plot_subject *subject, size_t length, char *text)
{
    caption(subject, EFFICIENCY, length, text);
}

static void caption_time(const struct plot_subject *subject, size_t length, char *text)
{
    caption(subject, TIME, length, text);
}

const struct plot_figure plot_figure_speedup = {"speedup",       "Speedup",      has_speedup,
                                                caption_speedup, script_speedup, NULL};
const struct plot_figure plot_figure_efficiency = {"efficiency",       "Efficiency",      has_speedup,
                                                   caption_efficiency, script_efficiency, NULL};
const struct plot_figure plot_figure_time = {"time", "Time", has_time, caption_time, script_time, NULL};
