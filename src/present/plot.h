/* Figures by gnuplot, made from the points of a study and from timelines: as files, and as pieces of a page. */
#ifndef SPEEDUP_PRESENT_PLOT_H
#define SPEEDUP_PRESENT_PLOT_H

#include "study_text.h"

/* What a figure shows. The first five are of one problem of a study; the last two of a timeline. */
enum plot {
    PLOT_SPEEDUP,       /* against one task; log2 axes, ideal, points with intervals, raw dots, the fitted law */
    PLOT_EFFICIENCY,    /* speedup / workers */
    PLOT_TIME,          /* wall times */
    PLOT_ROOFLINE,      /* rates against the measured ceilings of the cores */
    PLOT_DECOMPOSITION, /* what each speedup lost, and to what: stacked bars */
    PLOT_SLICES,        /* lengths of time slices: how often which */
    PLOT_TIMELINE,      /* who ran where and when */
    PLOT_COUNT
};

enum plot_theme { PLOT_LIGHT, PLOT_DARK, PLOT_PAGE /* in colours that a page's style sheet defines, see plot_svg */ };

/* What is drawn: a problem of a study, or a timeline. The other one is NULL. */
struct plot_subject {
    const struct results *results;
    const struct curves *curves;
    const struct study_problem *problem;
    const struct timeline_record *timeline;
};

const char *plot_name(enum plot); /* "speedup": the name of its file */
/* Whether gnuplot is here; else the reason, with what helps, in reason_p. */
bool plot_available(size_t length, char *reason_p);
/* Whether there is anything to draw of it: else the reason in reason_p. */
bool plot_has(enum plot, const struct plot_subject *, size_t length, char *reason_p);
/* One or two plain sentences: what is shown, what the marks and the intervals are. Returns text. */
const char *plot_caption(enum plot, const struct plot_subject *, size_t length, char *text);
/* An <svg> element to be put into a page, of so many CSS pixels, without ids that could clash in the page (unlike
 * `prefix` makes them); its colours are the page's variables --ink, --soft, --line, --page and --series1 ... --series8.
 * Heap; the caller frees. STATUS_FAILED with the text where gnuplot is missing or fails. */
int plot_svg(enum plot, const struct plot_subject *, int width, int height, const char *prefix, char **svg_p,
             struct error *);

/* Files. formats: indices into plot_formats. */
extern const char *const plot_formats[]; /* "svg", "png", "pdf"; NULL-terminated */
struct plot_output {
    const char *folder; /* made where it is not there */
    int format_count, formats[8];
    enum plot_theme theme;
    bool keep_gnuplot; /* leave script and data beside the figures */
};
/* All figures that there is something to draw of, for all parts; says on `log` what was written, and what was not and
 * why. 0 or STATUS_FAILED with the text. */
int plot_files(const struct plot_output *, int part_count, const struct study_part parts[], FILE *log, struct error *);

#endif
