/* Reads JSON Lines one line at a time, of any length, from a file or a pipe. Only the end of a file may be torn (the
 * writer was killed, the disk was full); anything else that is no record is an error with the line's number. */
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct line_text {
    char *text;
    size_t capacity, length;
    long number;
};

static bool line_blank(const struct line_text *line)
{
    return line->length == strspn(line->text, " \t\r\n");
}

/* A file of something else altogether deserves to be told so, not where its JSON is wrong. */
static int line_reject(const char *name, const struct line_text *line, const char *why, struct error *error)
{
    if (line->number == 1)
        return error_set(error, STATUS_USAGE,
                         "%s is no record of speedup: line 1: %s; name a file that was written by -o", name, why);
    return error_set(error, STATUS_USAGE, "%s, line %ld: %s", name, line->number, why);
}

static int line_check(const char *name, const struct line_text *line, const json_t *object, struct error *error)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    if (!type) return line_reject(name, line, "expected an object with a \"type\"", error);
    bool versioned = strcmp(type, "context") == 0 || strcmp(type, "sample") == 0 || json_object_get(object, "schema");
    struct error why;
    if (versioned && record_check_schema(object, &why))
        return error_set(error, STATUS_USAGE, "%s, line %ld: %s", name, line->number, why.text);
    return STATUS_OK;
}

static int line_deliver(const char *name, const struct line_text *text,
                        int (*line)(void *context, const json_t *object), void *context, const json_t *object,
                        struct error *error)
{
    error->text[0] = '\0';
    int status = line(context, object);
    if (status >= 0) return STATUS_OK;
    struct error why = *error;
    if (why.text[0]) error_set(error, status, "%s, line %ld: %s", name, text->number, why.text);
    return status;
}

int record_read(const char *path, int (*line)(void *context, const json_t *object), void *context, bool *torn_p,
                struct error *error)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    FILE *file = standard ? stdin : fopen(path, "re");
    if (!file) return error_set(error, STATUS_FAILED, "cannot read %s: %s", name, strerror(errno));

    int status = STATUS_OK;
    *torn_p = false;
    struct line_text text = {0};
    ssize_t got;
    errno = 0;
    while (status == STATUS_OK && (got = getline(&text.text, &text.capacity, file)) >= 0) {
        text.length = (size_t)got;
        text.number++;
        if (line_blank(&text)) continue;
        json_error_t why;
        json_t *object = json_loadb(text.text, text.length, 0, &why);
        if (!object && text.text[text.length - 1] != '\n')
            *torn_p = true;
        else if (!object)
            status = line_reject(name, &text, why.text, error);
        else
            status = line_check(name, &text, object, error);
        if (status == STATUS_OK && object) status = line_deliver(name, &text, line, context, object, error);
        json_decref(object);
    }
    if (status == STATUS_OK && !feof(file))
        status = error_set(error, STATUS_FAILED, "cannot read %s: %s", name, strerror(errno));
    free(text.text);
    if (!standard) fclose(file);
    return status;
}
