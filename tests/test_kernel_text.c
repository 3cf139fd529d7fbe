/* Sizes and option values as text: both ways, exact, and strict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../kernels/kernel.h"

#include <errno.h>
#include <math.h>

#define POW_2_53 INT64_C(9007199254740992)

static const char *const choices[] = {"sleep", "disk", NULL};
static const struct kernel_option number = {.type = OPTION_NUMBER, .min = -1e300, .max = 1e300, .fallback = 0.1};
static const struct kernel_option count = {.type = OPTION_COUNT, .min = 1, .max = 0x1p53, .fallback = 1000};
static const struct kernel_option duration = {.type = OPTION_DURATION, .min = 0, .max = 10, .fallback = 4e-3};
static const struct kernel_option bytes = {.type = OPTION_BYTES, .min = 0, .max = 0x1p53, .fallback = 65536};
static const struct kernel_option choice = {.type = OPTION_CHOICE, .max = 1, .fallback = 0, .choices = choices};

static void sizes_are_parsed_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int dims;
        int64_t dim[3];
        const char *canonical;
    } cases[] = {
        {"1", 1, {1}, "1"},
        {"2048", 1, {2048}, "2048"},
        {"007", 1, {7}, "7"},
        {"2048x2048x64", 3, {2048, 2048, 64}, "2048x2048x64"},
        {"1e9", 1, {1000000000}, "1000000000"},
        {"1E+3", 1, {1000}, "1000"},
        {"4k", 1, {4000}, "4000"},
        {"200M", 1, {200000000}, "200000000"},
        {"1.5M", 1, {1500000}, "1500000"},
        {".5kx2G", 2, {500, 2000000000}, "500x2000000000"},
        {"0.1T", 1, {100000000000}, "100000000000"},
        {"1200e-2", 1, {12}, "12"},
        {"9007199254740992", 1, {POW_2_53}, "9007199254740992"},
        {"9007199254740991", 1, {POW_2_53 - 1}, "9007199254740991"},
        {"9.007199254740991e15", 1, {POW_2_53 - 1}, "9007199254740991"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct size size, back;
        char text[64];
        assert_int_equal(size_parse_extents(cases[i].text, 3, &size), 0);
        assert_int_equal(size.dims, cases[i].dims);
        assert_memory_equal(size.dim, cases[i].dim, sizeof size.dim);
        assert_string_equal(size_format(&size, sizeof text, text), cases[i].canonical);
        assert_int_equal(size_parse_extents(text, 3, &back), 0);
        assert_memory_equal(&back, &size, sizeof size);
    }
}

static void what_is_no_size_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     " ",       "x",    "-1",  "+1",  "1 ",    " 1",   "1.5",  "1x",  "x1",
                                        "1xx1", "1x1x1x1", "abc",  "nan", "inf", "1e",    "1e+",  "1e-1", "1kk", "1 k",
                                        "k",    ".",       "1..5", "12m", "1,5", "1e1.5", "1KiB", "--1",  "1x-1"};
    static const char *const out_of_range[] = {"0",
                                               "0x5",
                                               "5x0",
                                               "9007199254740993",
                                               "1e16",
                                               "99999999999999999999999",
                                               "1e400",
                                               "1e999",
                                               "1e99999999999999999999",
                                               "10000T",
                                               "0e5"};
    struct size size = {.dims = 42};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(size_parse_extents(wrong[i], 3, &size), -EINVAL);
    for (size_t i = 0; i < sizeof out_of_range / sizeof *out_of_range; i++)
        assert_int_equal(size_parse_extents(out_of_range[i], 3, &size), -ERANGE);
    assert_int_equal(size_parse_extents("1x2", 1, &size), -EINVAL);
    assert_int_equal(size.dims, 42);
}

static void a_class_is_written_by_its_name(void **state)
{
    (void)state;
    const struct size size = {.dims = 1, .dim = {5}, .class_name = "S"};
    char text[8], tiny[4];
    assert_string_equal(size_format(&size, sizeof text, text), "S");
    assert_string_equal(size_format(&(struct size){.dims = 1, .dim = {123456}}, sizeof tiny, tiny), "123");
}

struct value_case {
    const struct kernel_option *option;
    const char *text;
    double value;
    const char *canonical;
};

static void option_values_go_both_ways(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        {&duration, "4ms", 0.004, "4ms"},
        {&duration, "0.004s", 0.004, "4ms"},
        {&duration, "10us", 1e-5, "10us"},
        {&duration, "1.5s", 1.5, "1.5s"},
        {&duration, "1500ms", 1.5, "1.5s"},
        {&duration, "0", 0, "0s"},
        {&duration, "0us", 0, "0s"},
        {&duration, "0.5ns", 5e-10, "0.5ns"},
        {&duration, "10s", 10, "10s"},
        {&duration, "0.1s", 0.1, "100ms"},
        {&duration, "333.25us", 333.25e-6, "333.25us"},
        {&bytes, "64KiB", 65536, "64KiB"},
        {&bytes, "65536", 65536, "64KiB"},
        {&bytes, "1MiB", 1048576, "1MiB"},
        {&bytes, "1.5KiB", 1536, "1536"},
        {&bytes, "1000B", 1000, "1000"},
        {&bytes, "0", 0, "0"},
        {&bytes, "8TiB", 0x1p43, "8TiB"},
        {&count, "1e6", 1e6, "1000000"},
        {&count, "9007199254740991", 9007199254740991.0, "9007199254740991"},
        {&number, "0.1", 0.1, "0.1"},
        {&number, "-2.50", -2.5, "-2.5"},
        {&number, "1e-7", 1e-7, "1e-07"},
        {&number, "100", 100, "100"},
        {&number, "123456.5", 123456.5, "123456.5"},
        {&number, "1e20", 1e20, "1e+20"},
        {&choice, "disk", 1, "disk"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        double value = NAN, back = NAN;
        assert_int_equal(kernel_option_parse(cases[i].option, cases[i].text, &value), 0);
        assert_true(value == cases[i].value);
        assert_string_equal(kernel_option_format(cases[i].option, value, sizeof text, text), cases[i].canonical);
        assert_int_equal(kernel_option_parse(cases[i].option, text, &back), 0);
        assert_true(back == value);
    }
}

/* Values that no short decimal stands for. */
static void any_value_survives_its_text(void **state)
{
    (void)state;
    double value = 1;
    for (int i = 0; i < 2000; i++) {
        const struct kernel_option *option = i % 2 ? &duration : &number;
        char text[64];
        double back = NAN;
        value = fmod(value * 1.6180339887498949 + 1e-9 * i, 9.99);
        double tried = ldexp(value, -(i % 40));
        kernel_option_format(option, tried, sizeof text, text);
        assert_int_equal(kernel_option_parse(option, text, &back), 0);
        assert_true(back == tried);
    }
}

