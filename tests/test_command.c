/* Commands as templates: words, placeholders, how they are shown, the law of weak scaling. */
#include "../src/plan/command.h"
#include "../src/plan/quote.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config make_config(void)
{
    struct config config = {.size = "1000",
                            .option_count = 2,
                            .options = {{"level", "6"}, {"file", "a {b} $c"}},
                            .mode = {.nodes = 1, .ranks = 2, .threads = 3}};
    return config;
}

static void expect_expanded(const char *template, const char *expected)
{
    struct config config = make_config();
    struct error error = {""};
    char *text = NULL;
    assert_int_equal(command_expand(&config, template, &text, &error), STATUS_OK);
    assert_string_equal(text, expected);
    free(text);
}

static void test_expand(void **state)
{
    (void)state;
    expect_expanded("", "");
    expect_expanded("-j{workers}", "-j6");
    expect_expanded("{ranks}x{threads} on {nodes}", "2x3 on 1");
    expect_expanded("{size}{level}", "10006");
    expect_expanded("{file}", "a {b} $c"); /* what was put in is not looked at again */
    expect_expanded("{{workers}}", "{workers}");
    expect_expanded("{\"json\": [1]}", "{\"json\": [1]}");
    expect_expanded("awk '{print $1}'", "awk '{print $1}'");
    expect_expanded("f() { echo; }; {", "f() { echo; }; {");
    expect_expanded("a\xff\nb {workers", "a\xff\nb {workers");
    expect_expanded("}}{", "}{");
}

static void test_unknown_placeholder(void **state)
{
    (void)state;
    struct config config = make_config();
    struct error error = {""};
    char *text = NULL;
    assert_int_equal(command_expand(&config, "x {wrokers}", &text, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "{wrokers}"));
    assert_non_null(strstr(error.text, "{workers}, {ranks}, {threads}, {nodes}, {level}, {file}, {size}"));
    config.size[0] = '\0';
    assert_int_equal(command_expand(&config, "{size}", &text, &error), STATUS_USAGE);
    assert_non_null(strstr(error.text, "--size"));
    assert_null(text);
}

static void test_words(void **state)
{
    (void)state;
    struct command_target target = {.word_count = 0};
    struct error error = {""};
    char *words[] = {"./a b", "", "it's", "x\ny", "\xff{threads}", "caf\xc3\xa9"};
    assert_int_equal(command_set_words(&target, 6, words, &error), STATUS_OK);
    for (int i = 0; i < 6; i++) assert_string_equal(command_word(&target, i), words[i]);
    char *text = command_text(&target);
    assert_string_equal(text, "'./a b' '' 'it'\\''s' $'x\\ny' $'\\377{threads}' 'caf\xc3\xa9'");
    free(text);
    assert_true(command_uses(&target, "threads"));
    assert_false(command_uses(&target, "thread"));
    assert_false(command_uses(&target, "ranks"));
    snprintf(target.launcher, sizeof target.launcher, "run -n {ranks}");
    assert_true(command_uses(&target, "ranks"));

    char *none[] = {""};
    assert_int_equal(command_set_words(&target, 0, none, &error), STATUS_USAGE);
    assert_int_equal(command_set_words(&target, 1, none, &error), STATUS_USAGE);
    static char exact[COMMAND_WORDS_LENGTH], longer[COMMAND_WORDS_LENGTH + 1];
    memset(exact, 'x', sizeof exact - 1);
    memset(longer, 'x', sizeof longer - 1);
    char *fits[] = {exact}, *too_long[] = {longer};
    assert_int_equal(command_set_words(&target, 1, fits, &error), STATUS_OK);
    assert_int_equal(command_set_words(&target, 1, too_long, &error), STATUS_USAGE);
    assert_string_equal(command_word(&target, 0), exact); /* unchanged */
}

