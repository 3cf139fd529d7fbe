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

/* "matmul (packed, size 1900)", "xz -T{threads} data (LEVEL 9)", with the options that are not at their default;
 * without the variant where there are several. Returns text. */
const char *study_describe(const struct study_problem *, size_t length, char *text);
/* The same in so many columns, if it is for a command's length that it would be wider. */
const char *study_describe_within(const struct study_problem *, int columns, size_t length, char *text);
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

/* Texts that the terminal's page and the report share; each returns text. "" where there is nothing to say. */
typedef void study_say(void *context, const char *text);
/* "252 ms 250-255": the ends in the unit of the middle. */
const char *study_times_text(const struct spread *, size_t length, char *text);
/* "30", "30+2": valid launches and others. */
const char *study_launches_text(const struct curve_point *, size_t length, char *text);
const char *study_karp_flatt_text(const struct curve_point *, size_t length, char *text);
/* Half the interval's width, "6.0 %": told apart from what was asked for. */
const char *study_half_width_text(const struct curves *, const struct curve_point *, size_t length, char *text);
/* That the interval is wider than was asked for. */
const char *study_width_text(const struct curves *, const struct curve_point *, bool utf8, size_t length, char *text);
/* What the columns of the table mean, and what the speedups are relative to. */
const char *study_legend_text(const struct curves *, const struct study_problem *, size_t length, char *text);
const char *study_serial_text(const struct curves *, const struct study_problem *, size_t length, char *text);
const char *study_own_text(const struct curves *, const struct study_problem *, size_t length, char *text);
/* Of weak scaling: the sizes. */
const char *study_sizes_text(const struct study_problem *, size_t length, char *text);
/* study_outside.c: of a command; else nothing, or "". */
bool study_is_command(const struct study_problem *);
/* What is timed, and whether its tasks were bound. */
const char *study_timed_text(const struct study_problem *, size_t length, char *text);
/* What the processes of a configuration used: medians over the launches that count, but the most of tasks and memory;
 * NAN where it is not known. */
struct study_outside {
    double user_s, system_s, concurrency, parallelism, tasks;
    double peak_memory_bytes; /* of the process that had the most */
    int failed, exit_status;  /* launches that ended with another status than 0, and the last of these */
};
void study_outside_of(const struct group *, struct study_outside *outside_p);
const char *study_tasks_text(double tasks, size_t length, char *text);
extern const char study_outside_legend[];
/* What the factors mean where tasks are seen from outside alone. */
const char *study_factors_outside_text(void);
/* What could not be seen, and what looks odd. */
void study_tell_outside(const struct study_problem *, study_say *, void *context);
void study_print_outside(FILE *, const struct style *, const struct study_problem *);

/* How it was measured (it goes on from a colon), and how much the machine's speed varied meanwhile. */
const char *study_method_text(const struct curves *, size_t length, char *text);
const char *study_drift_text(const struct curves *, size_t length, char *text);
bool study_all_timings(const struct curves *);

/* The factors of a point are worth telling: several workers, and times of each. */
bool study_explains(const struct curve *, const struct curve_point *);
bool study_explains_any(const struct study_problem *);
/* The product is the speedup by identity, but for medians: outside of the interval of what was measured, something that
 * no factor sees has part in it. */
bool study_contradicts(const struct curve *, const struct curve_point *);
/* The curve has several numbers of workers, on cores of their own. */
bool study_scales(const struct curve *);
/* "s = 0.012 (0.008 to 0.016)", "T1 = 252 ms (...)"; or why there is no interval, or no value. */
const char *study_parameter_text(const struct model_fit *, int parameter, size_t length, char *text);
/* The ideal, and what the chosen law says, as far as it may be used. */
const char *study_bounds_text(const struct study_problem *, const struct curve *, size_t length, char *text);
/* What the letters of the laws mean. */
const char *study_laws_text(const struct study_problem *, size_t length, char *text);
/* What bounds all curves: the peak of a core, what waiting tasks allow. */
void study_tell_common_bounds(const struct study_problem *, study_say *, void *context);
/* Why samples do not count, the commonest reason first; those that differ in their numbers alone are one. */
enum { STUDY_REASONS_MAX = 64 };
struct study_reason {
    const char *text; /* of the first of them; borrowed */
    enum validity validity;
    int count;
};
struct study_reasons {
    int count, others; /* others: samples for which there was no room */
    struct study_reason reasons[STUDY_REASONS_MAX];
};
void study_count_reasons(int count, const struct curve curves[], struct study_reasons *reasons_p);
/* What was lost, and what was odd and kept all the same. */
void study_tell_notes(const struct study_problem *, study_say *, void *context);

void study_print_toned(FILE *, const struct style *, enum tone, int column, int indent, const char *text);

/* study_table.c, study_chart.c, study_why.c. */
void study_print_table(FILE *, const struct style *, const struct curves *, const struct study_problem *);
void study_print_chart(FILE *, const struct style *, const struct study_problem *);
void study_print_factors(FILE *, const struct style *, const struct study_problem *);
void study_print_models(FILE *, const struct style *, const struct study_problem *);
/* study_notes.c */
void study_print_notes(FILE *, const struct style *, const struct study_problem *);

#endif
