/* Plays an exercise (lessons/exercise.h): asks for predictions, measures, compares. */
#ifndef SPEEDUP_COMMANDS_PLAY_H
#define SPEEDUP_COMMANDS_PLAY_H

#include "../lessons/exercise.h"

struct play_options {
    const char *directory; /* for the records; made where it is not there */
    const char *guesses;   /* "1.5,2": instead of asking; NULL: standard input is asked */
    bool quick;            /* two blocks: no intervals */
};

/* At most about half a minute of measuring. Records: lesson-NAME.jsonl in the directory. STATUS_USAGE for guesses that
 * are none. */
int play_exercise(const struct exercise *, const struct play_options *, struct error *);

/* mkdir -p. */
int play_make_directory(const char *path, struct error *);

#endif
