/* libpng reports errors by a jump to where it was entered. */
#include "picture_png.h"

#include <errno.h>

#ifdef SPEEDUP_WITH_PNG

#    include <png.h>
#    include <stdlib.h>

enum { EXTENT_MAX = INT32_MAX, BITS = 8 };

struct picture_png {
    png_structp png;
    png_infop info;
    int64_t rows_left;
};

const char *picture_png_unavailable(void)
{
    return NULL;
}

static void fail(png_structp png, png_const_charp text)
{
    (void)text;
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static int begin(struct picture_png *picture, FILE *file, png_uint_32 width, png_uint_32 height)
{
    if (setjmp(png_jmpbuf(picture->png))) return -EIO;
    png_set_user_limits(picture->png, EXTENT_MAX, EXTENT_MAX);
    png_init_io(picture->png, file);
    png_set_IHDR(picture->png, picture->info, width, height, BITS, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(picture->png, picture->info);
    return 0;
}

int picture_png_new(FILE *file, int64_t width, int64_t height, struct picture_png **png_p)
{
    if (width < 1 || height < 1 || width > EXTENT_MAX || height > EXTENT_MAX) return -EINVAL;
    struct picture_png *picture = calloc(1, sizeof *picture);
    if (!picture) return -ENOMEM;
    picture->rows_left = height;
    picture->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, fail, ignore);
    if (picture->png) picture->info = png_create_info_struct(picture->png);
    int status = picture->info ? begin(picture, file, (png_uint_32)width, (png_uint_32)height) : -ENOMEM;
    if (status < 0) {
        picture_png_free(picture);
        return status;
    }
    *png_p = picture;
    return 0;
}

int picture_png_row(struct picture_png *picture, const uint8_t rgb[])
{
    if (picture->rows_left == 0) return -EINVAL;
    if (setjmp(png_jmpbuf(picture->png))) return -EIO;
    png_write_row(picture->png, rgb);
    picture->rows_left--;
    return 0;
}

int picture_png_end(struct picture_png *picture)
{
    if (picture->rows_left > 0) return -EINVAL;
    if (setjmp(png_jmpbuf(picture->png))) return -EIO;
    png_write_end(picture->png, picture->info);
    return 0;
}

void picture_png_free(struct picture_png *picture)
{
    if (!picture) return;
    png_destroy_write_struct(&picture->png, &picture->info);
    free(picture);
}

#else

const char *picture_png_unavailable(void)
{
    return "this program was built without libpng, which writes pictures (libpng-dev; libpng-devel)";
}

int picture_png_new(FILE *file, int64_t width, int64_t height, struct picture_png **png_p)
{
    (void)file, (void)width, (void)height, (void)png_p;
    return -ENOTSUP;
}

int picture_png_row(struct picture_png *picture, const uint8_t rgb[])
{
    (void)picture, (void)rgb;
    return -ENOTSUP;
}

int picture_png_end(struct picture_png *picture)
{
    (void)picture;
    return -ENOTSUP;
}

void picture_png_free(struct picture_png *picture)
{
    (void)picture;
}

#endif
