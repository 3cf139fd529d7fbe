/* Pictures as PNG files, by libpng. */
#ifndef SPEEDUP_PRESENT_PICTURE_PNG_H
#define SPEEDUP_PRESENT_PICTURE_PNG_H

#include <stdint.h>
#include <stdio.h>

/* NULL where pictures can be written, else why not. */
const char *picture_png_unavailable(void);

struct picture_png;

/* Writes from the file's position on; the file stays the caller's. 0, -ENOMEM, -ENOTSUP (no libpng), -EINVAL (extents
 * that no PNG has), -EIO. */
int picture_png_new(FILE *, int64_t width, int64_t height, struct picture_png **png_p);
/* The next row from the top: width times red, green, blue. 0, -EIO; -EINVAL where all rows are there. */
int picture_png_row(struct picture_png *, const uint8_t rgb[]);
/* After the last row. 0, -EIO; -EINVAL where rows are missing. */
int picture_png_end(struct picture_png *);
/* NULL is allowed. */
void picture_png_free(struct picture_png *);

#endif
