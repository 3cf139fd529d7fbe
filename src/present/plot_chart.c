/* Numbers and axes of the figures over numbers of workers. The axis of workers is logarithmic (to base 2) where all are
 * powers of two, or where it is long; that of speedups then too, so that the ideal is a straight line. */
#include "plot_chart.h"

#include <math.h>
#include <string.h>

enum { SIDES = 110, WORKERS_MOST = 4096, LONG_AXIS = 16 };

static bool is_power_of_two(int number)
{
    return number > 0 && (number & (number - 1)) == 0;
}

struct spread chart_number(enum chart_quantity quantity, const struct curve *curve, const struct curve_point *point)
{
    struct spread spread = quantity == CHART_TIME         ? point->wall_s
                           : quantity == CHART_EFFICIENCY ? point->efficiency
                                                          : *plot_speedup(curve, point);
    if (!(spread.middle > 0) || !isfinite(spread.middle)) spread.middle = NAN;
    if (!(spread.low > 0) || !isfinite(spread.high)) spread.interval = false;
    return spread;
}

int chart_raw_numbers(enum chart_quantity quantity, const struct curve *curve, const struct curve_point *point,
                      double values_p[])
{
    int count = quantity == CHART_TIME ? plot_raw_times(point, values_p) : plot_raw_speedups(curve, point, values_p);
    for (int i = 0; i < count && quantity == CHART_EFFICIENCY; i++) values_p[i] /= point->workers;
    return count;
}

double chart_law_number(enum chart_quantity quantity, const struct curve *curve, double workers)
{
    double speedup = plot_law(curve, workers);
    if (quantity == CHART_TIME) return model_time_s(&curve->fits[curve->chosen], workers);
    return quantity == CHART_EFFICIENCY ? speedup / workers : speedup;
}

/* So many workers at best. */
double chart_ideal_number(const struct chart *chart, double workers, double speedup)
{
    double work = chart->subject->problem->curves->weak ? workers : 1;
    if (chart->quantity == CHART_TIME) return chart->base_s * work / speedup;
    return chart->quantity == CHART_EFFICIENCY ? speedup / workers : speedup;
}

double chart_ideal_speedup(const struct chart *chart, double workers)
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
    chart->log = powers == points || chart->most >= LONG_AXIS;
}

static void find_y(struct chart *chart)
{
    double low = INFINITY, high = 0;
    const struct study_problem *problem = chart->subject->problem;
    for (int c = 0; c < problem->count; c++)
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve *curve = &problem->curves[c];
            struct spread spread = chart_number(chart->quantity, curve, &curve->points[i]);
            include(spread.middle, &low, &high);
            if (spread.interval) include(spread.low, &low, &high), include(spread.high, &low, &high);
            if (isfinite(spread.middle) && chart->quantity != CHART_TIME)
                include(chart_ideal_number(chart, curve->points[i].workers,
                                           chart_ideal_speedup(chart, curve->points[i].workers)),
                        &low, &high);
        }
    for (int c = 0; c < problem->count; c++)
        if (plot_law_end(&problem->curves[c]) > 0)
            include(chart_law_number(chart->quantity, &problem->curves[c], plot_law_end(&problem->curves[c])), &low,
                    &high);
    struct plot_axis *y = &chart->y;
    *y = (struct plot_axis){.name = 'y'};
    if (chart->quantity == CHART_SPEEDUP && chart->log) {
        *y =
            (struct plot_axis){.name = 'y', .base_two = true, .low = fmin(low, 1) / 1.25, .high = fmax(high, 2) * 1.25};
    } else if (chart->quantity == CHART_TIME) {
        *y = (struct plot_axis){.name = 'y', .base_ten = true, .low = low / 1.3, .high = high * 1.3};
    } else {
        y->high = 1.1 * fmax(high, 1);
    }
}

void chart_init(struct chart *chart, const struct plot_subject *subject, enum chart_quantity quantity)
{
    *chart = (struct chart){.subject = subject, .quantity = quantity, .cores = plot_cores(subject)};
    find_base(chart);
    find_workers(chart);
    chart->x = (struct plot_axis){.name = 'x', .base_two = chart->log};
    double span = chart->log ? log2(chart->most / chart->least) : chart->most - chart->least;
    double margin = span > 0 ? 0.06 * span + 0.02 : 0.5;
    chart->x.low = chart->log ? chart->least / exp2(margin) : chart->least - margin;
    chart->x.high = chart->log ? chart->most * exp2(margin) : chart->most + margin;
    /* Apart by a marker's width, but all together in a fifth of the gap to the next number of workers at most. */
    chart->aside = 0.012 * fmax(span, 0.5);
    chart->apart = fmin(2 * chart->aside, 0.2 / fmax(1, chart->subject->problem->count));
    find_y(chart);
}

