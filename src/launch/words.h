/* A growing NULL-terminated array of texts: argument vectors and environments. */
#ifndef SPEEDUP_LAUNCH_WORDS_H
#define SPEEDUP_LAUNCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Starts as {0}. After a failed allocation further calls do nothing, and words_take returns NULL. */
struct words {
    char **items;
    int count, capacity;
    bool failed;
};

void words_add(struct words *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Each text, up to NULL. */
void words_add_all(struct words *, const char *const texts[]);
/* "NAME=value", in the place of what has the same name. */
void words_replace_setting(struct words *, const char *setting);
/* The array, now the caller's (words_free), or NULL: no memory. */
char **words_take(struct words *);
/* NULL is allowed. */
void words_free(char **items);

/* For a message: what cannot be printed is "?"; cut where it is too long. Returns printable_p. */
const char *words_printable(const char *text, size_t length, char *printable_p);

#endif
