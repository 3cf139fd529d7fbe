/* Inside present/ alone: the pieces of which the page of a scaling study is made. */
#ifndef SPEEDUP_PRESENT_STUDY_TEXT_H
#define SPEEDUP_PRESENT_STUDY_TEXT_H

#include "text.h"

/* The curves of one problem stand side by side: the same kernel, options, seed and instruction set; the same size, but
 * in weak scaling. */
struct study_problem {
    int count;
    const struct curve *curves; /* borrowed, consecutive */
    bool variants;              /* more than one */
    struct rate_unit unit;
};
/* The problem whose curves begin at `first`; the next one begins at first + count. */
void study_problem_at(const struct curves *, int first, struct study_problem *problem_p);

/* Somebody else's timings (timings.h): neither variant nor mode is known. */
bool study_is_timings(const struct config *);
/* "matmul (packed, size 1900)", with the options that are not at their default; without the variant where there are
 * several. Returns text. */
const char *study_describe(const struct study_problem *, size_t length, char *text);
/* "threads", or "tiled threads" where a problem has several variants. Returns text. */
const char *study_curve_name(const struct study_problem *, const struct curve *, size_t length, char *text);
/* That and the workers: "threads 4". Returns text. */
const char *study_point_name(const struct study_problem *, const struct curve *, const struct curve_point *,
                             size_t length, char *text);
/* The widest name of a point; at most `most`. */
int study_name_width(const struct study_problem *, int most);
/* The name in so many columns; of one that is wider the end is kept, which has the number. */
void study_print_name(FILE *, int width, const char *name);
/* The most that the cores of a point could give: its workers, or its cores where they are fewer; where tasks wait, what
 * they allow. */
double study_ideal(const struct curve *, const struct curve_point *);
/* All workers take turns on one core by design. */
bool study_on_one_core(const struct curve *);

void study_print_toned(FILE *, const struct style *, enum tone, int column, int indent, const char *text);

/* study_table.c, study_chart.c, study_why.c. */
void study_print_table(FILE *, const struct style *, const struct curves *, const struct study_problem *);
void study_print_chart(FILE *, const struct style *, const struct study_problem *);
void study_print_factors(FILE *, const struct style *, const struct study_problem *);
void study_print_models(FILE *, const struct style *, const struct study_problem *);
/* study_notes.c */
void study_print_notes(FILE *, const struct style *, const struct study_problem *);

#endif