double chart_moved(const struct chart *chart, double workers, double by)
{
    return chart->log ? workers * exp2(by) : workers + by;
}

bool chart_draws(enum chart_quantity quantity, const struct curve *curve)
{
    for (int i = 0; i < curve->count; i++)
        if (isfinite(chart_number(quantity, curve, &curve->points[i]).middle)) return true;
    return false;
}

/* How far it stands from the middle of those that are drawn. */
double chart_place(const struct chart *chart, int c)
{
    int drawn = 0, before = 0;
    for (int i = 0; i < chart->subject->problem->count; i++) {
        bool counts = chart_draws(chart->quantity, &chart->subject->problem->curves[i]);
        drawn += counts;
        before += counts && i < c;
    }
    return chart->apart * (before - 0.5 * (drawn - 1));
}

/* How many pixels from the left an axis of that width has it. */
static double pixel_of(const struct chart *chart, double workers, int width)
{
    double share = chart->log ? log(workers / chart->x.low) / log(chart->x.high / chart->x.low)
                              : (workers - chart->x.low) / (chart->x.high - chart->x.low);
    return share * (width - SIDES);
}

static void find_measured(const struct chart *chart, bool measured_p[WORKERS_MOST + 1])
{
    const struct study_problem *problem = chart->subject->problem;
    for (int c = 0; c < problem->count; c++) {
        for (int i = 0; i < problem->curves[c].count; i++)
            if (problem->curves[c].points[i].workers <= WORKERS_MOST)
                measured_p[problem->curves[c].points[i].workers] = true;
        if (plot_law_end(&problem->curves[c]) <= WORKERS_MOST)
            measured_p[(int)plot_law_end(&problem->curves[c])] = true;
    }
}

/* The numbers that were measured, as many as have room: powers of two first, where the axis has them. */
void chart_write_tics(FILE *file, const struct chart *chart, int width)
{
    bool measured[WORKERS_MOST + 1] = {false}, labelled[WORKERS_MOST + 1] = {false};
    int count = 0;
    find_measured(chart, measured);
    fputs("set xtics (", file);
    for (int pass = chart->log ? 0 : 1; pass < 2; pass++)
        for (int workers = 1; workers <= WORKERS_MOST; workers++) {
            char label[16];
            int gap = 10 + 9 * snprintf(label, sizeof label, "%d", workers);
            if (!measured[workers] || labelled[workers] || (pass == 0 && !is_power_of_two(workers))) continue;
            bool room = true;
            for (int other = 1; other <= WORKERS_MOST && room; other++)
                room = !labelled[other] || fabs(pixel_of(chart, workers, width) - pixel_of(chart, other, width)) >= gap;
            if (!room) continue;
            fputs(count++ ? ", " : "", file);
            plot_tic(file, label, workers);
            labelled[workers] = true;
        }
    if (count == 0) plot_tic(file, plot_label_number(chart->most, 16, (char[16]){""}), chart->most);
    fputs(")\n", file);
}

/* The region of more workers than cores, where it is in the picture. */
void chart_write_shade(FILE *file, const struct chart *chart, const struct plot_frame *frame)
{
    double next = INFINITY;
    for (int c = 0; c < chart->subject->problem->count; c++)
        for (int i = 0; i < chart->subject->problem->curves[c].count; i++)
            if (chart->subject->problem->curves[c].points[i].workers > chart->cores)
                next = fmin(next, chart->subject->problem->curves[c].points[i].workers);
    double edge = chart->log ? sqrt(chart->cores * next) : (chart->cores + next) / 2;
    if (!(edge < chart->x.high)) return;
    double share = 1 - pixel_of(chart, edge, frame->width) / (frame->width - SIDES);
    bool narrow = share * (frame->width - SIDES) < 45; /* the caption says it */
    bool wide = share * (frame->width - SIDES) > 155;
    fprintf(file,
            "set object rectangle from %.9g, graph 0 to %.9g, graph 1 behind noclip fillstyle transparent solid 0.13 "
            "noborder fillcolor rgb \"#%06x\"\n",
            edge, chart->x.high, frame->look->soft);
    if (narrow) return;
    const char *text = "more workers than cores";
    double middle = chart->log ? sqrt(edge * chart->x.high) : (edge + chart->x.high) / 2;
    fputs("set label ", file);
    plot_quote(file, text);
    /* Written upwards where there is little room. */
    if (wide) /* under the title */
        fprintf(file, " at %.9g, graph 1.0 center offset 0,0.55", middle);
    else
        fprintf(file, " at %.9g, graph 0.03 left rotate by 90 offset 0.9,0", edge);
    fprintf(file, " noenhanced font ',12' textcolor rgb \"#%06x\"\n", frame->look->soft);
}
