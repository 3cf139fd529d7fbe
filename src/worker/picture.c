/* The picture of the last result: rank 0 sends each row to the harness, as digits, in a line of its own. */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct canvas {
    struct worker *worker;
    size_t bytes; /* of a row */
    char *digits; /* 2 for each */
    int status;   /* why a row could not be sent */
};

static int take_row(void *context, const uint8_t rgb[])
{
    static const char digits[] = "0123456789abcdef";
    struct canvas *canvas = context;
    for (size_t i = 0; i < canvas->bytes; i++) {
        canvas->digits[2 * i] = digits[rgb[i] / 16];
        canvas->digits[2 * i + 1] = digits[rgb[i] % 16];
    }
    canvas->status =
        output_picture_row(canvas->worker->lines, 2 * canvas->bytes, canvas->digits, &canvas->worker->error);
    return canvas->status < 0 ? -EIO : 0;
}

int worker_draw(struct worker *worker)
{
    const struct kernel *kernel = worker->problem.kernel;
    struct canvas canvas = {.worker = worker};
    struct kernel_canvas rows = {.context = &canvas, .take_row = take_row};
    bool first = team_rank(worker->team) == 0;
    int64_t width, height;
    int status = STATUS_OK;
    if (!kernel->draw) return error_set(&worker->error, STATUS_USAGE, "%s has no picture to draw", kernel->name);
    kernel->picture_size(&worker->problem, &width, &height);
    if (first) {
        canvas.bytes = 3 * (size_t)width;
        canvas.digits = malloc(2 * canvas.bytes);
        if (!canvas.digits) status = error_set(&worker->error, STATUS_FAILED, "out of memory for a picture");
        if (status == 0) status = output_picture(worker->lines, width, height, &worker->error);
    }
    status = worker_agree(worker, status);
    if (status == 0) {
        int failed = kernel->draw(worker->team, worker->state, first ? &rows : NULL);
        status = canvas.status;
        if (failed < 0 && status == 0)
            status = error_set(&worker->error, STATUS_FAILED, "%s could not draw its picture: %s", kernel->name,
                               strerror(-failed));
        status = worker_agree(worker, status);
    }
    free(canvas.digits);
    return status;
}