static void test_settings(void **state)
{
    (void)state;
    struct command_target target = {.word_count = 0}, other;
    struct error error = {""};
    assert_int_equal(command_add_setting(&target, "A={threads}", &error), STATUS_OK);
    assert_int_equal(command_add_setting(&target, "B_2=", &error), STATUS_OK);
    assert_string_equal(command_setting(&target, 0), "A={threads}");
    assert_string_equal(command_setting(&target, 1), "B_2=");
    static const char *const wrong[] = {"A", "=x", "2=x", "A B=x", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(command_add_setting(&target, wrong[i], &error), STATUS_USAGE);
    other = target;
    snprintf(other.launcher, sizeof other.launcher, "mpirun");
    assert_true(command_same(&target, &other)); /* modes differ in that */
    assert_int_equal(command_add_setting(&other, "C=1", &error), STATUS_OK);
    assert_false(command_same(&target, &other));
}

static void test_names(void **state)
{
    (void)state;
    assert_true(command_name_is_free("level"));
    assert_true(command_name_is_free("_x9"));
    static const char *const taken[] = {"", "9x", "a-b", "workers", "size", "nodes", "a b"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) assert_false(command_name_is_free(taken[i]));
}

static void expect_words(const char *text, const char *const expected[])
{
    char **words = NULL;
    size_t count = 0;
    assert_int_equal(quote_split(text, &words), 0);
    for (; expected[count]; count++) {
        assert_non_null(words[count]);
        assert_string_equal(words[count], expected[count]);
    }
    assert_null(words[count]);
    quote_free_words(words);
}

static void test_split(void **state)
{
    (void)state;
    expect_words("  ", (const char *const[]){NULL});
    expect_words("a", (const char *const[]){"a", NULL});
    expect_words("mpirun -n {ranks}  --x 'a b' \"c \\\" \\n\" d\\ e ''",
                 (const char *const[]){"mpirun", "-n", "{ranks}", "--x", "a b", "c \" \\n", "d e", "", NULL});
    expect_words("$HOME `x` *", (const char *const[]){"$HOME", "`x`", "*", NULL});
    char **words = NULL;
    assert_int_equal(quote_split("a 'b", &words), -EINVAL);
    assert_int_equal(quote_split("a \"b", &words), -EINVAL);
    assert_null(words);
}

static void expect_size(const char *law, double size, double expected)
{
    struct config config = make_config();
    struct error error = {""};
    double value = -1;
    assert_int_equal(command_weak_size(law, &config, size, &value, &error), STATUS_OK);
    assert_true(value == expected);
}

static void test_laws(void **state)
{
    (void)state;
    expect_size("linear", 10, 60);
    expect_size("sqrt", 1000, 2449);
    expect_size("cbrt", 1000, 1817);
    expect_size("1000*workers^(1/3)", NAN, 1817);
    expect_size("size = 1000*workers^(1/3)", NAN, 1817);
    expect_size(" size*ranks + threads - 1", 7, 16);
    expect_size("2^3^2", NAN, 512);
    expect_size("-2 + 2*log2(8)", NAN, 4);
    expect_size("12 / 2 / 3", NAN, 2);
    static const char *const wrong[] = {"",  "cubic", "2*",     "(1",  "1)",  "workers workers", "f(2)", "1e999",
                                        "0", "1-2",   "sqrt 4", "1;2", "size"};
    struct config config = make_config();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error = {""};
        double value = -1;
        assert_int_equal(command_weak_size(wrong[i], &config, NAN, &value, &error), STATUS_USAGE);
        assert_true(value == -1);
        assert_true(strlen(error.text) > 20);
    }
    static char deep[2000];
    memset(deep, '(', sizeof deep - 1);
    double value;
    struct error error = {""};
    assert_int_equal(command_weak_size(deep, &config, 1, &value, &error), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand), cmocka_unit_test(test_unknown_placeholder),
        cmocka_unit_test(test_words),  cmocka_unit_test(test_settings),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_split),
        cmocka_unit_test(test_laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
