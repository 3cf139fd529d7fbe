/* Studies of commands of the user's own, from launches made in memory: what was run is told as one would type it, what
 * is not known is said, and nothing that stands in a command line breaks a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/plan/command.h"
#include "../src/present/present.h"
#include "../src/present/proposal.h"
#include "../src/present/report_study.h"
#include "../src/present/timeline_text.h"
#include "html_checks.h"
#include "made_launches.h"
#include "timelines.h"

#include <unistd.h>

enum { BLOCKS = 7 };

static const char refused[] = "kernel.perf_event_paranoid is 3, and 2 or less is needed";

struct fixture {
    struct results results;
    struct curves curves;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture) return -1;
    results_init(&fixture->results);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    curves_release(&fixture->curves);
    results_release(&fixture->results);
    free(fixture);
    return 0;
}

static struct made serial_of(const char *words)
{
    return (struct made){.words = words, .mode = MODE_SERIAL, .workers = 1};
}

/* On two cores; the second `turns` are on one of them. */
static void add_modes(struct results *results, const struct made *serial)
{
    struct made threads = *serial, turns = *serial;
    threads.mode = MODE_THREADS;
    turns.mode = MODE_MULTITASK;
    threads.workers = turns.workers = 2;
    turns.cpus = 1;
    make_even(results, serial, BLOCKS, 2);
    make_even(results, &turns, BLOCKS, 2);
    make_even(results, &threads, BLOCKS, 1.25);
}

static void build(struct fixture *fixture)
{
    curves_release(&fixture->curves);
    assert_int_equal(curves_build(&fixture->results, 0, &fixture->curves), 0);
}

static void assert_has(const char *text, const char *piece)
{
    if (!strstr(text, piece)) fail_msg("'%s' is not in:\n%.3000s", piece, text);
}

static void assert_lacks(const char *text, const char *piece)
{
    if (strstr(text, piece)) fail_msg("'%s' is in:\n%.3000s", piece, text);
}

/* The page on a terminal; each run of blanks and line ends is one blank. */
static char *print_page(struct fixture *fixture)
{
    const struct style style = {.width = 80};
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    build(fixture);
    present_study(file, &style, &fixture->results, &fixture->curves);
    assert_int_equal(fclose(file), 0);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        assert_in_range(strcspn(line, "\n"), 0, 80);
    char *end = text;
    for (const char *c = text; *c; c++)
        if (*c != ' ' && *c != '\n')
            *end++ = *c;
        else if (end == text || end[-1] != ' ')
            *end++ = ' ';
    *end = '\0';
    assert_lacks(text, "nan");
    return text;
}

/* What `write` makes of the whole record in a file. */
static char *write_part(struct fixture *fixture, int write(const char *path, int, const struct study_part *))
{
    char path[] = "/tmp/speedup-command-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    build(fixture);
    const struct study_part part = {&fixture->results, &fixture->curves};
    assert_int_equal(write(path, 1, &part), STATUS_OK);
    char *text = read_whole(path);
    assert_int_equal(unlink(path), 0);
    assert_lacks(text, ">nan");
    assert_lacks(text, " nan");
    return text;
}

static int write_report(const char *path, int count, const struct study_part *parts)
{
    struct error error;
    return present_study_report(path, count, parts, &error);
}

static int write_proposal(const char *path, int count, const struct study_part *parts)
{
    const struct proposal_request request = {.criterion = -1, .runs_planned = 1};
    struct error error;
    return present_proposal(path, &request, count, parts, &error);
}

static int write_format(const char *name, const char *path, int count, const struct study_part *parts)
{
    struct error error;
    int format = 0;
    while (export_formats[format] && strcmp(export_formats[format], name) != 0) format++;
    assert_non_null(export_formats[format]);
    return export_study(format, path, count, parts, &error);
}

static int write_csv(const char *path, int count, const struct study_part *parts)
{
    return write_format("csv", path, count, parts);
}

static int write_markdown(const char *path, int count, const struct study_part *parts)
{
    return write_format("markdown", path, count, parts);
}

static int write_hyperfine(const char *path, int count, const struct study_part *parts)
{
    return write_format("hyperfine", path, count, parts);
}

static int write_extrap(const char *path, int count, const struct study_part *parts)
{
    return write_format("extrap", path, count, parts);
}

static char *write_html(struct fixture *fixture, int write(const char *path, int, const struct study_part *))
{
    char *html = write_part(fixture, write);
    assert_well_formed(html);
    assert_lacks(html, "<script");
    return html;
}

