/* What the figures over numbers of workers show, in words. */
#include "../analyse/sentence.h"
#include "plot_chart.h"

#include <math.h>

static void say_ideal(struct sentence *line, const struct plot_subject *subject, enum chart_quantity quantity)
{
    double cores = plot_cores(subject);
    const struct curve *first = subject->problem->curves;
    if (quantity != CHART_TIME && first->serial)
        sentence_add(line, study_is_command(subject->problem) ? " Speedups are against the same command for one worker."
                                                              : " Speedups are against the best serial program.");
    else if (quantity != CHART_TIME)
        sentence_add(line,
                     " There is no serial base: speedups are against the fewest workers of the same mode, times their "
                     "number.");
    if (isfinite(cores))
        sentence_add(line,
                     " Dotted: as many times as fast as there are workers, at most %g, as many as there are cores.",
                     cores);
    else
        sentence_add(line, " Dotted: as many times as fast as there are workers.");
}

void chart_caption(const struct plot_subject *subject, enum chart_quantity quantity, size_t length, char *text)
{
    struct sentence line = {.length = length, .text = text};
    const struct study_problem *problem = subject->problem;
    bool law = false, bare = false, many = false, shaded = false, timings = curve_is_timings(problem->curves->config);
    double cores = plot_cores(subject);
    char launches[48];
    for (int c = 0; c < problem->count; c++) {
        law |= plot_law_end(&problem->curves[c]) > problem->curves[c].points[0].workers;
        for (int i = 0; i < problem->curves[c].count; i++) {
            const struct curve_point *point = &problem->curves[c].points[i];
            struct spread spread = chart_number(quantity, &problem->curves[c], point);
            bare |= isfinite(spread.middle) && !spread.interval && !point->is_base;
            many |= point->valid > PLOT_DOTS;
            shaded |= point->workers > cores;
        }
    }
    text[0] = '\0';
    sentence_add(&line, "Points: medians; bars: 95 %% interval of the median by order statistics over %s%s",
                 plot_launches(subject, sizeof launches, launches),
                 bare ? " (none where there are too few for one)" : "");
    if (quantity == CHART_TIME)
        sentence_add(&line, "; dots: single launches.");
    else if (timings)
        sentence_add(&line, ".");
    else
        sentence_add(&line, "; dots: single blocks, each against the base in the same block.");
    if (many) sentence_add(&line, " Of more than %d dots, evenly spaced ones are shown.", PLOT_DOTS);
    say_ideal(&line, subject, quantity);
    if (law)
        sentence_add(&line, " Dashed: the fitted law, to twice the largest number of workers that it was fitted to.");
    if (shaded) sentence_add(&line, " Shaded: more workers than cores.");
}
