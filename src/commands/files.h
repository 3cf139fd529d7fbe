/* Inside commands/ alone: what report and compare read. */
#ifndef SPEEDUP_COMMANDS_FILES_H
#define SPEEDUP_COMMANDS_FILES_H

#include "../analyse/results.h"

/* A record, or a CSV file of timings (record/timings.h), told apart by content; "-": standard input. A torn last line
 * is told on standard error; `command` stands before it. `label`: of times that have none, or NULL: the file's name.
 * `timelines`: a record that holds timelines and no sample will do.
 * STATUS_USAGE where there is no sample in it, or as results_read and timings_read; the results are then not made. */
int files_read(const char *command, const char *path, const char *label, bool timelines, struct results *results_p,
               struct error *);

/* "AMD EPYC (host), 2 cores", from the context line; "" where it is not known. */
const char *files_machine(const struct results *, size_t length, char *text);

#endif