/* --- titles ----------------------------------------------------------------------------------------------------- */

static void set_command(struct config *config, int count, const char *const words[])
{
    struct error error;
    *config = (struct config){.kernel = "app", .mode = {.nodes = 1, .ranks = 1, .threads = 4}};
    assert_int_equal(command_set_words(&config->command, count, (char *const *)words, &error), STATUS_OK);
}

static void commands_are_told_as_one_would_type_them(void **state)
{
    (void)state;
    static const char *const words[] = {"./a b", "-t{threads}", "", "it's", "x\ny", "\xff{size", "caf\xc3\xa9"};
    struct config config = {.kernel = "pi"};
    struct error error;
    char text[256];
    assert_string_equal(target_text(&config, 10, sizeof text, text), "pi");
    assert_false(target_is_command(&config));
    set_command(&config, 7, words);
    assert_true(target_is_command(&config));
    assert_string_equal(target_text(&config, 200, sizeof text, text),
                        "'./a b' -t{threads} '' 'it'\\''s' $'x\\ny' $'\\377{size' 'caf\xc3\xa9'");
    assert_string_equal(target_text_expanded(&config, 20, sizeof text, text), "'./a b' -t4 ...caf\xc3\xa9'");
    static const char *const line[] = {"sort {f} | uniq"};
    set_command(&config, 1, line);
    config.command.shell = true;
    assert_int_equal(command_add_setting(&config.command, "LC_ALL=C", &error), STATUS_OK);
    assert_string_equal(target_text(&config, 200, sizeof text, text), "LC_ALL=C sh -c 'sort {f} | uniq'");
    /* {f} stands for nothing: it is left. */
    assert_string_equal(target_text_expanded(&config, 200, sizeof text, text), "LC_ALL=C sh -c 'sort {f} | uniq'");
}

static void long_commands_lose_their_middle_and_no_part_of_a_character(void **state)
{
    (void)state;
    char word[2001] = "";
    const char *const words[] = {"./app", word, "last"};
    struct config config;
    for (size_t used = 0; used + 2 < sizeof word; used += 2) memcpy(word + used, "\xc3\xa9", 3);
    set_command(&config, 3, words);
    for (int columns = 0; columns < 60; columns++)
        for (size_t length = 8; length < 100; length++) {
            char text[128];
            memset(text, '#', sizeof text);
            target_text(&config, columns, length, text);
            assert_in_range(strlen(text), 3, length - 1);
            assert_in_range(text_width(text), 3, columns > 3 ? columns : 3);
            assert_int_equal(text[length], '#');
            json_t *string = json_string(text); /* refuses what is no UTF-8 */
            assert_non_null(string);
            json_decref(string);
        }
    char text[128];
    target_text(&config, 40, sizeof text, text);
    assert_int_equal(text_width(text), 40);
    assert_memory_equal(text, "./app ", 6);
    assert_has(text, "...");
    assert_string_equal(text + strlen(text) - 5, " last");
}

static void what_is_timed_is_told(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"process", "the whole process, from its start to its end"},
        {"regex s Time: ([0-9.]+) s", "the program's own, by the regular expression Time: ([0-9.]+) s, in s"},
        {"json ms a.0.b", "the program's own, at a.0.b of its JSON, in ms"},
        {"sundial", "taken in a way that is not known here: sundial"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct config config = {.kernel = "app"};
        char text[400];
        snprintf(config.command.time, sizeof config.command.time, "%s", expected[i][0]);
        assert_string_equal(target_time_text(&config, sizeof text, text), expected[i][1]);
    }
}

/* --- the terminal's page ---------------------------------------------------------------------------------------- */

static void the_page_tells_the_command_and_what_it_used(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("xz\0-T{threads}\0my file\0");
    serial.level = "6";
    add_modes(&fixture->results, &serial);
    char *text = print_page(fixture);
    assert_has(text, "xz -T{threads} 'my file' (LEVEL 6) time: of the whole process, from its start to its end. Its "
                     "tasks were kept on the CPUs of each mode.");
    assert_has(text, "threads: W threads asked for, on W cores 2 2 1.25 s 1.25-1.25 0.80 1.60 1.60-1.60 80 %");
    assert_has(text, "rate: runs/s.");
    assert_has(text, "speedup: against the same command for one worker, mode serial (2.00 s, 0.50 runs/s).");
    assert_has(text, "threads 2 1.88 s 625 ms 2.00 2.00 3 3 MiB");
    assert_has(text, "Seen from outside: load balance: fewer than P tasks");
    assert_lacks(text, "one task at a time");
    assert_lacks(text, "could not be watched");
    assert_lacks(text, "exit status");
    assert_lacks(text, "()");
    assert_lacks(text, "OpenMP");
    free(text);
}

