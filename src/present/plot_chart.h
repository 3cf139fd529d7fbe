/* Inside the figures over numbers of workers: what they draw in, and the numbers that they draw. */
#ifndef SPEEDUP_PRESENT_PLOT_CHART_H
#define SPEEDUP_PRESENT_PLOT_CHART_H

#include "plot_script.h"

enum chart_quantity { CHART_SPEEDUP, CHART_EFFICIENCY, CHART_TIME };

struct chart {
    const struct plot_subject *subject;
    enum chart_quantity quantity;
    bool log;            /* workers */
    double cores;        /* INFINITY: not known */
    double waits;        /* what tasks that wait could gain on one core; else 1 */
    double base_s;       /* of one worker */
    double least, most;  /* workers; most: also what the law is drawn to */
    double apart, aside; /* as the axis is drawn, in octaves or workers: two curves; a median and its single launches */
    struct plot_axis x, y;
};
void chart_init(struct chart *chart_p, const struct plot_subject *, enum chart_quantity);

/* Middle NAN: not known, or not to be drawn; no interval: likewise. */
struct spread chart_number(enum chart_quantity, const struct curve *, const struct curve_point *);
bool chart_draws(enum chart_quantity, const struct curve *);
/* As plot_raw_speedups. */
int chart_raw_numbers(enum chart_quantity, const struct curve *, const struct curve_point *, double values_p[]);
/* By the fitted law; NAN where there is none, or beyond its end. */
double chart_law_number(enum chart_quantity, const struct curve *, double workers);
/* The most that so many workers could reach, and the chart's quantity for it. */
double chart_ideal_speedup(const struct chart *, double workers);
double chart_ideal_number(const struct chart *, double workers, double speedup);

/* So many workers, by so much to the right, in octaves or workers. */
double chart_moved(const struct chart *, double workers, double by);
/* How far the curve of that index stands from the middle of all that are drawn, likewise. */
double chart_place(const struct chart *, int curve);

void chart_write_tics(FILE *, const struct chart *, int width);
void chart_write_shade(FILE *, const struct chart *, const struct plot_frame *);

/* plot_chart_text.c */
void chart_caption(const struct plot_subject *, enum chart_quantity, size_t length, char *text);

#endif
