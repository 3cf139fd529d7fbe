/* Inside present/ alone: the pieces that the terminal's pages share. */
#ifndef SPEEDUP_PRESENT_TEXT_H
#define SPEEDUP_PRESENT_TEXT_H

#include "present.h"

/* style.c: the escape sequence that starts a tone (TONE_PLAIN ends any), or "" without colour. Colour only repeats what
 * the words say. */
enum tone { TONE_PLAIN, TONE_STRONG, TONE_DIM, TONE_GOOD, TONE_BAD, TONE_BAR };
const char *style_tone(const struct style *, enum tone);
/* The same for the task of that number, in colours that colour-blind people tell apart, again and again the same six;
 * `ground`: as the background of its letter. */
const char *style_task_tone(const struct style *, int task, bool ground);

/* The terminal's width now; 0 where the stream is none. */
int style_terminal_width(FILE *);

/* Columns that a text takes: one per code point. */
int text_width(const char *text);
/* Prints the bytes as they are, but '?' for each control character (those that begin with 0xc2 too, which terminals
 * obey), and without UTF-8 for all that is not ASCII. */
void text_print_plain(FILE *, const struct style *, const char *text, size_t count);
/* Prints words from column `column` on, and continues at column `indent` of the next line before they would pass the
 * style's width; ends the line. Control characters become spaces; without UTF-8, what is not ASCII becomes '?'. */
void text_print_wrapped(FILE *, const struct style *, int column, int indent, const char *text);

/* bar.c: `length` + 1 cells, of which a bar fills the first `filled`; a mark stands in cell `mark` (NAN: none). */
void text_print_bar(FILE *, const struct style *, double filled, double mark, int length);

/* format.c: "1.97", "75 %" (of a share), "-" for NAN. */
const char *format_ratio(double ratio, size_t length, char *text);
const char *format_share(double share, size_t length, char *text);
/* The unit in which all rates up to `top` are told: "GFLOP/s" is 1e9 flop a second. */
struct rate_unit {
    double rate;
    char name[48];
};
void rate_unit_for(double top, const char *work_unit, struct rate_unit *unit_p);
/* "54.6", "0.012", "-" for NAN. */
const char *format_in_unit(double rate, const struct rate_unit *, size_t length, char *text);

/* target.c: what is measured. A command of the user's, not a kernel. */
bool target_is_command(const struct config *);
/* The kernel's name; of a command its settings and words as one would type them, cut in the middle to so many columns
 * and to what fits, whole characters. Returns text. */
const char *target_text(const struct config *, int columns, size_t length, char *text);
/* The same of this one configuration: with its placeholders replaced. */
const char *target_text_expanded(const struct config *, int columns, size_t length, char *text);
/* What a mode shows; of a command what it was asked for, which it need not have done. */
const char *target_mode_text(const struct config *);
/* What the time of a command is of. Returns text. */
const char *target_time_text(const struct config *, size_t length, char *text);
/* A string; of a text that is no UTF-8, with '?' in place of all that is not ASCII. New reference; NULL: no memory. */
json_t *target_json_text(const char *text);

/* scene.c: what a row of the lesson shows, by its tasks and cores. */
enum scene_kind {
    SCENE_ALONE, /* one task */
    SCENE_TURNS, /* several tasks share one core: multitasking */
    SCENE_CORES, /* tasks on several cores: multiprocessing */
    SCENE_WAITS  /* several tasks share one core and mostly wait: where multitasking pays */
};
enum scene_kind scene_kind(const struct lesson_row *);
/* The most that the cores of this row allow: min(tasks, cores); for tasks that wait min(tasks, waiting bound). NAN
 * where unknown. */
double scene_ideal(const struct lesson *, const struct lesson_row *);
/* "4 threads taking turns on 1 core". Returns text. */
const char *scene_describe(const struct lesson_row *, size_t length, char *text);
/* Rows of one kernel, variant and size are shown together: a set. */
bool scene_same_set(const struct lesson_row *, const struct lesson_row *);
bool scene_starts_set(const struct lesson *, int row);
/* The largest speedup or ideal of the set, at least 1: what a figure must have room for. */
double scene_set_top(const struct lesson *, int first);
/* The first row of that kind that has a speedup, or NULL. */
const struct lesson_row *scene_find(const struct lesson *, enum scene_kind);

#endif
