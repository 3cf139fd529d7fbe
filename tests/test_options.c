/* The command line's parser, its error lines, nearest names, and help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../src/options/options.h"
#include "../src/plan/config.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 20 };

static const char *const mode_choices[] = {"serial", "multitask", "multitask-mpi", "threads", "mpi", "hybrid", NULL};
static const char *const format_choices[] = {"csv", "markdown", NULL};
static const char *const kernel_option_names[] = {"wait", "items", NULL};

static const struct command command = {.name = "run",
                                       .arguments = "KERNEL [OPTIONS]",
                                       .summary = "one kernel",
                                       .description = "A first paragraph that is long enough to be wrapped, as it has "
                                                      "far more than eighty columns.\n\nExamples:\n  speedup run pi"};

/* Everything that one command line can set. */
struct values {
    bool json, verbose;
    const char *output;
    int workers, any, positive;
    double share, limit_s, ratio, loss;
    struct option_pairs exports;
    uint64_t seed;
    int mode;
    struct cpu_list cpus;
    char kernel_option[64]; /* "name=value" of the last one taken */
};

struct outcome {
    struct values values;
    int status, operand_count;
    char *argv[ARGUMENTS_MAX];
    struct error error;
};

static int take_kernel_option(void *context, const char *name, const char *value, struct error *error)
{
    struct values *values = context;
    if (strcmp(name, "wait") != 0) return 0;
    if (!value) return error_set(error, STATUS_USAGE, "--wait needs a time");
    snprintf(values->kernel_option, sizeof values->kernel_option, "%s=%s", name, value);
    return 1;
}

/* Parses the words of `line`; "''" stands for an empty argument. */
static struct outcome parse(const char *line)
{
    static char words[1024];
    struct outcome outcome = {.values = {.workers = -1, .mode = -1, .share = -1, .limit_s = -1}};
    struct values *values = &outcome.values;
    const struct option table[] = {
        {.letter = 'j', .name = "json", .type = OPT_FLAG, .value = &values->json, .help = "Writes records."},
        {.letter = 'v', .name = "verbose", .type = OPT_FLAG, .value = &values->verbose, .help = "Says more."},
        {.letter = 'o', .name = "output", .type = OPT_TEXT, .value = &values->output, .argument = "FILE", .help = "F."},
        {.letter = 'w',
         .name = "workers",
         .type = OPT_COUNT,
         .value = &values->workers,
         .min = 1,
         .max = 10000,
         .argument = "N",
         .help = "Workers."},
        {.name = "any", .type = OPT_COUNT, .value = &values->any, .argument = "N", .help = "Any."},
        {.name = "positive",
         .type = OPT_COUNT,
         .value = &values->positive,
         .min = 1,
         .max = INT_MAX,
         .argument = "N",
         .help = "Positive."},
        {.name = "share",
         .type = OPT_NUMBER,
         .value = &values->share,
         .min = 0,
         .max = 1,
         .argument = "X",
         .help = "Share."},
        {.name = "ratio",
         .type = OPT_NUMBER,
         .value = &values->ratio,
         .min = 0.5,
         .max = INFINITY,
         .argument = "X",
         .help = "Ratio."},
        {.name = "limit",
         .type = OPT_DURATION,
         .value = &values->limit_s,
         .min = 0.01,
         .max = 5400,
         .argument = "TIME",
         .help = "Limit."},
        {.name = "loss",
         .type = OPT_SHARE,
         .value = &values->loss,
         .min = 0.001,
         .max = 0.5,
         .argument = "P",
         .help = "Loss."},
        {.letter = 'e',
         .name = "export",
         .type = OPT_PAIRS,
         .value = &values->exports,
         .choices = format_choices,
         .argument = "FORMAT FILE",
         .help = "Also writes a file."},
        {.name = "seed", .type = OPT_U64, .value = &values->seed, .argument = "S", .help = "Seed."},
        {.name = "mode",
         .type = OPT_CHOICE,
         .value = &values->mode,
         .choices = mode_choices,
         .argument = "MODE",
         .help = "How the workers are placed."},
        {.name = "cpus", .type = OPT_CPUS, .value = &values->cpus, .argument = "LIST", .help = "CPUs."},
        {0}};
    const struct options options = {.command = &command,
                                    .table = table,
                                    .unknown = take_kernel_option,
                                    .context = values,
                                    .unknown_names = kernel_option_names};
    int argc = 0;
    snprintf(words, sizeof words, "run %s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        assert_true(argc < ARGUMENTS_MAX);
        outcome.argv[argc++] = strcmp(word, "''") ? word : word + 2;
    }
    outcome.status = options_parse(&options, argc, outcome.argv, &outcome.operand_count, &outcome.error);
    return outcome;
}

