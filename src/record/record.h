/* The record: JSON Lines, one context line, then one line a sample. SCHEMA.md documents every name. What could not be
 * observed is null, with the reason in "unobserved", never 0. */
#ifndef SPEEDUP_RECORD_RECORD_H
#define SPEEDUP_RECORD_RECORD_H

#include "../error.h"
#include "../observe/sample.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { RECORD_SCHEMA = 1 };
/* For json_dumps and its kin, wherever a line of the record is written: one line, every double exact. */
enum { RECORD_DUMP_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(17) };

/* New references, the caller's; NULL: no memory. */
json_t *record_encode_config(const struct config *);
json_t *record_encode_scheduling(const struct scheduling *);
json_t *record_encode_target(const struct command_target *);
/* As a string; bytes that are no UTF-8 as {"hex": ...}. */
json_t *record_encode_text(const char *);
json_t *record_encode_sample(const struct sample *);
/* 0, or -EINVAL with the offending name in error; the output is then unchanged. sample_p must be initialised; it is
 * released and refilled. */
int record_decode_config(const json_t *, struct config *config_p, struct error *);
/* Of a word of a command: a string, or {"hex": ...}. Returns its length, and it is in text_p[size] then; -1 where it is
 * none, or too long. */
int record_decode_text(const json_t *, size_t size, char *text_p);
int record_decode_sample(const json_t *, struct sample *sample_p, struct error *);
/* 0, or -EINVAL where the line has no schema version or a newer one than this program reads. */
int record_check_schema(const json_t *line, struct error *);

/* The key for pairing, resuming and comparing: 16 hex digits of a hash of the canonical JSON of the config. Returns
 * text. */
const char *record_config_key(const struct config *, char text[17]);
/* That hash: FNV-1a, 64 bits. */
uint64_t record_hash(size_t length, const void *bytes);
uint64_t record_hash_more(uint64_t hash, size_t length,
                          const void *bytes); /* of what was hashed, and these behind it */

/* Whether there is a file of that name that begins with a context line. */
bool record_is_file(const char *path);

struct record_writer;
/* path "-" is standard output. Refuses (STATUS_USAGE) an existing file that is no record; appends to nothing: an
 * existing record is emptied when the first new line is written, so a run that could not start costs nothing.
 * STATUS_FAILED with the reason where it cannot write. */
int record_writer_new(const char *path, struct record_writer **writer_p, struct error *);
/* Goes on with a record that is there: lines are added behind its own. A torn last line, of a writer that was killed,
 * is set aside first, in PATH.torn; *torn_p says whether there was one. A last line that lacks its newline alone gets
 * it. STATUS_USAGE where the file is no record, STATUS_FAILED where it cannot be written. */
int record_writer_continue(const char *path, struct record_writer **writer_p, bool *torn_p, struct error *error);
/* One line, handed to the system at once and whole. STATUS_FAILED with the reason (disk full): what was written before
 * is kept, nothing of this line is, but it is in a file in $TMPDIR or /tmp, which the text names, as are all later
 * ones. Does not take the reference. */
int record_write(struct record_writer *, const json_t *line, struct error *);
int record_writer_free(struct record_writer *, struct error *);

/* Calls `line` for each line's object in order; path "-" is standard input. An empty file has no lines. A torn last
 * line (no newline, not JSON) is reported in *torn_p and not passed on. STATUS_USAGE where the file is no record, with
 * the line's number; STATUS_FAILED where it cannot be read. A negative return of `line` ends it and is returned; a text
 * that `line` wrote into the same error gets the file and the line's number in front. */
int record_read(const char *path, int (*line)(void *context, const json_t *object), void *context, bool *torn_p,
                struct error *);

#endif
