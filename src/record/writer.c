/* Appends lines with one write(2) each on an O_APPEND descriptor: a run that is killed leaves whole lines and at most
 * one torn one, and two writers never mix theirs. A file that is no record is never touched: a mistyped -o must not
 * cost somebody's thesis. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct record_writer {
    int descriptor;
    bool standard; /* output, which is not ours to close */
    bool replace;  /* an old record is still in the file */
    char *path;
};

enum { CONTEXT_LINE_MAX = 4 << 20 };

bool record_is_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return false;
    char *text = malloc(CONTEXT_LINE_MAX);
    size_t length = text ? fread(text, 1, CONTEXT_LINE_MAX, file) : 0;
    char *end = length ? memchr(text, '\n', length) : NULL;
    json_t *first = json_loadb(text ? text : "", end ? (size_t)(end - text) : length, 0, NULL);
    const char *type = json_string_value(json_object_get(first, "type"));
    bool is_record = type && strcmp(type, "context") == 0 && json_is_integer(json_object_get(first, "schema"));
    json_decref(first);
    free(text);
    fclose(file);
    return is_record;
}

static int writer_open(struct record_writer *writer, struct error *error)
{
    struct stat status;
    writer->replace = stat(writer->path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    if (writer->replace && !record_is_file(writer->path))
        return error_set(error, STATUS_USAGE,
                         "%s exists and is no record of speedup; it was left alone: name another file, or remove it",
                         writer->path);
    writer->descriptor = open(writer->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (writer->descriptor < 0)
        return error_set(error, STATUS_FAILED, "cannot write %s: %s", writer->path, strerror(errno));
    /* Two that go on with one study would launch everything twice. (Where files cannot be locked, nobody is kept out.)
     */
    if (flock(writer->descriptor, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        close(writer->descriptor);
        return error_set(error, STATUS_FAILED,
                         "%s is being written by another speedup; wait for it, or name another file", writer->path);
    }
    return STATUS_OK;
}

int record_writer_new(const char *path, struct record_writer **writer_p, struct error *error)
{
    bool standard = strcmp(path, "-") == 0;
    struct record_writer *writer = malloc(sizeof *writer);
    if (writer)
        *writer = (struct record_writer){STDOUT_FILENO, standard, false, strdup(standard ? "standard output" : path)};
    int status = writer && writer->path ? STATUS_OK : error_set(error, STATUS_FAILED, "no memory to write %s", path);
    if (status == STATUS_OK && !standard) status = writer_open(writer, error);
    if (status == STATUS_OK) {
        *writer_p = writer;
        return STATUS_OK;
    }
    if (writer) free(writer->path);
    free(writer);
    return status;
}

/* 0 or -errno. */
static int write_all(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Where the last whole line ends. 0 or -errno. */
static int find_end(int descriptor, off_t size, off_t *end_p)
{
    enum { STEP = 65536 };
    char text[STEP];
    for (off_t from = size; from > 0;) {
        off_t begin = from > STEP ? from - STEP : 0;
        ssize_t got = pread(descriptor, text, (size_t)(from - begin), begin);
        if (got < 0) return -errno;
        const char *newline = memrchr(text, '\n', (size_t)got);
        if (newline) {
            *end_p = begin + (newline - text) + 1;
            return 0;
        }
        from = begin;
    }
    *end_p = 0;
    return 0;
}

/* To PATH.torn, behind what is there. 0 or -errno. */
static int set_aside(const char *path, const char *text, size_t length)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.torn", path);
    int torn = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), status = torn < 0 ? -errno : 0;
    if (!status) status = write_all(torn, text, length);
    if (!status) status = write_all(torn, "\n", 1);
    if (torn >= 0 && close(torn) && !status) status = -errno;
    return status;
}

/* What follows the last newline: a line that lacks nothing else gets it, as record_read counts it; any other is torn,
 * and leaves the file. 0 or -errno. */
static int mend_end(const char *path, int descriptor, off_t end, off_t size, bool *torn_p)
{
    size_t length = (size_t)(size - end);
    char *text = malloc(length);
    int status = text ? 0 : -ENOMEM;
    if (!status && pread(descriptor, text, length, end) != (ssize_t)length) status = -EIO;
    json_t *line = status ? NULL : json_loadb(text, length, 0, NULL);
    *torn_p = !status && !line;
    if (line && lseek(descriptor, 0, SEEK_END) < 0) status = -errno;
    if (line && !status) status = write_all(descriptor, "\n", 1);
    if (*torn_p) status = set_aside(path, text, length);
    if (*torn_p && !status && ftruncate(descriptor, end)) status = -errno;
    json_decref(line);
    free(text);
    return status;
}

static int mend(const char *path, bool *torn_p)
{
    off_t end = 0;
    int descriptor = open(path, O_RDWR | O_CLOEXEC), status = descriptor < 0 ? -errno : 0;
    off_t size = status ? 0 : lseek(descriptor, 0, SEEK_END);
    *torn_p = false;
    if (size < 0) status = -errno;
    if (!status) status = find_end(descriptor, size, &end);
    if (!status && end < size) status = mend_end(path, descriptor, end, size, torn_p);
    if (descriptor >= 0) close(descriptor);
    return status;
}

int record_writer_continue(const char *path, struct record_writer **writer_p, bool *torn_p, struct error *error)
{
    struct record_writer *writer;
    int status = record_writer_new(path, &writer, error);
    if (status) return status;
    writer->replace = false;
    status = mend(path, torn_p);
    if (!status) {
        *writer_p = writer;
        return STATUS_OK;
    }
    error_set(error, STATUS_FAILED, "cannot go on with %s: %s", path, strerror(-status));
    record_writer_free(writer, &(struct error){""});
    return STATUS_FAILED;
}

int record_write(struct record_writer *writer, const json_t *line, struct error *error)
{
    char *text = json_dumps(line, RECORD_DUMP_FLAGS);
    if (!text) return error_set(error, STATUS_FAILED, "no memory to write a line to %s", writer->path);
    size_t length = strlen(text);
    text[length] = '\n';
    int status = 0;
    if (writer->standard && fflush(stdout)) status = -errno;
    if (!status && writer->replace && ftruncate(writer->descriptor, 0)) status = -errno;
    if (!status) {
        writer->replace = false;
        status = write_all(writer->descriptor, text, length + 1);
    }
    free(text);
    if (!status) return STATUS_OK;
    return error_set(error, STATUS_FAILED, "cannot write %s: %s; what was written before is kept", writer->path,
                     strerror(-status));
}

int record_writer_free(struct record_writer *writer, struct error *error)
{
    if (!writer) return STATUS_OK;
    int status = STATUS_OK;
    if (!writer->standard && close(writer->descriptor))
        status = error_set(error, STATUS_FAILED, "cannot write %s: %s", writer->path, strerror(errno));
    free(writer->path);
    free(writer);
    return status;
}