static void assert_error(const char *line, const char *text)
{
    struct outcome outcome = parse(line);
    assert_int_equal(outcome.status, STATUS_USAGE);
    assert_string_equal(outcome.error.text, text);
}

static void options_and_operands_in_any_order(void **state)
{
    (void)state;
    struct outcome o = parse("pi --json -w 3 second --output=out.jsonl - -- --mode -w");
    assert_int_equal(o.status, 0);
    assert_true(o.values.json);
    assert_false(o.values.verbose);
    assert_int_equal(o.values.workers, 3);
    assert_string_equal(o.values.output, "out.jsonl");
    assert_int_equal(o.operand_count, 5);
    const char *const operands[] = {"pi", "second", "-", "--mode", "-w"};
    for (int i = 0; i < 5; i++) assert_string_equal(o.argv[1 + i], operands[i]);
}

static void letters_join(void **state)
{
    (void)state;
    struct outcome o = parse("-jvw4");
    assert_int_equal(o.status, 0);
    assert_true(o.values.json && o.values.verbose);
    assert_int_equal(o.values.workers, 4);
    assert_int_equal(parse("-w=5").values.workers, 5);
    assert_string_equal(parse("-o -").values.output, "-");
    assert_error("-jx", "unknown option '-jx' (see 'speedup run --help')");
    assert_error("-j=yes", "--json takes no value, but 'yes' was given");
}

static void last_one_counts_and_flags_are_cleared(void **state)
{
    (void)state;
    struct outcome o = parse("-w 3 --workers 7 --json --no-json -j --no-json");
    assert_int_equal(o.status, 0);
    assert_int_equal(o.values.workers, 7);
    assert_false(o.values.json);
    assert_error("--no-workers", "unknown option '--no-workers'; did you mean '--workers'? (see 'speedup run --help')");
    assert_error("--no-json=1", "--json takes no value, but '1' was given");
}

