/* A lesson that is played (speedup demo --lesson NAME): it asks for a prediction, measures, and compares. An exercise
 * is data: what is measured, what is asked, and small functions that read the answer from the samples. commands/play.c
 * plays it. Pure.
 *
 * A further exercise is one file that ends in its struct exercise, a row in exercises.c, and a line in CMakeLists.txt.
 *
 * In all texts, {workers} stands for one worker for each core (from 2 to 8), and {cores} for the cores that those get.
 */
#ifndef SPEEDUP_LESSONS_EXERCISE_H
#define SPEEDUP_LESSONS_EXERCISE_H

#include "../analyse/group.h"
#include "../error.h"
#include "../plan/plan.h"

enum { EXERCISE_PROBLEMS_MAX = 8, EXERCISE_SHOTS_MAX = 12, EXERCISE_QUESTIONS_MAX = 4, EXERCISE_TEXT = 1024 };

/* What is computed. */
struct exercise_problem {
    const char *kernel;         /* NULL ends a table */
    const char *variant;        /* NULL: the kernel's default */
    const char *const *options; /* the kernel's own, a name and a text by turns, NULL at the end; NULL: its defaults */
    const char *size;           /* NULL: chosen by measuring, so that one task takes base_s */
    int size_of;                /* EXERCISE_SIZE_OF(i): the size of problem i, which stands before this one */
    double base_s;              /* 0: long enough to be judged in the shot of this problem with the most CPUs */
};
#define EXERCISE_SIZE_OF(problem) ((problem) + 1)

/* One configuration; all of them are launched once in each block. */
struct exercise_shot {
    const char *text; /* in tables and the progress line: "{workers} threads on {cores} cores"; NULL ends a table */
    int problem;
    enum mode_name mode;
    int workers; /* 0: {workers}; of mode serial: 1 */
    int policy;  /* enum scheduling_policy */
    int nice;
    double slice_s; /* 0: the system's */
    bool optional;  /* left out where it cannot be had here: exercise_reason */
};

/* What an exercise's functions get. */
struct exercise_view {
    const struct exercise *exercise;
    int workers, cores;                             /* {workers}, {cores} */
    const struct group *groups[EXERCISE_SHOTS_MAX]; /* the samples of each shot; NULL: none was made */
};

/* The most (or least) that is possible; NAN: none is known. */
struct exercise_bound {
    double value;
    char text[160]; /* what it is, behind the number: "one for each core"; "" */
};

struct exercise_question {
    const char *ask;  /* NULL ends a table */
    const char *unit; /* behind numbers: "times", "%", "us" */
    double low, high; /* what a guess may be */
    /* The answer, in the unit; count 0 where no sample tells it. */
    struct spread (*measure)(const struct exercise_view *);
    struct exercise_bound (*bound)(const struct exercise_view *); /* NULL: none */
    /* Why it is so, with the numbers of this run; called where there is an answer. */
    void (*explain)(const struct exercise_view *, const struct spread *answer, size_t length, char *text_p);
};

struct exercise {
    const char *name;  /* as after --lesson: the kernel's, or its own */
    const char *title; /* one line, at most 50 columns */
    const char *page;  /* the kernel whose page (page.h) tells more; NULL */
    const char *intro; /* paragraphs, each one line */
    const struct exercise_problem *problems;
    const struct exercise_shot *shots;
    const struct exercise_question *questions;
    int blocks;                 /* 0: 7, which an interval of 95 % needs 6 of */
    const char *const *further; /* commands to go on with; NULL-terminated */
};

/* exercises.c: the one table, in teaching order, NULL-terminated. */
extern const struct exercise *const exercise_registry[];
/* NULL where there is none of that name. */
const struct exercise *exercise_find(const char *name);
/* The kernel's own: of its name, else the first that names the kernel's page; NULL. */
const struct exercise *exercise_of_kernel(const char *kernel);
/* Whether this program has its kernels, with all options and variants. */
bool exercise_is_available(const struct exercise *);
/* Whether one of its shots that is not optional has ranks. */
bool exercise_needs_mpi(const struct exercise *);

/* Why a shot cannot be had on this machine, by the reasons why there is no MPI, why slices cannot be set, and why
 * real-time policies are not allowed ("": there is none); NULL: it can. */
const char *exercise_reason(const struct exercise_shot *, const char *mpi_reason, const char *slices_reason,
                            const char *realtime_reason);

/* {workers} for this machine, and the placement of a shot. A shot is as plan_mode says. */
int exercise_workers(const struct machine *);
int exercise_plan_shot(const struct machine *, const struct exercise_shot *, struct mode *mode_p, struct error *);
/* Kernel, variant, options and, where it is given, the size. STATUS_USAGE with the text where the program has none
 * such.
 */
int exercise_make_problem(const struct exercise_problem *, struct problem *problem_p, struct error *);
/* The text with its placeholders filled in; returns text_p. */
const char *exercise_expand(const struct exercise_view *, const char *text, size_t length, char *text_p);

/* For the functions of exercises. */
/* Rate of a shot over that of another, a ratio in each block: how many times as fast. */
struct spread exercise_ratio(const struct exercise_view *, int base, int shot);
/* A number of the valid samples of a shot. */
struct spread exercise_number(const struct exercise_view *, int shot, double (*number)(const struct sample *));
/* All numbers of a spread times a factor. */
struct spread exercise_scale(struct spread, double factor);

/* A guess as it was written: "1.5", "1,5", "95 %", "1.5 times"; the unit may stand behind it. 0, -EINVAL, -ERANGE. */
int exercise_parse_guess(const struct exercise_question *, const char *text, double *guess_p);
/* How good the guess was, in a sentence. Returns text_p. */
const char *exercise_compare(const struct exercise_question *, double guess, const struct spread *answer, size_t length,
                             char *text_p);
/* "1.98 times", "45 %". Returns text_p. */
const char *exercise_quantity(const struct exercise_question *, double value, size_t length, char *text_p);

#endif