static void wrong_option_values_are_refused(void **state)
{
    (void)state;
    static const struct {
        const struct kernel_option *option;
        const char *text;
        int status;
    } cases[] = {
        {&duration, "11s", -ERANGE},    {&duration, "5", -EINVAL},    {&duration, "ms", -EINVAL},
        {&duration, "-1s", -EINVAL},    {&duration, "4 ms", -EINVAL}, {&duration, "4msx", -EINVAL},
        {&duration, "1e500s", -ERANGE}, {&duration, "nans", -EINVAL}, {&duration, "", -EINVAL},
        {&bytes, "1.5", -EINVAL},       {&bytes, "1KB", -EINVAL},     {&bytes, "16384TiB", -ERANGE},
        {&bytes, "-1", -EINVAL},        {&count, "0", -ERANGE},       {&count, "1.5", -EINVAL},
        {&count, "1e16", -ERANGE},      {&count, "x", -EINVAL},       {&number, "inf", -EINVAL},
        {&number, "0x1p3", -EINVAL},    {&number, "1e400", -ERANGE},  {&number, "1e301", -ERANGE},
        {&number, "--1", -EINVAL},      {&choice, "tape", -EINVAL},   {&choice, "", -EINVAL},
        {&choice, "0", -EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 42;
        assert_int_equal(kernel_option_parse(cases[i].option, cases[i].text, &value), cases[i].status);
        assert_true(value == 42);
    }
}

static void domains_say_what_is_allowed(void **state)
{
    (void)state;
    char text[128];
    assert_string_equal(kernel_option_domain(&duration, sizeof text, text), "0s to 10s, with its unit (default 4ms)");
    assert_string_equal(kernel_option_domain(&choice, sizeof text, text), "one of: sleep, disk (default sleep)");
    assert_string_equal(kernel_option_domain(&count, sizeof text, text),
                        "a whole number, 1 to 9007199254740992 (default 1000)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_parsed_exactly),       cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(a_class_is_written_by_its_name), cmocka_unit_test(option_values_go_both_ways),
        cmocka_unit_test(any_value_survives_its_text),    cmocka_unit_test(wrong_option_values_are_refused),
        cmocka_unit_test(domains_say_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