static void values_of_each_type(void **state)
{
    (void)state;
    struct outcome o = parse("--any -12 --share 2.5e-1 --limit 500ms --seed 0xffFFffffFFFFffff --mode hybrid "
                             "--cpus 3,0-1 --ratio 1e300 --positive 2147483647");
    assert_int_equal(o.status, 0);
    assert_int_equal(o.values.any, -12);
    assert_true(o.values.share == 0.25);
    assert_true(fabs(o.values.limit_s - 0.5) < 1e-12);
    assert_true(o.values.seed == UINT64_MAX);
    assert_int_equal(o.values.mode, 5);
    assert_int_equal(o.values.cpus.count, 3);
    assert_int_equal(o.values.cpus.cpus[0], 3);
    assert_int_equal(o.values.cpus.cpus[2], 1);
    assert_true(o.values.ratio == 1e300);
    assert_int_equal(o.values.positive, INT_MAX);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } cases[] = {{"10ms", 0.01},    {"20000us", 0.02}, {"10200us", 0.0102}, {"2", 2},
                 {"2.5s", 2.5},     {"1.5m", 90},      {"1min", 60},        {"1.5h", 5400},
                 {"1:30:00", 5400}, {"0:00:07", 7},    {"01:02:03", 3723}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[64];
        snprintf(line, sizeof line, "--limit %s", cases[i].text);
        struct outcome o = parse(line);
        assert_int_equal(o.status, 0);
        assert_true(o.values.limit_s == cases[i].seconds); /* to the last bit: 100us is 0.1ms */
    }
    static const char *const wrong[] = {"1ms",     "2h",      "-1s",           "s",          "''",     "1.2.3s",
                                        "5parsec", "1e3s",    "0x1s",          "inf",        "1:00",   "1:60:00",
                                        "1:00:60", "1:0:0",   "1:00:00s",      "1:00:00:00", ":10:00", "1.5:00:00",
                                        "0:00:00", "2:00:00", "1234567:00:00", "-0:10:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[64], text[160];
        snprintf(line, sizeof line, "--limit %s", wrong[i]);
        snprintf(text, sizeof text, "--limit %s: a time from 10ms to 1.5h, such as 500ms, 2s or 1m, is needed",
                 wrong[i]);
        assert_error(line, text);
    }
}

static void counts_outside_their_domain(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "0", "-3", "10001", "99999999999", "99999999999999999999", "4x", "x4", "''", "1e3", "0x10", "1.5", "+", "-"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[64], text[160];
        snprintf(line, sizeof line, "--workers %s", wrong[i]);
        snprintf(text, sizeof text, "--workers %s: a whole number from 1 to 10000 is needed", wrong[i]);
        struct outcome o = parse(line);
        assert_int_equal(o.values.workers, -1);
        assert_error(line, text);
    }
    assert_error("--positive 0", "--positive 0: a whole number of at least 1 is needed");
    assert_error("--any two", "--any two: a whole number is needed");
}

static void numbers_outside_their_domain(void **state)
{
    (void)state;
    static const char *const wrong[] = {"1.01", "-0.1", "nan", "inf", "0x1p-1", "1e999", ".", "''", "0.5x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[64], text[160];
        snprintf(line, sizeof line, "--share %s", wrong[i]);
        snprintf(text, sizeof text, "--share %s: a number from 0 to 1 is needed", wrong[i]);
        assert_error(line, text);
    }
    assert_error("--ratio 0", "--ratio 0: a number of at least 0.5 is needed");
    static const char *const seeds[] = {"-1", "18446744073709551616", "0x", "12a", "''", "0x0x1", "1.0"};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        char line[64], text[160];
        snprintf(line, sizeof line, "--seed %s", seeds[i]);
        snprintf(text, sizeof text, "--seed %s: a whole number below 2^64, decimal or as 0x2a, is needed", seeds[i]);
        assert_error(line, text);
    }
}

static void choices_and_cpu_lists(void **state)
{
    (void)state;
    assert_error("--mode tread", "--mode tread: no such mode; did you mean 'threads'? Allowed: serial, multitask, "
                                 "multitask-mpi, threads, mpi, hybrid");
    assert_error("--mode quantum",
                 "--mode quantum: no such mode. Allowed: serial, multitask, multitask-mpi, threads, mpi, hybrid");
    assert_error("--cpus 0,0", "--cpus 0,0: a list of CPUs, such as 0,2-3, each named once, is needed");
    assert_error("--cpus all", "--cpus all: a list of CPUs, such as 0,2-3, each named once, is needed");
    assert_error("--cpus 0-4095", "--cpus 0-4095: a list of fewer CPUs, or of smaller numbers, is needed");
}

