/* Other programs' formats, from samples made by hand: whether those programs could read them. */
#include "../src/present/present.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CSV, MARKDOWN, HYPERFINE, EXTRAP, MESSAGES, BLOCKS = 7, CSV_FIELDS = 39 };

struct fixture {
    struct results results;
    struct curves curves;
    char folder[64], path[128];
};

static struct sample make_sample(const char *kernel, enum mode_name mode, int workers, int block, double wall_s)
{
    struct sample sample;
    sample_init(&sample);
    struct config *config = &sample.config;
    snprintf(config->kernel, sizeof config->kernel, "%s", kernel);
    snprintf(config->variant, sizeof config->variant, "plain");
    snprintf(config->size, sizeof config->size, "1000");
    snprintf(config->isa, sizeof config->isa, "generic");
    config->option_count = 1;
    config->options[0] = (struct config_option){"wait", "4ms"};
    config->mode = (struct mode){
        .nodes = 1, .map = "cores-first", .name = mode, .ranks = 1, .threads = workers, .cpus = {.count = workers}};
    for (int i = 0; i < workers; i++) config->mode.cpus.cpus[i] = i;
    sample.block = block;
    sample.launch = 100 * block + 10 * (int)mode + workers;
    sample.wall_s = wall_s;
    sample.work = 1e9;
    sample.rate = sample.work / wall_s;
    sample.concurrency = sample.parallelism = NAN;
    snprintf(sample.work_unit, sizeof sample.work_unit, "flop");
    sample.correct = true;
    sample.validity = SAMPLE_VALID;
    return sample;
}

static void add(struct fixture *fixture, struct sample sample)
{
    assert_int_equal(results_add(&fixture->results, &sample), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/test_export.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/out", fixture->folder);
    results_init(&fixture->results);
    for (int block = 0; block < BLOCKS; block++) {
        add(fixture, make_sample("toy", MODE_SERIAL, 1, block, 1 + 0.001 * block));
        for (int workers = 1; workers <= 4; workers *= 2)
            add(fixture, make_sample("toy", MODE_THREADS, workers, block, 1.0 / workers + 0.001 * block));
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    curves_release(&fixture->curves);
    results_release(&fixture->results);
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

/* As heap text. */
static char *export(struct fixture *fixture, int format)
{
    struct error error = {""};
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_int_equal(curves_build(&fixture->results, 0, &fixture->curves), 0);
    const struct study_part part = {&fixture->results, &fixture->curves};
    assert_int_equal(export_study(format, fixture->path, 1, &part, &error), STATUS_OK);
    FILE *file = fopen(fixture->path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, 65535, file);
    fclose(file);
    text[length] = '\0';
    return text;
}

static int count_of(const char *text, const char *piece)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, piece)) != NULL; at += strlen(piece)) count++;
    return count;
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"csv", "markdown", "hyperfine", "extrap", "messages"};
    for (int i = 0; i < 5; i++) assert_string_equal(export_formats[i], names[i]);
    assert_null(export_formats[5]);
}

/* --- csv -------------------------------------------------------------------------------------------------------- */

/* The field of a line, as RFC 4180 has it. Returns where the next one begins; NULL: it was the last of the line. */
static const char *next_field(const char *text, size_t length, char *field_p)
{
    size_t used = 0;
    bool quoted = *text == '"';
    for (text += quoted; *text; text++) {
        if (quoted && text[0] == '"' && text[1] == '"')
            text++;
        else if (quoted ? *text == '"' : *text == ',' || *text == '\n')
            break;
        if (used + 1 < length) field_p[used++] = *text;
    }
    field_p[used] = '\0';
    text += quoted;
    return *text == ',' ? text + 1 : NULL;
}

/* The field in a line (0: the header), by its name, as heap text. */
static char *csv_field(const char *text, int line, const char *name)
{
    const char *header = text;
    char title[64];
    char *value = calloc(1, 256);
    assert_non_null(value);
    for (; line > 0; line--) text = strchr(text, '\n') + 1;
    for (bool found = false; !found;) {
        header = next_field(header, sizeof title, title);
        text = next_field(text, 256, value);
        found = strcmp(title, name) == 0;
        if (!found) assert_non_null(header);
        if (!found) assert_non_null(text);
    }
    return value;
}

static void assert_csv(const char *text, int line, const char *name, const char *expected)
{
    char *value = csv_field(text, line, name);
    assert_string_equal(value, expected);
    free(value);
}

static int count_fields(const char *text)
{
    char field[256];
    int count = 0;
    while (text) {
        text = next_field(text, sizeof field, field);
        count++;
    }
    return count;
}

