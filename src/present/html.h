/* Inside present/ alone: HTML from records. What comes from a record passes through here and is escaped. */
#ifndef SPEEDUP_PRESENT_HTML_H
#define SPEEDUP_PRESENT_HTML_H

#include "../analyse/lesson.h"
#include "../analyse/timeline_summary.h"

#include <jansson.h>
#include <stdio.h>

/* Escapes & < > " ' and replaces what XML does not allow (control characters, broken UTF-8) by U+FFFD. */
void html_text(FILE *, const char *text);
/* The same, but a number and the % behind it stay on one line. */
void html_sentence(FILE *, const char *text);
/* `format` is markup and written as it is; knows %s (escaped), %d and %%, nothing else. */
void html_write(FILE *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A JSON value as text for people, nested lists and objects included. */
void html_json(FILE *, const json_t *);
/* "cpu_model" -> "cpu model" */
void html_json_name(FILE *, const char *name);

/* html_page.c: the whole. A page is html_open_page, facts, "</p></header><main>", sections, html_close_page. Both css
 * are added to the style sheet. */
void html_open_page(FILE *, const char *title, const char *css, const char *more_css);
void html_close_page(FILE *);
/* Where a section stands: the level of its heading, and what is put before ids, so that a page can hold it twice. */
struct html_place {
    int level;
    const char *prefix;
};
/* "<section>" with its heading; "</section>" ends it. */
void html_open_section(FILE *, const struct html_place *, const char *id, const char *title);
/* Of a part of the section. */
void html_write_heading(FILE *, const struct html_place *, const char *title);
/* Up to the caption. Wide tables scroll in their own box, which the keyboard reaches, so that the page itself never
 * does. */
void html_open_table(FILE *, const char *label);
/* The last <tbody> too. */
void html_close_table(FILE *);
/* Writes the page to the file, or to standard output where path is "-". A file is written beside its place and then put
 * there, so that no half of it is ever seen; a device or a pipe is written straight to. 0 or STATUS_FAILED with the
 * reason. */
typedef void html_page(FILE *, const void *context);
int html_write_file(const char *path, html_page *, const void *context, struct error *);

/* figure.c: SVG without a viewBox, so that bars stretch with the page and the type keeps its size. `id` makes the ids
 * of its title and description unique in the page. */
void figure_speedups(FILE *, const struct lesson *, int first_row, const char *id);
/* How tasks take turns, run at once, or wait: drawn, not measured. */
void figure_schematic(FILE *, const char *id);

/* figure_timeline.c: one launch, as it was observed: a row a CPU, a row a worker. The whole width stands for scale_s
 * seconds from the launch's start, so that figures side by side share a scale; 0: for the launch's length. What is
 * narrower than can be seen is merged. records: the hosts of the launch. */
void figure_timeline(FILE *, const struct timeline_record *const records[], int count, double scale_s, const char *id);
/* Text for its caption, escaped: what is incomplete first, what is shown, how it was seen and how exactly. */
void figure_timeline_caption(FILE *, const struct timeline_record *const records[], int count, double scale_s);
/* Its style sheet, to stand behind one that defines --page, --ink, --soft, --line, --card and --turns. */
extern const char timeline_css[];
/* How to read the pictures: to be said once on a page. */
extern const char timeline_legend[];
/* timeline_pick.c: the pair "multitasking | multiprocessing": a timeline whose workers share one CPU, and one of the
 * same kernel whose workers have CPUs of their own; NULL where there is none. Returns the length of time to show of
 * both (some 40 turns, at most the shorter length); NAN where there is none to show. */
double figure_timeline_pick(const struct results *, const struct timeline_record *records_p[2]);

/* report_text.c: the style sheet, and the explanation for a newcomer with the measured numbers in it. */
extern const char report_css[];
void report_write_explanation(FILE *, const struct lesson *);
void report_write_method(FILE *, const struct lesson *);

/* report_tables.c: sections made of the records. */
void report_write_numbers(FILE *, const struct lesson *);
void report_write_answers(FILE *, const struct lesson *);
void report_write_left_out(FILE *, const struct results *, const struct lesson *);

/* report_machine.c: sections made of the context line, which may be NULL. */
void report_write_machine(FILE *, const struct html_place *, const json_t *context);
void report_write_commands(FILE *, const json_t *context);
/* The launch lines, as they were started; nothing where there are none. */
void report_write_launches(FILE *, const json_t *context);

#endif