static void what_is_odd_or_unknown_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("./app\0"), threads = serial, mpi = serial;
    make_even(&fixture->results, &serial, BLOCKS, 2);
    threads.mode = MODE_THREADS;
    mpi.mode = MODE_MPI;
    threads.workers = mpi.workers = 2;
    threads.active = 1.05;
    threads.unseen = refused;
    mpi.exit_status = 3;
    make_even(&fixture->results, &threads, BLOCKS, 2);
    make_even(&fixture->results, &mpi, BLOCKS, 1);
    char *text = print_page(fixture);
    assert_has(text, "It ran one task at a time, whatever was asked (parallelism under 1.1): threads 2. Does it take "
                     "{threads} or OMP_NUM_THREADS?");
    assert_has(text, "Its tasks could not be watched (kernel.perf_event_paranoid is 3, and 2 or less is needed): where "
                     "they ran, how long they waited for a core and why the speedup is what it is are not known: "
                     "threads 2");
    assert_has(text, "threads 2 not known: its tasks could not be watched: kernel.perf_event_paranoid is 3");
    assert_has(text, "exit status other than 0, which was accepted (such as 3): mpi 2");
    assert_has(text, "threads 2 1.58 s 525 ms - 1.05 - 3 MiB");
    free(text);
}

/* One sample of several tasks is enough. */
static void one_task_is_said_only_where_it_was_in_all_samples(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("./app\0{threads}\0"), threads = serial, turns;
    make_even(&fixture->results, &serial, BLOCKS, 2);
    threads.mode = MODE_THREADS;
    threads.workers = 2;
    threads.active = 1;
    turns = threads;
    turns.mode = MODE_MULTITASK; /* where it is so by design */
    turns.cpus = 1;
    make_even(&fixture->results, &turns, BLOCKS, 2);
    make_even(&fixture->results, &threads, BLOCKS, 2);
    char *text = print_page(fixture);
    assert_has(text, "(parallelism under 1.1): threads 2. Is the option with the placeholder the right one");
    free(text);
    threads.active = 1.3;
    make_launch(&fixture->results, &threads, BLOCKS, 2);
    text = print_page(fixture);
    assert_lacks(text, "one task at a time");
    free(text);
}

static void the_programs_own_time_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("./app\0");
    serial.time = "regex ms Time: ([0-9]+)";
    serial.setting = "N={threads}";
    add_modes(&fixture->results, &serial);
    for (int g = 0; g < fixture->results.group_count; g++) fixture->results.groups[g].config.command.bind = false;
    char *text = print_page(fixture);
    assert_has(text, "N={threads} ./app time: of the program's own, by the regular expression Time: ([0-9]+), in ms. "
                     "Its tasks were not bound");
    assert_has(text, "threads: W threads asked for 2 2");
    assert_has(text, "not known: the time is the program's own");
    free(text);
    char *html = write_html(fixture, write_proposal);
    assert_has(html, "times here are those that the program itself printed");
    free(html);
}

/* --- the report ------------------------------------------------------------------------------------------------- */

static void set_study(struct results *results, json_t *target)
{
    results->study = json_pack("{s:s, s:s, s:s, s:s, s:[s,s], s:[i,i], s:i, s:s, s:s, s:i, s:i, s:f, s:o}", "type",
                               "study", "kernel", "app", "variant", "", "size", "", "modes", "multitask", "threads",
                               "workers", 1, 2, "base", 1, "scaling", "strong", "seed", "1", "runs_min", BLOCKS,
                               "runs_max", BLOCKS, "precision", 0.02, "target", target);
    assert_non_null(results->study);
}

