/* One table a command drives parsing, --help, the man page and shell completion. */
#ifndef SPEEDUP_OPTIONS_OPTIONS_H
#define SPEEDUP_OPTIONS_OPTIONS_H

#include "../error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How an option's value is taken. `value` points to the type named. */
enum option_type {
    OPT_FLAG,     /* bool: --json sets it, --no-json clears it */
    OPT_TEXT,     /* const char *: points into argv */
    OPT_COUNT,    /* int, min ... max */
    OPT_NUMBER,   /* double, finite, min ... max */
    OPT_U64,      /* uint64_t, decimal or 0x hex */
    OPT_DURATION, /* double, seconds; "500ms", "2s", "1m", "1h"; "2" is seconds */
    OPT_CHOICE,   /* int: index into choices; -1 before */
    OPT_CPUS,     /* struct cpu_list: "0,2-3" */
    OPT_SHARE,    /* double, min ... max, as a share of 1; "5%" or "0.05" */
    OPT_PAIRS,    /* struct option_pairs: a choice and a text, "--export csv FILE"; each time it is given, one more */
    OPT_TEXTS,    /* struct option_texts: a text, "--env A=1"; each time it is given, one more */
    OPT_LISTS     /* struct option_texts: a name and a text, "--parameter level 1,9"; likewise */
};

enum { OPTION_PAIRS_MAX = 16 };

/* Starts empty. */
struct option_pairs {
    int count;
    struct {
        int choice;       /* index into choices */
        const char *text; /* points into argv */
    } pairs[OPTION_PAIRS_MAX];
};

enum { OPTION_TEXTS_MAX = 64 };

/* Starts empty. All point into argv. */
struct option_texts {
    int count;
    const char *names[OPTION_TEXTS_MAX]; /* of OPT_LISTS */
    const char *texts[OPTION_TEXTS_MAX];
};

struct option {
    char letter;      /* 0: none */
    const char *name; /* without dashes; NULL ends a table */
    enum option_type type;
    void *value;
    double min, max;            /* OPT_COUNT, OPT_NUMBER, OPT_DURATION, OPT_SHARE; min == max: any */
    const char *const *choices; /* OPT_CHOICE, OPT_PAIRS: NULL-terminated */
    const char *argument;       /* how help shows the value: "N", "FILE", "FORMAT FILE"; NULL for flags */
    const char *help;           /* one sentence; says the default. Choices are added to it */
};

struct command {
    const char *name;        /* NULL ends the table */
    const char *arguments;   /* as in usage: "KERNEL [OPTIONS]" */
    const char *summary;     /* one line for `speedup --help` */
    const char *description; /* for `speedup NAME --help`: one line a paragraph; examples, at the end, are indented */
    /* argv[0] is the command's name. Returns a status; 1, as options_parse does, where it only printed its help. */
    int (*run)(const struct command *, int argc, char **argv, struct error *);
};

/* Further options that are not in the table (a kernel's own); all of them take a value. Return: 1 taken (the value was
 * used), 0 not known, < 0 error set. `name` is without dashes; `value` is NULL where none was given. */
typedef int options_unknown(void *context, const char *name, const char *value, struct error *);

struct options {
    const struct command *command;
    const struct option *table;
    options_unknown *unknown; /* may be NULL */
    void *context;
    /* Names that `unknown` would take, for suggestions: NULL-terminated array, or NULL. */
    const char *const *unknown_names;
};

/* Parses argv[1..]; options and operands in any order, "--" ends options, "-" is an operand; "--name=value",
 * "--name value", "-n value", "-nvalue", "-n=value" and joined flags "-ab". An option given twice: the last one counts
 * (pairs, texts and lists gather).
 * What follows an option is its value unless it begins with "--" ("--name=--value" is the way to give such a value).
 * Operands are moved to the front of argv[1..]; *operand_count_p counts them. Returns 0; 1 where help was asked for
 * (anywhere before "--") and printed; STATUS_USAGE with one line that names the flag, the value, what is allowed, and
 * the nearest name. */
int options_parse(const struct options *, int argc, char **argv, int *operand_count_p, struct error *);
void options_print_help(const struct options *, FILE *);

/* help.c: the text, wrapped at 80 columns. The cursor stands in `column`; further lines begin in column `indent`. Ends
 * with a newline. A newline in the text begins a new line; a line that begins with a blank is printed as it is. */
void options_print_wrapped(FILE *, int column, int indent, const char *text);

/* nearest.c: the name nearest to `text` among `names` (NULL-terminated), or NULL where none is near: upper and lower
 * case alike, it differs by at most a third of the longer of both (at least 1 edit; swapped neighbours are one), or is
 * the only one that begins with a `text` of at least 3 letters. */
const char *options_nearest(const char *text, const char *const *names);

#endif
