/* The page of a kernel for a class (speedup explain KERNEL): what it computes, how the work is split, what bounds it,
 * what to predict, what to run, what one should see, and questions. Data, and for each page one function that writes
 * what the bound comes to on this machine. Pure.
 *
 * A further page is a struct page in the kernel's file here, and a row in pages.c.
 */
#ifndef SPEEDUP_LESSONS_PAGE_H
#define SPEEDUP_LESSONS_PAGE_H

#include "../../kernels/isa.h"
#include "../place/machine.h"

#include <stdio.h>

/* What is known of the machine. Rates are those of ceilings.h: [0] of one core, [1] of all at once; NAN where they were
 * not measured. */
struct facts {
    const struct machine *machine;
    enum isa isa;
    double peak_flops[2];   /* multiply-adds in registers */
    double fed_flops[2];    /* multiply-adds with operands from the first cache */
    double triad_bytes[2];  /* a second, from and to memory */
    const char *unmeasured; /* why they are NAN; "" */
};

struct page_step {
    const char *command; /* one line, at most 76 columns, that can be copied; NULL ends a table */
    const char *why;
};

struct page_question {
    const char *question; /* NULL ends a table */
    const char *answer;
};

/* Texts are paragraphs, each one line; lists of texts are NULL-terminated. A line that begins with a blank is printed
 * as it is. */
struct page {
    const char *kernel;
    const char *title; /* the lesson in one line, at most 50 columns */
    const char *computes;
    const char *threads, *ranks;                   /* how the work is split among them */
    const char *bound;                             /* the law, with its formula */
    void (*numbers)(const struct facts *, FILE *); /* its numbers here, in paragraphs */
    const char *const *predict;
    const struct page_step *steps;
    const char *const *sights;
    const struct page_question *questions;
};

/* pages.c: the one table, in teaching order, NULL-terminated. Pages of kernels that this program does not have are
 * there too. */
extern const struct page *const page_registry[];
/* NULL where there is none. */
const struct page *page_find(const char *kernel);

/* For the functions of pages: a rate as text, "57.3 GFLOP/s", or "not measured". Returns text_p. */
const char *facts_rate(double rate, const char *unit, size_t length, char *text_p);

#endif