static void the_report_tells_the_command(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("xz\0-T{threads}\0my file\0");
    add_modes(&fixture->results, &serial);
    set_study(&fixture->results, json_pack("{s:[s,s,s], s:[], s:s, s:b, s:b, s:s}", "argv", "xz", "-T{threads}",
                                           "my file", "env", "launcher", "", "shell", 0, "bind", 1, "time", "process"));
    char *html = write_html(fixture, write_report);
    assert_has(html, "<h1>How well xz -T{threads} &#39;my file&#39; scales</h1>");
    assert_has(html, "1.60 times as fast as the same command for one worker");
    assert_has(html, "What its processes used");
    assert_has(html, "Fewer tasks than workers were active");
    assert_lacks(html, "Some workers have less to do than others");
    assert_has(html, "is of the whole process, from its start to its end, by the clock CLOCK_MONOTONIC");
    assert_has(html, "A study with <code>--timeline</code> watches");
    assert_has(html, "speedup study --modes multitask,threads --workers 1,2 --runs 7 -o again.jsonl -- xz "
                     "&#39;-T{threads}&#39; &#39;my file&#39;</pre>");
    assert_has(html, "<th scope=\"col\">Exit status</th>");
    assert_lacks(html, "speedup run ");
    free(html);
    html = write_html(fixture, write_proposal);
    assert_has(html, "Speedups are against the same command for one worker (2.00 s on one core)");
    assert_has(html, "compiled with [its compiler and flags]");
    assert_has(html, "times here are of the whole process");
    assert_lacks(html, "instruction set");
    free(html);
}

static void records_of_kernels_and_commands_tell_both(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("./app\0"), kernel = {.mode = MODE_SERIAL, .workers = 1};
    add_modes(&fixture->results, &serial);
    add_modes(&fixture->results, &kernel);
    char *html = write_html(fixture, write_report);
    assert_has(html, "Measurements of ./app and matmul");
    assert_has(html, "Some workers have less to do than others");
    assert_has(html, "Of a command: Fewer tasks than workers");
    assert_has(html, "A time is that from the common start");
    assert_has(html, "A time of <code>./app</code> is of the whole process");
    free(html);
}

static void nothing_in_a_command_line_breaks_a_page(void **state)
{
    struct fixture *fixture = *state;
    struct made serial =
        serial_of("</script><script>alert(1)</script>\0&\"'`$(reboot)\0\x01\xff\x1b[31m\0{}\0{a,b}\n\0");
    serial.level = "<b>\"&'|\n`";
    serial.setting = "A=<i>";
    serial.unseen = "<u>&";
    add_modes(&fixture->results, &serial);
    serial.unseen = NULL;
    serial.time = "regex <s> </p>([0-9]+)";
    add_modes(&fixture->results, &serial);
    char *html = write_html(fixture, write_report);
    assert_lacks(html, "<b>");
    assert_lacks(html, "<u>");
    assert_lacks(html, "<i>");
    assert_lacks(html, "\x1b");
    free(html);
    free(write_html(fixture, write_proposal));
    char *text = print_page(fixture);
    assert_lacks(text, "\x1b");
    assert_lacks(text, "\x01");
    free(text);
    text = write_part(fixture, write_hyperfine);
    json_t *object = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(object, "results")), 6);
    json_decref(object);
    free(text);
    free(write_part(fixture, write_markdown));
    text = write_part(fixture, write_extrap);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(!*line || strchr("#P\nRMD", *line));
    free(text);
    object = present_study_summary_json(&fixture->results, &fixture->curves);
    assert_non_null(object);
    assert_int_equal(json_array_size(json_object_get(object, "curves")), 6);
    json_decref(object);
}

static void the_command_that_measures_again_has_all_that_was_given(void **state)
{
    struct fixture *fixture = *state;
    set_study(&fixture->results,
              json_pack("{s:[s,{s:s}], s:[s], s:s, s:b, s:b, s:s}", "argv", "./a b", "hex", "ff", "env", "N={threads}",
                        "launcher", "mpirun -n {ranks}", "shell", 0, "bind", 0, "time", "regex ms ([0-9]+) ms"));
    json_t *more = json_pack("{s:{s:[s,s]}, s:s, s:s, s:s, s:s, s:b, s:b}", "parameters", "level", "1", "9", "size",
                             "1000", "weak", "linear", "prepare", "rm -f out", "check_regex", "^ok$", "same_output", 1,
                             "ignore_failure", 1);
    json_object_update(fixture->results.study, more);
    json_decref(more);
    char *command = report_command(&fixture->results);
    assert_string_equal(command,
                        "speedup study -L level 1,9 --size 1000 --weak linear --modes multitask,threads --workers 1,2 "
                        "--launcher 'mpirun -n {ranks}' --env 'N={threads}' --no-bind --time-regex '([0-9]+) ms' "
                        "--time-unit ms --prepare 'rm -f out' --check-regex '^ok$' --same-output --ignore-failure "
                        "--runs 7 -o again.jsonl -- './a b' $'\\377'");
    free(command);
    json_object_set_new(fixture->results.study, "target", json_pack("{s:[s], s:i}", "argv", "sort|uniq", "shell", 7));
    json_object_set_new(fixture->results.study, "parameters", json_string("none"));
    command = report_command(&fixture->results);
    assert_has(command, " -- 'sort|uniq'");
    free(command);
}

