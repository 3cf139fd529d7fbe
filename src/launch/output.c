/* Lines and tails. A line may be megabytes long (a sample of ten thousand workers), so each byte is searched for a
 * newline once, and the buffer doubles.
 */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_LENGTH = 65536 };

/* Room for one read and the NUL after a last line. */
static int line_buffer_grow(struct line_buffer *buffer)
{
    if (buffer->capacity - buffer->used > READ_LENGTH) return 0;
    size_t capacity = buffer->capacity > 0 ? 2 * buffer->capacity : 2 * READ_LENGTH;
    char *text = realloc(buffer->text, capacity);
    if (!text) return -ENOMEM;
    buffer->text = text;
    buffer->capacity = capacity;
    return 0;
}

int line_buffer_read(struct line_buffer *buffer, int descriptor, line_handler *line, void *context, bool *ended_p)
{
    *ended_p = false;
    if (line_buffer_grow(buffer) < 0) return -ENOMEM;
    ssize_t got = read(descriptor, buffer->text + buffer->used, READ_LENGTH);
    if (got < 0 && errno == EINTR) return 1;
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) {
        *ended_p = true;
        return 0;
    }

    char *start = buffer->text, *fresh = buffer->text + buffer->used, *end = fresh + got;
    int status = 1;
    for (char *newline; status > 0 && (newline = memchr(fresh, '\n', (size_t)(end - fresh)));) {
        *newline = '\0';
        int returned = line(context, start, (size_t)(newline - start));
        if (returned < 0) status = returned;
        start = fresh = newline + 1;
    }
    buffer->used = (size_t)(end - start);
    memmove(buffer->text, start, buffer->used);
    return status;
}

int line_buffer_finish(struct line_buffer *buffer, line_handler *line, void *context)
{
    if (buffer->used == 0) return 0;
    size_t length = buffer->used;
    buffer->text[length] = '\0';
    buffer->used = 0;
    int returned = line(context, buffer->text, length);
    return returned < 0 ? returned : 0;
}

void line_buffer_release(struct line_buffer *buffer)
{
    free(buffer->text);
    *buffer = (struct line_buffer){.text = NULL};
}

void tail_add(struct tail *tail, size_t length, const char *text)
{
    size_t room = sizeof tail->text - 1;
    if (length > room) {
        tail->cut = true;
        text += length - room;
        length = room;
    }
    if (tail->used + length > room) {
        size_t lost = tail->used + length - room;
        tail->cut = true;
        tail->used -= lost;
        memmove(tail->text, tail->text + lost, tail->used);
    }
    memcpy(tail->text + tail->used, text, length);
    tail->used += length;
    tail->text[tail->used] = '\0';
}

void tail_finish(struct tail *tail)
{
    char *newline = tail->cut ? memchr(tail->text, '\n', tail->used) : NULL;
    if (newline && newline + 1 < tail->text + tail->used) {
        tail->used -= (size_t)(newline + 1 - tail->text);
        memmove(tail->text, newline + 1, tail->used);
    }
    while (tail->used > 0 && tail->text[tail->used - 1] == '\n') tail->used--;
    tail->text[tail->used] = '\0';
}
