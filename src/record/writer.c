/* Appends lines with one write(2) each on an O_APPEND descriptor: a run that is killed leaves whole lines and at most
 * one torn one, and two writers never mix theirs. A file that is no record is never touched: a mistyped -o must not
 * cost somebody's thesis. Where a line does not fit (a full disk), what there is of it leaves the file again, and it
 * goes to a file of its own elsewhere, with all that come later, so that appending that file is all there is to do. */
#include "record.h"

#include "../plan/quote.h"

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
    int rescue; /* a descriptor of the file for lines that did not fit; -1: all did */
    int rescued;
    char *rescue_path;
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
        *writer = (struct record_writer){.descriptor = STDOUT_FILENO,
                                         .standard = standard,
                                         .path = strdup(standard ? "standard output" : path),
                                         .rescue = -1};
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

/* In the folder for temporary files, named after the record. 0 or -errno. */
static int open_rescue(struct record_writer *writer)
{
    const char *folder = getenv("TMPDIR"), *slash = strrchr(writer->path, '/');
    const char *name = slash ? slash + 1 : writer->path;
    if (!folder || !*folder) folder = "/tmp";
    if (asprintf(&writer->rescue_path, "%s/%.200s.XXXXXX", folder, name) < 0) {
        writer->rescue_path = NULL;
        return -ENOMEM;
    }
    writer->rescue = mkostemp(writer->rescue_path, O_CLOEXEC);
    if (writer->rescue >= 0) return 0;
    int status = -errno;
    free(writer->rescue_path);
    writer->rescue_path = NULL;
    return status;
}

/* Where the folder for temporary files is on the same full disk, this fails as well. 0 or -errno. */
static int rescue_line(struct record_writer *writer, const char *text, size_t length)
{
    int status = writer->rescue < 0 ? open_rescue(writer) : 0;
    if (status) return status;
    off_t before = lseek(writer->rescue, 0, SEEK_END);
    status = write_all(writer->rescue, text, length);
    if (!status) {
        writer->rescued++;
        return 0;
    }
    if (before >= 0 && ftruncate(writer->rescue, before)) return -errno;
    if (writer->rescued > 0) return status;
    unlink(writer->rescue_path);
    close(writer->rescue);
    free(writer->rescue_path);
    writer->rescue = -1;
    writer->rescue_path = NULL;
    return status;
}

/* "cat RESCUE >> FILE", to be typed. Heap; NULL: no memory. */
static char *append_command(const struct record_writer *writer)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return NULL;
    fputs("cat ", stream);
    quote_write(stream, writer->rescue_path);
    fputs(" >> ", stream);
    quote_write(stream, writer->path);
    if (fclose(stream) == 0) return text;
    free(text);
    return NULL;
}

/* A line did not fit, or came after one that did not. */
static int take_aside(struct record_writer *writer, const char *text, size_t length, int reason, struct error *error)
{
    int status = rescue_line(writer, text, length);
    if (status)
        return error_set(error, STATUS_FAILED,
                         "cannot write %s: %s; what was written before is kept; the last line is lost, as no file for "
                         "it can be written in the folder for temporary files either (%s): set TMPDIR to one with room",
                         writer->path, strerror(-reason), strerror(-status));
    char *command = append_command(writer), count[32] = "the last line is";
    if (writer->rescued > 1) snprintf(count, sizeof count, "the last %d lines are", writer->rescued);
    error_set(error, STATUS_FAILED,
              "cannot write %s: %s; what was written before is kept, and %s in %s; once there is room, append: %s",
              writer->path, strerror(-reason), count, writer->rescue_path, command ? command : "that file");
    free(command);
    return STATUS_FAILED;
}

/* A whole line, or nothing of it; then the reason, -errno. */
static int write_line(struct record_writer *writer, const char *text, size_t length)
{
    struct stat before;
    bool regular = !writer->standard && fstat(writer->descriptor, &before) == 0 && S_ISREG(before.st_mode);
    int status = write_all(writer->descriptor, text, length);
    /* What cannot be cut off is set aside as a torn line when somebody goes on with the file. */
    if (status && regular && ftruncate(writer->descriptor, before.st_size)) return status;
    return status;
}

/* Of a record's file, which has lines already: a first line that fails holds nothing that was measured. */
static bool is_worth_rescue(const struct record_writer *writer)
{
    struct stat now;
    return !writer->standard && fstat(writer->descriptor, &now) == 0 && S_ISREG(now.st_mode) && now.st_size > 0;
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
    if (!status && writer->rescue >= 0) status = -ENOSPC; /* behind a line that is missing, none may follow */
    if (!status) {
        writer->replace = false;
        status = write_line(writer, text, length + 1);
    }
    int result = !status ? STATUS_OK
                 : is_worth_rescue(writer)
                     ? take_aside(writer, text, length + 1, status, error)
                     : error_set(error, STATUS_FAILED, "cannot write %s: %s; what was written before is kept",
                                 writer->path, strerror(-status));
    free(text);
    return result;
}

int record_writer_free(struct record_writer *writer, struct error *error)
{
    if (!writer) return STATUS_OK;
    int status = STATUS_OK;
    if (!writer->standard && close(writer->descriptor))
        status = error_set(error, STATUS_FAILED, "cannot write %s: %s", writer->path, strerror(errno));
    if (writer->rescue >= 0 && close(writer->rescue))
        status = error_set(error, STATUS_FAILED, "cannot write %s: %s", writer->rescue_path, strerror(errno));
    free(writer->rescue_path);
    free(writer->path);
    free(writer);
    return status;
}