/* --- other formats ---------------------------------------------------------------------------------------------- */

static void exports_have_the_command(void **state)
{
    struct fixture *fixture = *state;
    struct made serial = serial_of("./app\0-n\0{workers}\0"), mpi = serial;
    serial.level = mpi.level = "6";
    make_even(&fixture->results, &serial, BLOCKS, 2);
    mpi.mode = MODE_MPI;
    mpi.workers = 2;
    mpi.exit_status = 4;
    make_even(&fixture->results, &mpi, BLOCKS, 1);
    char *text = write_part(fixture, write_csv);
    assert_has(text, ",scheduling,command,user_s,system_s,tasks,peak_memory_bytes\n");
    assert_has(text, "\n,app,,,LEVEL=6,0,,mpi,2,2,7,0,0,1,1,1,1,run,2,2,2,");
    assert_has(text, ",./app -n {workers},1.5,0.5,3,3145728\n");
    free(text);
    text = write_part(fixture, write_markdown);
    assert_has(text, "### ./app -n {workers} (LEVEL 6)\n\ntime: of the whole process");
    free(text);
    text = write_part(fixture, write_extrap);
    assert_has(text, "REGION ./app_-n_{workers}->LEVEL=6->");
    free(text);
    text = write_part(fixture, write_hyperfine);
    json_t *object = json_loads(text, 0, NULL), *two = json_array_get(json_object_get(object, "results"), 1);
    assert_string_equal(json_string_value(json_object_get(two, "command")), "mpirun -n 2 ./app -n 2");
    assert_true(json_real_value(json_object_get(two, "user")) == 1.5);
    assert_true(json_real_value(json_object_get(two, "system")) == 0.5);
    json_t *codes = json_object_get(two, "exit_codes"), *parameters = json_object_get(two, "parameters");
    assert_int_equal(json_array_size(codes), BLOCKS);
    assert_int_equal(json_integer_value(json_array_get(codes, 0)), 4);
    assert_string_equal(json_string_value(json_object_get(parameters, "LEVEL")), "6");
    assert_null(json_object_get(parameters, "kernel"));
    json_decref(object);
    free(text);
    object = present_study_summary_json(&fixture->results, &fixture->curves);
    json_t *curve = json_array_get(json_object_get(object, "curves"), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(curve, "target"), "kind")), "command");
    json_t *point = json_array_get(json_object_get(curve, "points"), 0);
    assert_true(json_real_value(json_object_get(point, "user_s")) == 1.5);
    assert_int_equal(json_integer_value(json_object_get(point, "failed")), BLOCKS);
    json_decref(object);
}

static void a_timeline_has_the_command_with_its_numbers(void **state)
{
    (void)state;
    struct timeline_record record;
    struct timeline_view view;
    static const char *const words[] = {"xz", "-T{threads}", "my file"};
    char text[512];
    scene_cores(&record, 1);
    const struct mode mode = record.config.mode;
    set_command(&record.config, 3, words);
    record.config.mode = mode;
    assert_int_equal(timeline_view_of(1, &record, NAN, NAN, &view), 0);
    assert_string_equal(timeline_title(&view, sizeof text, text),
                        "xz -T2 'my file', mode threads: 2 threads asked for on CPUs 0,1");
    assert_string_equal(timeline_task_name(&view, 0, sizeof text, text), "toy 100");
    timeline_view_release(&view);
    char path[] = "/tmp/speedup-command-XXXXXX";
    struct error error;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    assert_int_equal(export_chrome_trace(path, 1, &record, &error), STATUS_OK);
    char *trace = read_whole(path);
    assert_has(trace, "\"kernel\":null,\"command\":\"xz -T2 'my file'\"");
    free(trace);
    assert_int_equal(unlink(path), 0);
    timeline_record_release(&record);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_are_told_as_one_would_type_them),
        TEST(long_commands_lose_their_middle_and_no_part_of_a_character),
        TEST(what_is_timed_is_told),
        TEST(the_page_tells_the_command_and_what_it_used),
        TEST(what_is_odd_or_unknown_is_said),
        TEST(one_task_is_said_only_where_it_was_in_all_samples),
        TEST(the_programs_own_time_is_named),
        TEST(the_report_tells_the_command),
        TEST(records_of_kernels_and_commands_tell_both),
        TEST(nothing_in_a_command_line_breaks_a_page),
        TEST(the_command_that_measures_again_has_all_that_was_given),
        TEST(exports_have_the_command),
        TEST(a_timeline_has_the_command_with_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
