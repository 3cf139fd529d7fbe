/* Inside commands/ alone: the files that report, compare and timeline read, and what they write. */
#ifndef SPEEDUP_COMMANDS_FILES_H
#define SPEEDUP_COMMANDS_FILES_H

#include "../analyse/results.h"

/* A record, or a CSV file of timings (record/timings.h), told apart by content; "-": standard input. A torn last line
 * is told on standard error; `command` stands before it. `label`: of times that have none, or NULL: the file's name.
 * `timelines`: a record that holds timelines and no sample will do.
 * STATUS_USAGE where there is no sample in it, or as results_read and timings_read; the results are then not made. */
int files_read(const char *command, const char *path, const char *label, bool timelines, struct results *results_p,
               struct error *);

/* What was measured is never overwritten: STATUS_USAGE where `path`, which `option` names as an output, is one of the
 * inputs or a record. NULL and "-" are allowed. */
int files_check_output(const char *option, const char *path, int count, char *const inputs[], struct error *);

/* A summary, for people too, on standard output. Takes the reference. */
void files_print_json(json_t *object);

/* "AMD EPYC (host), 2 cores", from the context line; "" where it is not known. */
const char *files_machine(const struct results *, size_t length, char *text);

#endif
