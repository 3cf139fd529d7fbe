/* Inside present/ alone: the pieces of which gnuplot's scripts are made, and gnuplot itself. A script contains its
 * data; whatever text of a record it has stands in single quotes, in which gnuplot substitutes nothing. */
#ifndef SPEEDUP_PRESENT_PLOT_SCRIPT_H
#define SPEEDUP_PRESENT_PLOT_SCRIPT_H

#include "plot.h"

/* plot_style.c. Colours as 0xRRGGBB. Okabe and Ito's (https://jfly.uni-koeln.de/color/), in an order that has them
 * differ in lightness too; those of a page are marks that plot_page.c replaces. */
enum { PLOT_SERIES = 8 };
struct plot_look {
    unsigned ink, soft, line, page, series[PLOT_SERIES];
};
const struct plot_look *plot_look(enum plot_theme);

/* The legend stands below the plot. gnuplot's own has as many rows as the terminal's idea of its type makes; this one
 * has the same with all. marker, dash: as gnuplot numbers them; 0: none. */
enum { PLOT_KEY_MOST = 48 };
enum plot_mark { PLOT_MARK_LINE, PLOT_MARK_POINT, PLOT_MARK_LINE_POINT, PLOT_MARK_BOX };
struct plot_key {
    int count;
    struct plot_key_entry {
        enum plot_mark mark;
        int marker, dash;
        unsigned colour;
        double opacity;
        char text[160];
    } entries[PLOT_KEY_MOST];
};
void plot_key_add(struct plot_key *, enum plot_mark, int marker, int dash, unsigned colour, const char *text);

/* All that is not the plot itself has a fixed height. */
struct plot_frame {
    const struct plot_look *look;
    int width, height; /* CSS pixels */
    int key_rows;
};
/* area: what the plot needs at least. */
void plot_frame_init(struct plot_frame *frame_p, enum plot_theme, int width, int height, int area,
                     const struct plot_key *);
int plot_key_rows(const struct plot_key *, int width);
enum { PLOT_KEY_ROW = 24 }; /* CSS pixels */
void plot_write_key(FILE *, const struct plot_frame *, const struct plot_key *);

/* A text in single quotes. Control characters become blanks, what is no UTF-8 '?'. */
void plot_quote(FILE *, const char *text);
/* The text in at most so many columns; what is longer ends with an ellipsis. Returns text_p. */
const char *plot_shorten(const char *text, int columns, size_t length, char *text_p);
/* Columns that a title may take. */
int plot_title_columns(const struct plot_frame *);
/* "'label' at" of an explicit tic. */
void plot_tic(FILE *, const char *label, double at);
/* ` lc rgb "#..."`, or ` fillcolor rgb "#..."`; opacity from 0 to 1. */
void plot_colour(FILE *, unsigned colour, double opacity);
void plot_fill(FILE *, unsigned colour, double opacity);
/* Encoding, margins, borders, grid, legend; the title. */
void plot_write_settings(FILE *, const struct plot_frame *, const char *title);
/* set terminal, and set output where path is not NULL. */
void plot_write_terminal(FILE *, int format, enum plot_theme, const struct plot_frame *, const char *path);

/* An axis and its explicit tics. `label` makes a tic's text. */
struct plot_axis {
    char name;     /* 'x' or 'y' */
    bool base_two; /* logarithmic with tics at powers of two */
    bool base_ten; /* logarithmic with tics at 1, 2, 5 of each decade */
    double low, high;
    double last; /* no tics beyond; 0: up to high */
    int steps;   /* of a linear axis at most; 0: what suits a wide figure */
};
typedef const char *plot_label(double value, size_t length, char *text);
void plot_write_axis(FILE *, const struct plot_axis *, const char *title, plot_label *label);
/* "4", "0.25"; "75 %" of a share; a time. */
const char *plot_label_number(double value, size_t length, char *text);
const char *plot_label_share(double value, size_t length, char *text);
const char *plot_label_time(double value, size_t length, char *text);

/* plot_points.c: what the figures of a problem have in common. */
double plot_cores(const struct plot_subject *);
/* "Speedup: pi (philox, size 1000000)", shortened; a command in its middle, so that it fits. */
const char *plot_problem_title(const struct plot_subject *, const struct plot_frame *, const char *lead, size_t length,
                               char *text);
const struct spread *plot_speedup(const struct curve *, const struct curve_point *);
/* Numbers of single blocks, or launches: speedups, or times. Room for the group's count; at most PLOT_DOTS of them,
 * evenly chosen. Returns how many. */
enum { PLOT_DOTS = 100 };
int plot_raw_speedups(const struct curve *, const struct curve_point *, double values_p[]);
int plot_raw_times(const struct curve_point *, double values_p[]);
/* The law's speedup for so many workers, NAN where there is none; and how far it may be drawn. */
double plot_law(const struct curve *, double workers);
double plot_law_end(const struct curve *);
/* "7 launches", "6 to 30 launches": valid ones of each configuration. */
const char *plot_launches(const struct plot_subject *, size_t length, char *text);
/* A colour's index of a curve, the same in all figures of the problem. */
int plot_series(const struct study_problem *, const struct curve *);

/* A row for each configuration, where a figure has bars: at most ROWS_MOST, evenly chosen of each curve. */
enum { PLOT_ROWS_MOST = 48 };
struct plot_row {
    const struct curve *curve;
    const struct curve_point *point;
    double at; /* on the vertical axis, from 0 downwards */
};
struct plot_rows {
    int count, left_out;
    double end;
    struct plot_row rows[PLOT_ROWS_MOST];
};
void plot_find_rows(const struct plot_subject *, bool (*shows)(const struct curve *, const struct curve_point *),
                    struct plot_rows *rows_p);
void plot_write_rows(FILE *, const struct plot_subject *, const struct plot_rows *);
int plot_rows_area(const struct plot_rows *);

/* plot_timeline.c: an axis' title that ends with how the timeline was seen: a figure as a file has no caption. */
const char *plot_timeline_axis(const struct timeline_record *, const char *title, size_t length, char *text);

/* One figure. has: as plot_has. script: settings, data and the plot command; 0 or -ENOMEM. area: the height that the
 * plot itself is to have; NULL for the usual one. key: its legend. */
struct plot_figure {
    const char *name, *title;
    bool (*has)(const struct plot_subject *, size_t length, char *reason_p);
    void (*caption)(const struct plot_subject *, size_t length, char *text);
    int (*script)(FILE *, const struct plot_subject *, const struct plot_frame *);
    int (*area)(const struct plot_subject *);
    void (*key)(const struct plot_subject *, const struct plot_look *, struct plot_key *key_p);
};
extern const struct plot_figure plot_figure_speedup, plot_figure_efficiency, plot_figure_time, plot_figure_roofline,
    plot_figure_decomposition, plot_figure_slices, plot_figure_timeline;

/* plot.c: the whole script of a figure, to the terminals of these formats and the files `base`.svg and so on; base
 * NULL: of the first format, to standard output. Heap, the caller's; NULL: no memory. */
char *plot_script(enum plot, const struct plot_subject *, enum plot_theme, int width, int height, int format_count,
                  const int formats[], const char *base);

/* plot_gnuplot.c: runs the script; in folder, where it is not NULL. output_p: all that it wrote to standard output,
 * heap; NULL: not wanted. 0 or STATUS_FAILED. */
int plot_run(const char *script, const char *folder, char **output_p, struct error *);

/* plot_page.c: gnuplot's SVG document as an element of a page. Heap, the caller's; NULL: no memory, or no SVG. */
char *plot_page(const char *document, const char *prefix, const char *title, const char *caption);

#endif
