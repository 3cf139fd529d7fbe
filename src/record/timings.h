/* Other people's timings: CSV of `workers,time[,label]`, told apart from a record by what is in it. */
#ifndef SPEEDUP_RECORD_TIMINGS_H
#define SPEEDUP_RECORD_TIMINGS_H

#include "record.h"

/* One sample for each line, valid, with a time and its number of workers and nothing else known of it (no worker's
 * times). Its work is one "run": that of one label is taken to be the same for all numbers of workers. config.kernel is
 * the label, else the file's name without folder and extension; neither variant, size nor instruction set. The mode is
 * serial for one worker, else threads, each with a CPU; over CPUS_MAX workers no CPU is named. The i-th time of a label
 * and number of workers is of block i, from 0 on. `launch` counts from 0.
 *
 * `add` is called for each, in order, and copies what it wants; a negative return of it ends the reading and is
 * returned. */
typedef int timings_add(void *context, const struct sample *);

/* Whether a text (its beginning suffices) can be such a table: its first line that is neither blank nor a comment does
 * not begin with a brace. */
bool timings_look_like(const char *text);

/* Reads all of `file`; `name` is what messages call it, `label` what its lines are called that have none (NULL: after
 * the name). Fields are separated by commas, semicolons or tabs (those of the first line), surrounded by blanks at
 * will, and may be quoted; lines end with LF or CRLF. Lines that are empty or begin with # are skipped, and so is a
 * first line whose first field is no number (a header). Where fields are separated by semicolons or tabs, decimal
 * commas are read too. STATUS_USAGE with the line's number and what is needed; STATUS_FAILED where it cannot be read.
 */
int timings_read(FILE *file, const char *name, const char *label, timings_add *add, void *context, struct error *);

#endif