static void shares(void **state)
{
    (void)state;
    static const char *const same[] = {"5%", "0.05", "5.0%", ".05", "5e-2", "+5%"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char line[64];
        snprintf(line, sizeof line, "--loss %s", same[i]);
        struct outcome o = parse(line);
        assert_int_equal(o.status, 0);
        assert_true(fabs(o.values.loss - 0.05) < 1e-15);
    }
    static const char *const wrong[] = {"5", "0", "-5%", "%", "5%%", "5 %", "nan%", "0.09%", "51%", "''", "5%x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[64];
        snprintf(line, sizeof line, "--loss=%s", wrong[i]);
        assert_int_equal(parse(line).status, STATUS_USAGE);
    }
    assert_error("--loss 5", "--loss 5: a share from 0.1% to 50%, such as 5% or 0.05, is needed");
}

static void pairs_gather(void **state)
{
    (void)state;
    struct outcome o = parse("pi --export csv a.csv second --export=markdown - -e csv b.csv");
    assert_int_equal(o.status, 0);
    assert_int_equal(o.operand_count, 2);
    assert_string_equal(o.argv[2], "second");
    assert_int_equal(o.values.exports.count, 3);
    assert_int_equal(o.values.exports.pairs[0].choice, 0);
    assert_string_equal(o.values.exports.pairs[0].text, "a.csv");
    assert_int_equal(o.values.exports.pairs[1].choice, 1);
    assert_string_equal(o.values.exports.pairs[1].text, "-");
    assert_string_equal(o.values.exports.pairs[2].text, "b.csv");
    const char *missing = "--export needs two values: --export FORMAT FILE (see 'speedup run --help')";
    assert_error("--export", missing);
    assert_error("--export csv", missing);
    assert_error("--export csv --json", missing);
    assert_error("--export cvs a.csv", "--export cvs: no such export; did you mean 'csv'? Allowed: csv, markdown");
}

static void pairs_have_an_end(void **state)
{
    (void)state;
    struct option_pairs pairs = {0};
    const struct option option = {
        .name = "export", .type = OPT_PAIRS, .value = &pairs, .choices = format_choices, .argument = "FORMAT FILE"};
    const struct option table[] = {option, {0}};
    const struct options options = {.command = &command, .table = table};
    char name[] = "run", word[] = "--export", format[] = "csv", file[] = "a";
    char *argv[3 * (OPTION_PAIRS_MAX + 1) + 2] = {name};
    int argc = 1, operands;
    for (int i = 0; i <= OPTION_PAIRS_MAX; i++) {
        argv[argc++] = word;
        argv[argc++] = format;
        argv[argc++] = file;
    }
    struct error error = {""};
    assert_int_equal(options_parse(&options, argc, argv, &operands, &error), STATUS_USAGE);
    assert_string_equal(error.text, "--export is given more than 16 times; leave some out");
    assert_int_equal(pairs.count, OPTION_PAIRS_MAX);
}

static void missing_values(void **state)
{
    (void)state;
    const char *text = "--workers needs a value: --workers N (see 'speedup run --help')";
    assert_error("--workers", text);
    assert_error("-w", text);
    assert_error("--workers --json", text);
    assert_error("-w -- 4", text);
    assert_string_equal(parse("--output=--json").values.output, "--json");
    assert_string_equal(parse("--output=").values.output, "");
    assert_string_equal(parse("--output=a=b").values.output, "a=b");
}

static void unknown_options(void **state)
{
    (void)state;
    assert_error("--worker 4", "unknown option '--worker'; did you mean '--workers'? (see 'speedup run --help')");
    assert_error("--worker=4", "unknown option '--worker=4'; did you mean '--workers'? (see 'speedup run --help')");
    assert_error("-utput f", "unknown option '-utput'; did you mean '--output'? (see 'speedup run --help')");
    assert_error("--zzz", "unknown option '--zzz' (see 'speedup run --help')");
    assert_error("--item 4", "unknown option '--item'; did you mean '--items'? (see 'speedup run --help')");
    assert_error("--hlep", "unknown option '--hlep'; did you mean '--help'? (see 'speedup run --help')");
    assert_error("--=3", "unknown option '--=3' (see 'speedup run --help')");
}

