/* Predictions of a person, or of a file in their place. */
#ifndef SPEEDUP_COMMANDS_GUESS_H
#define SPEEDUP_COMMANDS_GUESS_H

#include "../lessons/exercise.h"

#include <stdio.h>

struct guess {
    bool given;
    double value;
};

/* Asks on `out` and reads a line: on a terminal again where it is no guess; elsewhere a line is for one question. An
 * empty line and the end of the input are no guess. Never fails. */
void guess_ask(const struct exercise_question *, FILE *in, FILE *out, struct guess *guess_p);

/* The next of a list "1.5,2,", which *rest_p is moved on in; an empty place, and the end of the list, are no guess.
 * STATUS_USAGE where it is none that is allowed. */
int guess_take(const struct exercise_question *, const char **rest_p, struct guess *guess_p, struct error *);

#endif
