/* Reads the small text files of /proc and /sys in one go, without stdio. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int read_path(const char *path, size_t length, char *text_p)
{
    text_p[0] = '\0';
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    size_t used = 0;
    ssize_t got = 0;
    while (used < length - 1 && (got = read(file, text_p + used, length - 1 - used)) > 0) used += (size_t)got;
    int status = got < 0 ? -errno : 0;
    close(file);
    if (status) used = 0;
    while (used > 0 && text_p[used - 1] == '\n') used--;
    text_p[used] = '\0';
    return status ? status : (int)used;
}

int file_read(size_t length, char *text_p, const char *format, ...)
{
    char path[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    return read_path(path, length, text_p);
}

double file_read_number(double fallback, const char *format, ...)
{
    char path[4096], text[64], *end;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    if (read_path(path, sizeof text, text) < 0) return fallback;
    double number = strtod(text, &end);
    return end == text ? fallback : number;
}