static void kernel_options_go_to_unknown(void **state)
{
    (void)state;
    assert_string_equal(parse("--wait 4ms pi").values.kernel_option, "wait=4ms");
    assert_string_equal(parse("--wait=4ms pi").values.kernel_option, "wait=4ms");
    struct outcome o = parse("--wait 4ms pi");
    assert_int_equal(o.operand_count, 1);
    assert_string_equal(o.argv[1], "pi");
    assert_error("pi --wait", "--wait needs a time");
    assert_error("pi --wait --json", "--wait needs a time");
}

static void long_values_are_shortened(void **state)
{
    (void)state;
    char line[900] = "--workers ";
    memset(line + strlen(line), '7', 800);
    struct outcome o = parse(line);
    assert_int_equal(o.status, STATUS_USAGE);
    assert_true(strlen(o.error.text) < 160);
    assert_non_null(strstr(o.error.text, "777...': a whole number from 1 to 10000 is needed"));
    assert_error("--workers 1\a2", "--workers '1?2': a whole number from 1 to 10000 is needed");
}

/* Runs options_print_help into a string that the caller frees. */
static char *help_text(const struct option *table)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    options_print_help(&(struct options){.command = &command, .table = table}, stream);
    fclose(stream);
    return text;
}

static void assert_lines_fit(const char *text)
{
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        assert_true(length <= 80);
        if (length > 0) assert_true(line[length - 1] != ' ');
        line += length + (line[length] == '\n');
    }
}

static void help_is_aligned_and_fits(void **state)
{
    (void)state;
    int mode = -1;
    const struct option table[] = {{.letter = 'm',
                                    .name = "mode",
                                    .type = OPT_CHOICE,
                                    .value = &mode,
                                    .choices = mode_choices,
                                    .argument = "MODE",
                                    .help = "How the workers are placed. Default: serial."},
                                   {.name = "a-name-that-is-far-too-long-for-its-column",
                                    .type = OPT_TEXT,
                                    .argument = "SOMETHING",
                                    .help = "Stands on a line of its own."},
                                   {0}};
    char *text = help_text(table);
    assert_lines_fit(text);
    assert_non_null(strstr(text, "Usage: speedup run KERNEL [OPTIONS]\n\nA first paragraph"));
    assert_non_null(strstr(text, "\nExamples:\n  speedup run pi\n"));
    assert_non_null(strstr(text, "\n  -m, --mode MODE  How the workers are placed. Default: serial. One of: serial,\n"
                                 "                   multitask, multitask-mpi, threads, mpi, hybrid.\n"));
    assert_non_null(strstr(text, "\n      --a-name-that-is-far-too-long-for-its-column SOMETHING\n"
                                 "                   Stands on a line of its own.\n"));
    assert_non_null(strstr(text, "\n  -h, --help       Prints this help.\n"));
    free(text);
}

static void texts_and_lists_gather(void **state)
{
    (void)state;
    static const struct command own = {.name = "study"};
    struct option_texts texts = {0}, lists = {0};
    const struct option table[] = {
        {.letter = 'e', .name = "env", .type = OPT_TEXTS, .value = &texts, .argument = "TEXT", .help = "One."},
        {.letter = 'L', .name = "list", .type = OPT_LISTS, .value = &lists, .argument = "NAME LIST", .help = "Two."},
        {0}};
    const struct options options = {.command = &own, .table = table};
    char words[][16] = {"study", "-L", "a", "1,2", "pi", "--env=A=1", "-eB", "--list", "b", "-1", "-La", ""};
    char *argv[16];
    struct error error;
    int operands, count = (int)(sizeof words / sizeof *words);
    for (int i = 0; i < count; i++) argv[i] = words[i];
    assert_int_equal(options_parse(&options, count, argv, &operands, &error), 0);
    assert_int_equal(operands, 1);
    assert_int_equal(texts.count, 2);
    assert_string_equal(texts.texts[0], "A=1");
    assert_string_equal(texts.texts[1], "B");
    assert_int_equal(lists.count, 3);
    assert_string_equal(lists.names[1], "b");
    assert_string_equal(lists.texts[1], "-1");
    assert_string_equal(lists.names[2], "a");
    assert_string_equal(lists.texts[2], "");
    char last[][16] = {"study", "-L", "a"};
    for (int i = 0; i < 3; i++) argv[i] = last[i];
    assert_int_equal(options_parse(&options, 3, argv, &operands, &error), STATUS_USAGE);
    assert_string_equal(error.text, "--list needs two values: --list NAME LIST (see 'speedup study --help')");
}

