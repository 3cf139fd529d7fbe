#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error_p, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error_p->text, sizeof error_p->text, format, arguments);
    va_end(arguments);
    for (char *c = error_p->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' '; /* a name may bring newlines, or a terminal's escapes */
    return status;
}
