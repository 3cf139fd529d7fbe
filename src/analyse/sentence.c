#include "sentence.h"

#include <stdarg.h>
#include <stdio.h>

void sentence_add(struct sentence *sentence, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (sentence->used < sentence->length) {
        int written = vsnprintf(sentence->text + sentence->used, sentence->length - sentence->used, format, arguments);
        if (written > 0) sentence->used += (size_t)written;
    }
    va_end(arguments);
}