static void help_of_pairs(void **state)
{
    (void)state;
    const struct option table[] = {
        {.name = "export", .type = OPT_PAIRS, .choices = format_choices, .argument = "FORMAT FILE", .help = "Writes."},
        {0}};
    char *text = help_text(table);
    assert_non_null(strstr(text, "\n      --export FORMAT FILE  Writes. FORMAT is one of: csv, markdown.\n"));
    free(text);
}

static void wrapping(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    fputs("ab", stream);
    options_print_wrapped(stream, 2, 4, "one\n\n  as it is\ntwo");
    /* 75 two-byte letters are 75 columns: the word behind them just does not fit. */
    char letters[2 * 75 + 8] = "";
    for (int i = 0; i < 75; i++) strcat(letters, "\u00e9");
    strcat(letters, " end");
    options_print_wrapped(stream, 0, 4, letters);
    fclose(stream);
    assert_memory_equal(text, "ab  one\n\n      as it is\n    two\n    ", 33);
    assert_non_null(strstr(text, "\u00e9\n    end\n"));
    free(text);
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const names[] = {"serial", "multitask", "multitask-mpi", "threads", "mpi", "hybrid", "pi", NULL};
    static const struct {
        const char *text, *nearest;
    } cases[] = {
        {"threads", "threads"},
        {"thread", "threads"},
        {"tread", "threads"},
        {"THREADS", "threads"},
        {"htreads", "threads"},
        {"serail", "serial"},
        {"multitasking", "multitask"},
        {"multitaskmpi", "multitask-mpi"},
        {"hyb", "hybrid"},
        {"multi", NULL},
        {"pj", "pi"},
        {"p", "pi"},
        {"xx", NULL},
        {"x", NULL},
        {"", NULL},
        {"quantum", NULL},
        {"mip", "mpi"},
        {"openmp", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *nearest = options_nearest(cases[i].text, names);
        if (cases[i].nearest) {
            assert_non_null(nearest);
            assert_string_equal(nearest, cases[i].nearest);
        } else {
            assert_null(nearest);
        }
    }
    char endless[5000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(options_nearest(endless, names));
    assert_null(options_nearest("pi", (const char *const[]){NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_in_any_order),
        cmocka_unit_test(letters_join),
        cmocka_unit_test(last_one_counts_and_flags_are_cleared),
        cmocka_unit_test(values_of_each_type),
        cmocka_unit_test(durations),
        cmocka_unit_test(counts_outside_their_domain),
        cmocka_unit_test(numbers_outside_their_domain),
        cmocka_unit_test(choices_and_cpu_lists),
        cmocka_unit_test(shares),
        cmocka_unit_test(pairs_gather),
        cmocka_unit_test(pairs_have_an_end),
        cmocka_unit_test(texts_and_lists_gather),
        cmocka_unit_test(missing_values),
        cmocka_unit_test(unknown_options),
        cmocka_unit_test(kernel_options_go_to_unknown),
        cmocka_unit_test(long_values_are_shortened),
        cmocka_unit_test(help_is_aligned_and_fits),
        cmocka_unit_test(help_of_pairs),
        cmocka_unit_test(wrapping),
        cmocka_unit_test(nearest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
