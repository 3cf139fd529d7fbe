/* Inside commands/ alone: the picture that a worker draws of its result, on its way into a file. */
#ifndef SPEEDUP_COMMANDS_PICTURE_H
#define SPEEDUP_COMMANDS_PICTURE_H

#include "../../kernels/kernel.h"
#include "../error.h"

#include <jansson.h>

struct picture;

/* Whether the kernel can draw, and this program write, a picture to `path`. STATUS_USAGE, STATUS_FAILED. */
int picture_check(const struct kernel *, const char *path, struct error *);

/* Makes or empties the file. STATUS_FAILED. */
int picture_new(const char *path, struct picture **picture_p, struct error *);
/* A line of the worker's: {"type": "picture", "width": W, "height": H}, or {"type": "row", "rgb": "..."}, 6 hexadecimal
 * digits for each pixel, from the top on. Whoever begins anew draws over what was there. STATUS_FAILED. */
int picture_take(struct picture *, const json_t *line, struct error *);
/* STATUS_FAILED where it is not complete, or could not be written: the file is then removed. NULL is allowed. */
int picture_free(struct picture *, struct error *);

#endif
