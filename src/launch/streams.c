/* Output goes to the caller, by lines or as it comes; of errors the end is kept. */
#include "streams.h"

#include "start.h"

#include <errno.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

static void note_first(struct streams *streams)
{
    struct timespec time;
    if (!isnan(streams->first_s)) return;
    clock_gettime(CLOCK_MONOTONIC, &time);
    streams->first_s = (double)time.tv_sec + 1e-9 * (double)time.tv_nsec - streams->start_s;
}

static int take_line(void *context, char *text, size_t length)
{
    struct streams *streams = context;
    note_first(streams);
    if (streams->deaf) return 0;
    int status = streams->options->line(streams->options->context, text, length);
    streams->deaf = status < 0;
    return status;
}

/* As line_buffer_read does. */
static int read_bytes(struct streams *streams, bool *ended_p)
{
    char text[65536];
    ssize_t got = read(streams->out, text, sizeof text);
    *ended_p = false;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    *ended_p = got <= 0;
    if (got <= 0) return 0;
    note_first(streams);
    int status = streams->deaf ? 0 : streams->options->bytes(streams->options->context, text, (size_t)got);
    streams->deaf |= status < 0;
    return status < 0 ? status : 1;
}

int streams_read_out(struct streams *streams)
{
    bool ended, was_deaf = streams->deaf;
    int status = streams->options->bytes ? read_bytes(streams, &ended)
                                         : line_buffer_read(&streams->lines, streams->out, take_line, streams, &ended);
    if (ended) close_descriptor(&streams->out);
    if (status < 0) streams->deaf = true;
    return status < 0 && was_deaf ? 0 : status;
}

int streams_read_err(struct streams *streams)
{
    char text[16384];
    ssize_t got = read(streams->err, text, sizeof text);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (got <= 0) {
        close_descriptor(&streams->err);
        return 0;
    }
    tail_add(&streams->tail, (size_t)got, text);
    for (ssize_t at = 0; streams->options->pass_stderr && at < got;) {
        ssize_t written = write(STDERR_FILENO, text + at, (size_t)(got - at));
        if (written < 0 && errno != EINTR) break;
        if (written > 0) at += written;
    }
    return 1;
}

int streams_finish_out(struct streams *streams)
{
    return streams->options->bytes ? 0 : line_buffer_finish(&streams->lines, take_line, streams);
}

void streams_release(struct streams *streams)
{
    close_descriptor(&streams->out);
    close_descriptor(&streams->err);
    line_buffer_release(&streams->lines);
}
