/* The names of the record and where their values live in our structs: one table a struct drives writing and reading,
 * so that the two cannot drift apart. Only src/record uses this. SCHEMA.md documents the names. */
#ifndef SPEEDUP_RECORD_FIELDS_H
#define SPEEDUP_RECORD_FIELDS_H

#include "record.h"

enum field_type {
    FIELD_REAL,        /* double; NAN <-> null */
    FIELD_LATER_REAL,  /* the same, added after the first files were written: NAN where they lack it */
    FIELD_INT,         /* int */
    FIELD_INT_OR_NULL, /* int; -1 <-> null */
    FIELD_COUNT,       /* int64_t; -1 <-> null */
    FIELD_BOOL,
    FIELD_TEXT,         /* char[size] */
    FIELD_TEXT_OR_NULL, /* char[size]; "" <-> null */
    FIELD_INTS,         /* int count, followed by int[size] */
    FIELD_SEED,         /* uint64_t; a number up to 2^53, above that decimal digits in a string */
    FIELD_BITS,         /* uint64_t; "0x" and 16 hex digits */
    FIELD_MODE,         /* enum mode_name */
    FIELD_WAIT_POLICY,  /* enum wait_policy */
    FIELD_VALIDITY      /* enum validity; true, false, null: not judged */
};

struct field {
    const char *group; /* the object that holds it; NULL: the line itself */
    const char *name;  /* NULL ends a table */
    enum field_type type;
    size_t offset, size;
};

extern const struct field config_fields[], sample_fields[], worker_fields[];
/* Of a sample too, but added after the first files were written, which lack them. */
extern const struct field later_sample_fields[], later_worker_fields[];
/* Of one of the points of a sample. */
extern const struct field point_fields[];
/* Of a sample of a command alone. */
extern const struct field command_sample_fields[];

enum { PER_WORKER_ROWS_MAX = 256 }; /* with more workers, per_worker is an object of columns */

/* New reference, or NULL: no memory. */
json_t *field_encode(const struct field *, const void *record);
/* Adds all of the table to the object. 0 or -1. */
int fields_encode(const struct field table[], const void *record, json_t *object);
/* A string of it; bytes that are no UTF-8 become '?', one by one. New reference, or NULL: no memory. */
json_t *text_encode(const char *text);

/* 0, or -EINVAL with what was expected of this name. `path` precedes the name in the message: "config.", or "". */
int field_decode(const struct field *, const json_t *value, const char *path, void *record_p, struct error *);
int fields_decode(const struct field table[], const json_t *object, const char *path, void *record_p, struct error *);

/* command.c. Adds what the target of a command has besides its name; 0 or -1. */
int command_encode(const struct command_target *, json_t *target);
/* 0, or -EINVAL with the offending name in error. */
int command_decode(const json_t *target, struct command_target *command_p, struct error *error);

#endif
