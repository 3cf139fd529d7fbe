/* The record's files: neither a full disk nor a torn line nor somebody else's file costs anything. */
#include "../src/record/record.h"
#include "record_directory.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
    int lines;
    char types[8][16];
    int end_at; /* return an error at this line; 0: never */
    struct error *error;
};

static int see(void *context, const json_t *object)
{
    struct seen *seen = context;
    snprintf(seen->types[seen->lines++ % 8], 16, "%s", json_string_value(json_object_get(object, "type")));
    if (seen->lines == seen->end_at) return seen->error ? error_set(seen->error, -7, "enough") : -7;
    return 0;
}

static void write_file(const char *text, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static int read_text(const char *text, struct seen *seen_p, bool *torn_p, struct error *error)
{
    write_file(text, strlen(text));
    *seen_p = (struct seen){0};
    return record_read(path, see, seen_p, torn_p, error);
}

#define CONTEXT "{\"schema\":1,\"type\":\"context\"}\n"
#define LINE    "{\"schema\":1,\"type\":\"sample\"}\n"

static void test_reader(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status, lines;
        bool torn;
        const char *says;
    } cases[] = {
        {"", 0, 0, false, NULL},
        {CONTEXT LINE LINE, 0, 3, false, NULL},
        {CONTEXT "\n  \r\n" LINE, 0, 2, false, NULL},
        {CONTEXT LINE "{\"schema\":1,\"ty", 0, 2, true, NULL},
        {"{\"schema\":1,\"ty", 0, 0, true, NULL},
        {CONTEXT "{\"schema\":1,\"type\":\"sample\"}", 0, 2, false, NULL},
        {CONTEXT "{\"type\":\"note\",\"text\":\"no version\"}\n", 0, 2, false, NULL},
        {CONTEXT "{\"schema\":1,\"ty\n" LINE, STATUS_USAGE, 1, false, "line 2"},
        {CONTEXT LINE "[]\n", STATUS_USAGE, 2, false, "line 3"},
        {CONTEXT "{\"type\":1}\n", STATUS_USAGE, 1, false, "line 2"},
        {CONTEXT "{\"type\":\"sample\"}\n", STATUS_USAGE, 1, false, "line 2: \"schema\""},
        {"\n\n" CONTEXT "{\"schema\":2,\"type\":\"sample\"}\n", STATUS_USAGE, 1, false, "newer"},
        {"{\"schema\":99,\"type\":\"context\"}\n", STATUS_USAGE, 0, false, "newer"},
        {"a,b,c\n1,2,3\n", STATUS_USAGE, 0, false, "no record"},
        {"{\"a\":1}\n", STATUS_USAGE, 0, false, "no record"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct seen seen;
        struct error error = {""};
        bool torn = !cases[i].torn;
        int status = read_text(cases[i].text, &seen, &torn, &error);
        if (status != cases[i].status) fail_msg("case %zu: status %d, %s", i, status, error.text);
        assert_int_equal(seen.lines, cases[i].lines);
        assert_int_equal(torn, cases[i].torn);
        if (cases[i].says && (!strstr(error.text, cases[i].says) || !strstr(error.text, path)))
            fail_msg("case %zu: \"%s\"", i, error.text);
    }
}

static void test_reader_stops_when_told(void **state)
{
    (void)state;
    struct error error = {""};
    struct seen seen = {.end_at = 2, .error = &error};
    bool torn;
    write_file(CONTEXT LINE LINE, strlen(CONTEXT LINE LINE));
    assert_int_equal(record_read(path, see, &seen, &torn, &error), -7);
    assert_int_equal(seen.lines, 2);
    assert_non_null(strstr(error.text, "line 2: enough"));

    seen = (struct seen){.end_at = 1};
    assert_int_equal(record_read(path, see, &seen, &torn, &error), -7);
    assert_string_equal(error.text, "");
}

static void test_reader_without_file(void **state)
{
    (void)state;
    struct error error = {""};
    struct seen seen = {0};
    bool torn;
    assert_int_equal(record_read("/nonexistent/x.jsonl", see, &seen, &torn, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/nonexistent/x.jsonl"));
    assert_int_equal(record_read(directory, see, &seen, &torn, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, directory));
}

static void test_huge_line_and_pipe(void **state)
{
    (void)state;
    enum { LENGTH = 3 << 20 };
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, CONTEXT "{\"schema\":1,\"type\":\"sample\",\"x\":\"%0*d\"}\n" LINE, LENGTH, 1);
    fclose(file);
    struct error error = {""};
    struct seen seen = {0};
    bool torn;
    assert_int_equal(record_read(path, see, &seen, &torn, &error), 0);
    assert_int_equal(seen.lines, 3);

    char command[128];
    snprintf(command, sizeof command, "cat %s", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    int standard_input = dup(STDIN_FILENO);
    dup2(fileno(pipe), STDIN_FILENO);
    seen = (struct seen){0};
    int status = record_read("-", see, &seen, &torn, &error);
    dup2(standard_input, STDIN_FILENO);
    close(standard_input);
    pclose(pipe);
    assert_int_equal(status, 0);
    assert_int_equal(seen.lines, 3);
}

static json_t *line_new(const char *type)
{
    json_t *line = json_pack("{s:i, s:s}", "schema", RECORD_SCHEMA, "type", type);
    assert_non_null(line);
    return line;
}

static int write_lines(int count, struct error *error)
{
    struct record_writer *writer;
    int status = record_writer_new(path, &writer, error);
    if (status) return status;
    for (int i = 0; i < count && !status; i++) {
        json_t *line = line_new(i == 0 ? "context" : "sample");
        status = record_write(writer, line, error);
        json_decref(line);
    }
    int closed = record_writer_free(writer, error);
    return status ? status : closed;
}

static int count_lines(void)
{
    struct error error;
    struct seen seen = {0};
    bool torn;
    return record_read(path, see, &seen, &torn, &error) ? -1 : seen.lines;
}

static void test_writer(void **state)
{
    (void)state;
    struct error error = {""};
    unlink(path);
    assert_int_equal(write_lines(3, &error), 0);
    assert_int_equal(count_lines(), 3);
    assert_int_equal(write_lines(2, &error), 0); /* a record is replaced ... */
    assert_int_equal(count_lines(), 2);
    assert_int_equal(write_lines(0, &error), 0); /* ... by a line, not by an intention */
    assert_int_equal(count_lines(), 2);
    write_file("", 0);
    assert_int_equal(write_lines(1, &error), 0);
    assert_int_equal(count_lines(), 1);
}

static void test_lines_are_there_at_once(void **state)
{
    (void)state;
    struct error error = {""};
    struct record_writer *writer;
    unlink(path);
    assert_int_equal(record_writer_new(path, &writer, &error), 0);
    json_t *line = line_new("context");
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(record_write(writer, line, &error), 0);
        assert_int_equal(count_lines(), i);
    }
    json_decref(line);
    assert_int_equal(record_writer_free(writer, &error), 0);
}

static void test_other_files_are_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"my thesis\n", "{\"type\":\"context\"}\n", LINE, ("\n" CONTEXT),
                                        "{\"schema\":1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error error = {""};
        write_file(texts[i], strlen(texts[i]));
        assert_int_equal(write_lines(1, &error), STATUS_USAGE);
        assert_non_null(strstr(error.text, path));
        char kept[64] = "";
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t length = fread(kept, 1, sizeof kept - 1, file);
        fclose(file);
        assert_int_equal(length, strlen(texts[i]));
        assert_string_equal(kept, texts[i]);
    }
}

