/* Pictures on their way from a worker's lines into a PNG file, read back by libpng. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/commands/picture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 3, HEIGHT = 2 };
static const char path[] = "test_picture.png";
static const char *const rows[HEIGHT] = {"000000ff8001010203", "fffefda0b0c0123456"};

static int take(struct picture *picture, json_t *line)
{
    struct error error;
    int status = picture_take(picture, line, &error);
    json_decref(line);
    return status;
}

static json_t *row_line(const char *rgb)
{
    return json_pack("{s:s, s:s}", "type", "row", "rgb", rgb);
}

static json_t *begin_line(json_int_t width, json_int_t height)
{
    return json_pack("{s:s, s:I, s:I}", "type", "picture", "width", width, "height", height);
}

static struct picture *new_picture(void)
{
    struct picture *picture;
    struct error error;
    assert_int_equal(picture_new(path, &picture, &error), STATUS_OK);
    return picture;
}

static void expect_file(void)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t pixels[HEIGHT][WIDTH][3];
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, WIDTH);
    assert_int_equal(image.height, HEIGHT);
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    for (int row = 0; row < HEIGHT; row++)
        for (int i = 0; i < 3 * WIDTH; i++) {
            char digits[3];
            snprintf(digits, sizeof digits, "%02x", (unsigned)pixels[row][i / 3][i % 3]);
            assert_memory_equal(digits, rows[row] + 2 * i, 2);
        }
}

/* Twice: the second drawing takes the first one's place. */
static void a_picture_comes_into_its_file(void **state)
{
    (void)state;
    struct error error;
    struct picture *picture = new_picture();
    assert_int_equal(take(picture, begin_line(40, 50)), STATUS_OK);
    assert_int_equal(take(picture, begin_line(WIDTH, HEIGHT)), STATUS_OK);
    for (int row = 0; row < HEIGHT; row++) assert_int_equal(take(picture, row_line(rows[row])), STATUS_OK);
    assert_int_equal(picture_free(picture, &error), STATUS_OK);
    expect_file();
    unlink(path);
}

static void what_is_incomplete_is_removed(void **state)
{
    (void)state;
    struct error error;
    for (int taken = -1; taken < HEIGHT; taken++) {
        struct picture *picture = new_picture();
        if (taken >= 0) assert_int_equal(take(picture, begin_line(WIDTH, HEIGHT)), STATUS_OK);
        for (int row = 0; row < taken; row++) assert_int_equal(take(picture, row_line(rows[row])), STATUS_OK);
        assert_int_equal(picture_free(picture, &error), STATUS_FAILED);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_int_equal(picture_free(NULL, &error), STATUS_OK);
}

static void lines_may_hold_anything(void **state)
{
    (void)state;
    static const json_int_t extents[][2] = {{0, 1}, {1, 0}, {-1, 5}, {5, -1}, {INT64_MAX, 1}, {1, INT64_MAX}};
    static const char *const wrong[] = {
        "", "0", "00000000000000000", "0000000000000000000000", "00000000000000000g", "00000000000000000G"};
    struct error error;
    struct picture *picture = new_picture();
    assert_int_equal(take(picture, row_line(rows[0])), STATUS_FAILED);
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
        assert_int_equal(take(picture, begin_line(extents[i][0], extents[i][1])), STATUS_FAILED);
    assert_int_equal(take(picture, json_pack("{s:s, s:s}", "type", "picture", "width", "3")), STATUS_FAILED);
    assert_int_equal(take(picture, begin_line(WIDTH, HEIGHT)), STATUS_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(take(picture, row_line(wrong[i])), STATUS_FAILED);
    assert_int_equal(take(picture, json_pack("{s:s, s:i}", "type", "row", "rgb", 5)), STATUS_FAILED);
    for (int row = 0; row < HEIGHT; row++) assert_int_equal(take(picture, row_line(rows[row])), STATUS_OK);
    assert_int_equal(take(picture, row_line(rows[0])), STATUS_FAILED);
    assert_int_equal(picture_free(picture, &error), STATUS_OK);
    expect_file();
    unlink(path);
}

/* A device that is full: said, and not removed. */
static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct error error;
    struct picture *picture = NULL;
    if (access("/dev/full", W_OK) || picture_new("/dev/full", &picture, &error)) skip();
    int failed = take(picture, begin_line(WIDTH, HEIGHT));
    for (int row = 0; row < HEIGHT; row++) failed |= take(picture, row_line(rows[row]));
    failed |= picture_free(picture, &error);
    assert_int_not_equal(failed, 0);
    assert_non_null(strstr(error.text, "/dev/full"));
    assert_int_equal(access("/dev/full", F_OK), 0);
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(picture_check(kernel_find("mandelbrot"), "a.png", &error), STATUS_OK);
    assert_int_equal(picture_check(kernel_find("pi"), "a.png", &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "mandelbrot"));
    assert_int_equal(picture_check(kernel_find("mandelbrot"), "", &error), STATUS_USAGE);
    assert_int_equal(picture_check(kernel_find("mandelbrot"), "-", &error), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_comes_into_its_file),   cmocka_unit_test(what_is_incomplete_is_removed),
        cmocka_unit_test(lines_may_hold_anything),         cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
