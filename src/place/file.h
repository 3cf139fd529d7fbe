/* Small files that the operating system writes for us: /proc, /sys. */
#ifndef SPEEDUP_PLACE_FILE_H
#define SPEEDUP_PLACE_FILE_H

#include <stddef.h>

/* Reads up to length - 1 bytes of the file named by format and ends the text; newlines at its end are cut off. Returns
 * its length, or -errno, and then text_p is "". */
int file_read(size_t length, char *text_p, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The first number in the file, or fallback where there is none. */
double file_read_number(double fallback, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
