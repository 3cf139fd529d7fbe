/* The harness alone writes files: the worker's rank 0 sends the rows, and each is written as it comes. */
#include "picture.h"

#include "../present/picture_png.h"
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH_MAX = 1 << 24, CHANNELS = 3 };

struct picture {
    char *path;
    FILE *file;
    struct picture_png *png; /* NULL: nothing was begun */
    int64_t width;
    uint8_t *rgb; /* a row */
    bool whole;   /* all rows were written */
    int64_t rows_left;
};

int picture_check(const struct kernel *kernel, const char *path, struct error *error)
{
    char all[200] = "";
    for (int k = 0; kernel_registry[k]; k++) {
        size_t used = strlen(all);
        if (kernel_registry[k]->draw)
            snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", kernel_registry[k]->name);
    }
    if (!kernel->draw)
        return error_set(error, STATUS_USAGE, "--image: %s has no picture to draw; kernels that have one: %s",
                         kernel->name, all);
    if (!*path || strcmp(path, "-") == 0)
        return error_set(error, STATUS_USAGE, "--image '%s': a picture goes to a file, such as picture.png", path);
    if (picture_png_unavailable())
        return error_set(error, STATUS_FAILED, "--image %s: %s", path, picture_png_unavailable());
    return files_check_output("--image", path, 0, NULL, error);
}

int picture_new(const char *path, struct picture **picture_p, struct error *error)
{
    struct picture *picture = calloc(1, sizeof *picture);
    char *copy = strdup(path);
    FILE *file = picture && copy ? fopen(path, "wbe") : NULL;
    if (!file) {
        int cause = picture && copy ? errno : ENOMEM;
        free(copy);
        free(picture);
        return error_set(error, STATUS_FAILED, "--image: cannot write %s: %s", path, strerror(cause));
    }
    picture->path = copy;
    picture->file = file;
    *picture_p = picture;
    return STATUS_OK;
}

static int refuse(const struct picture *picture, int failure, struct error *error)
{
    if (failure == -EIO)
        return error_set(error, STATUS_FAILED, "--image: cannot write %s: %s", picture->path,
                         errno ? strerror(errno) : "libpng failed");
    if (failure == -ENOMEM) return error_set(error, STATUS_FAILED, "no memory is left for a picture");
    return error_set(error, STATUS_FAILED, "the worker's picture is not readable");
}

static int begin(struct picture *picture, const json_t *line, struct error *error)
{
    int64_t width = json_integer_value(json_object_get(line, "width"));
    int64_t height = json_integer_value(json_object_get(line, "height"));
    if (width < 1 || width > WIDTH_MAX || height < 1) return refuse(picture, -EINVAL, error);
    picture_png_free(picture->png);
    free(picture->rgb);
    picture->png = NULL;
    picture->whole = false;
    picture->width = width;
    picture->rows_left = height;
    picture->rgb = malloc((size_t)width * CHANNELS);
    if (!picture->rgb) return refuse(picture, -ENOMEM, error);
    errno = 0;
    rewind(picture->file);
    if (ftruncate(fileno(picture->file), 0) < 0) errno = 0; /* a pipe, or a device */
    int status = picture_png_new(picture->file, width, height, &picture->png);
    return status < 0 ? refuse(picture, status, error) : STATUS_OK;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_row(struct picture *picture, const json_t *line, struct error *error)
{
    const json_t *rgb = json_object_get(line, "rgb");
    const char *text = json_string_value(rgb);
    size_t bytes = (size_t)picture->width * CHANNELS;
    if (!picture->png || !text || json_string_length(rgb) != 2 * bytes) return refuse(picture, -EINVAL, error);
    for (size_t i = 0; i < bytes; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return refuse(picture, -EINVAL, error);
        picture->rgb[i] = (uint8_t)(16 * high + low);
    }
    errno = 0;
    int status = picture_png_row(picture->png, picture->rgb);
    if (status == 0 && --picture->rows_left == 0) {
        status = picture_png_end(picture->png);
        picture->whole = status == 0;
    }
    return status < 0 ? refuse(picture, status, error) : STATUS_OK;
}

int picture_take(struct picture *picture, const json_t *line, struct error *error)
{
    const char *type = json_string_value(json_object_get(line, "type"));
    return type && strcmp(type, "picture") == 0 ? begin(picture, line, error) : take_row(picture, line, error);
}

int picture_free(struct picture *picture, struct error *error)
{
    if (!picture) return STATUS_OK;
    struct stat info;
    bool regular = fstat(fileno(picture->file), &info) == 0 && S_ISREG(info.st_mode);
    picture_png_free(picture->png);
    errno = 0;
    bool failed = fclose(picture->file) != 0;
    int status = STATUS_OK;
    if (!picture->whole)
        status = error_set(error, STATUS_FAILED, "--image: no picture was drawn, and %s was removed", picture->path);
    else if (failed)
        status = refuse(picture, -EIO, error);
    if (status && regular) unlink(picture->path);
    free(picture->rgb);
    free(picture->path);
    free(picture);
    return status;
}
