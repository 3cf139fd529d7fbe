/* The lines that rank 0 writes for the harness. */
#include "../record/record.h"
#include "worker.h"

#include <errno.h>
#include <string.h>

/* Takes the reference. */
static int write_line(FILE *lines, json_t *line, struct error *error)
{
    if (!line) return error_set(error, STATUS_FAILED, "out of memory for a line of the record");
    bool failed = json_dumpf(line, lines, JSON_COMPACT) < 0 || fputc('\n', lines) == EOF || fflush(lines) == EOF;
    json_decref(line);
    if (failed) return error_set(error, STATUS_FAILED, "cannot write to the harness: %s", strerror(errno));
    return STATUS_OK;
}

static json_t *distinct_hosts(int size, size_t length, const char *hosts)
{
    json_t *list = json_array(), *known = json_object();
    for (int rank = 0; rank < size; rank++) {
        const char *host = hosts + (size_t)rank * length;
        if (json_object_get(known, host)) continue;
        json_object_set_new_nocheck(known, host, json_true());
        json_array_append_new(list, json_string(host));
    }
    json_decref(known);
    return list;
}

int output_hello(FILE *lines, const struct worker *worker, const char *hosts, struct error *error)
{
    json_t *line = json_pack("{s:s, s:i, s:i, s:o, s:s, s:s}", "type", "hello", "ranks", team_size(worker->team),
                             "threads", team_threads(worker->team), "hosts",
                             distinct_hosts(team_size(worker->team), sizeof worker->host, hosts), "mpi_library",
                             worker->library, "isa", worker->problem.isa);
    return write_line(lines, line, error);
}

int output_sample(FILE *lines, const struct sample *sample, struct error *error)
{
    return write_line(lines, record_encode_sample(sample), error);
}

int output_timeline(FILE *lines, const struct timeline_record *record, struct error *error)
{
    return write_line(lines, record_encode_timeline(record), error);
}

int output_picture(FILE *lines, int64_t width, int64_t height, struct error *error)
{
    json_t *line =
        json_pack("{s:s, s:I, s:I}", "type", "picture", "width", (json_int_t)width, "height", (json_int_t)height);
    return write_line(lines, line, error);
}

int output_picture_row(FILE *lines, size_t length, const char *rgb, struct error *error)
{
    json_t *line = json_object();
    if (json_object_set_new(line, "type", json_string("row")) < 0 ||
        json_object_set_new(line, "rgb", json_stringn(rgb, length)) < 0) {
        json_decref(line);
        line = NULL;
    }
    return write_line(lines, line, error);
}

int output_done(FILE *lines, struct error *error)
{
    return write_line(lines, json_pack("{s:s}", "type", "done"), error);
}

int output_error(FILE *lines, int status, const struct error *error)
{
    struct error ignored;
    return write_line(lines, json_pack("{s:s, s:i, s:s}", "type", "error", "status", status, "text", error->text),
                      &ignored);
}
