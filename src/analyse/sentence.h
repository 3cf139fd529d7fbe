/* A sentence that is put together piece by piece in a text of fixed length; what does not fit is cut off. */
#ifndef SPEEDUP_ANALYSE_SENTENCE_H
#define SPEEDUP_ANALYSE_SENTENCE_H

#include <stddef.h>

struct sentence {
    size_t length, used;
    char *text;
};

void sentence_add(struct sentence *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