static void test_disk_full(void **state)
{
    (void)state;
    struct error error = {""};
    struct record_writer *writer;
    assert_int_equal(record_writer_new("/dev/full", &writer, &error), 0);
    json_t *line = line_new("context");
    assert_int_equal(record_write(writer, line, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/dev/full"));
    assert_non_null(strstr(error.text, "No space left"));
    json_decref(line);
    assert_int_equal(record_writer_free(writer, &error), 0);
    assert_int_equal(record_writer_new("/nonexistent/x.jsonl", &writer, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/nonexistent/x.jsonl"));
    assert_int_equal(record_writer_new(directory, &writer, &error), STATUS_FAILED);
}

static void assert_holds(const char *name, const char *text)
{
    static char kept[4096];
    FILE *file = fopen(name, "r");
    if (!file) fail_msg("there is no %s", name);
    kept[fread(kept, 1, sizeof kept - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(kept, text);
}

/* A limit to the size of files takes the place of a full disk: a line that does not fit is written in part first. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The path of the file for the rest, as the text tells it. Returns path_p. */
static const char *rescue_of(const struct error *error, size_t length, char *path_p)
{
    const char *command = strstr(error->text, "append: cat ");
    if (!command) fail_msg("%s", error->text);
    command += strlen("append: cat ");
    snprintf(path_p, length, "%.*s", (int)strcspn(command, " "), command);
    return path_p;
}

static void what_does_not_fit_goes_elsewhere(void **state)
{
    (void)state;
    struct error error = {""};
    struct record_writer *writer;
    json_t *line = line_new("context");
    char rescue[256], text[512];
    enum { WHOLE = sizeof CONTEXT LINE - 1 };
    unlink(path);
    assert_int_equal(setenv("TMPDIR", directory, 1), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(record_writer_new(path, &writer, &error), 0);
    assert_int_equal(record_write(writer, line, &error), 0);
    json_decref(line);
    line = line_new("sample");
    assert_int_equal(record_write(writer, line, &error), 0);
    limit_files(WHOLE + 10);
    assert_int_equal(record_write(writer, line, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "File too large"));
    assert_non_null(strstr(error.text, "the last line is in"));
    assert_holds(path, CONTEXT LINE);
    limit_files(RLIM_INFINITY);
    /* Though there is room again: behind a line that is missing, none may follow. */
    assert_int_equal(record_write(writer, line, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "the last 2 lines are in"));
    json_decref(line);
    assert_int_equal(record_writer_free(writer, &error), 0);
    assert_holds(path, CONTEXT LINE);
    assert_holds(rescue_of(&error, sizeof rescue, rescue), LINE LINE);
    assert_int_equal(strncmp(rescue, directory, strlen(directory)), 0);
    snprintf(text, sizeof text, "%s", strstr(error.text, "append: ") + strlen("append: "));
    assert_int_equal(system(text), 0); /* as it is told */
    assert_holds(path, CONTEXT LINE LINE LINE);
    assert_int_equal(unlink(rescue), 0);
    unsetenv("TMPDIR");
}

/* Neither has the folder for temporary files any room: then that is said, and no file is left there. */
static void what_fits_nowhere_is_told(void **state)
{
    (void)state;
    struct error error = {""};
    struct record_writer *writer;
    bool torn;
    json_t *line = line_new("sample");
    write_file(CONTEXT LINE, strlen(CONTEXT LINE));
    assert_int_equal(setenv("TMPDIR", "/nonexistent", 1), 0);
    assert_int_equal(record_writer_continue(path, &writer, &torn, &error), 0);
    limit_files(sizeof CONTEXT LINE);
    assert_int_equal(record_write(writer, line, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "the last line is lost"));
    assert_int_equal(setenv("TMPDIR", directory, 1), 0);
    limit_files(8);
    assert_int_equal(record_write(writer, line, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "the last line is lost"));
    limit_files(RLIM_INFINITY);
    json_decref(line);
    assert_int_equal(record_writer_free(writer, &error), 0);
    assert_holds(path, CONTEXT LINE);
    unsetenv("TMPDIR");
}

/* Goes on with the file, and adds so many lines. */
static int continue_file(int count, bool *torn_p, struct error *error)
{
    struct record_writer *writer;
    int status = record_writer_continue(path, &writer, torn_p, error);
    if (status) return status;
    for (int i = 0; i < count && !status; i++) {
        json_t *line = line_new("sample");
        status = record_write(writer, line, error);
        json_decref(line);
    }
    int closed = record_writer_free(writer, error);
    return status ? status : closed;
}

static void lines_are_added_behind_what_is_there(void **state)
{
    (void)state;
    struct error error = {""};
    bool torn = true;
    write_file(CONTEXT LINE, strlen(CONTEXT LINE));
    assert_int_equal(continue_file(0, &torn, &error), STATUS_OK);
    assert_false(torn);
    assert_holds(path, CONTEXT LINE);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(continue_file(2, &torn, &error), STATUS_OK);
        assert_false(torn);
        assert_int_equal(count_lines(), 2 + 2 * i);
    }
    assert_holds(path, CONTEXT LINE LINE LINE LINE LINE LINE LINE);
    assert_int_equal(access(torn_path, F_OK), -1);
    write_file("", 0);
    assert_int_equal(continue_file(1, &torn, &error), STATUS_OK);
    assert_holds(path, LINE);
}

static void a_torn_last_line_is_set_aside(void **state)
{
    (void)state;
    static const char piece[] = "{\"schema\":1,\"ty", other[] = "{\"schema\":1,\"type\":\"sample\",\"x";
    struct error error = {""};
    bool torn = false;
    char text[256];
    snprintf(text, sizeof text, "%s%s", CONTEXT LINE, piece);
    write_file(text, strlen(text));
    assert_int_equal(continue_file(1, &torn, &error), STATUS_OK);
    assert_true(torn);
    assert_holds(path, CONTEXT LINE LINE);
    snprintf(text, sizeof text, "%s\n", piece);
    assert_holds(torn_path, text);

    /* Again and again: each is kept. */
    snprintf(text, sizeof text, "%s%s", CONTEXT LINE LINE, other);
    write_file(text, strlen(text));
    assert_int_equal(continue_file(0, &torn, &error), STATUS_OK);
    assert_true(torn);
    assert_holds(path, CONTEXT LINE LINE);
    snprintf(text, sizeof text, "%s\n%s\n", piece, other);
    assert_holds(torn_path, text);
    assert_int_equal(continue_file(1, &torn, &error), STATUS_OK);
    assert_false(torn);
    assert_holds(path, CONTEXT LINE LINE LINE);
    assert_holds(torn_path, text);
    assert_int_equal(unlink(torn_path), 0);
}

/* Longer than what is looked through at a time. */
static void a_long_torn_line_is_set_aside(void **state)
{
    (void)state;
    struct error error = {""};
    struct stat status;
    bool torn = false;
    for (int length = 65530; length < 200000; length += length < 65545 ? 1 : 67321) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, CONTEXT LINE "{\"schema\":1,\"x\":\"%0*d", length, 1);
        fclose(file);
        assert_int_equal(continue_file(1, &torn, &error), STATUS_OK);
        assert_true(torn);
        assert_holds(path, CONTEXT LINE LINE);
        assert_int_equal(stat(torn_path, &status), 0);
        assert_int_equal(status.st_size, length + (int)strlen("{\"schema\":1,\"x\":\"\n"));
        assert_int_equal(unlink(torn_path), 0);
    }
}

/* record_read counts it, so it must stay. */
static void a_line_that_lacks_its_newline_alone_gets_it(void **state)
{
    (void)state;
    struct error error = {""};
    bool torn = true;
    write_file(CONTEXT LINE, strlen(CONTEXT LINE) - 1);
    assert_int_equal(count_lines(), 2);
    assert_int_equal(continue_file(1, &torn, &error), STATUS_OK);
    assert_false(torn);
    assert_holds(path, CONTEXT LINE LINE);
    write_file(CONTEXT, strlen(CONTEXT) - 1); /* no newline in the whole file */
    assert_int_equal(continue_file(1, &torn, &error), STATUS_OK);
    assert_false(torn);
    assert_holds(path, CONTEXT LINE);
    assert_int_equal(access(torn_path, F_OK), -1);
}

static void files_that_are_no_record_are_not_continued(void **state)
{
    (void)state;
    static const char *const texts[] = {"my thesis\n", "my thesis", LINE LINE, "{\"schema\":1",
                                        "{\"schema\":1,\"type\":\"context\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error error = {""};
        bool torn = false;
        write_file(texts[i], strlen(texts[i]));
        assert_int_equal(continue_file(1, &torn, &error), STATUS_USAGE);
        assert_non_null(strstr(error.text, path));
        assert_holds(path, texts[i]);
        assert_int_equal(access(torn_path, F_OK), -1);
    }
}

/* Where PATH.torn cannot be written, nothing is cut off. */
static void nothing_is_lost_where_it_cannot_be_set_aside(void **state)
{
    (void)state;
    static const char text[] = CONTEXT LINE "{\"schema\":1,\"ty";
    struct error error = {""};
    bool torn = false;
    write_file(text, strlen(text));
    assert_int_equal(mkdir(torn_path, 0777), 0);
    assert_int_equal(continue_file(1, &torn, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, path));
    assert_holds(path, text);
    assert_int_equal(rmdir(torn_path), 0);

    if (geteuid() == 0) return; /* who may write anywhere */
    assert_int_equal(chmod(directory, 0500), 0);
    int status = continue_file(1, &torn, &error);
    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(status, STATUS_FAILED);
    assert_non_null(strstr(error.text, "Permission denied"));
    assert_holds(path, text);
}

static void files_that_cannot_be_written_are_not_continued(void **state)
{
    (void)state;
    struct record_writer *writer;
    struct error error = {""};
    bool torn;
    assert_int_equal(record_writer_continue("/nonexistent/x.jsonl", &writer, &torn, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "/nonexistent/x.jsonl"));
    assert_int_equal(record_writer_continue(directory, &writer, &torn, &error), STATUS_FAILED);
    if (geteuid() == 0) return;
    write_file(CONTEXT LINE, strlen(CONTEXT LINE));
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(continue_file(1, &torn, &error), STATUS_FAILED);
    assert_non_null(strstr(error.text, "Permission denied"));
    assert_holds(path, CONTEXT LINE);
    assert_int_equal(chmod(path, 0600), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_stops_when_told),
        cmocka_unit_test(test_reader_without_file),
        cmocka_unit_test(test_huge_line_and_pipe),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_lines_are_there_at_once),
        cmocka_unit_test(test_other_files_are_left_alone),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(what_does_not_fit_goes_elsewhere),
        cmocka_unit_test(what_fits_nowhere_is_told),
        cmocka_unit_test(lines_are_added_behind_what_is_there),
        cmocka_unit_test(a_torn_last_line_is_set_aside),
        cmocka_unit_test(a_long_torn_line_is_set_aside),
        cmocka_unit_test(a_line_that_lacks_its_newline_alone_gets_it),
        cmocka_unit_test(files_that_are_no_record_are_not_continued),
        cmocka_unit_test(nothing_is_lost_where_it_cannot_be_set_aside),
        cmocka_unit_test(files_that_cannot_be_written_are_not_continued),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