/* Of a kernel that times messages one line a size; of others none. */
static void test_messages(void **state)
{
    struct fixture *fixture = *state;
    struct kernel_point points[] = {{1, 10, 1e-6, 1}, {1000, 10, 2e-6, 1000}, {1000000, 10, 1001e-6, 1e6}};
    struct sample sample = make_sample("exchange", MODE_MPI, 1, 0, 1);
    sample.config.mode.ranks = 2;
    sample.points = points;
    sample.point_count = 3;
    add(fixture, sample);
    char *text = export(fixture, MESSAGES);
    assert_int_equal(count_of(text, "\n"), 1 + 3);
    assert_csv(text, 2, "kernel", "exchange");
    assert_csv(text, 2, "ranks", "2");
    assert_csv(text, 2, "bytes", "1000");
    assert_csv(text, 2, "time_s", "2e-06");
    assert_csv(text, 2, "bytes_per_s", "500000000");
    char *latency = csv_field(text, 1, "fitted_latency_s"), *rate = csv_field(text, 1, "fitted_bytes_per_s");
    assert_true(fabs(strtod(latency, NULL) / 1e-6 - 1) < 0.01 && fabs(strtod(rate, NULL) / 1e9 - 1) < 0.01);
    free(rate);
    free(latency);
    free(text);
}

static void test_csv(void **state)
{
    char *text = export(*state, CSV);
    assert_int_equal(count_of(text, "\n"), 5);
    const char *line = text;
    for (int i = 0; i < 5; i++, line = strchr(line, '\n') + 1) assert_int_equal(count_fields(line), CSV_FIELDS);
    assert_csv(text, 1, "mode", "serial");
    assert_csv(text, 1, "kernel", "toy");
    assert_csv(text, 1, "options", "wait=4ms");
    assert_csv(text, 3, "mode", "threads");
    assert_csv(text, 3, "workers", "2");
    assert_csv(text, 3, "launches_valid", "7");
    assert_csv(text, 3, "wall_s", "0.503");
    assert_csv(text, 3, "work_unit", "flop");
    assert_csv(text, 3, "concurrency", ""); /* not known */
    assert_csv(text, 3, "share_of_core", "");
    char *speedup = csv_field(text, 3, "speedup");
    assert_true(fabs(atof(speedup) - 1.994) < 0.001);
    free(speedup);
    assert_null(strstr(text, "nan"));
    free(text);
}

static void test_csv_quotes(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = make_sample("a, \"b\"\nc", MODE_SERIAL, 1, 0, 1);
    snprintf(sample.config.isa, sizeof sample.config.isa, "x,y");
    sample.config.mode.scheduling = (struct scheduling){POLICY_BATCH, 5, 0};
    add(fixture, sample);
    char *text = export(fixture, CSV);
    assert_csv(text, 1, "scheduling", "");
    assert_csv(text, 5, "scheduling", "policy batch, nice 5");
    const char *quoted = strstr(text, "\"a, \"\"b\"\"\nc\"");
    assert_non_null(quoted);
    assert_int_equal(count_fields(quoted - 1), CSV_FIELDS); /* behind the empty name of the machine */
    assert_non_null(strstr(text, ",\"x,y\","));
    free(text);
}

/* --- markdown --------------------------------------------------------------------------------------------------- */

static void test_markdown(void **state)
{
    char *text = export(*state, MARKDOWN);
    assert_memory_equal(text, "### toy (plain, size 1000, wait 4ms)\n\n| mode |", 46);
    assert_non_null(strstr(text, "\n|:---|---:|"));
    assert_non_null(strstr(text, "\n| threads | 2 | 2 | 503 ms (500 ms to 506 ms) |"));
    const char *line = strstr(text, "\n| mode") + 1;
    for (int i = 0; i < 6; i++, line = strchr(line, '\n') + 1) {
        char *row = strndup(line, strcspn(line, "\n"));
        assert_int_equal(count_of(row, "|"), 11);
        free(row);
    }
    free(text);
}

static void test_markdown_escapes(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, make_sample("a|b\n*c*", MODE_SERIAL, 1, 0, 1));
    char *text = export(fixture, MARKDOWN);
    assert_non_null(strstr(text, "### a\\|b \\*c\\* ("));
    free(text);
}

/* --- hyperfine -------------------------------------------------------------------------------------------------- */

