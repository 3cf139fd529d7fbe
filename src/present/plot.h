/* Figures by gnuplot, made from the points of a study and from timelines: as files, and as pieces of a page. gnuplot is
 * the program of that name in the path, or what $SPEEDUP_GNUPLOT names; it is started without a shell. */
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
    /* Of the timeline's figure: the part to show, in seconds since its start; it may end behind the timeline, so that
     * several can be drawn on one scale. length_s 0: as plot_timeline_length says. */
    double from_s, length_s;
};

const char *plot_name(enum plot); /* "speedup": the name of its file */
/* Whether gnuplot is here; else the reason, with what helps, in reason_p. */
bool plot_available(size_t length, char *reason_p);
/* Whether there is anything to draw of it: else the reason in reason_p. */
bool plot_has(enum plot, const struct plot_subject *, size_t length, char *reason_p);
/* Some plain sentences: what is shown, what the marks and the intervals are. Returns text. */
const char *plot_caption(enum plot, const struct plot_subject *, size_t length, char *text);
/* The height in CSS pixels that suits 720 of width: figures with a row for each configuration or task grow with them.
 */
int plot_height(enum plot, const struct plot_subject *);
/* So much of the timeline, from its start, that single slices can be told apart on 720 pixels; all of it where that is
 * so anyway. */
double plot_timeline_length(const struct timeline *);

/* An <svg> element to be put into a page; its viewBox has so many CSS pixels, and it stretches to the width of what it
 * is in. height 0: what suits; where rows and legend need more than is given, it is higher. Its ids begin with `prefix`
 * and a dash (letters, digits, - and _ of it), so that none clash in the page; it has a title and, as description, the
 * caption; its type is the page's. Its colours are the page's variables --ink, --soft, --line, --page and --series1 ...
 * --series8. Heap; the caller frees. STATUS_FAILED with the text where gnuplot is missing or fails. */
int plot_svg(enum plot, const struct plot_subject *, int width, int height, const char *prefix, char **svg_p,
             struct error *);

/* Files. formats: indices into plot_formats. */
extern const char *const plot_formats[]; /* "svg", "png", "pdf"; NULL-terminated */
extern const char *const plot_themes[];  /* "light", "dark": as enum plot_theme has them; NULL-terminated */
struct plot_output {
    const char *folder; /* made where it is not there */
    int format_count, formats[8];
    enum plot_theme theme;
    bool keep_gnuplot; /* leave the scripts, which contain their data, beside the figures */
};
/* "svg,png" into format_count and formats; STATUS_USAGE with what is allowed. */
int plot_parse_formats(const char *list, struct plot_output *output_p, struct error *);
/* All figures that there is something to draw of, for all parts; says on `log` what was written, and what was not and
 * why. 0 or STATUS_FAILED with the text. */
int plot_files(const struct plot_output *, int part_count, const struct study_part parts[], FILE *log, struct error *);

#endif