static void test_hyperfine(void **state)
{
    struct fixture *fixture = *state;
    struct sample invalid = make_sample("toy", MODE_THREADS, 2, 8, 99);
    invalid.validity = SAMPLE_INVALID;
    add(fixture, invalid);
    char *text = export(fixture, HYPERFINE);
    json_t *object = json_loads(text, 0, NULL), *results = json_object_get(object, "results");
    assert_int_equal(json_array_size(results), 4);
    json_t *two = json_array_get(results, 2), *times = json_object_get(two, "times");
    assert_string_equal(json_string_value(json_object_get(two, "command")),
                        "speedup run toy --variant plain --size 1000 --mode threads --workers 2 --wait 4ms");
    static const char *const numbers[] = {"mean", "stddev", "median", "min", "max"};
    for (int i = 0; i < 5; i++) assert_true(json_is_real(json_object_get(two, numbers[i])));
    assert_true(fabs(json_real_value(json_object_get(two, "mean")) - 0.503) < 1e-9);
    assert_true(fabs(json_real_value(json_object_get(two, "stddev")) - 0.00216025) < 1e-6);
    assert_true(json_is_null(json_object_get(two, "user"))); /* the record has their sum alone */
    assert_true(json_is_null(json_object_get(two, "system")));
    assert_int_equal(json_array_size(times), BLOCKS);
    assert_int_equal(json_array_size(json_object_get(two, "exit_codes")), BLOCKS);
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(two, "parameters"), name, value) assert_true(json_is_string(value));
    assert_string_equal(json_string_value(json_object_get(json_object_get(two, "parameters"), "workers")), "2");
    json_decref(object);
    free(text);
}

/* One time has no deviation; several samples of a launch are one time. */
static void test_hyperfine_launches(void **state)
{
    struct fixture *fixture = *state;
    for (int repeat = 0; repeat < 3; repeat++) {
        struct sample sample = make_sample("other", MODE_SERIAL, 1, 0, 1 + repeat);
        sample.repeat = repeat;
        add(fixture, sample);
    }
    char *text = export(fixture, HYPERFINE);
    json_t *object = json_loads(text, 0, NULL);
    json_t *last = json_array_get(json_object_get(object, "results"), 4);
    assert_true(json_is_null(json_object_get(last, "stddev")));
    assert_int_equal(json_array_size(json_object_get(last, "times")), 1);
    assert_true(json_real_value(json_object_get(last, "median")) == 2);
    json_decref(object);
    free(text);
}

/* --- extrap ----------------------------------------------------------------------------------------------------- */

static void test_extrap(void **state)
{
    char *text = export(*state, EXTRAP);
    assert_non_null(strstr(text, "\nPARAMETER workers\nPOINTS 1 2 4\n"));
    assert_non_null(strstr(text, "\nREGION toy->plain->1000->threads\nMETRIC time\nDATA 1 1.001 1.002"));
    assert_int_equal(count_of(text, "\nDATA "), 3);
    assert_non_null(strstr(text, "\n# Left out, as it lacks some of these numbers of workers: "
                                 "toy->plain->1000->serial\n"));
    free(text);
}

/* The numbers of workers by which most can be told: here without 8. */
static void test_extrap_common_points(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, make_sample("toy", MODE_THREADS, 8, 0, 0.13));
    for (int workers = 1; workers <= 4; workers *= 2) add(fixture, make_sample("to y", MODE_THREADS, workers, 0, 1));
    char *text = export(fixture, EXTRAP);
    assert_non_null(strstr(text, "\nPOINTS 1 2 4\n"));
    assert_int_equal(count_of(text, "\nDATA "), 6);
    assert_non_null(strstr(text, "\nREGION to_y->plain->1000->threads\n"));
    assert_null(strstr(text, "0.13"));
    free(text);
}

static void test_extrap_nothing_valid(void **state)
{
    struct fixture *fixture = *state;
    results_release(&fixture->results);
    struct sample sample = make_sample("toy", MODE_SERIAL, 1, 0, 1);
    sample.validity = SAMPLE_INVALID;
    add(fixture, sample);
    for (int format = CSV; format <= EXTRAP; format++) {
        char *text = export(fixture, format);
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "DATA"));
        free(text);
        curves_release(&fixture->curves);
    }
}

static void test_cannot_write(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {""};
    const struct study_part part = {&fixture->results, &fixture->curves};
    assert_int_equal(export_study(CSV, "/nowhere/at/all", 1, &part, &error), STATUS_FAILED);
    assert_string_equal(error.text, "cannot write /nowhere/at/all: No such file or directory; name a file in a folder "
                                    "you may write to");
    assert_int_equal(export_study(CSV, "/dev/full", 1, &part, &error), STATUS_FAILED);
    assert_string_equal(error.text, "cannot write /dev/full: No space left on device");
}

#define export_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        export_test(test_csv),
        export_test(test_messages),
        export_test(test_csv_quotes),
        export_test(test_markdown),
        export_test(test_markdown_escapes),
        export_test(test_hyperfine),
        export_test(test_hyperfine_launches),
        export_test(test_extrap),
        export_test(test_extrap_common_points),
        export_test(test_extrap_nothing_valid),
        export_test(test_cannot_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
